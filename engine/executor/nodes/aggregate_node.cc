// GROUP BY and aggregates.
#include "engine/executor/nodes/aggregate_node.h"

#include <fmt/format.h>

#include "engine/executor/nodes/explain.h"
#include "engine/executor/types/type.h"

namespace connbench::engine {
namespace {

constexpr size_t kFirstTableSize = 64;
constexpr double kGuessedGroups = 200;

}  // namespace

AggregateNode::AggregateNode(PlanNodePtr child, std::vector<const Expression*> groups,
                             std::vector<AggregateCall> calls, const Expression* having)
    : child_(std::move(child)),
      groups_(std::move(groups)),
      calls_(std::move(calls)),
      having_(having),
      group_values_(groups_.size()),
      row_(groups_.size() + calls_.size()) {
  estimated_rows = groups_.empty() ? 1 : std::min(child_->estimated_rows, kGuessedGroups);
  estimated_cost = child_->estimated_cost + child_->estimated_rows * 0.01;
}

int64_t AggregateNode::TableBytes() const {
  return static_cast<int64_t>((table_.capacity() + all_.capacity()) * sizeof(Group*));
}

Status AggregateNode::OutOfWorkMem() const {
  return Status::Error(sqlstate::kOutOfMemory, "out of memory for the groups of an aggregation")
      .WithDetail(fmt::format("{} groups did not fit into work_mem ({} kB).", all_.size(),
                              arena_.limit_bytes() / 1024))
      .WithHint("Raise work_mem, or group by fewer values.");
}

bool AggregateNode::DoOpen(ExecutionContext& context) {
  table_ = {};
  all_ = {};
  arena_.Release();
  arena_.set_limit_bytes(context.work_mem_bytes);
  arena_.set_interrupts(context.eval.environment);
  input_taken_ = false;
  next_ = 0;
  return child_->Open(context);
}

AggregateNode::Group* AggregateNode::MakeGroup(ExecutionContext& context, uint64_t hash) {
  Group* group = arena_.New<Group>();
  const auto values = arena_.NewArray<Value>(groups_.size());
  const auto states = arena_.NewArray<AggregateState*>(calls_.size());
  bool complete = group != nullptr && values.data() != nullptr && states.data() != nullptr;
  for (size_t i = 0; i < groups_.size() && complete; ++i) {
    values[i] = group_values_[i];
    const bool is_bytes = GetType(groups_[i]->type.oid).form == ValueForm::kBytes;
    if (values[i].null || !is_bytes) continue;
    const std::string_view copy = arena_.Copy(values[i].text());
    complete = copy.data() != nullptr;
    values[i] = Value::Text(copy);
  }
  for (size_t i = 0; i < calls_.size() && complete; ++i) {
    states[i] = NewState(calls_[i], arena_);
    complete = states[i] != nullptr;
  }
  if (!complete || arena_.bytes_held() + TableBytes() > arena_.limit_bytes()) {
    context.eval.status = OutOfWorkMem();
    return nullptr;
  }
  group->hash = hash;
  group->values = values.data();
  group->states = states.data();
  all_.push_back(group);
  return group;
}

bool AggregateNode::GrowTable(ExecutionContext& context) {
  const size_t size = table_.empty() ? kFirstTableSize : table_.size() * 2;
  if (static_cast<int64_t>(size * sizeof(Group*)) > context.work_mem_bytes) {
    return context.Fail(OutOfWorkMem());
  }
  table_.assign(size, nullptr);
  for (Group* group : all_) {
    size_t at = group->hash & (size - 1);
    while (table_[at] != nullptr) at = (at + 1) & (size - 1);
    table_[at] = group;
  }
  return true;
}

AggregateNode::Group* AggregateNode::FindOrMakeGroup(ExecutionContext& context, uint64_t hash) {
  if (all_.size() * 2 >= table_.size() && !GrowTable(context)) return nullptr;
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
  Group* group = MakeGroup(context, hash);
  if (group != nullptr) table_[at] = group;
  return group;
}

bool AggregateNode::TakeInput(ExecutionContext& context) {
  input_taken_ = true;
  const bool grouped = !groups_.empty();
  Group* group = nullptr;
  if (!grouped) {
    group = MakeGroup(context, 0);
    if (group == nullptr) return false;
  }
  while (true) {
    const Value* row = nullptr;
    const Step step = child_->Next(context, row);
    if (step == Step::kError) return false;
    if (step == Step::kDone) break;
    context.eval.columns = row;
    if (grouped) {
      uint64_t hash = 0;
      for (size_t i = 0; i < groups_.size(); ++i) {
        if (!Evaluate(*groups_[i], context.eval, group_values_[i])) return false;
        hash = hash * 0x9E3779B97F4A7C15u + HashNullable(groups_[i]->type.oid, group_values_[i]);
      }
      hash ^= hash >> 32;
      group = FindOrMakeGroup(context, hash);
      if (group == nullptr) return false;
    }
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (!Accumulate(calls_[i], *group->states[i], arena_, context.eval)) return false;
    }
  }
  child_->Close(context);
  return true;
}

Step AggregateNode::DoNext(ExecutionContext& context, const Value*& row) {
  if (!input_taken_ && !TakeInput(context)) return Step::kError;
  while (next_ < all_.size()) {
    context.eval.arena->Reset();
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    const Group& group = *all_[next_++];
    std::copy(group.values, group.values + groups_.size(), row_.begin());
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (!Finish(calls_[i], *group.states[i], context.eval, row_[groups_.size() + i])) {
        return Step::kError;
      }
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
  return Step::kDone;
}

void AggregateNode::Close(ExecutionContext& context) {
  table_ = {};
  all_ = {};
  arena_.Release();
  child_->Close(context);
}

std::vector<std::string> AggregateNode::OutputNames() const {
  const std::vector<std::string> inputs = child_->OutputNames();
  std::vector<std::string> names;
  for (const Expression* group : groups_) names.push_back(PrintExpression(*group, inputs));
  for (const AggregateCall& call : calls_) {
    std::string arguments;
    for (const Expression* argument : call.arguments) {
      arguments += (arguments.empty() ? "" : ", ") + PrintExpression(*argument, inputs);
    }
    if (call.arguments.empty()) arguments = "*";
    names.push_back(
        fmt::format("{}({}{})", AggregateName(call), call.distinct ? "DISTINCT " : "", arguments));
  }
  return names;
}

void AggregateNode::Explain(ExplainWriter& writer) const {
  writer.Node(groups_.empty() ? "Aggregate" : "HashAggregate", *this);
  const std::vector<std::string> inputs = child_->OutputNames();
  std::string keys;
  for (const Expression* group : groups_) {
    keys += (keys.empty() ? "" : ", ") + PrintExpression(*group, inputs);
  }
  if (!keys.empty()) writer.Property("Group Key", keys);
  if (having_ != nullptr) writer.Property("Filter", PrintExpression(*having_, OutputNames()));
  writer.Child(*child_);
}

}  // namespace connbench::engine
