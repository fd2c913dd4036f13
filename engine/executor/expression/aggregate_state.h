// What an aggregate remembers of its inputs. Private to the files aggregates*.cc.
//
// Safety: a state belongs to one thread.
#pragma once

#include <cstdint>

#include "engine/executor/arena_buffer.h"
#include "engine/executor/expression/aggregates.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/interval.h"

namespace connbench::engine {

enum class AggregateKind : uint8_t {
  kCount,
  kSumInteger,  // into a bigint
  kSumWide,     // of bigints, into a numeric
  kSumNumeric,
  kSumReal,
  kSumInterval,
  kAverageInteger,  // of any integers, a numeric
  kAverageNumeric,
  kAverageReal,
  kAverageInterval,
  kMinimum,
  kMaximum,
  kAnd,
  kOr,
  kStringAgg,
  kArrayAgg,
  kJsonAgg,
};

struct AggregateDescription {
  AggregateKind kind;
  FunctionDescription signature;
};

struct AggregateState {
  int64_t count = 0;     // of non-null inputs
  __int128 integer = 0;  // the sum; of bool_and and bool_or the number of true inputs
  double real = 0;       // the sum
  Value best;            // the minimum, the maximum, the numeric sum; bytes are in buffer
  ArenaBuffer buffer;
  // Of a numeric sum: the display scale it shows, and how many inputs have it.
  int32_t scale = 0;
  int64_t scale_inputs = 0;
};

// The steps that taking in rows and combining parts have in common; false: the context has the
// error.
// Keeps value as the state's best, with its bytes in the state's buffer.
bool KeepBytes(const Value& value, AggregateState& state, Arena& arena, EvalContext& context);
bool AddToRealSum(double value, AggregateState& state, EvalContext& context);
// change: AddIntervals or SubtractIntervals.
bool ChangeIntervalSum(Status (*change)(const Interval&, const Interval&, Interval&),
                       const Value& value, AggregateState& state, Arena& arena,
                       EvalContext& context);
// Of min and max. first: there was no value before.
bool KeepBetter(const AggregateCall& call, const Value& value, bool first, AggregateState& state,
                Arena& arena, EvalContext& context);
inline bool InBytes(const AggregateCall& call) {
  return GetType(call.type.oid).form == ValueForm::kBytes;
}

}  // namespace connbench::engine
