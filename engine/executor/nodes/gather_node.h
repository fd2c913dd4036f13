// Gather: the rows of a part of the plan that parallel workers run as well as this session
// (engine/parallel/README.md). Who reads which block is settled by the scan at the bottom; rows
// come in no order.
//
// Where the context has no leader, or no worker is idle, the session runs its part alone, over all
// of the table: a plan with a Gather is right without any worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/table_scan.h"
#include "engine/executor/row_codec.h"
#include "engine/parallel/team.h"

namespace connbench::engine {

class GatherNode : public PlanNode {
 public:
  struct Part {
    PlanNodePtr root;
    TableScanNode* scan = nullptr;  // at its bottom
    std::vector<Type> types;        // of its rows
    uint32_t number = 0;            // which Gather of the plan this is
    // Equal for parts that do the same.
    uint64_t fingerprint = 0;
  };
  GatherNode(Part part, int workers);
  ~GatherNode() override;
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return part_.root->OutputNames(); }

  // For a worker, which runs the part of the Gather that its own plan has.
  Part& part() { return part_; }
  const RowCodec& codec() const { return codec_; }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  bool Begin(ExecutionContext& context);
  bool OpenPart(ExecutionContext& context);
  void End(ExecutionContext& context);

  Part part_;
  RowCodec codec_;
  const int workers_planned_;
  std::vector<Value> row_;
  std::unique_ptr<ParallelTeam> team_;
  bool begun_ = false;
  bool runs_part_ = false;  // this session has rows of its own to come
  bool has_run_ = false;
  bool done_ = false;
  int workers_launched_ = 0;  // for EXPLAIN ANALYZE
};

}  // namespace connbench::engine
