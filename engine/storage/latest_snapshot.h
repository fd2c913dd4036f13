// A snapshot of the newest committed state and the transaction's own changes, whatever its
// isolation level: for what must not be blind to recent commits, as the catalog and index builds.
//
// It is not the transaction's own: LOCK TABLE looks the table up, and under REPEATABLE READ the
// first query after it must still see what was committed before the lock was there.
//
// Safety: private memory; used by the transaction's thread while the transaction is open.
#pragma once

#include "engine/transaction/transaction.h"

namespace connbench::engine {

class LatestSnapshot {
 public:
  explicit LatestSnapshot(Transaction& transaction)
      : transaction_(transaction), latest_(transaction.TakeLatestSnapshot()) {}
  ~LatestSnapshot() { transaction_.ReleaseSnapshot(latest_); }
  LatestSnapshot(const LatestSnapshot&) = delete;
  LatestSnapshot& operator=(const LatestSnapshot&) = delete;

  const Snapshot& get() const { return latest_; }

 private:
  Transaction& transaction_;
  const Snapshot latest_;
};

}  // namespace connbench::engine
