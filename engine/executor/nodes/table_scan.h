// Scans of one table: the lower ends of most plans.
//
// A row is the query's frame (row_frame.h). The scan's slots in it have the table's columns and,
// after them, the row's tid packed into an integer, for the nodes above that update, delete or lock
// it. Only the columns that the statement needs are decoded; the others are null.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/row_frame.h"
#include "engine/executor/nodes/table.h"
#include "engine/executor/nodes/workspaces.h"

namespace connbench::engine {

// What every scan of a table is told.
struct ScanTarget {
  std::shared_ptr<Table> table;
  std::string alias;                      // what the query calls it
  std::shared_ptr<RowFrame> frame;        // the query's row
  size_t first_slot = 0;                  // of the table's columns in it
  std::vector<uint16_t> needed;           // columns, in ascending order
  const Expression* condition = nullptr;  // the whole WHERE clause, or null
  const Expression* filter = nullptr;     // what of it the scan itself does not guarantee, or null
};

class TableScanNode : public PlanNode {
 public:
  explicit TableScanNode(ScanTarget target);

  Table& table() { return *table_; }
  // The table's slots in the row, the tid included.
  std::span<Value> slots() { return {values_, static_cast<size_t>(table_->columns()) + 1}; }
  // In a join: what a version must meet that TakeVersion() takes.
  void set_condition(const Expression* condition) { condition_ = condition; }
  int tid_column() const { return static_cast<int>(first_slot_) + table_->columns(); }

  // Takes another version of a row in place of the one last given (READ COMMITTED after a wait):
  // row is where Next() left it. passes: it still meets the whole condition.
  bool TakeVersion(ExecutionContext& context, const HeapRow& version, const Value*& row,
                   bool& passes);

  std::vector<std::string> OutputNames() const override;

 protected:
  // Decodes the row and tests the filter.
  bool TakeRow(ExecutionContext& context, const HeapRow& heap_row, bool& passes);
  bool TestCondition(ExecutionContext& context, const Expression* condition, bool& passes);
  void ExplainFilter(ExplainWriter& writer, const Expression* filter) const;
  std::string ExplainName() const;

  std::shared_ptr<Table> table_;
  std::vector<uint16_t> needed_;
  const Expression* condition_;
  const Expression* filter_;
  std::string alias_;
  std::shared_ptr<RowFrame> frame_;
  size_t first_slot_;
  Value* row_;     // the frame's
  Value* values_;  // the scan's slots in it
  std::unique_ptr<Workspace> workspace_;
  int64_t rows_removed_ = 0;
};

class SequentialScanNode : public TableScanNode {
 public:
  using TableScanNode::TableScanNode;
  ~SequentialScanNode() override;
  // Under a Gather, it shares the table's blocks with the same scan of others.
  void MakeParallel() { parallel_ = true; }
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  HeapScan* scan_ = nullptr;  // in workspace_
  bool parallel_ = false;
};

// One side of a range on the column after the equal ones.
struct IndexRangeEnd {
  const Expression* value = nullptr;  // null: open
  Oid key_type = 0;
  bool inclusive = true;
};

// Which entries of the index are read: those that equal the values in the leading columns, and,
// in the column after them, are in the list or within the range.
struct IndexRange {
  struct Equal {
    const Expression* value;
    Oid key_type;
  };
  std::vector<Equal> equal;
  std::span<Expression* const> in_list;  // empty: none
  const Expression* in_array = nullptr;  // instead of the list
  Oid in_key_type = 0;
  bool has_list() const { return !in_list.empty() || in_array != nullptr; }
  IndexRangeEnd lower;
  IndexRangeEnd upper;
  std::vector<const Expression*> conditions;  // what it came from, for EXPLAIN
};

class IndexScanNode : public TableScanNode {
 public:
  // index: its position in the table's indexes. single_row: the range is one whole unique key. The
  // range's values may refer to other slots of the frame: on the inner side of a join, the outer
  // row's.
  IndexScanNode(ScanTarget target, size_t index, IndexRange range, ScanDirection direction,
                bool single_row);
  ~IndexScanNode() override;
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  bool DoRescan(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  enum class Bound : uint8_t { kReady, kEmpty, kError };
  Bound AppendValue(ExecutionContext& context, const Expression& value, Oid key_type,
                    KeyBuffer& key);
  Bound MakeBounds(ExecutionContext& context);
  bool MakeInList(ExecutionContext& context);
  bool Begin(ExecutionContext& context);
  void StartScan();
  void EndScan();

  const size_t index_;
  const IndexRange range_;
  const ScanDirection direction_;
  const bool single_row_;

  BTreeScan* scan_ = nullptr;  // in workspace_
  bool finished_ = true;
  KeyBuffer lower_key_;
  KeyBuffer upper_key_;
  IndexBound lower_;
  IndexBound upper_;
  std::vector<std::string> in_keys_;  // sorted, distinct
  size_t next_in_key_ = 0;
};

}  // namespace connbench::engine
