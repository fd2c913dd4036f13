// The deadlock detector: is this backend waiting, through others, for itself?
//
// Run by a backend that has waited for deadlock_timeout. It latches the whole lock table, so that
// the wait-for graph stands still, and walks it from itself. An edge goes from a waiter to everyone
// who holds the lock in a conflicting mode, by an entry of the table, by a fast-path note, or by
// being the transaction waited for, and to everyone ahead of it in the line with a conflicting
// wish. What can still change during the walk belongs to backends that run, and those have no
// outgoing edge.
//
// Safety: private; requires every partition latch. LockManager::CheckDeadlock uses it.
#pragma once

#include <string>
#include <vector>

#include "engine/transaction/lock_table.h"

namespace connbench::engine {

class DeadlockDetector {
 public:
  DeadlockDetector(LockTable& table, BackendTable& backends, const CommitLog& log)
      : table_(table), backends_(backends), log_(log) {}

  // Whether start is part of a circle.
  bool FindCircle(BackendNumber start);
  // After FindCircle() said so: who waits for whom, in PostgreSQL's words.
  std::string DescribeCircle();

 private:
  // One backend on the path from start, and whom it waits for; the next path element is
  // blockers[visiting].
  struct Step {
    BackendNumber waiter;
    std::vector<BackendNumber> blockers;
    size_t visiting = 0;
  };

  const LockRequest* RequestOf(BackendNumber waiter);
  std::vector<BackendNumber> Blockers(BackendNumber waiter);

  LockTable& table_;
  BackendTable& backends_;
  const CommitLog& log_;
  std::vector<bool> visited_;
  std::vector<Step> path_;
};

}  // namespace connbench::engine
