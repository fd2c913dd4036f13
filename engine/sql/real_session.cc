// A real session: how it is made, where it stands, what an error does to it.
#include "engine/sql/real_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/expression/functions.h"
#include "engine/sql/ast.h"
#include "engine/sql/clauses.h"
#include "engine/sql/session_impl.h"
#include "engine/storage/storage.h"

namespace connbench::engine {
namespace {

// ROLLBACK and its relatives: all that a failed transaction still takes.
bool EndsTransaction(const PgQuery__Node& statement) {
  if (statement.node_case != PG_QUERY__NODE__NODE_TRANSACTION_STMT) return false;
  switch (statement.transaction_stmt->kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
      return true;
    default:
      return false;
  }
}

}  // namespace

void BuildFunctionTables() {
  FindFunctions({});
  FindOperators({});
  BuildClauseTable();
}

Result<std::unique_ptr<Session>> MakeRealSession(EngineContext& context,
                                                 std::unique_ptr<Backend> backend,
                                                 const SessionOptions& options, Waiter& waiter) {
  backend->SetWaiter(waiter);
  auto session = std::make_unique<RealSession>(context, BackendHandle(backend.release()), options);
  CONNBENCH_RETURN_IF_ERROR(session->Start(options));
  return std::unique_ptr<Session>(std::move(session));
}

RealSession::RealSession(EngineContext& context, BackendHandle backend,
                         const SessionOptions& options)
    : context_(context),
      backend_(std::move(backend)),
      own_storage_(context.storage->pages() == nullptr
                       ? nullptr
                       : std::make_unique<Storage>(*context.storage, *backend_)),
      storage_(own_storage_ == nullptr ? *context.storage : *own_storage_),
      transaction_(context.transactions, *backend_),
      role_{options.superuser ? kSuperuserOid : kGuestOid, options.superuser},
      settings_(*context.setting_defaults, options),
      catalog_(storage_),
      user_(options.user),
      database_(options.database),
      activity_(*context.segment->Find<ActivityTable>(SegmentPart::kActivity)) {
  scratch_.set_interrupts(this);
  unnamed_portal_.parameter_arena.set_interrupts(this);
}

RealSession::~RealSession() {
  copy_in_.reset();
  CloseAllPortals();
  if (transaction_.open()) transaction_.Rollback();
}

Status RealSession::Start(const SessionOptions& options) {
  CONNBENCH_RETURN_IF_ERROR(StartRole());
  return settings_.ApplyStartup(options.parameters);
}

void RealSession::ReportParameters(ResultSink& sink) { settings_.ReportAll(sink); }

void RealSession::Notice(ResultSink& sink, std::string_view severity, std::string_view code,
                         std::string message, std::string detail, std::string hint) {
  const int level = severity == "WARNING" ? kWarning : severity == "NOTICE" ? kNotice : kLog;
  if (level < settings_.current().client_min_messages) return;
  ErrorInfo info;
  info.code = code;
  info.message = std::move(message);
  info.detail = std::move(detail);
  info.hint = std::move(hint);
  sink.Notice(severity, info);
}

void RealSession::BeginStatement() {
  statement_time_us_ = 0;
  backend_->SetLockTimeout(settings_.current().lock_timeout_ns / kNanosecondsPerMillisecond);
  backend_->BeginStatement(settings_.current().statement_timeout_ns / kNanosecondsPerMillisecond);
}

void RealSession::EndStatement() {
  static constexpr BackendState kStates[] = {BackendState::kIdle, BackendState::kIdle,
                                             BackendState::kIdleInTransaction,
                                             BackendState::kIdleInFailedTransaction};
  static_assert(static_cast<int>(Block::kImplicit) == 1 && static_cast<int>(Block::kFailed) == 3);
  backend_->EndStatement(kStates[static_cast<size_t>(block_)]);
}

void RealSession::ShowQuery(std::string_view sql, uint64_t number) {
  activity_.SetQuery(backend_->number(), sql);
  shown_statement_ = number;
}

// The coarse clock may tell a time before the last one that was told exactly.
void RealSession::ShowStatementStart() {
  const BackendSlot& slot = backend_->slot();
  backend_->ShowStatementStart(std::max(
      {CoarseWallClockNs() / kNanosecondsPerMicrosecond,
       slot.statement_start_us.load(std::memory_order_relaxed),
       slot.statement_end_ns.load(std::memory_order_relaxed) / kNanosecondsPerMicrosecond}));
}

[[gnu::hot]] Status RealSession::CheckNotFailed(const PgQuery__Node& statement) const {
  if (block_ != Block::kFailed || EndsTransaction(statement)) return {};
  return Status::Error(
      sqlstate::kInFailedSqlTransaction,
      "current transaction is aborted, commands ignored until end of transaction block");
}

Status RealSession::CheckMayRead() {
  return block_ == Block::kFailed ? Failed(CheckNotFailed(PgQuery__Node{})) : Status();
}

[[gnu::hot]] Status RealSession::CheckReadOnly(std::string_view command) const {
  if (!transaction_.read_only()) return {};
  return Status::Error(sqlstate::kReadOnlySqlTransaction,
                       fmt::format("cannot execute {} in a read-only transaction", command));
}

Status RealSession::Failed(Status error) {
  FailTransaction();
  EndStatement();
  backend_->ShowStatementEnd();
  return error;
}

void RealSession::FailTransaction() {
  copy_in_.reset();
  foreign_key_events_.Clear();
  pending_tree_.reset();
  if (block_ == Block::kNone || block_ == Block::kImplicit) {
    RollbackTransaction();
    return;
  }
  // Portals of the levels below wait for what the client does about it; its own level's cannot go
  // on.
  const int level = transaction_.savepoint_level();
  FailPortalsFrom(level);
  if (block_ == Block::kFailed) return;
  block_ = Block::kFailed;
  if (savepoints_.empty()) {
    // Locks and settings are given back at once, as in PostgreSQL; the block only remembers that it
    // failed.
    const int64_t start_us = transaction_.start_wall_us();
    transaction_.Rollback();
    foreign_key_deferral_.reset();
    backend_->ShowTransactionStart(start_us);  // the block goes on
    settings_.AtEnd(/*committed=*/false);
    return;
  }
  transaction_.RollbackToSavepoint(level);
  if (foreign_key_deferral_ != nullptr) foreign_key_deferral_->RollbackToSavepoint(level);
  settings_.RollBackTo(savepoints_.back().settings_mark);
  ForgetPlans();
}

// ---- where the session stands ----

[[gnu::hot]] TransactionStatus RealSession::transaction_status() const {
  switch (block_) {
    case Block::kExplicit:
      return TransactionStatus::kInTransaction;
    case Block::kFailed:
      return TransactionStatus::kFailed;
    default:
      return TransactionStatus::kIdle;
  }
}

[[gnu::hot]] MonotonicNs RealSession::IdleDeadline(MonotonicNs now) const {
  if (copy_in_ != nullptr) return kNoDeadline;  // in the middle of a statement
  const bool in_block = block_ == Block::kExplicit || block_ == Block::kFailed;
  const int64_t timeout = in_block ? settings_.current().idle_in_transaction_timeout_ns
                                   : settings_.current().idle_session_timeout_ns;
  return timeout > 0 ? now + timeout : kNoDeadline;
}

Status RealSession::IdleTimeoutError() const {
  const bool in_block = block_ == Block::kExplicit || block_ == Block::kFailed;
  return in_block ? Status::Fatal(sqlstate::kIdleInTransactionSessionTimeout,
                                  "terminating connection due to idle-in-transaction timeout")
                  : Status::Fatal(sqlstate::kIdleSessionTimeout,
                                  "terminating connection due to idle-session timeout");
}

}  // namespace connbench::engine
