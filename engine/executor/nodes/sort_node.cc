// ORDER BY and DISTINCT.
#include "engine/executor/nodes/sort_node.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

#include "engine/executor/nodes/explain.h"

namespace connbench::engine {
namespace {

// Before each column's key, so that nulls may come first or last whatever the direction.
constexpr uint8_t kNullFirst = 0x00;
constexpr uint8_t kNotNull = 0x01;
constexpr uint8_t kNullLast = 0x02;

}  // namespace

void AppendSortKey(const SortKey& sort_key, const Value& value, KeyBuffer& key) {
  if (value.null) {
    key.Append(sort_key.nulls_first ? kNullFirst : kNullLast);
    return;
  }
  key.Append(kNotNull);
  const size_t begin = key.size();
  AppendKey(sort_key.type, value, key);
  if (!sort_key.descending) return;
  char* bytes = const_cast<char*>(key.view().data());  // the buffer is ours
  for (size_t i = begin; i < key.size(); ++i) bytes[i] = static_cast<char>(~bytes[i]);
}

SortNode::SortNode(PlanNodePtr child, const std::vector<Type>& types, std::vector<SortKey> keys,
                   size_t unique_keys)
    : child_(std::move(child)),
      keys_(std::move(keys)),
      unique_keys_(unique_keys),
      codec_(types),
      values_(types.size()) {
  estimated_rows = child_->estimated_rows;
  const double comparisons = estimated_rows * std::log2(estimated_rows + 1);
  estimated_cost = child_->estimated_cost + comparisons * 0.005;
}

bool SortNode::DoOpen(ExecutionContext& context) {
  sorter_.Clear();
  sorter_.SetMemoryLimit(context.work_mem_bytes);
  sorter_.SetInterrupts(context.eval.environment);
  input_taken_ = false;
  has_last_ = false;
  return child_->Open(context);
}

void SortNode::MakeKey(const Value* row, size_t keys) {
  key_.Clear();
  for (const SortKey& sort_key : std::span(keys_).first(keys)) {
    AppendSortKey(sort_key, row[sort_key.column], key_);
  }
}

bool SortNode::TakeInput(ExecutionContext& context) {
  input_taken_ = true;
  while (true) {
    const Value* row = nullptr;
    const Step step = child_->Next(context, row);
    if (step == Step::kError) return false;
    if (step == Step::kDone) break;
    MakeKey(row, keys_.size());
    row_bytes_.resize(codec_.EncodedSize(row));
    codec_.Encode(row, row_bytes_.data());
    Status status = sorter_.Add(key_.view(), row_bytes_);
    if (!status.ok()) return context.Fail(std::move(status));
  }
  child_->Close(context);
  Status status = sorter_.Finish();
  memory_bytes_ = sorter_.memory_bytes();
  spilled_bytes_ = sorter_.spilled_bytes();
  return status.ok() || context.Fail(std::move(status));
}

bool SortNode::IsRepeated(const Value* row, std::string_view key) {
  if (unique_keys_ < keys_.size()) {
    MakeKey(row, unique_keys_);
    key = key_.view();
  }
  if (has_last_ && last_key_ == key) return true;
  last_key_ = key;
  has_last_ = true;
  return false;
}

Step SortNode::DoNext(ExecutionContext& context, const Value*& row) {
  if (!input_taken_ && !TakeInput(context)) return Step::kError;
  while (true) {
    context.eval.arena->Reset();
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    std::string_view key;
    std::string_view payload;
    Result<bool> found = sorter_.Next(key, payload);
    if (!found.ok()) return Fail(context, found.TakeStatus());
    if (!*found) return Step::kDone;
    codec_.DecodeAll(payload, values_.data());
    if (unique_keys_ > 0 && IsRepeated(values_.data(), key)) continue;
    row = values_.data();
    return Step::kRow;
  }
}

void SortNode::Close(ExecutionContext& context) {
  sorter_.Clear();
  child_->Close(context);
}

void SortNode::Explain(ExplainWriter& writer) const {
  if (unique_keys_ > 0) {
    writer.Node("Unique", *this);
    writer.BeginChild();
  }
  writer.Node("Sort", *this);
  const std::vector<std::string> names = child_->OutputNames();
  std::string text;
  for (const SortKey& key : keys_) {
    if (!text.empty()) text += ", ";
    text += names[static_cast<size_t>(key.column)];
    if (key.descending) text += " DESC";
    if (key.nulls_first != key.descending) {
      text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    }
  }
  writer.Property("Sort Key", text);
  if (writer.analyze()) {
    writer.Property("Sort Method",
                    spilled_bytes_ > 0
                        ? fmt::format("external merge  Disk: {}kB", spilled_bytes_ / 1024)
                        : fmt::format("quicksort  Memory: {}kB", (memory_bytes_ + 1023) / 1024));
  }
  writer.Child(*child_);
  if (unique_keys_ > 0) writer.EndChild();
}

}  // namespace connbench::engine
