// BEGIN to COMMIT: blocks, implicit transactions, savepoints.

#include <fmt/format.h>

#include "base/server_log.h"
#include "engine/recovery/checkpointer.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/tasks/checkpoint_request.h"

namespace connbench::engine {
namespace {

// Savepoints need a block that BEGIN has begun: that of a query string does not do.
Status RequireSavepoints(bool implicit, std::string_view command) {
  if (!implicit) return {};
  return Status::Error(sqlstate::kNoActiveSqlTransaction,
                       fmt::format("{} can only be used in transaction blocks", command));
}

}  // namespace

[[gnu::hot]] void RealSession::EnsureTransaction() {
  if (block_ != Block::kNone) return;
  const Settings::Current& settings = settings_.current();
  transaction_.Begin(settings.default_isolation, settings.default_read_only);
  backend_->ShowStatementStart(transaction_.start_wall_us());
  block_ = Block::kImplicit;
}

[[gnu::hot]] Status RealSession::CommitTransaction() {
  if (foreign_key_deferral_ != nullptr) [[unlikely]] {
    if (Status broken = EnforceDeferred(); !broken.ok()) {
      RollbackTransaction();
      return broken;
    }
  }
  CloseAllPortals();
  transaction_.SetSynchronousCommit(settings_.current().synchronous_commit);
  Status status = transaction_.Commit();
  AfterTransaction(status.ok());
  if (context_.checkpointer != nullptr && context_.checkpointer->Due()) [[unlikely]]
    CheckpointIfDue();
  return status;
}

// Where nobody staffs the checkpointer, whose commit filled the log makes the checkpoint, unless
// another session is at it.
void RealSession::CheckpointIfDue() {
  Log& log = *context_.transactions.log;
  if (log.header().staffed.load(std::memory_order_relaxed) != 0) {
    return TellCheckpointDue(log, *context_.transactions.backends);
  }
  transaction_.Begin(IsolationLevel::kReadCommitted, /*read_only=*/true);
  Status status = transaction_.locks().LockRelation(kCheckpointLockOid, LockMode::kAccessExclusive,
                                                    LockWait::kNoWait);
  if (status.ok() && context_.checkpointer->Due()) {
    const auto made = context_.checkpointer->Run(CheckpointMoment::kServing);
    if (made.ok()) CountCheckpoint(log.header().tallies, *made, /*timed=*/false);
    if (!made.ok()) LogLine(fmt::format("checkpoint: {}", made.status().ToString()));
  }
  transaction_.Rollback();
}

void RealSession::RollbackTransaction() {
  CloseAllPortals();
  if (transaction_.open()) transaction_.Rollback();
  backend_->ShowTransactionStart(0);  // of a block that had failed
  AfterTransaction(false);
}

void RealSession::AfterTransaction(bool committed) {
  block_ = Block::kNone;
  pipelining_ = false;
  savepoints_.clear();
  foreign_key_deferral_.reset();
  settings_.AtEnd(committed);
  if (catalog_changed_) ForgetPlans();
  catalog_changed_ = false;
}

[[gnu::hot]] Status RealSession::EndImplicit() {
  if (block_ != Block::kImplicit) return {};
  return CommitTransaction();
}

void RealSession::ForgetPlans() {
  if (!catalog_changed_) return;
  if (foreign_key_enforcer_ != nullptr) foreign_key_enforcer_->ForgetPlans();
  for (const auto& [name, statement] : statements_) {
    if (statement->plan != nullptr) statement->plan->catalog_version = 0;
  }
  if (unnamed_statement_ != nullptr && unnamed_statement_->plan != nullptr) {
    unnamed_statement_->plan->catalog_version = 0;
  }
}

Status RealSession::RequireBlock(std::string_view command) const {
  // The statements of one query string are in a block, too.
  if (block_ != Block::kImplicit || multi_statement_) return {};
  return Status::Error(sqlstate::kNoActiveSqlTransaction,
                       fmt::format("{} can only be used in transaction blocks", command));
}

Status RealSession::RefuseBlock(std::string_view command) {
  if (block_ != Block::kImplicit || multi_statement_) {
    return Status::Error(sqlstate::kActiveSqlTransaction,
                         fmt::format("{} cannot run inside a transaction block", command));
  }
  if (pipelining_) {
    return Status::Error(sqlstate::kActiveSqlTransaction,
                         fmt::format("{} cannot be executed within a pipeline", command));
  }
  commits_at_once_ = true;
  return {};
}

// The modes of BEGIN, SET TRANSACTION and SET SESSION CHARACTERISTICS.
[[gnu::hot]] Status RealSession::ApplyTransactionModes(PgQuery__Node* const* options,
                                                       size_t count) {
  IsolationLevel isolation = transaction_.isolation();
  bool read_only = transaction_.read_only();
  bool changed = false;
  for (const ast::Node* node : ast::List(options, count)) {
    const PgQuery__DefElem& option = *node->def_elem;
    const std::string_view name = option.defname;
    const std::string value = ast::DefElemText(option);
    if (name == "transaction_isolation") {
      CONNBENCH_ASSIGN_OR_RETURN(isolation, ParseIsolationLevel(name, value));
      changed = true;
    } else if (name == "transaction_read_only") {
      CONNBENCH_ASSIGN_OR_RETURN(read_only, ast::DefElemBool(option));
      changed = true;
    } else if (name == "transaction_deferrable") {
      // It matters to serializable transactions only.
      CONNBENCH_RETURN_IF_ERROR(transaction_.CheckMaySetDeferrable());
    }
  }
  return changed ? transaction_.SetCharacteristics(isolation, read_only) : Status();
}

[[gnu::hot]] Result<RealSession::Outcome> RealSession::RunTransactionStatement(
    const PgQuery__TransactionStmt& statement, std::string_view sql, ResultSink& sink) {
  static_cast<void>(sql);
  const auto warn_no_transaction = [&] {
    Notice(sink, "WARNING", sqlstate::kNoActiveSqlTransaction,
           "there is no transaction in progress");
  };
  // An error outside of savepoints has ended the transaction already, and its modes with it.
  const Settings::Current& defaults = settings_.current();
  const bool open = transaction_.open();
  const IsolationLevel isolation = open ? transaction_.isolation() : defaults.default_isolation;
  const bool read_only = open ? transaction_.read_only() : defaults.default_read_only;
  const auto chain = [&] {
    if (!statement.chain) return;
    transaction_.Begin(isolation, read_only);
    block_ = Block::kExplicit;
  };
  if (statement.chain && block_ == Block::kImplicit) {
    const bool commits = statement.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT;
    return Status::Error(sqlstate::kNoActiveSqlTransaction,
                         fmt::format("{} AND CHAIN can only be used in transaction blocks",
                                     commits ? "COMMIT" : "ROLLBACK"));
  }
  switch (statement.kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START: {
      if (block_ == Block::kExplicit) {
        Notice(sink, "WARNING", sqlstate::kActiveSqlTransaction,
               "there is already a transaction in progress");
      }
      // A BEGIN that fails begins nothing.
      CONNBENCH_RETURN_IF_ERROR(ApplyTransactionModes(statement.options, statement.n_options));
      block_ = Block::kExplicit;
      const bool is_begin = statement.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN;
      return Outcome{is_begin ? "BEGIN" : "START TRANSACTION"};
    }
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT: {
      if (block_ == Block::kFailed) {
        RollbackTransaction();
        chain();
        return Outcome{"ROLLBACK"};
      }
      if (block_ == Block::kImplicit) warn_no_transaction();
      CONNBENCH_RETURN_IF_ERROR(CommitTransaction());
      chain();
      return Outcome{"COMMIT"};
    }
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
      if (block_ == Block::kImplicit) warn_no_transaction();
      RollbackTransaction();
      chain();
      return Outcome{"ROLLBACK"};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
      CONNBENCH_RETURN_IF_ERROR(DefineSavepoint(statement.savepoint_name));
      return Outcome{"SAVEPOINT"};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
      CONNBENCH_RETURN_IF_ERROR(ReleaseSavepoint(statement.savepoint_name));
      return Outcome{"RELEASE"};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
      CONNBENCH_RETURN_IF_ERROR(RollbackToSavepoint(statement.savepoint_name));
      return Outcome{"ROLLBACK"};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
      if (block_ == Block::kFailed) {
        RollbackTransaction();
        return Outcome{"ROLLBACK"};
      }
      [[fallthrough]];
    default:
      return ast::NotSupported(sql, "two-phase commit", -1);
  }
}

Status RealSession::DefineSavepoint(std::string_view name) {
  CONNBENCH_RETURN_IF_ERROR(RequireSavepoints(block_ == Block::kImplicit, "SAVEPOINT"));
  OpenBoundPortals();
  savepoints_.push_back({std::string(name), transaction_.PushSavepoint(), settings_.Mark()});
  if (foreign_key_deferral_ != nullptr) {
    foreign_key_deferral_->PushSavepoint(savepoints_.back().level);
  }
  return {};
}

Result<size_t> RealSession::FindSavepoint(std::string_view name) const {
  for (size_t place = savepoints_.size(); place > 0; --place) {
    if (savepoints_[place - 1].name == name) return place - 1;
  }
  return Status::Error(sqlstate::kInvalidSavepointSpecification,
                       fmt::format("savepoint \"{}\" does not exist", name));
}

Status RealSession::ReleaseSavepoint(std::string_view name) {
  CONNBENCH_RETURN_IF_ERROR(RequireSavepoints(block_ == Block::kImplicit, "RELEASE SAVEPOINT"));
  CONNBENCH_ASSIGN_OR_RETURN(const size_t place, FindSavepoint(name));
  const int level = savepoints_[place].level;
  GivePortalsToParent(level);
  transaction_.ReleaseSavepoint(level);
  if (foreign_key_deferral_ != nullptr) foreign_key_deferral_->ReleaseSavepoint(level);
  savepoints_.resize(place);
  return {};
}

Status RealSession::RollbackToSavepoint(std::string_view name) {
  CONNBENCH_RETURN_IF_ERROR(RequireSavepoints(block_ == Block::kImplicit, "ROLLBACK TO SAVEPOINT"));
  CONNBENCH_ASSIGN_OR_RETURN(const size_t place, FindSavepoint(name));
  const Savepoint& savepoint = savepoints_[place];
  ClosePortalsFrom(savepoint.level);
  transaction_.RollbackToSavepoint(savepoint.level);
  if (foreign_key_deferral_ != nullptr) foreign_key_deferral_->RollbackToSavepoint(savepoint.level);
  settings_.RollBackTo(savepoint.settings_mark);
  savepoints_.resize(place + 1);
  ForgetPlans();
  block_ = Block::kExplicit;
  return {};
}

}  // namespace connbench::engine
