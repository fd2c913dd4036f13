// A client of the pooler: its lease of a backend, from its first message to its end.
#include "models/pool_tx/pooled_session.h"

#include <utility>

#include "protocol/messages.h"
#include "protocol/pool_messages.h"

namespace connbench::models {
namespace {

// Buffers larger than this are given back when they are empty.
constexpr size_t kRetainedSessionBytes = 4 << 10;
// A client that has finished sending may still read what its statement answers. If that takes
// longer than this, it is asked whether it is there.
constexpr MonotonicNs kProbeAfterNs = kNanosecondsPerSecond;

}  // namespace

PooledSession::PooledSession(Pooler& pooler, const engine::SessionOptions& options,
                             uint32_t cancel_key)
    : pooler_(pooler),
      connection_id_(options.connection_id),
      cancel_key_(cancel_key),
      superuser_(options.superuser),
      place_(pooler.TakePlace()) {
  identity_.append(options.user).push_back('\0');
  identity_.append(options.database);
}

PooledSession::~PooledSession() {
  answers_ = nullptr;
  if (link_ != nullptr) {
    // What is left half-done, or open, ends with the session behind it.
    const bool whole = AtBoundary() && failure_.ok() && !abandoned_;
    // One that the backend has ended of itself is over when the backend has said that it is free:
    // until then its last words would be the next client's.
    const bool ended_itself = !link_->fatal().ok();
    const bool over = session_over_ || link_->dead() || link_->identity().empty();
    if (!over && (!whole || ended_itself)) {
      if (!ended_itself) Abandon();
      pooler_.EndSession(*link_);
    }
    (void)pooler_.Release(*std::exchange(link_, nullptr));
  }
  pooler_.ClientGone(connection_id_, place_);
}

Status PooledSession::Start(const engine::SessionOptions& options) {
  task_ = pooler_.loop().current();
  Show(engine::PoolClientState::kIdle, MonotonicNow());
  std::string key = identity_ + (superuser_ ? "\1" : "\2");
  protocol::pool::AppendNewClient(key, options.parameters);
  if (const ClientKind* known = pooler_.FindKind(key)) {
    client_ = *known;
    return {};
  }
  Result<BackendLink*> link = pooler_.Lease(*this);
  // There is no statement yet that a cancel could end.
  if (!link.ok()) return Status::Fatal(link.status().code(), link.status().error().message);
  link_ = *link;
  last_link_ = link_;
  starting_ = true;
  protocol::pool::AppendNewClient(to_send_, options.parameters);
  expected_.Push(Kind::kClient).swallow = true;
  open_ = true;
  CONNBENCH_RETURN_IF_ERROR(Settle(nullptr));
  starting_ = false;
  pooler_.KeepKind(key, client_);
  if (pooler_.mode() != PoolMode::kSession) GiveBack();
  return {};
}

void PooledSession::ReportParameters(engine::ResultSink& sink) {
  for (const auto& [name, value] : client_.parameters) sink.ParameterStatus(name, value);
  BackendLink::Parameters().swap(client_.parameters);
}

MonotonicNs PooledSession::IdleDeadline(MonotonicNs now) const {
  if (client_.idle_session_timeout_ms == 0 || !AtBoundary()) return kNoDeadline;
  return now + client_.idle_session_timeout_ms * kNanosecondsPerMillisecond;
}

Status PooledSession::IdleTimeoutError() const {
  return Status::Fatal(sqlstate::kIdleSessionTimeout,
                       "terminating connection due to idle-session timeout");
}

Status PooledSession::TerminationRequested() const {
  if (link_ != nullptr && !link_->fatal().ok()) return link_->fatal();
  if (!pooler_.ShutdownRequested()) return {};
  return Status::Fatal(sqlstate::kAdminShutdown,
                       "terminating connection due to administrator command");
}

bool PooledSession::Left(MonotonicNs probe_after) {
  if (task_ == nullptr || !task_->peer_ended()) return false;
  switch (task_->LookAtPeer()) {
    case LoopTask::Peer::kGone:
      return true;
    case LoopTask::Peer::kReads:
      return false;
    case LoopTask::Peer::kUnknown:
      break;
  }
  if (probed_ || answers_ == nullptr) return false;
  const MonotonicNs now = MonotonicNow();
  if (probe_at_ == kNoDeadline || now + probe_after < probe_at_) probe_at_ = now + probe_after;
  if (now < probe_at_) return false;
  // A word that changes nothing: a socket that was closed answers by a reset.
  probed_ = true;
  probe_at_ = kNoDeadline;
  answers_->ParameterStatus("server_encoding", "UTF8");
  return !answers_->FlushSome().ok();
}

Status PooledSession::EnsureLease() {
  if (link_ != nullptr) return {};
  Result<BackendLink*> link = pooler_.Lease(*this);
  if (!link.ok()) {
    Status why = link.TakeStatus();
    if (why.code() != sqlstate::kQueryCanceled || why.error().fatal) failure_ = why;
    return why;
  }
  link_ = *link;
  if (last_link_ != nullptr && link_ != last_link_) pooler_.NoteSwitch();
  last_link_ = link_;
  if (link_->MustChangeTo(connection_id_, client_.settings)) {
    protocol::pool::AppendResumedClient(to_send_, client_.settings);
    expected_.Push(Kind::kClient).swallow = true;
    link_->SetClient(connection_id_, client_.settings, /*touched=*/false);
  } else {
    link_->set_client(connection_id_);
  }
  return {};
}

void PooledSession::GiveBack() {
  Show(engine::PoolClientState::kIdle, pooler_.Release(*std::exchange(link_, nullptr)));
}

void PooledSession::Abandon() {
  if (std::exchange(abandoned_, true) || link_ == nullptr || expected_.empty()) return;
  pooler_.CancelBackend(*link_);
}

Status PooledSession::Settle(protocol::AnswerWriter* answers) {
  if (expected_.empty() && to_send_.empty()) return failure_;
  Status sent;
  const Status exchanged = link_->Exchange(
      pooler_.loop(), to_send_,
      [&](const protocol::Message& message, std::string_view bytes) {
        const bool for_client = OnAnswer(message) && answers != nullptr;
        if (!for_client || !sent.ok()) return;
        sent =
            message.type == protocol::backend::kErrorResponse
                ? answers->Relay(WithClientsName(bytes), pooler_.limits().client_write_timeout_ns)
                : answers->Relay(bytes, pooler_.limits().client_write_timeout_ns);
        if (!sent.ok()) Abandon();
      },
      [&] {
        if (!abandoned_ && Left(kProbeAfterNs)) Abandon();
        return failure_.ok() ? Answered() : session_over_ || refused_;
      },
      [&] { return abandoned_ ? kNoDeadline : probe_at_; });
  if (failure_.ok() && !exchanged.ok()) failure_ = pooler_.Explain(exchanged);
  if (failure_.ok() && !sent.ok()) failure_ = sent;
  if (expected_.empty() && to_send_.empty() && to_send_.capacity() > kRetainedSessionBytes) {
    std::string().swap(to_send_);
  }
  return failure_;
}

Status PooledSession::RelayFinish(protocol::AnswerWriter& answers) {
  if (!failure_.ok()) return failure_;
  if (link_ == nullptr) return {};
  answers_ = &answers;
  CONNBENCH_RETURN_IF_ERROR(Settle(&answers));
  if (pooler_.mode() != PoolMode::kSession && AtBoundary()) {
    GiveBack();
  } else {
    Show(engine::PoolClientState::kSilent, pooler_.ClientSilent(*link_), link_);
  }
  return {};
}

}  // namespace connbench::models
