// The deadlock detector: is this backend waiting, through others, for itself?
#include "engine/transaction/deadlock.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "engine/segment/held_latches.h"

namespace connbench::engine {

// Depth first. Not recursive: a chain of waiters may be as long as there are connections, and a
// thread's stack is small.
bool DeadlockDetector::FindCircle(BackendNumber start) {
  CONNBENCH_ASSERT(HeldLatchCount() >= static_cast<int>(LockTable::kPartitions),
                   "every partition of the lock table is latched");
  visited_.assign(backends_.slots(), false);
  visited_[start] = true;
  path_.push_back({.waiter = start, .blockers = Blockers(start)});
  while (!path_.empty()) {
    Step& step = path_.back();
    if (step.visiting == step.blockers.size()) {
      path_.pop_back();
      if (!path_.empty()) ++path_.back().visiting;
      continue;
    }
    const BackendNumber blocker = step.blockers[step.visiting];
    if (blocker == start) return true;
    if (visited_[blocker]) {
      ++step.visiting;
      continue;
    }
    visited_[blocker] = true;
    path_.push_back({.waiter = blocker, .blockers = Blockers(blocker)});
  }
  return false;
}

std::string DeadlockDetector::DescribeCircle() {
  std::string text;
  for (const Step& step : path_) {
    const LockRequest& request = *RequestOf(step.waiter);
    if (!text.empty()) text += '\n';
    text += fmt::format("Process {} waits for {} on {}; blocked by process {}.",
                        backends_.slot(step.waiter).connection_id(), LockModeName(request.mode),
                        table_.object(request.lock).tag.Describe(),
                        backends_.slot(step.blockers[step.visiting]).connection_id());
  }
  return text;
}

const LockRequest* DeadlockDetector::RequestOf(BackendNumber waiter) {
  const uint32_t link = backends_.slot(waiter).waiting_request.load(std::memory_order_acquire);
  return link == 0 ? nullptr : &table_.request(link);
}

std::vector<BackendNumber> DeadlockDetector::Blockers(BackendNumber waiter) {
  std::vector<BackendNumber> blockers;
  const LockRequest* wanted = RequestOf(waiter);
  if (wanted == nullptr) return blockers;
  const LockRequest& request = *wanted;
  const LockObject& object = table_.object(request.lock);
  if (object.tag.kind == LockKind::kTransaction) {
    const XidStatus status = log_.Lookup(object.tag.id);
    if (status.in_progress() && status.owner != kNoBackend) blockers.push_back(status.owner);
    return blockers;
  }
  for (uint32_t link = object.holders; link != 0; link = table_.request(link).next) {
    const LockRequest& holder = table_.request(link);
    if (holder.backend != waiter && LocksConflict(request.mode, holder.mode)) {
      blockers.push_back(holder.backend);
    }
  }
  // Only relations are noted on the fast path.
  const uint32_t used = object.tag.kind == LockKind::kRelation ? backends_.slots_used() : 0;
  for (BackendNumber other = 0; other < used; ++other) {
    if (other != waiter && (backends_.slot(other).FastPathModes(object.tag.relation) &
                            LockConflicts(request.mode)) != 0) {
      blockers.push_back(other);
    }
  }
  for (uint32_t link = request.previous; link != 0; link = table_.request(link).previous) {
    const LockRequest& ahead = table_.request(link);
    if (LocksConflict(request.mode, ahead.mode)) blockers.push_back(ahead.backend);
  }
  return blockers;
}

}  // namespace connbench::engine
