// The join on equality: the inner side's rows in a hash table, the outer side's looked up in it.
//
// Memory: the table has twice work_mem, as PostgreSQL 15 gives it by default (hash_mem_multiplier).
// Inner rows that do not fit make it a merge: both sides are sorted by the hash of their keys, in
// memory and temporary files (external_sorter.h), and read side by side. Then only the inner rows
// of one hash are held; if those alone pass the limit, the answer is 53200. A single row is held
// whatever its size, and rows with a null key, which match nothing, have different hashes.
//
// Safety, interrupts: join_nodes.h. Errors: 53200, and external_sorter.h's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/nodes/external_sorter.h"
#include "engine/executor/nodes/join_nodes.h"

namespace connbench::engine {

// What a hash table may hold. PostgreSQL 15's default for hash_mem_multiplier is 2.
inline int64_t HashMemory(int64_t work_mem_bytes) {
  constexpr int64_t kHashMemMultiplier = 2;
  return work_mem_bytes > INT64_MAX / kHashMemMultiplier ? INT64_MAX
                                                         : work_mem_bytes * kHashMemMultiplier;
}

class HashJoinNode : public JoinNode {
 public:
  // One equality: an expression of each side. Equal values have equal hashes, whatever their types.
  struct Key {
    const Expression* outer;
    const Expression* inner;
  };
  // join.condition includes the equalities; keys show where to look. other: the condition without
  // them, for EXPLAIN.
  HashJoinNode(PlanNodePtr outer, PlanNodePtr inner, JoinDescription join, std::vector<Key> keys,
               std::vector<const Expression*> equalities, const Expression* other,
               SlotCodec outer_codec, SlotCodec inner_codec);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  enum class Phase : uint8_t {
    kBuild,  // nothing has been read yet
    kProbe,  // outer rows are looked up in the table
    kMerge,  // outer rows are looked up in the inner rows of the same hash
    kDrain,  // inner rows without a match, all outer rows having been read
    kFinished,
  };
  // An inner row; its bytes follow.
  struct Entry {
    Entry* next_in_bucket;
    Entry* next;  // of all, or of the hash that is being merged
    uint64_t hash;
    uint32_t bytes;
    bool matched;
    std::string_view row() const { return {reinterpret_cast<const char*>(this + 1), bytes}; }
  };

  void Reset();
  // null: a key is null, so that the row matches nothing.
  bool HashKeys(ExecutionContext& context, bool outer, uint64_t& hash, bool& null);
  bool Build(ExecutionContext& context);
  // Null: it does not fit.
  Entry* Store(uint64_t hash, std::string_view row);
  bool AddToTable(Entry* entry);
  Step NextProbe(ExecutionContext& context);
  // The next inner row that has the outer row's hash and matches; kDone: there is none left.
  Step NextMatch(ExecutionContext& context);
  // The next of the inner rows from drain_ on that had no match.
  Step NextUnmatched(ExecutionContext& context);
  bool CheckInterrupts(ExecutionContext& context);

  // hash_join_merge.cc
  bool BeginMerge(ExecutionContext& context);
  bool AddSorted(ExecutionContext& context, ExternalSorter& sorter, uint64_t hash,
                 std::string_view row);
  bool ReadSortedOuter(ExecutionContext& context);
  bool ReadSortedInner(ExecutionContext& context);
  bool LoadGroup(ExecutionContext& context);
  Step NextMerged(ExecutionContext& context);

  const std::vector<Key> keys_;
  const std::vector<const Expression*> equalities_;
  const Expression* other_;
  SlotCodec outer_codec_;
  SlotCodec inner_codec_;

  Phase phase_ = Phase::kFinished;
  Arena arena_;                  // the entries
  std::vector<Entry*> buckets_;  // a power of two
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  size_t entries_ = 0;
  size_t null_keys_ = 0;  // rows so far with one, of both sides

  bool has_outer_ = false;
  bool outer_matched_ = false;
  uint64_t outer_hash_ = 0;
  Entry* candidate_ = nullptr;  // the next to compare with the outer row
  bool by_bucket_ = true;       // how candidates are linked
  Entry* drain_ = nullptr;

  // Of a merge. Rows that are read ahead stay in their sorter until it is asked for the next.
  ExternalSorter outer_sorter_;
  ExternalSorter inner_sorter_;
  std::string row_bytes_;
  std::string_view outer_row_;
  bool outer_ahead_ = false;
  bool outer_done_ = false;
  std::string_view inner_row_;
  uint64_t inner_hash_ = 0;
  bool inner_ahead_ = false;
  bool has_group_ = false;
  uint64_t group_hash_ = 0;
  int64_t spilled_bytes_ = 0;
};

}  // namespace connbench::engine
