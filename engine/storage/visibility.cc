// Which row versions exist for whom.
#include "engine/storage/visibility.h"

#include <algorithm>

namespace connbench::engine {
namespace {

// Calls visit for each fate word of a heap page on which it depends whether a version exists: the
// end of somebody who only locked the row means nothing.
template <typename Visit>
void ForEachFate(Page page, const Visit& visit) {
  if ((page.flags() & kPageHeap) == 0) return;
  for (uint32_t slot = 0; slot < page.slot_count(); ++slot) {
    if (!page.line(slot).normal()) continue;
    TupleHeader& tuple = TupleAt(page, slot);
    visit(tuple.xmin());
    if (tuple.xmax_only_locks()) continue;
    if (tuple.xmax().load(std::memory_order_relaxed) != kNoFate) visit(tuple.xmax());
  }
}

}  // namespace

void StampFates(const CommitLog& log, Page page) {
  ForEachFate(page, [&](std::atomic_ref<uint64_t> word) { (void)ResolveFate(log, word); });
}

Xid OldestUnstampedXid(Page page) {
  Xid oldest = kAllStamped;
  ForEachFate(page, [&](std::atomic_ref<uint64_t> word) {
    const FateWord value = word.load(std::memory_order_relaxed);
    if ((value & kFateStamp) == 0) oldest = std::min(oldest, value);
  });
  return oldest;
}

[[gnu::hot]] VersionState StateOfVersion(const CommitLog& log, TupleHeader& tuple, Csn horizon) {
  const Fate born = ResolveFate(log, tuple.xmin());
  if (born.aborted()) return VersionState::kDead;
  if (born.in_progress()) return VersionState::kInProgress;
  if (tuple.xmax().load(std::memory_order_relaxed) == kNoFate ||
      (tuple.flags & kXmaxLockOnly) != 0) {
    return VersionState::kLive;
  }
  const Fate died = ResolveFate(log, tuple.xmax());
  if (died.aborted()) return VersionState::kLive;
  if (died.in_progress()) return VersionState::kInProgress;
  return died.csn <= horizon ? VersionState::kDead : VersionState::kRecentlyDead;
}

[[gnu::hot]] bool HasHotSuccessor(const CommitLog& log, TupleHeader& tuple) {
  return tuple.xmax().load(std::memory_order_relaxed) != kNoFate &&
         (tuple.flags & kXmaxLockOnly) == 0 && (tuple.flags & kXmaxHot) != 0 &&
         !ResolveFate(log, tuple.xmax()).aborted();
}

}  // namespace connbench::engine
