// A table with several indexes whose rows come and go, and the sessions that change and read it: an
// executor without SQL for the tests of upkeep. What a session sees through the heap and through
// each index must be exactly the rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/storage/heap.h"
#include "engine/storage/integrity_check.h"
#include "engine/storage/testing/storage_test_base.h"
#include "engine/storage/vacuum.h"

namespace connbench::engine {

// id, value, padding. The first index is on id, and unique; the others are on what a key function
// makes of the row.
struct LoopRow {
  uint64_t id = 0;
  uint64_t value = 0;
  std::string padding;

  std::string Encode() const { return IntKey(id) + IntKey(value) + padding; }
  static uint64_t Number(std::string_view bytes) {
    uint64_t number = 0;
    for (const char c : bytes.substr(0, 8)) number = number << 8 | static_cast<uint8_t>(c);
    return number;
  }
  static LoopRow Decode(std::string_view bytes) {
    return {Number(bytes), Number(bytes.substr(8)), std::string(bytes.substr(16))};
  }
};

inline uint64_t Scatter(uint64_t number) { return number * 0x9E3779B97F4A7C15ULL; }

using KeyFunction = std::function<std::string(const LoopRow&)>;

inline std::string Id(const LoopRow& row) { return IntKey(row.id); }
inline std::string Ascending(const LoopRow& row) { return IntKey(row.value); }
inline std::string Descending(const LoopRow& row) { return IntKey(~row.value); }
inline std::string Random(const LoopRow& row) { return IntKey(Scatter(row.value)); }
inline std::string Text(const LoopRow& row) {
  return "key " + std::to_string(Scatter(row.value) % 1'000'000) + std::string(150, 't');
}
inline std::string Same(const LoopRow&) { return "same"; }

class LoopTable {
 public:
  LoopTable(StorageWorld& in, const std::vector<KeyFunction>& more_keys)
      : world(in), heap(in.NewHeap()), keys{Id} {
    keys.insert(keys.end(), more_keys.begin(), more_keys.end());
    for (size_t i = 0; i < keys.size(); ++i) indexes.push_back(world.NewIndex());
  }

  StorageWorld& world;
  StorageId heap;
  std::vector<KeyFunction> keys;
  std::vector<StorageId> indexes;

  int64_t Pages() const {
    int64_t pages = world.storage().Find(heap)->block_count;
    for (const StorageId index : indexes) pages += world.storage().Find(index)->block_count;
    return pages;
  }
};

// The executor of these tests.
class LoopSession {
 public:
  LoopSession(LoopTable& table, uint32_t number)
      : table_(table), heap_(table.world.storage(), table.heap), session_(table.world, number) {}

  TestSession& session() { return session_; }
  void Begin(IsolationLevel isolation = IsolationLevel::kReadCommitted) {
    session_.Begin(isolation);
  }

  Status Insert(const LoopRow& row) {
    const ScopedSnapshot snapshot(session_);
    CONNBENCH_RETURN_IF_ERROR(Tidy());
    CONNBENCH_ASSIGN_OR_RETURN(const Tid tid, heap_.Insert(session_.tx(), row.Encode()));
    return AddEntries(row, tid);
  }

  // row: its new contents; nullptr deletes it.
  Status Change(uint64_t id, const LoopRow* row) {
    const ScopedSnapshot snapshot(session_);
    CONNBENCH_RETURN_IF_ERROR(Tidy());
    HeapRow found;
    CONNBENCH_ASSIGN_OR_RETURN(const bool exists, Find(snapshot.get(), id, found));
    if (!exists) return Broken("row " + std::to_string(id) + " is lost");
    WriteResult result;
    if (row == nullptr) {
      CONNBENCH_ASSIGN_OR_RETURN(result, heap_.Delete(session_.tx(), found.tid));
    } else {
      CONNBENCH_ASSIGN_OR_RETURN(
          result, heap_.Update(session_.tx(), found.tid, row->Encode(), /*may_be_hot=*/false));
    }
    if (result.outcome != WriteOutcome::kOk) return Broken("somebody else has changed the row");
    if (row != nullptr) return AddEntries(*row, result.tid);
    session_.tx().AdvanceCommand();
    return {};
  }

  Result<bool> Find(const Snapshot& snapshot, uint64_t id, HeapRow& row) {
    const std::string key = IntKey(id);
    BTreeScan scan(BTree(table_.world.storage(), table_.indexes[0]), IndexBound::Inclusive(key),
                   IndexBound::Inclusive(key), ScanDirection::kForward);
    while (true) {
      Tid tid;
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(tid));
      if (!more) return false;
      CONNBENCH_ASSIGN_OR_RETURN(const FetchOutcome outcome,
                                 heap_.Fetch(session_.tx(), snapshot, tid, buffer_, row));
      if (outcome == FetchOutcome::kAllDead) scan.KillCurrent();
      if (outcome == FetchOutcome::kFound) return true;
    }
  }

  // Through an index, in the order of its keys; npos: through the heap.
  Result<std::map<uint64_t, uint64_t>> Read(const Snapshot& snapshot, size_t index,
                                            ScanDirection direction) {
    std::map<uint64_t, uint64_t> rows;
    HeapRow row;
    const auto add = [&]() -> Status {
      const LoopRow decoded = LoopRow::Decode(row.bytes);
      if (rows.emplace(decoded.id, decoded.value).second) return {};
      return Broken("row " + std::to_string(decoded.id) + " comes twice");
    };
    if (index == std::string::npos) {
      HeapScan scan(heap_, session_.tx(), snapshot);
      while (true) {
        CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(row));
        if (!more) return rows;
        CONNBENCH_RETURN_IF_ERROR(add());
      }
    }
    BTreeScan scan(BTree(table_.world.storage(), table_.indexes[index]), IndexBound::None(),
                   IndexBound::None(), direction);
    std::string last;
    while (true) {
      Tid tid;
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(tid));
      if (!more) return rows;
      CONNBENCH_ASSIGN_OR_RETURN(const FetchOutcome outcome,
                                 heap_.Fetch(session_.tx(), snapshot, tid, buffer_, row));
      if (outcome == FetchOutcome::kAllDead) scan.KillCurrent();
      if (outcome != FetchOutcome::kFound) continue;
      const std::string key(scan.key());
      if (key != table_.keys[index](LoopRow::Decode(row.bytes))) return Broken("a wrong key");
      if (!last.empty() && (direction == ScanDirection::kForward ? key < last : key > last)) {
        return Broken("keys out of order");
      }
      last = key;
      CONNBENCH_RETURN_IF_ERROR(add());
    }
  }

  // The heap and all indexes, in both directions, have the same rows, so many of them.
  Status CheckRows(const Snapshot& snapshot, size_t count,
                   const std::map<uint64_t, uint64_t>* model = nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(const auto rows,
                               Read(snapshot, std::string::npos, ScanDirection::kForward));
    if (rows.size() != count) return Broken("heap has " + std::to_string(rows.size()) + " rows");
    if (model != nullptr && rows != *model) return Broken("the heap differs from the model");
    for (size_t index = 0; index < table_.indexes.size(); ++index) {
      for (const ScanDirection direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
        CONNBENCH_ASSIGN_OR_RETURN(const auto through_index, Read(snapshot, index, direction));
        if (through_index == rows) continue;
        return Broken("index " + std::to_string(index) + " has " +
                      std::to_string(through_index.size()) + " rows of " +
                      std::to_string(rows.size()));
      }
    }
    return {};
  }

  Status Tidy() { return TidyTable(table_.world.storage(), table_.heap, table_.indexes); }

  Result<VacuumStatistics> Vacuum() {
    session_.Begin();
    auto result = VacuumTable(table_.world.storage(), session_.tx(), table_.heap, table_.indexes);
    session_.Rollback();
    return result;
  }

  static Status Broken(std::string what) {
    return Status::Error(sqlstate::kInternalError, std::move(what));
  }

 private:
  Status AddEntries(const LoopRow& row, Tid tid) {
    for (size_t i = 0; i < table_.indexes.size(); ++i) {
      BTree tree(table_.world.storage(), table_.indexes[i]);
      if (i > 0) {
        CONNBENCH_RETURN_IF_ERROR(tree.Insert(table_.keys[i](row), tid, &heap_));
        continue;
      }
      CONNBENCH_ASSIGN_OR_RETURN(const IndexInsertOutcome outcome,
                                 tree.InsertUnique(session_.tx(), heap_, Id(row), tid));
      if (outcome != IndexInsertOutcome::kInserted) return Broken("duplicate key");
    }
    session_.tx().AdvanceCommand();
    return {};
  }

  LoopTable& table_;
  Heap heap_;
  TestSession session_;
  RowBuffer buffer_;
};

inline void ExpectSound(LoopTable& table) {
  EXPECT_TRUE(Ok(CheckHeap(table.world.storage(), table.heap)));
  TestSession session(table.world, 99);
  session.Begin();
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    EXPECT_TRUE(Ok(CheckBTree(table.world.storage(), table.indexes[i])));
    EXPECT_TRUE(Ok(CheckIndexAgainstHeap(
        table.world.storage(), session.tx(), table.heap, table.indexes[i],
        [&](std::string_view row) { return table.keys[i](LoopRow::Decode(row)); })));
  }
  session.Rollback();
}

}  // namespace connbench::engine
