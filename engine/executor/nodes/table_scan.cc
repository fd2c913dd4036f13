// Scans of one table: the lower ends of most plans.
#include "engine/executor/nodes/table_scan.h"

#include <new>

#include "engine/executor/nodes/explain.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

TableScanNode::TableScanNode(ScanTarget target)
    : table_(std::move(target.table)),
      needed_(std::move(target.needed)),
      condition_(target.condition),
      filter_(target.filter),
      alias_(std::move(target.alias)),
      frame_(std::move(target.frame)),
      first_slot_(target.first_slot),
      row_(frame_->row()),
      values_(row_ + first_slot_) {}

bool TableScanNode::TestCondition(ExecutionContext& context, const Expression* condition,
                                  bool& passes) {
  passes = true;
  if (condition == nullptr) return true;
  context.eval.columns = row_;
  return EvaluateCondition(*condition, context.eval, passes);
}

[[gnu::hot]] bool TableScanNode::TakeRow(ExecutionContext& context, const HeapRow& heap_row,
                                         bool& passes) {
  table_->codec().Decode(heap_row.bytes, needed_, values_);
  values_[table_->columns()] = Value::Integer(static_cast<int64_t>(heap_row.tid.Packed()));
  if (!TestCondition(context, filter_, passes)) return false;
  if (!passes && context.instrument) ++rows_removed_;
  return true;
}

bool TableScanNode::TakeVersion(ExecutionContext& context, const HeapRow& version,
                                const Value*& row, bool& passes) {
  table_->codec().Decode(version.bytes, needed_, values_);
  values_[table_->columns()] = Value::Integer(static_cast<int64_t>(version.tid.Packed()));
  row = row_;
  return TestCondition(context, condition_, passes);
}

std::vector<std::string> TableScanNode::OutputNames() const {
  if (!frame_->names.empty()) return frame_->names;
  std::vector<std::string> names;
  for (const ColumnInfo& column : table_->info().columns) names.push_back(column.name);
  names.push_back("ctid");
  return names;
}

void TableScanNode::ExplainFilter(ExplainWriter& writer, const Expression* filter) const {
  if (filter == nullptr) return;
  writer.Property("Filter", PrintExpression(*filter, OutputNames()));
  if (writer.analyze()) writer.RowsRemoved(rows_removed_);
}

std::string TableScanNode::ExplainName() const {
  const std::string& name = table_->info().name;
  return alias_ == name ? name : name + " " + alias_;
}

SequentialScanNode::~SequentialScanNode() {
  if (scan_ != nullptr) scan_->~HeapScan();
}

[[gnu::hot]] bool SequentialScanNode::DoOpen(ExecutionContext& context) {
  Close(context);
  rows_removed_ = 0;
  workspace_ = Workspaces::Take();
  if (parallel_ && context.shared_blocks != nullptr) [[unlikely]] {
    scan_ = new (workspace_->scan)
        HeapScan(table_->heap(), *context.transaction, context.snapshot, *context.shared_blocks);
  } else {
    scan_ = new (workspace_->scan) HeapScan(table_->heap(), *context.transaction, context.snapshot);
  }
  return true;
}

[[gnu::hot]] Step SequentialScanNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (true) {
    context.eval.arena->Reset();
    Status interrupt = context.transaction->CheckForInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    HeapRow heap_row;
    Result<bool> found = scan_->Next(heap_row);
    if (!found.ok()) [[unlikely]]
      return Fail(context, found.TakeStatus());
    if (!*found) return Step::kDone;
    bool passes = true;
    if (!TakeRow(context, heap_row, passes)) return Step::kError;
    if (!passes) continue;
    row = row_;
    return Step::kRow;
  }
}

[[gnu::hot]] void SequentialScanNode::Close(ExecutionContext& /*context*/) {
  if (scan_ == nullptr) return;
  scan_->~HeapScan();
  scan_ = nullptr;
  Workspaces::GiveBack(std::move(workspace_));
}

void SequentialScanNode::Explain(ExplainWriter& writer) const {
  writer.Node((parallel_ ? "Parallel Seq Scan on " : "Seq Scan on ") + ExplainName(), *this);
  ExplainFilter(writer, filter_);
}

}  // namespace connbench::engine
