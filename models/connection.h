// Serving one connection on a thread of control of its own: the blocking loop that `fork` and
// `thread` share, and the one way in which every model sends.
//
// Safety: ServeConnection runs on the thread that owns the connection. ConnectionStop may be
// requested by any thread, or by a signal handler, of the same process.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/engine.h"
#include "models/listener.h"
#include "protocol/server_session.h"

namespace connbench::models {

// What is received by one call. A thread's stack holds it: large enough for a batch of prepared
// statements, and pages that no message fills are never touched.
inline constexpr size_t kReceiveBufferBytes = 16 << 10;

// Asks the thread that serves a connection to end it, wherever it is blocked. The receiving side of
// the socket is shut down, so that a recv() or poll() in progress, or the next one, returns: no
// signal can come between a look at the flag and the sleep.
class ConnectionStop {
 public:
  // connection_id: whose socket it is; 0 if several connections use it one after the other.
  explicit ConnectionStop(int fd, uint32_t connection_id = 0)
      : fd_(fd), connection_id_(connection_id) {}
  explicit ConnectionStop(const AcceptedConnection& connection)
      : ConnectionStop(connection.fd, connection.connection_id) {}
  // Async-signal-safe. The socket must still be open.
  void Request();
  bool requested() const { return requested_.load(std::memory_order_acquire); }
  int fd() const { return fd_; }
  uint32_t connection_id() const { return connection_id_; }

  // Part of a message may be out: nothing else may be written now. For signal handlers.
  void set_sending(bool sending) { sending_.store(sending, std::memory_order_relaxed); }
  bool sending() const { return sending_.load(std::memory_order_relaxed); }

 private:
  const int fd_;
  const uint32_t connection_id_;
  std::atomic<bool> requested_{false};
  std::atomic<bool> sending_{false};
};
static_assert(std::atomic<bool>::is_always_lock_free);

enum class SendResult : uint8_t { kSent, kWouldBlock, kGone };
// Sends what the socket takes without blocking and drops it from bytes.
SendResult SendSome(int fd, std::string_view& bytes);
// Blocks until the socket takes more. False: the stop was requested first.
bool WaitWritable(const ConnectionStop& stop);
// 08006, for a client that is gone or that will not read what it asked for.
Status ClientGone();

// Sends from a thread that may block.
class BlockingChannel : public protocol::OutputChannel {
 public:
  explicit BlockingChannel(ConnectionStop& stop) : stop_(stop) {}
  Status Flush(std::string& bytes) override;
  Status Send(std::string_view bytes);

 private:
  ConnectionStop& stop_;
};

// Stamps kStarted, runs the session until either side ends it, and stamps kClosed. The socket stays
// open: its owner closes it, once nobody can request a stop any more. True: the session ended, but
// the other side has not closed the socket.
// somebody_waits: asked while the client is silent and has not proved who he is, by a model whose
// processes accept for themselves: whether another client waits and nobody else takes him.
bool ServeConnection(engine::Engine& engine, const AcceptedConnection& connection,
                     ConnectionStop& stop,
                     protocol::Counterpart counterpart = protocol::Counterpart::kClient,
                     const std::function<bool()>& somebody_waits = {});

}  // namespace connbench::models
