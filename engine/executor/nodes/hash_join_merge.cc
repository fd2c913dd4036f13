// The hash join once its table does not fit: both sides sorted by hash, then read side by side.
#include <fmt/format.h>

#include "engine/executor/nodes/hash_join.h"

namespace connbench::engine {
namespace {

using HashBytes = char[sizeof(uint64_t)];

// In an order in which memcmp is that of the numbers.
void PutHash(uint64_t hash, HashBytes& out) {
  for (size_t i = 0; i < sizeof(out); ++i) {
    out[i] = static_cast<char>(hash >> (8 * (sizeof(out) - 1 - i)));
  }
}

uint64_t GetHash(std::string_view bytes) {
  uint64_t hash = 0;
  for (const char byte : bytes) hash = hash << 8 | static_cast<uint8_t>(byte);
  return hash;
}

}  // namespace

bool HashJoinNode::AddSorted(ExecutionContext& context, ExternalSorter& sorter, uint64_t hash,
                             std::string_view row) {
  HashBytes key;
  PutHash(hash, key);
  Status added = sorter.Add({key, sizeof(key)}, row);
  return added.ok() || context.Fail(std::move(added));
}

// Moves what the table has to the inner side's sorter, and reads what is left of both sides. Rows
// whose key is null and that are kept are sorted with the others: the condition will not hold.
bool HashJoinNode::BeginMerge(ExecutionContext& context) {
  std::vector<Entry*>().swap(buckets_);
  for (ExternalSorter* sorter : {&inner_sorter_, &outer_sorter_}) {
    sorter->SetMemoryLimit(arena_.limit_bytes() / 2);
    sorter->SetInterrupts(context.eval.environment);
  }
  for (const Entry* entry = first_; entry != nullptr; entry = entry->next) {
    if (!CheckInterrupts(context)) return false;
    if (!AddSorted(context, inner_sorter_, entry->hash, entry->row())) return false;
  }
  first_ = last_ = nullptr;
  entries_ = 0;
  arena_.Release();
  for (const bool outer : {false, true}) {
    PlanNode& side = outer ? *outer_ : *inner_;
    ExternalSorter& sorter = outer ? outer_sorter_ : inner_sorter_;
    SlotCodec& codec = outer ? outer_codec_ : inner_codec_;
    if (outer && !outer_->Open(context)) return false;
    while (true) {
      const Value* row = nullptr;
      const Step step = side.Next(context, row);
      if (step == Step::kError) return false;
      if (step == Step::kDone) break;
      uint64_t hash = 0;
      bool null = false;
      if (!HashKeys(context, outer, hash, null)) return false;
      if (null && !(outer ? join_.keep_outer : join_.keep_inner)) continue;
      row_bytes_.resize(codec.EncodedSize(join_.frame->row()));
      codec.Encode(row_bytes_.data());
      if (!AddSorted(context, sorter, hash, row_bytes_)) return false;
    }
    side.Close(context);
    Status sorted = sorter.Finish();
    if (!sorted.ok()) return context.Fail(std::move(sorted));
    spilled_bytes_ += sorter.spilled_bytes();
  }
  by_bucket_ = false;
  phase_ = Phase::kMerge;
  return ReadSortedInner(context);
}

bool HashJoinNode::ReadSortedOuter(ExecutionContext& context) {
  std::string_view key;
  Result<bool> found = outer_sorter_.Next(key, outer_row_);
  if (!found.ok()) return context.Fail(found.TakeStatus());
  outer_ahead_ = *found;
  outer_done_ = !*found;
  if (outer_ahead_) outer_hash_ = GetHash(key);
  return true;
}

bool HashJoinNode::ReadSortedInner(ExecutionContext& context) {
  std::string_view key;
  Result<bool> found = inner_sorter_.Next(key, inner_row_);
  if (!found.ok()) return context.Fail(found.TakeStatus());
  inner_ahead_ = *found;
  if (inner_ahead_) inner_hash_ = GetHash(key);
  return true;
}

// All inner rows of the next hash.
bool HashJoinNode::LoadGroup(ExecutionContext& context) {
  first_ = last_ = nullptr;
  entries_ = 0;
  arena_.Reset();
  has_group_ = inner_ahead_;
  group_hash_ = inner_hash_;
  while (inner_ahead_ && inner_hash_ == group_hash_) {
    if (!CheckInterrupts(context)) return false;
    const int64_t limit = arena_.limit_bytes();
    Entry* entry = Store(group_hash_, inner_row_);
    if (entry == nullptr && entries_ == 0) {
      arena_.set_limit_bytes(Arena::kNoLimit);
      entry = Store(group_hash_, inner_row_);
      arena_.set_limit_bytes(limit);
    }
    if (entry == nullptr) {
      return context.Fail(
          Status::Error(sqlstate::kOutOfMemory, "out of memory for a hash join")
              .WithDetail(fmt::format("{} rows with equal keys did not fit into twice work_mem "
                                      "({} kB).",
                                      entries_ + 1, limit / 1024))
              .WithHint("Raise work_mem."));
    }
    if (!ReadSortedInner(context)) return false;
  }
  return true;
}

Step HashJoinNode::NextMerged(ExecutionContext& context) {
  while (true) {
    if (drain_ != nullptr) {
      const Step step = NextUnmatched(context);
      if (step != Step::kDone) return step;
    }
    if (has_outer_) {
      const Step step = NextMatch(context);
      if (step != Step::kDone) return step;
      has_outer_ = false;
    }
    if (!CheckInterrupts(context)) return Step::kError;
    if (!outer_ahead_ && !outer_done_ && !ReadSortedOuter(context)) return Step::kError;
    if (!outer_ahead_ && !has_group_ && !inner_ahead_) return Step::kDone;
    const bool group_is_behind = has_group_ && (!outer_ahead_ || group_hash_ < outer_hash_);
    if (group_is_behind) {
      drain_ = join_.keep_inner ? first_ : nullptr;
      has_group_ = false;
      continue;
    }
    const bool load = !has_group_ && inner_ahead_ &&
                      (outer_ahead_ ? inner_hash_ <= outer_hash_ : join_.keep_inner);
    if (load) {
      if (!LoadGroup(context)) return Step::kError;
      continue;
    }
    if (!outer_ahead_) return Step::kDone;
    outer_codec_.Decode(outer_row_, join_.frame->row());
    outer_ahead_ = false;
    has_outer_ = true;
    outer_matched_ = false;
    candidate_ = has_group_ && group_hash_ == outer_hash_ ? first_ : nullptr;
  }
}

}  // namespace connbench::engine
