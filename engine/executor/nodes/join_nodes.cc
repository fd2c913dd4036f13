// What all joins share, the nested loop, and rows that are remembered for it.
#include "engine/executor/nodes/join_nodes.h"

#include <algorithm>

#include "engine/executor/nodes/explain.h"

namespace connbench::engine {

// ---- slots as bytes ----

SlotCodec::SlotCodec(std::vector<uint16_t> slots, const std::vector<Oid>& types)
    : slots_(std::move(slots)), codec_(types), values_(slots_.size()) {}

size_t SlotCodec::EncodedSize(const Value* row) {
  for (size_t i = 0; i < slots_.size(); ++i) values_[i] = row[slots_[i]];
  return codec_.EncodedSize(values_.data());
}

void SlotCodec::Encode(char* out) const { codec_.Encode(values_.data(), out); }

void SlotCodec::Decode(std::string_view bytes, Value* row) {
  codec_.DecodeAll(bytes, values_.data());
  for (size_t i = 0; i < slots_.size(); ++i) row[slots_[i]] = values_[i];
}

// ---- the common part ----

JoinNode::JoinNode(PlanNodePtr outer, PlanNodePtr inner, JoinDescription join)
    : outer_(std::move(outer)), inner_(std::move(inner)), join_(std::move(join)) {}

void JoinNode::Close(ExecutionContext& context) {
  outer_->Close(context);
  inner_->Close(context);
}

bool JoinNode::TestCondition(ExecutionContext& context, bool& matches) {
  matches = true;
  if (join_.condition == nullptr) return true;
  context.eval.columns = join_.frame->row();
  return EvaluateCondition(*join_.condition, context.eval, matches);
}

bool JoinNode::TestFilter(ExecutionContext& context, bool& passes) {
  passes = true;
  if (join_.filter == nullptr) return true;
  context.eval.columns = join_.frame->row();
  return EvaluateCondition(*join_.filter, context.eval, passes);
}

void JoinNode::SetNull(const std::vector<SlotRange>& slots) {
  Value* row = join_.frame->row();
  for (const SlotRange& range : slots) std::fill(row + range.first, row + range.end, Value::Null());
}

void JoinNode::ExplainConditions(ExplainWriter& writer, const Expression* condition) const {
  if (condition != nullptr) {
    writer.Property("Join Filter", PrintExpression(*condition, join_.frame->names));
  }
  if (join_.filter != nullptr) {
    writer.Property("Filter", PrintExpression(*join_.filter, join_.frame->names));
  }
}

// ---- nested loop ----

bool NestedLoopNode::DoOpen(ExecutionContext& context) {
  inner_opened_ = has_outer_ = false;
  return outer_->Open(context);
}

[[gnu::hot]] Step NestedLoopNode::DoNext(ExecutionContext& context, const Value*& row) {
  row = join_.frame->row();
  const Value* ignored = nullptr;
  while (true) {
    if (!has_outer_) {
      const Step step = outer_->Next(context, ignored);
      if (step != Step::kRow) return step;
      // The inner side may look its rows up by the outer row: it begins only now.
      if (!(inner_opened_ ? inner_->Rescan(context) : inner_->Open(context))) return Step::kError;
      inner_opened_ = has_outer_ = true;
      matched_ = false;
    }
    const Step step = inner_->Next(context, ignored);
    if (step == Step::kError) return step;
    bool passes = false;
    if (step == Step::kDone) {
      has_outer_ = false;
      if (!join_.keep_outer || matched_) continue;
      SetNull(join_.inner_slots);
    } else {
      if (!TestCondition(context, passes)) return Step::kError;
      if (!passes) continue;
      matched_ = true;
    }
    if (!TestFilter(context, passes)) return Step::kError;
    if (passes) return Step::kRow;
  }
}

void NestedLoopNode::Explain(ExplainWriter& writer) const {
  writer.Node(join_.keep_outer ? "Nested Loop Left Join" : "Nested Loop", *this);
  ExplainConditions(writer, join_.condition);
  writer.Child(*outer_);
  writer.Child(*inner_);
}

// ---- remembered rows ----

MaterializeNode::MaterializeNode(PlanNodePtr child, std::shared_ptr<RowFrame> frame,
                                 SlotCodec codec)
    : child_(std::move(child)), frame_(std::move(frame)), codec_(std::move(codec)) {
  estimated_rows = child_->estimated_rows;
  estimated_cost = child_->estimated_cost;
}

bool MaterializeNode::DoOpen(ExecutionContext& context) {
  store_.Clear();
  store_.SetMemoryLimit(context.work_mem_bytes);
  position_.Rewind();
  complete_ = false;
  return child_->Open(context);
}

bool MaterializeNode::DoRescan(ExecutionContext& /*context*/) {
  position_.Rewind();
  return true;
}

Step MaterializeNode::DoNext(ExecutionContext& context, const Value*& row) {
  row = frame_->row();
  std::string_view stored;
  Result<bool> found = store_.Read(position_, stored);
  if (!found.ok()) return Fail(context, found.TakeStatus());
  if (*found) {
    context.eval.arena->Reset();
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    codec_.Decode(stored, frame_->row());
    return Step::kRow;
  }
  if (complete_) return Step::kDone;
  const Value* ignored = nullptr;
  const Step step = child_->Next(context, ignored);
  if (step == Step::kError) return step;
  if (step == Step::kDone) {
    complete_ = true;
    child_->Close(context);
    return step;
  }
  row_bytes_.resize(codec_.EncodedSize(frame_->row()));
  codec_.Encode(row_bytes_.data());
  Status added = store_.Add(row_bytes_);
  if (!added.ok()) return Fail(context, std::move(added));
  store_.MoveToEnd(position_);
  return step;
}

void MaterializeNode::Close(ExecutionContext& context) {
  store_.Clear();
  child_->Close(context);
}

void MaterializeNode::Explain(ExplainWriter& writer) const {
  writer.Node("Materialize", *this);
  writer.Child(*child_);
}

}  // namespace connbench::engine
