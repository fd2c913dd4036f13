#include "engine/storage/storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/storage/btree.h"
#include "engine/storage/catalog.h"
#include "engine/storage/free_space.h"

namespace connbench::engine {
namespace {

// The catalog's own, and the old storages of tables that are being truncated.
constexpr uint32_t kSpareSlots = 64;
// The horizon is computed anew after so many commits: it means looking at every backend slot.
constexpr Csn kCommitsPerHorizon = 16;

uint32_t SlotCount(const EngineConfig& config) {
  return std::bit_ceil(static_cast<uint32_t>(config.max_relations) + kSpareSlots);
}

int64_t HeaderBytes() { return AlignSize(sizeof(StorageHeader), kCacheLineBytes); }

int64_t TableBytes(const EngineConfig& config) {
  return AddSize(HeaderBytes(), MulSize(SlotCount(config), sizeof(StorageSlot)));
}

}  // namespace

static_assert(std::is_trivially_destructible_v<StorageSlot>);
static_assert(std::is_trivially_destructible_v<StorageHeader>);

int64_t Storage::ShmemSize(const EngineConfig& config) {
  return AddSize(BufferPool::ShmemSize(config),
                 AddSize(TableBytes(config), Segment::kPartOverheadBytes));
}

Status Storage::Init(Segment& segment, const EngineConfig& config) {
  CONNBENCH_RETURN_IF_ERROR(BufferPool::Init(segment, config));
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kStorage, TableBytes(config)));
  auto* header = static_cast<StorageHeader*>(memory);
  header->latch.Init(segment.private_futexes());
  header->slot_count = SlotCount(config);
  header->max_relations = static_cast<uint32_t>(config.max_relations);
  header->next_oid.store(kFirstUserOid, std::memory_order_relaxed);
  auto* slots = reinterpret_cast<StorageSlot*>(static_cast<char*>(memory) + HeaderBytes());
  for (uint32_t index = header->slot_count - 1; index > 0; --index) {
    StorageSlot& slot = slots[index];
    slot.next_id = index;
    slot.extension.Init(segment.private_futexes());
    slot.free_next = header->free_first;
    header->free_first = index;
  }
  return {};
}

Storage::Storage(const Segment& segment, const TransactionSystem& transactions)
    : pool_(segment),
      transactions_(transactions),
      header_(segment.Find<StorageHeader>(SegmentPart::kStorage)),
      slots_(reinterpret_cast<StorageSlot*>(reinterpret_cast<char*>(header_) + HeaderBytes())) {}

Status Storage::CreateCatalog() {
  CONNBENCH_ASSIGN_OR_RETURN(header_->catalog_heap, CreateStorage(0));
  CONNBENCH_ASSIGN_OR_RETURN(header_->catalog_by_name, CreateStorage(0));
  CONNBENCH_ASSIGN_OR_RETURN(header_->catalog_by_oid, CreateStorage(0));
  CONNBENCH_RETURN_IF_ERROR(BTree::Create(*this, header_->catalog_by_name));
  return BTree::Create(*this, header_->catalog_by_oid);
}

Result<StorageId> Storage::CreateStorage(uint32_t relation) {
  StorageSlot* slot = nullptr;
  {
    ExclusiveLatchGuard guard(header_->latch);
    if (header_->free_first == 0 || header_->used >= header_->max_relations + kSpareSlots) {
      return Status::Error(
                 sqlstate::kConfigurationLimitExceeded,
                 fmt::format("too many relations: max_relations is {}", header_->max_relations))
          .WithHint("Drop some, or start the server with a larger max_relations.");
    }
    slot = &slots_[header_->free_first];
    header_->free_first = slot->free_next;
    ++header_->used;
  }
  slot->block_count.store(0, std::memory_order_relaxed);
  slot->relation.store(relation, std::memory_order_relaxed);
  slot->root_block.store(kNoBlock, std::memory_order_relaxed);
  for (auto& target : slot->insert_target) target.store(kNoBlock, std::memory_order_relaxed);
  slot->free_space_limit.store(0, std::memory_order_relaxed);
  slot->free_space_next.store(0, std::memory_order_relaxed);
  slot->rows.store(0, std::memory_order_relaxed);
  slot->sequence_value.store(0, std::memory_order_relaxed);
  slot->sequence_called.store(0, std::memory_order_relaxed);
  slot->stamped_below.store(commit_log().oldest_recent_xid(), std::memory_order_relaxed);
  const StorageId id = slot->next_id;
  // The low bits stay: the next user of the slot differs in the others.
  slot->next_id += header_->slot_count;
  slot->id.store(id, std::memory_order_release);
  return id;
}

void Storage::FreeStorage(StorageId id) {
  StorageSlot* slot = Find(id);
  if (slot == nullptr) return;
  slot->id.store(kNoStorage, std::memory_order_release);
  const BlockNumber blocks = slot->block_count.load(std::memory_order_acquire);
  for (BlockNumber block = 0; block < blocks; ++block) pool_.Free(id, block);
  FreeSpaceMap::FreePages(*this, id, blocks);
  ExclusiveLatchGuard guard(header_->latch);
  slot->free_next = header_->free_first;
  header_->free_first = static_cast<uint32_t>(slot - slots_);
  --header_->used;
}

Result<WritePageGuard> Storage::Extend(StorageId id, StorageSlot& slot, uint16_t page_flags,
                                       uint32_t special_size, BlockNumber& block) {
  ExclusiveLatchGuard latch(slot.extension);
  const BlockNumber next = slot.block_count.load(std::memory_order_relaxed);
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, pool_.Allocate(id, next));
  guard.page().Init(page_flags, special_size);
  slot.block_count.store(next + 1, std::memory_order_release);
  block = next;
  return guard;
}

[[gnu::hot]] Csn Storage::RefreshedHorizon() {
  const Csn computed_at = header_->horizon_computed_at.load(std::memory_order_relaxed);
  if (commit_log().last_csn() < computed_at + kCommitsPerHorizon) return CachedHorizon();
  return FreshHorizon();
}

Csn Storage::FreshHorizon() {
  const Csn now = commit_log().last_csn();
  const Csn horizon = transactions_.Horizon();
  header_->horizon_computed_at.store(now, std::memory_order_relaxed);
  // Others may have come to a newer one meanwhile: a horizon never falls.
  Csn known = header_->horizon.load(std::memory_order_relaxed);
  while (known < horizon &&
         !header_->horizon.compare_exchange_weak(known, horizon, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
  }
  return std::max(known, horizon);
}

// Whatever is written from now on carries the number of a transaction that has not ended, which is
// not below oldest_recent_xid(); so a heap that is empty now does not count.
void Storage::ForgetOldTransactions() {
  Xid limit = commit_log().oldest_recent_xid();
  for (uint32_t index = 1; index < header_->slot_count; ++index) {
    const StorageSlot& slot = slots_[index];
    if (slot.id.load(std::memory_order_acquire) == kNoStorage) continue;
    const bool tree = slot.root_block.load(std::memory_order_acquire) != kNoBlock;
    if (tree || slot.block_count.load(std::memory_order_acquire) == 0) continue;
    limit = std::min(limit, slot.stamped_below.load(std::memory_order_acquire));
  }
  transactions_.commit_log->AdvanceForgotten(limit);
}

Status Storage::StaleStorage(StorageId id) {
  return Status::Error(sqlstate::kInternalError,
                       fmt::format("storage {} no longer exists: the relation was used without a "
                                   "lock that keeps it",
                                   id));
}

}  // namespace connbench::engine
