// Window functions: row_number, rank, lag, nth_value and their like.
#include "engine/executor/expression/window_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/resolve.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

struct WindowFunctionDescription {
  WindowFunction function;
  FunctionDescription signature;  // a result of any type has that of the first argument
};

constexpr WindowFunctionDescription WindowRow(WindowFunction function, std::string_view name,
                                              std::initializer_list<Oid> arguments, Oid result) {
  return {function, FunctionRow(name, arguments, result, nullptr)};
}

constexpr std::array kWindowFunctions = {
    WindowRow(WindowFunction::kRowNumber, "row_number", {}, oid::kInt8),
    WindowRow(WindowFunction::kRank, "rank", {}, oid::kInt8),
    WindowRow(WindowFunction::kDenseRank, "dense_rank", {}, oid::kInt8),
    WindowRow(WindowFunction::kPercentRank, "percent_rank", {}, oid::kFloat8),
    WindowRow(WindowFunction::kCumeDist, "cume_dist", {}, oid::kFloat8),
    WindowRow(WindowFunction::kNtile, "ntile", {oid::kInt4}, oid::kInt4),
    WindowRow(WindowFunction::kLag, "lag", {oid::kAny}, oid::kAny),
    WindowRow(WindowFunction::kLag, "lag", {oid::kAny, oid::kInt4}, oid::kAny),
    WindowRow(WindowFunction::kLag, "lag", {oid::kAny, oid::kInt4, oid::kAny}, oid::kAny),
    WindowRow(WindowFunction::kLead, "lead", {oid::kAny}, oid::kAny),
    WindowRow(WindowFunction::kLead, "lead", {oid::kAny, oid::kInt4}, oid::kAny),
    WindowRow(WindowFunction::kLead, "lead", {oid::kAny, oid::kInt4, oid::kAny}, oid::kAny),
    WindowRow(WindowFunction::kFirstValue, "first_value", {oid::kAny}, oid::kAny),
    WindowRow(WindowFunction::kLastValue, "last_value", {oid::kAny}, oid::kAny),
    WindowRow(WindowFunction::kNthValue, "nth_value", {oid::kAny, oid::kInt4}, oid::kAny),
};

// PostgreSQL has aggregates of these names as well, which take arguments.
bool IsHypotheticalSetAggregate(const WindowFunctionDescription& row) {
  return row.function >= WindowFunction::kRank && row.function <= WindowFunction::kCumeDist;
}

Status NoSuchFunction(const ExpressionBuilder& builder, std::string_view name,
                      std::span<Expression* const> arguments, int location) {
  return Status::Error(
             sqlstate::kUndefinedFunction,
             fmt::format("function {}({}) does not exist", name, DescribeTypes(arguments)),
             builder.PositionOf(location))
      .WithHint(
          "No function matches the given name and argument types. You might need to add explicit "
          "type casts.");
}

// The value and the default of lag and lead have one type.
Status CoerceToOneType(ExpressionBuilder& builder, Expression*& value, Expression*& otherwise) {
  Expression* const both[] = {value, otherwise};
  CONNBENCH_ASSIGN_OR_RETURN(const Oid common, builder.CommonType(both, ""));
  CONNBENCH_ASSIGN_OR_RETURN(value, builder.CoerceToCommon(value, common, ""));
  CONNBENCH_ASSIGN_OR_RETURN(otherwise, builder.CoerceToCommon(otherwise, common, ""));
  return {};
}

}  // namespace

bool IsWindowFunction(std::string_view name) {
  return std::any_of(
      kWindowFunctions.begin(), kWindowFunctions.end(),
      [&](const WindowFunctionDescription& row) { return row.signature.name == name; });
}

Result<WindowCall> FindWindowFunction(ExpressionBuilder& builder, std::string_view name,
                                      std::span<Expression* const> arguments, int location,
                                      std::string_view written) {
  if (written.empty()) written = name;
  std::vector<const FunctionDescription*> candidates;
  for (const WindowFunctionDescription& row : kWindowFunctions) {
    if (row.signature.name != name) continue;
    if (IsHypotheticalSetAggregate(row) && !arguments.empty()) {
      return Status::Error(
          sqlstate::kWrongObjectType,
          fmt::format("WITHIN GROUP is required for ordered-set aggregate {}", written),
          builder.PositionOf(location));
    }
    candidates.push_back(&row.signature);
  }
  std::vector<Oid> types;
  for (const Expression* argument : arguments) types.push_back(argument->type.oid);
  const FunctionDescription* const found = ResolveOverload(candidates, types, false).function;
  if (found == nullptr) return NoSuchFunction(builder, written, arguments, location);
  WindowCall call;
  for (const WindowFunctionDescription& row : kWindowFunctions) {
    if (&row.signature == found) call.function = row.function;
  }
  call.name = found->name;
  call.type = {found->result_type, -1};
  const bool has_default = arguments.size() == 3;
  if (found->result_type == oid::kAny && !has_default && types[0] == oid::kUnknown) {
    return Status::Error(sqlstate::kDatatypeMismatch,
                         "could not determine polymorphic type because input has type unknown");
  }
  call.function_arguments = builder.arena().NewArray<Expression*>(arguments.size());
  if (call.function_arguments.size() != arguments.size()) return builder.arena().OutOfMemory();
  for (uint32_t i = 0; i < arguments.size(); ++i) {
    const Oid wanted = found->argument_type(i);
    call.function_arguments[i] = arguments[i];
    if (wanted == oid::kAny) continue;
    CONNBENCH_ASSIGN_OR_RETURN(call.function_arguments[i],
                               builder.CoerceImplicitly(arguments[i], {wanted, -1}));
  }
  if (has_default) {
    Status coerced =
        CoerceToOneType(builder, call.function_arguments[0], call.function_arguments[2]);
    // Types without a common one are no arguments of it.
    const bool differ =
        coerced.code() == sqlstate::kDatatypeMismatch || coerced.code() == sqlstate::kCannotCoerce;
    if (differ) return NoSuchFunction(builder, written, arguments, location);
    CONNBENCH_RETURN_IF_ERROR(std::move(coerced));
  }
  if (call.type.oid == oid::kAny) call.type.oid = call.function_arguments[0]->type.oid;
  return call;
}

}  // namespace connbench::engine
