// For tests: a client that sends what it is given and shows what comes, message by message; for
// what TestClient, which is one of the well-behaved, would not do.
//
// Safety: one thread. Everything it waits for has a bound of some seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/messages.h"

namespace connbench::models::testing {

class RawClient {
 public:
  // Connects to a Unix socket.
  explicit RawClient(const std::string& path);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Startup, up to ReadyForQuery.
  bool Start(std::string_view user = "somebody", std::vector<protocol::NameValue> parameters = {});
  // Reads meanwhile what comes, so that neither side waits for the other.
  void Send(std::string_view bytes);
  void EndSending();
  // The types of the messages that come, up to and with the first of this one; ends early when the
  // connection does, or when nothing comes.
  std::string Until(char type);
  // The same up to the end of the connection. False: it did not end, or in the middle of a message.
  bool UntilClosed();

  // A request to cancel what this client has asked for; another connection sends it, and nothing
  // else.
  std::string CancelRequest() const;

  // What came behind the last whole message.
  const std::string& unread() const { return received_; }
  bool closed() const { return closed_; }

  // Of the last Until(): the first column of its first DataRow, the code and the text of its first
  // error.
  const std::string& first_value() const { return first_value_; }
  const std::string& error_code() const { return error_code_; }
  const std::string& error_message() const { return error_message_; }

 private:
  bool ReceiveSome(int patience_ms);
  // The next whole message's type; 0: none is there.
  char Take();
  void Note(const protocol::Message& message);

  int fd_ = -1;
  bool closed_ = false;
  uint32_t connection_id_ = 0;
  uint32_t cancel_key_ = 0;
  std::string received_;
  std::string first_value_;
  std::string error_code_;
  std::string error_message_;
};

// Messages, to be put together.
std::string Query(std::string_view sql);
std::string Parse(std::string_view statement, std::string_view sql);
std::string Bind(std::string_view portal, std::string_view statement, std::string_view parameter);
std::string Bind(std::string_view portal, std::string_view statement);
std::string DescribeStatement(std::string_view statement);
std::string Execute(std::string_view portal);
std::string CloseStatement(std::string_view statement);
std::string Sync();

}  // namespace connbench::models::testing
