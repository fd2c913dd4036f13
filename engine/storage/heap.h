// Heap tables: rows in no order, in several versions.
//
// A row is opaque bytes. An UPDATE adds a version and leaves the old one for the snapshots that
// still see it; versions that are dead to everyone are pruned when their page is visited. README.md
// describes the tuple format, HOT chains and the pruning rules.
//
// Heap is a cheap value: make one per use from Storage and the relation's StorageId. The caller
// holds a table lock that keeps the storage from going away (AccessShare at least), and a
// registered snapshot, which keeps the versions it sees from being pruned.
//
// Safety: any number of sessions, threads and processes at once. No latch and no pin outlives a
// call: rows are copied out, so a caller may take its time between rows.
//
// Row locks. A version's xmax names its first holder: who locked it, or changed it, and in which
// mode. Others are in RowLockTable, and the version says so (kMoreHolders). Only writers and
// lockers look at either: to readers a lock is nothing. heap_lock.cc has the rules.
//
// Errors: 53100 when the buffer pool is full, 54000 for a row longer than kMaxRowSize, 53200 when
// the table of row locks is; from waiting: 40P01 (deadlock), 57014 (canceled), 55P03. After an
// error nothing half-done is visible to anybody once the transaction rolls back.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/page.h"
#include "engine/storage/shared_blocks.h"
#include "engine/storage/storage_types.h"
#include "engine/storage/tuple.h"
#include "engine/transaction/snapshot.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

class Storage;
class Transaction;
struct Fate;  // engine/storage/visibility.h
struct RowLockHolder;
struct StorageSlot;

inline constexpr uint32_t kMaxRowSize = kMaxItemSize - sizeof(TupleHeader);
// Line pointers per page: bounds what dead ones can take until a vacuum.
inline constexpr uint32_t kMaxHeapSlots = 512;

// A row as handed out: bytes are in the caller's RowBuffer or in the scan.
struct HeapRow {
  Tid tid;  // of this version; what Update, Delete and LockRow take
  std::string_view bytes;
};

// Private memory for one row; reused from call to call.
struct RowBuffer {
  alignas(8) char data[kPageSize];
};

enum class FetchOutcome : uint8_t {
  kFound,
  kNotVisible,  // no version is visible to the snapshot
  kAllDead,     // no version is visible to anybody, now or later: the index entry can be killed
};

enum class WriteOutcome : uint8_t {
  kOk,
  kUpdatedConcurrently,  // committed by somebody else: WriteResult::tid is the next version
  kDeletedConcurrently,  // committed by somebody else
  kSelfModified,         // by this transaction, in this command or a later one: skip the row
  kWouldBlock,           // LockRow, told not to wait: somebody else holds the row
};

struct WriteResult {
  WriteOutcome outcome = WriteOutcome::kOk;
  Tid tid;  // kOk: the new version (Update) or the locked one; kUpdatedConcurrently: see there
  bool hot = false;  // Update: no new index entries are needed
};

// What a unique index must know of a row.
struct RowLife {
  enum class State : uint8_t {
    kDead,  // deleted, seen by nobody: the entry can be killed
    kGone,  // deleted, but some snapshot may see it
    kLive,  // or deleted by nobody who has not rolled back
    kWait,  // depends on the transaction in wait_for
  };
  State state = State::kDead;
  Xid wait_for = kInvalidXid;
  // kLive, and kWait if that transaction changes it: the version that counts.
  Tid version = {};
  Csn born = kInvalidCsn;   // ... its maker's; kInvalidCsn: this transaction is that
  bool by_command = false;  // ... the command that is running is
};

// What LockRow does when another transaction holds the row.
enum class RowWait : uint8_t { kWait, kDontWait };

class Heap {
 public:
  Heap(Storage& storage, StorageId id);

  Result<Tid> Insert(Transaction& transaction, std::string_view row);
  // As many rows as there are, page by page; fills tids (same size). On an error some rows may be
  // in already: the transaction must roll back, as after every error.
  Status InsertMany(Transaction& transaction, std::span<const std::string_view> rows,
                    std::span<Tid> tids);

  // Follows the HOT chain that starts at tid (what an index entry holds) to the one version that
  // the snapshot sees, and copies it.
  Result<FetchOutcome> Fetch(Transaction& transaction, const Snapshot& snapshot, Tid tid,
                             RowBuffer& buffer, HeapRow& row);

  // Whether the snapshot sees the very version at tid: one that a scan has just given, or that this
  // transaction wrote, so that nobody can have freed its place.
  Result<bool> SeesVersion(const Snapshot& snapshot, Tid tid);

  // The three below take the tid of a version that the caller's snapshot sees, as Fetch or a scan
  // gave it. They wait for other transactions, in arrival order, and return once it is known what
  // became of the version. What to do about kUpdatedConcurrently is the caller's decision: READ
  // COMMITTED locks and re-checks the newest version (LockRow with follow_updates), REPEATABLE READ
  // fails with SerializationFailure().
  //
  // may_be_hot: no indexed column changes. mode: kNoKeyUpdate if no column of a unique index does.
  Result<WriteResult> Update(Transaction& transaction, Tid tid, std::string_view row,
                             bool may_be_hot, RowLockMode mode = RowLockMode::kUpdate);
  Result<WriteResult> Delete(Transaction& transaction, Tid tid);
  // follow_updates: goes on to the newest version instead of returning kUpdatedConcurrently. On kOk
  // row (and buffer) hold the locked version. A key share lock does not conflict with an update
  // that leaves the key alone: it is taken on the version asked for and on those that followed it.
  Result<WriteResult> LockRow(Transaction& transaction, Tid tid, RowLockMode mode, RowWait wait,
                              bool follow_updates, RowBuffer& buffer, HeapRow& row);

  // 40001 "could not serialize access due to concurrent update" (or delete).
  static Status SerializationFailure(WriteOutcome outcome);

  // Makes a row undone that this command has inserted, and lets those who wait for its inserter
  // look again. Its index entries lead nowhere from then on, as after a rollback.
  Status TakeBack(Transaction& transaction, Tid tid);

  // Of the row (HOT chain) that an entry of a unique index points to. The caller may hold latches:
  // a page that is not in the pool is an error that says so (Storage::WithPages).
  Result<RowLife> Life(Transaction& transaction, Tid tid);

  StorageId id() const { return id_; }
  BlockNumber block_count() const;

 private:
  friend class HeapScan;

  // What a writer or locker wants of a version; xid is the current subtransaction's.
  struct Wish {
    Xid xid;
    RowLockMode mode;
    RowWait wait = RowWait::kWait;
  };
  // What it found there.
  struct Attempt {
    enum class Kind : uint8_t { kFree, kMustWait, kUpdated, kDeleted, kSelfModified };
    enum class Xmax : uint8_t {
      kFree,   // names nobody who counts any more
      kOwn,    // a lock of the current subtransaction, which a stronger one may replace
      kTaken,  // another lock that counts, or an update: a further lock goes beside it
    };
    Kind kind = Kind::kFree;
    Xmax xmax = Xmax::kFree;
    bool holds_some = false;    // this transaction holds a lock on it
    bool holds_enough = false;  // ... that includes what is wanted
    Xid wait_for = 0;           // kMustWait
    // kUpdated; and kFree if an update of another transaction is there that leaves the key alone.
    Tid next = {};
  };
  struct NewVersion {
    std::string_view row;
    Xid xid;
    uint32_t command;
    uint16_t flags;
  };

  Result<WritePageGuard> PageForInsert(uint32_t size, BlockNumber& block);
  static SlotNumber Place(Page page, const NewVersion& version);
  // ---- heap_lock.cc ----
  Result<Attempt> Examine(Transaction& transaction, const Wish& wish, Page page, Tid tid);
  // What xmax and RowLockTable say of the version, whoever made it.
  Attempt ExamineHolders(Transaction& transaction, const Wish& wish, Page page, Tid tid);
  // The loop around every change of a row: waits until the version is free and returns its page
  // exclusively latched, or says what became of it.
  Result<WritePageGuard> Claim(Transaction& transaction, const Wish& wish, Tid tid,
                               WriteResult& result, Attempt& attempt);
  // Takes a key share lock on the versions that followed one that updater replaced.
  Result<WriteResult> LockSuccessors(Transaction& transaction, const Wish& wish, Fate updater,
                                     Tid next);
  // The rest requires the page's exclusive latch. TakeLock notes the lock wished for on a version
  // that attempt found free.
  Status TakeLock(Transaction& transaction, const Wish& wish, const Attempt& attempt, Page page,
                  Tid tid);
  // Keeps the lock that xmax names in RowLockTable, so that xmax can be written over.
  Status MoveXmaxAside(Transaction& transaction, Page page, Tid tid);
  Status AddHolder(Transaction& transaction, Page page, Tid tid, Xid xid, RowLockMode mode);
  // What RowLockTable knows of the version.
  void FindHolders(Transaction& transaction, Page page, Tid tid,
                   std::vector<RowLockHolder>& holders);
  // Gives a new version the locks that others hold on the one before it.
  Status CarryHolders(Transaction& transaction, std::span<const RowLockHolder> holders, Page page,
                      Tid tid);

  Result<Tid> InsertVersion(const NewVersion& version);

  Storage* storage_;
  StorageId id_;
  StorageSlot* slot_;
};

enum class ScanPurpose : uint8_t {
  kRead,
  // HeapRow::tid is what an index entry for the row must hold: the root of its HOT chain.
  kIndexBuild,
};

// All rows that a snapshot sees, in block order. The blocks that exist at the start are read: later
// ones can hold nothing that the snapshot sees, but for the scanning transaction's own rows, which
// its command must not see either.
class HeapScan {
 public:
  HeapScan(Heap heap, Transaction& transaction, const Snapshot& snapshot,
           ScanPurpose purpose = ScanPurpose::kRead);
  // Only the blocks that it gets of those that several scans share.
  HeapScan(Heap heap, Transaction& transaction, const Snapshot& snapshot, SharedBlocks& shared);
  HeapScan(const HeapScan&) = delete;
  HeapScan& operator=(const HeapScan&) = delete;

  // false at the end. row.bytes stay valid until the next call.
  Result<bool> Next(HeapRow& row) {
    if (next_ < visible_count_) [[likely]] {
      TakeRow(row);
      return true;
    }
    return NextPage(row);
  }
  // Starts over, with the same snapshot. Not with shared blocks.
  void Rewind();

 private:
  static constexpr uint32_t kMaxVisible =
      (kPageSize - kPageHeaderSize) / (sizeof(LinePointer) + sizeof(TupleHeader));
  void TakeRow(HeapRow& row) {
    const VisibleRow& visible = visible_[next_++];
    row.tid = Tid{block_, visible.slot, 0};
    row.bytes = {rows_ + visible.offset, visible.length};
  }
  Result<bool> NextPage(HeapRow& row);
  bool TakeBlocks() { return shared_ != nullptr && shared_->Take(next_block_, block_count_); }
  void CopyVisible(Page page);
  void ReplaceByRoots(Page page);

  struct VisibleRow {
    SlotNumber slot;
    uint16_t offset;  // in rows_
    uint16_t length;
  };

  Heap heap_;
  Transaction* transaction_;
  Snapshot snapshot_;
  ScanPurpose purpose_;
  SharedBlocks* shared_ = nullptr;
  BlockNumber block_count_;  // where its blocks end, or those that it got of the shared ones
  BlockNumber next_block_ = 0;
  BlockNumber block_ = 0;
  uint32_t next_ = 0;
  uint32_t visible_count_ = 0;
  VisibleRow visible_[kMaxVisible];
  alignas(8) char rows_[kPageSize];  // private copies: no latch or pin between rows
};

}  // namespace connbench::engine
