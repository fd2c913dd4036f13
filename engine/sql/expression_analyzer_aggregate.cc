// Aggregates in expressions, and what is said of them in calls of other functions.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/ast.h"
#include "engine/sql/correlation.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {

using ast::Node;
using ast::StringOf;

namespace {

bool ReadsCells(const Expression& expression) {
  if (expression.kind == ExpressionKind::kCell) return true;
  return std::any_of(expression.args().begin(), expression.args().end(),
                     [](const Expression* argument) { return ReadsCells(*argument); });
}

// As in SQL: one over nothing but columns of outer queries.
bool IsOfOuterQuery(const AggregateCall& aggregate) {
  bool reads_cells = false;
  std::vector<const Expression*> parts(aggregate.arguments.begin(), aggregate.arguments.end());
  if (aggregate.filter != nullptr) parts.push_back(aggregate.filter);
  for (const AggregateOrder& order : aggregate.order) parts.push_back(order.expression);
  for (const Expression* part : parts) {
    if (part->has_columns) return false;
    reads_cells = reads_cells || ReadsCells(*part);
  }
  return reads_cells;
}

}  // namespace

bool SameCall(const AggregateCall& a, const AggregateCall& b) {
  const bool alike = a.function == b.function && a.distinct == b.distinct &&
                     a.arguments.size() == b.arguments.size() && a.order.empty() &&
                     b.order.empty() && (a.filter == nullptr) == (b.filter == nullptr);
  if (!alike || (a.filter != nullptr && !SameExpression(*a.filter, *b.filter))) return false;
  for (size_t i = 0; i < a.arguments.size(); ++i) {
    if (a.arguments[i]->volatility == Volatility::kVolatile ||
        !SameExpression(*a.arguments[i], *b.arguments[i])) {
      return false;
    }
  }
  return true;
}

std::string WrittenName(const PgQuery__FuncCall& call) {
  std::vector<std::string_view> parts;
  for (const Node* part : ast::List(call.funcname, call.n_funcname)) {
    parts.push_back(StringOf(*part));
  }
  return fmt::format("{}", fmt::join(parts, "."));
}

Result<Expression*> ExpressionAnalyzer::VisitFilter(const PgQuery__FuncCall& call) {
  if (call.agg_filter == nullptr) return static_cast<Expression*>(nullptr);
  const std::string_view clause = std::exchange(clause_, "FILTER");
  const bool allowed = std::exchange(allow_aggregates_, false);
  const bool inside = std::exchange(inside_aggregate_, false);
  Result<Expression*> filter = Visit(*call.agg_filter);
  clause_ = clause;
  allow_aggregates_ = allowed;
  inside_aggregate_ = inside;
  if (!filter.ok()) return filter;
  return builder_.CoerceToBoolean(*filter, "FILTER");
}

Result<std::vector<Expression*>> ExpressionAnalyzer::VisitArguments(const PgQuery__FuncCall& call) {
  CONNBENCH_ASSIGN_OR_RETURN(auto arguments, VisitList(call.args, call.n_args));
  // Only with WITHIN GROUP are they arguments, too.
  for (const Node* item : ast::List(call.agg_order, call.agg_within_group ? call.n_agg_order : 0)) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * argument, Visit(*item->sort_by->node));
    arguments.push_back(argument);
  }
  return arguments;
}

Status ExpressionAnalyzer::RefuseAggregateSyntax(const Node& node, std::string_view name) {
  const PgQuery__FuncCall& call = *node.func_call;
  const std::string written = WrittenName(call);
  CONNBENCH_ASSIGN_OR_RETURN(const auto arguments, VisitArguments(call));
  CONNBENCH_RETURN_IF_ERROR(VisitFilter(call).status());
  CONNBENCH_RETURN_IF_ERROR(CheckArgumentCount(arguments.size(), call.location));
  // PostgreSQL looks what the name means before it says what may not be said of it.
  Status found = builder_.CheckFunction(name, arguments, call.location, written);
  if (found.code() == sqlstate::kUndefinedFunction && call.n_agg_order > 0 &&
      !call.agg_within_group) {
    return std::move(found).WithHint(
        "No aggregate function matches the given name and argument types. Perhaps you misplaced "
        "ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.");
  }
  if (!found.ok()) return found;
  const std::string what = call.agg_star           ? written + "(*)"
                           : call.agg_distinct     ? "DISTINCT"
                           : call.agg_within_group ? "WITHIN GROUP"
                           : call.n_agg_order > 0  ? "ORDER BY"
                           : call.agg_filter       ? "FILTER"
                                                   : "OVER";
  return Status::Error(sqlstate::kWrongObjectType,
                       fmt::format("{} specified, but {} is not {}", what, written,
                                   what == "OVER" ? "a window function nor an aggregate function"
                                                  : "an aggregate function"),
                       builder_.PositionOf(call.location));
}

Result<Expression*> ExpressionAnalyzer::VisitAggregate(const Node& node, std::string_view name) {
  const PgQuery__FuncCall& call = *node.func_call;
  // Only an error looks the position up: that reads the whole text.
  const auto position = [&] { return builder_.PositionOf(call.location); };
  Status misplaced;
  if (inside_aggregate_) {
    misplaced = Status::Error(sqlstate::kGroupingError, "aggregate function calls cannot be nested",
                              position());
  } else if (!allow_aggregates_) {
    misplaced = Status::Error(sqlstate::kGroupingError,
                              fmt::format("aggregate functions are not allowed in {}", clause_),
                              position());
  }
  // In a subquery it may be one of the query around, which its arguments will show.
  if (!misplaced.ok() && scope_.correlation == nullptr) return misplaced;
  CONNBENCH_RETURN_IF_ERROR(CheckArgumentCount(call.n_args, call.location));
  if (call.n_args == 0 && !call.agg_star && name == "count") {
    return Status::Error(sqlstate::kWrongObjectType,
                         "count(*) must be used to call a parameterless aggregate function",
                         position());
  }
  if (call.agg_within_group) return NotSupported("WITHIN GROUP", call.location);
  const bool was_inside = std::exchange(inside_aggregate_, true);
  Result<std::vector<Expression*>> arguments = VisitList(call.args, call.n_args);
  Result<Expression*> filter(static_cast<Expression*>(nullptr));
  if (arguments.ok()) filter = VisitFilter(call);
  Result<std::span<AggregateOrder>> order(std::span<AggregateOrder>{});
  if (arguments.ok() && filter.ok()) order = VisitAggregateOrder(call, *arguments);
  inside_aggregate_ = was_inside;
  if (!arguments.ok()) return arguments.TakeStatus();
  if (!filter.ok()) return filter.TakeStatus();
  if (!order.ok()) return order.TakeStatus();
  CONNBENCH_ASSIGN_OR_RETURN(
      AggregateCall aggregate,
      FindAggregate(builder_, name, *arguments, call.agg_star, call.agg_distinct, call.location,
                    call.n_funcname == 1 ? std::string() : WrittenName(call)));
  aggregate.filter = *filter;
  aggregate.order = *order;
  if (!window_calls_.empty()) CONNBENCH_RETURN_IF_ERROR(CheckHasNoWindow(aggregate));
  if (scope_.correlation != nullptr && IsOfOuterQuery(aggregate)) {
    return NotSupported("an aggregate of an outer query", call.location);
  }
  CONNBENCH_RETURN_IF_ERROR(std::move(misplaced));
  // One that is there already is computed once, and is the same column.
  const auto same =
      std::find_if(aggregates_.begin(), aggregates_.end(),
                   [&aggregate](const AggregateCall& each) { return SameCall(each, aggregate); });
  const auto place = same - aggregates_.begin();
  if (same == aggregates_.end()) aggregates_.push_back(aggregate);
  return builder_.Column(kFirstAggregateColumn + static_cast<int>(place), aggregate.type,
                         call.location);
}

Status ExpressionAnalyzer::CheckHasNoWindow(const AggregateCall& aggregate) const {
  const Expression* found = nullptr;
  const auto look = [&found](const Expression& part) {
    if (found == nullptr) found = FindWindowResult(part);
  };
  for (const Expression* argument : aggregate.arguments) look(*argument);
  for (const AggregateOrder& order : aggregate.order) look(*order.expression);
  if (found == nullptr) return {};
  return Status::Error(sqlstate::kGroupingError,
                       "aggregate function calls cannot contain window function calls",
                       builder_.PositionOf(found->location));
}

Result<std::span<AggregateOrder>> ExpressionAnalyzer::VisitAggregateOrder(
    const PgQuery__FuncCall& call, std::span<Expression* const> arguments) {
  const auto order = builder_.arena().NewArray<AggregateOrder>(call.n_agg_order);
  if (order.size() != call.n_agg_order) return builder_.arena().OutOfMemory();
  for (size_t i = 0; i < order.size(); ++i) {
    const PgQuery__SortBy& sort = *call.agg_order[i]->sort_by;
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
      return NotSupported("ORDER BY ... USING", ast::LocationOf(*call.agg_order[i]));
    }
    CONNBENCH_ASSIGN_OR_RETURN(Expression * expression, Visit(*sort.node));
    CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.ResolveUnknown(expression));
    CONNBENCH_RETURN_IF_ERROR(builder_.RequireOrder(expression->type, expression->location));
    const bool is_argument = std::any_of(
        arguments.begin(), arguments.end(),
        [&](const Expression* argument) { return SameExpression(*argument, *expression); });
    if (call.agg_distinct && !is_argument) {
      return Status::Error(sqlstate::kInvalidColumnReference,
                           "in an aggregate with DISTINCT, ORDER BY expressions must appear in "
                           "argument list",
                           builder_.PositionOf(ast::LocationOf(*sort.node)));
    }
    order[i] = {expression, ast::IsDescending(sort), ast::PutsNullsFirst(sort)};
  }
  return order;
}

}  // namespace connbench::engine
