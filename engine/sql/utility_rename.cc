// ALTER ... RENAME of tables, views and their columns.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/stored_expression.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

// "ALTER TABLE"; empty for what is not renamed here.
std::string_view RenameTag(const PgQuery__RenameStmt& rename) {
  const bool column = rename.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN;
  switch (column ? rename.relation_type : rename.rename_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
      return "ALTER TABLE";
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
      return "ALTER VIEW";
    default:
      return {};
  }
}

}  // namespace

Result<RelationRef> RealSession::RenameColumn(const RelationRef& relation,
                                              const PgQuery__RenameStmt& rename) {
  const bool has_system_columns = relation->kind == RelationKind::kTable;
  const int column = relation->FindColumn(rename.subname);
  if (column < 0) {
    if (has_system_columns && IsSystemColumn(rename.subname)) {
      return Status::Error(sqlstate::kFeatureNotSupported,
                           fmt::format("cannot rename system column \"{}\"", rename.subname));
    }
    return Status::Error(sqlstate::kUndefinedColumn,
                         fmt::format("column \"{}\" does not exist", rename.subname));
  }
  if (has_system_columns && IsSystemColumn(rename.newname)) {
    return Status::Error(
        sqlstate::kDuplicateColumn,
        fmt::format("column name \"{}\" conflicts with a system column name", rename.newname));
  }
  if (relation->FindColumn(rename.newname) >= 0) {
    return Status::Error(sqlstate::kDuplicateColumn,
                         fmt::format("column \"{}\" of relation \"{}\" already exists",
                                     rename.newname, relation->name));
  }
  // The conditions of checks are kept as text, with the columns' names.
  std::vector<std::string> names;
  for (const ColumnInfo& each : relation->columns) names.push_back(each.name);
  names[static_cast<size_t>(column)] = rename.newname;
  std::vector<CheckInfo> checks = relation->checks;
  for (CheckInfo& check : checks) {
    Arena arena;
    arena.set_interrupts(this);
    CONNBENCH_ASSIGN_OR_RETURN(const Expression* condition,
                               ReadStoredCheck(*relation, check, arena));
    CONNBENCH_ASSIGN_OR_RETURN(check.sql, PrintStoredExpression(*condition, names));
  }
  catalog_changed_ = true;
  return catalog_.Alter(transaction_, relation, [&](RelationInfo& changed) {
    changed.columns[static_cast<size_t>(column)].name = rename.newname;
    changed.checks = checks;
    changed.view.own_names = false;
  });
}

Result<RealSession::Outcome> RealSession::RunRename(const PgQuery__Node& statement,
                                                    std::string_view sql, int location,
                                                    ResultSink& sink) {
  const PgQuery__RenameStmt& rename = *statement.rename_stmt;
  const std::string_view tag = RenameTag(rename);
  if (tag.empty()) {
    return ast::NotSupported(sql, "RENAME of this object",
                             rename.relation != nullptr ? rename.relation->location : location);
  }
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly(tag));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *rename.relation));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.FindIfExists(transaction_, name));
  if (found == nullptr && rename.missing_ok) {
    Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion,
           fmt::format("relation \"{}\" does not exist, skipping", name));
    return Outcome{tag};
  }
  if (found != nullptr) {
    CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *found, found->owner));
    if (tag == "ALTER VIEW" && found->kind != RelationKind::kView) {
      return Status::Error(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a view", name));
    }
    // Others' names stand in the texts of defaults, or in two rows.
    if (found->kind == RelationKind::kIndex || found->kind == RelationKind::kSequence) {
      return ast::NotSupported(sql, "RENAME of this object", rename.relation->location);
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      const RelationRef relation,
      FindAndLockTable(planning_context(), sql, *rename.relation, LockMode::kAccessExclusive,
                       {.ownership = true, .or_view = true}));
  if (rename.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN) {
    CONNBENCH_RETURN_IF_ERROR(RenameColumn(relation, rename).TakeStatus());
    return Outcome{tag};
  }
  catalog_changed_ = true;
  CONNBENCH_RETURN_IF_ERROR(catalog_.Rename(transaction_, relation, rename.newname).TakeStatus());
  return Outcome{tag};
}

}  // namespace connbench::engine
