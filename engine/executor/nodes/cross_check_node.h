// REPEATABLE READ: fails with 40001 for a row that the transaction's snapshot does not see.
//
// What a foreign key does to referencing rows must reach all that are committed, so such a plan
// scans with a snapshot of its own moment. A row that the transaction itself could not see must not
// be changed behind its back: as in PostgreSQL, the transaction fails.
//
// Who may call: the planner, above the scan of an UPDATE or DELETE that a foreign key asks for.
// Safety: private memory of one session, one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/table_scan.h"

namespace connbench::engine {

class CrossCheckNode : public PlanNode {
 public:
  // scan: child, or below it.
  CrossCheckNode(PlanNodePtr child, TableScanNode* scan);
  void Close(ExecutionContext& context) override { child_->Close(context); }
  void Explain(ExplainWriter& writer) const override { child_->Explain(writer); }
  std::vector<std::string> OutputNames() const override { return child_->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override { return child_->Open(context); }
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  PlanNodePtr child_;
  TableScanNode* scan_;
};

}  // namespace connbench::engine
