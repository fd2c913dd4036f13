// The builder's methods for arrays: ARRAY[...], ANY, ALL, subscripts, sets.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/evaluate.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/array.h"

namespace connbench::engine {

Result<Expression*> ExpressionBuilder::Array(std::span<Expression* const> elements, Oid element,
                                             int location) {
  const bool cast = element != type_oid::kInvalid;
  if (!cast && elements.empty()) {
    return Error(sqlstate::kIndeterminateDatatype, "cannot determine type of empty array", location)
        .WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].");
  }
  if (!cast) {
    CONNBENCH_ASSIGN_OR_RETURN(element, CommonType(elements, "ARRAY"));
  }
  if (IsArray(element)) {
    return Error(sqlstate::kFeatureNotSupported, "an array of several dimensions is not supported",
                 location);
  }
  Type type{ArrayType(element), -1};
  if (type.oid == type_oid::kInvalid) {
    return Error(
        sqlstate::kUndefinedObject,
        fmt::format("could not find array type for data type {}", FormatType({element, -1})),
        location);
  }
  if (elements.empty()) {
    Value empty;
    CONNBENCH_RETURN_IF_ERROR(ArrayWriter(element, arena_).Finish(empty));
    return Constant(type, empty, location);
  }
  std::vector<Expression*> coerced;
  coerced.reserve(elements.size());
  for (Expression* each : elements) {
    if (cast) {
      CONNBENCH_ASSIGN_OR_RETURN(each, Cast(each, {element, -1}, each->location));
    } else {
      CONNBENCH_ASSIGN_OR_RETURN(each, CoerceToCommon(each, element, "ARRAY"));
    }
    coerced.push_back(each);
  }
  // The modifier that all elements have is the array's.
  const bool agree = std::all_of(coerced.begin(), coerced.end(), [&](const Expression* each) {
    return each->type.modifier == coerced[0]->type.modifier;
  });
  if (agree) type.modifier = coerced[0]->type.modifier;
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kArray, type, coerced, location));
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::AnyElement(std::string_view name, Expression* value,
                                                  Expression* array, bool all, int location) {
  const bool open = array->type.oid == type_oid::kUnknown;
  const Oid element = open ? Oid{type_oid::kUnknown} : ElementType(array->type.oid);
  if (element == type_oid::kInvalid) {
    return Error(sqlstate::kWrongObjectType, "op ANY/ALL (array) requires array on right side",
                 location);
  }
  const Oid types[] = {value->type.oid, element};
  CONNBENCH_ASSIGN_OR_RETURN(const FunctionDescription* function,
                             ResolveOperator(name, std::span<const Oid>(types), location));
  if (function->result_type != type_oid::kBool) {
    return Error(sqlstate::kWrongObjectType,
                 "op ANY/ALL (array) requires operator to yield boolean", location);
  }
  const Oid wanted = ArrayType(function->argument_type(1));
  if (wanted == type_oid::kInvalid) {
    return Error(sqlstate::kUndefinedObject,
                 fmt::format("could not find array type for data type {}",
                             FormatType({function->argument_type(1), -1})),
                 location);
  }
  CONNBENCH_ASSIGN_OR_RETURN(value, Coerce(value, {function->argument_type(0), -1},
                                           CoercionContext::kImplicit, value->location));
  CONNBENCH_ASSIGN_OR_RETURN(
      array, Coerce(array, {wanted, -1}, CoercionContext::kImplicit, array->location));
  Expression* const arguments[] = {value, array};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kAnyElement, {type_oid::kBool, -1}, arguments,
                                     location, function->volatility, function));
  node->negated = all;
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::ArrayElement(Expression* array, Expression* subscript,
                                                    int location) {
  const FunctionDescription* function = ArrayElementFunction(ElementType(array->type.oid));
  if (function == nullptr) {
    return Error(sqlstate::kDatatypeMismatch,
                 fmt::format("cannot subscript type {} because it does not support subscripting",
                             FormatType({array->type.oid, -1})),
                 location);
  }
  const Type integer{type_oid::kInt4, -1};
  if (!CanCoerce(subscript->type.oid, integer.oid, CoercionContext::kAssignment)) {
    return Error(sqlstate::kDatatypeMismatch, "array subscript must have type integer",
                 subscript->location);
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      subscript, Coerce(subscript, integer, CoercionContext::kAssignment, subscript->location));
  Expression* const arguments[] = {array, subscript};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * element, Call(*function, arguments, location));
  element->type.modifier = array->type.modifier;
  return element;
}

// Never computed in advance, since it is no value.
Result<Expression*> ExpressionBuilder::Unnest(Expression* array) {
  Expression* const arguments[] = {array};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kUnnest, {ElementType(array->type.oid), -1},
                                     arguments, array->location));
  node->evaluate = ChooseEvaluation(*node);
  return node;
}

}  // namespace connbench::engine
