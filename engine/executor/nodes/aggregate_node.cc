// GROUP BY and aggregates.
#include "engine/executor/nodes/aggregate_node.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/explain.h"
#include "engine/executor/types/type.h"

namespace connbench::engine {
namespace {

constexpr size_t kFirstTableSize = 64;
constexpr double kGuessedGroups = 200;

}  // namespace

AggregateNode::AggregateNode(PlanNodePtr child, std::vector<const Expression*> groups,
                             std::vector<AggregateCall> calls, const Expression* having,
                             AggregateStage stage)
    : child_(std::move(child)),
      groups_(std::move(groups)),
      calls_(std::move(calls)),
      having_(having),
      stage_(stage),
      group_values_(groups_.size()),
      row_(groups_.size() + calls_.size()) {
  estimated_rows = groups_.empty() ? 1 : std::min(child_->estimated_rows, kGuessedGroups);
  estimated_cost = child_->estimated_cost + child_->estimated_rows * 0.01;
  size_t most_inputs = 1;
  for (const AggregateCall& call : calls_) {
    most_inputs = std::max(most_inputs, call.inputs());
    sorts_inputs_ = sorts_inputs_ || call.sorted();
    sorts_all_rows_ = sorts_all_rows_ || call.sorted() || KeepsInputs(call);
  }
  sorts_all_rows_ = sorts_all_rows_ && !groups_.empty();
  arguments_.resize(most_inputs);
}

int64_t AggregateNode::TableBytes() const {
  return static_cast<int64_t>((table_.capacity() + all_.capacity()) * sizeof(Group*));
}

bool AggregateNode::DoOpen(ExecutionContext& context) {
  Forget();
  arena_.set_limit_bytes(groups_.empty() ? Arena::kNoLimit : context.work_mem_bytes);
  arena_.set_interrupts(context.eval.environment);
  sorter_.SetMemoryLimit(context.work_mem_bytes);
  sorter_.SetInterrupts(context.eval.environment);
  input_taken_ = table_full_ = reads_sorted_ = row_ahead_ = false;
  spilled_bytes_ = 0;
  next_ = 0;
  if (sorts_inputs_ || sorts_all_rows_) PrepareToSort(context);
  return child_->Open(context);
}

AggregateNode::Group* AggregateNode::MakeGroup(const Value* values, uint64_t hash) {
  Group* group = arena_.New<Group>();
  const auto copies = arena_.NewArray<Value>(groups_.size());
  const auto states = arena_.NewArray<AggregateState*>(calls_.size());
  bool complete = group != nullptr && copies.data() != nullptr && states.data() != nullptr;
  for (size_t i = 0; i < groups_.size() && complete; ++i) {
    copies[i] = values[i];
    const bool is_bytes = GetType(groups_[i]->type.oid).form == ValueForm::kBytes;
    if (values[i].null || !is_bytes) continue;
    const std::string_view copy = arena_.Copy(values[i].text());
    complete = copy.data() != nullptr;
    copies[i] = Value::Text(copy);
  }
  for (size_t i = 0; i < calls_.size() && complete; ++i) {
    states[i] = NewState(calls_[i], arena_);
    complete = states[i] != nullptr;
  }
  if (!complete || arena_.bytes_held() + TableBytes() > arena_.limit_bytes()) return nullptr;
  group->hash = hash;
  group->values = copies.data();
  group->states = states.data();
  all_.push_back(group);
  return group;
}

// False: there is no room for a larger one.
bool AggregateNode::GrowTable() {
  const size_t size = table_.empty() ? kFirstTableSize : table_.size() * 2;
  if (static_cast<int64_t>(size * sizeof(Group*)) > arena_.limit_bytes()) return false;
  table_.assign(size, nullptr);
  for (Group* group : all_) {
    size_t at = group->hash & (size - 1);
    while (table_[at] != nullptr) at = (at + 1) & (size - 1);
    table_[at] = group;
  }
  return true;
}

AggregateNode::Group* AggregateNode::FindOrMakeGroup(uint64_t hash) {
  if (!table_full_ && all_.size() * 2 >= table_.size()) table_full_ = !GrowTable();
  if (table_.empty()) return nullptr;
  const size_t mask = table_.size() - 1;
  size_t at = hash & mask;
  for (; table_[at] != nullptr; at = (at + 1) & mask) {
    Group* group = table_[at];
    if (group->hash != hash) continue;
    bool equal = true;
    for (size_t i = 0; i < groups_.size() && equal; ++i) {
      equal = CompareNullsLast(groups_[i]->type.oid, group->values[i], group_values_[i]) == 0;
    }
    if (equal) return group;
  }
  if (table_full_) return nullptr;
  Group* group = MakeGroup(group_values_.data(), hash);
  table_full_ = group == nullptr;
  if (group != nullptr) table_[at] = group;
  return group;
}

bool AggregateNode::TakeInput(ExecutionContext& context) {
  input_taken_ = true;
  Group* only_group = nullptr;
  if (groups_.empty()) {
    only_group = MakeGroup(nullptr, 0);
    if (only_group == nullptr) return context.Fail(arena_.OutOfMemory());
  }
  while (true) {
    const Value* row = nullptr;
    const Step step = child_->Next(context, row);
    if (step == Step::kError) return false;
    if (step == Step::kDone) break;
    context.eval.columns = row;
    if (!TakeRow(context, only_group)) return false;
  }
  child_->Close(context);
  return only_group == nullptr || !sorts_inputs_ || TakeSortedInputs(context, *only_group);
}

bool AggregateNode::EvaluateInput(ExecutionContext& context, size_t call, Value* inputs,
                                  bool& taken) {
  if (stage_ != AggregateStage::kFinal) [[likely]]
    return EvaluateInputs(calls_[call], context.eval, inputs, taken);
  inputs[0] = context.eval.columns[groups_.size() + call];
  taken = true;
  return true;
}

bool AggregateNode::TakeInput(ExecutionContext& context, size_t call, const Value* inputs,
                              Group& group) {
  if (stage_ != AggregateStage::kFinal) [[likely]]
    return TakeIn(calls_[call], inputs, *group.states[call], arena_, context.eval);
  return Combine(calls_[call], inputs[0], *group.states[call], arena_, context.eval);
}

bool AggregateNode::TakeRow(ExecutionContext& context, Group* group) {
  uint64_t hash = 0;
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!Evaluate(*groups_[i], context.eval, group_values_[i])) return false;
    hash = hash * 0x9E3779B97F4A7C15u + HashNullable(groups_[i]->type.oid, group_values_[i]);
  }
  hash ^= hash >> 32;
  if (group == nullptr && !sorts_all_rows_) {
    group = FindOrMakeGroup(hash);
    if (group == nullptr && inputs_.empty()) PrepareToSort(context);
  }
  if (group == nullptr) return EvaluateRow(context) && SortRow(context);
  if (sorts_inputs_) return EvaluateRow(context) && TakeInputs(context, *group);
  for (size_t i = 0; i < calls_.size(); ++i) {
    bool taken = false;
    if (!EvaluateInput(context, i, arguments_.data(), taken)) return false;
    if (taken && !TakeInput(context, i, arguments_.data(), *group)) return false;
  }
  return true;
}

// The groups of the table, then those of the sorter. Null: an error, or none is left.
const AggregateNode::Group* AggregateNode::NextGroup(ExecutionContext& context) {
  if (!reads_sorted_) {
    if (next_ < all_.size()) return all_[next_++];
    if (sorter_.records() == 0 || !BeginSortedGroups(context)) return nullptr;
  }
  return NextSortedGroup(context);
}

Step AggregateNode::DoNext(ExecutionContext& context, const Value*& row) {
  if (!input_taken_ && !TakeInput(context)) return Step::kError;
  while (true) {
    context.eval.arena->Reset();
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    const Group* const group = NextGroup(context);
    if (group == nullptr) return context.eval.status.ok() ? Step::kDone : Step::kError;
    std::copy(group->values, group->values + groups_.size(), row_.begin());
    for (size_t i = 0; i < calls_.size(); ++i) {
      Value& out = row_[groups_.size() + i];
      const bool made = stage_ == AggregateStage::kPartial
                            ? WriteState(calls_[i], *group->states[i], context.eval, out)
                            : Finish(calls_[i], *group->states[i], context.eval, out);
      if (!made) return Step::kError;
    }
    if (having_ != nullptr) {
      bool passes = false;
      context.eval.columns = row_.data();
      if (!EvaluateCondition(*having_, context.eval, passes)) return Step::kError;
      if (!passes) continue;
    }
    row = row_.data();
    return Step::kRow;
  }
}

void AggregateNode::Forget() {
  table_ = {};
  all_ = {};
  arena_.Release();
  sorter_.Clear();
  for (const auto& sorted : input_sorters_) {
    if (sorted != nullptr) sorted->Clear();
  }
}

void AggregateNode::Close(ExecutionContext& context) {
  Forget();
  child_->Close(context);
}

std::vector<std::string> AggregateNode::OutputNames() const {
  const std::vector<std::string> inputs = child_->OutputNames();
  if (stage_ == AggregateStage::kFinal) return inputs;
  std::vector<std::string> names;
  for (const Expression* group : groups_) names.push_back(PrintExpression(*group, inputs));
  for (const AggregateCall& call : calls_) {
    std::string arguments;
    for (const Expression* argument : call.arguments) {
      arguments += (arguments.empty() ? "" : ", ") + PrintExpression(*argument, inputs);
    }
    if (call.arguments.empty()) arguments = "*";
    for (size_t i = 0; i < call.order.size(); ++i) {
      const AggregateOrder& order = call.order[i];
      arguments += (i == 0 ? " ORDER BY " : ", ") + PrintExpression(*order.expression, inputs);
      if (order.descending) arguments += " DESC";
      if (order.nulls_first != order.descending) {
        arguments += order.nulls_first ? " NULLS FIRST" : " NULLS LAST";
      }
    }
    names.push_back(
        fmt::format("{}({}{})", AggregateName(call), call.distinct ? "DISTINCT " : "", arguments));
  }
  return names;
}

void AggregateNode::Explain(ExplainWriter& writer) const {
  const std::string_view stage = stage_ == AggregateStage::kPartial ? "Partial "
                                 : stage_ == AggregateStage::kFinal ? "Finalize "
                                                                    : "";
  const std::string_view kind = groups_.empty()   ? "Aggregate"
                                : sorts_all_rows_ ? "GroupAggregate"
                                                  : "HashAggregate";
  writer.Node(fmt::format("{}{}", stage, kind), *this);
  const std::vector<std::string> inputs = child_->OutputNames();
  std::string keys;
  for (const Expression* group : groups_) {
    keys += (keys.empty() ? "" : ", ") + PrintExpression(*group, inputs);
  }
  if (!keys.empty()) writer.Property("Group Key", keys);
  if (having_ != nullptr) writer.Property("Filter", PrintExpression(*having_, OutputNames()));
  if (writer.analyze() && spilled_bytes_ > 0) {
    writer.Property("Disk Usage", fmt::format("{}kB", spilled_bytes_ / 1024));
  }
  writer.Child(*child_);
}

}  // namespace connbench::engine
