// A node of a running plan, and what it runs in.
#include "engine/executor/nodes/plan_node.h"

namespace connbench::engine {

Step PlanNode::TimedNext(ExecutionContext& context, const Value*& row) {
  const MonotonicNs begin = MonotonicNow();
  const Step step = DoNext(context, row);
  actual_.time_ns += MonotonicNow() - begin;
  if (actual_.rows == 0) actual_.first_row_ns = actual_.time_ns;
  if (step == Step::kRow) ++actual_.rows;
  return step;
}

}  // namespace connbench::engine
