// Changes to a tree after it was built. A node's evaluation is chosen by what its arguments are, so
// whoever replaces an argument goes through here.
//
// Safety: private memory, one thread. Only for trees that no plan runs yet.
#pragma once

#include <span>

#include "engine/executor/arena.h"
#include "engine/executor/expression/expression.h"

namespace connbench::engine {

// The same node over other arguments, as many as it has; null past the arena's limit.
Expression* WithArguments(const Expression& expression, std::span<Expression* const> arguments,
                          Arena& arena);
// Turns the node into a constant of its type. The value's bytes must live as long as the node.
void MakeConstant(Expression& expression, const Value& value);

}  // namespace connbench::engine
