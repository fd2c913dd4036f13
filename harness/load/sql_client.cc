// A small blocking SQL client for set-up work: fill tables, ask a question, check a sum.
#include "harness/load/sql_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/printable.h"
#include "protocol/client_session.h"

namespace connbench::load {
namespace {

using protocol::ClientSession;

constexpr size_t kReadBytes = 64 << 10;

class ResultSink final : public protocol::ClientRowSink {
 public:
  void Columns(std::span<const std::string_view> names) override {
    result_.columns.assign(names.begin(), names.end());
    result_.rows.clear();
  }
  void Row(std::span<const WireValue> values) override {
    auto& row = result_.rows.emplace_back();
    for (const WireValue& value : values) {
      if (value.is_null()) {
        row.emplace_back();
      } else {
        row.emplace_back(std::string(value.data, static_cast<size_t>(value.length)));
      }
    }
  }
  void Tag(std::string_view tag) override { result_.tag = tag; }
  void Notice(const protocol::ErrorFields& notice) override {
    if (notices_.size() >= kMaxNotices) return;
    notices_.push_back({Printable(notice.severity), Printable(notice.message)});
  }

  std::vector<SqlNotice> TakeNotices() { return std::exchange(notices_, {}); }
  SqlResult Take() { return std::exchange(result_, {}); }

 private:
  SqlResult result_;
  std::vector<SqlNotice> notices_;
};

}  // namespace

class SqlClient::Impl {
 public:
  explicit Impl(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
  ~Impl() {
    if (fd_ < 0) return;
    session_.Terminate();
    const std::string& output = session_.output();
    // Best effort: the server sees the end of file in any case.
    [[maybe_unused]] const ssize_t sent =
        send(fd_, output.data(), output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status Connect(int64_t timeout_ns);
  Result<SqlResult> Query(std::string_view sql, int64_t timeout_ns);
  const ClientSession& session() const { return session_; }
  std::vector<SqlNotice> TakeNotices() { return sink_.TakeNotices(); }

 private:
  // Moves bytes until the session is no longer in any of these states.
  Status Converse(MonotonicNs deadline);
  Status WaitFor(short events, MonotonicNs deadline) const;
  Status Lost(std::string_view what, int error) const {
    return Status::Error(sqlstate::kConnectionFailure,
                         fmt::format("{} {}: {}", what, endpoint_.ToString(), std::strerror(error)))
        .WithHint("Is a server running there? See -h and -p.");
  }

  Endpoint endpoint_;
  std::shared_ptr<protocol::ClientSecurity> security_;
  int fd_ = -1;
  ClientSession session_;
  ResultSink sink_;
};

Status SqlClient::Impl::WaitFor(short events, MonotonicNs deadline) const {
  while (true) {
    const MonotonicNs left = deadline - MonotonicNow();
    if (left <= 0) return Lost("no answer in time from", ETIMEDOUT);
    constexpr int64_t kMaxWaitMs = 60'000;
    const auto left_ms =
        static_cast<int>(std::min(kMaxWaitMs, left / kNanosecondsPerMillisecond + 1));
    pollfd waiting = {fd_, events, 0};
    const int ready = poll(&waiting, 1, left_ms);
    if (ready > 0) return Status::Ok();
    if (ready < 0 && errno != EINTR) return Lost("cannot wait for", errno);
  }
}

Status SqlClient::Impl::Converse(MonotonicNs deadline) {
  std::string& output = session_.output();
  size_t sent = 0;
  std::string buffer(kReadBytes, '\0');
  while (true) {
    while (sent < output.size()) {
      const ssize_t count =
          send(fd_, output.data() + sent, output.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) {
        sent += static_cast<size_t>(count);
      } else if (errno == EAGAIN) {
        CONNBENCH_RETURN_IF_ERROR(WaitFor(POLLOUT, deadline));
      } else if (errno != EINTR) {
        break;  // what the server said before it closed is read below
      }
    }
    output.clear();
    sent = 0;
    if (session_.state() == ClientSession::State::kIdle) return Status::Ok();
    if (session_.state() == ClientSession::State::kClosed) {
      const ErrorInfo& error = session_.error();
      return std::move(Status::Fatal(error.code, error.message))
          .WithDetail(error.detail)
          .WithHint(error.hint);
    }
    CONNBENCH_RETURN_IF_ERROR(WaitFor(POLLIN, deadline));
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0) return Lost("lost the connection to", ECONNRESET);
    if (got < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return Lost("lost the connection to", errno);
    }
    session_.Receive({buffer.data(), static_cast<size_t>(got)});
  }
}

Status SqlClient::Impl::Connect(int64_t timeout_ns) {
  CONNBENCH_ASSIGN_OR_RETURN(const SocketAddress address, ResolveEndpoint(endpoint_));
  CONNBENCH_ASSIGN_OR_RETURN(security_, SecurityOf(endpoint_));
  const MonotonicNs deadline = MonotonicNow() + timeout_ns;
  fd_ = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return Status::System("cannot make a socket", errno);
  if (connect(fd_, address.get(), address.length) != 0) {
    if (errno != EINPROGRESS) return Lost("cannot connect to", errno);
    CONNBENCH_RETURN_IF_ERROR(WaitFor(POLLOUT, deadline));
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return Lost("cannot connect to", error);
  }
  session_.set_sink(&sink_);
  session_.set_keep_parameters(true);
  session_.Start({.user = endpoint_.user,
                  .database = endpoint_.database.empty() ? endpoint_.user : endpoint_.database,
                  .application_name = endpoint_.application_name,
                  .security = security_.get()});
  return Converse(deadline);
}

Result<SqlResult> SqlClient::Impl::Query(std::string_view sql, int64_t timeout_ns) {
  if (session_.state() != ClientSession::State::kIdle) {
    return Status::Error(sqlstate::kConnectionException, "the connection is closed");
  }
  sink_.Take();
  session_.Query(sql);
  CONNBENCH_RETURN_IF_ERROR(Converse(MonotonicNow() + timeout_ns));
  if (session_.command().failed) {
    const ErrorInfo& error = session_.error();
    return std::move(Status::Error(error.code, error.message, error.position))
        .WithDetail(error.detail)
        .WithHint(error.hint);
  }
  return sink_.Take();
}

SqlClient::SqlClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqlClient::~SqlClient() = default;

Result<std::unique_ptr<SqlClient>> SqlClient::Connect(const Endpoint& endpoint,
                                                      int64_t timeout_ns) {
  auto impl = std::make_unique<Impl>(endpoint);
  CONNBENCH_RETURN_IF_ERROR(impl->Connect(timeout_ns));
  return std::unique_ptr<SqlClient>(new SqlClient(std::move(impl)));
}

Result<SqlResult> SqlClient::Query(std::string_view sql, int64_t timeout_ns) {
  return impl_->Query(sql, timeout_ns);
}

Result<std::string> SqlClient::QueryValue(std::string_view sql) {
  CONNBENCH_ASSIGN_OR_RETURN(const SqlResult result, Query(sql));
  if (result.rows.empty() || result.rows[0].empty() || !result.rows[0][0]) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("\"{}\" gave no value", sql));
  }
  return *result.rows[0][0];
}

std::vector<SqlNotice> SqlClient::TakeNotices() { return impl_->TakeNotices(); }

std::string SqlClient::ServerParameter(std::string_view name) const {
  return std::string(impl_->session().ServerParameter(name));
}

uint32_t SqlClient::connection_id() const { return impl_->session().connection_id(); }

}  // namespace connbench::load
