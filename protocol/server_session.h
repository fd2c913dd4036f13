// The server's side of one PostgreSQL connection (protocol 3.0) without any I/O: received bytes go
// in, bytes to send come out. It owns no socket and starts no thread; a connection model moves the
// bytes and decides which thread runs it.
//
// Encryption is the session's own business, too: where the client asks for TLS and the server has a
// certificate, what goes in and comes out is wire bytes all the same. A connection without TLS pays
// for none of it.
//
// A model's loop:
//   ServerSession session(engine, waiter, channel, connection_id, peer);
//   while (true) {
//     read with a timeout at session.InputDeadline();
//     want = timed out ? session.InputDeadlinePassed() : session.Receive(bytes);
//     send session.output(), then session.ClearOutput();
//     if (want == kClose) break;
//   }
//
// Safety: private memory of one process; used by one thread at a time; may move between threads at
// any return of Receive() (call SetWaiter first if the other thread waits otherwise).
//
// Places: a client that has not proved who it is gives way when others want its place; see
// InputDeadline() and engine/segment/admission.h.
// Memory: when it runs out the message fails with 53200, as any statement does, and the session
// lives. It ends if there is not even memory to say so, before it has started, and on an encrypted
// connection.
//
// Errors: a malformed message, a hostile length or a broken state ends the connection with a FATAL
// ErrorResponse in output() and kClose; it never throws and never reads past what it was given.
// Limits: see protocol/limits.h (message length before and after authentication).
//
// Source: PostgreSQL 15 documentation, chapter 55 "Frontend/Backend Protocol".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "engine/engine.h"
#include "engine/session.h"
#include "protocol/server_security.h"

namespace connbench::protocol {

// How a session gets rid of output in the middle of a long answer. Implemented by the model.
class OutputChannel {
 public:
  virtual ~OutputChannel() = default;
  // Sends all bytes, blocking as the model blocks, and clears the buffer. An error means that the
  // client is gone: the statement is ended.
  virtual Status Flush(std::string& bytes) = 0;
  // Sends what the client takes and leaves the rest in bytes. Blocks only while more than keep are
  // left, and gives the client up when it takes nothing for patience_ns (0: never). A channel that
  // does not know better sends everything.
  virtual Status FlushDownTo(std::string& bytes, size_t /*keep*/, int64_t /*patience_ns*/) {
    return Flush(bytes);
  }
};

class RelayHost;

// Who is at the other end.
enum class Counterpart : uint8_t {
  kClient,
  kPooler,  // also sends and understands protocol/pool_messages.h
};

enum class Want : uint8_t {
  kInput,  // send output(), then wait for more input until InputDeadline()
  kClose,  // send output(), then close the socket
};

class ServerSession {
 public:
  // engine, waiter, channel and relays must outlive the session. connection_id is from
  // engine.connection_log().Begin(), which the session stamps kAuthBegin, kAuthEnd and kReady; the
  // model stamps the rest. authentication_timeout (a setting of the engine) counts from here.
  // relays: who runs what the client says; null: a session of the engine.
  ServerSession(engine::Engine& engine, engine::Waiter& waiter, OutputChannel& channel,
                uint32_t connection_id, ClientOrigin origin, RelayHost* relays = nullptr,
                Counterpart counterpart = Counterpart::kClient);
  ~ServerSession();  // rolls back what is open
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // Takes what was received (any split is fine) and runs every complete message in it. The bytes
  // need to live only for the call: an incomplete tail is copied.
  Want Receive(std::string_view bytes);

  // When the model must call InputDeadlinePassed() if nothing was received until then:
  // authentication_timeout, idle_in_transaction_session_timeout, idle_session_timeout; before that,
  // when to see whether others want the place of a client that has not authenticated, and when to
  // tell one that its password is wrong.
  MonotonicNs InputDeadline() const;
  Want InputDeadlinePassed();
  // The model noticed engine::Engine::ShutdownRequested, or was rung while idle: ends the session
  // with 57P01 if that was asked for (also before authentication), otherwise returns kInput.
  // Receive() looks for itself before it runs anything.
  Want CheckTermination();
  // Whether the session was asked to end (pg_terminate_backend, shutdown) and has not been told
  // yet.
  bool termination_pending() const;

  std::string& output() { return output_; }
  // Empties output(), giving back a buffer that one large answer has blown up.
  void ClearOutput();

  void SetWaiter(engine::Waiter& waiter);
  // Where the session stands: a pool serves sessions inside a transaction first. kIdle before the
  // session is ready.
  engine::TransactionStatus transaction_status() const;
  bool authenticated() const;
  // A message has begun but is not complete, an extended-protocol batch awaits its Sync, or a COPY
  // its data.
  bool mid_message() const;
  // For a model that knows which sessions it will serve next: asks for the memory that Receive()
  // will touch first, so that it comes while another session is served. Behind many connections it
  // is in no near cache any more. turns: how many are served before this one; to be called with 2
  // and then with 1, because what one call fetches tells the next where to go on. Changes nothing;
  // not while the session is being used.
  void Prefetch(int turns) const;
  // Private heap bytes held for buffers, without the engine's session: what an idle one costs.
  size_t retained_bytes() const;

 private:
  class Impl;
  std::string output_;  // wire bytes
  std::unique_ptr<Impl> impl_;
};

}  // namespace connbench::protocol
