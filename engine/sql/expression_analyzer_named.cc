// Arguments that a call gives by name: make_interval(days => 3).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/resolve.h"
#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {

using ast::Node;

namespace {

// The one function that has names for its arguments, all of which may be left out.
constexpr std::string_view kFunctionWithNames = "make_interval";
constexpr std::array<std::string_view, 7> kArgumentNames = {"years", "months", "weeks", "days",
                                                            "hours", "mins",   "secs"};

bool HasName(const Node& argument) {
  return argument.node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR;
}

}  // namespace

Result<std::vector<Expression*>> ExpressionAnalyzer::VisitNamedArguments(
    const PgQuery__FuncCall& call, std::string_view function) {
  const auto arguments = ast::List(call.args, call.n_args);
  const auto first = std::find_if(arguments.begin(), arguments.end(),
                                  [](const Node* argument) { return HasName(*argument); });
  if (first == arguments.end()) return VisitList(call.args, call.n_args);
  if (function != kFunctionWithNames) {
    return NotSupported("a named argument", (*first)->named_arg_expr->location);
  }
  std::array<Expression*, kArgumentNames.size()> places{};
  std::vector<std::string> described;
  std::vector<std::string_view> names;
  bool fits = true;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Node& node = *arguments[i];
    size_t place = i;
    std::string prefix;
    if (HasName(node)) {
      const PgQuery__NamedArgExpr& argument = *node.named_arg_expr;
      const std::string_view name = argument.name;
      if (std::find(names.begin(), names.end(), name) != names.end()) {
        return Status::Error(sqlstate::kSyntaxError,
                             fmt::format("argument name \"{}\" used more than once", name),
                             builder_.PositionOf(argument.location));
      }
      names.push_back(name);
      place = static_cast<size_t>(std::find(kArgumentNames.begin(), kArgumentNames.end(), name) -
                                  kArgumentNames.begin());
      prefix = fmt::format("{} => ", name);
    } else if (!names.empty()) {
      return Status::Error(sqlstate::kSyntaxError,
                           "positional argument cannot follow named argument",
                           builder_.PositionOf(ast::LocationOf(node)));
    }
    CONNBENCH_ASSIGN_OR_RETURN(Expression * argument,
                               Visit(HasName(node) ? *node.named_arg_expr->arg : node));
    described.push_back(prefix + DescribeTypes({&argument, 1}));
    const Oid wanted = place + 1 == places.size() ? type_oid::kFloat8 : type_oid::kInt4;
    fits = fits && place < places.size() && places[place] == nullptr &&
           CanCoerce(argument->type.oid, wanted, CoercionContext::kImplicit);
    if (fits) places[place] = argument;
  }
  if (!fits) {
    return Status::Error(
               sqlstate::kUndefinedFunction,
               fmt::format("function {}({}) does not exist", function, fmt::join(described, ", ")),
               builder_.PositionOf(call.location))
        .WithHint(
            "No function matches the given name and argument types. You might need to add "
            "explicit type casts.");
  }
  for (Expression*& place : places) {
    if (place != nullptr) continue;
    CONNBENCH_ASSIGN_OR_RETURN(place, builder_.Integer(0, call.location));
  }
  return std::vector<Expression*>(places.begin(), places.end());
}

}  // namespace connbench::engine
