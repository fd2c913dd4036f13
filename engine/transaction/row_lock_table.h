// The shared table of row locks that do not fit into their row.
//
// A row version's xmax names one transaction. That is enough for a row that one transaction locks
// or changes, which is nearly every row. A second holder needs a place elsewhere: another session
// with a compatible mode, or an outer transaction whose lock must outlive a savepoint that changes
// the row. It gets an entry here, and the version gets a flag that says to look. PostgreSQL writes
// a multixact instead, which must survive a crash; an entry here need not, because no lock does.
//
// An entry counts as long as its transaction is in progress, so the end of a transaction costs
// nothing here. Entries that have ended are freed when their row is looked at, or all at once when
// a partition is full. Only if everything in it is in use is there an error: 53200.
//
// Safety: lives in shared memory, in the segment's sparse area. Entries of one version are read and
// changed by callers that hold its page's latch exclusively; a partition's latch guards the rest.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/config.h"
#include "engine/segment/latch.h"
#include "engine/segment/segment.h"
#include "engine/transaction/commit_log.h"
#include "engine/transaction/lock_modes.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

// A row version: its storage, and page and line in one number.
struct RowVersionId {
  uint32_t storage = 0;
  uint64_t place = 0;
  friend bool operator==(const RowVersionId&, const RowVersionId&) = default;
};

struct RowLockHolder {
  Xid xid = kInvalidXid;
  BackendNumber owner = kNoBackend;
  RowLockMode mode = RowLockMode::kKeyShare;
};

class RowLockTable {
 public:
  static constexpr uint32_t kPartitions = 32;

  static int64_t ShmemSize(const EngineConfig& config);  // sparse
  static Result<RowLockTable*> Init(Segment& segment, const EngineConfig& config);

  // Notes that xid holds the version in mode; an entry that it has already keeps the stronger mode.
  // only: nobody else may have one, so what the table has is left over from an earlier version in
  // this place. 53200 when the table is full, 53100 when the segment cannot grow.
  Status Add(const Segment& segment, const CommitLog& log, const RowVersionId& version, Xid xid,
             RowLockMode mode, bool only);
  // Replaces holders by those in progress.
  void Find(const CommitLog& log, const RowVersionId& version, std::vector<RowLockHolder>& holders);

 private:
  // Links are index + 1 within the partition, 0 ends a list.
  struct Entry {
    RowVersionId version;
    Xid xid;
    RowLockMode mode;
    uint32_t next;
  };
  struct alignas(kCacheLineBytes) Partition {
    Latch latch;
    uint32_t free CONNBENCH_GUARDED_BY(latch) = 0;
    uint32_t populated CONNBENCH_GUARDED_BY(latch) = 0;  // entries from here on have no memory yet
    bool has_buckets CONNBENCH_GUARDED_BY(latch) = false;
  };

  static uint64_t Hash(const RowVersionId& version);
  Partition& PartitionOf(uint64_t hash) { return partitions_[hash % kPartitions]; }
  char* MemoryOf(const Partition& partition);
  uint32_t* BucketsOf(const Partition& partition);
  uint32_t& BucketOf(const Partition& partition, uint64_t hash) {
    return BucketsOf(partition)[hash / kPartitions % entries_];
  }
  Entry& EntryAt(const Partition& partition, uint32_t link);
  Result<uint32_t> TakeFree(const Segment& segment, const CommitLog& log, Partition& partition)
      CONNBENCH_REQUIRES(partition.latch);
  void Free(Partition& partition, uint32_t& link) CONNBENCH_REQUIRES(partition.latch);
  // Frees the entries of one bucket that have ended, or, with version, all of that version.
  void Sweep(const CommitLog& log, Partition& partition, uint32_t& bucket,
             const RowVersionId* version) CONNBENCH_REQUIRES(partition.latch);

  uint32_t entries_ = 0;  // of a partition, and its buckets; a power of two
  int64_t partition_bytes_ = 0;
  Partition partitions_[kPartitions];
};
static_assert(std::is_trivially_destructible_v<RowLockTable>);

}  // namespace connbench::engine
