// ALTER TABLE, and what it shares with ALTER SEQUENCE and ALTER INDEX: OWNER TO. Constraints that
// come to a table.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {

Result<RelationRef> RealSession::AddConstraint(RelationRef table,
                                               const PgQuery__Constraint& constraint,
                                               std::string_view sql) {
  if (*constraint.indexname != '\0') {
    return ast::NotSupported(sql, "USING INDEX", constraint.location);
  }
  TableDefinition definition(sql, table->name, *this);
  definition.columns = table->columns;
  definition.indexes = table->indexes;
  CONNBENCH_RETURN_IF_ERROR(definition.AddTableConstraint(constraint));
  if (!definition.foreign_keys.empty()) {
    definition.foreign_keys[0].not_valid = constraint.skip_validation;
    CONNBENCH_ASSIGN_OR_RETURN(table, AddForeignKey(table, definition.foreign_keys[0], sql));
    if (constraint.skip_validation) return table;
    return ValidateForeignKey(table, table->foreign_keys.back().oid);
  }
  if (!definition.checks.empty()) {
    if (table->HasConstraint(TruncateName(constraint.conname))) {
      return Status::Error(sqlstate::kDuplicateObject,
                           fmt::format("constraint \"{}\" for relation \"{}\" already exists",
                                       constraint.conname, table->name));
    }
    return AddCheck(table, constraint, sql);
  }
  catalog_changed_ = true;
  const bool tightened =
      !std::equal(table->columns.begin(), table->columns.end(), definition.columns.begin(),
                  [](const auto& a, const auto& b) { return a.not_null == b.not_null; });
  if (tightened) {
    CONNBENCH_ASSIGN_OR_RETURN(
        table, catalog_.AlterColumns(transaction_, table, std::move(definition.columns)));
  }
  CONNBENCH_ASSIGN_OR_RETURN(table, MakeIndex(table, std::move(definition.indexes.back())));
  CONNBENCH_RETURN_IF_ERROR(BuildIndex(table));
  return table;
}

// What of ALTER TABLE PostgreSQL cannot do to a view; empty: it can.
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

// ALTER TABLE, SEQUENCE, INDEX and VIEW ... OWNER TO, as far as it is not about a table.
Status RealSession::AlterOtherOwner(const PgQuery__AlterTableStmt& alter, std::string_view sql,
                                    ResultSink& sink) {
  const PgQuery__AlterTableCmd& command = *alter.cmds[0]->alter_table_cmd;
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *alter.relation));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.Find(transaction_, name));
  const std::string_view action = TableAction(command.subtype);
  if (found->kind == RelationKind::kView && !action.empty()) {
    CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *found, found->owner));
    return Status::Error(
               sqlstate::kWrongObjectType,
               fmt::format("ALTER action {} cannot be performed on relation \"{}\"", action, name))
        .WithDetail("This operation is not supported for views.");
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
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef table,
                             FindAndLockTable(planning_context(), sql, *alter.relation,
                                              LockMode::kAccessExclusive, {.ownership = true}));
  CONNBENCH_RETURN_IF_ERROR(CheckNotInUse("ALTER TABLE", *table));
  for (const ast::Node* node : ast::List(alter.cmds, alter.n_cmds)) {
    const PgQuery__AlterTableCmd& command = *node->alter_table_cmd;
    switch (command.subtype) {
      case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint: {
        CONNBENCH_ASSIGN_OR_RETURN(table,
                                   AddConstraint(std::move(table), *command.def->constraint, sql));
        break;
      }
      case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint: {
        CONNBENCH_ASSIGN_OR_RETURN(table, DropConstraint(table, command, sink));
        break;
      }
      case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint: {
        CONNBENCH_ASSIGN_OR_RETURN(table, ValidateConstraint(table, command.name));
        break;
      }
      case PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner: {
        CONNBENCH_ASSIGN_OR_RETURN(table, ChangeOwner(table, *command.newowner, sql));
        break;
      }
      case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
      case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull: {
        CONNBENCH_ASSIGN_OR_RETURN(table, AlterColumn(table, command, sql));
        break;
      }
      default:
        return ast::NotSupported(sql, "this form of ALTER TABLE", alter.relation->location);
    }
  }
  return outcome;
}

Result<RelationRef> RealSession::AlterColumn(const RelationRef& table,
                                             const PgQuery__AlterTableCmd& command,
                                             std::string_view sql) {
  const int index = table->FindColumn(command.name);
  if (index < 0) {
    return Status::Error(
        sqlstate::kUndefinedColumn,
        fmt::format("column \"{}\" of relation \"{}\" does not exist", command.name, table->name));
  }
  std::vector<ColumnInfo> columns = table->columns;
  ColumnInfo& column = columns[static_cast<size_t>(index)];
  if (column.identity != Identity::kNone) {
    Status status =
        Status::Error(sqlstate::kSyntaxError,
                      fmt::format("column \"{}\" of relation \"{}\" is an identity column",
                                  command.name, table->name));
    const bool drops_default =
        command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault && command.def == nullptr;
    if (!drops_default) return status;
    return std::move(status).WithHint(
        "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.");
  }
  if (command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull) {
    const IndexInfo* primary = table->primary_key();
    if (primary != nullptr && std::find(primary->key_columns.begin(), primary->key_columns.end(),
                                        index) != primary->key_columns.end()) {
      return Status::Error(sqlstate::kInvalidTableDefinition,
                           fmt::format("column \"{}\" is in a primary key", command.name));
    }
    column.not_null = false;
  } else if (command.def == nullptr) {
    column.default_sql.clear();
    column.default_sequences.clear();
  } else {
    std::vector<std::string> sequences;
    CONNBENCH_ASSIGN_OR_RETURN(column.default_sql,
                               DefaultText(sql, *command.def, column, *this, sequences));
    CONNBENCH_RETURN_IF_ERROR(ResolveDefaultSequences(sequences, column));
  }
  catalog_changed_ = true;
  return catalog_.AlterColumns(transaction_, table, std::move(columns));
}

}  // namespace connbench::engine
