// Heap tables: rows in no order, in several versions.
//
// A row is opaque bytes. An UPDATE adds a version and leaves the old one for the snapshots that still
// see it; versions that are dead to everyone are pruned when their page is visited. README.md
// describes the tuple format, HOT chains and the pruning rules.
//
// Heap is a cheap value: make one per use from Storage and the relation's StorageId. The caller
// holds a table lock that keeps the storage from going away (AccessShare at least), and a registered
// snapshot, which keeps the versions it sees from being pruned.
//
// Safety: any number of sessions, threads and processes at once. No latch and no pin outlives a
// call: rows are copied out, so a caller may take its time between rows.
//
// Errors: 53100 when the buffer pool is full, 54000 for a row longer than kMaxRowSize; from waiting:
// 40P01 (deadlock), 57014 (canceled), 55P03. After an error nothing half-done is visible to anybody
// once the transaction rolls back.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/page.h"
#include "engine/storage/storage_types.h"
#include "engine/storage/tuple.h"
#include "engine/transaction/snapshot.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

class Storage;
class Transaction;
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
};

struct WriteResult {
  WriteOutcome outcome = WriteOutcome::kOk;
  Tid tid;  // kOk: the new version (Update) or the locked one; kUpdatedConcurrently: see there
  bool hot = false;  // Update: no new index entries are needed
};

enum class RowLockMode : uint8_t {
  kShare,      // FOR SHARE, FOR KEY SHARE; in this version as exclusive as the others
  kExclusive,  // FOR UPDATE, FOR NO KEY UPDATE
};

// What to do when another transaction holds the row.
enum class RowWaitPolicy : uint8_t { kWait, kError /* NOWAIT: 55P03 */ };

class Heap {
 public:
  Heap(Storage& storage, StorageId id);

  Result<Tid> Insert(Transaction& transaction, std::string_view row);
  // As many rows as there are, page by page; fills tids (same size). On an error some rows may be in
  // already: the transaction must roll back, as after every error.
  Status InsertMany(Transaction& transaction, std::span<const std::string_view> rows,
                    std::span<Tid> tids);

  // Follows the HOT chain that starts at tid (what an index entry holds) to the one version that the
  // snapshot sees, and copies it.
  Result<FetchOutcome> Fetch(Transaction& transaction, const Snapshot& snapshot, Tid tid,
                             RowBuffer& buffer, HeapRow& row);

  // The three below take the tid of a version that the caller's snapshot sees, as Fetch or a scan
  // gave it. They wait for other transactions, in arrival order, and return once it is known what
  // became of the version. What to do about kUpdatedConcurrently is the caller's decision: READ
  // COMMITTED locks and re-checks the newest version (LockRow with follow_updates), REPEATABLE READ
  // fails with SerializationFailure().
  //
  // may_be_hot: no indexed column changes.
  Result<WriteResult> Update(Transaction& transaction, Tid tid, std::string_view row,
                             bool may_be_hot);
  Result<WriteResult> Delete(Transaction& transaction, Tid tid);
  // follow_updates: goes on to the newest version instead of returning kUpdatedConcurrently. On kOk
  // row (and buffer) hold the locked version.
  Result<WriteResult> LockRow(Transaction& transaction, Tid tid, RowLockMode mode,
                              RowWaitPolicy policy, bool follow_updates, RowBuffer& buffer,
                              HeapRow& row);

  // 40001 "could not serialize access due to concurrent update" (or delete).
  static Status SerializationFailure(WriteOutcome outcome);

  // What a unique index must know of the row (HOT chain) that one of its entries points to.
  enum class RowLife : uint8_t {
    kLive,  // or deleted by nobody who has not rolled back
    kGone,  // deleted, but some snapshot may see it
    kDead,  // deleted, seen by nobody: the entry can be killed
    kWait,  // depends on the transaction in wait_for
  };
  Result<RowLife> Life(Transaction& transaction, Tid tid, Xid& wait_for);

  StorageId id() const { return id_; }
  BlockNumber block_count() const;

 private:
  friend class HeapScan;

  // What a writer found at a version.
  struct Attempt {
    enum class Kind : uint8_t { kFree, kMustWait, kUpdated, kDeleted, kSelfModified };
    Kind kind = Kind::kFree;
    bool own_lock = false;  // kFree: this transaction has locked it already
    Xid wait_for = 0;       // kMustWait
    SlotNumber root = 0;    // kMustWait: the chain's root, which names the row in the lock table
    Tid next;               // kUpdated
  };
  struct NewVersion {
    std::string_view row;
    Xid xid;
    uint32_t command;
    uint16_t flags;
  };

  Result<WritePageGuard> PageForInsert(uint32_t size, BlockNumber& block);
  static SlotNumber Place(Page page, const NewVersion& version);
  Result<Attempt> Examine(Transaction& transaction, Page page, Tid tid);
  // The loop around every change of a row: waits until the version is free and returns its page
  // exclusively latched, or says what became of it.
  Result<WritePageGuard> Claim(Transaction& transaction, Tid tid, RowWaitPolicy policy,
                               WriteResult& result, bool& own_lock);
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
  // Starts over, with the same snapshot.
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
  BlockNumber block_count_;
  BlockNumber next_block_ = 0;
  BlockNumber block_ = 0;
  uint32_t next_ = 0;
  uint32_t visible_count_ = 0;
  VisibleRow visible_[kMaxVisible];
  alignas(8) char rows_[kPageSize];  // private copies: no latch or pin between rows
};

}  // namespace connbench::engine
