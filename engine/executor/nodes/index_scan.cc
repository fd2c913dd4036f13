// Index scans: bounds from the plan, entries from the B+tree, rows from the heap.
#include <algorithm>
#include <new>

#include "engine/executor/interruptible_sort.h"
#include "engine/executor/nodes/explain.h"
#include "engine/executor/nodes/table_scan.h"
#include "engine/executor/types/array.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

IndexScanNode::IndexScanNode(ScanTarget target, size_t index, IndexRange range,
                             ScanDirection direction, bool single_row)
    : TableScanNode(std::move(target)),
      index_(index),
      range_(std::move(range)),
      direction_(direction),
      single_row_(single_row) {}

IndexScanNode::~IndexScanNode() { EndScan(); }

IndexScanNode::Bound IndexScanNode::AppendValue(ExecutionContext& context, const Expression& value,
                                                Oid key_type, KeyBuffer& key) {
  Value result;
  if (!Evaluate(value, context.eval, result)) return Bound::kError;
  if (result.null) return Bound::kEmpty;  // no comparison with null is true
  AppendKey(key_type, result, key);
  return Bound::kReady;
}

// Bounds are prefixes: (a = 1) on an index (a, b) is both ends at key(1), inclusive.
[[gnu::hot]] IndexScanNode::Bound IndexScanNode::MakeBounds(ExecutionContext& context) {
  lower_key_.Clear();
  for (const IndexRange::Equal& equal : range_.equal) {
    const Bound bound = AppendValue(context, *equal.value, equal.key_type, lower_key_);
    if (bound != Bound::kReady) return bound;
  }
  const bool has_range = range_.lower.value != nullptr || range_.upper.value != nullptr;
  if (!has_range) {
    const bool everything = range_.equal.empty();
    lower_ = everything ? IndexBound::None() : IndexBound::Inclusive(lower_key_.view());
    upper_ = lower_;
    return Bound::kReady;
  }
  upper_key_.Clear();
  upper_key_.Append(lower_key_.view());
  if (range_.lower.value != nullptr) {
    const Bound bound =
        AppendValue(context, *range_.lower.value, range_.lower.key_type, lower_key_);
    if (bound != Bound::kReady) return bound;
  }
  const bool exclusive = range_.lower.value != nullptr && !range_.lower.inclusive;
  lower_ = exclusive ? IndexBound::Exclusive(lower_key_.view())
                     : IndexBound::Inclusive(lower_key_.view());
  if (range_.lower.value == nullptr && lower_key_.size() == 0) lower_ = IndexBound::None();
  if (range_.upper.value != nullptr) {
    const Bound bound =
        AppendValue(context, *range_.upper.value, range_.upper.key_type, upper_key_);
    if (bound != Bound::kReady) return bound;
    upper_ = range_.upper.inclusive ? IndexBound::Inclusive(upper_key_.view())
                                    : IndexBound::Exclusive(upper_key_.view());
  } else {
    upper_key_.Append(kKeyNull);  // nulls come last and are in no range
    upper_ = IndexBound::Exclusive(upper_key_.view());
  }
  return Bound::kReady;
}

bool IndexScanNode::MakeInList(ExecutionContext& context) {
  in_keys_.clear();
  next_in_key_ = 0;
  KeyBuffer key;
  WorkMeter meter(context.eval.environment);
  constexpr int64_t kStepsPerKey = 100;
  for (const Expression* value : range_.in_list) {
    Status status = meter.Spend(kStepsPerKey);
    if (!status.ok()) return context.Fail(std::move(status));
    key.Clear();
    key.Append(lower_key_.view());
    const Bound bound = AppendValue(context, *value, range_.in_key_type, key);
    if (bound == Bound::kError) return false;
    if (bound == Bound::kReady) in_keys_.emplace_back(key.view());
  }
  Value array;
  if (range_.in_array != nullptr) {
    if (!Evaluate(*range_.in_array, context.eval, array)) return false;
    ArrayReader reader(range_.in_key_type, array.null ? std::string_view() : array.text());
    for (Value element; reader.Next(element);) {
      Status status = meter.Spend(kStepsPerKey);
      if (!status.ok()) return context.Fail(std::move(status));
      if (element.null) continue;
      key.Clear();
      key.Append(lower_key_.view());
      AppendKey(range_.in_key_type, element, key);
      in_keys_.emplace_back(key.view());
    }
  }
  Status sorted = SortInterruptibly(in_keys_, std::less<>(), meter);
  if (!sorted.ok()) return context.Fail(std::move(sorted));
  in_keys_.erase(std::unique(in_keys_.begin(), in_keys_.end()), in_keys_.end());
  if (direction_ == ScanDirection::kBackward) std::reverse(in_keys_.begin(), in_keys_.end());
  return true;
}

[[gnu::hot]] bool IndexScanNode::DoOpen(ExecutionContext& context) {
  Close(context);
  rows_removed_ = 0;
  return Begin(context);
}

// Keeps the workspace: a join's inner side begins anew for each outer row.
[[gnu::hot]] bool IndexScanNode::DoRescan(ExecutionContext& context) {
  EndScan();
  return Begin(context);
}

[[gnu::hot]] bool IndexScanNode::Begin(ExecutionContext& context) {
  finished_ = false;
  context.eval.columns = row_;
  const Bound bound = MakeBounds(context);
  if (bound == Bound::kError) return false;
  if (bound == Bound::kEmpty) {
    finished_ = true;
    return true;
  }
  if (range_.has_list()) {
    if (!MakeInList(context)) return false;
    if (in_keys_.empty()) {
      finished_ = true;
      return true;
    }
    lower_ = upper_ = IndexBound::Inclusive(in_keys_[next_in_key_++]);
  }
  if (workspace_ == nullptr) workspace_ = Workspaces::Take();
  StartScan();
  return true;
}

void IndexScanNode::StartScan() {
  scan_ =
      new (workspace_->scan) BTreeScan(table_->indexes()[index_].tree, lower_, upper_, direction_);
}

void IndexScanNode::EndScan() {
  if (scan_ != nullptr) scan_->~BTreeScan();
  scan_ = nullptr;
}

[[gnu::hot]] Step IndexScanNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (true) {
    context.eval.arena->Reset();
    if (finished_) return Step::kDone;
    Status interrupt = context.transaction->CheckForInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    Tid tid;
    Result<bool> more = scan_->Next(tid);
    if (!more.ok()) [[unlikely]]
      return Fail(context, more.TakeStatus());
    if (!*more) {
      if (next_in_key_ >= in_keys_.size()) {
        finished_ = true;
        return Step::kDone;
      }
      lower_ = upper_ = IndexBound::Inclusive(in_keys_[next_in_key_++]);
      scan_->Restart(lower_, upper_);
      continue;
    }
    HeapRow heap_row;
    Result<FetchOutcome> fetched = table_->heap().Fetch(*context.transaction, context.snapshot, tid,
                                                        workspace_->row, heap_row);
    if (!fetched.ok()) [[unlikely]]
      return Fail(context, fetched.TakeStatus());
    if (*fetched != FetchOutcome::kFound) {
      if (*fetched == FetchOutcome::kAllDead) scan_->KillCurrent();
      continue;
    }
    bool passes = true;
    if (!TakeRow(context, heap_row, passes)) return Step::kError;
    finished_ = single_row_;
    if (!passes) continue;
    row = row_;
    return Step::kRow;
  }
}

[[gnu::hot]] void IndexScanNode::Close(ExecutionContext& /*context*/) {
  EndScan();
  if (workspace_ != nullptr) Workspaces::GiveBack(std::move(workspace_));
}

void IndexScanNode::Explain(ExplainWriter& writer) const {
  const IndexInfo& index = *table_->indexes()[index_].info;
  const char* backward = direction_ == ScanDirection::kBackward ? "Backward " : "";
  writer.Node(
      std::string("Index Scan ") + backward + "using " + index.name + " on " + ExplainName(),
      *this);
  if (!range_.conditions.empty()) {
    std::string text;
    for (const Expression* condition : range_.conditions) {
      if (!text.empty()) text += " AND ";
      text += PrintExpression(*condition, OutputNames());
    }
    if (range_.conditions.size() > 1) text = "(" + text + ")";
    writer.Property("Index Cond", text);
  }
  ExplainFilter(writer, filter_);
}

}  // namespace connbench::engine
