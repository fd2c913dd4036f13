// Checkpoints: all data as of one moment go into a new file, and the log before that moment is not
// needed any more.
//
// The server works on meanwhile; README.md says why what is written is good nevertheless. Pages are
// never written over, so none can be torn. The price is that a checkpoint writes all pages, not
// only those that have changed.
//
// Safety: any process that has the engine may run one, one at a time: the caller sees to it. In a
// server the checkpointer does (engine/tasks); elsewhere sessions, under the lock
// kCheckpointLockOid. It blocks its thread for as long as the disk takes, without a latch.
#pragma once

#include <functional>

#include "base/status.h"
#include "engine/config.h"
#include "engine/recovery/control_file.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"
#include "engine/wal/log.h"

namespace connbench::engine {

// The relation lock (of no relation) that a session holds which makes a checkpoint itself, because
// nobody staffs the tasks.
inline constexpr uint32_t kCheckpointLockOid = 1;

struct CheckpointReport {
  uint64_t number = 0;
  int64_t pages = 0;  // written
};

class Checkpointer {
 public:
  Checkpointer(Storage& storage, const TransactionSystem& transactions, Log& log,
               const EngineConfig& config)
      : storage_(storage), transactions_(transactions), log_(log), config_(config) {}

  // state: kShutDown if nobody will change anything any more. stop is asked before each page; if it
  // says so the checkpoint is given up (57P01), and the last one stays the last.
  Result<CheckpointReport> Run(DataState state, const std::function<bool()>& stop = {});
  // The log since the last checkpoint has grown to max_wal_size.
  bool Due() const;

 private:
  // Returns how many pages it has written.
  Result<int64_t> WriteData(const std::string& path, const Log::RedoPoint& redo,
                            const std::function<bool()>& stop);
  Status RemoveOld(uint64_t checkpoint_number, Lsn redo);

  Storage& storage_;
  const TransactionSystem& transactions_;
  Log& log_;
  const EngineConfig& config_;
};

}  // namespace connbench::engine
