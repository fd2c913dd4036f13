// ALTER TABLE, and what it shares with ALTER SEQUENCE and ALTER INDEX: OWNER TO.

#include <fmt/format.h>

#include "engine/sql/alter_table.h"
#include "engine/sql/ast.h"

namespace connbench::engine {
namespace {

// What of ALTER TABLE PostgreSQL can do to tables only; empty: to views, too.
std::string_view TableAction(PgQuery__AlterTableType type) {
  switch (type) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
      return "ADD COLUMN";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
      return "DROP COLUMN";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType:
      return "ALTER COLUMN ... SET DATA TYPE";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
      return "ALTER COLUMN ... SET NOT NULL";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
      return "ALTER COLUMN ... DROP NOT NULL";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
      return "ADD CONSTRAINT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
      return "DROP CONSTRAINT";
    default:
      return {};
  }
}

}  // namespace

// ALTER TABLE, SEQUENCE, INDEX and VIEW ... OWNER TO, as far as it is not about a table.
Status RealSession::AlterOtherOwner(const PgQuery__AlterTableStmt& alter, std::string_view sql,
                                    ResultSink& sink) {
  const PgQuery__AlterTableCmd& command = *alter.cmds[0]->alter_table_cmd;
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *alter.relation));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.Find(transaction_, name));
  const std::string_view action = TableAction(command.subtype);
  if (found->kind != RelationKind::kTable && !action.empty()) {
    Oid owner = found->owner;
    if (found->kind == RelationKind::kIndex) {
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table,
                                 catalog_.FindByOid(transaction_, found->table_oid));
      owner = table->owner;
    }
    CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *found, owner));
    return Status::Error(
               sqlstate::kWrongObjectType,
               fmt::format("ALTER action {} cannot be performed on relation \"{}\"", action, name))
        .WithDetail(fmt::format("This operation is not supported for {}.",
                                found->kind == RelationKind::kIndex      ? "indexes"
                                : found->kind == RelationKind::kSequence ? "sequences"
                                                                         : "views"));
  }
  if (alter.n_cmds != 1 || command.subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner) {
    return ast::NotSupported(sql, "this form of ALTER", alter.relation->location);
  }
  if (found->kind == RelationKind::kView) {
    CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *found, found->owner));
    CONNBENCH_ASSIGN_OR_RETURN(
        const RelationRef view,
        FindAndLockTable(planning_context(), sql, *alter.relation, LockMode::kAccessExclusive,
                         {.ownership = true, .or_view = true}));
    return ChangeOwner(view, *command.newowner, sql).TakeStatus();
  }
  if (found->kind == RelationKind::kIndex) {
    Notice(sink, "WARNING", sqlstate::kWrongObjectType,
           fmt::format("cannot change owner of index \"{}\"", name), "",
           "Change the ownership of the index's table, instead.");
    return {};
  }
  if (found->kind != RelationKind::kSequence) {
    return Status::Error(
        sqlstate::kWrongObjectType,
        fmt::format(
            "\"{}\" is not {}", name,
            alter.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX ? "an index" : "a sequence"));
  }
  CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *found, found->owner));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                             FindAndLockSequence(name, LockMode::kAccessExclusive));
  CONNBENCH_ASSIGN_OR_RETURN(const auto relations, catalog_.List(transaction_));
  for (const RelationRef& table : relations) {
    for (const ColumnInfo& column : table->columns) {
      if (column.owned_sequence != sequence->oid) continue;
      return Status::Error(sqlstate::kFeatureNotSupported,
                           fmt::format("cannot change owner of sequence \"{}\"", name))
          .WithDetail(fmt::format("Sequence \"{}\" is linked to table \"{}\".", name, table->name));
    }
  }
  return ChangeOwner(sequence, *command.newowner, sql).TakeStatus();
}

Result<RealSession::Outcome> RealSession::RunAlterTable(const PgQuery__Node& statement,
                                                        std::string_view sql, ResultSink& sink) {
  const PgQuery__AlterTableStmt& alter = *statement.alter_table_stmt;
  std::string_view tag;
  switch (alter.objtype) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
      tag = "ALTER TABLE";
      break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
      tag = "ALTER INDEX";
      break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
      tag = "ALTER SEQUENCE";
      break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
      tag = "ALTER VIEW";
      break;
    default:
      return ast::NotSupported(sql, "ALTER of this object", alter.relation->location);
  }
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly(tag));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  const Outcome outcome{tag};
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *alter.relation));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.FindIfExists(transaction_, name));
  if (found == nullptr && alter.missing_ok) {
    Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion,
           fmt::format("relation \"{}\" does not exist, skipping", name));
    return outcome;
  }
  if (found != nullptr && alter.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW &&
      found->kind != RelationKind::kView) {
    return Status::Error(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a view", name));
  }
  // ALTER TABLE s OWNER TO works on sequences, indexes and views, too.
  if (tag != "ALTER TABLE" || (found != nullptr && found->kind != RelationKind::kTable)) {
    CONNBENCH_RETURN_IF_ERROR(AlterOtherOwner(alter, sql, sink));
    return outcome;
  }
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table,
                             FindAndLockTable(planning_context(), sql, *alter.relation,
                                              LockMode::kAccessExclusive, {.ownership = true}));
  CONNBENCH_RETURN_IF_ERROR(CheckNotInUse("ALTER TABLE", *table));
  CONNBENCH_RETURN_IF_ERROR(Alteration(*this, alter, sql, sink, table).Run());
  return outcome;
}

}  // namespace connbench::engine
