// The B+tree: order, splits, scans, uniqueness.
#include "engine/storage/btree.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/storage/btree_page.h"
#include "engine/storage/integrity_check.h"
#include "engine/storage/testing/storage_test_base.h"
#include "engine/storage/vacuum.h"

namespace connbench::engine {
namespace {

using Entries = std::vector<std::pair<std::string, Tid>>;

Tid TidOf(uint64_t number) {
  return Tid{static_cast<BlockNumber>(number), static_cast<SlotNumber>(number % 7), 0};
}

// Of a key that IntKey made.
uint64_t NumberOf(std::string_view key) {
  uint64_t number = 0;
  for (const char c : key.substr(0, 8)) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

class BTreeTest : public testing::Test {
 protected:
  BTreeTest() : tree_(world_.storage(), world_.NewIndex()) {}

  Entries Scan(IndexBound lower, IndexBound upper,
               ScanDirection direction = ScanDirection::kForward) {
    Entries entries;
    BTreeScan scan(tree_, lower, upper, direction);
    Tid tid;
    while (true) {
      auto more = scan.Next(tid);
      EXPECT_TRUE(Ok(more));
      if (!more.ok() || !more.value()) return entries;
      entries.emplace_back(scan.key(), tid);
    }
  }
  Entries ScanAll(ScanDirection direction = ScanDirection::kForward) {
    return Scan(IndexBound::None(), IndexBound::None(), direction);
  }
  CheckStatistics ExpectSound() {
    auto checked = CheckBTree(world_.storage(), tree_.id());
    EXPECT_TRUE(Ok(checked));
    return checked.ok() ? checked.value() : CheckStatistics{};
  }
  static Entries Sorted(Entries entries) {
    std::sort(entries.begin(), entries.end());
    return entries;
  }
  static Entries Reversed(Entries entries) {
    std::reverse(entries.begin(), entries.end());
    return entries;
  }

  StorageWorld world_{4096};
  BTree tree_;
};

TEST_F(BTreeTest, CompareEntryOrdersAsMemcmp) {
  alignas(8) char memory[64];
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string a;
    std::string b;
    const auto fill = [&](std::string& text) {
      const size_t length = random() % 20;
      while (text.size() < length) text += static_cast<char>(random() % 3 * 127);
    };
    fill(a);
    fill(b);
    auto* entry = reinterpret_cast<IndexEntry*>(memory);
    *entry = {.block = 5, .slot = 1, .key_length = static_cast<uint16_t>(a.size())};
    std::memcpy(memory + sizeof(IndexEntry), a.data(), a.size());
    const Tid tid{5, 1, 0};
    const int order = CompareEntry(*entry, {TreePosition::Kind::kExact, b, tid.Packed()});
    EXPECT_EQ(order < 0, a < b);
    EXPECT_EQ(order == 0, a == b);
    const bool prefix = a.substr(0, b.size()) == b;
    EXPECT_EQ(CompareEntry(*entry, {TreePosition::Kind::kBefore, b, 0}) < 0, !prefix && a < b);
    EXPECT_EQ(CompareEntry(*entry, {TreePosition::Kind::kAfter, b, 0}) < 0, prefix || a < b);
  }
}

TEST_F(BTreeTest, KeepsRandomKeysInOrderOverSeveralLevels) {
  std::mt19937 random(7);
  Entries model;
  for (int i = 0; i < 20'000; ++i) {
    // Few distinct keys of several lengths, so that duplicates run over page boundaries.
    std::string key = IntKey(random() % 500) + std::string(random() % 200, 'k');
    model.emplace_back(key, TidOf(i));
    ASSERT_TRUE(Ok(tree_.Insert(key, TidOf(i))));
  }
  model = Sorted(model);
  EXPECT_EQ(ScanAll(), model);
  EXPECT_EQ(ScanAll(ScanDirection::kBackward), Reversed(model));
  const CheckStatistics statistics = ExpectSound();
  EXPECT_GE(statistics.levels, 3);
  EXPECT_EQ(statistics.entries, 20'000);
  EXPECT_EQ(statistics.incomplete_splits, 0);
}

TEST_F(BTreeTest, BoundsArePrefixesInclusiveOrNot) {
  Entries model;
  int number = 0;
  for (int a = 0; a < 60; ++a) {
    for (int b = 0; b < 60; ++b) {
      const std::string key = IntKey(a) + IntKey(b);
      model.emplace_back(key, TidOf(number));
      ASSERT_TRUE(Ok(tree_.Insert(key, TidOf(number++))));
    }
  }
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const auto bound = [&](std::string& key) {
      key = IntKey(random() % 62);
      if (random() % 2 == 0) key += IntKey(random() % 62);
      switch (random() % 3) {
        case 0:
          return IndexBound::None();
        case 1:
          return IndexBound::Inclusive(key);
        default:
          return IndexBound::Exclusive(key);
      }
    };
    std::string low_key;
    std::string high_key;
    const IndexBound lower = bound(low_key);
    const IndexBound upper = bound(high_key);
    Entries expected;
    for (const auto& [key, tid] : model) {
      const int low = key.compare(0, lower.key.size(), lower.key);
      const int high = key.compare(0, upper.key.size(), upper.key);
      if (!lower.unbounded && (low < 0 || (low == 0 && !lower.inclusive))) continue;
      if (!upper.unbounded && (high > 0 || (high == 0 && !upper.inclusive))) continue;
      expected.emplace_back(key, tid);
    }
    ASSERT_EQ(Scan(lower, upper), expected);
    ASSERT_EQ(Scan(lower, upper, ScanDirection::kBackward), Reversed(expected));
  }
}

TEST_F(BTreeTest, LongKeysFitThreeToAPageAndLongerOnesAreRefused) {
  std::mt19937 random(5);
  Entries model;
  for (int i = 0; i < 300; ++i) {
    std::string key = IntKey(random() % 100);
    key.resize(kMaxKeySize - random() % 3 * 1300, 'x');
    model.emplace_back(key, TidOf(i));
    ASSERT_TRUE(Ok(tree_.Insert(key, TidOf(i))));
  }
  EXPECT_EQ(ScanAll(), Sorted(model));
  ExpectSound();
  EXPECT_EQ(tree_.Insert(std::string(kMaxKeySize + 1, 'x'), TidOf(1)).code(), "54000");
}

TEST_F(BTreeTest, AscendingKeysFillPagesWell) {
  for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(Ok(tree_.Insert(IntKey(i), TidOf(i))));
  const CheckStatistics statistics = ExpectSound();
  const int64_t entry_bytes = 16 + 4;
  EXPECT_LT(statistics.pages, 50'000 * entry_bytes / (kPageSize * 85 / 100));
}

TEST_F(BTreeTest, BulkBuildMakesTheSameTreeAndCanBeGoneOnWith) {
  Entries model;
  for (int i = 0; i < 30'000; ++i) {
    model.emplace_back(IntKey(i / 3 * 10) + std::string(i % 100, 'p'), TidOf(i));
  }
  model = Sorted(model);
  size_t next = 0;
  ASSERT_TRUE(Ok(tree_.BulkBuild([&](std::string_view& key, Tid& tid) -> Result<bool> {
    if (next == model.size()) return false;
    key = model[next].first;
    tid = model[next++].second;
    return true;
  })));
  EXPECT_EQ(ScanAll(), model);
  EXPECT_EQ(ScanAll(ScanDirection::kBackward), Reversed(model));
  ExpectSound();
  std::mt19937 random(11);
  for (int i = 0; i < 5'000; ++i) {
    model.emplace_back(IntKey(random() % 200'000), TidOf(100'000 + i));
    ASSERT_TRUE(Ok(tree_.Insert(model.back().first, model.back().second)));
  }
  EXPECT_EQ(ScanAll(), Sorted(model));
  ExpectSound();
}

TEST_F(BTreeTest, BulkBuildOfNothingIsAnEmptyTree) {
  ASSERT_TRUE(Ok(tree_.BulkBuild([](std::string_view&, Tid&) -> Result<bool> { return false; })));
  EXPECT_TRUE(ScanAll().empty());
  ExpectSound();
}

// Each allocation in turn fails: the insert that needed it fails or succeeds, the tree stays sound,
// and later inserts finish what was left undone.
TEST_F(BTreeTest, StaysSoundWhereverAllocationFails) {
  int64_t unfinished = 0;
  for (int64_t fail_at = 0; fail_at < 30; ++fail_at) {
    BTree tree(world_.storage(), world_.NewIndex());
    Entries model;
    world_.storage().pool().FailAllocationAfter(fail_at);
    int failures = 0;
    bool failed = false;
    for (int i = 0; i < 300; ++i) {
      // Scattered keys of 500 bytes: a split every few inserts, a new level soon.
      std::string key = IntKey(i * 7919 % 1000);
      key.resize(500, 'x');
      const Status status = tree.Insert(key, TidOf(i));
      if (status.ok()) {
        model.emplace_back(key, TidOf(i));
      } else {
        ++failures;
        ASSERT_EQ(status.code(), "53100");
      }
      // Right after the failure, and from time to time.
      const bool just_failed = world_.storage().pool().allocations_until_failure() < 0 && !failed;
      failed |= just_failed;
      if (!just_failed && i % 50 != 0) continue;
      auto checked = CheckBTree(world_.storage(), tree.id());
      ASSERT_TRUE(Ok(checked)) << "after insert " << i << ", failing at " << fail_at;
      unfinished += checked->incomplete_splits;
    }
    EXPECT_LE(failures, 1);
    ASSERT_TRUE(failed) << "the test makes fewer allocations than it wants to fail";
    EXPECT_EQ(CheckBTree(world_.storage(), tree.id())->incomplete_splits, 0);
    Entries found;
    BTreeScan scan(tree, IndexBound::None(), IndexBound::None(), ScanDirection::kForward);
    Tid tid;
    while (scan.Next(tid).value()) found.emplace_back(scan.key(), tid);
    EXPECT_EQ(found, Sorted(model));
    world_.storage().FreeStorage(tree.id());
  }
  EXPECT_GT(unfinished, 0) << "no failure ever hit a level above the leaves";
}

TEST_F(BTreeTest, UniqueInsertSeesOnlyLiveRows) {
  Heap heap(world_.storage(), world_.NewHeap());
  TestSession session(world_, 1);
  const auto insert = [&](std::string_view row) {
    const Tid tid = heap.Insert(session.tx(), row).value();
    auto outcome = tree_.InsertUnique(session.tx(), heap, IntKey(1), tid);
    EXPECT_TRUE(Ok(outcome));
    return std::make_pair(outcome.value(), tid);
  };
  session.Begin();
  const auto [first, first_tid] = insert("first");
  EXPECT_EQ(first, IndexInsertOutcome::kInserted);
  EXPECT_EQ(insert("second").first, IndexInsertOutcome::kDuplicate) << "in the same transaction";
  session.Rollback();

  session.Begin();
  const auto [third, third_tid] = insert("third");
  EXPECT_EQ(third, IndexInsertOutcome::kInserted) << "the first was rolled back";
  session.Commit();
  session.Begin();
  EXPECT_EQ(insert("fourth").first, IndexInsertOutcome::kDuplicate);
  session.Rollback();

  session.Begin();
  ASSERT_TRUE(Ok(heap.Delete(session.tx(), third_tid)));
  EXPECT_EQ(insert("fifth").first, IndexInsertOutcome::kInserted) << "its own delete counts";
  session.Commit();
  session.Begin();
  EXPECT_TRUE(Ok(CheckIndexAgainstHeap(world_.storage(), session.tx(), heap.id(), tree_.id(),
                                       [](std::string_view) { return IntKey(1); })));
}

TEST_F(BTreeTest, WhoWaitsForARowGoesOnWhenItIsTakenBack) {
  constexpr int64_t kLongEnoughMs = 10'000;
  Heap heap(world_.storage(), world_.NewHeap());
  TestSession first(world_, 1);
  first.Begin();
  const Tid tid = heap.Insert(first.tx(), "first").value();
  ASSERT_EQ(tree_.InsertUnique(first.tx(), heap, IntKey(1), tid).value(),
            IndexInsertOutcome::kInserted);
  std::thread waiter([&] {
    TestSession second(world_, 2);
    second.Begin();
    EXPECT_EQ(tree_.FindHolder(second.tx(), heap, IntKey(1)).value().life.state,
              RowLife::State::kWait);
    const Tid mine = heap.Insert(second.tx(), "second").value();
    EXPECT_EQ(tree_.InsertUnique(second.tx(), heap, IntKey(1), mine, RowWait::kDontWait).value(),
              IndexInsertOutcome::kDuplicate);
    second.tx().backend().SetLockTimeout(kLongEnoughMs);
    const auto outcome = tree_.InsertUnique(second.tx(), heap, IntKey(1), mine);
    EXPECT_TRUE(Ok(outcome) && *outcome == IndexInsertOutcome::kInserted);
    second.Commit();
  });
  while (first.tx().backend().slot().has_xid_waiters.load() == 0) std::this_thread::yield();
  ASSERT_TRUE(Ok(heap.TakeBack(first.tx(), tid)));
  waiter.join();  // though the first transaction goes on
  EXPECT_EQ(tree_.FindHolder(first.tx(), heap, IntKey(1)).value().life.state,
            RowLife::State::kLive);
  first.Commit();
  first.Begin();
  EXPECT_TRUE(Ok(CheckIndexAgainstHeap(world_.storage(), first.tx(), heap.id(), tree_.id(),
                                       [](std::string_view) { return IntKey(1); })));
}

TEST_F(BTreeTest, KilledEntriesMakeRoomBeforeAPageIsSplit) {
  Heap heap(world_.storage(), world_.NewHeap());
  TestSession session(world_, 1);
  RowBuffer buffer;
  HeapRow row;
  for (int round = 0; round < 200; ++round) {
    session.Begin();
    std::vector<Tid> tids;
    for (int i = 0; i < 20; ++i) {
      tids.push_back(heap.Insert(session.tx(), "row").value());
      ASSERT_TRUE(Ok(tree_.Insert(IntKey(i), tids.back())));
    }
    session.tx().AdvanceCommand();
    for (const Tid tid : tids) ASSERT_TRUE(Ok(heap.Delete(session.tx(), tid)));
    session.Commit();
    world_.storage().FreshHorizon();
    session.Begin();
    ScopedSnapshot snapshot(session);
    BTreeScan scan(tree_, IndexBound::None(), IndexBound::None(), ScanDirection::kForward);
    Tid tid;
    while (scan.Next(tid).value()) {
      auto outcome = heap.Fetch(session.tx(), snapshot.get(), tid, buffer, row);
      ASSERT_TRUE(Ok(outcome));
      ASSERT_EQ(outcome.value(), FetchOutcome::kAllDead);
      scan.KillCurrent();
    }
    session.Rollback();
  }
  const CheckStatistics statistics = ExpectSound();
  EXPECT_EQ(statistics.pages, 2) << "the meta page and one leaf";
}

// The scan has been told that its entry's row is dead. By then the entry may have gone and an equal
// one may have come, for a new row at the same place.
TEST_F(BTreeTest, AnEntryThatHasBeenReplacedIsNotKilled) {
  Heap heap(world_.storage(), world_.NewHeap());
  TestSession session(world_, 1);
  RowBuffer buffer;
  HeapRow row;
  session.Begin();
  const Tid tid = heap.Insert(session.tx(), "row").value();
  ASSERT_TRUE(Ok(tree_.Insert(IntKey(1), tid)));
  session.Rollback();

  session.Begin();
  const StorageId indexes[] = {tree_.id()};
  {
    ScopedSnapshot snapshot(session);
    BTreeScan scan(tree_, IndexBound::None(), IndexBound::None(), ScanDirection::kForward);
    Tid found;
    ASSERT_TRUE(scan.Next(found).value());
    ASSERT_EQ(heap.Fetch(session.tx(), snapshot.get(), found, buffer, row).value(),
              FetchOutcome::kAllDead);
    ASSERT_TRUE(Ok(VacuumTable(world_.storage(), session.tx(), heap.id(), indexes)));
    ASSERT_EQ(heap.Insert(session.tx(), "another").value(), tid);
    ASSERT_TRUE(Ok(tree_.Insert(IntKey(1), tid)));
    scan.KillCurrent();
  }
  session.Commit();
  EXPECT_EQ(ScanAll(), (Entries{{IntKey(1), tid}}));
}

// Keys that are there all the time come exactly once in every scan, whatever is inserted between
// them.
TEST_F(BTreeTest, ScansNeitherMissNorRepeatKeysWhilePagesSplit) {
  constexpr uint64_t kStable = 2000;
  for (uint64_t i = 0; i < kStable; ++i)
    ASSERT_TRUE(Ok(tree_.Insert(IntKey(i * 1000), Tid{1, 0, 0})));
  std::atomic<bool> done{false};
  std::vector<std::thread> inserters;
  for (int number = 0; number < 2; ++number) {
    inserters.emplace_back([&, number] {
      std::mt19937 random(number);
      for (int i = 0; i < 15'000; ++i) {
        const uint64_t key = random() % kStable * 1000 + 1 + random() % 998;
        const Tid tid{static_cast<BlockNumber>(number * 100'000 + i), 0, 0};
        ASSERT_TRUE(Ok(tree_.Insert(IntKey(key), tid)));
      }
      done = true;
    });
  }
  for (int round = 0; !done || round < 2; ++round) {
    const bool forward = round % 2 == 0;
    BTreeScan scan(tree_, IndexBound::None(), IndexBound::None(),
                   forward ? ScanDirection::kForward : ScanDirection::kBackward);
    Tid tid;
    uint64_t seen = 0;
    std::string previous;
    while (scan.Next(tid).value()) {
      if (!previous.empty()) {
        ASSERT_TRUE(forward ? previous <= scan.key() : previous >= scan.key());
      }
      previous = scan.key();
      if (NumberOf(scan.key()) % 1000 != 0) continue;
      const uint64_t expected = (forward ? seen : kStable - 1 - seen) * 1000;
      ASSERT_EQ(NumberOf(scan.key()), expected);
      ++seen;
    }
    ASSERT_EQ(seen, kStable);
  }
  for (std::thread& thread : inserters) thread.join();
  ExpectSound();
}

}  // namespace
}  // namespace connbench::engine
