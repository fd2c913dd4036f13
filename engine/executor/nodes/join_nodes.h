// Joins. Both sides write their rows into the query's frame (row_frame.h), so a joined row is the
// frame itself. The outer side is read once; the inner side is read again for each outer row, or
// kept in a hash table.
//
// Who may call: as for every node, the portal that runs the plan, through plan_node.h.
// Safety: private memory of one session, one thread at a time. Interrupts are looked for at each
// row of either side, and at each row that is compared.
// Memory: NestedLoopNode none; MaterializeNode up to work_mem; HashJoinNode: hash_join.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/row_frame.h"
#include "engine/executor/nodes/row_store.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

// Some slots of a frame as bytes, and back.
class SlotCodec {
 public:
  SlotCodec() = default;
  // slots: where the values are; types: of each.
  SlotCodec(std::vector<uint16_t> slots, const std::vector<Oid>& types);

  size_t EncodedSize(const Value* row);  // also gathers what Encode() then writes
  void Encode(char* out) const;
  // The values point into bytes.
  void Decode(std::string_view bytes, Value* row);

 private:
  std::vector<uint16_t> slots_;
  RowCodec codec_;
  std::vector<Value> values_;
};

// What every join is told.
struct JoinDescription {
  std::shared_ptr<RowFrame> frame;
  bool keep_outer = false;  // outer rows without a match come with nulls for the inner side
  bool keep_inner = false;  // and the other way round; hash joins only
  const Expression* condition = nullptr;  // which pairs match; null: all
  const Expression* filter = nullptr;     // on joined rows, null-extended ones included; or null
  std::vector<SlotRange> outer_slots;
  std::vector<SlotRange> inner_slots;
};

class JoinNode : public PlanNode {
 public:
  JoinNode(PlanNodePtr outer, PlanNodePtr inner, JoinDescription join);
  void Close(ExecutionContext& context) override;
  std::vector<std::string> OutputNames() const override { return join_.frame->names; }

 protected:
  // False: an error.
  bool TestCondition(ExecutionContext& context, bool& matches);
  bool TestFilter(ExecutionContext& context, bool& passes);
  void SetNull(const std::vector<SlotRange>& slots);
  void ExplainConditions(ExplainWriter& writer, const Expression* condition) const;

  PlanNodePtr outer_;
  PlanNodePtr inner_;
  const JoinDescription join_;
};

class NestedLoopNode : public JoinNode {
 public:
  using JoinNode::JoinNode;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  bool inner_opened_ = false;
  bool has_outer_ = false;  // and the inner side is being read for it
  bool matched_ = false;
};

// Stores its child's rows, so that a rescan need not make them again: within work_mem, the rest in
// a temporary file.
class MaterializeNode : public PlanNode {
 public:
  MaterializeNode(PlanNodePtr child, std::shared_ptr<RowFrame> frame, SlotCodec codec);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return frame_->names; }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  bool DoRescan(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  PlanNodePtr child_;
  std::shared_ptr<RowFrame> frame_;
  SlotCodec codec_;
  RowStore store_;
  RowStore::Position position_;
  std::string row_bytes_;
  bool complete_ = false;  // the store has all of them
};

}  // namespace connbench::engine
