// A query of WITH that reads itself: its first term's rows, then what its recursive term makes of
// the rows that the step before has found, until a step finds none.
//
// Who may call: as for every node, the portal that runs the plan, through plan_node.h. The union is
// the child of a CommonTable, which asks for no more rows than its readers read: a query with LIMIT
// ends a recursion that has no end.
// Safety: private memory of one session, one thread at a time. Interrupts are looked for at each
// row that a step reads.
// Memory: the rows of a step and those of the next up to work_mem each, the rest in temporary
// files. UNION without ALL keeps every row once, within twice work_mem as a hash table may have:
// 53200 past it.
// Errors: those of the terms and of row_store.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/row_index.h"
#include "engine/executor/nodes/row_store.h"
#include "engine/executor/nodes/subquery_nodes.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

// Rows that were seen, each once, by the equality of their types.
class SeenRows {
 public:
  explicit SeenRows(const std::vector<Type>& types);

  // Forgets all.
  void Begin(int64_t limit_bytes);
  void Clear();
  // added: the row, whose bytes these are, was not there. 53200 past the limit.
  Status Add(const Value* row, std::string_view bytes, bool& added);

 private:
  uint64_t Hash(const Value* row) const;
  bool Equals(const Value* row, size_t stored);

  const std::vector<Type> types_;
  const RowCodec codec_;
  int64_t limit_bytes_ = 0;
  RowStore store_;
  RowIndex index_;
  std::vector<Value> values_;
};

// What the recursive term reads: the rows of the step before.
class WorkTable {
 public:
  WorkTable(std::string name, const std::vector<Type>& types)
      : name_(std::move(name)), codec_(types) {}

  void Begin(int64_t limit_bytes);
  void Clear();
  // A row for the next step.
  Status Add(std::string_view row) { return stores_[1 - current_].Add(row); }
  // The rows added become those that are read; false: there are none.
  bool Advance();
  Result<bool> Read(RowStore::Position& position, std::string_view& row) {
    return stores_[current_].Read(position, row);
  }

  const std::string& name() const { return name_; }
  const RowCodec& codec() const { return codec_; }

 private:
  const std::string name_;
  const RowCodec codec_;
  RowStore stores_[2];
  size_t current_ = 0;
};

class WorkTableScanNode : public FromItemNode {
 public:
  WorkTableScanNode(std::shared_ptr<WorkTable> table, FromSlots slots);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step NextInput(ExecutionContext& context, const Value*& row) override;

 private:
  const std::shared_ptr<WorkTable> table_;
  RowStore::Position position_;
  std::vector<Value> values_;
};

struct Recursion {
  PlanNodePtr first;  // the term that does not read the query
  PlanNodePtr step;   // the recursive term, run once for each step
  // What the step reads of queries around, filled once; and what begins anew with each step.
  LateralInput around;
  std::shared_ptr<WorkTable> work_table;
  std::vector<Type> types;  // of the rows of both
  bool all = false;         // UNION ALL
};

class RecursiveUnionNode : public PlanNode {
 public:
  explicit RecursiveUnionNode(Recursion recursion);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return recursion_.first->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  // is_new: it is a row of the result, and the next step reads it.
  bool Keep(ExecutionContext& context, const Value* row, bool& is_new);
  PlanNode& current() { return in_step_ ? *recursion_.step : *recursion_.first; }

  Recursion recursion_;
  SeenRows seen_;
  std::string row_bytes_;
  bool in_step_ = false;
  bool done_ = false;
};

}  // namespace connbench::engine
