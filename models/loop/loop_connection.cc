// A client's connection on an event loop.
#include "models/loop/loop_connection.h"

#include <new>
#include <utility>

#include "base/assert.h"
#include "engine/segment/held_latches.h"
#include "models/model.h"

namespace connbench::models {
namespace {

// Receive buffers that one session may fill in a row before others have their turn.
constexpr int kBuffersInARow = 4;

}  // namespace

LoopConnection::LoopConnection(EventLoop& loop, engine::Engine& engine,
                               const AcceptedConnection& accepted, protocol::RelayHost* relays)
    : loop_(loop),
      engine_(engine),
      connection_id_(accepted.connection_id),
      session_(std::make_unique<protocol::ServerSession>(engine, *this, *this, connection_id_,
                                                         accepted.Origin(), relays)) {
  loop_.CountClient(1);
}

LoopConnection::~LoopConnection() {
  if (socket_ != nullptr) Close();
  loop_.CountClient(-1);
}

Status LoopConnection::Open(int fd) {
  CONNBENCH_ASSIGN_OR_RETURN(socket_, loop_.OpenSocket(*this, fd));
  return {};
}

LoopTask::Outcome LoopConnection::Serve(EventLoop& /*loop*/, std::span<char> buffer) {
  if (!started_) {
    started_ = true;
    engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kStarted,
                                   MonotonicNow());
  }
  for (int i = 0; i < kBuffersInARow; ++i) {
    protocol::Want want = protocol::Want::kClose;
    size_t count = 0;
    if (stopping_) {
      (void)session_->CheckTermination();  // the session tells the client
    } else {
      switch (socket_->Receive(buffer, count)) {
        case LoopSocket::Received::kBytes:
          want = session_->Receive({buffer.data(), count});
          break;
        case LoopSocket::Received::kNothing:
          // Somebody else may have asked for the session's end.
          want = MonotonicNow() < session_->InputDeadline() ? session_->CheckTermination()
                                                            : session_->InputDeadlinePassed();
          break;
        case LoopSocket::Received::kEnded:
          break;
      }
    }
    if (!Answer(want)) {
      Close();
      return Outcome::kDone;
    }
    if (count < buffer.size()) {
      socket_->AwaitInput();
      return Outcome::kIdle;
    }
  }
  return Outcome::kAgain;
}

bool LoopConnection::Answer(protocol::Want want) {
  if (!session_->output().empty()) {
    const Status sent = socket_->Send(session_->output());
    session_->ClearOutput();
    if (!sent.ok()) return false;
  }
  if (want == protocol::Want::kInput) return true;
  (void)socket_->Drain();
  return false;
}

engine::WaitResult LoopConnection::Wait(engine::Wakeup& wakeup, uint32_t expected,
                                        MonotonicNs deadline, engine::WaitReason /*reason*/) {
  CONNBENCH_ASSERT(engine::HeldLatchCount() == 0, "no latch is held while a session waits");
  return loop_.WaitFor(wakeup, expected, deadline);
}

void LoopConnection::Close() {
  session_.reset();
  engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kClosed, MonotonicNow());
  socket_.reset();
}

Status LoopAcceptor::AddTo(EventLoop& loop, engine::Engine& engine, const Listener& listener,
                           protocol::RelayHost* relays, bool takes_turns) {
  auto acceptor = std::make_unique<LoopAcceptor>(engine, relays, takes_turns);
  CONNBENCH_ASSIGN_OR_RETURN(acceptor->listener_, loop.OpenListener(*acceptor, listener));
  loop.Adopt(std::move(acceptor));
  return {};
}

LoopTask::Outcome LoopAcceptor::Serve(EventLoop& loop, std::span<char> /*buffer*/) {
  if (stopping_) return Outcome::kDone;
  paused_until_ = kNoDeadline;
  for (int i = 0; i < kAcceptBatch; ++i) {
    if (!HasRoomForClient(loop, engine_)) {
      paused_until_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
      return Outcome::kIdle;
    }
    AcceptedConnection accepted;
    switch (listener_->Accept(engine_.connection_log(), accepted)) {
      case Listener::AcceptResult::kAccepted:
        engine_.connection_log().Stamp(accepted.connection_id, engine::ConnectionPhase::kDispatched,
                                       MonotonicNow());
        AddConnection(loop, engine_, accepted, relays_);
        break;
      case Listener::AcceptResult::kNone:
        if (takes_turns_ && i > 0) listener_->GoToTheEnd();
        return Outcome::kIdle;
      case Listener::AcceptResult::kExhausted:
        paused_until_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
        return Outcome::kIdle;
    }
  }
  return Outcome::kAgain;
}

bool HasRoomForClient(const EventLoop& loop, engine::Engine& engine) {
  if (loop.clients() < MostClients(engine.config().max_connections)) return true;
  engine.connection_log().admission().WantRoom(MonotonicNow());
  return false;
}

void AddConnection(EventLoop& loop, engine::Engine& engine, const AcceptedConnection& accepted,
                   protocol::RelayHost* relays) {
  std::unique_ptr<LoopConnection> connection;
  Status opened;
  try {
    connection = std::make_unique<LoopConnection>(loop, engine, accepted, relays);
    opened = connection->Open(accepted.fd);
  } catch (const std::bad_alloc&) {
    connection.reset();
    RefuseWithoutMemory(engine.connection_log(), accepted);
    return;
  }
  if (opened.ok()) {
    try {
      loop.Adopt(std::move(connection));
    } catch (const std::bad_alloc&) {
      // It has closed the socket with the connection.
    }
    return;
  }
  connection.reset();
  RefuseConnection(engine.connection_log(), accepted,
                   Status::Fatal(sqlstate::kTooManyConnections,
                                 "could not watch the connection: " + opened.error().message));
}

}  // namespace connbench::models
