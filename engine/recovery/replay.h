// Does again what records say: first those of a checkpoint file, which make a state from nothing,
// then those of the log since.
//
// A record may be older than the state it meets, because a checkpoint is written while the server
// works. So every record either says what something is from now on, whatever it was, or is about a
// page, which knows by its LSN whether the record is news. README.md says why this suffices.
//
// Safety: one thread, while nobody else uses storage and commit log. Errors: XX001, 58030; 53100
// when the disk is full, or shared_buffers too small by far (PlaceTable).
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "engine/storage/storage.h"
#include "engine/transaction/commit_log.h"
#include "engine/wal/log_reader.h"

namespace connbench::engine {

// What kBeginning says, as it is in the record.
struct Beginning {
  uint64_t csn_bound;  // no csn is above it
  Xid forgotten;       // of the commit log; a multiple of 64
  Xid xid_limit;
  StorageId catalog_heap;
  StorageId catalog_by_name;
  StorageId catalog_by_oid;
  StorageId role_heap;
  StorageId role_by_name;
  uint32_t next_oid;
  uint64_t role_changes;
};
static_assert(sizeof(Beginning) == 56);

class Replay {
 public:
  explicit Replay(Storage& storage) : storage_(storage) {}

  Status Apply(const LogRecord& record);
  // When all has been read: commit log, storages, and what no record is about.
  Status Finish(const Segment& segment, CommitLog& commit_log);

  // Those after the checkpoint's.
  int64_t log_records() const { return log_records_; }
  uint64_t csn_bound() const { return beginning_.csn_bound; }
  // A kEnd record was seen.
  bool ended() const { return ended_; }

 private:
  Status ApplyStorage(const LogRecord& record, RecordReader& reader);
  void ApplyCommit(RecordReader& reader, bool last);
  void MarkCommitted(Xid xid);

  Storage& storage_;
  Beginning beginning_{};
  std::vector<uint64_t> committed_;  // a bit for each xid from beginning_.forgotten on
  std::unordered_map<Xid, std::vector<Xid>> more_xids_;  // by top-level xid
  int64_t log_records_ = 0;
  bool ended_ = false;
};

}  // namespace connbench::engine
