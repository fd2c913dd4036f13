// A server that misbehaves on purpose.
#include "harness/load/testing/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "protocol/codec.h"
#include "protocol/messages.h"

namespace connbench::load {
namespace {

using protocol::MessageWriter;

constexpr int kPollMs = 5;
constexpr int kPausePollUs = 200;

void Send(int fd, std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) break;
    sent += static_cast<size_t>(count);
  }
  bytes.clear();
}

void AppendFatal(std::string& out, std::string_view code, std::string_view message) {
  ErrorInfo error;
  error.code = code;
  error.message = message;
  protocol::AppendErrorResponse(out, "FATAL", error);
}

void AppendRow(std::string& out) {
  MessageWriter description(out, protocol::backend::kRowDescription);
  description.Int16(1).String("x").Int32(0).Int16(0).Int32(23).Int16(4).Int32(-1).Int16(0).Finish();
  MessageWriter row(out, protocol::backend::kDataRow);
  row.Int16(1).Value("1").Finish();
  MessageWriter tag(out, protocol::backend::kCommandComplete);
  tag.String("SELECT 1").Finish();
}

void ResetOnClose(int fd) {
  const linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

}  // namespace

FakeServer::FakeServer(std::vector<Behaviour> behaviours, bool unix_socket)
    : FakeServer(std::move(behaviours), unix_socket, Queue()) {}

FakeServer::FakeServer(std::vector<Behaviour> behaviours, bool unix_socket, Queue queue)
    : behaviours_(std::move(behaviours)), hold_(queue.hold), received_(256) {
  endpoint_.user = "tester";
  if (unix_socket) {
    char name[] = "/tmp/connbench_fake_XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    endpoint_.host = folder_;
    endpoint_.port = 5432;
    listen_fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, endpoint_.ToString().c_str(), sizeof(address.sun_path) - 1);
    if (bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error("bind");
    }
  } else {
    listen_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    if (bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), length) != 0) {
      throw std::runtime_error("bind");
    }
    getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &length);
    endpoint_.port = ntohs(address.sin_port);
  }
  if (listen(listen_fd_, queue.backlog) != 0) throw std::runtime_error("listen");
  acceptor_ = std::thread([this] { AcceptLoop(); });
}

FakeServer::~FakeServer() {
  stop_ = true;
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listen_fd_);
  if (!folder_.empty()) {
    unlink(endpoint_.ToString().c_str());
    rmdir(folder_.c_str());
  }
}

int FakeServer::Received(char type) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return received_[static_cast<unsigned char>(type)];
}

std::vector<FakeServer::ServedQuery> FakeServer::served() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return served_;
}

int FakeServer::waiting_to_be_accepted() const {
  // Of a listening socket the kernel tells the length of the queue in this field.
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (getsockopt(listen_fd_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  return static_cast<int>(info.tcpi_unacked);
}

void FakeServer::WaitUntilClosed() const {
  while (ended_ < accepted_) usleep(1000);
}

void FakeServer::AcceptLoop() {
  while (!stop_) {
    if (hold_) {
      usleep(kPollMs * 1000);
      continue;
    }
    pollfd waiting = {listen_fd_, POLLIN, 0};
    if (poll(&waiting, 1, kPollMs) <= 0) continue;
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const auto number = static_cast<uint32_t>(++accepted_);
    const Behaviour behaviour = behaviours_[std::min<size_t>(number - 1, behaviours_.size() - 1)];
    threads_.emplace_back([this, fd, behaviour, number] {
      Serve(fd, behaviour, number);
      close(fd);
      ++ended_;
    });
  }
}

// False at the end of the connection, also if it is dropped meanwhile.
bool FakeServer::ReadMore(int fd, std::string& input, int drops_at_accept) const {
  while (!stop_) {
    if (drops_ != drops_at_accept) {
      ResetOnClose(fd);
      return false;
    }
    pollfd waiting = {fd, POLLIN, 0};
    if (poll(&waiting, 1, kPollMs) <= 0) continue;
    char buffer[4096];
    const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    input.append(buffer, static_cast<size_t>(got));
    return true;
  }
  return false;
}

void FakeServer::Serve(int fd, Behaviour behaviour, uint32_t number) {
  const int drops = drops_;
  std::string input;
  std::string output;
  if (behaviour == Behaviour::kClose) return;
  // The startup packet: a length, then the rest.
  while (input.size() < 4 || input.size() < protocol::LoadUint32(input.data())) {
    if (!ReadMore(fd, input, drops)) return;
  }
  input.erase(0, protocol::LoadUint32(input.data()));
  switch (behaviour) {
    case Behaviour::kSilent:
      while (ReadMore(fd, input, drops)) {
      }
      return;
    case Behaviour::kReset:
      ResetOnClose(fd);
      return;
    case Behaviour::kGarbage:
      output = "HTTP/1.1 400 Bad Request\r\n\r\n";
      Send(fd, output);
      return;
    case Behaviour::kTooMany:
      AppendFatal(output, sqlstate::kTooManyConnections, "sorry, too many clients already");
      Send(fd, output);
      return;
    case Behaviour::kNotYet:
      AppendFatal(output, sqlstate::kCannotConnectNow, "the database system is starting up");
      Send(fd, output);
      return;
    case Behaviour::kBadPassword:
      AppendFatal(output, sqlstate::kInvalidPassword, "password authentication failed");
      Send(fd, output);
      return;
    case Behaviour::kInternal:
      AppendFatal(output, sqlstate::kInternalError, "out of luck");
      Send(fd, output);
      return;
    case Behaviour::kWantsPassword:
      MessageWriter(output, protocol::backend::kAuthentication).Int32(3).Finish();
      Send(fd, output);
      while (ReadMore(fd, input, drops)) {
      }
      return;
    default:
      break;
  }
  protocol::AppendAuthenticationOk(output);
  protocol::AppendParameterStatus(output, "server_version", "15.0 (fake)");
  protocol::AppendBackendKeyData(output, number, 4711);
  auto status = engine::TransactionStatus::kIdle;
  protocol::AppendReadyForQuery(output, status);
  Send(fd, output);
  bool failed = false;  // until Sync
  while (true) {
    std::string_view rest = input;
    protocol::Message message;
    constexpr size_t kMaxBytes = 1 << 20;
    while (NextMessage(rest, kMaxBytes, message) == protocol::FrameResult::kMessage) {
      const MonotonicNs asked = MonotonicNow();
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++received_[static_cast<unsigned char>(message.type)];
      }
      const bool query = message.type == protocol::frontend::kQuery;
      const bool execute = message.type == protocol::frontend::kExecute;
      if (message.type == protocol::frontend::kTerminate) return;
      if ((query || execute) && behaviour == Behaviour::kDiesInQuery) return;
      if ((query || execute) && behaviour == Behaviour::kHangsInQuery) continue;
      if ((query || execute) && behaviour == Behaviour::kServeSlowly) usleep(20'000);
      while (paused_ && !stop_) usleep(kPausePollUs);
      if (message.type == protocol::frontend::kSync) {
        failed = false;
        protocol::AppendReadyForQuery(output, status);
      } else if (failed) {
        continue;
      } else if (message.type == protocol::frontend::kParse) {
        protocol::AppendEmptyMessage(output, protocol::backend::kParseComplete);
      } else if (message.type == protocol::frontend::kBind) {
        protocol::AppendEmptyMessage(output, protocol::backend::kBindComplete);
      } else if (query || execute) {
        const bool begins = message.body.find("BEGIN") != std::string_view::npos;
        const bool ends = message.body.find("ROLLBACK") != std::string_view::npos ||
                          message.body.find("END") != std::string_view::npos;
        const bool conflict = behaviour == Behaviour::kConflict &&
                              status == engine::TransactionStatus::kInTransaction && !ends;
        if (conflict || message.body.find("fail") != std::string_view::npos) {
          ErrorInfo error;
          error.code = conflict ? std::string(sqlstate::kSerializationFailure)
                                : std::string(sqlstate::kDivisionByZero);
          error.message = "it failed";
          protocol::AppendErrorResponse(output, "ERROR", error);
          failed = execute;
          if (conflict) status = engine::TransactionStatus::kFailed;
        } else if (message.body.find("nonsense") != std::string_view::npos) {
          ErrorInfo error;
          error.code = sqlstate::kSyntaxError;
          error.message = "syntax error";
          protocol::AppendErrorResponse(output, "ERROR", error);
        } else {
          if (begins) status = engine::TransactionStatus::kInTransaction;
          if (ends) status = engine::TransactionStatus::kIdle;
          AppendRow(output);
        }
        if (query) protocol::AppendReadyForQuery(output, status);
        const std::lock_guard<std::mutex> lock(mutex_);
        served_.push_back({asked, MonotonicNow()});
      }
    }
    input.erase(0, input.size() - rest.size());
    Send(fd, output);
    if (!ReadMore(fd, input, drops)) return;
  }
}

}  // namespace connbench::load
