// A B+tree index: Lehman and Yao's B-link tree, with right links and high keys.
//
// Entries are (key, tid), in the order of memcmp on the keys, then of the tids: the key is opaque,
// memcomparable bytes. README.md describes the page format and the latch protocol.
//
// BTree is a cheap value: make one per use from Storage and the index's StorageId. The caller holds
// a lock on the table and a registered snapshot, as for Heap: pages that a search may be on its way
// to are used again only when every snapshot of that time is gone.
//
// Safety: any number of sessions, threads and processes at once. No latch outlives a call.
//
// Errors: 53100 when the buffer pool is full (the tree stays sound: a split that cannot get its
// page has not begun), 54000 for a key longer than kMaxKeySize; from waiting for an inserter of the
// same key: 40P01, 57014, 55P03. A duplicate is an outcome, not an error: the caller knows the
// names.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/heap.h"
#include "engine/storage/page.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class Storage;
class Transaction;
class Tree;
class TreePage;
struct StorageSlot;

// Three entries must fit on a page.
inline constexpr uint32_t kMaxKeySize = 2688;

enum class IndexInsertOutcome : uint8_t { kInserted, kDuplicate };

// The row that has a key in a unique index, or may come to have it: RowLife::State::kLive, kWait.
// Any other state: there is none.
struct KeyHolder {
  RowLife life;
  Tid entry = {};  // what the index says of it
};

class BTree {
 public:
  BTree(Storage& storage, StorageId id);

  // Makes the empty tree in a fresh storage.
  static Status Create(Storage& storage, StorageId id, PageSource source = PageSource::kOrdinary);

  // For indexes that are not unique, and for keys with a NULL in a unique one. heap: the indexed
  // table; where it is given, entries of its dead rows make room before a page is split.
  Status Insert(std::string_view key, Tid tid, const Heap* heap = nullptr);
  // For unique indexes: kDuplicate if a row with this key is live, after having waited for whoever
  // is just inserting or deleting one; kDontWait: kDuplicate also if there is somebody to wait for.
  // heap is the indexed table.
  Result<IndexInsertOutcome> InsertUnique(Transaction& transaction, Heap& heap,
                                          std::string_view key, Tid tid,
                                          RowWait wait = RowWait::kWait);
  // For unique indexes: who has the key at this moment.
  Result<KeyHolder> FindHolder(Transaction& transaction, Heap& heap, std::string_view key) const;
  // Waits until what holder.life said (kWait) is not so any more.
  static Status AwaitHolder(Transaction& transaction, Heap& heap, const KeyHolder& holder);

  // Fills an empty tree. next gives the entries in ascending (key, tid) order, false at the end;
  // the key must live until the next call. The caller holds the table lock that keeps others away.
  using EntrySource = std::function<Result<bool>(std::string_view& key, Tid& tid)>;
  Status BulkBuild(const EntrySource& next);

  StorageId id() const { return id_; }

 private:
  friend class BTreeScan;

  static Status CheckKeySize(std::string_view key);

  Storage* storage_;
  StorageId id_;
  StorageSlot* slot_;
};

// One end of a range. A bound is a prefix: it stands for all keys that begin with its bytes, so
// that (a = 1) bounds an index on (a, b). Inclusive bounds take those keys in.
struct IndexBound {
  std::string_view key;
  bool inclusive = true;
  bool unbounded = true;

  static IndexBound None() { return {}; }
  static IndexBound Inclusive(std::string_view key) { return {key, true, false}; }
  static IndexBound Exclusive(std::string_view key) { return {key, false, false}; }
};

enum class ScanDirection : uint8_t { kForward, kBackward };

// The entries between two bounds, in either direction; a page's worth is copied at a time. Entries
// that are there throughout the scan come exactly once, whatever is split meanwhile.
class BTreeScan {
 public:
  // The bounds' bytes must outlive the scan.
  BTreeScan(BTree tree, IndexBound lower, IndexBound upper, ScanDirection direction);
  BTreeScan(const BTreeScan&) = delete;
  BTreeScan& operator=(const BTreeScan&) = delete;

  // false at the end. The heap row at tid may be invisible, dead or in the middle of a HOT chain's
  // life: Heap::Fetch tells.
  Result<bool> Next(Tid& tid) {
    if (next_offset_ == end_offset_) return NextPage(tid);
    TakeEntry(tid);
    return true;
  }
  // Of the entry that Next gave last; valid until the next call.
  std::string_view key() const;
  // The heap says that the entry Next gave last is dead to everyone (FetchOutcome::kAllDead). It is
  // marked so when the scan leaves the page.
  void KillCurrent();
  // Starts over, maybe with other bounds.
  void Restart(IndexBound lower, IndexBound upper);
  ~BTreeScan();

 private:
  // Per page; more are left for the next scan.
  static constexpr uint32_t kMaxKilled = 64;

  void TakeEntry(Tid& tid);
  Result<bool> NextPage(Tid& tid);
  Result<bool> NextPageHere(const Tree& tree, Tid& tid);
  Result<ReadPageGuard> ReadRight(const Tree& tree);
  Result<ReadPageGuard> ReadLeft(const Tree& tree);
  void CopyPage(const TreePage& page, bool first);
  void CopyEntry(const TreePage& page, uint32_t slot);
  void MarkKilled();

  Storage* storage_;
  StorageId id_;
  StorageSlot* slot_;
  IndexBound lower_;
  IndexBound upper_;
  ScanDirection direction_;
  bool started_ = false;
  bool finished_ = false;
  BlockNumber block_ = kNoBlock;  // the page that entries_ came from
  BlockNumber right_ = kNoBlock;  // its neighbours then
  BlockNumber left_ = kNoBlock;
  uint64_t removals_ = 0;  // how often entries had been removed from it
  uint32_t current_offset_ = 0;
  uint32_t next_offset_ = 0;
  uint32_t end_offset_ = 0;
  uint32_t killed_count_ = 0;
  uint16_t killed_[kMaxKilled];         // offsets in entries_
  alignas(8) char entries_[kPageSize];  // private copies, one after the other in scan order
};

}  // namespace connbench::engine
