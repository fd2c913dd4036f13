// CREATE VIEW, also OR REPLACE.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/stored_view.h"

namespace connbench::engine {
namespace {

// The columns of a view: its query's, with the names that the statement lists.
Result<std::vector<ColumnInfo>> ViewColumns(const PgQuery__ViewStmt& statement,
                                            const std::vector<ColumnDescription>& described) {
  if (statement.n_aliases > described.size()) {
    return Status::Error(sqlstate::kSyntaxError,
                         "CREATE VIEW specifies more column names than columns");
  }
  if (described.size() > static_cast<size_t>(kMaxColumns)) {
    return Status::Error(sqlstate::kTooManyColumns,
                         fmt::format("tables can have at most {} columns", kMaxColumns));
  }
  std::vector<ColumnInfo> columns;
  for (size_t i = 0; i < described.size(); ++i) {
    ColumnInfo column;
    column.name = i < statement.n_aliases ? std::string(ast::StringOf(*statement.aliases[i]))
                                          : described[i].name;
    column.type_oid = described[i].type_oid;
    column.type_modifier = described[i].type_modifier;
    columns.push_back(std::move(column));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (columns[i].name != columns[j].name) continue;
      return Status::Error(sqlstate::kDuplicateColumn,
                           fmt::format("column \"{}\" specified more than once", columns[i].name));
    }
  }
  return columns;
}

// 42P16 unless the new columns begin with the old ones.
Status CheckReplacement(const RelationInfo& view, const std::vector<ColumnInfo>& columns) {
  if (columns.size() < view.columns.size()) {
    return Status::Error(sqlstate::kInvalidTableDefinition, "cannot drop columns from view");
  }
  for (size_t i = 0; i < view.columns.size(); ++i) {
    const ColumnInfo& before = view.columns[i];
    const ColumnInfo& now = columns[i];
    if (before.name != now.name) {
      return Status::Error(sqlstate::kInvalidTableDefinition,
                           fmt::format("cannot change name of view column \"{}\" to \"{}\"",
                                       before.name, now.name))
          .WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    }
    if (before.type_oid != now.type_oid || before.type_modifier != now.type_modifier) {
      return Status::Error(
          sqlstate::kInvalidTableDefinition,
          fmt::format("cannot change data type of view column \"{}\" from {} to {}", before.name,
                      FormatType({before.type_oid, before.type_modifier}),
                      FormatType({now.type_oid, now.type_modifier})));
    }
  }
  return {};
}

}  // namespace

Result<RealSession::Outcome> RealSession::RunCreateView(const ParseTree& tree,
                                                        const PgQuery__Node& node,
                                                        std::string_view text) {
  const std::string& sql = tree.sql();
  const PgQuery__ViewStmt& statement = *node.view_stmt;
  const int location = statement.view->location;
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("CREATE VIEW"));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  const std::string_view persistence = statement.view->relpersistence;
  if (persistence == "t") return ast::NotSupported(sql, "a temporary view", location);
  if (statement.n_options > 0) {
    return ast::NotSupported(sql, "an option of a view", statement.options[0]->def_elem->location);
  }
  if (statement.with_check_option > PG_QUERY__VIEW_CHECK_OPTION__NO_CHECK_OPTION) {
    return ast::NotSupported(sql, "WITH CHECK OPTION", location);
  }
  if (IntoOf(*statement.query->select_stmt) != nullptr) {
    return Status::Error(sqlstate::kFeatureNotSupported, "views must not contain SELECT INTO");
  }
  CONNBENCH_ASSIGN_OR_RETURN(PlannedView planned,
                             PlanView(planning_context(), sql, text, *statement.query, *this));
  if (persistence == "u") {
    return Status::Error(sqlstate::kSyntaxError,
                         "views cannot be unlogged because they do not have storage");
  }
  RelationInfo view;
  view.owner = role_.oid;
  view.view = std::move(planned.info);
  view.view.own_names = statement.n_aliases == 0;
  CONNBENCH_ASSIGN_OR_RETURN(view.columns, ViewColumns(statement, planned.columns));
  CONNBENCH_ASSIGN_OR_RETURN(view.name, ast::NewRelationName(sql, *statement.view));
  RelationRef locked;
  while (statement.replace) {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found,
                               catalog_.FindIfExists(transaction_, view.name));
    if (found == nullptr) break;
    CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *found, found->owner));
    if (found->kind != RelationKind::kView) {
      return Status::Error(sqlstate::kWrongObjectType,
                           fmt::format("\"{}\" is not a view", view.name));
    }
    if (found != locked) {
      CONNBENCH_RETURN_IF_ERROR(
          transaction_.locks().LockRelation(found->oid, LockMode::kAccessExclusive));
      locked = found;
      continue;
    }
    CONNBENCH_RETURN_IF_ERROR(CheckReplacement(*found, view.columns));
    catalog_changed_ = true;
    CONNBENCH_RETURN_IF_ERROR(catalog_
                                  .Alter(transaction_, found,
                                         [&](RelationInfo& changed) {
                                           changed.columns = view.columns;
                                           const Oid rule = changed.view.rule_oid;
                                           changed.view = view.view;
                                           changed.view.rule_oid = rule;
                                         })
                                  .TakeStatus());
    return Outcome{"CREATE VIEW"};
  }
  catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef made, catalog_.CreateView(transaction_, view));
  CONNBENCH_RETURN_IF_ERROR(
      transaction_.locks().LockRelation(made->oid, LockMode::kAccessExclusive));
  return Outcome{"CREATE VIEW"};
}

}  // namespace connbench::engine
