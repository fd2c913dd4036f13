// Aggregates of parts of their input: states that travel as bytes and become one.
#include <cmath>
#include <cstring>

#include "engine/executor/expression/aggregate_state.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

using Kind = AggregateKind;

// A state as bytes: this, then what of it is bytes.
struct Written {
  int64_t count;
  int64_t scale_inputs;
  __int128 integer;
  double real;
  int64_t best;  // of min and max of what is no bytes
  int32_t scale;
};

bool KeepsBytes(const AggregateCall& call) {
  switch (call.function->kind) {
    case Kind::kSumNumeric:
    case Kind::kAverageNumeric:
    case Kind::kSumInterval:
    case Kind::kAverageInterval:
      return true;
    case Kind::kMinimum:
    case Kind::kMaximum:
      return InBytes(call);
    default:
      return false;
  }
}

}  // namespace

// Keeps value as the state's best, with its bytes in the state's buffer.
bool KeepBytes(const Value& value, AggregateState& state, Arena& arena, EvalContext& context) {
  state.buffer.size = 0;
  if (!state.buffer.Append(value.text(), arena)) {
    return context.Fail(state.buffer.OutOfMemory(arena));
  }
  state.best = Value::Text({state.buffer.bytes, state.buffer.size});
  return true;
}

bool AddToRealSum(double value, AggregateState& state, EvalContext& context) {
  const bool finite = std::isfinite(value) && std::isfinite(state.real);
  state.real += value;
  if (finite && !std::isfinite(state.real)) {
    return context.Fail(
        Status::Error(sqlstate::kNumericValueOutOfRange, "value out of range: overflow"));
  }
  return true;
}

// change: AddIntervals or SubtractIntervals.
bool ChangeIntervalSum(Status (*change)(const Interval&, const Interval&, Interval&),
                       const Value& value, AggregateState& state, Arena& arena,
                       EvalContext& context) {
  const Interval before = state.buffer.size > 0 ? ToInterval(state.best) : Interval();
  Interval sum;
  Value bytes;
  return context.Check(change(before, ToInterval(value), sum)) &&
         context.Check(StoreInterval(sum, *context.arena, bytes)) &&
         KeepBytes(bytes, state, arena, context);
}

bool KeepBetter(const AggregateCall& call, const Value& value, bool first, AggregateState& state,
                Arena& arena, EvalContext& context) {
  if (!first) {
    const int order = CompareValues(call.type.oid, value, state.best);
    if (call.function->kind == Kind::kMinimum ? order > 0 : order < 0) return true;
    // Of equal values that print differently the last one stays (1.5 and 1.50), but for bpchar.
    if (order == 0 && call.type.oid == type_oid::kBpchar) return true;
  }
  if (InBytes(call)) return KeepBytes(value, state, arena, context);
  state.best = value;
  return true;
}

bool CanCombine(const AggregateCall& call) { return !call.sorted() && !KeepsInputs(call); }

bool WriteState(const AggregateCall& call, const AggregateState& state, EvalContext& context,
                Value& out) {
  Written written{};
  written.count = state.count;
  written.scale_inputs = state.scale_inputs;
  written.integer = state.integer;
  written.real = state.real;
  written.scale = state.scale;
  std::string_view rest;
  if (state.count > 0 && KeepsBytes(call)) {
    rest = state.best.text();
  } else {
    written.best = state.best.integer;
  }
  char* const bytes = context.Allocate(sizeof written + rest.size());
  if (bytes == nullptr) return false;
  std::memcpy(bytes, &written, sizeof written);
  if (!rest.empty()) std::memcpy(bytes + sizeof written, rest.data(), rest.size());
  out = Value::Text({bytes, sizeof written + rest.size()});
  return true;
}

bool Combine(const AggregateCall& call, const Value& part, AggregateState& state, Arena& arena,
             EvalContext& context) {
  Written other{};
  if (part.length < sizeof other) {
    return context.Fail(
        Status::Error(sqlstate::kInternalError, "a partial aggregate is too short"));
  }
  std::memcpy(&other, part.bytes, sizeof other);
  if (other.count == 0) return true;
  const bool first = state.count == 0;
  const Value bytes = Value::Text(part.text().substr(sizeof other));
  state.count += other.count;
  switch (call.function->kind) {
    case Kind::kSumReal:
    case Kind::kAverageReal:
      return AddToRealSum(other.real, state, context);
    case Kind::kSumInterval:
    case Kind::kAverageInterval:
      return ChangeIntervalSum(AddIntervals, bytes, state, arena, context);
    case Kind::kSumNumeric:
    case Kind::kAverageNumeric: {
      if (first) return KeepBytes(bytes, state, arena, context);
      Value sum;
      return context.Check(AddNumeric(state.best, bytes, *context.arena, sum)) &&
             KeepBytes(sum, state, arena, context);
    }
    case Kind::kMinimum:
    case Kind::kMaximum: {
      Value best = bytes;
      if (!InBytes(call)) {
        best = Value::Integer(other.best);  // or the same bits of a float
      }
      return KeepBetter(call, best, first, state, arena, context);
    }
    default:
      state.integer += other.integer;
      return true;
  }
}

}  // namespace connbench::engine
