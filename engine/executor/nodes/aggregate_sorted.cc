// Aggregates over sorted rows, one group at a time, and the order in which one takes its inputs.
#include <algorithm>

#include "engine/executor/nodes/aggregate_node.h"

namespace connbench::engine {
namespace {

constexpr int64_t kBytesPerSeenInput = 64;  // a node of the set and its bucket

}  // namespace

AggregateNode::InputSorter::InputSorter(const AggregateCall& call)
    : arguments(call.arguments.size()) {
  std::vector<Type> types;
  for (const Expression* argument : call.arguments) types.push_back(argument->type);
  codec = RowCodec(types);
  int column = static_cast<int>(call.arguments.size());
  for (const AggregateOrder& order : call.order) {
    keys.push_back({column++, order.expression->type.oid, order.descending, order.nulls_first});
  }
  if (!call.distinct) return;
  // All that ORDER BY names is among the arguments: what is equal stands side by side.
  for (size_t i = 0; i < types.size(); ++i) {
    keys.push_back({static_cast<int>(i), types[i].oid, false, false});
  }
}

void AggregateNode::InputSorter::Clear() {
  sorter.Clear();
  seen.clear();
  seen_bytes = 0;
}

void AggregateNode::PrepareToSort(ExecutionContext& context) {
  if (inputs_.empty()) DescribeInputs();
  for (const auto& sorted : input_sorters_) {
    if (sorted == nullptr) continue;
    sorted->sorter.SetMemoryLimit(context.work_mem_bytes);
    sorted->most_seen_bytes = context.work_mem_bytes / 4;
    sorted->sorter.SetInterrupts(context.eval.environment);
  }
}

void AggregateNode::DescribeInputs() {
  std::vector<Type> types;
  for (const Expression* group : groups_) types.push_back(group->type);
  for (const AggregateCall& call : calls_) {
    first_input_.push_back(types.size());
    types.push_back({type_oid::kBool, -1});
    if (stage_ == AggregateStage::kFinal) {
      types.push_back({type_oid::kBytea, -1});
      input_sorters_.push_back(nullptr);
      continue;
    }
    for (const Expression* argument : call.arguments) types.push_back(argument->type);
    for (const AggregateOrder& order : call.order) types.push_back(order.expression->type);
    input_sorters_.push_back(call.sorted() ? std::make_unique<InputSorter>(call) : nullptr);
  }
  inputs_codec_ = RowCodec(types);
  inputs_.resize(types.size());
}

// group_values_ are those of the row.
bool AggregateNode::EvaluateRow(ExecutionContext& context) {
  std::copy(group_values_.begin(), group_values_.end(), inputs_.begin());
  for (size_t i = 0; i < calls_.size(); ++i) {
    Value* const inputs = &inputs_[first_input_[i]];
    std::fill_n(inputs, InputsOf(i) + 1, Value::Null());
    bool taken = false;
    if (!EvaluateInput(context, i, inputs + 1, taken)) return false;
    inputs[0] = Value::Bool(taken);
  }
  return true;
}

bool AggregateNode::SortRow(ExecutionContext& context) {
  key_.Clear();
  for (size_t i = 0; i < groups_.size(); ++i) {
    AppendSortKey({0, groups_[i]->type.oid, false, false}, inputs_[i], key_);
  }
  row_bytes_.resize(inputs_codec_.EncodedSize(inputs_.data()));
  inputs_codec_.Encode(inputs_.data(), row_bytes_.data());
  Status added = sorter_.Add(key_.view(), row_bytes_);
  return added.ok() || context.Fail(std::move(added));
}

// inputs_ are those of a row of the group.
bool AggregateNode::TakeInputs(ExecutionContext& context, Group& group) {
  for (size_t i = 0; i < calls_.size(); ++i) {
    const Value* const inputs = &inputs_[first_input_[i]];
    if (inputs[0].integer == 0) continue;
    const bool taken = input_sorters_[i] != nullptr ? SortInputs(context, i, inputs + 1)
                                                    : TakeInput(context, i, inputs + 1, group);
    if (!taken) return false;
  }
  return true;
}

bool AggregateNode::SortInputs(ExecutionContext& context, size_t call, const Value* inputs) {
  InputSorter& sorted = *input_sorters_[call];
  key_.Clear();
  for (const SortKey& key : sorted.keys) AppendSortKey(key, inputs[key.column], key_);
  if (calls_[call].distinct && sorted.seen_bytes <= sorted.most_seen_bytes) {
    const auto [at, is_new] = sorted.seen.emplace(key_.view());
    if (!is_new) return true;
    sorted.seen_bytes += kBytesPerSeenInput + static_cast<int64_t>(at->capacity());
    if (sorted.seen_bytes > sorted.most_seen_bytes) sorted.seen.clear();
  }
  row_bytes_.resize(sorted.codec.EncodedSize(inputs));
  sorted.codec.Encode(inputs, row_bytes_.data());
  Status added = sorted.sorter.Add(key_.view(), row_bytes_);
  return added.ok() || context.Fail(std::move(added));
}

// The group's input is complete.
bool AggregateNode::TakeSortedInputs(ExecutionContext& context, Group& group) {
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (input_sorters_[i] == nullptr) continue;
    InputSorter& sorted = *input_sorters_[i];
    Status status = sorted.sorter.Finish();
    spilled_bytes_ = std::max(spilled_bytes_, sorted.sorter.spilled_bytes());
    bool first = true;
    while (status.ok()) {
      context.eval.arena->Reset();
      status = context.eval.environment->CheckInterrupts();
      if (!status.ok()) break;
      std::string_view key;
      std::string_view bytes;
      Result<bool> found = sorted.sorter.Next(key, bytes);
      if (!found.ok()) {
        status = found.TakeStatus();
      } else if (!*found) {
        break;
      } else if (!calls_[i].distinct || first || key != last_key_) {
        sorted.codec.DecodeAll(bytes, sorted.arguments.data());
        if (!TakeIn(calls_[i], sorted.arguments.data(), *group.states[i], arena_, context.eval)) {
          return false;
        }
        if (calls_[i].distinct) last_key_.assign(key);
        first = false;
      }
    }
    if (!status.ok()) return context.Fail(std::move(status));
    sorted.Clear();
  }
  return true;
}

bool AggregateNode::BeginSortedGroups(ExecutionContext& context) {
  reads_sorted_ = true;
  table_ = {};
  all_ = {};
  arena_.Release();
  arena_.set_limit_bytes(Arena::kNoLimit);
  Status sorted = sorter_.Finish();
  spilled_bytes_ = std::max(spilled_bytes_, sorter_.spilled_bytes());
  if (!sorted.ok()) return context.Fail(std::move(sorted));
  return ReadSortedRow(context);
}

bool AggregateNode::ReadSortedRow(ExecutionContext& context) {
  std::string_view bytes;
  Result<bool> found = sorter_.Next(ahead_key_, bytes);
  if (!found.ok()) return context.Fail(found.TakeStatus());
  row_ahead_ = *found;
  if (row_ahead_) inputs_codec_.DecodeAll(bytes, inputs_.data());
  return true;
}

AggregateNode::Group* AggregateNode::NextSortedGroup(ExecutionContext& context) {
  if (!row_ahead_) return nullptr;
  arena_.Reset();
  all_.clear();
  sorted_key_.assign(ahead_key_);
  Group* const group = MakeGroup(inputs_.data(), 0);
  if (group == nullptr) {
    context.eval.status = arena_.OutOfMemory();
    return nullptr;
  }
  while (row_ahead_ && ahead_key_ == sorted_key_) {
    context.eval.arena->Reset();
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]] {
      context.eval.status = std::move(interrupt);
      return nullptr;
    }
    if (!TakeInputs(context, *group) || !ReadSortedRow(context)) return nullptr;
  }
  return TakeSortedInputs(context, *group) ? group : nullptr;
}

}  // namespace connbench::engine
