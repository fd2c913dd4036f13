// A snapshot of the newest committed state and the transaction's own changes, whatever its isolation
// level: for what must not be blind to recent commits, as the catalog and index builds.
//
// The transaction's own registered snapshot is as old or older, so that it keeps what this one sees.
//
// Safety: private memory; used by the transaction's thread while the transaction is open.
#pragma once

#include "engine/transaction/transaction.h"

namespace connbench::engine {

class LatestSnapshot {
 public:
  explicit LatestSnapshot(Transaction& transaction)
      : transaction_(transaction),
        registered_(transaction.TakeSnapshot()),
        latest_(transaction.WithCurrentCommand(registered_)) {
    latest_.csn = transaction.commit_log().last_csn();
  }
  ~LatestSnapshot() { transaction_.ReleaseSnapshot(registered_); }
  LatestSnapshot(const LatestSnapshot&) = delete;
  LatestSnapshot& operator=(const LatestSnapshot&) = delete;

  const Snapshot& get() const { return latest_; }

 private:
  Transaction& transaction_;
  const Snapshot registered_;
  Snapshot latest_;
};

}  // namespace connbench::engine
