// The storage of one engine as a process holds it.
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

int64_t HeaderBytes() { return AlignSize(sizeof(StorageHeader), kCacheLineBytes); }

int64_t TableBytes(const EngineConfig& config) {
  return AddSize(HeaderBytes(), MulSize(Storage::SlotCount(config), sizeof(StorageSlot)));
}

}  // namespace

static_assert(std::is_trivially_destructible_v<StorageSlot>);
static_assert(std::is_trivially_destructible_v<StorageHeader>);

uint32_t Storage::SlotCount(const EngineConfig& config) {
  return std::bit_ceil(static_cast<uint32_t>(config.max_relations) + kSpareSlots);
}

int64_t Storage::ShmemSize(const EngineConfig& config) {
  const int64_t pages = AddSize(BufferPool::ShmemSize(config), PlaceTable::ShmemSize(config));
  return AddSize(AddSize(pages, ReadQueue::ShmemSize(config)),
                 AddSize(TableBytes(config), Segment::kPartOverheadBytes));
}

Status Storage::Init(Segment& segment, const EngineConfig& config) {
  CONNBENCH_RETURN_IF_ERROR(BufferPool::Init(segment, config));
  CONNBENCH_RETURN_IF_ERROR(PlaceTable::Init(segment, config));
  CONNBENCH_RETURN_IF_ERROR(ReadQueue::Init(segment, config));
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kStorage, TableBytes(config)));
  auto* header = static_cast<StorageHeader*>(memory);
  header->latch.Init(segment.private_futexes(), LatchRank::kStorageTable);
  header->slot_count = SlotCount(config);
  header->max_relations = static_cast<uint32_t>(config.max_relations);
  header->next_oid.store(kFirstUserOid, std::memory_order_relaxed);
  auto* slots = reinterpret_cast<StorageSlot*>(static_cast<char*>(memory) + HeaderBytes());
  for (uint32_t index = header->slot_count - 1; index > 0; --index) {
    StorageSlot& slot = slots[index];
    slot.next_id = index;
    slot.extension.Init(segment.private_futexes(), LatchRank::kStorageExtension);
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

Storage::Storage(const Storage& process, Backend& session)
    : pool_(process.pool_),
      transactions_(process.transactions_),
      log_(process.log_),
      header_(process.header_),
      slots_(process.slots_) {
  pool_.SetSession(&session);
}

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
  ResetSlot(*slot, relation);
  const StorageId id = slot->next_id;
  // The low bits stay: the next user of the slot differs in the others.
  slot->next_id += header_->slot_count;
  slot->id.store(id, std::memory_order_release);
  if (log_ != nullptr) LogStorage(RecordKind::kStorageMade, id, relation);
  return id;
}

void Storage::ResetSlot(StorageSlot& made, uint32_t relation) const {
  StorageSlot* slot = &made;
  slot->block_count.store(0, std::memory_order_relaxed);
  slot->relation.store(relation, std::memory_order_relaxed);
  slot->root_block.store(kNoBlock, std::memory_order_relaxed);
  for (auto& target : slot->insert_target) target.store(kNoBlock, std::memory_order_relaxed);
  slot->free_space_limit.store(0, std::memory_order_relaxed);
  slot->free_space_next.store(0, std::memory_order_relaxed);
  slot->free_space_pages.store(0, std::memory_order_relaxed);
  slot->visits_owed.store(0, std::memory_order_relaxed);
  slot->upkeep.taken.store(0, std::memory_order_relaxed);
  slot->upkeep.passes_begun.store(0, std::memory_order_relaxed);
  slot->upkeep.passes_done.store(0, std::memory_order_relaxed);
  slot->upkeep.dead_lines.store(0, std::memory_order_relaxed);
  slot->upkeep.phase = 0;
  slot->upkeep.next = 0;
  slot->upkeep.end = 0;
  slot->upkeep.found = 0;
  slot->upkeep.dead_lines_found = 0;
  slot->upkeep.idle = 0;
  slot->upkeep.index_names = 0;
  slot->upkeep.stamped_below = 0;
  slot->rows.store(0, std::memory_order_relaxed);
  slot->sequence_value.store(0, std::memory_order_relaxed);
  slot->sequence_called.store(0, std::memory_order_relaxed);
  slot->stamped_below.store(commit_log().oldest_recent_xid(), std::memory_order_relaxed);
}

void Storage::LogStorage(RecordKind kind, StorageId id, uint32_t value) {
  RecordBuilder record;
  record.Begin(kind);
  record.Put(id);
  record.Put(value);
  log_->Append(record);
}

void Storage::LogSequence(StorageId id, const StorageSlot& slot) {
  if (log_ == nullptr) return;
  RecordBuilder record;
  record.Begin(RecordKind::kSequence);
  record.Put(id);
  record.Put(slot.sequence_called.load(std::memory_order_relaxed));
  record.Put(slot.sequence_value.load(std::memory_order_relaxed));
  log_->Append(record);
}

uint32_t Storage::NewOid() {
  const uint32_t oid = header_->next_oid.fetch_add(1, std::memory_order_relaxed);
  if (log_ != nullptr) {
    RecordBuilder record;
    record.Begin(RecordKind::kNextOid);
    record.Put(oid + 1);
    log_->Append(record);
  }
  return oid;
}

void Storage::FreeStorage(StorageId id) {
  StorageSlot* slot = Find(id);
  if (slot == nullptr) return;
  slot->id.store(kNoStorage, std::memory_order_release);
  const BlockNumber blocks = slot->block_count.load(std::memory_order_acquire);
  for (BlockNumber block = 0; block < blocks; ++block) pool_.Free(id, block);
  FreeSpaceMap::FreePages(*this, id, *slot);
  // Before anybody else can have the slot.
  if (log_ != nullptr) LogStorage(RecordKind::kStorageFreed, id, 0);
  ExclusiveLatchGuard guard(header_->latch);
  slot->free_next = header_->free_first;
  header_->free_first = static_cast<uint32_t>(slot - slots_);
  --header_->used;
}

Result<WritePageGuard> Storage::Extend(StorageId id, StorageSlot& slot, uint16_t page_flags,
                                       uint32_t special_size, BlockNumber& block, PageSource source,
                                       Evict evict) {
  const bool is_catalog = id == header_->catalog_heap || id == header_->catalog_by_name ||
                          id == header_->catalog_by_oid;
  if (is_catalog) source = PageSource::kReserve;
  ExclusiveLatchGuard latch(slot.extension);
  const BlockNumber next = slot.block_count.load(std::memory_order_relaxed);
  Result<WritePageGuard> made = pool_.Allocate(id, next, source, evict);
  if (!made.ok()) {
    // The next statement looks for room before it asks for a page.
    if (pool_.store() == nullptr &&
        slot.visits_owed.load(std::memory_order_relaxed) < kBacklogVisits) {
      slot.visits_owed.store(kBacklogVisits, std::memory_order_relaxed);
    }
    return made.TakeStatus();
  }
  slot.OweVisits(kVisitsPerPage);
  WritePageGuard guard = std::move(made.value());
  guard.page().Init(page_flags, special_size);
  slot.block_count.store(next + 1, std::memory_order_release);
  // While the extension latch is held, so that pages are made in the log in their order.
  guard.LogFresh();
  block = next;
  return guard;
}

void Storage::UsePages(const Segment& segment, Files& files, const std::string& folder,
                       uint64_t log_number) {
  pages_ = std::make_unique<PageStore>(segment, files, folder, log_number);
  pool_.SetStore(pages_.get(), nullptr);
}

void Storage::UseRings(Files& files) {
  rings_ = std::make_unique<RingReads>(pool_, files);
  pool_.SetRings(rings_.get());
}

Result<ReadPageGuard> Storage::BringToRead(StorageId id, BlockNumber block) {
  while (pool_.store() != nullptr) {
    PagePins pins;
    CONNBENCH_RETURN_IF_ERROR(pool_.Bring(id, block, pins));
    if (pins.empty()) break;
    ReadPageGuard guard = pool_.Read(id, block);
    if (guard.valid()) return guard;
  }
  return ReadPageGuard();
}

Result<WritePageGuard> Storage::BringToWrite(StorageId id, BlockNumber block) {
  while (pool_.store() != nullptr) {
    PagePins pins;
    CONNBENCH_RETURN_IF_ERROR(pool_.Bring(id, block, pins));
    if (pins.empty()) break;
    WritePageGuard guard = pool_.Write(id, block);
    if (guard.valid()) return guard;
  }
  return WritePageGuard();
}

Result<bool> Storage::DropEmptyLastPage(StorageId id, StorageSlot& slot) {
  const BlockNumber blocks = slot.block_count.load(std::memory_order_acquire);
  if (blocks == 0) return false;
  WritePageGuard guard = pool_.TryWrite(id, blocks - 1);
  if (!guard.valid() && pool_.store() != nullptr) {
    // Somebody has it, or it is away.
    PagePins pins;
    CONNBENCH_RETURN_IF_ERROR(pool_.Bring(id, blocks - 1, pins));
    guard = pool_.TryWrite(id, blocks - 1);
  }
  if (!guard.valid() || guard.page().slot_count() != 0) return false;
  ExclusiveLatchGuard latch(slot.extension);
  if (slot.block_count.load(std::memory_order_relaxed) != blocks) return false;
  guard.page().SetHint(kPageGone);
  slot.block_count.store(blocks - 1, std::memory_order_release);
  if (log_ != nullptr) LogStorage(RecordKind::kBlockCount, id, blocks - 1);
  // Those who wait for the page's latch must get it and go before the frame can be given back. None
  // of them takes the extension latch while it holds the page.
  guard.Release();
  pool_.Free(id, blocks - 1);
  return true;
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
Xid Storage::ForgettableBelow() {
  Xid limit = commit_log().oldest_recent_xid();
  for (uint32_t index = 1; index < header_->slot_count; ++index) {
    const StorageSlot& slot = slots_[index];
    if (slot.id.load(std::memory_order_acquire) == kNoStorage) continue;
    const bool tree = slot.root_block.load(std::memory_order_acquire) != kNoBlock;
    if (tree || slot.block_count.load(std::memory_order_acquire) == 0) continue;
    limit = std::min(limit, slot.stamped_below.load(std::memory_order_acquire));
  }
  return limit;
}

void Storage::ForgetOldTransactions() {
  if (log_ == nullptr) transactions_.commit_log->AdvanceForgotten(ForgettableBelow());
}

Status Storage::StaleStorage(StorageId id) {
  return Status::Error(sqlstate::kInternalError,
                       fmt::format("storage {} no longer exists: the relation was used without a "
                                   "lock that keeps it",
                                   id));
}

}  // namespace connbench::engine
