// Queries inside queries as nodes: a subquery in FROM, WITH queries, the arms of a set operation.
//
// A subquery has a row and a scratch arena of its own, so that its values live until it is asked
// for its next row, whatever the query around it does meanwhile.
//
// Who may call: as for every node, the portal that runs the plan, through plan_node.h.
// Safety: private memory of one session, one thread at a time. Interrupts are looked for at each
// row.
// Memory: SubqueryScanNode and AppendNode none; CommonTable up to work_mem, the rest in a temporary
// file; SetOperationNode one row.
// Errors: those of the nodes below, and row_store.h's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/arena.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/row_frame.h"
#include "engine/executor/nodes/row_store.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

// While it lives, expressions use another scratch arena, and afterwards the row that they had.
class ScratchScope {
 public:
  ScratchScope(EvalContext& context, Arena& scratch)
      : context_(context), arena_(context.arena), columns_(context.columns) {
    scratch.set_limit_bytes(arena_->limit_bytes());
    scratch.set_interrupts(arena_->interrupts());
    context.arena = &scratch;
  }
  ~ScratchScope() {
    context_.arena = arena_;
    context_.columns = columns_;
  }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;

 private:
  EvalContext& context_;
  Arena* arena_;
  const Value* columns_;
};

// Where the columns of a FROM item go in the query's row, and which rows are wanted.
struct FromSlots {
  std::string alias;
  std::vector<std::string> columns;  // their names
  std::shared_ptr<RowFrame> frame;
  size_t first_slot = 0;
  const Expression* condition = nullptr;  // or null
};

// What the scans of subqueries and of WITH queries share: their row goes into the query's.
class FromItemNode : public PlanNode {
 public:
  explicit FromItemNode(FromSlots slots) : slots_(std::move(slots)) {}
  std::vector<std::string> OutputNames() const override {
    return slots_.frame->names.empty() ? slots_.columns : slots_.frame->names;
  }

 protected:
  Step DoNext(ExecutionContext& context, const Value*& row) final;
  // The next row, as wide as there are columns at least.
  virtual Step NextInput(ExecutionContext& context, const Value*& row) = 0;
  void ExplainAs(ExplainWriter& writer, std::string_view title) const;

  const FromSlots slots_;
};

class CommonTable;
class SubPlan;

// What belongs to one run of a query and must be begun anew with it.
struct QueryParts {
  std::vector<CommonTable*> common_tables;
  std::vector<SubPlan*> kept;  // which read a WITH query whose rows differ from run to run

  void Begin(ExecutionContext& context) const;
};

// What a LATERAL subquery reads of the row that it is joined to: values[i] goes into *cells[i].
struct LateralInput {
  std::vector<Expression*> values;
  std::vector<Value*> cells;
  QueryParts parts;
};

class SubqueryScanNode : public FromItemNode {
 public:
  SubqueryScanNode(PlanNodePtr child, FromSlots slots, LateralInput lateral);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step NextInput(ExecutionContext& context, const Value*& row) override;

 private:
  PlanNodePtr child_;
  const LateralInput lateral_;
  Arena lateral_arena_;  // of its values
  Arena scratch_;
};

// A query of WITH: run once, as far as its readers read, and stored for them.
class CommonTable {
 public:
  CommonTable(std::string name, PlanNodePtr child, const std::vector<Type>& types);

  // To be called before its first row is read; forgets what was stored.
  void Begin(ExecutionContext& context);
  // What row points to is valid until the position reads again.
  Step Read(ExecutionContext& context, RowStore::Position& position, std::string_view& row);
  void Close(ExecutionContext& context);

  const std::string& name() const { return name_; }
  const RowCodec& codec() const { return codec_; }
  const PlanNode& child() const { return *child_; }

 private:
  bool Store(ExecutionContext& context);

  const std::string name_;
  PlanNodePtr child_;
  const RowCodec codec_;
  RowStore store_;
  std::string row_bytes_;
  Arena scratch_;
  bool opened_ = false;
  bool complete_ = false;
};

class CommonTableScanNode : public FromItemNode {
 public:
  CommonTableScanNode(std::shared_ptr<CommonTable> table, FromSlots slots);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step NextInput(ExecutionContext& context, const Value*& row) override;

 private:
  const std::shared_ptr<CommonTable> table_;
  RowStore::Position position_;
  std::vector<Value> values_;
};

// The rows of all children, one child after the other.
class AppendNode : public PlanNode {
 public:
  explicit AppendNode(std::vector<PlanNodePtr> children);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return children_[0]->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  std::vector<PlanNodePtr> children_;
  size_t current_ = 0;
};

// INTERSECT and EXCEPT. The child's rows are sorted; behind their columns they have an integer that
// says which side they come from: 0 or 1.
class SetOperationNode : public PlanNode {
 public:
  SetOperationNode(PlanNodePtr child, const std::vector<Type>& types, bool intersect, bool all);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return child_->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  // Reads the rows that equal the one ahead; false: an error.
  bool TakeGroup(ExecutionContext& context);
  bool ReadAhead(ExecutionContext& context);

  PlanNodePtr child_;
  const std::vector<Type> types_;
  const bool intersect_;
  const bool all_;
  const RowCodec codec_;
  const Value* ahead_ = nullptr;  // the first row of the next group; null: there is none
  bool started_ = false;
  std::string group_bytes_;
  std::vector<Value> group_;
  int64_t copies_ = 0;  // of the group's row still to come
};

}  // namespace connbench::engine
