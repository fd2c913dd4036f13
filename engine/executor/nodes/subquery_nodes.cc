// Subqueries in FROM, WITH queries, UNION, INTERSECT and EXCEPT.
#include "engine/executor/nodes/subquery_nodes.h"

#include <algorithm>

#include "engine/executor/nodes/explain.h"

namespace connbench::engine {

// ---- what items of FROM share ----

Step FromItemNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (true) {
    context.eval.arena->Reset();
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    const Value* input = nullptr;
    const Step step = NextInput(context, input);
    if (step != Step::kRow) return step;
    row = slots_.frame->row();
    std::copy_n(input, slots_.columns.size(), slots_.frame->row() + slots_.first_slot);
    if (slots_.condition == nullptr) return Step::kRow;
    bool passes = false;
    context.eval.columns = row;
    if (!EvaluateCondition(*slots_.condition, context.eval, passes)) return Step::kError;
    if (passes) return Step::kRow;
  }
}

void FromItemNode::ExplainAs(ExplainWriter& writer, std::string_view title) const {
  writer.Node(title, *this);
  if (slots_.condition != nullptr) {
    writer.Property("Filter", PrintExpression(*slots_.condition, OutputNames()));
  }
}

// ---- a subquery in FROM ----

SubqueryScanNode::SubqueryScanNode(PlanNodePtr child, FromSlots slots, LateralInput lateral)
    : FromItemNode(std::move(slots)), child_(std::move(child)), lateral_(std::move(lateral)) {
  estimated_rows = child_->estimated_rows;
  estimated_cost = child_->estimated_cost;
}

bool SubqueryScanNode::DoOpen(ExecutionContext& context) {
  if (!lateral_.values.empty()) {
    const ScratchScope scope(context.eval, lateral_arena_);
    lateral_arena_.Reset();
    context.eval.columns = slots_.frame->row();
    for (size_t i = 0; i < lateral_.values.size(); ++i) {
      if (!Evaluate(*lateral_.values[i], context.eval, *lateral_.cells[i])) return false;
    }
  }
  lateral_.parts.Begin(context);
  const ScratchScope scope(context.eval, scratch_);
  scratch_.Reset();
  return child_->Open(context);
}

Step SubqueryScanNode::NextInput(ExecutionContext& context, const Value*& row) {
  const ScratchScope scope(context.eval, scratch_);
  return child_->Next(context, row);
}

void SubqueryScanNode::Close(ExecutionContext& context) {
  child_->Close(context);
  scratch_.Release();
  lateral_arena_.Release();
}

void SubqueryScanNode::Explain(ExplainWriter& writer) const {
  ExplainAs(writer, "Subquery Scan on " + slots_.alias);
  writer.Child(*child_);
}

// ---- WITH ----

CommonTable::CommonTable(std::string name, PlanNodePtr child, const std::vector<Type>& types)
    : name_(std::move(name)), child_(std::move(child)), codec_(types) {}

void CommonTable::Begin(ExecutionContext& context) {
  Close(context);
  store_.SetMemoryLimit(context.work_mem_bytes);
}

void CommonTable::Close(ExecutionContext& context) {
  store_.Clear();
  if (opened_) child_->Close(context);
  scratch_.Release();
  opened_ = complete_ = false;
}

// Stores one more row, if there is one.
bool CommonTable::Store(ExecutionContext& context) {
  const ScratchScope scope(context.eval, scratch_);
  if (!opened_) {
    opened_ = true;
    if (!child_->Open(context)) return false;
  }
  const Value* row = nullptr;
  const Step step = child_->Next(context, row);
  if (step == Step::kError) return false;
  if (step == Step::kDone) {
    complete_ = true;
    child_->Close(context);
    return true;
  }
  row_bytes_.resize(codec_.EncodedSize(row));
  codec_.Encode(row, row_bytes_.data());
  Status added = store_.Add(row_bytes_);
  return added.ok() || context.Fail(std::move(added));
}

Step CommonTable::Read(ExecutionContext& context, RowStore::Position& position,
                       std::string_view& row) {
  while (true) {
    Result<bool> found = store_.Read(position, row);
    if (!found.ok()) {
      context.eval.status = found.TakeStatus();
      return Step::kError;
    }
    if (*found) return Step::kRow;
    if (complete_) return Step::kDone;
    if (!Store(context)) return Step::kError;
  }
}

CommonTableScanNode::CommonTableScanNode(std::shared_ptr<CommonTable> table, FromSlots slots)
    : FromItemNode(std::move(slots)), table_(std::move(table)), values_(slots_.columns.size()) {
  estimated_rows = table_->child().estimated_rows;
  estimated_cost = table_->child().estimated_cost;
}

bool CommonTableScanNode::DoOpen(ExecutionContext& /*context*/) {
  position_.Rewind();
  return true;
}

Step CommonTableScanNode::NextInput(ExecutionContext& context, const Value*& row) {
  std::string_view stored;
  const Step step = table_->Read(context, position_, stored);
  if (step != Step::kRow) return step;
  table_->codec().DecodeAll(stored, values_.data());
  row = values_.data();
  return Step::kRow;
}

void CommonTableScanNode::Close(ExecutionContext& /*context*/) { position_ = {}; }

void CommonTableScanNode::Explain(ExplainWriter& writer) const {
  std::string title = "CTE Scan on " + table_->name();
  if (slots_.alias != table_->name()) title += " " + slots_.alias;
  ExplainAs(writer, title);
}

// ---- UNION ----

AppendNode::AppendNode(std::vector<PlanNodePtr> children) : children_(std::move(children)) {
  estimated_rows = 0;
  for (const PlanNodePtr& child : children_) {
    estimated_rows += child->estimated_rows;
    estimated_cost += child->estimated_cost;
  }
}

bool AppendNode::DoOpen(ExecutionContext& context) {
  current_ = 0;
  return children_[0]->Open(context);
}

Step AppendNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (current_ < children_.size()) {
    const Step step = children_[current_]->Next(context, row);
    if (step != Step::kDone) return step;
    children_[current_]->Close(context);
    if (++current_ < children_.size() && !children_[current_]->Open(context)) return Step::kError;
  }
  return Step::kDone;
}

void AppendNode::Close(ExecutionContext& context) {
  for (const PlanNodePtr& child : children_) child->Close(context);
}

void AppendNode::Explain(ExplainWriter& writer) const {
  writer.Node("Append", *this);
  for (const PlanNodePtr& child : children_) writer.Child(*child);
}

// ---- INTERSECT, EXCEPT ----

SetOperationNode::SetOperationNode(PlanNodePtr child, const std::vector<Type>& types,
                                   bool intersect, bool all)
    : child_(std::move(child)),
      types_(types),
      intersect_(intersect),
      all_(all),
      codec_(types),
      group_(types.size()) {
  estimated_rows = child_->estimated_rows / 2;
  estimated_cost = child_->estimated_cost;
}

bool SetOperationNode::DoOpen(ExecutionContext& context) {
  ahead_ = nullptr;
  started_ = false;
  copies_ = 0;
  return child_->Open(context);
}

bool SetOperationNode::ReadAhead(ExecutionContext& context) {
  const Step step = child_->Next(context, ahead_);
  if (step == Step::kDone) ahead_ = nullptr;
  return step != Step::kError;
}

bool SetOperationNode::TakeGroup(ExecutionContext& context) {
  group_bytes_.resize(codec_.EncodedSize(ahead_));
  codec_.Encode(ahead_, group_bytes_.data());
  codec_.DecodeAll(group_bytes_, group_.data());
  int64_t counts[2] = {};
  bool same = true;
  while (same) {
    ++counts[ahead_[types_.size()].integer];
    if (!ReadAhead(context)) return false;
    same = ahead_ != nullptr;
    for (size_t i = 0; i < types_.size() && same; ++i) {
      same = CompareNullsLast(types_[i].oid, ahead_[i], group_[i]) == 0;
    }
  }
  if (intersect_) {
    copies_ = std::min(counts[0], counts[1]);
  } else {
    copies_ = all_ || counts[1] == 0 ? std::max<int64_t>(counts[0] - counts[1], 0) : 0;
  }
  if (!all_) copies_ = std::min<int64_t>(copies_, 1);
  return true;
}

Step SetOperationNode::DoNext(ExecutionContext& context, const Value*& row) {
  if (!started_) {
    started_ = true;
    if (!ReadAhead(context)) return Step::kError;
  }
  while (copies_ == 0) {
    if (ahead_ == nullptr) return Step::kDone;
    if (!TakeGroup(context)) return Step::kError;
  }
  --copies_;
  row = group_.data();
  return Step::kRow;
}

void SetOperationNode::Close(ExecutionContext& context) { child_->Close(context); }

void SetOperationNode::Explain(ExplainWriter& writer) const {
  writer.Node(std::string("SetOp ") + (intersect_ ? "Intersect" : "Except") + (all_ ? " All" : ""),
              *this);
  writer.Child(*child_);
}

}  // namespace connbench::engine
