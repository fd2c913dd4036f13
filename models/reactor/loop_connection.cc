#include "models/reactor/loop_connection.h"

#include <utility>

#include "models/model.h"

namespace connbench::models {
namespace {

// Receive buffers that one session may fill in a row before others have their turn.
constexpr int kBuffersInARow = 4;

}  // namespace

LoopConnection::LoopConnection(EventLoop& loop, engine::Engine& engine,
                               const AcceptedConnection& accepted)
    : loop_(loop),
      engine_(engine),
      connection_id_(accepted.connection_id),
      session_(std::make_unique<protocol::ServerSession>(engine, *this, *this, connection_id_,
                                                         accepted.Origin())) {}

LoopConnection::~LoopConnection() {
  if (socket_ != nullptr) Close();
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
  return loop_.WaitFor(wakeup, expected, deadline);
}

void LoopConnection::Close() {
  session_.reset();
  engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kClosed, MonotonicNow());
  socket_.reset();
}

Status LoopAcceptor::AddTo(EventLoop& loop, engine::Engine& engine, const Listener& listener) {
  auto acceptor = std::make_unique<LoopAcceptor>(engine);
  CONNBENCH_ASSIGN_OR_RETURN(acceptor->listener_, loop.OpenListener(*acceptor, listener));
  loop.Adopt(std::move(acceptor));
  return {};
}

LoopTask::Outcome LoopAcceptor::Serve(EventLoop& loop, std::span<char> /*buffer*/) {
  if (stopping_) return Outcome::kDone;
  paused_until_ = kNoDeadline;
  for (int i = 0; i < kAcceptBatch; ++i) {
    AcceptedConnection accepted;
    switch (listener_->Accept(engine_.connection_log(), accepted)) {
      case Listener::AcceptResult::kAccepted:
        engine_.connection_log().Stamp(accepted.connection_id, engine::ConnectionPhase::kDispatched,
                                       MonotonicNow());
        AddConnection(loop, engine_, accepted);
        break;
      case Listener::AcceptResult::kNone:
        return Outcome::kIdle;
      case Listener::AcceptResult::kExhausted:
        paused_until_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
        return Outcome::kIdle;
    }
  }
  return Outcome::kAgain;
}

void AddConnection(EventLoop& loop, engine::Engine& engine, const AcceptedConnection& accepted) {
  auto connection = std::make_unique<LoopConnection>(loop, engine, accepted);
  const Status opened = connection->Open(accepted.fd);
  if (opened.ok()) {
    loop.Adopt(std::move(connection));
    return;
  }
  connection.reset();
  RefuseConnection(engine.connection_log(), accepted,
                   Status::Fatal(sqlstate::kTooManyConnections,
                                 "could not watch the connection: " + opened.error().message));
}

}  // namespace connbench::models
