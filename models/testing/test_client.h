// For tests: a client that blocks, with patience, over protocol::ClientSession; and raw bytes for
// what no honest client would send.
//
// Safety: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/client_session.h"

namespace connbench::models::testing {

class TestClient : private protocol::ClientRowSink {
 public:
  using State = protocol::ClientSession::State;

  // Connects to 127.0.0.1, without a word yet. connected() says whether that worked.
  explicit TestClient(int port);
  // Connects to a Unix socket.
  explicit TestClient(const std::string& path);
  ~TestClient() override;
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // Startup; true when the session is ready for queries. Otherwise error() says why.
  bool Start(std::string_view user = "somebody");
  void SendStartup(std::string_view user = "somebody");
  // Sends a query, without waiting for its answer.
  void SendQuery(std::string_view sql);
  // Until the session is idle or closed: true if it is idle and the query did not fail.
  bool Finish();
  bool Query(std::string_view sql) {
    SendQuery(sql);
    return Finish();
  }
  // Values of the last query's rows, one string per row, columns separated by '|'.
  const std::vector<std::string>& rows() const { return rows_; }

  // SQLSTATE of the last error ("" if there was none).
  const std::string& error_code() const { return session_.error().code; }
  const std::string& error_message() const { return session_.error().message; }
  protocol::ClientSession& session() { return session_; }

  void SendRaw(std::string_view bytes);
  // Reads until the server closes; false if it does not. What came goes through the session.
  bool WaitForClose();
  // Closes the socket so that the server sees a reset instead of an end.
  void Reset();
  void Close();

 private:
  void Columns(std::span<const std::string_view> names) override;
  void Row(std::span<const WireValue> values) override;
  void Tag(std::string_view tag) override;

  void SendOutput();
  // False: closed by the server, or out of patience (timed_out_).
  bool ReceiveSome();

  int fd_ = -1;
  bool timed_out_ = false;
  bool raw_ = false;  // bytes outside the protocol were sent: do not interpret answers
  protocol::ClientSession session_;
  std::vector<std::string> rows_;
};

// Sends a CancelRequest on a connection of its own and waits for its end.
bool SendCancel(int port, uint32_t connection_id, uint32_t cancel_key);

}  // namespace connbench::models::testing
