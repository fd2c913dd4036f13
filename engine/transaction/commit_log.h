// The fate of every transaction: in progress, aborted, or committed with which sequence number.
//
// Recent transactions have a 64-bit entry each in a ring. When all transactions of the ring's
// oldest chunk have ended and every snapshot is newer than them, only "aborted or not" can still
// matter: that is kept as one bit, and the chunk is used again. Memory is bounded by two settings;
// memory of the ring and of the bits is populated chunk by chunk as it is first reached.
//
// Commit: every xid of the transaction is marked COMMITTING, then csn = ++last_csn, then the csn is
// stored. A snapshot is the value of last_csn. Why a reader is never wrong: if its snapshot is >=
// csn, its load of last_csn saw that increment, so it also sees COMMITTING (or the csn), never "in
// progress"; meeting COMMITTING, it waits the few instructions until the csn is there. If its
// snapshot is < csn, any of the three answers means "not visible".
//
// Safety: lives in shared memory; Lookup() is wait-free but for the COMMITTING moment and may be
// called by anyone at any time; each xid's fate is set by its own transaction alone. Assign() may
// take extend_latch_.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/config.h"
#include "engine/segment/latch.h"
#include "engine/segment/segment.h"
#include "engine/transaction/types.h"
#include "engine/wal/log.h"

namespace connbench::engine {

struct XidStatus {
  enum class State : uint8_t { kInProgress, kAborted, kCommitted };
  State state = State::kInProgress;
  // kCommitted: when; kFrozenCsn if before every snapshot. Never 0.
  Csn csn = kInvalidCsn;
  // kInProgress: the backend that runs it, if known; and the transaction to wait for, which for a
  // subtransaction is its top-level transaction.
  BackendNumber owner = kNoBackend;
  Xid top_xid = kInvalidXid;

  bool committed() const { return state == State::kCommitted; }
  bool aborted() const { return state == State::kAborted; }
  bool in_progress() const { return state == State::kInProgress; }
};

class CommitLog {
 public:
  static int64_t ShmemSize(const EngineConfig& config);  // sparse
  static Result<CommitLog*> Init(Segment& segment, const EngineConfig& config);

  XidStatus Lookup(Xid xid) const {
    if (xid >= oldest_recent_.load(std::memory_order_acquire)) {
      const uint64_t entry = RingEntry(xid).load(std::memory_order_acquire);
      // Only now is it sure that the entry was still this xid's: a chunk is cleared after
      // oldest_recent_ has passed it.
      if (xid >= oldest_recent_.load(std::memory_order_acquire)) return Decode(xid, entry);
    }
    return OldStatus(xid);
  }

  // The newest commit: what a new snapshot sees.
  Csn last_csn() const { return last_csn_.load(std::memory_order_seq_cst); }
  // The xid that the next Assign() will give.
  Xid next_xid() const { return next_xid_.load(std::memory_order_acquire); }
  // Transactions below this have ended and are older than every snapshot.
  Xid oldest_recent_xid() const { return oldest_recent_.load(std::memory_order_acquire); }

  // True if Assign() must first be given room by Extend(). Cheap.
  bool NeedsRoom() const {
    return next_xid_.load(std::memory_order_relaxed) >= xid_limit_.load(std::memory_order_acquire);
  }
  // Makes room for more xids, taking it from transactions older than horizon (a csn that every
  // snapshot, present or future, is at least as new as). 53400 if an old transaction or snapshot is
  // in the way, 53100 if the memory is not there.
  // wal: null without one; it learns of the room before anybody gets an xid of it.
  Status Extend(const Segment& segment, Csn horizon, Log* wal = nullptr);
  // The next xid, in progress in backend; kInvalidXid if there is no room. parent: kInvalidXid for
  // a top-level transaction, otherwise the top-level xid of the subtransaction.
  Xid Assign(BackendNumber backend, Xid top_xid);

  // The three steps of a commit; xids lists the live subtransactions, then the top-level xid.
  // Returns the csn. Ends with a sequentially consistent step, as Abort() does.
  Csn Commit(const Xid* xids, int64_t count);
  void Abort(const Xid* xids, int64_t count);  // in the same order

  // --- Checkpoint and recovery (engine/recovery) -----------------------------------------------
  // The first xid that nobody can have been given, and is known to the log.
  Xid xid_limit() {
    SharedLatchGuard guard(extend_latch_);
    return xid_limit_.load(std::memory_order_relaxed);
  }
  // Fates of transactions below this are forgotten: none of those that are asked for has aborted.
  Xid oldest_remembered_xid() const { return oldest_remembered_.load(std::memory_order_acquire); }
  // What was, while nobody else uses it: transactions from forgotten (a multiple of 64) to limit
  // have committed if their bit is set and have aborted otherwise. committed has a bit for each.
  // 53400 if remembered_transactions is too small for them.
  Status Restore(const Segment& segment, Xid forgotten, Xid limit, Csn last_csn,
                 std::span<const uint64_t> committed) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;

  // Storage promises that no row carries an xid below this any more; makes room for the bits.
  void AdvanceForgotten(Xid xid);

 private:
  // An entry's top three bits say what it is, the rest is the payload.
  enum Tag : uint64_t {
    kUnassigned = 0,
    kInProgressTop = 1,  // payload: backend number
    kInProgressSub = 2,  // payload: top-level xid
    kAborted = 3,
    kCommitting = 4,  // payload: 1 if somebody sleeps on the entry
    kCommitted = 5,   // payload: csn
  };
  static constexpr int kTagShift = 61;
  static constexpr uint64_t kPayloadMask = (uint64_t{1} << kTagShift) - 1;
  static constexpr uint64_t Entry(Tag tag, uint64_t payload) {
    return (static_cast<uint64_t>(tag) << kTagShift) | payload;
  }

  std::atomic<uint64_t>& RingEntry(Xid xid) const {
    return reinterpret_cast<std::atomic<uint64_t>*>(
        const_cast<char*>(reinterpret_cast<const char*>(this)) +
        kMemoryPageBytes)[xid & ring_mask_];
  }
  std::atomic<uint64_t>& AbortedWord(Xid xid) const;

  XidStatus Decode(Xid xid, uint64_t entry) const {
    if ((entry >> kTagShift) == kCommitted) {
      return {.state = XidStatus::State::kCommitted, .csn = entry & kPayloadMask};
    }
    return DecodeUncommitted(xid, entry);
  }
  XidStatus DecodeUncommitted(Xid xid, uint64_t entry) const;
  XidStatus OldStatus(Xid xid) const;
  Csn AwaitCommitted(Xid xid) const;
  bool ChunkIsOld(Xid first, Csn horizon) const CONNBENCH_REQUIRES(extend_latch_);
  void RetireChunk(Xid first) CONNBENCH_REQUIRES(extend_latch_);

  // Constant after Init.
  uint64_t ring_mask_ = 0;
  uint64_t bits_mask_ = 0;  // xids that the bits can hold, minus one
  uint64_t chunk_xids_ = 0;
  int64_t bits_offset_ = 0;  // from this
  Xid first_in_ring_ = 0;    // the ring has been populated from here on
  uint32_t futex_private_ = 0;

  alignas(kCacheLineBytes) std::atomic<Xid> next_xid_{kFirstNormalXid};
  std::atomic<Xid> xid_limit_{0};  // Assign() must stay below
  alignas(kCacheLineBytes) std::atomic<Csn> last_csn_{kFrozenCsn};
  alignas(kCacheLineBytes) std::atomic<Xid> oldest_recent_{0};
  std::atomic<Xid> oldest_remembered_{0};
  Latch extend_latch_;
};
static_assert(std::is_trivially_destructible_v<CommitLog>);
static_assert(sizeof(CommitLog) <= kMemoryPageBytes);

}  // namespace connbench::engine
