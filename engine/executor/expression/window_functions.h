// Window functions: which there are, and what a call of one means. Aggregates with OVER are window
// functions, too.
//
// Who may call: analysis finds a call's function here; the plan node computes it
// (executor/nodes/window_node.h).
// Safety: constant data; any thread. Ownership: a call's memory is the builder's.
// Errors: PostgreSQL's, with positions: 42883, 42804, 42809.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/executor/expression/aggregates.h"
#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/expression.h"

namespace connbench::engine {

enum class WindowFunction : uint8_t {
  kAggregate,
  kRowNumber,
  kRank,
  kDenseRank,
  kPercentRank,
  kCumeDist,
  kNtile,
  kLag,
  kLead,
  kFirstValue,
  kLastValue,
  kNthValue,
};

// A call in a plan.
struct WindowCall {
  WindowFunction function = WindowFunction::kAggregate;
  AggregateCall aggregate;                    // of kAggregate
  std::string_view name;                      // for EXPLAIN
  Type type;                                  // of the result
  std::span<Expression*> function_arguments;  // coerced; of kAggregate: none
  size_t window = 0;                          // which of its query's windows

  std::span<Expression*> arguments() const {
    return function == WindowFunction::kAggregate ? aggregate.arguments : function_arguments;
  }
};

// One that is no aggregate.
bool IsWindowFunction(std::string_view name);

// Resolves name(arguments) of such a name. written: as for FindAggregate().
Result<WindowCall> FindWindowFunction(ExpressionBuilder& builder, std::string_view name,
                                      std::span<Expression* const> arguments, int location,
                                      std::string_view written = {});

}  // namespace connbench::engine
