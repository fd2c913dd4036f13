// Select lists, and what ORDER BY and GROUP BY say of them.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

// PostgreSQL's limit of a result's columns, those that only serve the order included.
constexpr size_t kMaxTargets = 1664;

bool IsStar(const ast::Node& node) {
  if (node.node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return false;
  const PgQuery__ColumnRef& reference = *node.column_ref;
  return reference.fields[reference.n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

// A bare column name, as ORDER BY and GROUP BY may use for an output column; empty otherwise.
std::string_view BareName(const ast::Node& node) {
  if (node.node_case != PG_QUERY__NODE__NODE_COLUMN_REF || node.column_ref->n_fields != 1)
    return {};
  return ast::StringOf(*node.column_ref->fields[0]);
}

// Plain DISTINCT is a list with one empty node.
bool IsPlainDistinct(const PgQuery__SelectStmt& select) {
  return select.n_distinct_clause > 0 &&
         select.distinct_clause[0]->node_case == PG_QUERY__NODE__NODE__NOT_SET;
}

}  // namespace

Status Planner::CheckTargetCount(size_t count) {
  if (count <= kMaxTargets) return {};
  return Status::Error(sqlstate::kTooManyColumns,
                       fmt::format("target lists can have at most {} entries", kMaxTargets));
}

Status Planner::ExpandStar(const PgQuery__ColumnRef& reference, const Scope& scope,
                           std::vector<Target>& targets) {
  if (reference.n_fields > 3) {
    return NotSupported("a database's name in front of a column", reference.location);
  }
  const auto expand = [&](const Scope& owner, const ScopeItem& item) -> Status {
    for (const ScopeColumn& each : item.columns) {
      if (each.hidden) continue;
      CONNBENCH_ASSIGN_OR_RETURN(Expression * column,
                                 ReferToColumn(builder_, scope, owner, each, reference.location));
      targets.push_back({column, each.name});
    }
    return {};
  };
  if (reference.n_fields > 1) {
    CONNBENCH_ASSIGN_OR_RETURN(const ResolvedItem found, ResolveItem(sql_, scope, reference));
    return expand(*found.scope, *found.item);
  }
  if (scope.items.empty()) {
    return Status::Error(sqlstate::kSyntaxError, "SELECT * with no tables specified is not valid",
                         CharacterPosition(sql_, reference.location));
  }
  for (const ScopeItem& item : scope.items) {
    if (item.names_columns && item.in_reach) CONNBENCH_RETURN_IF_ERROR(expand(scope, item));
  }
  return {};
}

Status Planner::AnalyzeTargets(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                               const Scope& scope, bool resolve_unknown,
                               std::vector<Target>& targets) {
  for (const ast::Node* item : ast::List(select.target_list, select.n_target_list)) {
    const PgQuery__ResTarget& target = *item->res_target;
    if (IsStar(*target.val)) {
      CONNBENCH_RETURN_IF_ERROR(ExpandStar(*target.val->column_ref, scope, targets));
      continue;
    }
    CONNBENCH_ASSIGN_OR_RETURN(Expression * expression, analyzer.AnalyzeTarget(*target.val));
    if (resolve_unknown) {
      CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.ResolveUnknown(expression));
    }
    targets.push_back({expression, *target.name != '\0'
                                       ? target.name
                                       : OutputColumnName(*target.val, subquery_names_)});
  }
  return CheckTargetCount(targets.size());
}

// What an ORDER BY or GROUP BY item means: an output column by number or name, or an expression
// over the input, which becomes an invisible target if it is not one already. An output column that
// is still unknown becomes text, since only then can it be ordered.
Result<size_t> Planner::FindOrAddTarget(const ast::Node& node, std::string_view clause,
                                        ExpressionAnalyzer& analyzer, const Scope& scope,
                                        size_t visible, bool prefer_column, bool may_add,
                                        std::vector<Target>& targets) {
  // Only an error looks the position up: that reads the whole text.
  const auto position = [&] { return CharacterPosition(sql_, ast::LocationOf(node)); };
  const auto take = [&](size_t target) -> Result<size_t> {
    Expression*& expression = targets[target].expression;
    CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.ResolveUnknown(expression));
    return target;
  };
  if (node.node_case == PG_QUERY__NODE__NODE_A_CONST) {
    const PgQuery__AConst& constant = *node.a_const;
    if (constant.isnull || constant.val_case != PG_QUERY__A__CONST__VAL_IVAL) {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("non-integer constant in {}", clause), position());
    }
    const int number = constant.ival->ival;
    if (number < 1 || static_cast<size_t>(number) > visible) {
      return Status::Error(sqlstate::kInvalidColumnReference,
                           fmt::format("{} position {} is not in select list", clause, number),
                           position());
    }
    return take(static_cast<size_t>(number) - 1);
  }
  const std::string_view name = BareName(node);
  bool ambiguous = false;
  if (!name.empty() && !(prefer_column && scope.Find(name, ambiguous) != nullptr)) {
    std::optional<size_t> found;
    for (size_t i = 0; i < visible; ++i) {
      if (targets[i].name != name) continue;
      if (found && !SameExpression(*targets[*found].expression, *targets[i].expression)) {
        return Status::Error(sqlstate::kAmbiguousColumn,
                             fmt::format("{} \"{}\" is ambiguous", clause, name), position());
      }
      if (!found) found = i;
    }
    if (found) return take(*found);
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression * expression,
                             analyzer.Analyze(node, clause, !prefer_column));
  CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.ResolveUnknown(expression));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (SameExpression(*targets[i].expression, *expression)) return i;
  }
  if (!may_add) {
    return Status::Error(sqlstate::kInvalidColumnReference,
                         "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                         position());
  }
  targets.push_back({expression, ""});
  CONNBENCH_RETURN_IF_ERROR(CheckTargetCount(targets.size()));
  return targets.size() - 1;
}

Status Planner::AnalyzeOrderBy(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                               const Scope& scope, size_t visible, std::vector<Target>& targets,
                               std::vector<OrderItem>& order) {
  for (const ast::Node* node : ast::List(select.sort_clause, select.n_sort_clause)) {
    const PgQuery__SortBy& sort = *node->sort_by;
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
      return NotSupported("ORDER BY ... USING", ast::LocationOf(*node));
    }
    CONNBENCH_ASSIGN_OR_RETURN(const size_t target,
                               FindOrAddTarget(*sort.node, "ORDER BY", analyzer, scope, visible,
                                               false, !IsPlainDistinct(select), targets));
    CONNBENCH_RETURN_IF_ERROR(
        builder_.RequireOrder(targets[target].expression->type, ast::LocationOf(*sort.node)));
    order.push_back({target, ast::IsDescending(sort), ast::PutsNullsFirst(sort)});
  }
  return {};
}

Status Planner::AnalyzeGroupBy(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                               const Scope& scope, size_t visible, std::vector<Target>& targets,
                               std::vector<Expression*>& groups) {
  std::vector<Target> known = targets;  // and the keys that are in no list
  for (const ast::Node* node : ast::List(select.group_clause, select.n_group_clause)) {
    if (node->node_case == PG_QUERY__NODE__NODE_GROUPING_SET) {
      return NotSupported("GROUPING SETS, CUBE or ROLLUP", ast::LocationOf(*node));
    }
    CONNBENCH_ASSIGN_OR_RETURN(
        const size_t target,
        FindOrAddTarget(*node, "GROUP BY", analyzer, scope, visible, true, true, known));
    Expression* key = known[target].expression;
    CONNBENCH_RETURN_IF_ERROR(builder_.RequireEquality(key->type, ast::LocationOf(*node)));
    if (target < targets.size()) targets[target].expression = key;
    // An ordinal or a name may mean a target that is made of the groups.
    const Expression* aggregate = nullptr;
    ForEachColumn(*key, [&](const Expression& column) {
      const bool is_aggregate = column.index >= ExpressionAnalyzer::kFirstAggregateColumn &&
                                column.index < ExpressionAnalyzer::kFirstWindowColumn;
      if (is_aggregate) aggregate = &column;
    });
    if (aggregate != nullptr) {
      return Status::Error(sqlstate::kGroupingError,
                           "aggregate functions are not allowed in GROUP BY",
                           builder_.PositionOf(aggregate->location));
    }
    if (const Expression* window = ExpressionAnalyzer::FindWindowResult(*key)) {
      return Status::Error(sqlstate::kWindowingError,
                           "window functions are not allowed in GROUP BY",
                           builder_.PositionOf(window->location));
    }
    if (key->kind == ExpressionKind::kUnnest) {
      return NotSupported("GROUP BY a set-returning function", ast::LocationOf(*node));
    }
    // A key that is there already groups nothing further.
    if (std::find(groups.begin(), groups.end(), key) == groups.end()) groups.push_back(key);
  }
  return {};
}

// DISTINCT ON is about its own items; what ORDER BY says of them must come before anything else.
Status Planner::AnalyzeDistinctOn(const PgQuery__SelectStmt& select, Query& query) {
  if (select.n_distinct_clause == 0) return {};
  if (IsPlainDistinct(select)) {
    for (size_t i = 0; i < query.visible; ++i) {
      const Expression& target = *query.targets[i].expression;
      CONNBENCH_RETURN_IF_ERROR(builder_.RequireEquality(target.type, target.location));
    }
    return {};
  }
  std::vector<size_t> items;
  for (const ast::Node* node : ast::List(select.distinct_clause, select.n_distinct_clause)) {
    CONNBENCH_ASSIGN_OR_RETURN(
        const size_t target,
        FindOrAddTarget(*node, "DISTINCT ON", *query.analyzer, query.from.scope, query.visible,
                        false, true, query.targets));
    CONNBENCH_RETURN_IF_ERROR(
        builder_.RequireEquality(query.targets[target].expression->type, ast::LocationOf(*node)));
    items.push_back(target);
  }
  const auto mismatch = [&](size_t item) {
    return Status::Error(sqlstate::kInvalidColumnReference,
                         "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                         builder_.PositionOf(ast::LocationOf(*select.distinct_clause[item])));
  };
  bool skipped = false;  // an item of ORDER BY that DISTINCT ON does not have
  const auto add = [&query](size_t target) {
    const bool known = std::find(query.distinct_on.begin(), query.distinct_on.end(), target) !=
                       query.distinct_on.end();
    if (!known) query.distinct_on.push_back(target);
    return !known;
  };
  for (const OrderItem& order : query.order) {
    const auto item = std::find(items.begin(), items.end(), order.target);
    if (item == items.end()) {
      skipped = true;
    } else if (add(order.target) && skipped) {
      return mismatch(static_cast<size_t>(item - items.begin()));
    }
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (add(items[i]) && skipped) return mismatch(i);
  }
  return {};
}

}  // namespace connbench::engine
