// What a statement sees: all that was committed when the snapshot was taken, and what its own
// transaction did in earlier commands.
//
// Safety: a plain value in private memory; valid while the Transaction it came from keeps it
// registered (Transaction::TakeSnapshot, ReleaseSnapshot): until then no version it sees is pruned.
#pragma once

#include "engine/transaction/commit_log.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

enum class Visibility : uint8_t {
  kVisible,    // committed before the snapshot
  kOwn,        // by this very transaction (a live subtransaction included): compare command ids
  kInvisible,  // in progress elsewhere, or committed after the snapshot
  kAborted,    // never happened; may be hinted
};

struct Snapshot {
  Csn csn = kInvalidCsn;
  CommandId command = kFirstCommandId;  // own rows are seen if written by a command below this
  BackendNumber backend = kNoBackend;
  const CommitLog* log = nullptr;

  // What xid's writes are to this snapshot. status, if given, receives what the log said, for
  // hints: a committed csn or "aborted" never changes again.
  Visibility See(Xid xid, XidStatus* status = nullptr) const {
    const XidStatus found = log->Lookup(xid);
    if (status != nullptr) *status = found;
    if (found.committed())
      return SeesCommit(found.csn) ? Visibility::kVisible : Visibility::kInvisible;
    if (found.aborted()) return Visibility::kAborted;
    return found.owner == backend ? Visibility::kOwn : Visibility::kInvisible;
  }

  // A hinted commit: no look at the log is needed.
  bool SeesCommit(Csn committed) const { return committed <= csn; }

  // Both ends of a row version's life in one answer. deleter is kInvalidXid for a version that
  // nobody deleted; the command ids are those of the inserting and deleting command.
  bool SeesVersion(Xid inserter, CommandId insert_command, Xid deleter,
                   CommandId delete_command) const {
    const Visibility born = See(inserter);
    if (born != Visibility::kVisible && !(born == Visibility::kOwn && insert_command < command)) {
      return false;
    }
    if (deleter == kInvalidXid) return true;
    const Visibility died = See(deleter);
    return died != Visibility::kVisible && !(died == Visibility::kOwn && delete_command < command);
  }
};

}  // namespace connbench::engine
