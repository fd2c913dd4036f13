// Aggregate functions: count, sum, avg, min, max, bool_and, bool_or, every, string_agg, array_agg,
// json_agg.
#include "engine/executor/expression/aggregates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/executor/expression/aggregate_state.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/resolve.h"
#include "engine/executor/types/array.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {

namespace {

namespace oid = type_oid;
using Kind = AggregateKind;

constexpr AggregateDescription Row(Kind kind, std::string_view name,
                                   std::initializer_list<Oid> arguments, Oid result) {
  return {kind, FunctionRow(name, arguments, result, nullptr)};
}

constexpr std::array kAggregates = {
    Row(Kind::kCount, "count", {}, oid::kInt8),
    Row(Kind::kCount, "count", {oid::kAny}, oid::kInt8),
    Row(Kind::kSumInteger, "sum", {oid::kInt2}, oid::kInt8),
    Row(Kind::kSumInteger, "sum", {oid::kInt4}, oid::kInt8),
    Row(Kind::kSumWide, "sum", {oid::kInt8}, oid::kNumeric),
    Row(Kind::kSumNumeric, "sum", {oid::kNumeric}, oid::kNumeric),
    Row(Kind::kSumReal, "sum", {oid::kFloat4}, oid::kFloat4),
    Row(Kind::kSumReal, "sum", {oid::kFloat8}, oid::kFloat8),
    Row(Kind::kSumInterval, "sum", {oid::kInterval}, oid::kInterval),
    Row(Kind::kAverageInteger, "avg", {oid::kInt2}, oid::kNumeric),
    Row(Kind::kAverageInteger, "avg", {oid::kInt4}, oid::kNumeric),
    Row(Kind::kAverageInteger, "avg", {oid::kInt8}, oid::kNumeric),
    Row(Kind::kAverageNumeric, "avg", {oid::kNumeric}, oid::kNumeric),
    Row(Kind::kAverageReal, "avg", {oid::kFloat4}, oid::kFloat8),
    Row(Kind::kAverageReal, "avg", {oid::kFloat8}, oid::kFloat8),
    Row(Kind::kAverageInterval, "avg", {oid::kInterval}, oid::kInterval),
    Row(Kind::kMinimum, "min", {oid::kInt2}, oid::kInt2),
    Row(Kind::kMinimum, "min", {oid::kInt4}, oid::kInt4),
    Row(Kind::kMinimum, "min", {oid::kInt8}, oid::kInt8),
    Row(Kind::kMinimum, "min", {oid::kOid}, oid::kOid),
    Row(Kind::kMinimum, "min", {oid::kFloat4}, oid::kFloat4),
    Row(Kind::kMinimum, "min", {oid::kFloat8}, oid::kFloat8),
    Row(Kind::kMinimum, "min", {oid::kNumeric}, oid::kNumeric),
    Row(Kind::kMinimum, "min", {oid::kText}, oid::kText),
    Row(Kind::kMinimum, "min", {oid::kBpchar}, oid::kBpchar),
    Row(Kind::kMinimum, "min", {oid::kDate}, oid::kDate),
    Row(Kind::kMinimum, "min", {oid::kTime}, oid::kTime),
    Row(Kind::kMinimum, "min", {oid::kInterval}, oid::kInterval),
    Row(Kind::kMinimum, "min", {oid::kTimestamp}, oid::kTimestamp),
    Row(Kind::kMinimum, "min", {oid::kTimestamptz}, oid::kTimestamptz),
    Row(Kind::kMaximum, "max", {oid::kInt2}, oid::kInt2),
    Row(Kind::kMaximum, "max", {oid::kInt4}, oid::kInt4),
    Row(Kind::kMaximum, "max", {oid::kInt8}, oid::kInt8),
    Row(Kind::kMaximum, "max", {oid::kOid}, oid::kOid),
    Row(Kind::kMaximum, "max", {oid::kFloat4}, oid::kFloat4),
    Row(Kind::kMaximum, "max", {oid::kFloat8}, oid::kFloat8),
    Row(Kind::kMaximum, "max", {oid::kNumeric}, oid::kNumeric),
    Row(Kind::kMaximum, "max", {oid::kText}, oid::kText),
    Row(Kind::kMaximum, "max", {oid::kBpchar}, oid::kBpchar),
    Row(Kind::kMaximum, "max", {oid::kDate}, oid::kDate),
    Row(Kind::kMaximum, "max", {oid::kTime}, oid::kTime),
    Row(Kind::kMaximum, "max", {oid::kInterval}, oid::kInterval),
    Row(Kind::kMaximum, "max", {oid::kTimestamp}, oid::kTimestamp),
    Row(Kind::kMaximum, "max", {oid::kTimestamptz}, oid::kTimestamptz),
    Row(Kind::kMinimum, "min", {oid::kAnyArray}, oid::kAnyArray),
    Row(Kind::kMaximum, "max", {oid::kAnyArray}, oid::kAnyArray),
    Row(Kind::kAnd, "bool_and", {oid::kBool}, oid::kBool),
    Row(Kind::kAnd, "every", {oid::kBool}, oid::kBool),
    Row(Kind::kOr, "bool_or", {oid::kBool}, oid::kBool),
    Row(Kind::kStringAgg, "string_agg", {oid::kText, oid::kText}, oid::kText),
    // Of an array it would have two dimensions.
    Row(Kind::kArrayAgg, "array_agg", {oid::kAny}, oid::kAnyArray),
    Row(Kind::kArrayAgg, "array_agg", {oid::kAnyArray}, oid::kAnyArray),
    Row(Kind::kJsonAgg, "json_agg", {oid::kAny}, oid::kJson),
};

bool AddToNumericSum(const Value& value, AggregateState& state, Arena& arena,
                     EvalContext& context) {
  const int32_t scale = NumericDisplayScale(value);
  if (state.count == 1 || scale > state.scale) {
    state.scale = scale;
    state.scale_inputs = 0;
  }
  if (scale == state.scale) ++state.scale_inputs;
  if (state.count == 1) return KeepBytes(value, state, arena, context);
  Value sum;
  Status status = AddNumeric(state.best, value, *context.arena, sum);
  if (!status.ok()) return context.Fail(std::move(status));
  return KeepBytes(sum, state, arena, context);
}

// Not a NaN or an infinity, nor the only input that shows as many digits as the sum.
bool TakeOutOfNumericSum(const Value& value, AggregateState& state, Arena& arena,
                         EvalContext& context, bool& done) {
  const int32_t scale = NumericDisplayScale(value);
  if (scale == state.scale) --state.scale_inputs;
  done = scale >= 0 && (state.count == 0 || state.scale_inputs > 0 || state.scale == 0);
  if (!done || state.count == 0) return true;
  Value sum;
  Status status = SubtractNumeric(state.best, value, *context.arena, sum);
  if (!status.ok()) return context.Fail(std::move(status));
  return KeepBytes(sum, state, arena, context);
}

// The next element of json_agg's array.
bool AppendJson(const AggregateCall& call, const Value& value, AggregateState& state, Arena& arena,
                EvalContext& context) {
  const Oid type = call.arguments[0]->type.oid;
  Value json = value;
  if (!value.null && type != oid::kJson &&
      !JsonConversion(type, false)->implementation(context, &value, 1, json)) {
    return false;
  }
  const std::string_view separator = state.count == 1               ? "["
                                     : IsArray(type) && !value.null ? ", \n "
                                                                    : ", ";
  return (state.buffer.Append(separator, arena) &&
          state.buffer.Append(json.null ? "null" : json.text(), arena)) ||
         context.Fail(state.buffer.OutOfMemory(arena));
}

// min or max of arrays; null: the name is of no such aggregate.
const FunctionDescription* BestOfArrays(std::string_view name) {
  for (const AggregateDescription& row : kAggregates) {
    const bool best = row.kind == Kind::kMinimum || row.kind == Kind::kMaximum;
    if (best && row.signature.result_type == oid::kAnyArray && row.signature.name == name) {
      return &row.signature;
    }
  }
  return nullptr;
}

}  // namespace

bool IsAggregate(std::string_view name) {
  return std::any_of(kAggregates.begin(), kAggregates.end(),
                     [&](const AggregateDescription& row) { return row.signature.name == name; });
}

Result<AggregateCall> FindAggregate(ExpressionBuilder& builder, std::string_view name,
                                    std::span<Expression* const> arguments, bool star,
                                    bool distinct, int location, std::string_view written) {
  std::vector<const FunctionDescription*> candidates;
  for (const AggregateDescription& row : kAggregates) {
    if (row.signature.name == name && (row.signature.argument_count == 0) == star) {
      candidates.push_back(&row.signature);
    }
  }
  for (const FunctionDescription& row : LackingFunctions()) {
    if (row.name == name && !star) candidates.push_back(&row);
  }
  std::vector<Oid> types;
  for (const Expression* argument : arguments) types.push_back(argument->type.oid);
  const FunctionDescription* const of_array =
      types.size() == 1 && IsArray(types[0]) && HasOrder(types[0]) ? BestOfArrays(name) : nullptr;
  const Resolution resolution =
      of_array != nullptr ? Resolution{of_array} : ResolveOverload(candidates, types, false);
  if (resolution.function == nullptr) {
    const std::string described = fmt::format("function {}({})", written.empty() ? name : written,
                                              star ? "" : DescribeTypes(arguments));
    return Status::Error(
               resolution.ambiguous ? sqlstate::kAmbiguousFunction : sqlstate::kUndefinedFunction,
               described + (resolution.ambiguous ? " is not unique" : " does not exist"),
               builder.PositionOf(location))
        .WithHint(resolution.ambiguous
                      ? "Could not choose a best candidate function. You might need to add "
                        "explicit type casts."
                      : "No function matches the given name and argument types. You might need to "
                        "add explicit type casts.");
  }
  AggregateCall call;
  call.distinct = distinct;
  call.type = {resolution.function->result_type, -1};
  for (const AggregateDescription& row : kAggregates) {
    if (&row.signature == resolution.function) call.function = &row;
  }
  if (of_array != nullptr) {
    call.type.oid = types[0];
  } else if (call.type.oid == oid::kAnyArray) {
    const Oid element = arguments[0]->type.oid;
    call.type.oid = ArrayType(element);
    if (IsArray(element) || call.type.oid == oid::kInvalid) {
      return Status::Error(
          sqlstate::kFeatureNotSupported,
          fmt::format("{} of type {} is not supported", name, FormatType({element, -1})),
          builder.PositionOf(location));
    }
  }
  if (call.function == nullptr) {
    return Status::Error(sqlstate::kFeatureNotSupported, NotSupportedMessage(*resolution.function),
                         builder.PositionOf(location));
  }
  call.arguments = builder.arena().NewArray<Expression*>(arguments.size());
  if (call.arguments.size() != arguments.size()) return builder.arena().OutOfMemory();
  for (uint32_t i = 0; i < arguments.size(); ++i) {
    const Oid wanted = resolution.function->argument_type(i);
    // DISTINCT compares values, and what it compares is text if nothing else.
    CONNBENCH_ASSIGN_OR_RETURN(call.arguments[i],
                               wanted != oid::kAny && of_array == nullptr
                                   ? builder.CoerceImplicitly(arguments[i], {wanted, -1})
                               : distinct ? builder.ResolveUnknown(arguments[i])
                                          : builder.ResolveLiteral(arguments[i]));
    if (distinct) {
      CONNBENCH_RETURN_IF_ERROR(
          builder.RequireEquality(call.arguments[i]->type, arguments[i]->location));
    }
    if (call.function->kind == Kind::kJsonAgg) {
      // Each value is made json when it is taken in: until then DISTINCT and ORDER BY compare it.
      CONNBENCH_RETURN_IF_ERROR(builder.ToJson(arguments[i], false).status());
    }
  }
  return call;
}

std::string_view AggregateName(const AggregateCall& call) { return call.function->signature.name; }

bool KeepsInputs(const AggregateCall& call) {
  const Kind kind = call.function->kind;
  return kind == Kind::kStringAgg || kind == Kind::kArrayAgg || kind == Kind::kJsonAgg;
}

AggregateState* NewState(const AggregateCall&, Arena& arena) { return arena.New<AggregateState>(); }

bool EvaluateInputs(const AggregateCall& call, EvalContext& context, Value* inputs, bool& taken) {
  taken = true;
  if (call.filter != nullptr) {
    if (!EvaluateCondition(*call.filter, context, taken)) return false;
    if (!taken) return true;
  }
  Value* next = inputs;
  for (Expression* const argument : call.arguments) {
    if (!Evaluate(*argument, context, *next++)) return false;
  }
  const Kind kind = call.function->kind;
  const bool counts_nulls = kind == Kind::kArrayAgg || kind == Kind::kJsonAgg;
  taken = call.arguments.empty() || counts_nulls || !inputs[0].null;
  for (size_t i = 0; taken && i < call.order.size(); ++i) {
    if (!Evaluate(*call.order[i].expression, context, *next++)) return false;
  }
  return true;
}

bool TakeIn(const AggregateCall& call, const Value* arguments, AggregateState& state, Arena& arena,
            EvalContext& context) {
  ++state.count;
  const Value& value = arguments[0];
  switch (call.function->kind) {
    case Kind::kCount:
      return true;
    case Kind::kSumInteger:
    case Kind::kSumWide:
    case Kind::kAverageInteger:
      state.integer += value.integer;
      return true;
    case Kind::kSumNumeric:
    case Kind::kAverageNumeric:
      return AddToNumericSum(value, state, arena, context);
    case Kind::kSumReal:
    case Kind::kAverageReal:
      return AddToRealSum(value.real, state, context);
    case Kind::kSumInterval:
    case Kind::kAverageInterval:
      return ChangeIntervalSum(AddIntervals, value, state, arena, context);
    case Kind::kMinimum:
    case Kind::kMaximum:
      return KeepBetter(call, value, state.count == 1, state, arena, context);
    case Kind::kAnd:
    case Kind::kOr:
      state.integer += value.integer;
      return true;
    case Kind::kStringAgg:
      if (state.count > 1 && !arguments[1].null &&
          !state.buffer.Append(arguments[1].text(), arena)) {
        return context.Fail(state.buffer.OutOfMemory(arena));
      }
      return state.buffer.Append(value.text(), arena) ||
             context.Fail(state.buffer.OutOfMemory(arena));
    case Kind::kJsonAgg:
      return AppendJson(call, value, state, arena, context);
    case Kind::kArrayAgg:
      return AppendElement(call.arguments[0]->type.oid, value, state.buffer, arena) ||
             context.Fail(state.buffer.OutOfMemory(arena));
  }
  return true;
}

// Sums of floats would keep the error of what has left; the others forget too much.
bool CanTakeOut(const AggregateCall& call) {
  switch (call.function->kind) {
    case Kind::kCount:
    case Kind::kSumInteger:
    case Kind::kSumWide:
    case Kind::kSumNumeric:
    case Kind::kSumInterval:
    case Kind::kAverageInteger:
    case Kind::kAverageNumeric:
    case Kind::kAverageInterval:
    case Kind::kAnd:
    case Kind::kOr:
      return true;
    default:
      return false;
  }
}

bool TakeOut(const AggregateCall& call, const Value* arguments, AggregateState& state, Arena& arena,
             EvalContext& context, bool& done) {
  --state.count;
  done = true;
  switch (call.function->kind) {
    case Kind::kSumInteger:
    case Kind::kSumWide:
    case Kind::kAverageInteger:
    case Kind::kAnd:
    case Kind::kOr:
      state.integer -= arguments[0].integer;
      return true;
    case Kind::kSumNumeric:
    case Kind::kAverageNumeric:
      return TakeOutOfNumericSum(arguments[0], state, arena, context, done);
    case Kind::kSumInterval:
    case Kind::kAverageInterval:
      return ChangeIntervalSum(SubtractIntervals, arguments[0], state, arena, context);
    default:
      return true;
  }
}

bool Finish(const AggregateCall& call, AggregateState& state, EvalContext& context, Value& out) {
  const Kind kind = call.function->kind;
  if (kind == Kind::kCount) {
    out = Value::Integer(state.count);
    return true;
  }
  if (state.count == 0) {
    out = Value::Null();
    return true;
  }
  Status status;
  switch (kind) {
    case Kind::kCount:
      break;
    case Kind::kSumInteger:
      if (state.integer > INT64_MAX || state.integer < INT64_MIN) {
        status = Status::Error(sqlstate::kNumericValueOutOfRange, "bigint out of range");
        break;
      }
      out = Value::Integer(static_cast<int64_t>(state.integer));
      break;
    case Kind::kSumWide:
      status = NumericFromInteger(state.integer, *context.arena, out);
      break;
    case Kind::kAverageInteger:
    case Kind::kAverageNumeric: {
      Value sum = state.best;
      Value count;
      if (kind == Kind::kAverageInteger) {
        status = NumericFromInteger(state.integer, *context.arena, sum);
      }
      if (status.ok()) status = NumericFromInteger(state.count, *context.arena, count);
      if (status.ok()) status = DivideNumeric(sum, count, *context.arena, out);
      break;
    }
    case Kind::kSumReal:
      out =
          Value::Real(call.type.oid == oid::kFloat4 ? static_cast<float>(state.real) : state.real);
      break;
    case Kind::kAverageReal:
      out = Value::Real(state.real / static_cast<double>(state.count));
      break;
    case Kind::kAverageInterval: {
      Interval average;
      status = DivideInterval(ToInterval(state.best), static_cast<double>(state.count), average);
      if (status.ok()) status = StoreInterval(average, *context.arena, out);
      break;
    }
    case Kind::kSumNumeric:
    case Kind::kSumInterval:
    case Kind::kMinimum:
    case Kind::kMaximum:
      out = state.best;
      break;
    case Kind::kAnd:
      out = Value::Bool(state.integer == state.count);
      break;
    case Kind::kOr:
      out = Value::Bool(state.integer > 0);
      break;
    case Kind::kStringAgg:
      out = Value::Text(state.buffer.view());
      break;
    case Kind::kJsonAgg: {
      // The state goes on without the bracket.
      ArenaBuffer whole;
      const bool fits =
          whole.Append(state.buffer.view(), *context.arena) && whole.Append("]", *context.arena);
      if (!fits) return context.Fail(whole.OutOfMemory(*context.arena));
      out = Value::Text(whole.view());
      break;
    }
    case Kind::kArrayAgg:
      out = FinishArray(state.buffer, 1, static_cast<uint32_t>(state.count));
      break;
  }
  return status.ok() || context.Fail(std::move(status));
}

}  // namespace connbench::engine
