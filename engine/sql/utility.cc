// Statements that are not planned: which is which, and the short ones.

#include <fmt/format.h>

#include <algorithm>

#include "engine/recovery/checkpointer.h"
#include "engine/sql/ast.h"
#include "engine/sql/clauses.h"
#include "engine/sql/session_impl.h"
#include "engine/storage/storage.h"
#include "engine/storage/vacuum.h"
#include "engine/tasks/checkpoint_request.h"

namespace connbench::engine {
namespace {

// Whether the statement counts as a query: it fixes the transaction's snapshot and ends the time
// for SET TRANSACTION. PostgreSQL's list of those that do not.
bool CountsAsQuery(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
    case PG_QUERY__NODE__NODE_LOCK_STMT:
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
      return false;
    default:
      return true;
  }
}

}  // namespace

Status RealSession::SendTextRow(std::span<const std::string> fields, ResultSink& sink) {
  std::vector<WireValue> values;
  for (const std::string& field : fields) {
    values.push_back({field.data(), static_cast<int32_t>(field.size())});
  }
  return sink.DataRow(values);
}

Result<RealSession::Outcome> RealSession::RunUtility(const std::shared_ptr<const ParseTree>& tree,
                                                     const PgQuery__Node& statement,
                                                     const UtilityInput& input, ResultSink& sink) {
  const std::string& sql = tree->sql();
  const std::span<const WireFormat> formats = input.formats;
  const bool describe = input.describe;
  // At the statement's first character.
  std::string_view text;
  int start = 0;
  for (int i = 0; i < tree->statement_count(); ++i) {
    if (&tree->statement(i) != &statement) continue;
    text = tree->statement_text(i);
    start = static_cast<int>(text.data() - sql.data());
  }
  CONNBENCH_RETURN_IF_ERROR(CheckClauses(sql, statement, start, database_));
  if (CountsAsQuery(statement)) transaction_.ReleaseSnapshot(transaction_.TakeSnapshot());
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return RunSet(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
      return RunSetConstraints(statement, sql, sink);
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
      return RunExplain(*tree, statement, input, sink);
    case PG_QUERY__NODE__NODE_LOCK_STMT:
      return RunLock(statement, sql);
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
      return RunVacuum(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CREATE_STMT:
      return RunCreateTable(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
    case PG_QUERY__NODE__NODE_SELECT_STMT:  // INTO
      return RunCreateTableAs(statement, sql, input, sink);
    case PG_QUERY__NODE__NODE_RENAME_STMT:
      return RunRename(statement, sql, start, sink);
    case PG_QUERY__NODE__NODE_VIEW_STMT:
      return RunCreateView(*tree, statement, text);
    case PG_QUERY__NODE__NODE_DROP_STMT:
      return RunDrop(statement, sql, sink);
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
      return RunTruncate(statement, sql, sink);
    case PG_QUERY__NODE__NODE_INDEX_STMT:
      return RunCreateIndex(statement, sql, sink);
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
      return RunAlterTable(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
      return RunCreateSequence(statement, sql, sink);
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT:
      return RunAlterSequence(statement, sql, sink);
    case PG_QUERY__NODE__NODE_GRANT_STMT:
      return RunGrant(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT:
      return RunCreateRole(statement, sql, sink);
    case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT:
      return RunAlterRole(statement, sql, sink);
    case PG_QUERY__NODE__NODE_DROP_ROLE_STMT:
      return RunDropRole(statement, sql, sink);
    case PG_QUERY__NODE__NODE_COPY_STMT:
      return RunCopy(statement, sql, sink);
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
      return RunCheckpoint();
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
      return RunDeclareCursor(tree, statement, input);
    case PG_QUERY__NODE__NODE_FETCH_STMT:
      return RunFetch(statement, sql, input, sink);
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
      return RunClose(statement.close_portal_stmt->portalname);
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
      // There is no LISTEN, so no session listens.
      return Outcome{"UNLISTEN"};
    default:
      return ast::NotSupported(sql, ast::KindOf(statement), start);
  }
}

Status RealSession::LockAtOnce(const RelationInfo& relation, LockMode mode) {
  Status status = transaction_.locks().LockRelation(relation.oid, mode, LockWait::kNoWait);
  if (status.ok() || status.code() != sqlstate::kLockNotAvailable) return status;
  return Status::Error(sqlstate::kLockNotAvailable,
                       fmt::format("could not obtain lock on relation \"{}\"", relation.name));
}

// What a view reads is locked with it, if its owner may do that.
Status RealSession::LockBehindView(const RelationInfo& view, LockMode mode, PrivilegeSet any_of,
                                   bool nowait, std::vector<Oid>& around) {
  constexpr size_t kMaxDepth = 32;  // of views in views
  const bool again = std::find(around.begin(), around.end(), view.oid) != around.end();
  if (again || around.size() == kMaxDepth) return {};
  around.push_back(view.oid);
  CONNBENCH_ASSIGN_OR_RETURN(const SessionRole owner, RoleOfOwner(view.owner));
  for (const ViewReference& reference : view.view.references) {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef relation,
                               catalog_.FindByOidIfExists(transaction_, reference.oid));
    if (relation == nullptr) continue;
    CONNBENCH_RETURN_IF_ERROR(RequireAny(owner, *relation, any_of));
    CONNBENCH_RETURN_IF_ERROR(nowait ? LockAtOnce(*relation, mode)
                                     : transaction_.locks().LockRelation(relation->oid, mode));
    if (relation->kind != RelationKind::kView) continue;
    CONNBENCH_RETURN_IF_ERROR(LockBehindView(*relation, mode, any_of, nowait, around));
  }
  around.pop_back();
  return {};
}

Result<RealSession::Outcome> RealSession::RunLock(const PgQuery__Node& statement,
                                                  std::string_view sql) {
  CONNBENCH_RETURN_IF_ERROR(RequireBlock("LOCK TABLE"));
  const PgQuery__LockStmt& lock = *statement.lock_stmt;
  const auto mode = static_cast<LockMode>(lock.mode);
  constexpr PrivilegeSet kWriting = privilege::kUpdate | privilege::kDelete | privilege::kTruncate;
  TableNeed need;
  need.any_of = mode == LockMode::kAccessShare ? privilege::kSelect : kWriting;
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  const PlanningContext planning = planning_context();
  need.or_view = true;
  for (const ast::Node* node : ast::List(lock.relations, lock.n_relations)) {
    if (lock.nowait) {
      CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *node->range_var));
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef relation, catalog_.Find(transaction_, name));
      if (relation->kind != RelationKind::kTable && relation->kind != RelationKind::kView) {
        return Status::Error(sqlstate::kWrongObjectType,
                             fmt::format("cannot lock relation \"{}\"", name));
      }
      CONNBENCH_RETURN_IF_ERROR(RequireAny(role_, *relation, need.any_of));
      CONNBENCH_RETURN_IF_ERROR(LockAtOnce(*relation, mode));
    }
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef locked,
                               FindAndLockTable(planning, sql, *node->range_var, mode, need));
    if (locked->kind == RelationKind::kView) {
      std::vector<Oid> around;
      CONNBENCH_RETURN_IF_ERROR(LockBehindView(*locked, mode, need.any_of, lock.nowait, around));
    }
  }
  return Outcome{"LOCK TABLE"};
}

Result<RealSession::Outcome> RealSession::RunCheckpoint() {
  CONNBENCH_ASSIGN_OR_RETURN(const bool superuser, IsSuperuser());
  if (!superuser) {
    return Status::Error(sqlstate::kInsufficientPrivilege,
                         "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT");
  }
  if (context_.checkpointer == nullptr) return Outcome{"CHECKPOINT"};  // nothing is kept
  Log& log = *context_.transactions.log;
  if (log.header().staffed.load(std::memory_order_relaxed) != 0) {
    CONNBENCH_RETURN_IF_ERROR(RequestCheckpoint(log, *context_.transactions.backends, *backend_));
    return Outcome{"CHECKPOINT"};
  }
  CONNBENCH_RETURN_IF_ERROR(
      transaction_.locks().LockRelation(kCheckpointLockOid, LockMode::kAccessExclusive));
  CONNBENCH_ASSIGN_OR_RETURN(const CheckpointReport made,
                             context_.checkpointer->Run(CheckpointMoment::kServing));
  CountCheckpoint(log.header().tallies, made, /*timed=*/false);
  return Outcome{"CHECKPOINT"};
}

Result<RealSession::Outcome> RealSession::RunVacuum(const PgQuery__Node& statement,
                                                    std::string_view sql, ResultSink& sink) {
  const PgQuery__VacuumStmt& vacuum = *statement.vacuum_stmt;
  bool verbose = false;
  bool analyze = !vacuum.is_vacuumcmd;
  for (const ast::Node* node : ast::List(vacuum.options, vacuum.n_options)) {
    const PgQuery__DefElem& option = *node->def_elem;
    const std::string_view name = option.defname;
    constexpr std::string_view kAccepted[] = {
        "analyze",  "freeze",        "skip_locked", "index_cleanup",
        "truncate", "process_toast", "parallel",    "disable_page_skipping"};
    if (name == "verbose") {
      CONNBENCH_ASSIGN_OR_RETURN(verbose, ast::DefElemBool(option));
    } else if (name == "analyze" && vacuum.is_vacuumcmd) {
      CONNBENCH_ASSIGN_OR_RETURN(analyze, ast::DefElemBool(option));
    } else if (name == "full") {
      CONNBENCH_ASSIGN_OR_RETURN(const bool full, ast::DefElemBool(option));
      if (full) return ast::NotSupported(sql, "VACUUM FULL", option.location);
    } else if (std::find(std::begin(kAccepted), std::end(kAccepted), name) == std::end(kAccepted)) {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("unrecognized VACUUM option \"{}\"", name),
                           CharacterPosition(sql, option.location));
    }
  }
  for (const ast::Node* node : ast::List(vacuum.rels, vacuum.n_rels)) {
    if (analyze || node->vacuum_relation->n_va_cols == 0) continue;
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "ANALYZE option must be specified when a column list is provided",
                         CharacterPosition(sql, node->vacuum_relation->relation->location));
  }
  if (vacuum.is_vacuumcmd) CONNBENCH_RETURN_IF_ERROR(RefuseBlock("VACUUM"));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  const PlanningContext planning = planning_context();
  std::vector<RelationRef> tables;
  // Others' tables are left alone, as PostgreSQL does, and the statement goes on.
  const auto may_vacuum = [&](const RelationInfo& table) {
    if (Owns(role_, table.owner)) return true;
    Notice(sink, "WARNING", sqlstate::kWarning,
           fmt::format("skipping \"{}\" --- only {} can {} it", table.name,
                       table.oid < kFirstUserOid ? "superuser" : "table or database owner",
                       vacuum.is_vacuumcmd ? "vacuum" : "analyze"));
    return false;
  };
  for (const ast::Node* node : ast::List(vacuum.rels, vacuum.n_rels)) {
    CONNBENCH_ASSIGN_OR_RETURN(
        RelationRef table, FindAndLockTable(planning, sql, *node->vacuum_relation->relation,
                                            LockMode::kShareUpdateExclusive, {.or_view = true}));
    if (table->kind == RelationKind::kView) {
      if (!may_vacuum(*table)) continue;
      Notice(sink, "WARNING", sqlstate::kWarning,
             fmt::format("skipping \"{}\" --- cannot {} non-tables or special system tables",
                         table->name, vacuum.is_vacuumcmd ? "vacuum" : "analyze"));
      continue;
    }
    const PgQuery__VacuumRelation& relation = *node->vacuum_relation;
    std::vector<std::string_view> named;
    for (const ast::Node* column_node : ast::List(relation.va_cols, relation.n_va_cols)) {
      const std::string_view column = ast::StringOf(*column_node);
      if (table->FindColumn(column) < 0) {
        return Status::Error(
            sqlstate::kUndefinedColumn,
            fmt::format("column \"{}\" of relation \"{}\" does not exist", column, table->name));
      }
      if (std::find(named.begin(), named.end(), column) != named.end()) {
        return Status::Error(sqlstate::kDuplicateColumn,
                             fmt::format("column \"{}\" of relation \"{}\" appears more than once",
                                         column, table->name));
      }
      named.push_back(column);
    }
    if (may_vacuum(*table)) tables.push_back(std::move(table));
  }
  if (vacuum.n_rels == 0) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<RelationRef> all, catalog_.List(transaction_));
    for (const RelationRef& relation : all) {
      if (relation->kind != RelationKind::kTable || !may_vacuum(*relation)) continue;
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
    CONNBENCH_ASSIGN_OR_RETURN(const VacuumStatistics done,
                               VacuumTable(storage_, transaction_, table->storage, indexes));
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
