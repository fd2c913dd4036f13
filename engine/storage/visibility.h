// Which row versions exist for whom: the fate words of a tuple against snapshots and the horizon.
//
// Safety: the caller holds the page's content latch, shared at least. Whatever is found out for
// good is left behind as a stamp.
#pragma once

#include "base/assert.h"
#include "engine/storage/tuple.h"
#include "engine/transaction/commit_log.h"
#include "engine/transaction/snapshot.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

// What became of the writer of a fate word.
struct Fate {
  XidStatus::State state = XidStatus::State::kInProgress;
  Csn csn = kInvalidCsn;             // if committed
  BackendNumber owner = kNoBackend;  // if in progress
  Xid xid = kInvalidXid;             // if in progress

  bool committed() const { return state == XidStatus::State::kCommitted; }
  bool aborted() const { return state == XidStatus::State::kAborted; }
  bool in_progress() const { return state == XidStatus::State::kInProgress; }
};

// word must not be kNoFate.
inline Fate ResolveFate(const CommitLog& log, std::atomic_ref<uint64_t> word) {
  const FateWord value = word.load(std::memory_order_relaxed);
  CONNBENCH_ASSERT(value != kNoFate, "somebody has written the word");
  if (value == kFateAborted) return {.state = XidStatus::State::kAborted};
  if ((value & kFateStamp) != 0) {
    return {.state = XidStatus::State::kCommitted, .csn = value & ~kFateStamp};
  }
  const XidStatus status = log.Lookup(value);
  if (status.committed()) {
    word.store(kFateStamp | status.csn, std::memory_order_relaxed);
    return {.state = status.state, .csn = status.csn};
  }
  if (status.aborted()) {
    word.store(kFateAborted, std::memory_order_relaxed);
    return {.state = status.state};
  }
  return {.owner = status.owner, .xid = value};
}

// Whether a deleter's or updater's mark counts for the snapshot.
inline bool SnapshotSeesXmax(TupleHeader& tuple, const Snapshot& snapshot) {
  const FateWord xmax = tuple.xmax().load(std::memory_order_relaxed);
  if (xmax == kNoFate || (tuple.flags & kXmaxLockOnly) != 0) return false;
  if ((xmax & kFateStamp) != 0) return snapshot.SeesCommit(xmax & ~kFateStamp);
  const Fate fate = ResolveFate(*snapshot.log, tuple.xmax());
  if (fate.committed()) return snapshot.SeesCommit(fate.csn);
  return fate.in_progress() && fate.owner == snapshot.backend && tuple.cmax < snapshot.command;
}

inline bool SnapshotSeesXmin(TupleHeader& tuple, const Snapshot& snapshot) {
  const FateWord xmin = tuple.xmin().load(std::memory_order_relaxed);
  if ((xmin & kFateStamp) != 0) return snapshot.SeesCommit(xmin & ~kFateStamp);
  const Fate fate = ResolveFate(*snapshot.log, tuple.xmin());
  if (fate.committed()) return snapshot.SeesCommit(fate.csn);
  return fate.in_progress() && fate.owner == snapshot.backend && tuple.cmin < snapshot.command;
}

inline bool SnapshotSees(TupleHeader& tuple, const Snapshot& snapshot) {
  return SnapshotSeesXmin(tuple, snapshot) && !SnapshotSeesXmax(tuple, snapshot);
}

// Writes down on a heap page what became of each row's writers, as far as they have ended.
void StampFates(const CommitLog& log, Page page);

// The lowest xid of a writer whose end the page does not tell; kAllStamped: there is none.
inline constexpr Xid kAllStamped = ~Xid{0};
Xid OldestUnstampedXid(Page page);

// What pruning may do with a version.
enum class VersionState : uint8_t {
  kDead,          // seen by nobody, now or later
  kRecentlyDead,  // deleted or replaced, but some snapshot may see it
  kLive,
  kInProgress,  // its inserter or deleter has not ended
};

VersionState StateOfVersion(const CommitLog& log, TupleHeader& tuple, Csn horizon);

// The version's xmax is set, is no lock and has not aborted: it was or is being replaced on this
// page. Only then does next lead to its successor: after an abort, next is left over from nothing.
bool HasHotSuccessor(const CommitLog& log, TupleHeader& tuple);

}  // namespace connbench::engine
