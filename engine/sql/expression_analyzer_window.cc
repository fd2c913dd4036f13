// Window functions in expressions: what a call means, and whether it may stand there.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {

using ast::Node;

namespace {

bool SameWindowCall(const WindowCall& a, const WindowCall& b) {
  if (a.function != b.function || a.window != b.window) return false;
  if (a.function == WindowFunction::kAggregate) return SameCall(a.aggregate, b.aggregate);
  return std::equal(a.function_arguments.begin(), a.function_arguments.end(),
                    b.function_arguments.begin(), b.function_arguments.end(),
                    [](const Expression* x, const Expression* y) {
                      return x->volatility != Volatility::kVolatile && SameExpression(*x, *y);
                    });
}

}  // namespace

void ExpressionAnalyzer::AllowWindows(std::span<PgQuery__Node* const> windows) {
  windows_allowed_ = true;
  for (const PgQuery__Node* window : windows) windows_.push_back(window->window_def);
}

const Expression* ExpressionAnalyzer::FindWindowResult(const Expression& expression) {
  const Expression* found = nullptr;
  ForEachColumn(expression, [&found](const Expression& column) {
    if (found == nullptr && column.index >= kFirstWindowColumn) found = &column;
  });
  return found;
}

Status ExpressionAnalyzer::RefuseWithoutOver(const PgQuery__FuncCall& call, std::string_view name) {
  CONNBENCH_ASSIGN_OR_RETURN(const auto arguments, VisitArguments(call));
  CONNBENCH_RETURN_IF_ERROR(VisitFilter(call).status());
  if (call.agg_within_group && call.n_args > 0) return NotSupported("WITHIN GROUP", call.location);
  const std::string written = WrittenName(call);
  CONNBENCH_RETURN_IF_ERROR(
      FindWindowFunction(builder_, name, arguments, call.location, written).status());
  return Status::Error(sqlstate::kWrongObjectType,
                       fmt::format("window function {} requires an OVER clause", written),
                       builder_.PositionOf(call.location));
}

Status ExpressionAnalyzer::CheckWindowSyntax(const PgQuery__FuncCall& call,
                                             bool is_aggregate) const {
  const auto refuse = [&](std::string_view code, std::string message) {
    return Status::Error(code, std::move(message), builder_.PositionOf(call.location));
  };
  const std::string written = WrittenName(call);
  if (call.agg_within_group && !is_aggregate) {
    return refuse(sqlstate::kWrongObjectType,
                  fmt::format("window function {} cannot have WITHIN GROUP", written));
  }
  if (call.agg_distinct) {
    return refuse(sqlstate::kFeatureNotSupported,
                  "DISTINCT is not implemented for window functions");
  }
  if (is_aggregate && call.n_args == 0 && !call.agg_star) {
    return refuse(
        sqlstate::kWrongObjectType,
        fmt::format("{}(*) must be used to call a parameterless aggregate function", written));
  }
  if (call.n_agg_order > 0) {
    return refuse(sqlstate::kFeatureNotSupported,
                  "aggregate ORDER BY is not implemented for window functions");
  }
  if (!is_aggregate && call.agg_filter != nullptr) {
    return refuse(sqlstate::kFeatureNotSupported,
                  "FILTER is not implemented for non-aggregate window functions");
  }
  return {};
}

Status ExpressionAnalyzer::CheckWindowPlace(const WindowCall& window, int location) const {
  for (const Expression* argument : window.arguments()) {
    if (const Expression* nested = FindWindowResult(*argument)) {
      return Status::Error(sqlstate::kWindowingError, "window function calls cannot be nested",
                           builder_.PositionOf(nested->location));
    }
  }
  const bool may_stand =
      clause_ == "the select list" || clause_ == "ORDER BY" || clause_ == "DISTINCT ON";
  if (may_stand && windows_allowed_) return {};
  if (may_stand) return NotSupported("a window function here", location);
  return Status::Error(sqlstate::kWindowingError,
                       fmt::format("window functions are not allowed in {}",
                                   clause_.starts_with("window ") ? "window definitions" : clause_),
                       builder_.PositionOf(location));
}

Result<size_t> ExpressionAnalyzer::FindWindow(const PgQuery__WindowDef& over) {
  const std::string_view name = over.name;
  if (!name.empty()) {
    const auto named =
        std::find_if(windows_.begin(), windows_.end(),
                     [name](const PgQuery__WindowDef* window) { return window->name == name; });
    if (named == windows_.end()) {
      return Status::Error(sqlstate::kUndefinedObject,
                           fmt::format("window \"{}\" does not exist", name),
                           builder_.PositionOf(over.location));
    }
    return static_cast<size_t>(named - windows_.begin());
  }
  // What is defined alike is one window, whatever WINDOW calls it.
  const auto same =
      std::find_if(windows_.begin(), windows_.end(), [&over](const PgQuery__WindowDef* window) {
        PgQuery__WindowDef unnamed = *window;
        unnamed.name = over.name;
        return ast::SameTree(unnamed.base, over.base);
      });
  const size_t place = static_cast<size_t>(same - windows_.begin());
  if (same == windows_.end()) windows_.push_back(&over);
  return place;
}

Result<Expression*> ExpressionAnalyzer::VisitWindowFunction(const Node& node,
                                                            std::string_view name) {
  const PgQuery__FuncCall& call = *node.func_call;
  const bool is_aggregate = IsAggregate(name);
  if (!is_aggregate && !IsWindowFunction(name)) return RefuseAggregateSyntax(node, name);
  // PostgreSQL has aggregates of some names of window functions that are called so.
  if (call.agg_within_group && (is_aggregate || call.n_args > 0)) {
    return NotSupported("WITHIN GROUP", call.location);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const auto arguments, VisitArguments(call));
  CONNBENCH_ASSIGN_OR_RETURN(Expression * filter, VisitFilter(call));
  CONNBENCH_RETURN_IF_ERROR(CheckArgumentCount(call.n_args, call.location));
  const std::string written = WrittenName(call);
  WindowCall window;
  const bool parameterless = call.n_args == 0 && !call.agg_star;
  if (is_aggregate && !(parameterless && name == "count")) {
    CONNBENCH_ASSIGN_OR_RETURN(
        window.aggregate,
        FindAggregate(builder_, name, arguments, call.agg_star, false, call.location, written));
    window.aggregate.filter = filter;
    window.type = window.aggregate.type;
    window.name = AggregateName(window.aggregate);
  } else if (!is_aggregate) {
    CONNBENCH_ASSIGN_OR_RETURN(
        window, FindWindowFunction(builder_, name, arguments, call.location, written));
  }
  CONNBENCH_RETURN_IF_ERROR(CheckWindowSyntax(call, is_aggregate));
  CONNBENCH_RETURN_IF_ERROR(CheckWindowPlace(window, call.location));
  CONNBENCH_ASSIGN_OR_RETURN(window.window, FindWindow(*call.over));
  // One that is there already is computed once, and is the same column.
  const auto same =
      std::find_if(window_calls_.begin(), window_calls_.end(),
                   [&window](const WindowCall& each) { return SameWindowCall(each, window); });
  const auto place = static_cast<int>(same - window_calls_.begin());
  if (same == window_calls_.end()) window_calls_.push_back(window);
  return builder_.Column(kFirstWindowColumn + place, window.type, call.location);
}

}  // namespace connbench::engine
