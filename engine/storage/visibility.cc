// Which row versions exist for whom.
#include "engine/storage/visibility.h"

namespace connbench::engine {

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
