#include "models/reactor/loop_connection.h"

#include <sys/socket.h>

#include <cerrno>

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
      stop_(accepted.fd),
      session_(std::make_unique<protocol::ServerSession>(engine, *this, *this, connection_id_,
                                                         accepted.Origin())) {}

LoopConnection::~LoopConnection() {
  if (session_ != nullptr) Close();
}

LoopTask::Outcome LoopConnection::Serve(EventLoop& /*loop*/, std::span<char> buffer) {
  if (!started_) {
    started_ = true;
    engine_.connection_log().Stamp(connection_id_, engine::ConnectionPhase::kStarted,
                                   MonotonicNow());
  }
  for (int i = 0; i < kBuffersInARow; ++i) {
    const ssize_t got = recv(stop_.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    protocol::Want want = protocol::Want::kInput;
    if (got > 0) {
      want = session_->Receive({buffer.data(), static_cast<size_t>(got)});
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && errno == EAGAIN) {
      // Somebody else may have asked for the session's end.
      want = MonotonicNow() < session_->InputDeadline() ? session_->CheckTermination()
                                                        : session_->InputDeadlinePassed();
      if (want == protocol::Want::kInput) return Outcome::kIdle;
    } else {  // ended by the client, or by a stop: the session tells the client
      if (stop_.requested()) (void)session_->CheckTermination();
      want = protocol::Want::kClose;
    }
    if (!session_->output().empty()) {
      const Status sent = Send(session_->output());
      session_->ClearOutput();
      if (!sent.ok()) want = protocol::Want::kClose;
    }
    if (want == protocol::Want::kClose) {
      Close();
      return Outcome::kDone;
    }
    // Less than was asked for: the socket was empty then, and what comes later is a new edge.
    if (got < static_cast<ssize_t>(buffer.size())) return Outcome::kIdle;
  }
  return Outcome::kAgain;
}

engine::WaitResult LoopConnection::Wait(engine::Wakeup& wakeup, uint32_t expected,
                                        MonotonicNs deadline, engine::WaitReason /*reason*/) {
  return loop_.WaitFor(wakeup, expected, deadline);
}

Status LoopConnection::Flush(std::string& bytes) {
  Status status = Send(bytes);
  bytes.clear();
  return status;
}

Status LoopConnection::Send(std::string_view bytes) {
  SendResult result = SendSome(stop_.fd(), bytes);
  while (result == SendResult::kWouldBlock) {
    if (!loop_.WaitWritable(stop_.fd())) return ClientGone();
    result = SendSome(stop_.fd(), bytes);
  }
  return result == SendResult::kSent ? Status() : ClientGone();
}

void LoopConnection::Refuse(const Status& reason) {
  session_.reset();
  RefuseConnection(engine_.connection_log(), {.fd = stop_.fd(), .connection_id = connection_id_},
                   reason);
}

void LoopConnection::Close() {
  session_.reset();
  CloseConnection(engine_.connection_log(), {.fd = stop_.fd(), .connection_id = connection_id_});
}

LoopTask::Outcome LoopAcceptor::Serve(EventLoop& loop, std::span<char> /*buffer*/) {
  if (stopping_) return Outcome::kDone;
  paused_until_ = kNoDeadline;
  for (int i = 0; i < kAcceptBatch; ++i) {
    AcceptedConnection accepted;
    switch (listener_.Accept(engine_.connection_log(), accepted)) {
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
  std::unique_ptr<LoopTask> connection = std::make_unique<LoopConnection>(loop, engine, accepted);
  const Status added = loop.Add(std::move(connection), accepted.fd);
  if (added.ok()) return;
  static_cast<LoopConnection&>(*connection)
      .Refuse(Status::Fatal(sqlstate::kTooManyConnections,
                            "could not watch the connection: " + added.error().message));
}

}  // namespace connbench::models
