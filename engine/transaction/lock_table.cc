// The shared lock table.
#include "engine/transaction/lock_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <new>

namespace connbench::engine {
namespace {

// A lock is often held by more than one.
constexpr int64_t kRequestsPerObject = 2;
constexpr int kStrongCounterShift = 22;
static_assert(LockTable::kStrongCounters == 1u << (32 - kStrongCounterShift));

int64_t ObjectCount(const EngineConfig& config) {
  return MulSize(config.max_locks_per_transaction,
                 AddSize(config.max_connections, BackendTable::kAuxiliarySlots));
}

struct Layout {
  int64_t objects;
  int64_t requests;
  int64_t buckets;
  int64_t buckets_offset;
  int64_t objects_offset;
  int64_t requests_offset;
  int64_t total;
};

Layout LayOut(const EngineConfig& config) {
  Layout layout{};
  layout.objects = ObjectCount(config);
  layout.requests = MulSize(layout.objects, kRequestsPerObject);
  // Beyond 32-bit links the size is refused anyway.
  layout.buckets = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(
      std::clamp<int64_t>(layout.objects, LockTable::kPartitions, int64_t{1} << 31))));
  layout.buckets_offset = AlignSize(sizeof(LockTable), kCacheLineBytes);
  layout.objects_offset = AlignSize(
      AddSize(layout.buckets_offset, MulSize(layout.buckets, sizeof(uint32_t))), kCacheLineBytes);
  layout.requests_offset = AlignSize(
      AddSize(layout.objects_offset, MulSize(layout.objects, sizeof(LockObject))), kCacheLineBytes);
  layout.total = AddSize(layout.requests_offset, MulSize(layout.requests, sizeof(LockRequest)));
  return layout;
}

template <typename T>
T* At(void* base, int64_t offset) {
  return reinterpret_cast<T*>(static_cast<char*>(base) + offset);
}

}  // namespace

std::string_view LockModeName(LockMode mode) {
  constexpr std::string_view kNames[kLockModes + 1] = {"",
                                                       "AccessShareLock",
                                                       "RowShareLock",
                                                       "RowExclusiveLock",
                                                       "ShareUpdateExclusiveLock",
                                                       "ShareLock",
                                                       "ShareRowExclusiveLock",
                                                       "ExclusiveLock",
                                                       "AccessExclusiveLock"};
  return kNames[static_cast<unsigned>(mode)];
}

std::string_view RowLockModeName(RowLockMode mode) {
  constexpr std::string_view kNames[] = {"FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE",
                                         "FOR UPDATE"};
  return kNames[static_cast<unsigned>(mode)];
}

std::string LockTag::Describe() const {
  constexpr int kLineBits = 16;
  switch (kind) {
    case LockKind::kRelation:
      return fmt::format("relation {}", relation);
    case LockKind::kRow:
      return fmt::format("tuple ({},{}) of relation {}", id >> kLineBits,
                         id & ((1 << kLineBits) - 1), relation);
    case LockKind::kTransaction:
      return fmt::format("transaction {}", id);
    case LockKind::kNone:
      break;
  }
  return "nothing";
}

int64_t LockTable::ShmemSize(const EngineConfig& config) {
  const Layout layout = LayOut(config);
  return layout.requests >= UINT32_MAX ? kShmemSizeOverflow : layout.total;
}

Result<LockTable*> LockTable::Init(Segment& segment, const EngineConfig& config) {
  const Layout layout = LayOut(config);
  CONNBENCH_ASSIGN_OR_RETURN(void* memory, segment.Allocate(SegmentPart::kLockTable, layout.total));
  auto* table = new (memory) LockTable();
  table->objects_ = static_cast<uint32_t>(layout.objects);
  table->requests_ = static_cast<uint32_t>(layout.requests);
  table->buckets_ = static_cast<uint32_t>(layout.buckets);
  table->buckets_offset_ = layout.buckets_offset;
  table->objects_offset_ = layout.objects_offset;
  table->requests_offset_ = layout.requests_offset;
  const bool is_private = segment.private_futexes();
  table->free_latch_.Init(is_private, LatchRank::kLockFreeList);
  for (Partition& partition : table->partitions_)
    partition.latch.Init(is_private, LatchRank::kLockPartition);
  std::fill_n(At<uint32_t>(table, layout.buckets_offset), layout.buckets, 0);
  for (uint32_t link = table->objects_; link > 0; --link) {
    new (&table->object(link)) LockObject();
    table->object(link).next = table->free_object_;
    table->free_object_ = link;
  }
  for (uint32_t link = table->requests_; link > 0; --link) {
    new (&table->request(link)) LockRequest();
    table->request(link).next = table->free_request_;
    table->free_request_ = link;
  }
  return table;
}

uint64_t LockTable::Hash(const LockTag& tag) {
  uint64_t hash = (static_cast<uint64_t>(tag.kind) << 32 | tag.relation) * kHashMultiplier;
  hash = (std::rotl(hash, 29) ^ tag.id) * kHashMultiplier;
  return hash ^ hash >> 32;
}

uint32_t& LockTable::BucketOf(const LockTag& tag) {
  static_assert(std::has_single_bit(kPartitions));
  return At<uint32_t>(this, buckets_offset_)[Hash(tag) & (buckets_ - 1)];
}

[[gnu::hot]] std::atomic<uint32_t>& LockTable::StrongCount(uint32_t relation) {
  return strong_counts_[(relation * static_cast<uint32_t>(kHashMultiplier >> 32)) >>
                        kStrongCounterShift];
}

std::vector<LockRecord> LockTable::List(const BackendTable& backends) {
  std::vector<LockRecord> records;
  const auto add = [&](const LockObject& lock, uint32_t first, bool granted) {
    for (uint32_t link = first; link != 0; link = request(link).next) {
      const LockRequest& each = request(link);
      records.push_back({lock.tag, each.backend, each.mode, granted, false});
    }
  };
  const auto* buckets = At<uint32_t>(this, buckets_offset_);
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    const SharedLatchGuard guard(partitions_[partition].latch);
    for (uint32_t bucket = partition; bucket < buckets_; bucket += kPartitions) {
      for (uint32_t link = buckets[bucket]; link != 0; link = object(link).next) {
        add(object(link), object(link).holders, true);
        add(object(link), object(link).first_waiter, false);
      }
    }
  }
  const uint32_t used = backends.slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    for (const std::atomic<uint64_t>& place : backends.slot(number).fast_path) {
      const uint64_t note = place.load(std::memory_order_acquire);
      if (note == 0) continue;
      const auto mode = static_cast<LockMode>(note & ((1u << BackendSlot::kNoteModeBits) - 1));
      const auto relation = static_cast<uint32_t>(note >> BackendSlot::kNoteModeBits);
      records.push_back({LockTag::Relation(relation), number, mode, true, true});
    }
  }
  return records;
}

LockObject& LockTable::object(uint32_t link) {
  return At<LockObject>(this, objects_offset_)[link - 1];
}

LockRequest& LockTable::request(uint32_t link) {
  return At<LockRequest>(this, requests_offset_)[link - 1];
}

}  // namespace connbench::engine
