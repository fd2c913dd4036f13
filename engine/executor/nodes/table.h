// A table as the nodes of one plan use it: its rows' codec, its heap, its indexes' keys.
//
// Safety: immutable once made, but for set_checks(), set_watcher() and the buffers of a key and a
// row: private memory, one thread. Valid as long as the relation's definition is current (the plan
// checks) and the transaction holds a lock on the table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/expression.h"
#include "engine/executor/key_codec.h"
#include "engine/executor/nodes/row_watcher.h"
#include "engine/executor/row_codec.h"
#include "engine/storage/btree.h"
#include "engine/storage/catalog.h"
#include "engine/storage/heap.h"
#include "engine/storage/storage.h"

namespace connbench::engine {

class Transaction;

struct TableIndex {
  const IndexInfo* info;
  std::vector<Oid> key_types;  // of info->key_columns
  BTree tree;
};

// For the rows of a table; points into the relation, which must outlive it.
RowCodec CodecOf(const RelationInfo& table);

class Table {
 public:
  Table(Storage& storage, RelationRef relation);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const RelationInfo& info() const { return *relation_; }
  const RelationRef& relation() const { return relation_; }
  const RowCodec& codec() const { return codec_; }
  Heap& heap() { return heap_; }
  std::span<const TableIndex> indexes() const { return indexes_; }
  int columns() const { return codec_.columns(); }

  // The row's bytes, in a buffer that lives until the next call.
  std::string_view Encode(const Value* row);

  // The conditions of info().checks, in its order: for tables whose rows are written.
  void set_checks(std::vector<const Expression*> checks) { checks_ = std::move(checks); }
  // Who is told of the rows that are written; null: nobody.
  RowWatcher* watcher() const { return watcher_.get(); }
  void set_watcher(std::unique_ptr<RowWatcher> watcher) { watcher_ = std::move(watcher); }
  // NOT NULL and CHECK: 23502, 23514 with the failing row in the detail.
  Status CheckConstraints(const Value* row, EvalContext& context) const;

  // To be called before a row is changed: does the upkeep that the table owes for the pages it
  // took.
  Status Tidy() {
    for (const StorageSlot* slot : slots_) {
      if (slot->visits_owed.load(std::memory_order_relaxed) > 0) [[unlikely]]
        return PayVisits();
    }
    return {};
  }

  // Adds the row version at tid to every index; 23505 naming the constraint and the key.
  Status AddToIndexes(Transaction& transaction, const Value* row, Tid tid, EvalContext& context);
  // The same, but false if a row that is there has, or may come to have, a key of this one in an
  // arbiter: indexes by their place. Some may know the row then: the caller takes it back.
  Result<bool> AddUnlessTaken(Transaction& transaction, const Value* row, Tid tid,
                              std::span<const size_t> arbiters, EvalContext& context);
  // What AddUnlessTaken() would meet: kLive, or another state than kWait if there is nothing. Waits
  // for who is inserting such a row; for who changes one only if !to_lock, else that is kWait.
  Result<RowLife> FindConflict(Transaction& transaction, const Value* row,
                               std::span<const size_t> arbiters, bool to_lock);
  // The index's key of a row. False if a key column is null: such rows are never duplicates.
  bool MakeKey(const TableIndex& index, const Value* row, KeyBuffer& key) const;

  // "(1, abc, null)", at most about a line: for details of errors.
  std::string DescribeRow(const Value* row, EvalContext& context) const;
  // "Key (a, b)=(1, 2)"
  std::string DescribeKey(const TableIndex& index, const Value* row, EvalContext& context) const;
  Status DuplicateKey(const TableIndex& index, const Value* row, EvalContext& context) const;

 private:
  Status PayVisits();
  Result<IndexInsertOutcome> AddToIndex(Transaction& transaction, TableIndex& index,
                                        const Value* row, Tid tid, RowWait wait);

  Storage* storage_;
  RelationRef relation_;
  RowCodec codec_;
  Heap heap_;
  std::vector<TableIndex> indexes_;
  std::vector<StorageId> index_storages_;
  std::vector<const StorageSlot*> slots_;  // of the heap and the indexes
  std::vector<const Expression*> checks_;
  std::unique_ptr<RowWatcher> watcher_;
  KeyBuffer key_;
  std::string encoded_;
};

}  // namespace connbench::engine
