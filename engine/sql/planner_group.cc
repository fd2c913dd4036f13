// GROUP BY, aggregates, HAVING: expressions over the input become expressions over the groups.

#include <fmt/format.h>

#include "engine/executor/expression/rewrite.h"
#include "engine/executor/nodes/aggregate_node.h"
#include "engine/sql/planner.h"

namespace connbench::engine {

// A group's row has the grouping expressions' values, then the aggregates' results.
Result<Expression*> Planner::RewriteOverGroups(Expression* expression,
                                               const std::vector<Expression*>& groups,
                                               const Scope& scope, bool in_subquery) {
  // A literal or a parameter is itself, also where a key happens to equal it.
  const bool is_leaf = expression->kind == ExpressionKind::kConstant ||
                       expression->kind == ExpressionKind::kParameter;
  for (size_t i = 0; i < groups.size() && !is_leaf; ++i) {
    if (SameExpression(*expression, *groups[i])) {
      return builder_.Column(static_cast<int>(i), expression->type, expression->location);
    }
  }
  if (expression->kind == ExpressionKind::kColumn) {
    if (expression->index >= ExpressionAnalyzer::kFirstWindowColumn) return expression;
    if (expression->index >= ExpressionAnalyzer::kFirstAggregateColumn) {
      const int aggregate = expression->index - ExpressionAnalyzer::kFirstAggregateColumn;
      return builder_.Column(static_cast<int>(groups.size()) + aggregate, expression->type,
                             expression->location);
    }
    const ScopeColumn* column = nullptr;
    const ScopeItem* item = scope.ItemOf(expression->index, column);
    const std::string_view alias = item == nullptr ? "?" : std::string_view(item->alias);
    const std::string_view name = column == nullptr ? "?" : std::string_view(column->name);
    if (in_subquery) {
      return Status::Error(
          sqlstate::kGroupingError,
          fmt::format("subquery uses ungrouped column \"{}.{}\" from outer query", alias, name),
          builder_.PositionOf(expression->location));
    }
    return Status::Error(
        sqlstate::kGroupingError,
        fmt::format("column \"{}.{}\" must appear in the GROUP BY clause or be used in an "
                    "aggregate function",
                    alias, name),
        builder_.PositionOf(expression->location));
  }
  if (!expression->has_columns) return expression;
  const size_t operands = expression->kind == ExpressionKind::kSubquery
                              ? expression->subquery->operands()
                              : expression->argument_count;
  return RewriteArguments(*expression, [&](Expression* argument, size_t place) {
    return RewriteOverGroups(argument, groups, scope, in_subquery || place >= operands);
  });
}

Result<Expression*> Planner::RewriteArguments(
    Expression& expression,
    const std::function<Result<Expression*>(Expression* argument, size_t place)>& rewrite) {
  std::vector<Expression*> arguments(expression.argument_count);
  for (size_t i = 0; i < arguments.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(arguments[i], rewrite(expression.arguments[i], i));
  }
  Expression* rewritten = WithArguments(expression, arguments, plan_->arena);
  return rewritten != nullptr ? Result<Expression*>(rewritten) : plan_->arena.OutOfMemory();
}

Result<PlanNodePtr> Planner::PlanGrouping(PlanNodePtr input, Query& query) {
  const auto rewrite = [&](Expression*& expression) -> Status {
    CONNBENCH_ASSIGN_OR_RETURN(expression,
                               RewriteOverGroups(expression, query.groups, query.from.scope));
    return {};
  };
  for (Target& target : query.targets) CONNBENCH_RETURN_IF_ERROR(rewrite(target.expression));
  if (query.having != nullptr) CONNBENCH_RETURN_IF_ERROR(rewrite(query.having));
  if (!query.windows.empty()) CONNBENCH_RETURN_IF_ERROR(VisitWindowExpressions(query, rewrite));
  std::vector<const Expression*> groups(query.groups.begin(), query.groups.end());
  const auto aggregates = query.analyzer->aggregates();
  if (query.workers > 0) {
    return PlanParallelGrouping(std::move(input), query, std::move(groups),
                                {aggregates.begin(), aggregates.end()});
  }
  return PlanNodePtr(std::make_unique<AggregateNode>(
      std::move(input), std::move(groups),
      std::vector<AggregateCall>(aggregates.begin(), aggregates.end()), query.having));
}

}  // namespace connbench::engine
