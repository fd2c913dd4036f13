// Window functions: the child's rows, each with the results of all functions over one window behind
// its columns.
//
// The child's rows come sorted by the window's partition, then by its order. Rows of a partition
// are read as far as the functions need and kept as long as they need them (window_rows.h). Frames
// follow PostgreSQL's executor: an aggregate over a frame that only grows takes each row in once; a
// frame whose first row moves lets aggregates that can take rows out again, and begins anew with
// the others.
//
// Who may call: as for every node, the portal that runs the plan, through plan_node.h.
// Safety: private memory of one session, one thread at a time. Interrupts are looked for at each
// row that is read or taken in.
// Memory: rows up to work_mem, then a temporary file; the states of aggregates what they need.
// Errors: 22004 and 22013 of frame offsets, 22014, 22016, and those of expressions and files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/expression/window_functions.h"
#include "engine/executor/key_codec.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/executor/nodes/window_rows.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

enum class FrameMode : uint8_t { kRange, kRows, kGroups };
enum class FrameBound : uint8_t {
  kUnboundedPreceding,
  kOffsetPreceding,
  kCurrentRow,
  kOffsetFollowing,
  kUnboundedFollowing,
};
enum class FrameExclusion : uint8_t { kNone, kCurrentRow, kGroup, kTies };

struct WindowFrame {
  FrameMode mode = FrameMode::kRange;
  FrameBound start = FrameBound::kUnboundedPreceding;
  FrameBound end = FrameBound::kCurrentRow;
  Expression* start_offset = nullptr;  // without columns; in RANGE of the type that orders, or
  Expression* end_offset = nullptr;    // one that goes with it, else a bigint
  FrameExclusion exclusion = FrameExclusion::kNone;
};

struct WindowDescription {
  std::vector<SortKey> partition;  // of the child's columns
  std::vector<SortKey> order;
  WindowFrame frame;
};

class WindowAggNode : public PlanNode {
 public:
  // types: of the child's columns. calls: all over this window.
  WindowAggNode(PlanNodePtr child, const std::vector<Type>& types, WindowDescription window,
                std::vector<WindowCall> calls);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  // One call as it runs.
  struct Run {
    explicit Run(const WindowCall& made) : call(made) {}

    WindowCall call;
    Value result;
    WindowRows::Reader reader;  // of a function that reads other rows than the current one
    // lag and lead: whether their distance is the same for all rows, and what it was.
    bool fixed_distance = false;
    int64_t distance = 0;
    // ntile: how many buckets, 0 until that is known; which one it is; rows in it; rows for it, and
    // how many buckets have one more.
    int64_t buckets = 0;
    int64_t bucket = 0;
    int64_t rows_in_bucket = 0;
    int64_t rows_for_bucket = 0;
    int64_t larger_buckets = 0;
    // Aggregates.
    bool can_take_out = false;
    bool restart = false;
    AggregateState* state = nullptr;
    Arena arena;  // of the state

    bool is_aggregate() const { return call.function == WindowFunction::kAggregate; }
  };

  // ---- window_node.cc: rows and partitions ----
  bool EvaluateOffsets(ExecutionContext& context);
  bool EvaluateOffset(ExecutionContext& context, const Expression* offset, std::string_view which,
                      Value& out);
  // Reads the child's next row; in_partition: whether it belongs to the present partition, and so
  // is stored. Otherwise it is ahead_, if there is one.
  bool ReadInput(ExecutionContext& context, bool& in_partition);
  bool BeginPartition(ExecutionContext& context);
  // Stores rows until there is this one, or the partition ends.
  bool Spool(ExecutionContext& context, int64_t row);
  // Reads a row of the partition; exists: whether there is such a one.
  bool Fetch(ExecutionContext& context, WindowRows::Reader& reader, int64_t row, bool& exists);
  // No row before it will be read again.
  int64_t FirstNeededRow() const;
  void NoteCurrentRow();
  bool Evaluate(ExecutionContext& context, const Expression& expression, const Value* row,
                Value& out);
  bool Interrupted(ExecutionContext& context);
  void MakeOrderKey(const Value* row, KeyBuffer& key) const;

  // ---- window_frame.cc: the frame of the current row ----
  bool FindFrameHead(ExecutionContext& context);
  // tail_ may lie behind the partition's end.
  bool FindFrameTail(ExecutionContext& context);
  bool FindGroupTail(ExecutionContext& context);
  bool SeekRangeHead(ExecutionContext& context);
  bool SeekRangeTail(ExecutionContext& context);
  bool SeekGroup(ExecutionContext& context, bool of_tail);
  // Whether value is on the right side of base and offset: value <= base +- offset, or >=.
  bool IsInRange(ExecutionContext& context, const Value& value, const Value& base,
                 const Value& offset, bool subtract, bool less, bool& in_range);
  enum class Place : uint8_t { kInFrame, kExcluded, kBehind };
  bool FindPlace(ExecutionContext& context, int64_t row, Place& place);

  // ---- window_functions_run.cc ----
  bool Compute(ExecutionContext& context, Run& run);
  bool ComputeNtile(ExecutionContext& context, Run& run);
  bool ComputeNeighbour(ExecutionContext& context, Run& run);
  bool ComputeFrameValue(ExecutionContext& context, Run& run);
  // The number of the row that is the nth of the frame, from its head or back from its tail;
  // negative: there is none.
  bool FindFromHead(ExecutionContext& context, int64_t nth, int64_t& row);
  bool FindLast(ExecutionContext& context, int64_t& row);

  // ---- window_aggregates.cc ----
  bool ComputeAggregates(ExecutionContext& context);
  bool TakeOutLeavers(ExecutionContext& context);
  bool TakeInFrame(ExecutionContext& context, int64_t others_upto);
  bool FinishAggregates(ExecutionContext& context);

  PlanNodePtr child_;
  const WindowDescription window_;
  const RowCodec codec_;
  const size_t columns_;  // of the child
  std::vector<std::unique_ptr<Run>> runs_;
  bool has_aggregates_ = false;
  bool needs_groups_ = false;      // of rows that are equal in the order
  bool reads_frame_rows_ = false;  // some function does that is no aggregate
  bool scans_for_head_ = false;    // its row is found by looking at rows
  bool scans_for_tail_ = false;

  WindowRows rows_;
  std::vector<Value> row_;  // the node's own
  std::string row_bytes_;
  KeyBuffer key_;
  Arena scratch_;     // of one row that is taken in
  Arena row_arena_;   // of the results of one row
  Arena sums_arena_;  // of the results of aggregates, which may be those of the next row, too
  Arena offset_arena_;
  bool started_ = false;
  Value start_offset_;
  Value end_offset_;

  // The first row of the next partition.
  bool has_ahead_ = false;
  std::string ahead_bytes_;
  std::string partition_key_;

  // The partition.
  bool complete_ = true;  // all its rows are stored
  int64_t current_ = -1;
  WindowRows::Reader current_reader_;
  std::string order_key_;  // of the current row
  // The group of the current row: rows that are equal in the order.
  int64_t group_ = 0;
  int64_t group_head_ = 0;
  int64_t group_tail_ = 0;
  bool group_tail_valid_ = false;
  WindowRows::Reader group_reader_;

  // The frame of the current row, [head_, tail_).
  bool head_valid_ = false;
  bool tail_valid_ = false;
  int64_t head_ = 0;
  int64_t tail_ = 0;
  int64_t head_group_ = 0;  // of row head_, in GROUPS
  int64_t tail_group_ = 0;
  WindowRows::Reader head_reader_;
  WindowRows::Reader tail_reader_;
  std::string seek_key_;

  // Aggregates hold the rows of the frame in [aggregated_, aggregated_upto_).
  int64_t aggregated_ = 0;
  int64_t aggregated_upto_ = 0;
  WindowRows::Reader aggregate_reader_;
  WindowRows::Reader leaver_reader_;
  std::vector<Value> inputs_;  // of the call that has the most
  int64_t spilled_bytes_ = 0;
};

}  // namespace connbench::engine
