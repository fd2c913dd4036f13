// Checkpoints: pages that have changed since the last one go into the pages file, everything else
// into a small new file, and the log before the moment of the checkpoint is not needed any more.
//
// The server works on meanwhile; README.md says why what is written is good nevertheless. What the
// last checkpoint consists of is never written over: until the control file names the new one, a
// crash at any moment, or an error, leaves the last one as it is.
//
// Safety: any process that has the engine may run one, one at a time: the caller sees to it. In a
// server the checkpointer does (engine/tasks); elsewhere sessions, under the lock
// kCheckpointLockOid. It blocks its thread for as long as the disk takes, without a latch.
// Errors: 58030, 53100 for a full disk: the last checkpoint stays the last, and the next call tries
// again. A file that cannot be synced ends a server that serves (PANIC).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/status.h"
#include "engine/config.h"
#include "engine/recovery/page_places.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"
#include "engine/wal/log.h"

namespace connbench::engine {

// The relation lock (of no relation) that a session holds which makes a checkpoint itself, because
// nobody staffs the tasks.
inline constexpr uint32_t kCheckpointLockOid = 1;

enum class CheckpointMoment : uint8_t {
  kStart,  // before anybody is served: errors end the start, and nothing is lost
  kServing,
  kEnd,  // nobody will change anything any more
};

struct CheckpointReport {
  uint64_t number = 0;
  int64_t pages = 0;
  int64_t pages_written = 0;  // the others are where the last checkpoint left them
  int64_t write_ns = 0;
  int64_t sync_ns = 0;
};

// For the statistics of a server that serves.
void CountCheckpoint(LogTallies& tallies, const CheckpointReport& report, bool timed);

class Checkpointer {
 public:
  Checkpointer(Storage& storage, const TransactionSystem& transactions, Log& log,
               const EngineConfig& config)
      : storage_(storage), transactions_(transactions), log_(log), config_(config) {}

  // stop is asked before each page; if it says so the checkpoint is given up (57P01), and the last
  // one stays the last.
  Result<CheckpointReport> Run(CheckpointMoment moment, const std::function<bool()>& stop = {});
  // The log since the last checkpoint has grown to max_wal_size.
  bool Due() const;

 private:
  Status PrepareControl(CheckpointMoment moment, uint64_t number, Lsn redo, Lsn complete);
  Status RemoveOld(uint64_t checkpoint_number, Lsn redo);
  Status KeepSpareLogFiles(std::vector<uint64_t>& numbers);

  Storage& storage_;
  const TransactionSystem& transactions_;
  Log& log_;
  const EngineConfig& config_;
};

}  // namespace connbench::engine
