// The fate of every transaction.
#include "engine/transaction/commit_log.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <bit>
#include <new>

#include "engine/segment/futex.h"

namespace connbench::engine {
namespace {

constexpr int64_t kMinRing = 1024;
constexpr uint64_t kMaxChunk = 65536;
constexpr uint64_t kChunksPerRing = 8;  // at least: retiring one must not need the whole ring old
constexpr uint64_t kBitsPerWord = 64;

// A commit takes its csn within nanoseconds of saying so; longer means it lost its processor.
constexpr int kCommitSpins = 200;
constexpr int kCommitYields = 20;
// The futex compares only half of the entry, and one csn in four billion looks there like "still
// committing"; so sleeping is never unbounded.
constexpr int64_t kCommitSleepNs = 10 * kNanosecondsPerMillisecond;

int64_t RingXids(const EngineConfig& config) {
  return static_cast<int64_t>(
      std::bit_ceil(static_cast<uint64_t>(std::max(config.recent_transactions, kMinRing))));
}
int64_t RememberedXids(const EngineConfig& config) {
  return static_cast<int64_t>(std::bit_ceil(
      static_cast<uint64_t>(std::max(config.remembered_transactions, RingXids(config)))));
}
int64_t BitsOffset(const EngineConfig& config) {
  return kMemoryPageBytes + RingXids(config) * static_cast<int64_t>(sizeof(uint64_t));
}

// The futex word of an entry is its low half, which holds the "somebody sleeps" mark.
static_assert(std::endian::native == std::endian::little);
const std::atomic<uint32_t>& LowHalf(const std::atomic<uint64_t>& entry) {
  return *reinterpret_cast<const std::atomic<uint32_t>*>(&entry);
}

}  // namespace

int64_t CommitLog::ShmemSize(const EngineConfig& config) {
  return AddSize(BitsOffset(config), RememberedXids(config) / 8);
}

Result<CommitLog*> CommitLog::Init(Segment& segment, const EngineConfig& config) {
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.AllocateSparse(SegmentPart::kCommitLog, ShmemSize(config)));
  CONNBENCH_RETURN_IF_ERROR(segment.Populate(memory, kMemoryPageBytes));
  auto* log = new (memory) CommitLog();
  const auto ring = static_cast<uint64_t>(RingXids(config));
  log->ring_mask_ = ring - 1;
  log->bits_mask_ = static_cast<uint64_t>(RememberedXids(config)) - 1;
  log->chunk_xids_ = std::min(kMaxChunk, ring / kChunksPerRing);
  log->bits_offset_ = BitsOffset(config);
  log->futex_private_ = segment.private_futexes() ? 1 : 0;
  log->extend_latch_.Init(segment.private_futexes(), LatchRank::kCommitLogExtension);
  CONNBENCH_RETURN_IF_ERROR(log->Extend(segment, kFrozenCsn));
  log->RingEntry(kInvalidXid).store(Entry(kAborted, 0), std::memory_order_relaxed);
  log->RingEntry(kFrozenXid).store(Entry(kCommitted, kFrozenCsn), std::memory_order_relaxed);
  return log;
}

std::atomic<uint64_t>& CommitLog::AbortedWord(Xid xid) const {
  auto* words = reinterpret_cast<std::atomic<uint64_t>*>(
      const_cast<char*>(reinterpret_cast<const char*>(this)) + bits_offset_);
  return words[(xid & bits_mask_) / kBitsPerWord];
}

XidStatus CommitLog::OldStatus(Xid xid) const {
  const bool aborted =
      xid == kInvalidXid ||
      (xid >= oldest_remembered_.load(std::memory_order_acquire) &&
       (AbortedWord(xid).load(std::memory_order_acquire) >> (xid % kBitsPerWord) & 1) != 0);
  if (aborted) return {.state = XidStatus::State::kAborted};
  return {.state = XidStatus::State::kCommitted, .csn = kFrozenCsn};
}

[[gnu::hot]] XidStatus CommitLog::DecodeUncommitted(Xid xid, uint64_t entry) const {
  switch (static_cast<Tag>(entry >> kTagShift)) {
    case kAborted:
      return {.state = XidStatus::State::kAborted};
    case kInProgressTop:
      return {.owner = static_cast<BackendNumber>(entry & kPayloadMask), .top_xid = xid};
    case kInProgressSub: {
      const Xid top = entry & kPayloadMask;
      const XidStatus of_top = Lookup(top);
      if (of_top.in_progress()) return {.owner = of_top.owner, .top_xid = top};
      // The transaction has ended meanwhile, and its subtransactions end before it does.
      return Lookup(xid);
    }
    case kCommitting:
      return {.state = XidStatus::State::kCommitted, .csn = AwaitCommitted(xid)};
    default:
      return {};
  }
}

Csn CommitLog::AwaitCommitted(Xid xid) const {
  std::atomic<uint64_t>& cell = RingEntry(xid);
  for (int attempt = 0;; ++attempt) {
    uint64_t entry = cell.load(std::memory_order_acquire);
    if ((entry >> kTagShift) != kCommitting) {
      // If the chunk was used again meanwhile, the commit was long ago.
      return (entry >> kTagShift) == kCommitted && xid >= oldest_recent_xid() ? entry & kPayloadMask
                                                                              : kFrozenCsn;
    }
    if (attempt < kCommitSpins) {
      SpinPause();
    } else if (attempt < kCommitSpins + kCommitYields) {
      sched_yield();
    } else if ((entry & kPayloadMask) == 1 ||
               cell.compare_exchange_strong(entry, Entry(kCommitting, 1),
                                            std::memory_order_relaxed)) {
      FutexWait(LowHalf(cell), 1, futex_private_ != 0, MonotonicNow() + kCommitSleepNs);
    }
  }
}

[[gnu::hot]] Xid CommitLog::Assign(BackendNumber backend, Xid top_xid) {
  Xid xid = next_xid_.load(std::memory_order_relaxed);
  do {
    if (xid >= xid_limit_.load(std::memory_order_acquire)) return kInvalidXid;
  } while (!next_xid_.compare_exchange_weak(xid, xid + 1, std::memory_order_acq_rel,
                                            std::memory_order_relaxed));
  RingEntry(xid).store(
      top_xid == kInvalidXid ? Entry(kInProgressTop, backend) : Entry(kInProgressSub, top_xid),
      std::memory_order_release);
  return xid;
}

[[gnu::hot]] Csn CommitLog::Commit(const Xid* xids, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    RingEntry(xids[i]).store(Entry(kCommitting, 0), std::memory_order_release);
  }
  const Csn csn = last_csn_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (int64_t i = 0; i < count; ++i) {
    std::atomic<uint64_t>& cell = RingEntry(xids[i]);
    const uint64_t before = cell.exchange(Entry(kCommitted, csn), std::memory_order_seq_cst);
    if ((before & kPayloadMask) != 0) FutexWake(LowHalf(cell), kWakeAll, futex_private_ != 0);
  }
  return csn;
}

void CommitLog::Abort(const Xid* xids, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    RingEntry(xids[i]).store(Entry(kAborted, 0), std::memory_order_seq_cst);
  }
}

bool CommitLog::ChunkIsOld(Xid first, Csn horizon) const {
  for (Xid xid = first; xid < first + chunk_xids_; ++xid) {
    const uint64_t entry = RingEntry(xid).load(std::memory_order_acquire);
    const uint64_t tag = entry >> kTagShift;
    const bool old = tag == kAborted || (tag == kCommitted && (entry & kPayloadMask) <= horizon);
    if (!old) return false;
  }
  return true;
}

void CommitLog::RetireChunk(Xid first) {
  for (Xid xid = first; xid < first + chunk_xids_; xid += kBitsPerWord) {
    uint64_t word = 0;
    for (uint64_t bit = 0; bit < kBitsPerWord; ++bit) {
      const uint64_t entry = RingEntry(xid + bit).load(std::memory_order_relaxed);
      if ((entry >> kTagShift) == kAborted) word |= uint64_t{1} << bit;
    }
    AbortedWord(xid).store(word, std::memory_order_release);
  }
  // Readers that find a cleared entry see, through its release, that the bits are to be asked.
  oldest_recent_.store(first + chunk_xids_, std::memory_order_release);
  for (Xid xid = first; xid < first + chunk_xids_; ++xid) {
    RingEntry(xid).store(Entry(kUnassigned, 0), std::memory_order_release);
  }
}

Status CommitLog::Extend(const Segment& segment, Csn horizon, Log* wal) {
  ExclusiveLatchGuard guard(extend_latch_);
  const Xid first = xid_limit_.load(std::memory_order_relaxed);
  if (next_xid_.load(std::memory_order_relaxed) < first) return {};  // somebody else was faster
  const Xid end = first + chunk_xids_;
  const uint64_t ring = ring_mask_ + 1;
  if (end - first_in_ring_ <= ring) {  // the first time round
    CONNBENCH_RETURN_IF_ERROR(
        segment.Populate(&RingEntry(first), static_cast<int64_t>(chunk_xids_ * sizeof(uint64_t))));
  } else {
    const Xid oldest = oldest_recent_.load(std::memory_order_relaxed);
    if (end - ring > oldest) {
      if (!ChunkIsOld(oldest, horizon)) {
        return Status::Error(sqlstate::kConfigurationLimitExceeded,
                             "too many transactions have begun since the oldest one still needed")
            .WithDetail(fmt::format("A transaction or a snapshot of before transaction {} is still "
                                    "open, {} transactions later.",
                                    oldest + chunk_xids_, first - oldest))
            .WithHint("End it, or raise recent_transactions.");
      }
      const Xid retired_end = oldest + chunk_xids_;
      if (retired_end - oldest_remembered_.load(std::memory_order_relaxed) > bits_mask_ + 1) {
        return Status::Error(sqlstate::kConfigurationLimitExceeded,
                             "the fate of too many transactions must be remembered")
            .WithHint("VACUUM all tables, or raise remembered_transactions.");
      }
      CONNBENCH_RETURN_IF_ERROR(
          segment.Populate(&AbortedWord(oldest), static_cast<int64_t>(chunk_xids_ / 8)));
      RetireChunk(oldest);
    }
  }
  if (wal != nullptr) {
    RecordBuilder record;
    record.Begin(RecordKind::kXidLimit);
    record.Put(end);
    wal->Append(record);
  }
  xid_limit_.store(end, std::memory_order_release);
  return {};
}

Status CommitLog::Restore(const Segment& segment, Xid forgotten, Xid limit, Csn last_csn,
                          std::span<const uint64_t> committed) {
  const Xid first = (limit + chunk_xids_ - 1) / chunk_xids_ * chunk_xids_;
  if (first - forgotten > bits_mask_ + 1) {
    return Status::Error(sqlstate::kConfigurationLimitExceeded,
                         fmt::format("the fate of {} transactions must be remembered, and "
                                     "remembered_transactions is {}",
                                     first - forgotten, bits_mask_ + 1))
        .WithHint("Start the server with a larger remembered_transactions.");
  }
  for (Xid xid = forgotten / chunk_xids_ * chunk_xids_; xid < first; xid += chunk_xids_) {
    CONNBENCH_RETURN_IF_ERROR(
        segment.Populate(&AbortedWord(xid), static_cast<int64_t>(chunk_xids_ / 8)));
  }
  for (Xid xid = forgotten; xid < first; xid += kBitsPerWord) {
    const uint64_t index = (xid - forgotten) / kBitsPerWord;
    AbortedWord(xid).store(index < committed.size() ? ~committed[index] : ~uint64_t{0});
  }
  for (Xid xid = 0; xid < kFirstNormalXid; ++xid) RingEntry(xid).store(Entry(kUnassigned, 0));
  first_in_ring_ = first;
  next_xid_.store(first);
  xid_limit_.store(first);
  oldest_recent_.store(first);
  oldest_remembered_.store(forgotten);
  last_csn_.store(last_csn);
  return {};
}

void CommitLog::AdvanceForgotten(Xid xid) {
  ExclusiveLatchGuard guard(extend_latch_);
  const Xid limit = std::min(xid, oldest_recent_.load(std::memory_order_relaxed));
  if (limit > oldest_remembered_.load(std::memory_order_relaxed)) {
    oldest_remembered_.store(limit, std::memory_order_release);
  }
}

}  // namespace connbench::engine
