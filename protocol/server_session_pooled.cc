// ServerSession when a pooler is at the other end: what the two say of the clients in turn.
#include "protocol/codec.h"
#include "protocol/messages.h"
#include "protocol/pool_messages.h"
#include "protocol/server_session_impl.h"

namespace connbench::protocol {

void ServerSession::Impl::HandleClientChange(std::string_view body) {
  const MonotonicNs begun = MonotonicNow();
  bool is_new = false;
  engine::ClientState state;
  if (!pool::ReadClient(body, is_new, state) || state_ != State::kMessages || batch_open_ ||
      session_->transaction_status() != engine::TransactionStatus::kIdle) {
    CloseWith(Status::Fatal(sqlstate::kProtocolViolation,
                            "a pooler may change its client between transactions only"));
    return;
  }
  if (is_new) {
    const Status status = session_->BeginClient(state.startup);
    if (!status.ok()) {
      ReportError(status);
      return;
    }
    session_->ReportParameters(sink_);
  } else {
    session_->ResumeClient(state);
  }
  reported_state_ = session_->client_state_version();
  pool::AppendClientState(*out_, session_->client_state(), MonotonicNow() - begun);
}

void ServerSession::Impl::ReportStatementsGone() {
  const uint64_t deallocations = session_->deallocations();
  if (deallocations == deallocations_) return;
  deallocations_ = deallocations;
  AppendEmptyMessage(*out_, pool::kStatementsGone);
}

void ServerSession::Impl::ReportClientState() {
  ReportStatementsGone();
  if (session_->transaction_status() != engine::TransactionStatus::kIdle) return;
  const uint64_t version = session_->client_state_version();
  if (version == reported_state_) return;
  reported_state_ = version;
  pool::AppendClientState(*out_, session_->client_state(), 0);
}

}  // namespace connbench::protocol
