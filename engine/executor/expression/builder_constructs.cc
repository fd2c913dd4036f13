// The builder's methods for SQL's own constructs: logic, tests, IN, CASE, COALESCE, ...
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/evaluate.h"
#include "engine/executor/expression/functions.h"

namespace connbench::engine {
namespace {

constexpr Type kBoolean{type_oid::kBool, -1};

bool IsConstant(const Expression& expression, bool value) {
  return expression.kind == ExpressionKind::kConstant && !expression.constant.null &&
         (expression.constant.integer != 0) == value;
}

bool IsBareNull(const Expression& expression) {
  return expression.kind == ExpressionKind::kConstant && expression.constant.null &&
         expression.type.oid == type_oid::kUnknown;
}

// One of several values: their length is known if it is the same, as in PostgreSQL.
Type TypeOfAny(Oid common, std::span<const Expression* const> values) {
  const Type type = values.front()->type;
  const bool same = std::all_of(values.begin(), values.end(),
                                [&type](const Expression* value) { return value->type == type; });
  return {common, same ? type.modifier : -1};
}

}  // namespace

Result<Expression*> ExpressionBuilder::Logic(ExpressionKind kind,
                                             std::span<Expression* const> conditions,
                                             std::string_view construct, int location) {
  std::vector<Expression*> flat;
  for (Expression* condition : conditions) {
    CONNBENCH_ASSIGN_OR_RETURN(condition, CoerceToBoolean(condition, construct));
    if (condition->kind == kind) {
      flat.insert(flat.end(), condition->args().begin(), condition->args().end());
    } else {
      flat.push_back(condition);
    }
  }
  if (flat.size() == 1) return flat[0];
  const auto decides = std::find_if(flat.begin(), flat.end(), [kind](const Expression* condition) {
    return IsConstant(*condition, kind == ExpressionKind::kOr);
  });
  if (decides != flat.end()) {
    for (auto rest = decides + 1; rest != flat.end(); ++rest) {
      CONNBENCH_RETURN_IF_ERROR(Forget(**rest));
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node, NewNode(kind, kBoolean, flat, location));
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::And(std::span<Expression* const> conditions, int location) {
  return Logic(ExpressionKind::kAnd, conditions, "AND", location);
}

Result<Expression*> ExpressionBuilder::Or(std::span<Expression* const> conditions, int location) {
  return Logic(ExpressionKind::kOr, conditions, "OR", location);
}

Result<Expression*> ExpressionBuilder::Not(Expression* argument, int location) {
  CONNBENCH_ASSIGN_OR_RETURN(argument, CoerceToBoolean(argument, "NOT"));
  Expression* const arguments[] = {argument};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kNot, kBoolean, arguments, location));
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::NullTest(Expression* argument, bool is_not, int location) {
  CONNBENCH_ASSIGN_OR_RETURN(argument, ResolveLiteral(argument));
  Expression* const arguments[] = {argument};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kNullTest, kBoolean, arguments, location));
  node->negated = is_not;
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::BooleanTest(Expression* argument, BooleanTestKind test,
                                                   int location) {
  static constexpr std::string_view kNames[] = {"IS TRUE",      "IS NOT TRUE", "IS FALSE",
                                                "IS NOT FALSE", "IS UNKNOWN",  "IS NOT UNKNOWN"};
  CONNBENCH_ASSIGN_OR_RETURN(argument,
                             CoerceToBoolean(argument, kNames[static_cast<size_t>(test)]));
  Expression* const arguments[] = {argument};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kBooleanTest, kBoolean, arguments, location));
  node->test = static_cast<uint8_t>(test);
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::DistinctFrom(Expression* left, Expression* right,
                                                    bool is_not, int location) {
  // Beside a bare NULL it is a test for null, of a value of any type.
  if (IsBareNull(*right)) return NullTest(left, !is_not, location);
  if (IsBareNull(*left)) return NullTest(right, !is_not, location);
  Expression* arguments[] = {left, right};
  CONNBENCH_ASSIGN_OR_RETURN(const FunctionDescription* equal,
                             ResolveOperator("=", arguments, location));
  CONNBENCH_RETURN_IF_ERROR(CoerceArguments(*equal, arguments));
  CONNBENCH_ASSIGN_OR_RETURN(
      Expression * node,
      NewNode(ExpressionKind::kDistinct, kBoolean, arguments, location, equal->volatility, equal));
  node->negated = is_not;
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::Between(Expression* value, Expression* low, Expression* high,
                                               bool is_not, bool symmetric, int location) {
  const auto range = [&](Expression* from, Expression* to) -> Result<Expression*> {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * above,
                               Operator(is_not ? "<" : ">=", value, from, location));
    CONNBENCH_ASSIGN_OR_RETURN(Expression * below,
                               Operator(is_not ? ">" : "<=", value, to, location));
    Expression* const both[] = {above, below};
    return is_not ? Or(both, location) : And(both, location);
  };
  CONNBENCH_ASSIGN_OR_RETURN(Expression * forward, range(low, high));
  if (!symmetric) return forward;
  CONNBENCH_ASSIGN_OR_RETURN(Expression * backward, range(high, low));
  Expression* const both[] = {forward, backward};
  return is_not ? And(both, location) : Or(both, location);
}

Result<Expression*> ExpressionBuilder::In(Expression* value, std::span<Expression* const> list,
                                          bool is_not, int location) {
  const bool plain = std::none_of(list.begin(), list.end(),
                                  [](const Expression* item) { return item->has_columns; });
  std::vector<Expression*> items(list.begin(), list.end());
  items.insert(items.begin(), value);
  auto common =
      plain && list.size() > 1 ? CommonType(items, "IN") : Result<Oid>(type_oid::kInvalid);
  const auto fits = [&common](const Expression* item) {
    return CanCoerce(item->type.oid, *common, CoercionContext::kImplicit);
  };
  if (!common.ok() || *common == type_oid::kInvalid ||
      !std::all_of(items.begin(), items.end(), fits)) {
    // Each with its own operator: value = a OR value = b, or value <> a AND value <> b.
    std::vector<Expression*> comparisons;
    for (Expression* item : list) {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * comparison,
                                 Operator(is_not ? "<>" : "=", value, item, location));
      comparisons.push_back(comparison);
    }
    return is_not ? And(comparisons, location) : Or(comparisons, location);
  }
  for (size_t i = 1; i < items.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(items[i], CoerceToCommon(items[i], *common, "IN"));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const FunctionDescription* equal,
                             ResolveOperator("=", std::span(items).first(2), location));
  for (size_t i = 0; i < items.size(); ++i) {
    const Type wanted{equal->argument_types[i == 0 ? 0 : 1], -1};
    CONNBENCH_ASSIGN_OR_RETURN(items[i],
                               Coerce(items[i], wanted, CoercionContext::kImplicit, location));
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node, NewNode(ExpressionKind::kIn, kBoolean, items,
                                                        location, equal->volatility, equal));
  node->negated = is_not;
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::Like(std::string_view name, Expression* value,
                                            Expression* pattern, Expression* escape, int location) {
  if (escape != nullptr) {
    Expression* const arguments[] = {pattern, escape};
    CONNBENCH_ASSIGN_OR_RETURN(pattern, Function("like_escape", arguments, location));
  }
  return Operator(name, value, pattern, location);
}

Result<Expression*> ExpressionBuilder::CaseOperand(Expression* operand, int location) {
  if (operand->volatility == Volatility::kVolatile) {
    return Error(sqlstate::kFeatureNotSupported,
                 "CASE with a volatile function in its operand is not supported", location);
  }
  return ResolveUnknown(operand);
}

Result<Expression*> ExpressionBuilder::CaseCondition(Expression* operand, Expression* condition,
                                                     int location) {
  if (operand != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(condition, Operator("=", operand, condition, location));
  }
  return CoerceToBoolean(condition, "CASE/WHEN");
}

Result<Expression*> ExpressionBuilder::Case(std::span<Expression* const> conditions,
                                            std::span<Expression* const> results,
                                            Expression* otherwise, int location) {
  if (otherwise == nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(otherwise, Null(-1));
  }
  std::vector<Expression*> values{otherwise};
  values.insert(values.end(), results.begin(), results.end());
  CONNBENCH_ASSIGN_OR_RETURN(const Oid common, CommonType(values, "CASE"));
  CONNBENCH_ASSIGN_OR_RETURN(otherwise, CoerceToCommon(otherwise, common, "CASE/ELSE"));
  values.assign({otherwise});
  std::vector<Expression*> arguments;
  for (size_t i = 0; i < conditions.size(); ++i) {
    arguments.push_back(conditions[i]);
    CONNBENCH_ASSIGN_OR_RETURN(Expression * result,
                               CoerceToCommon(results[i], common, "CASE/WHEN"));
    arguments.push_back(result);
    values.push_back(result);
  }
  arguments.push_back(otherwise);
  bool decided = false;
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const Expression& condition = *arguments[i];
    if (decided) CONNBENCH_RETURN_IF_ERROR(Forget(condition));
    const bool never = condition.kind == ExpressionKind::kConstant && !IsConstant(condition, true);
    if (decided || never) CONNBENCH_RETURN_IF_ERROR(Forget(*arguments[i + 1]));
    decided = decided || IsConstant(condition, true);
  }
  if (decided) CONNBENCH_RETURN_IF_ERROR(Forget(*otherwise));
  CONNBENCH_ASSIGN_OR_RETURN(
      Expression * node,
      NewNode(ExpressionKind::kCase, TypeOfAny(common, values), arguments, location));
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::Coalesce(std::span<Expression* const> arguments,
                                                int location) {
  CONNBENCH_ASSIGN_OR_RETURN(const Oid common, CommonType(arguments, "COALESCE"));
  std::vector<Expression*> coerced;
  bool decided = false;
  for (Expression* argument : arguments) {
    CONNBENCH_ASSIGN_OR_RETURN(argument, CoerceToCommon(argument, common, "COALESCE"));
    if (decided) CONNBENCH_RETURN_IF_ERROR(Forget(*argument));
    decided = decided || (argument->kind == ExpressionKind::kConstant && !argument->constant.null);
    coerced.push_back(argument);
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      Expression * node,
      NewNode(ExpressionKind::kCoalesce, TypeOfAny(common, coerced), coerced, location));
  return Finish(node);
}

// Stable: one that reads nothing of the row is run once.
Result<Expression*> ExpressionBuilder::Subquery(SubqueryEvaluator& evaluator, Type type,
                                                std::span<Expression* const> arguments, int column,
                                                int depth, int location) {
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node, NewNode(ExpressionKind::kSubquery, type, arguments,
                                                        location, Volatility::kStable));
  const int deepest = std::max<int>(node->depth, depth + 1);
  CONNBENCH_RETURN_IF_ERROR(NoteDepth(deepest, location));
  node->depth = static_cast<uint16_t>(deepest);
  node->index = column;
  node->subquery = &evaluator;
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::NullIf(Expression* left, Expression* right, int location) {
  Expression* arguments[] = {left, right};
  CONNBENCH_ASSIGN_OR_RETURN(const FunctionDescription* equal,
                             ResolveOperator("=", arguments, location));
  CONNBENCH_RETURN_IF_ERROR(CoerceArguments(*equal, arguments));
  CONNBENCH_ASSIGN_OR_RETURN(
      Expression * node, NewNode(ExpressionKind::kNullIf, arguments[0]->type, arguments, location,
                                 equal->volatility, equal));
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::GreatestOrLeast(bool greatest,
                                                       std::span<Expression* const> arguments,
                                                       int location) {
  const char* construct = greatest ? "GREATEST" : "LEAST";
  CONNBENCH_ASSIGN_OR_RETURN(const Oid common, CommonType(arguments, construct));
  std::vector<Expression*> coerced;
  for (Expression* argument : arguments) {
    CONNBENCH_ASSIGN_OR_RETURN(argument, CoerceToCommon(argument, common, construct));
    coerced.push_back(argument);
  }
  if (!HasOrder(common)) {
    return Error(sqlstate::kUndefinedFunction,
                 fmt::format("could not identify a comparison function for type {}",
                             FormatType({common, -1})),
                 -1);
  }
  const auto kind = greatest ? ExpressionKind::kGreatest : ExpressionKind::kLeast;
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(kind, TypeOfAny(common, coerced), coerced, location));
  return Finish(node);
}

}  // namespace connbench::engine
