// Functions that return sets, each a row for every element of the array that the function gives: in
// FROM, and in a select list.
//
// Who may call: as for every node, the portal that runs the plan, through plan_node.h.
// Safety: private memory of one session, one thread at a time. Interrupts are looked for at each
// row. Memory: the arrays of one row, within the limit of the scratch arena (53200).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/executor/arena.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/subquery_nodes.h"
#include "engine/executor/types/array.h"

namespace connbench::engine {

// In FROM: a column of the elements, and behind it their numbers if there are two columns.
class FunctionScanNode : public FromItemNode {
 public:
  // array: may read the row that it is joined to.
  FunctionScanNode(std::string function, const Expression* array, FromSlots slots);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step NextInput(ExecutionContext& context, const Value*& row) override;

 private:
  const std::string function_;
  const Expression* array_;
  Arena arena_;
  std::optional<ArrayReader> reader_;
  Value row_[2];
};

// A select list with sets among its columns: for each row of the child as many rows as the longest
// of them has; the others end in nulls.
class ProjectSetNode : public PlanNode {
 public:
  ProjectSetNode(PlanNodePtr child, std::vector<const Expression*> expressions);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  bool ReadSets(ExecutionContext& context);
  // The next row of the sets; found: there is one.
  bool MakeRow(ExecutionContext& context, bool& found);

  PlanNodePtr child_;
  const std::vector<const Expression*> expressions_;
  std::vector<std::optional<ArrayReader>> sets_;  // by expression; none: a value
  std::vector<Value> values_;
  const Value* input_ = nullptr;  // the child's row
  bool has_input_ = false;        // otherwise the next one is due
  Arena set_arena_;               // of one row of the child
  Arena row_arena_;               // of one row
};

}  // namespace connbench::engine
