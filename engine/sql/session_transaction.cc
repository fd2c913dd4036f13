// BEGIN to COMMIT: blocks, implicit transactions, savepoints.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {

[[gnu::hot]] void RealSession::EnsureTransaction() {
  if (block_ != Block::kNone) return;
  const Settings::Current& settings = settings_.current();
  transaction_.Begin(settings.default_repeatable_read ? IsolationLevel::kRepeatableRead
                                                      : IsolationLevel::kReadCommitted,
                     settings.default_read_only);
  block_ = Block::kImplicit;
}

[[gnu::hot]] Status RealSession::CommitTransaction() {
  CloseAllPortals();
  Status status = transaction_.Commit();
  AfterTransaction(status.ok());
  return status;
}

void RealSession::RollbackTransaction() {
  CloseAllPortals();
  if (transaction_.open()) transaction_.Rollback();
  AfterTransaction(false);
}

void RealSession::AfterTransaction(bool committed) {
  block_ = Block::kNone;
  savepoints_.clear();
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
  for (const auto& [name, statement] : statements_) {
    if (statement->plan != nullptr) statement->plan->catalog_version = 0;
  }
  if (unnamed_statement_ != nullptr && unnamed_statement_->plan != nullptr) {
    unnamed_statement_->plan->catalog_version = 0;
  }
}

Status RealSession::RequireBlock(std::string_view command) const {
  if (block_ != Block::kImplicit) return {};
  return Status::Error(sqlstate::kNoActiveSqlTransaction,
                       fmt::format("{} can only be used in transaction blocks", command));
}

Status RealSession::RefuseBlock(std::string_view command) const {
  if (block_ == Block::kImplicit && !multi_statement_) return {};
  return Status::Error(sqlstate::kActiveSqlTransaction,
                       block_ == Block::kImplicit
                           ? fmt::format("{} cannot be executed within a pipeline", command)
                           : fmt::format("{} cannot run inside a transaction block", command));
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
      isolation = value == "serializable"      ? IsolationLevel::kSerializable
                  : value == "repeatable read" ? IsolationLevel::kRepeatableRead
                                               : IsolationLevel::kReadCommitted;
      changed = true;
    } else if (name == "transaction_read_only") {
      CONNBENCH_ASSIGN_OR_RETURN(read_only, ast::DefElemBool(option));
      changed = true;
    }
    // DEFERRABLE matters to serializable transactions only.
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
  const IsolationLevel isolation = transaction_.isolation();
  const bool read_only = transaction_.read_only();
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
      block_ = Block::kExplicit;
      CONNBENCH_RETURN_IF_ERROR(ApplyTransactionModes(statement.options, statement.n_options));
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
    default:
      return ast::NotSupported(sql, "two-phase commit", -1);
  }
}

Status RealSession::DefineSavepoint(std::string_view name) {
  CONNBENCH_RETURN_IF_ERROR(RequireBlock("SAVEPOINT"));
  savepoints_.push_back({std::string(name), transaction_.PushSavepoint(), settings_.Mark()});
  return {};
}

Status RealSession::ReleaseSavepoint(std::string_view name) {
  CONNBENCH_RETURN_IF_ERROR(RequireBlock("RELEASE SAVEPOINT"));
  const auto at = std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                               [name](const Savepoint& point) { return point.name == name; });
  if (at == savepoints_.rend()) {
    return Status::Error(sqlstate::kInvalidSavepointSpecification,
                         fmt::format("savepoint \"{}\" does not exist", name));
  }
  transaction_.ReleaseSavepoint(at->level);
  savepoints_.erase(at.base() - 1, savepoints_.end());
  return {};
}

Status RealSession::RollbackToSavepoint(std::string_view name) {
  CONNBENCH_RETURN_IF_ERROR(RequireBlock("ROLLBACK TO SAVEPOINT"));
  const auto at = std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                               [name](const Savepoint& point) { return point.name == name; });
  if (at == savepoints_.rend()) {
    return Status::Error(sqlstate::kInvalidSavepointSpecification,
                         fmt::format("savepoint \"{}\" does not exist", name));
  }
  CloseAllPortals();
  transaction_.RollbackToSavepoint(at->level);
  settings_.RollBackTo(at->settings_mark);
  savepoints_.erase(at.base(), savepoints_.end());
  ForgetPlans();
  block_ = Block::kExplicit;
  return {};
}

}  // namespace connbench::engine
