// Aggregate functions: count, sum, avg, min, max, bool_and, bool_or, every, string_agg,
// array_agg.
//
// How a plan node uses one: FindAggregate() and coerce the arguments; per group NewState(), then
// EvaluateInputs() and TakeIn() for every row, then Finish(). Of a call that takes its inputs in
// order (sorted()), the node sorts the inputs of a group before it takes them in, and leaves out
// what is equal for DISTINCT. Over a window frame that moves, TakeOut() undoes TakeIn().
//
// Safety: descriptions are constant; a state belongs to one thread. Ownership: states, and all they
// remember, live in the arena given to NewState(), which must outlive the group.
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

// One expression of ORDER BY in an aggregate.
struct AggregateOrder {
  Expression* expression = nullptr;
  bool descending = false;
  bool nulls_first = false;
};

// An aggregate call in a plan.
struct AggregateCall {
  const AggregateDescription* function = nullptr;
  Type type;                         // of the result
  std::span<Expression*> arguments;  // coerced; empty for count(*)
  bool distinct = false;
  Expression* filter = nullptr;  // FILTER (WHERE ...), or null
  std::span<AggregateOrder> order = {};

  bool sorted() const { return distinct || !order.empty(); }
  // What EvaluateInputs() writes.
  size_t inputs() const { return arguments.size() + order.size(); }
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

// Whether its state grows with every input, like that of string_agg.
bool KeepsInputs(const AggregateCall& call);

// Null past the arena's limit.
AggregateState* NewState(const AggregateCall& call, Arena& arena);
// Evaluates the filter, then the arguments and the expressions of ORDER BY against the context's
// row. taken: whether they count at all; only then are the inputs written.
[[nodiscard]] bool EvaluateInputs(const AggregateCall& call, EvalContext& context, Value* inputs,
                                  bool& taken);
// The arguments that EvaluateInputs() wrote.
[[nodiscard]] bool TakeIn(const AggregateCall& call, const Value* arguments, AggregateState& state,
                          Arena& arena, EvalContext& context);
// Whether TakeOut() may undo a TakeIn() of the call.
bool CanTakeOut(const AggregateCall& call);
// Takes what was taken in out again. done: false: the state does not know what it was without it,
// and is of no more use.
[[nodiscard]] bool TakeOut(const AggregateCall& call, const Value* arguments, AggregateState& state,
                           Arena& arena, EvalContext& context, bool& done);
// May be called again after further inputs. out may point into the state.
[[nodiscard]] bool Finish(const AggregateCall& call, AggregateState& state, EvalContext& context,
                          Value& out);

// --- In parts: aggregates_partial.cc ---
// Whether states of parts of the input make the state of all of it.
bool CanCombine(const AggregateCall& call);
// The state as bytes in the context's arena.
[[nodiscard]] bool WriteState(const AggregateCall& call, const AggregateState& state,
                              EvalContext& context, Value& out);
// Takes in what WriteState() wrote of another part.
[[nodiscard]] bool Combine(const AggregateCall& call, const Value& part, AggregateState& state,
                           Arena& arena, EvalContext& context);

}  // namespace connbench::engine
