// INSERT, and what it shares with UPDATE and DELETE: columns that are named, RETURNING.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/modify_nodes.h"
#include "engine/executor/nodes/result_nodes.h"
#include "engine/executor/nodes/upsert_node.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/planner.h"

namespace connbench::engine {

Result<std::vector<Planner::Target>> Planner::AnalyzeReturning(ast::Node* const* items,
                                                               size_t count, const Scope& scope) {
  std::vector<Target> targets;
  ExpressionAnalyzer analyzer = MakeAnalyzer(scope);
  for (const ast::Node* item : ast::List(items, count)) {
    const PgQuery__ResTarget& target = *item->res_target;
    if (target.val->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
      const PgQuery__ColumnRef& reference = *target.val->column_ref;
      if (reference.fields[reference.n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR) {
        CONNBENCH_RETURN_IF_ERROR(ExpandStar(reference, scope, targets));
        continue;
      }
    }
    CONNBENCH_ASSIGN_OR_RETURN(Expression * expression, analyzer.Analyze(*target.val, "RETURNING"));
    CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.ResolveUnknown(expression));
    targets.push_back({expression, *target.name != '\0'
                                       ? target.name
                                       : OutputColumnName(*target.val, subquery_names_)});
  }
  if (count > 0 && targets.empty()) {
    return Status::Error(sqlstate::kSyntaxError, "RETURNING must have at least one column",
                         CharacterPosition(sql_, ast::LocationOf(*items[0])));
  }
  plan_->returns_rows = count > 0;
  return targets;
}

Status Planner::NoSuchColumn(const RelationInfo& table, std::string_view column,
                             int location) const {
  return Status::Error(
      sqlstate::kUndefinedColumn,
      fmt::format("column \"{}\" of relation \"{}\" does not exist", column, table.name),
      CharacterPosition(sql_, location));
}

void Planner::NoteReads(const RelationInfo& table,
                        std::initializer_list<const Expression*> expressions,
                        const std::vector<Target>& returning) {
  // Its columns are the first of the row.
  bool reads = false;
  const auto look = [&](const Expression* expression) {
    if (expression == nullptr) return;
    ForEachColumn(*expression, [&](const Expression& column) {
      reads |= static_cast<size_t>(column.index) < table.columns.size();
    });
  };
  for (const Expression* expression : expressions) look(expression);
  for (const Target& target : returning) look(target.expression);
  if (!reads) return;
  for (PlanTable& used : plan_->tables) {
    if (used.oid == table.oid && used.reader == 0) used.needs |= privilege::kSelect;
  }
}

std::vector<const Expression*> Planner::ExpressionsOf(const std::vector<Target>& targets) {
  std::vector<const Expression*> expressions;
  expressions.reserve(targets.size());
  for (const Target& target : targets) expressions.push_back(target.expression);
  return expressions;
}

Result<std::vector<int>> Planner::InsertColumns(const PgQuery__InsertStmt& insert,
                                                const RelationInfo& table) {
  std::vector<int> columns;
  for (const ast::Node* node : ast::List(insert.cols, insert.n_cols)) {
    const PgQuery__ResTarget& target = *node->res_target;
    if (target.n_indirection > 0) {
      return NotSupported("assigning to a part of a column", target.location);
    }
    const int column = table.FindColumn(target.name);
    if (column < 0) return NoSuchColumn(table, target.name, target.location);
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return Status::Error(sqlstate::kDuplicateColumn,
                           fmt::format("column \"{}\" specified more than once", target.name),
                           CharacterPosition(sql_, target.location));
    }
    columns.push_back(column);
  }
  if (insert.n_cols == 0) {
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (!table.columns[i].dropped) columns.push_back(static_cast<int>(i));
    }
  }
  return columns;
}

// Rows as wide as the table: given values in their column's type, defaults for the others.
Result<PlanNodePtr> Planner::PlanInsertRows(const PgQuery__InsertStmt& insert,
                                            const RelationInfo& table,
                                            const std::vector<int>& columns) {
  const size_t width = table.columns.size();
  std::vector<const Expression*> defaults(width, nullptr);
  const auto default_of = [&](size_t column) -> Result<const Expression*> {
    if (defaults[column] == nullptr) {
      CONNBENCH_ASSIGN_OR_RETURN(defaults[column],
                                 AnalyzeDefault(table.columns[column], plan_->arena));
    }
    return defaults[column];
  };
  const auto coerce = [&](Expression* value, int column, int location) {
    const ColumnInfo& info = table.columns[static_cast<size_t>(column)];
    return builder_.CoerceForColumn(value, {info.type_oid, info.type_modifier}, info.name,
                                    location);
  };
  // Whether what the client gives for the column counts: an identity column may insist on its own.
  const bool user_value = insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE;
  const bool system_value = insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE;
  const auto takes_value = [&](int column) -> Result<bool> {
    const ColumnInfo& info = table.columns[static_cast<size_t>(column)];
    if (info.identity == Identity::kNone) return true;
    if (user_value) return false;
    if (info.identity == Identity::kByDefault || system_value) return true;
    return Status::Error(
               sqlstate::kGeneratedAlways,
               fmt::format("cannot insert a non-DEFAULT value into column \"{}\"", info.name))
        .WithDetail(fmt::format("Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                                info.name))
        .WithHint("Use OVERRIDING SYSTEM VALUE to override.");
  };
  const auto check_count = [&](size_t given, int extra_location, int first_location) -> Status {
    if (given > columns.size()) {
      return Status::Error(sqlstate::kSyntaxError,
                           "INSERT has more expressions than target columns",
                           CharacterPosition(sql_, extra_location));
    }
    if (insert.n_cols > 0 && given < columns.size()) {
      return Status::Error(sqlstate::kSyntaxError,
                           "INSERT has more target columns than expressions",
                           CharacterPosition(sql_, first_location));
    }
    return {};
  };

  std::vector<const Expression*> rows;
  if (insert.select_stmt == nullptr) {  // DEFAULT VALUES
    for (size_t i = 0; i < width; ++i) {
      CONNBENCH_ASSIGN_OR_RETURN(const Expression* value, default_of(i));
      rows.push_back(value);
    }
    return PlanNodePtr(std::make_unique<ValuesNode>(std::move(rows), width, 1));
  }
  const PgQuery__SelectStmt& select = *insert.select_stmt->select_stmt;
  if (select.n_values_lists > 0 && select.n_sort_clause == 0 && select.limit_count == nullptr &&
      select.limit_offset == nullptr && select.with_clause == nullptr) {
    const Scope empty = EmptyScope();
    ExpressionAnalyzer analyzer = MakeAnalyzer(empty);
    const size_t first_count = select.values_lists[0]->list->n_items;
    rows.reserve(select.n_values_lists * width);
    for (const ast::Node* list_node : ast::List(select.values_lists, select.n_values_lists)) {
      const PgQuery__List& list = *list_node->list;
      if (list.n_items != first_count) {
        return Status::Error(sqlstate::kSyntaxError, "VALUES lists must all be the same length",
                             CharacterPosition(sql_, ast::LocationOf(*list_node)));
      }
      const size_t shown = columns.size() < list.n_items ? columns.size() : 0;
      const int missing =
          insert.n_cols > list.n_items ? insert.cols[list.n_items]->res_target->location : -1;
      CONNBENCH_RETURN_IF_ERROR(
          check_count(list.n_items, ast::LocationOf(*list.items[shown]), missing));
      const size_t row = rows.size();
      rows.resize(row + width, nullptr);
      for (size_t i = 0; i < list.n_items; ++i) {
        const ast::Node& item = *list.items[i];
        const Expression*& place = rows[row + static_cast<size_t>(columns[i])];
        if (item.node_case == PG_QUERY__NODE__NODE_SET_TO_DEFAULT) continue;
        CONNBENCH_ASSIGN_OR_RETURN(Expression * value, analyzer.Analyze(item, "VALUES"));
        CONNBENCH_ASSIGN_OR_RETURN(Expression * fitting,
                                   coerce(value, columns[i], ast::LocationOf(item)));
        CONNBENCH_ASSIGN_OR_RETURN(const bool taken, takes_value(columns[i]));
        if (taken) place = fitting;
      }
      for (size_t i = 0; i < width; ++i) {
        if (rows[row + i] != nullptr) continue;
        CONNBENCH_ASSIGN_OR_RETURN(rows[row + i], default_of(i));
      }
    }
    auto node = std::make_unique<ValuesNode>(std::move(rows), width, select.n_values_lists);
    node->estimated_rows = static_cast<double>(select.n_values_lists);
    return PlanNodePtr(std::move(node));
  }

  std::vector<Target> targets;
  const auto unknown_target = [&](size_t target, Expression* expression) {
    return target < columns.size() ? coerce(expression, columns[target], expression->location)
                                   : builder_.ResolveUnknown(expression);
  };
  CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr query, PlanQuery(select, false, targets, unknown_target));
  const int first_location =
      select.n_target_list > 0 ? ast::LocationOf(*select.target_list[0]) : -1;
  CONNBENCH_RETURN_IF_ERROR(check_count(
      targets.size(),
      targets.size() > columns.size() ? targets[columns.size()].expression->location : -1,
      first_location));
  rows.resize(width, nullptr);
  for (size_t i = 0; i < targets.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * column,
                               builder_.Column(static_cast<int>(i), targets[i].expression->type,
                                               targets[i].expression->location));
    CONNBENCH_ASSIGN_OR_RETURN(column, coerce(column, columns[i], targets[i].expression->location));
    CONNBENCH_ASSIGN_OR_RETURN(const bool taken, takes_value(columns[i]));
    if (taken) rows[static_cast<size_t>(columns[i])] = column;
  }
  for (size_t i = 0; i < width; ++i) {
    if (rows[i] != nullptr) continue;
    CONNBENCH_ASSIGN_OR_RETURN(rows[i], default_of(i));
  }
  return PlanNodePtr(std::make_unique<ProjectNode>(std::move(query), std::move(rows)));
}

Status Planner::PlanInsert(const PgQuery__InsertStmt& insert) {
  const Level level(*this);
  CONNBENCH_RETURN_IF_ERROR(AnalyzeWith(insert.with_clause));
  FromClause from;
  CONNBENCH_RETURN_IF_ERROR(
      AddTable(*insert.relation, LockMode::kRowExclusive, privilege::kInsert, from));
  const PgQuery__OnConflictClause* on_conflict = insert.on_conflict_clause;
  if (on_conflict != nullptr) AddExcluded(from);
  MakeFrame(from);
  const Source& source = from.sources[0];
  const RelationInfo& table = *source.relation;
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<int> columns, InsertColumns(insert, table));
  CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr rows, PlanInsertRows(insert, table, columns));
  ConflictRule rule;
  if (on_conflict != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(rule, AnalyzeConflict(*on_conflict, from));
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      const std::vector<Target> returning,
      AnalyzeReturning(insert.returning_list, insert.n_returning_list, from.scope));
  NoteReads(table, {}, returning);
  DescribeReturning(returning, from);
  if (on_conflict == nullptr) {
    plan_->root =
        std::make_unique<InsertNode>(source.table, std::move(rows), ExpressionsOf(returning));
  } else {
    plan_->root = std::make_unique<UpsertNode>(source.table, std::move(rows), std::move(rule),
                                               ExpressionsOf(returning));
  }
  plan_->kind = PlanKind::kInsert;
  plan_->writes = true;
  return {};
}

}  // namespace connbench::engine
