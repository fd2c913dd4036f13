// WITH RECURSIVE: the union of steps, and what a step reads.
#include "engine/executor/nodes/recursive_union.h"

#include "engine/executor/nodes/explain.h"
#include "engine/executor/nodes/hash_join.h"

namespace connbench::engine {
namespace {

// PostgreSQL's guess of how many steps there are.
constexpr double kGuessedSteps = 10;

}  // namespace

// ---- rows that were seen ----

SeenRows::SeenRows(const std::vector<Type>& types)
    : types_(types), codec_(types), values_(types.size()) {}

void SeenRows::Begin(int64_t limit_bytes) {
  Clear();
  limit_bytes_ = limit_bytes;
  store_.SetMemoryLimit(limit_bytes);
}

void SeenRows::Clear() {
  store_.Clear();
  index_.Clear();
}

uint64_t SeenRows::Hash(const Value* row) const {
  uint64_t hash = 0;
  for (size_t i = 0; i < types_.size(); ++i) {
    hash = (hash << 1 | hash >> 63) ^ HashNullable(types_[i].oid, row[i]);
  }
  return hash ^ hash >> 32;
}

bool SeenRows::Equals(const Value* row, size_t stored) {
  codec_.DecodeAll(store_[stored], values_.data());
  for (size_t i = 0; i < types_.size(); ++i) {
    if (CompareNullsLast(types_[i].oid, row[i], values_[i]) != 0) return false;
  }
  return true;
}

Status SeenRows::Add(const Value* row, std::string_view bytes, bool& added) {
  added = false;
  if (!store_.in_memory() ||
      (index_.full(store_.rows()) && store_.bytes_held() + index_.grown_bytes() > limit_bytes_)) {
    return Status::Error(sqlstate::kOutOfMemory, "out of memory")
        .WithDetail("The rows of a recursive UNION exceed twice work_mem.")
        .WithHint("Use UNION ALL, or increase work_mem.");
  }
  if (index_.full(store_.rows())) index_.Grow();
  const uint64_t hash = Hash(row);
  if (index_.Find(hash, [&](size_t stored) { return Equals(row, stored); })) return {};
  index_.Add(hash, store_.rows());
  added = true;
  return store_.Add(bytes);
}

// ---- what a step reads ----

void WorkTable::Begin(int64_t limit_bytes) {
  Clear();
  for (RowStore& store : stores_) store.SetMemoryLimit(limit_bytes);
}

void WorkTable::Clear() {
  for (RowStore& store : stores_) store.Clear();
  current_ = 0;
}

bool WorkTable::Advance() {
  stores_[current_].Clear();
  current_ = 1 - current_;
  return stores_[current_].rows() > 0;
}

WorkTableScanNode::WorkTableScanNode(std::shared_ptr<WorkTable> table, FromSlots slots)
    : FromItemNode(std::move(slots)), table_(std::move(table)), values_(slots_.columns.size()) {
  estimated_rows = kGuessedSteps;
}

bool WorkTableScanNode::DoOpen(ExecutionContext& /*context*/) {
  position_.Rewind();
  return true;
}

Step WorkTableScanNode::NextInput(ExecutionContext& context, const Value*& row) {
  std::string_view stored;
  Result<bool> found = table_->Read(position_, stored);
  if (!found.ok()) return Fail(context, found.TakeStatus());
  if (!*found) return Step::kDone;
  table_->codec().DecodeAll(stored, values_.data());
  row = values_.data();
  return Step::kRow;
}

void WorkTableScanNode::Close(ExecutionContext& /*context*/) { position_ = {}; }

void WorkTableScanNode::Explain(ExplainWriter& writer) const {
  std::string title = "WorkTable Scan on " + table_->name();
  if (slots_.alias != table_->name()) title += " " + slots_.alias;
  ExplainAs(writer, title);
}

// ---- the union ----

RecursiveUnionNode::RecursiveUnionNode(Recursion recursion)
    : recursion_(std::move(recursion)), seen_(recursion_.types) {
  const PlanNode& first = *recursion_.first;
  const PlanNode& step = *recursion_.step;
  estimated_rows = first.estimated_rows + kGuessedSteps * step.estimated_rows;
  estimated_cost = first.estimated_cost + kGuessedSteps * step.estimated_cost;
}

bool RecursiveUnionNode::DoOpen(ExecutionContext& context) {
  in_step_ = done_ = false;
  recursion_.work_table->Begin(context.work_mem_bytes);
  if (!recursion_.all) seen_.Begin(HashMemory(context.work_mem_bytes));
  const LateralInput& around = recursion_.around;
  for (size_t i = 0; i < around.values.size(); ++i) {
    if (!Evaluate(*around.values[i], context.eval, *around.cells[i])) return false;
  }
  return recursion_.first->Open(context);
}

bool RecursiveUnionNode::Keep(ExecutionContext& context, const Value* row, bool& is_new) {
  const RowCodec& codec = recursion_.work_table->codec();
  row_bytes_.resize(codec.EncodedSize(row));
  codec.Encode(row, row_bytes_.data());
  is_new = true;
  if (!recursion_.all) {
    Status seen = seen_.Add(row, row_bytes_, is_new);
    if (!seen.ok()) return context.Fail(std::move(seen));
    if (!is_new) return true;
  }
  Status added = recursion_.work_table->Add(row_bytes_);
  return added.ok() || context.Fail(std::move(added));
}

Step RecursiveUnionNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (!done_) {
    const Step step = current().Next(context, row);
    if (step == Step::kError) return step;
    if (step == Step::kRow) {
      bool is_new = false;
      if (!Keep(context, row, is_new)) return Step::kError;
      if (is_new) return Step::kRow;
      continue;
    }
    current().Close(context);
    in_step_ = true;
    if (!recursion_.work_table->Advance()) {
      done_ = true;
      break;
    }
    recursion_.around.parts.Begin(context);
    if (!recursion_.step->Open(context)) return Step::kError;
  }
  return Step::kDone;
}

void RecursiveUnionNode::Close(ExecutionContext& context) {
  recursion_.first->Close(context);
  recursion_.step->Close(context);
  recursion_.work_table->Clear();
  seen_.Clear();
}

void RecursiveUnionNode::Explain(ExplainWriter& writer) const {
  writer.Node("Recursive Union", *this);
  writer.Child(*recursion_.first);
  writer.Child(*recursion_.step);
}

}  // namespace connbench::engine
