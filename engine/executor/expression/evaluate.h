// The code behind the nodes: which EvaluateFunction a node gets.
//
// Safety: as expression.h; used by the builder only.
#pragma once

#include "engine/executor/expression/expression.h"

namespace connbench::engine {

// The fastest evaluation that fits the node; its kind, function, type and arguments are set.
EvaluateFunction ChooseEvaluation(const Expression& expression);

}  // namespace connbench::engine
