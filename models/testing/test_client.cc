// A client that blocks, with patience, over protocol::ClientSession.
#include "models/testing/test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "models/testing/test_server.h"
#include "protocol/messages.h"

namespace connbench::models::testing {

TestClient::TestClient(int port) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Close();
}

TestClient::TestClient(const std::string& path) {
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Close();
}

TestClient::~TestClient() { Close(); }

void TestClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void TestClient::Reset() {
  const linger now = {1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  Close();
}

void TestClient::SendRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server has closed: the test will see that when it reads
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void TestClient::SendOutput() {
  SendRaw(session_.output());
  session_.output().clear();
}

bool TestClient::ReceiveSome() {
  pollfd readable = {fd_, POLLIN, 0};
  if (poll(&readable, 1, kPatienceMs) <= 0) {
    timed_out_ = true;
    return false;
  }
  std::array<char, 16384> buffer;
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  if (!raw_) session_.Receive({buffer.data(), static_cast<size_t>(got)});
  return true;
}

void TestClient::SendStartup(std::string_view user) {
  session_.Start({.user = user, .database = "test", .application_name = "test"});
  SendOutput();
}

bool TestClient::Start(std::string_view user) {
  if (fd_ < 0) return false;
  SendStartup(user);
  return Finish();
}

void TestClient::SendQuery(std::string_view sql) {
  rows_.clear();
  session_.set_sink(this);
  session_.Query(sql);
  SendOutput();
}

bool TestClient::Finish() {
  while (session_.state() != State::kIdle && session_.state() != State::kClosed) {
    if (!ReceiveSome()) return false;
  }
  return session_.state() == State::kIdle && !session_.command().failed;
}

bool TestClient::WaitForClose() {
  raw_ = raw_ || session_.state() == State::kNew;
  while (ReceiveSome()) {
  }
  return !timed_out_;
}

void TestClient::Columns(std::span<const std::string_view> /*names*/) {}
void TestClient::Tag(std::string_view /*tag*/) {}

void TestClient::Row(std::span<const WireValue> values) {
  std::string row;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) row += '|';
    if (!values[i].is_null()) row.append(values[i].data, static_cast<size_t>(values[i].length));
  }
  rows_.push_back(std::move(row));
}

bool SendCancel(int port, uint32_t connection_id, uint32_t cancel_key) {
  TestClient client(port);
  if (!client.connected()) return false;
  std::string request;
  protocol::AppendCancelRequest(request, connection_id, cancel_key);
  client.SendRaw(request);
  return client.WaitForClose();
}

}  // namespace connbench::models::testing
