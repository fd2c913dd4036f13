// A client that sends what it is given and shows what comes, message by message.
#include "models/testing/raw_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace connbench::models::testing {
namespace {

constexpr int kRawPatienceMs = 10'000;
constexpr size_t kMaxMessageBytes = 1 << 24;

}  // namespace

RawClient::RawClient(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return;
  std::copy(path.begin(), path.end(), address.sun_path);
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ >= 0 && connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(fd_);
    fd_ = -1;
  }
  closed_ = fd_ < 0;
}

RawClient::~RawClient() {
  if (fd_ >= 0) close(fd_);
}

bool RawClient::Start(std::string_view user, std::vector<protocol::NameValue> parameters) {
  if (fd_ < 0) return false;
  parameters.insert(parameters.begin(), {{"user", user}, {"database", "test"}});
  std::string startup;
  protocol::AppendStartup(startup, parameters);
  Send(startup);
  return Until(protocol::backend::kReadyForQuery).ends_with(protocol::backend::kReadyForQuery);
}

void RawClient::Send(std::string_view bytes) {
  while (!bytes.empty() && !closed_) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return;  // what it said last can be read
    pollfd either = {fd_, POLLIN | POLLOUT, 0};
    if (poll(&either, 1, kRawPatienceMs) <= 0) return;
    if ((either.revents & POLLIN) != 0 && !ReceiveSome(0)) return;
  }
}

void RawClient::EndSending() { shutdown(fd_, SHUT_WR); }

bool RawClient::ReceiveSome(int patience_ms) {
  pollfd readable = {fd_, POLLIN, 0};
  if (closed_ || poll(&readable, 1, patience_ms) <= 0) return false;
  std::array<char, 16384> buffer;
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  closed_ = got <= 0;
  if (got > 0) received_.append(buffer.data(), static_cast<size_t>(got));
  return got > 0;
}

char RawClient::Take() {
  std::string_view input(received_);
  protocol::Message message;
  if (protocol::NextMessage(input, kMaxMessageBytes, message) != protocol::FrameResult::kMessage) {
    return 0;
  }
  Note(message);
  const char type = message.type;
  received_.erase(0, received_.size() - input.size());
  return type;
}

std::string RawClient::CancelRequest() const {
  std::string request;
  protocol::AppendCancelRequest(request, connection_id_, cancel_key_);
  return request;
}

void RawClient::Note(const protocol::Message& message) {
  if (message.type == protocol::backend::kBackendKeyData) {
    protocol::ReadBackendKeyData(message.body, connection_id_, cancel_key_);
  }
  if (message.type == protocol::backend::kErrorResponse && error_code_.empty()) {
    protocol::ErrorFields fields;
    if (protocol::ReadErrorFields(message.body, fields)) {
      error_code_ = fields.code;
      error_message_ = fields.message;
    }
  }
  if (message.type != protocol::backend::kDataRow || !first_value_.empty()) return;
  protocol::MessageReader reader(message.body);
  if (reader.Int16() < 1) return;
  const int32_t length = reader.Int32();
  if (length > 0) first_value_ = reader.Rest().substr(0, static_cast<size_t>(length));
}

std::string RawClient::Until(char type) {
  first_value_.clear();
  error_code_.clear();
  error_message_.clear();
  std::string types;
  while (true) {
    while (const char taken = Take()) {
      types.push_back(taken);
      if (taken == type) return types;
    }
    if (!ReceiveSome(kRawPatienceMs)) return types;
  }
}

bool RawClient::UntilClosed() {
  (void)Until('\0');
  return closed_ && received_.empty();
}

std::string Query(std::string_view sql) {
  std::string bytes;
  protocol::AppendQuery(bytes, sql);
  return bytes;
}

std::string Parse(std::string_view statement, std::string_view sql) {
  std::string bytes;
  protocol::AppendParse(bytes, statement, sql);
  return bytes;
}

std::string Bind(std::string_view portal, std::string_view statement, std::string_view parameter) {
  const WireValue value = {parameter.data(), static_cast<int32_t>(parameter.size())};
  std::string bytes;
  protocol::AppendBind(bytes, portal, statement, {&value, 1});
  return bytes;
}

std::string Bind(std::string_view portal, std::string_view statement) {
  std::string bytes;
  protocol::AppendBind(bytes, portal, statement, {});
  return bytes;
}

std::string DescribeStatement(std::string_view statement) {
  std::string bytes;
  protocol::AppendDescribeStatement(bytes, statement);
  return bytes;
}

std::string Execute(std::string_view portal) {
  std::string bytes;
  protocol::AppendExecute(bytes, portal);
  return bytes;
}

std::string CloseStatement(std::string_view statement) {
  std::string bytes;
  protocol::AppendCloseStatement(bytes, statement);
  return bytes;
}

std::string Sync() {
  std::string bytes;
  protocol::AppendSync(bytes);
  return bytes;
}

}  // namespace connbench::models::testing
