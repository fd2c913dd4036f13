// DEFERRABLE foreign keys: which are deferred at this moment of the transaction, and the checks
// that wait for COMMIT or SET CONSTRAINTS.
//
// Checks are kept in the order in which they came: in work_mem, then in a temporary file. One that
// was made early by SET CONSTRAINTS stays in the list, behind a mark, so that ROLLBACK TO can bring
// it back, as in PostgreSQL.
//
// Who may call: the session. Safety: private memory of one session, one thread at a time.
// Errors: those of temporary_file.h; 23503 where checks are made.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/environment.h"
#include "engine/sql/foreign_key_events.h"

namespace connbench::engine {

class ForeignKeyDeferral {
 public:
  // Looks for interrupts in the environment, which must outlive it.
  ForeignKeyDeferral(int64_t memory_limit_bytes, EvalEnvironment& environment)
      : environment_(environment) {
    events_.SetMemoryLimit(memory_limit_bytes);
  }

  // What DEFERRABLE is about: the search for a referenced key, and NO ACTION. Actions happen at
  // once.
  static bool CanBeDeferred(const ForeignKeyEvent& event);
  // Whether the key's checks are put off now: as SET CONSTRAINTS has said, or as it was declared.
  bool IsDeferred(const ForeignKeyInfo& key) const;
  Status Add(const ForeignKeyEvent& event);
  // SET CONSTRAINTS; no keys: ALL.
  void Set(std::span<const Oid> keys, bool deferred);

  using Check = std::function<Status(const ForeignKeyEvent& event)>;
  // Makes the checks that wait and are not deferred any more.
  Status MakeDue(const Check& check);
  // Makes all that wait, for COMMIT.
  Status MakeAll(const Check& check);
  // Whether a check waits that rows of the table have caused.
  Result<bool> PendingOn(Oid table);

  // Levels are the transaction's; none of this needs to be told of levels from before it was made.
  void PushSavepoint(int level);
  void ReleaseSavepoint(int level);
  void RollbackToSavepoint(int level);

 private:
  struct State {
    std::optional<bool> all_deferred;
    std::map<Oid, bool> deferred;  // by key: what was said after ALL
    std::map<Oid, size_t> done;    // by key: how many of the first events are done with
    size_t events = 0;
  };
  struct Saved {
    int level;
    State state;
  };
  // Calls take for the events that are not done; it says whether to go on.
  Status ForEachPending(const std::function<Result<bool>(const ForeignKeyEvent&)>& take);

  EvalEnvironment& environment_;
  State state_;
  std::vector<Saved> saved_;  // by level
  ForeignKeyEvents events_;
  std::vector<std::pair<size_t, size_t>> undone_;  // events that were rolled back: from, to
};

}  // namespace connbench::engine
