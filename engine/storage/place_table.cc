// Where pages stand in the file <folder>/pages.
#include "engine/storage/place_table.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <bit>

#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/storage/page.h"

namespace connbench::engine {
namespace {

// For each page of the pool, and at least. Half of them are enough for the data; the others are
// those of the last checkpoint while the next one is made.
constexpr int64_t kPlacesPerPoolPage = 32;
constexpr int64_t kLeastPlaces = 1 << 16;
constexpr int64_t kMostPlaces = int64_t{1} << 31;

int64_t PlaceCount(const EngineConfig& config) {
  return std::clamp(MulSize(config.shared_buffers_bytes / kPageSize, kPlacesPerPoolPage),
                    kLeastPlaces, kMostPlaces);
}

uint32_t PlaceBucketCount(const EngineConfig& config) {
  return std::bit_ceil(static_cast<uint32_t>(PlaceCount(config) / 2));
}

int64_t PlaceHeaderBytes() { return AlignSize(sizeof(PlaceTableHeader), kCacheLineBytes); }

int64_t PlaceTableBytes(const EngineConfig& config) {
  return AddSize(AddSize(PlaceHeaderBytes(), MulSize(PlaceBucketCount(config), sizeof(uint32_t))),
                 MulSize(PlaceCount(config), sizeof(PlaceEntry)));
}

Status NoPlaceLeft(uint32_t capacity) {
  return Status::Error(
             sqlstate::kDiskFull,
             fmt::format("all {} places for pages in the data directory are in use", capacity))
      .WithHint("Start the server with a larger shared_buffers, or drop or truncate tables.");
}

}  // namespace

int64_t PlaceTable::ShmemSize(const EngineConfig& config) {
  if (config.data_directory.empty()) return 0;
  return AddSize(PlaceTableBytes(config), Segment::kPartOverheadBytes);
}

Status PlaceTable::Init(Segment& segment, const EngineConfig& config) {
  if (config.data_directory.empty()) return {};
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kPagePlaces, PlaceTableBytes(config)));
  auto* header = static_cast<PlaceTableHeader*>(memory);
  header->latch.Init(segment.private_futexes(), LatchRank::kPagePlaces);
  header->capacity = static_cast<uint32_t>(PlaceCount(config));
  header->bucket_count = PlaceBucketCount(config);
  PlaceTable table(segment);
  std::fill_n(table.buckets_, header->bucket_count, PagePlace::kNowhere);
  return {};
}

PlaceTable::PlaceTable(const Segment& segment)
    : header_(segment.Find<PlaceTableHeader>(SegmentPart::kPagePlaces)) {
  char* base = reinterpret_cast<char*>(header_) + PlaceHeaderBytes();
  buckets_ = reinterpret_cast<uint32_t*>(base);
  entries_ = reinterpret_cast<PlaceEntry*>(
      base + MulSize(header_->bucket_count, static_cast<int64_t>(sizeof(uint32_t))));
}

// The blocks of a storage have buckets side by side, so that few pages of memory are touched.
uint32_t& PlaceTable::BucketOf(uint64_t tag) const {
  const auto storage = static_cast<uint32_t>(tag >> 32);
  const auto block = static_cast<uint32_t>(tag);
  return buckets_[(storage * 0x9E3779B1u + block) & (header_->bucket_count - 1)];
}

uint32_t PlaceTable::FindCurrent(uint64_t tag) const {
  uint32_t place = BucketOf(tag);
  while (place != PagePlace::kNowhere && entries_[place].tag != tag) place = entries_[place].next;
  return place;
}

void PlaceTable::MakeCurrent(uint64_t tag, uint32_t place) {
  DropCurrent(tag);
  uint32_t& bucket = BucketOf(tag);
  entries_[place].next = bucket;
  entries_[place].flags |= PlaceEntry::kCurrent;
  bucket = place;
}

void PlaceTable::DropCurrent(uint64_t tag) {
  uint32_t* link = &BucketOf(tag);
  while (*link != PagePlace::kNowhere && entries_[*link].tag != tag) link = &entries_[*link].next;
  const uint32_t place = *link;
  if (place == PagePlace::kNowhere) return;
  *link = entries_[place].next;
  Clear(place, PlaceEntry::kCurrent);
}

void PlaceTable::Clear(uint32_t place, uint32_t flags) {
  uint32_t& now = entries_[place].flags;
  const bool was_free = (now & PlaceEntry::kNamed) == 0;
  now &= ~flags;
  if (was_free || (now & PlaceEntry::kNamed) != 0) return;
  now = 0;
  ++header_->free;
}

void PlaceTable::ShrinkEnd() {
  while (header_->end > 0 && (entries_[header_->end - 1].flags & PlaceEntry::kNamed) == 0) {
    --header_->end;
    --header_->free;
  }
  if (header_->next > header_->end) header_->next = 0;
}

PagePlace PlaceTable::Find(uint64_t tag) const {
  ExclusiveLatchGuard guard(header_->latch);
  const uint32_t place = FindCurrent(tag);
  if (place == PagePlace::kNowhere) return {};
  return {.place = place, .checksum = entries_[place].checksum};
}

void PlaceTable::Forget(uint64_t tag) {
  ExclusiveLatchGuard guard(header_->latch);
  DropCurrent(tag);
}

Result<uint32_t> PlaceTable::TakeFree() {
  while (true) {
    {
      ExclusiveLatchGuard guard(header_->latch);
      uint32_t place = PagePlace::kNowhere;
      if (header_->free > 0) {
        place = header_->next;
        for (uint32_t step = 0; step < header_->end; ++step, ++place) {
          if (place >= header_->end) place = 0;
          if ((entries_[place].flags & PlaceEntry::kNamed) == 0) break;
        }
        --header_->free;
      } else if (header_->cutting == 0) {
        if (header_->end == header_->capacity) return NoPlaceLeft(header_->capacity);
        place = header_->end++;
      }
      if (place != PagePlace::kNowhere) {
        entries_[place].flags = PlaceEntry::kWriting;
        header_->next = place + 1 < header_->end ? place + 1 : 0;
        return place;
      }
    }
    sched_yield();  // the file is being cut
  }
}

void PlaceTable::GiveBack(uint32_t place) {
  ExclusiveLatchGuard guard(header_->latch);
  Clear(place, PlaceEntry::kWriting);
}

void PlaceTable::SetCurrent(uint64_t tag, PagePlace place, bool unstamped,
                            std::atomic<uint64_t>& written_lsn, uint64_t before, uint64_t lsn) {
  ExclusiveLatchGuard guard(header_->latch);
  PlaceEntry& entry = entries_[place.place];
  if (written_lsn.load(std::memory_order_relaxed) == before) {
    entry.tag = tag;
    entry.checksum = place.checksum;
    if (unstamped) entry.flags |= PlaceEntry::kUnstamped;
    MakeCurrent(tag, place.place);
    written_lsn.store(lsn, std::memory_order_relaxed);
  }
  Clear(place.place, PlaceEntry::kWriting);
}

void PlaceTable::Name(uint64_t tag, PagePlace place, bool unstamped) {
  ExclusiveLatchGuard guard(header_->latch);
  PlaceEntry& entry = entries_[place.place];
  entry.tag = tag;
  entry.checksum = place.checksum;
  entry.flags |= PlaceEntry::kNextCheckpoint;
  if (unstamped) entry.flags |= PlaceEntry::kUnstamped;
  Clear(place.place, PlaceEntry::kWriting);
}

PagePlace PlaceTable::Share(uint64_t tag, bool& unstamped) {
  ExclusiveLatchGuard guard(header_->latch);
  const uint32_t place = FindCurrent(tag);
  if (place == PagePlace::kNowhere) return {};
  PlaceEntry& entry = entries_[place];
  unstamped = (entry.flags & PlaceEntry::kUnstamped) != 0;
  if (unstamped) return {};
  entry.flags |= PlaceEntry::kNextCheckpoint;
  return {.place = place, .checksum = entry.checksum};
}

PagePlace PlaceTable::ShareWritten(uint64_t tag, std::atomic<uint64_t>& written_lsn, uint64_t lsn) {
  ExclusiveLatchGuard guard(header_->latch);
  if (written_lsn.load(std::memory_order_relaxed) != lsn) return {};
  const uint32_t place = FindCurrent(tag);
  if (place == PagePlace::kNowhere) return {};
  PlaceEntry& entry = entries_[place];
  if ((entry.flags & PlaceEntry::kUnstamped) != 0) {
    written_lsn.store(kNowhereWritten, std::memory_order_relaxed);
    return {};
  }
  entry.flags |= PlaceEntry::kNextCheckpoint;
  return {.place = place, .checksum = entry.checksum};
}

void PlaceTable::SetCurrentToNamed(uint64_t tag, uint32_t place, std::atomic<uint64_t>& written_lsn,
                                   uint64_t before, uint64_t lsn) {
  ExclusiveLatchGuard guard(header_->latch);
  if (written_lsn.load(std::memory_order_relaxed) != before) return;
  MakeCurrent(tag, place);
  written_lsn.store(lsn, std::memory_order_relaxed);
}

void PlaceTable::CompleteCheckpoint() {
  ExclusiveLatchGuard guard(header_->latch);
  for (uint32_t place = 0; place < header_->end; ++place) {
    uint32_t& flags = entries_[place].flags;
    if ((flags & PlaceEntry::kNextCheckpoint) != 0) {
      flags = (flags & ~PlaceEntry::kNextCheckpoint) | PlaceEntry::kLastCheckpoint;
    } else {
      Clear(place, PlaceEntry::kLastCheckpoint);
    }
  }
  header_->next = 0;  // the first free places are used first, so that the file stays small
}

void PlaceTable::AbandonCheckpoint() {
  ExclusiveLatchGuard guard(header_->latch);
  for (uint32_t place = 0; place < header_->end; ++place) {
    Clear(place, PlaceEntry::kNextCheckpoint);
  }
  header_->next = 0;
}

uint32_t PlaceTable::BeginCut() {
  ExclusiveLatchGuard guard(header_->latch);
  ShrinkEnd();
  header_->cutting = 1;
  return header_->end;
}

void PlaceTable::EndCut() {
  ExclusiveLatchGuard guard(header_->latch);
  header_->cutting = 0;
}

Status PlaceTable::Restore(uint64_t tag, PagePlace place) {
  ExclusiveLatchGuard guard(header_->latch);
  if (place.place >= header_->capacity) return NoPlaceLeft(header_->capacity);
  if (place.place >= header_->end) {
    header_->free += place.place + 1 - header_->end;
    header_->end = place.place + 1;
  }
  PlaceEntry& entry = entries_[place.place];
  if ((entry.flags & PlaceEntry::kNamed) != 0) {
    return Status::Error(sqlstate::kDataCorrupted,
                         fmt::format("place {} has two pages", place.place));
  }
  --header_->free;
  entry.tag = tag;
  entry.checksum = place.checksum;
  entry.flags = PlaceEntry::kLastCheckpoint;
  MakeCurrent(tag, place.place);
  return {};
}

}  // namespace connbench::engine
