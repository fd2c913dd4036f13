// The builder's methods about types: casts, common types, what a place demands.
#include <fmt/format.h>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/casts.h"

namespace connbench::engine {

Result<Expression*> ExpressionBuilder::Cast(Expression* argument, Type target, int location) {
  return Coerce(argument, target, CoercionContext::kExplicit, location);
}

Result<Expression*> ExpressionBuilder::CoerceImplicitly(Expression* argument, Type target) {
  return Coerce(argument, target, CoercionContext::kImplicit, argument->location);
}

Result<Expression*> ExpressionBuilder::CoerceForColumn(Expression* argument, Type column,
                                                       std::string_view column_name, int location) {
  const Oid source = argument->type.oid;
  if (!CanCoerce(source, column.oid, CoercionContext::kAssignment)) {
    return Error(sqlstate::kDatatypeMismatch,
                 fmt::format("column \"{}\" is of type {} but expression is of type {}",
                             column_name, FormatType({column.oid, -1}), FormatType({source, -1})),
                 location)
        .WithHint("You will need to rewrite or cast the expression.");
  }
  return Coerce(argument, column, CoercionContext::kAssignment, location);
}

Result<Expression*> ExpressionBuilder::CoerceToBoolean(Expression* argument,
                                                       std::string_view construct) {
  const Type boolean{type_oid::kBool, -1};
  if (!CanCoerce(argument->type.oid, boolean.oid, CoercionContext::kAssignment)) {
    return Error(sqlstate::kDatatypeMismatch,
                 fmt::format("argument of {} must be type boolean, not type {}", construct,
                             FormatType({argument->type.oid, -1})),
                 argument->location);
  }
  return Coerce(argument, boolean, CoercionContext::kAssignment, argument->location);
}

Result<Expression*> ExpressionBuilder::CoerceToBigint(Expression* argument,
                                                      std::string_view construct) {
  const Type bigint{type_oid::kInt8, -1};
  if (!CanCoerce(argument->type.oid, bigint.oid, CoercionContext::kAssignment)) {
    return Error(sqlstate::kDatatypeMismatch,
                 fmt::format("argument of {} must be type bigint, not type {}", construct,
                             FormatType({argument->type.oid, -1})),
                 argument->location);
  }
  return Coerce(argument, bigint, CoercionContext::kAssignment, argument->location);
}

Result<Expression*> ExpressionBuilder::ResolveUnknown(Expression* argument) {
  if (argument->type.oid != type_oid::kUnknown) return argument;
  return Coerce(argument, {type_oid::kText, -1}, CoercionContext::kImplicit, argument->location);
}

Result<Expression*> ExpressionBuilder::ResolveLiteral(Expression* argument) {
  if (argument->kind == ExpressionKind::kParameter) return argument;
  return ResolveUnknown(argument);
}

Result<Oid> ExpressionBuilder::CommonType(std::span<Expression* const> arguments,
                                          std::string_view construct) {
  constexpr int64_t kStepsPerArgument = 10;
  CONNBENCH_RETURN_IF_ERROR(
      meter_.Spend(static_cast<int64_t>(arguments.size()) * kStepsPerArgument));
  Oid chosen = type_oid::kUnknown;
  for (const Expression* argument : arguments) {
    const Oid type = argument->type.oid;
    if (type == type_oid::kUnknown || type == chosen) continue;
    if (chosen == type_oid::kUnknown) {
      chosen = type;
      continue;
    }
    const TypeInfo& so_far = GetType(chosen);
    if (so_far.category != GetType(type).category) {
      return Error(sqlstate::kDatatypeMismatch,
                   fmt::format("{} types {} and {} cannot be matched", construct,
                               FormatType({chosen, -1}), FormatType({type, -1})),
                   argument->location);
    }
    if (!so_far.preferred && CanCoerce(chosen, type, CoercionContext::kImplicit) &&
        !CanCoerce(type, chosen, CoercionContext::kImplicit)) {
      chosen = type;
    }
  }
  return chosen == type_oid::kUnknown ? type_oid::kText : chosen;
}

Status ExpressionBuilder::RequireEquality(Type type, int location) const {
  if (HasOrder(type.oid)) return {};
  return Error(sqlstate::kUndefinedFunction,
               fmt::format("could not identify an equality operator for type {}",
                           FormatType({type.oid, -1})),
               location);
}

Status ExpressionBuilder::RequireOrder(Type type, int location) const {
  if (HasOrder(type.oid)) return {};
  return Error(sqlstate::kUndefinedFunction,
               fmt::format("could not identify an ordering operator for type {}",
                           FormatType({type.oid, -1})),
               location)
      .WithHint("Use an explicit ordering operator or modify the query.");
}

Result<Expression*> ExpressionBuilder::CoerceToCommon(Expression* argument, Oid common,
                                                      std::string_view construct) {
  if (!CanCoerce(argument->type.oid, common, CoercionContext::kImplicit)) {
    return Error(sqlstate::kCannotCoerce,
                 fmt::format("{} could not convert type {} to {}", construct,
                             FormatType({argument->type.oid, -1}), FormatType({common, -1})),
                 argument->location);
  }
  return Coerce(argument, {common, -1}, CoercionContext::kImplicit, argument->location);
}

}  // namespace connbench::engine
