// REPEATABLE READ: fails for a row that the transaction's snapshot does not see.
#include "engine/executor/nodes/cross_check_node.h"

#include "engine/transaction/transaction.h"

namespace connbench::engine {

CrossCheckNode::CrossCheckNode(PlanNodePtr child, TableScanNode* scan)
    : child_(std::move(child)), scan_(scan) {
  estimated_rows = child_->estimated_rows;
  estimated_cost = child_->estimated_cost;
}

Step CrossCheckNode::DoNext(ExecutionContext& context, const Value*& row) {
  const Step step = child_->Next(context, row);
  Transaction& transaction = *context.transaction;
  if (step != Step::kRow || !transaction.keeps_snapshot()) return step;
  const Tid tid = Tid::FromPacked(static_cast<uint64_t>(row[scan_->tid_column()].integer));
  const Snapshot own = transaction.TakeSnapshot();
  const Result<bool> seen = scan_->table().heap().SeesVersion(own, tid);
  transaction.ReleaseSnapshot(own);
  if (!seen.ok()) return Fail(context, seen.status());
  if (*seen) return Step::kRow;
  return Fail(context, Heap::SerializationFailure(WriteOutcome::kUpdatedConcurrently));
}

}  // namespace connbench::engine
