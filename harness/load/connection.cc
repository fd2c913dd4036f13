// One client connection.
#include "harness/load/connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace connbench::load {
namespace {

using protocol::ClientSession;

// The kernel repeats a lost SYN after one second: below this nothing can have been repeated, and
// asking would cost a system call per connection.
constexpr int64_t kFirstSynRetryNs = 900 * kNanosecondsPerMillisecond;
// And lost data after 200 ms at the soonest (TCP_RTO_MIN).
constexpr int64_t kFirstDataRetryNs = 190 * kNanosecondsPerMillisecond;

constexpr uint32_t kWatched = EPOLLIN | EPOLLRDHUP | EPOLLET;

bool TcpInfo(int fd, tcp_info& info) {
  socklen_t length = sizeof(info);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
}

}  // namespace

Connection::~Connection() { CloseSocket(); }

void Connection::CloseSocket() {
  if (fd_ >= 0) close(fd_);  // which also takes it out of the epoll set
  fd_ = -1;
  state_ = State::kNone;
}

Connection::Event Connection::End(ConnectOutcome outcome, std::string reason) {
  if (state_ != State::kOpen) phases_.outcome = outcome;
  end_reason_ = std::move(reason);
  phases_.ended_ns = MonotonicNow();
  CloseSocket();
  return Event::kEnded;
}

Connection::Event Connection::EndWithErrno(int error, const char* what) {
  return End(OutcomeOfErrno(error),
             fmt::format("{} {}: {}", what, target_->endpoint.ToString(), std::strerror(error)));
}

Connection::Event Connection::EndWithSession() {
  const ErrorInfo& error = session_.error();
  end_sqlstate_ = error.code;
  std::string reason = error.message;
  if (!error.hint.empty()) reason += fmt::format(" HINT: {}", error.hint);
  switch (session_.end()) {
    case ClientSession::End::kProtocolError:
      return End(ConnectOutcome::kProtocolError, std::move(reason));
    case ClientSession::End::kNoAuthentication:
      return End(ConnectOutcome::kAuthenticationFailed, std::move(reason));
    default:
      return End(OutcomeOfSqlstate(error.code), fmt::format("{} [{}]", reason, error.code));
  }
}

Connection::Event Connection::Abandon(ConnectOutcome outcome, std::string reason) {
  return End(outcome, std::move(reason));
}

Connection::Event Connection::Prepare(const ConnectTarget& target, uint32_t client, int epoll_fd,
                                      uint64_t tag) {
  target_ = &target;
  phases_ = {};
  phases_.client = client;
  phases_.outcome = ConnectOutcome::kInterrupted;  // until it is known
  end_reason_.clear();
  end_sqlstate_.clear();
  session_.Reset();
  const Endpoint& endpoint = target.endpoint;
  session_.Start({.user = endpoint.user,
                  .database = endpoint.database.empty() ? endpoint.user : endpoint.database,
                  .application_name = endpoint.application_name,
                  .security = target.security.get()});
  sent_ = 0;
  epoll_fd_ = epoll_fd;
  tag_ = tag;
  const int family = target.address.family();
  fd_ = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return EndWithErrno(errno, "cannot make a socket to");
  if (family != AF_UNIX) {
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!target.sources.empty()) {
      // The port is chosen at connect(), for this destination: it may be in use for others.
      setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
      const SocketAddress& source = target.sources[client % target.sources.size()];
      if (bind(fd_, source.get(), source.length) != 0) {
        return EndWithErrno(errno, "cannot choose a source address for");
      }
    }
  }
  // A writable edge tells that TCP is established. Where that is so when connect() returns it would
  // only be one event more for each connection.
  watches_writable_ = family != AF_UNIX && !target.address.is_loopback_v4();
  epoll_event event{};
  event.events = kWatched | (watches_writable_ ? uint32_t{EPOLLOUT} : 0U);
  event.data.u64 = tag;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd_, &event) != 0) {
    return EndWithErrno(errno, "cannot watch a socket to");
  }
  state_ = State::kPrepared;
  return Event::kNothing;
}

Connection::Event Connection::Connect(MonotonicNs now) {
  phases_.connect_begin_ns = now;
  state_ = State::kConnecting;
  if (connect(fd_, target_->address.get(), target_->address.length) == 0) {
    return Established(MonotonicNow());
  }
  if (errno != EINPROGRESS) return EndWithErrno(errno, "cannot connect to");
  if (!target_->address.is_loopback_v4()) return Event::kNothing;
  // On loopback the handshake is over by now, unless the listen queue is full; waiting for epoll
  // would stamp it too late, and asking takes a system call. The startup packet tells: a socket
  // that is not connected yet does not take it.
  const MonotonicNs returned = MonotonicNow();
  const std::string& output = session_.output();
  const ssize_t sent = send(fd_, output.data(), output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) {
    sent_ = static_cast<size_t>(sent);
    bytes_->sent += static_cast<uint64_t>(sent);
    return Established(returned);
  }
  if (errno != EAGAIN && errno != EWOULDBLOCK) return EndWithErrno(errno, "cannot connect to");
  return WantWritable(true) ? Event::kNothing : EndWithErrno(errno, "cannot watch the socket to");
}

Connection::Event Connection::Established(MonotonicNs at) {
  phases_.connect_end_ns = at;
  if (phases_.connect_end_ns - phases_.connect_begin_ns > kFirstSynRetryNs) CountRetries();
  state_ = State::kStarting;
  const Event event = Flush();
  phases_.startup_sent_ns = MonotonicNow();
  return event;
}

void Connection::CountRetries() {
  tcp_info info;
  if (target_->address.family() != AF_UNIX && TcpInfo(fd_, info)) {
    phases_.syn_retries = info.tcpi_total_retrans;
  }
}

// On TCP a watch that is there stays: there only a full buffer that has drained makes an edge. On a
// Unix socket every message that the server reads is one.
bool Connection::WantWritable(bool want) {
  if (want == watches_writable_) return true;
  if (!want && target_->address.family() != AF_UNIX) return true;
  epoll_event event{};
  event.events = kWatched | (want ? uint32_t{EPOLLOUT} : 0U);
  event.data.u64 = tag_;
  watches_writable_ = want;
  return epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd_, &event) == 0;
}

Connection::Event Connection::Flush() {
  std::string& output = session_.output();
  while (sent_ < output.size()) {
    const ssize_t sent =
        send(fd_, output.data() + sent_, output.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!WantWritable(true)) return EndWithErrno(errno, "cannot watch the socket to");
        return Event::kNothing;
      }
      // A server that refuses says why before it closes; that is worth more than EPIPE.
      char buffer[4096];
      const Event event = Read(buffer, true);
      return event == Event::kEnded ? event : EndWithErrno(EPIPE, "lost the connection to");
    }
    sent_ += static_cast<size_t>(sent);
    bytes_->sent += static_cast<uint64_t>(sent);
  }
  output.clear();
  sent_ = 0;
  if (!WantWritable(false)) {
    return EndWithErrno(errno, "cannot watch the socket to");
  }
  return Event::kNothing;
}

Connection::Event Connection::Sent(int result) {
  if (result > 0) {
    sent_ += static_cast<size_t>(result);
    bytes_->sent += static_cast<uint64_t>(result);
  }
  return Flush();  // an error says itself again
}

Connection::Event Connection::HandleEvents(uint32_t events, std::span<char> buffer) {
  if (state_ == State::kConnecting) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return Event::kNothing;
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return EndWithErrno(error, "cannot connect to");
    const Event event = Established(MonotonicNow());
    if (event != Event::kNothing || (events & (EPOLLIN | EPOLLRDHUP)) == 0) return event;
  }
  if (state_ != State::kStarting && state_ != State::kOpen) return Event::kNothing;
  if ((events & EPOLLOUT) != 0 && sent_ < session_.output().size()) {
    const Event event = Flush();
    if (event != Event::kNothing) return event;
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return Event::kNothing;
  return Read(buffer, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

// Edge-triggered: reads until a short read shows that nothing is left; until_end asks for the end
// of file, too, which a short read hides.
Connection::Event Connection::Read(std::span<char> buffer, bool until_end) {
  const bool was_busy = session_.state() == ClientSession::State::kBusy;
  bool until_empty = true;
  while (until_empty) {
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      return EndWithErrno(errno, "lost the connection to");
    }
    if (got == 0) {
      return End(ConnectOutcome::kReset,
                 fmt::format("{} closed the connection", target_->endpoint.ToString()));
    }
    bytes_->received += static_cast<uint64_t>(got);
    until_empty = until_end || static_cast<size_t>(got) == buffer.size();
    const auto state = session_.Receive({buffer.data(), static_cast<size_t>(got)});
    if (phases_.authenticated_ns == 0 && session_.authenticated()) {
      phases_.authenticated_ns = MonotonicNow();
      phases_.connection_id = session_.connection_id();
    }
    if (state == ClientSession::State::kClosed) return EndWithSession();
  }
  if (state_ == State::kStarting && session_.state() == ClientSession::State::kIdle) {
    state_ = State::kOpen;
    phases_.ready_ns = MonotonicNow();
    // The listen queue can also drop the last step of the handshake: then the startup packet is
    // what is sent again.
    if (phases_.ready_ns - phases_.connect_end_ns > kFirstDataRetryNs) CountRetries();
    phases_.connection_id = session_.connection_id();
    phases_.outcome = ConnectOutcome::kOk;
    return Event::kReady;
  }
  if (was_busy && session_.state() == ClientSession::State::kIdle) return Event::kCommandDone;
  // The session may have had to answer (CopyFail).
  return session_.output().empty() ? Event::kNothing : Flush();
}

void Connection::Close(MonotonicNs now) {
  if (fd_ < 0) return;
  if (state_ == State::kOpen || state_ == State::kStarting) {
    session_.Terminate();
    const std::string& output = session_.output();
    // Best effort: the server sees the end of file in any case. MSG_MORE: on TCP the message leaves
    // in the segment that ends the connection, which close() sends.
    const ssize_t sent = send(fd_, output.data() + sent_, output.size() - sent_,
                              MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
    if (sent > 0) bytes_->sent += static_cast<uint64_t>(sent);
  }
  phases_.ended_ns = now;
  CloseSocket();
}

}  // namespace connbench::load
