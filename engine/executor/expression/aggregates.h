// Aggregate functions: count, sum, avg, min, max, bool_and, bool_or, every, string_agg.
//
// How a plan node uses one: FindAggregate() and coerce the arguments; per group NewState(), then
// Accumulate() for every row, then Finish().
//
// Safety: descriptions are constant; a state belongs to one thread. Ownership: states, and all they
// remember, live in the arena given to NewState(), which must outlive the group and has work_mem as
// its limit.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/expression.h"

namespace connbench::engine {

struct AggregateDescription;  // one row in aggregates.cc

// An aggregate call in a plan.
struct AggregateCall {
  const AggregateDescription* function = nullptr;
  Type type;                         // of the result
  std::span<Expression*> arguments;  // coerced; empty for count(*)
  bool distinct = false;
  Expression* filter = nullptr;  // FILTER (WHERE ...), or null
};

struct AggregateState;

bool IsAggregate(std::string_view name);
// "sum", for EXPLAIN.
std::string_view AggregateName(const AggregateCall& call);

// Resolves name(arguments) or name(*); 42883 as for functions, with the name as `written` unless it
// is empty. The call's memory is the builder's.
Result<AggregateCall> FindAggregate(ExpressionBuilder& builder, std::string_view name,
                                    std::span<Expression* const> arguments, bool star,
                                    bool distinct, int location, std::string_view written = {});

// Null past the arena's limit.
AggregateState* NewState(const AggregateCall& call, Arena& arena);
// Evaluates the filter and the arguments against the context's row and takes them in.
[[nodiscard]] bool Accumulate(const AggregateCall& call, AggregateState& state, Arena& arena,
                              EvalContext& context);
// May be called once. out may point into the state.
[[nodiscard]] bool Finish(const AggregateCall& call, AggregateState& state, EvalContext& context,
                          Value& out);

}  // namespace connbench::engine
