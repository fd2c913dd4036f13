// Recovery: brings back into an empty segment what a data directory holds.
//
// Safety: the process that makes the segment, before anybody else uses it. It writes nothing that
// the last checkpoint consists of, so it may be interrupted at any moment and begun again.
// Errors: XX001 with file and offset, 58030; 53100 as Replay.
#pragma once

#include "base/status.h"
#include "engine/recovery/data_directory.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

struct Recovered {
  Lsn log_start = kNoLsn;  // where a new log begins: no file is there
  int64_t log_records = 0;
};

Result<Recovered> Recover(DataDirectory& directory, const Segment& segment, Storage& storage,
                          const TransactionSystem& transactions);

// Where the log of a new directory begins.
inline constexpr Lsn kFirstLogPlace = kLogFileBytes;

}  // namespace connbench::engine
