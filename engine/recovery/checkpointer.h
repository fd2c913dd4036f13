// Checkpoints: all data as of one moment go into a new file, and the log before that moment is not
// needed any more.
//
// The server works on meanwhile; README.md says why what is written is good nevertheless. Pages are
// never written over, so none can be torn. The price is that a checkpoint writes all pages, not
// only those that have changed.
//
// Safety: any process that has the engine may run one, one at a time: the caller sees to it (the
// lock kCheckpointLockOid, or nobody else is there). It blocks its thread for as long as the disk
// takes, without a latch.
#pragma once

#include "base/status.h"
#include "engine/config.h"
#include "engine/recovery/control_file.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"
#include "engine/wal/log.h"

namespace connbench::engine {

// The relation lock (of no relation) that whoever makes a checkpoint holds.
inline constexpr uint32_t kCheckpointLockOid = 1;

class Checkpointer {
 public:
  Checkpointer(Storage& storage, const TransactionSystem& transactions, Log& log,
               const EngineConfig& config)
      : storage_(storage), transactions_(transactions), log_(log), config_(config) {}

  // state: kShutDown if nobody will change anything any more.
  Status Run(DataState state);
  // The log since the last checkpoint has grown to max_wal_size.
  bool Due() const;

 private:
  Status WriteData(const std::string& path, const Log::RedoPoint& redo);
  Status RemoveOld(uint64_t checkpoint_number, Lsn redo);

  Storage& storage_;
  const TransactionSystem& transactions_;
  Log& log_;
  const EngineConfig& config_;
};

}  // namespace connbench::engine
