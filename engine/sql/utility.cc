// Statements that are not planned: which is which, and the short ones.

#include <fmt/format.h>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/storage/storage.h"
#include "engine/storage/vacuum.h"

namespace connbench::engine {

Status RealSession::SendTextRow(std::span<const std::string> fields, ResultSink& sink) {
  std::vector<WireValue> values;
  for (const std::string& field : fields) {
    values.push_back({field.data(), static_cast<int32_t>(field.size())});
  }
  return sink.DataRow(values);
}

Result<RealSession::Outcome> RealSession::RunUtility(const std::shared_ptr<const ParseTree>& tree,
                                                     const PgQuery__Node& statement,
                                                     std::span<const WireFormat> formats,
                                                     bool describe, ResultSink& sink) {
  const std::string& sql = tree->sql();
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return RunSet(statement, sql, sink);
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
      return RunShow(statement, formats, describe, sink);
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
      return RunDiscard(statement);
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
      return RunPrepare(tree, statement);
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
      return RunExecute(statement, sql, formats, describe, sink);
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
      return RunDeallocate(statement);
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return RunExplain(statement, sql, formats, describe, sink);
    case PG_QUERY__NODE__NODE_LOCK_STMT:
      return RunLock(statement, sql);
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
      return RunVacuum(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CREATE_STMT:
      return RunCreateTable(statement, sql, sink);
    case PG_QUERY__NODE__NODE_DROP_STMT:
      return RunDrop(statement, sql, sink);
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
      return RunTruncate(statement, sql);
    case PG_QUERY__NODE__NODE_INDEX_STMT:
      return RunCreateIndex(statement, sql, sink);
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
      return RunAlterTable(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT:
      return RunCreateRole(statement, sql, sink);
    case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT:
      return RunAlterRole(statement, sql, sink);
    case PG_QUERY__NODE__NODE_DROP_ROLE_STMT:
      return RunDropRole(statement, sql, sink);
    case PG_QUERY__NODE__NODE_COPY_STMT:
      return RunCopy(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
      // Data live in shared memory only: there is nothing to write yet.
      return Outcome{"CHECKPOINT"};
    default: {
      // At the statement's first character.
      const auto& raw = *tree;
      int location = 0;
      for (int i = 0; i < raw.statement_count(); ++i) {
        if (&raw.statement(i) == &statement) {
          location = static_cast<int>(raw.statement_text(i).data() - sql.data());
        }
      }
      return ast::NotSupported(sql, ast::KindOf(statement), location);
    }
  }
}

Result<RealSession::Outcome> RealSession::RunLock(const PgQuery__Node& statement,
                                                  std::string_view sql) {
  CONNBENCH_RETURN_IF_ERROR(RequireBlock("LOCK TABLE"));
  const PgQuery__LockStmt& lock = *statement.lock_stmt;
  const auto mode = static_cast<LockMode>(lock.mode);
  const PlanningContext planning = planning_context();
  for (const ast::Node* node : ast::List(lock.relations, lock.n_relations)) {
    if (!lock.nowait) {
      CONNBENCH_RETURN_IF_ERROR(
          FindAndLockTable(planning, sql, *node->range_var, mode).TakeStatus());
      continue;
    }
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *node->range_var));
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table, catalog_.Find(transaction_, name));
    Status status = transaction_.locks().LockRelation(table->oid, mode, LockWait::kNoWait);
    if (!status.ok() && status.code() == sqlstate::kLockNotAvailable) {
      return Status::Error(sqlstate::kLockNotAvailable,
                           fmt::format("could not obtain lock on relation \"{}\"", name));
    }
    if (!status.ok()) return status;
  }
  return Outcome{"LOCK TABLE"};
}

Result<RealSession::Outcome> RealSession::RunVacuum(const PgQuery__Node& statement,
                                                    std::string_view sql, ResultSink& sink) {
  const PgQuery__VacuumStmt& vacuum = *statement.vacuum_stmt;
  bool verbose = false;
  for (const ast::Node* node : ast::List(vacuum.options, vacuum.n_options)) {
    const PgQuery__DefElem& option = *node->def_elem;
    const std::string_view name = option.defname;
    constexpr std::string_view kAccepted[] = {
        "analyze",  "freeze",        "skip_locked", "index_cleanup",
        "truncate", "process_toast", "parallel",    "disable_page_skipping"};
    if (name == "verbose") {
      CONNBENCH_ASSIGN_OR_RETURN(verbose, ast::DefElemBool(option));
    } else if (name == "full") {
      CONNBENCH_ASSIGN_OR_RETURN(const bool full, ast::DefElemBool(option));
      if (full) return ast::NotSupported(sql, "VACUUM FULL", option.location);
    } else if (std::find(std::begin(kAccepted), std::end(kAccepted), name) == std::end(kAccepted)) {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("unrecognized VACUUM option \"{}\"", name),
                           CharacterPosition(sql, option.location));
    }
  }
  if (vacuum.is_vacuumcmd) CONNBENCH_RETURN_IF_ERROR(RefuseBlock("VACUUM"));
  const PlanningContext planning = planning_context();
  std::vector<RelationRef> tables;
  for (const ast::Node* node : ast::List(vacuum.rels, vacuum.n_rels)) {
    CONNBENCH_ASSIGN_OR_RETURN(RelationRef table,
                               FindAndLockTable(planning, sql, *node->vacuum_relation->relation,
                                                LockMode::kShareUpdateExclusive));
    tables.push_back(std::move(table));
  }
  if (vacuum.n_rels == 0) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<RelationRef> all, catalog_.List(transaction_));
    for (const RelationRef& relation : all) {
      if (relation->kind != RelationKind::kTable) continue;
      CONNBENCH_RETURN_IF_ERROR(
          transaction_.locks().LockRelation(relation->oid, LockMode::kShareUpdateExclusive));
      // It may have been dropped or truncated before we had the lock.
      CONNBENCH_ASSIGN_OR_RETURN(RelationRef current,
                                 catalog_.FindIfExists(transaction_, relation->name));
      if (current != nullptr && current->oid == relation->oid) {
        tables.push_back(std::move(current));
      }
    }
  }
  if (vacuum.n_rels == 0 && vacuum.is_vacuumcmd) {
    CONNBENCH_RETURN_IF_ERROR(catalog_.Vacuum(transaction_));
  }
  // ANALYZE alone has nothing to gather: row counts are kept up to date as rows come and go.
  for (const RelationRef& table : tables) {
    if (!vacuum.is_vacuumcmd) break;
    std::vector<StorageId> indexes;
    for (const IndexInfo& index : table->indexes) indexes.push_back(index.storage);
    CONNBENCH_ASSIGN_OR_RETURN(
        const VacuumStatistics done,
        VacuumTable(*context_.storage, transaction_, table->storage, indexes));
    if (!verbose) continue;
    Notice(sink, "INFO", sqlstate::kSuccessfulCompletion,
           fmt::format("finished vacuuming \"{}\": {} pages, {} rows left, {} row versions and {} "
                       "index entries removed",
                       table->name, done.pages, done.rows, done.rows_removed,
                       done.index_entries_removed));
  }
  return Outcome{vacuum.is_vacuumcmd ? "VACUUM" : "ANALYZE"};
}

}  // namespace connbench::engine
