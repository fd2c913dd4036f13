// The hash join while its table fits: build, probe, and the inner rows that had no match.
#include "engine/executor/nodes/hash_join.h"

#include <algorithm>

#include "engine/executor/nodes/explain.h"

namespace connbench::engine {
namespace {

constexpr size_t kFirstBuckets = 64;
}  // namespace

HashJoinNode::HashJoinNode(PlanNodePtr outer, PlanNodePtr inner, JoinDescription join,
                           std::vector<Key> keys, std::vector<const Expression*> equalities,
                           const Expression* other, SlotCodec outer_codec, SlotCodec inner_codec)
    : JoinNode(std::move(outer), std::move(inner), std::move(join)),
      keys_(std::move(keys)),
      equalities_(std::move(equalities)),
      other_(other),
      outer_codec_(std::move(outer_codec)),
      inner_codec_(std::move(inner_codec)) {}

void HashJoinNode::Reset() {
  std::vector<Entry*>().swap(buckets_);
  arena_.Release();
  outer_sorter_.Clear();
  inner_sorter_.Clear();
  first_ = last_ = candidate_ = drain_ = nullptr;
  entries_ = null_keys_ = 0;
  has_outer_ = outer_ahead_ = outer_done_ = inner_ahead_ = has_group_ = false;
  by_bucket_ = true;
}

bool HashJoinNode::DoOpen(ExecutionContext& context) {
  Reset();
  spilled_bytes_ = 0;
  arena_.set_limit_bytes(HashMemory(context.work_mem_bytes));
  phase_ = Phase::kBuild;
  return inner_->Open(context);
}

void HashJoinNode::Close(ExecutionContext& context) {
  Reset();
  phase_ = Phase::kFinished;
  JoinNode::Close(context);
}

bool HashJoinNode::CheckInterrupts(ExecutionContext& context) {
  context.eval.arena->Reset();
  Status interrupt = context.eval.environment->CheckInterrupts();
  return interrupt.ok() || context.Fail(std::move(interrupt));
}

[[gnu::hot]] bool HashJoinNode::HashKeys(ExecutionContext& context, bool outer, uint64_t& hash,
                                         bool& null) {
  hash = 0;
  null = false;
  context.eval.columns = join_.frame->row();
  for (const Key& key : keys_) {
    const Expression& expression = outer ? *key.outer : *key.inner;
    Value value;
    if (!Evaluate(expression, context.eval, value)) return false;
    null = null || value.null;
    hash = hash * 0x9E3779B97F4A7C15u + HashNullable(expression.type.oid, value);
  }
  // A null key matches nothing, so any hash will do. Each row has one of its own: those of one hash
  // must fit into memory, and there may be many without a key.
  if (null) hash = ++null_keys_ * 0x9E3779B97F4A7C15u;
  hash ^= hash >> 32;
  return true;
}

[[gnu::hot]] HashJoinNode::Entry* HashJoinNode::Store(uint64_t hash, std::string_view row) {
  void* memory = arena_.Allocate(sizeof(Entry) + row.size(), alignof(Entry));
  if (memory == nullptr) return nullptr;
  auto* entry =
      new (memory) Entry{nullptr, nullptr, hash, static_cast<uint32_t>(row.size()), false};
  std::copy(row.begin(), row.end(), reinterpret_cast<char*>(entry + 1));
  (first_ == nullptr ? first_ : last_->next) = entry;
  last_ = entry;
  ++entries_;
  return entry;
}

// False: the table does not fit.
[[gnu::hot]] bool HashJoinNode::AddToTable(Entry* entry) {
  const auto link = [this](Entry* added) {
    Entry*& bucket = buckets_[added->hash & (buckets_.size() - 1)];
    added->next_in_bucket = bucket;
    bucket = added;
  };
  if (entries_ <= buckets_.size()) {
    link(entry);
    return true;
  }
  const size_t size = buckets_.empty() ? kFirstBuckets : buckets_.size() * 2;
  const auto bytes = static_cast<int64_t>(size * sizeof(Entry*));
  if (arena_.bytes_held() > arena_.limit_bytes() - bytes) return false;
  buckets_.assign(size, nullptr);
  for (Entry* each = first_; each != nullptr; each = each->next) link(each);
  return true;
}

bool HashJoinNode::Build(ExecutionContext& context) {
  while (true) {
    const Value* row = nullptr;
    const Step step = inner_->Next(context, row);
    if (step == Step::kError) return false;
    if (step == Step::kDone) break;
    uint64_t hash = 0;
    bool null = false;
    if (!HashKeys(context, false, hash, null)) return false;
    if (null && !join_.keep_inner) continue;
    row_bytes_.resize(inner_codec_.EncodedSize(join_.frame->row()));
    inner_codec_.Encode(row_bytes_.data());
    Entry* entry = Store(hash, row_bytes_);
    if (entry == nullptr) {
      return AddSorted(context, inner_sorter_, hash, row_bytes_) && BeginMerge(context);
    }
    if (!AddToTable(entry)) return BeginMerge(context);
  }
  inner_->Close(context);
  if (entries_ == 0 && !join_.keep_outer) {  // no outer row can have a match
    phase_ = Phase::kFinished;
    return true;
  }
  phase_ = Phase::kProbe;
  return outer_->Open(context);
}

[[gnu::hot]] Step HashJoinNode::NextMatch(ExecutionContext& context) {
  while (candidate_ != nullptr) {
    Entry* entry = candidate_;
    candidate_ = by_bucket_ ? entry->next_in_bucket : entry->next;
    if (entry->hash != outer_hash_) continue;
    if (!CheckInterrupts(context)) return Step::kError;
    inner_codec_.Decode(entry->row(), join_.frame->row());
    bool matches = false;
    if (!TestCondition(context, matches)) return Step::kError;
    if (!matches) continue;
    outer_matched_ = entry->matched = true;
    bool passes = false;
    if (!TestFilter(context, passes)) return Step::kError;
    if (passes) return Step::kRow;
  }
  if (!join_.keep_outer || outer_matched_) return Step::kDone;
  outer_matched_ = true;  // once
  SetNull(join_.inner_slots);
  bool passes = false;
  if (!TestFilter(context, passes)) return Step::kError;
  return passes ? Step::kRow : Step::kDone;
}

Step HashJoinNode::NextUnmatched(ExecutionContext& context) {
  while (drain_ != nullptr) {
    const Entry* entry = drain_;
    drain_ = entry->next;
    if (!CheckInterrupts(context)) return Step::kError;
    if (entry->matched) continue;
    SetNull(join_.outer_slots);
    inner_codec_.Decode(entry->row(), join_.frame->row());
    bool passes = false;
    if (!TestFilter(context, passes)) return Step::kError;
    if (passes) return Step::kRow;
  }
  return Step::kDone;
}

[[gnu::hot]] Step HashJoinNode::NextProbe(ExecutionContext& context) {
  while (true) {
    if (has_outer_) {
      const Step step = NextMatch(context);
      if (step != Step::kDone) return step;
      has_outer_ = false;
    }
    const Value* row = nullptr;
    const Step step = outer_->Next(context, row);
    if (step != Step::kRow) return step;
    bool null = false;
    if (!HashKeys(context, true, outer_hash_, null)) return Step::kError;
    has_outer_ = true;
    outer_matched_ = false;
    candidate_ = null || buckets_.empty() ? nullptr : buckets_[outer_hash_ & (buckets_.size() - 1)];
  }
}

[[gnu::hot]] Step HashJoinNode::DoNext(ExecutionContext& context, const Value*& row) {
  row = join_.frame->row();
  if (phase_ == Phase::kBuild && !Build(context)) return Step::kError;
  if (phase_ == Phase::kProbe) {
    const Step step = NextProbe(context);
    if (step != Step::kDone) return step;
    drain_ = join_.keep_inner ? first_ : nullptr;
    phase_ = Phase::kDrain;
  }
  if (phase_ == Phase::kMerge) return NextMerged(context);
  if (phase_ == Phase::kDrain) return NextUnmatched(context);
  return Step::kDone;
}

void HashJoinNode::Explain(ExplainWriter& writer) const {
  const char* kind = join_.keep_outer && join_.keep_inner ? "Hash Full Join"
                     : join_.keep_outer                   ? "Hash Left Join"
                     : join_.keep_inner                   ? "Hash Right Join"
                                                          : "Hash Join";
  writer.Node(kind, *this);
  std::string text;
  for (const Expression* equality : equalities_) {
    text += (text.empty() ? "" : " AND ") + PrintExpression(*equality, join_.frame->names);
  }
  writer.Property("Hash Cond", equalities_.size() > 1 ? "(" + text + ")" : text);
  ExplainConditions(writer, other_);
  if (writer.analyze() && spilled_bytes_ > 0) {
    writer.Property("Hash Method",
                    "merge by hash  Disk: " + std::to_string(spilled_bytes_ / 1024) + "kB");
  }
  writer.Child(*outer_);
  writer.Child(*inner_);
}

}  // namespace connbench::engine
