// RowLockTable: a hash table in each partition, with entries of its own.
#include "engine/transaction/row_lock_table.h"

#include <algorithm>
#include <bit>
#include <new>

namespace connbench::engine {
namespace {

constexpr uint64_t kStorageMultiplier = 0xc2b2ae3d27d4eb4f;
constexpr int64_t kHeaderBytes = kMemoryPageBytes;
// Entries get their memory so many at a time: a system call for some dozen pages.
constexpr uint32_t kEntriesPerStep = 1024;

int64_t EntriesPerPartition(const EngineConfig& config) {
  const auto wanted = static_cast<uint64_t>(
      std::max<int64_t>(config.max_shared_row_locks / RowLockTable::kPartitions, kEntriesPerStep));
  return static_cast<int64_t>(std::bit_ceil(wanted));
}

int64_t BucketBytes(int64_t entries) {
  return AlignSize(MulSize(entries, sizeof(uint32_t)), kMemoryPageBytes);
}

}  // namespace

int64_t RowLockTable::ShmemSize(const EngineConfig& config) {
  static_assert(sizeof(RowLockTable) <= kHeaderBytes);
  const int64_t entries = EntriesPerPartition(config);
  const int64_t partition =
      AlignSize(AddSize(BucketBytes(entries), MulSize(entries, sizeof(Entry))), kMemoryPageBytes);
  return AddSize(kHeaderBytes, MulSize(partition, kPartitions));
}

Result<RowLockTable*> RowLockTable::Init(Segment& segment, const EngineConfig& config) {
  const int64_t bytes = ShmemSize(config);
  CONNBENCH_ASSIGN_OR_RETURN(void* memory, segment.AllocateSparse(SegmentPart::kRowLocks, bytes));
  CONNBENCH_RETURN_IF_ERROR(segment.Populate(memory, kHeaderBytes));
  auto* table = new (memory) RowLockTable();
  table->entries_ = static_cast<uint32_t>(EntriesPerPartition(config));
  table->partition_bytes_ = (bytes - kHeaderBytes) / kPartitions;
  for (Partition& partition : table->partitions_) {
    partition.latch.Init(segment.private_futexes(), LatchRank::kRowLockPartition);
  }
  return table;
}

uint64_t RowLockTable::Hash(const RowVersionId& version) {
  const uint64_t hash = version.storage * kStorageMultiplier ^ version.place;
  return (hash ^ hash >> 29) * kHashMultiplier >> 16;
}

char* RowLockTable::MemoryOf(const Partition& partition) {
  return reinterpret_cast<char*>(this) + kHeaderBytes +
         (&partition - partitions_) * partition_bytes_;
}

uint32_t* RowLockTable::BucketsOf(const Partition& partition) {
  return reinterpret_cast<uint32_t*>(MemoryOf(partition));
}

RowLockTable::Entry& RowLockTable::EntryAt(const Partition& partition, uint32_t link) {
  return reinterpret_cast<Entry*>(MemoryOf(partition) + BucketBytes(entries_))[link - 1];
}

void RowLockTable::Free(Partition& partition, uint32_t& link) {
  const uint32_t freed = link;
  Entry& entry = EntryAt(partition, freed);
  link = entry.next;
  entry.next = partition.free;
  partition.free = freed;
}

void RowLockTable::Sweep(const CommitLog& log, Partition& partition, uint32_t& bucket,
                         const RowVersionId* version) {
  uint32_t* link = &bucket;
  while (*link != 0) {
    Entry& entry = EntryAt(partition, *link);
    const bool drop =
        version != nullptr ? entry.version == *version : !log.Lookup(entry.xid).in_progress();
    if (drop) {
      Free(partition, *link);
    } else {
      link = &entry.next;
    }
  }
}

Result<uint32_t> RowLockTable::TakeFree(const Segment& segment, const CommitLog& log,
                                        Partition& partition) {
  if (partition.free == 0 && partition.populated < entries_) {
    const uint32_t first = partition.populated + 1;
    CONNBENCH_RETURN_IF_ERROR(
        segment.Populate(&EntryAt(partition, first), int64_t{kEntriesPerStep} * sizeof(Entry)));
    partition.populated += kEntriesPerStep;
    for (uint32_t link = partition.populated; link >= first; --link) {
      EntryAt(partition, link).next = partition.free;
      partition.free = link;
    }
  }
  if (partition.free == 0) {
    for (uint32_t bucket = 0; bucket < entries_; ++bucket) {
      Sweep(log, partition, BucketsOf(partition)[bucket], nullptr);
    }
  }
  if (partition.free == 0) {
    return Status::Error(sqlstate::kOutOfMemory, "out of shared memory")
        .WithDetail("Too many rows are locked by several transactions or savepoints at once.")
        .WithHint("You might need to increase max_shared_row_locks.");
  }
  const uint32_t taken = partition.free;
  partition.free = EntryAt(partition, taken).next;
  return taken;
}

Status RowLockTable::Add(const Segment& segment, const CommitLog& log, const RowVersionId& version,
                         Xid xid, RowLockMode mode, bool only) {
  const uint64_t hash = Hash(version);
  Partition& partition = PartitionOf(hash);
  ExclusiveLatchGuard guard(partition.latch);
  if (!partition.has_buckets) {
    CONNBENCH_RETURN_IF_ERROR(segment.Populate(BucketsOf(partition), BucketBytes(entries_)));
    partition.has_buckets = true;
  }
  if (only) Sweep(log, partition, BucketOf(partition, hash), &version);
  for (uint32_t link = BucketOf(partition, hash); link != 0;) {
    Entry& entry = EntryAt(partition, link);
    if (entry.version == version && entry.xid == xid) {
      entry.mode = std::max(entry.mode, mode);
      return {};
    }
    link = entry.next;
  }
  CONNBENCH_ASSIGN_OR_RETURN(const uint32_t taken, TakeFree(segment, log, partition));
  uint32_t& bucket = BucketOf(partition, hash);
  EntryAt(partition, taken) = {.version = version, .xid = xid, .mode = mode, .next = bucket};
  bucket = taken;
  return {};
}

void RowLockTable::Find(const CommitLog& log, const RowVersionId& version,
                        std::vector<RowLockHolder>& holders) {
  holders.clear();
  const uint64_t hash = Hash(version);
  Partition& partition = PartitionOf(hash);
  ExclusiveLatchGuard guard(partition.latch);
  if (!partition.has_buckets) return;
  uint32_t* link = &BucketOf(partition, hash);
  while (*link != 0) {
    Entry& entry = EntryAt(partition, *link);
    if (entry.version == version) {
      const XidStatus status = log.Lookup(entry.xid);
      if (!status.in_progress()) {
        Free(partition, *link);
        continue;
      }
      holders.push_back({.xid = entry.xid, .owner = status.owner, .mode = entry.mode});
    }
    link = &entry.next;
  }
}

}  // namespace connbench::engine
