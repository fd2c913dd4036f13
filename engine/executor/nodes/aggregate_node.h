// GROUP BY and aggregates: one row for each group, the grouping values first, then the aggregates'
// results. Without GROUP BY: one row, whatever the input.
//
// Memory: all groups are held, within work_mem; beyond it 53200.
#pragma once

#include <string>
#include <vector>

#include "engine/executor/expression/aggregates.h"
#include "engine/executor/nodes/plan_node.h"

namespace connbench::engine {

class AggregateNode : public PlanNode {
 public:
  // having: over the groups' rows, or null.
  AggregateNode(PlanNodePtr child, std::vector<const Expression*> groups,
                std::vector<AggregateCall> calls, const Expression* having);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  struct Group {
    uint64_t hash;
    Value* values;            // one for each grouping expression
    AggregateState** states;  // one for each call
  };

  bool TakeInput(ExecutionContext& context);
  Group* FindOrMakeGroup(ExecutionContext& context, uint64_t hash);
  Group* MakeGroup(ExecutionContext& context, uint64_t hash);
  bool GrowTable(ExecutionContext& context);
  int64_t TableBytes() const;
  Status OutOfWorkMem() const;

  PlanNodePtr child_;
  std::vector<const Expression*> groups_;
  std::vector<AggregateCall> calls_;
  const Expression* having_;

  Arena arena_;
  std::vector<Group*> table_;  // open addressing, a power of two
  std::vector<Group*> all_;    // in order of appearance
  std::vector<Value> group_values_;
  std::vector<Value> row_;
  size_t next_ = 0;
  bool input_taken_ = false;
};

}  // namespace connbench::engine
