// One client connection: a non-blocking socket and the protocol session on it, with a stamp for
// every phase of its life. It never blocks and never waits: its owner's epoll loop tells it what
// happened, and it answers what that meant.
//
// Safety: used by the one thread whose epoll set it is in. Errors: an attempt to connect ends in
// exactly one ConnectOutcome; a connection that breaks later says why in end_reason().
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "harness/load/endpoint.h"
#include "harness/load/load_result.h"
#include "harness/load/outcome.h"
#include "protocol/client_session.h"

namespace connbench::load {

// What all connections of a run share.
struct ConnectTarget {
  SocketAddress address;
  std::vector<SocketAddress> sources;  // to connect from, in turn; empty: the kernel chooses
  Endpoint endpoint;
  std::shared_ptr<protocol::ClientSecurity> security;  // null: trust, in clear
};

struct TrafficBytes {
  uint64_t sent = 0;
  uint64_t received = 0;
};

class Connection {
 public:
  enum class State : uint8_t {
    kNone,        // no socket
    kPrepared,    // socket made, connect() not called
    kConnecting,  // connect() called
    kStarting,    // established, not yet ready
    kOpen,        // has been ready for queries
  };
  enum class Event : uint8_t {
    kNothing,
    kReady,        // authenticated, and ready for its first command
    kCommandDone,  // the command in flight has ended; see session().command()
    kEnded,        // it is closed: outcome() if it never was ready, else end_reason()
  };

  explicit Connection(TrafficBytes& bytes) : bytes_(&bytes) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Makes the startup packet and the socket, and puts that into the epoll set with this tag. kEnded
  // if that is not possible.
  Event Prepare(const ConnectTarget& target, uint32_t client, int epoll_fd, uint64_t tag);
  // Calls connect(); if the kernel has the connection at once, also sends the startup packet.
  Event Connect(MonotonicNs now);
  // What epoll reported. buffer is scratch for reading.
  Event HandleEvents(uint32_t events, std::span<char> buffer);
  // Sends what the session has appended to its output.
  Event Flush();
  // The same in two steps, for one who sends for many connections together: what is to be sent on
  // fd(), and what came of it (bytes taken, or -errno). What is left goes the way of Flush.
  int fd() const { return fd_; }
  std::string_view unsent() { return std::string_view(session_.output()).substr(sent_); }
  Event Sent(int result);
  // Closes it: politely if it was open. The connection can be prepared again.
  void Close(MonotonicNs now);
  // Gives up an attempt that was not ready yet.
  Event Abandon(ConnectOutcome outcome, std::string reason);

  State state() const { return state_; }
  protocol::ClientSession& session() { return session_; }
  const protocol::ClientSession& session() const { return session_; }
  const ConnectionPhases& phases() const { return phases_; }
  ConnectionPhases& phases() { return phases_; }
  ConnectOutcome outcome() const { return phases_.outcome; }
  const std::string& end_reason() const { return end_reason_; }
  // SQLSTATE that the server ended it with; empty if it gave none.
  const std::string& end_sqlstate() const { return end_sqlstate_; }

 private:
  Event Established(MonotonicNs at);
  void CountRetries();
  Event Read(std::span<char> buffer, bool until_end);
  Event EndWithErrno(int error, const char* what);
  Event EndWithSession();
  Event End(ConnectOutcome outcome, std::string reason);
  bool WantWritable(bool want);
  void CloseSocket();

  TrafficBytes* bytes_;
  const ConnectTarget* target_ = nullptr;
  int fd_ = -1;
  int epoll_fd_ = -1;
  uint64_t tag_ = 0;
  State state_ = State::kNone;
  bool watches_writable_ = false;
  size_t sent_ = 0;  // of session_.output()
  protocol::ClientSession session_;
  ConnectionPhases phases_;
  std::string end_reason_;
  std::string end_sqlstate_;
};

}  // namespace connbench::load
