// Many sessions at once on one table with two indexes: threads of one process, and processes on one
// segment. What each transaction did is kept in a private model and compared; money that only ever
// moves between accounts must add up in every snapshot; afterwards nothing may be damaged.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/storage/integrity_check.h"
#include "engine/storage/testing/storage_test_base.h"
#include "engine/storage/vacuum.h"

namespace connbench::engine {
namespace {

constexpr uint64_t kAccounts = 20;
constexpr uint64_t kInitialMoney = 1000;
constexpr uint64_t kFirstPrivateKey = 1'000'000;
constexpr uint64_t kPrivateKeysEach = 100'000;
constexpr uint64_t kGroups = 40;

// key, group, amount, then padding: two indexes, on key (unique) and on group.
struct TestRow {
  uint64_t key = 0;
  uint64_t group = 0;
  uint64_t amount = 0;
  std::string padding;

  std::string Encode() const { return IntKey(key) + IntKey(group) + IntKey(amount) + padding; }
  static uint64_t Number(std::string_view bytes) {
    uint64_t number = 0;
    for (const char c : bytes.substr(0, 8)) number = number << 8 | static_cast<uint8_t>(c);
    return number;
  }
  static TestRow Decode(std::string_view bytes) {
    return {Number(bytes), Number(bytes.substr(8)), Number(bytes.substr(16)),
            std::string(bytes.substr(24))};
  }
  bool operator==(const TestRow&) const = default;
};

struct Table {
  StorageId heap;
  StorageId by_key;
  StorageId by_group;
};

// The executor of this test: what SQL would make of these statements.
class Worker {
 public:
  Worker(StorageWorld& world, const Table& table, uint32_t number)
      : world_(world),
        heap_(world.storage(), table.heap),
        by_key_(world.storage(), table.by_key),
        by_group_(world.storage(), table.by_group),
        session_(world, number + 1),
        random_(number + 17),
        next_key_(kFirstPrivateKey + number * kPrivateKeysEach) {}

  TestSession& session() { return session_; }

  Status Insert(const TestRow& row) {
    Transaction& tx = session_.tx();
    CONNBENCH_ASSIGN_OR_RETURN(const Tid tid, heap_.Insert(tx, row.Encode()));
    CONNBENCH_RETURN_IF_ERROR(AddEntries(row, tid));
    tx.AdvanceCommand();
    return {};
  }

  // READ COMMITTED: if somebody else has changed the row, his version is changed in turn.
  // change returns false to delete the row.
  Result<bool> Change(uint64_t key, const std::function<bool(TestRow&)>& change) {
    Transaction& tx = session_.tx();
    ScopedSnapshot snapshot(session_);
    CONNBENCH_ASSIGN_OR_RETURN(std::optional<HeapRow> found, Lookup(snapshot.get(), key));
    if (!found) return false;
    HeapRow row = *found;
    while (true) {
      TestRow changed = TestRow::Decode(row.bytes);
      const TestRow old = changed;
      if (changed.key != key) return Broken("index led to another key");
      const bool keep = change(changed);
      WriteResult result;
      if (keep) {
        CONNBENCH_ASSIGN_OR_RETURN(
            result, heap_.Update(tx, row.tid, changed.Encode(), changed.group == old.group));
      } else {
        CONNBENCH_ASSIGN_OR_RETURN(result, heap_.Delete(tx, row.tid));
      }
      if (result.outcome == WriteOutcome::kOk) {
        if (keep && !result.hot) CONNBENCH_RETURN_IF_ERROR(AddEntries(changed, result.tid));
        tx.AdvanceCommand();
        return true;
      }
      if (result.outcome == WriteOutcome::kSelfModified) return Broken("row modified by ourselves");
      if (result.outcome == WriteOutcome::kDeletedConcurrently) return false;
      CONNBENCH_ASSIGN_OR_RETURN(result,
                                 heap_.LockRow(tx, result.tid, RowLockMode::kUpdate, RowWait::kWait,
                                               /*follow_updates=*/true, buffer_, row));
      if (result.outcome != WriteOutcome::kOk) return false;
    }
  }

  // Sum over the accounts, once through the heap and once through each index.
  Status CheckMoney() {
    ScopedSnapshot snapshot(session_);
    uint64_t sum = 0;
    HeapScan scan(heap_, session_.tx(), snapshot.get());
    HeapRow row;
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(row));
      if (!more) break;
      const TestRow account = TestRow::Decode(row.bytes);
      if (account.key < kAccounts) sum += account.amount;
    }
    if (sum != kAccounts * kInitialMoney) return Broken("heap: money is " + std::to_string(sum));
    for (const ScanDirection direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
      CONNBENCH_ASSIGN_OR_RETURN(sum, SumThrough(by_key_, snapshot.get(), IndexBound::None(),
                                                 IndexBound::Exclusive(account_end_), direction));
      if (sum != kAccounts * kInitialMoney) return Broken("keys: money is " + std::to_string(sum));
      CONNBENCH_ASSIGN_OR_RETURN(sum, SumThrough(by_group_, snapshot.get(), IndexBound::None(),
                                                 IndexBound::None(), direction));
      if (sum != kAccounts * kInitialMoney)
        return Broken("groups: money is " + std::to_string(sum));
    }
    return {};
  }

  // One random transaction; the model follows if it commits.
  Status RunTransaction() {
    session_.Begin();
    std::map<uint64_t, TestRow> model = model_;
    const Status status = Work(model);
    if (!status.ok()) {
      session_.Rollback();
      return status.code() == sqlstate::kDeadlockDetected ? Status::Ok() : status;
    }
    if (random_() % 5 == 0) {
      session_.Rollback();
      return {};
    }
    CONNBENCH_RETURN_IF_ERROR(session_.tx().Commit());
    model_ = std::move(model);
    return {};
  }

  // The private rows are what the model says.
  Status CompareWithModel() {
    session_.Begin();
    Status status = Compare();
    session_.Rollback();
    return status;
  }

 private:
  static Status Broken(std::string what) {
    return Status::Error(sqlstate::kInternalError, std::move(what));
  }

  Status AddEntries(const TestRow& row, Tid tid) {
    CONNBENCH_ASSIGN_OR_RETURN(const IndexInsertOutcome outcome,
                               by_key_.InsertUnique(session_.tx(), heap_, IntKey(row.key), tid));
    if (outcome != IndexInsertOutcome::kInserted) return Broken("duplicate key");
    return by_group_.Insert(IntKey(row.group), tid);
  }

  Result<std::optional<HeapRow>> Lookup(const Snapshot& snapshot, uint64_t key) {
    const std::string bytes = IntKey(key);
    BTreeScan scan(by_key_, IndexBound::Inclusive(bytes), IndexBound::Inclusive(bytes),
                   ScanDirection::kForward);
    std::optional<HeapRow> found;
    Tid tid;
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(tid));
      if (!more) return found;
      HeapRow row;
      RowBuffer& buffer = found ? spare_ : buffer_;
      CONNBENCH_ASSIGN_OR_RETURN(const FetchOutcome outcome,
                                 heap_.Fetch(session_.tx(), snapshot, tid, buffer, row));
      if (outcome == FetchOutcome::kAllDead) scan.KillCurrent();
      if (outcome != FetchOutcome::kFound) continue;
      if (found) return Broken("two rows with one key");
      found = row;
    }
  }

  Result<uint64_t> SumThrough(const BTree& index, const Snapshot& snapshot, IndexBound lower,
                              IndexBound upper, ScanDirection direction) {
    uint64_t sum = 0;
    BTreeScan scan(index, lower, upper, direction);
    Tid tid;
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(tid));
      if (!more) return sum;
      HeapRow row;
      CONNBENCH_ASSIGN_OR_RETURN(const FetchOutcome outcome,
                                 heap_.Fetch(session_.tx(), snapshot, tid, buffer_, row));
      if (outcome == FetchOutcome::kAllDead) scan.KillCurrent();
      if (outcome != FetchOutcome::kFound) continue;
      const TestRow account = TestRow::Decode(row.bytes);
      if (account.key < kAccounts) sum += account.amount;
    }
  }

  Status Work(std::map<uint64_t, TestRow>& model) {
    const int statements = 1 + static_cast<int>(random_() % 4);
    for (int i = 0; i < statements; ++i) {
      const bool savepoint = random_() % 3 == 0;
      std::map<uint64_t, TestRow> before;
      int level = 0;
      if (savepoint) {
        before = model;
        level = session_.tx().PushSavepoint();
      }
      CONNBENCH_RETURN_IF_ERROR(Statement(model));
      if (!savepoint) continue;
      if (random_() % 2 == 0) {
        session_.tx().RollbackToSavepoint(level);
        model = std::move(before);
      }
      session_.tx().ReleaseSavepoint(level);
    }
    return {};
  }

  Status Statement(std::map<uint64_t, TestRow>& model) {
    switch (random_() % 8) {
      case 0:
      case 1: {
        TestRow row{next_key_++, random_() % kGroups, random_() % 100,
                    std::string(random_() % 300, 'p')};
        CONNBENCH_RETURN_IF_ERROR(Insert(row));
        model[row.key] = row;
        return {};
      }
      case 2:
      case 3:
      case 4:
        return ChangePrivate(model);
      case 5:
      case 6:
        return MoveMoney();
      default:
        return CheckMoney();
    }
  }

  Status ChangePrivate(std::map<uint64_t, TestRow>& model) {
    if (model.empty()) return {};
    auto chosen = model.lower_bound(
        kFirstPrivateKey + (next_key_ - kFirstPrivateKey) / kPrivateKeysEach * kPrivateKeysEach +
        random_() % (next_key_ % kPrivateKeysEach + 1));
    if (chosen == model.end()) chosen = model.begin();
    const int kind = static_cast<int>(random_() % 4);
    const uint64_t key = chosen->first;
    TestRow after;
    CONNBENCH_ASSIGN_OR_RETURN(const bool found, Change(key, [&](TestRow& row) {
                                 if (kind == 0) return false;
                                 if (kind == 1) row.group = random_() % kGroups;
                                 if (kind == 2) row.padding.assign(random_() % 300, 'q');
                                 ++row.amount;
                                 after = row;
                                 return true;
                               }));
    if (!found) return Broken("private row " + std::to_string(key) + " is lost");
    if (kind == 0) {
      model.erase(chosen);
    } else {
      chosen->second = after;
    }
    return {};
  }

  Status MoveMoney() {
    const uint64_t from = random_() % kAccounts;
    const uint64_t to = random_() % kAccounts;
    bool moved = false;
    CONNBENCH_ASSIGN_OR_RETURN(const bool paid, Change(from, [&](TestRow& row) {
                                 moved = row.amount > 0;
                                 if (moved) --row.amount;
                                 if (random_() % 4 == 0) row.group = random_() % kGroups;
                                 return true;
                               }));
    if (!paid) return Broken("an account is lost");
    CONNBENCH_ASSIGN_OR_RETURN(const bool received, Change(to, [&](TestRow& row) {
                                 if (moved) ++row.amount;
                                 return true;
                               }));
    if (!received) return Broken("an account is lost");
    return {};
  }

  Status Compare() {
    ScopedSnapshot snapshot(session_);
    const uint64_t first =
        kFirstPrivateKey + (next_key_ - kFirstPrivateKey) / kPrivateKeysEach * kPrivateKeysEach;
    std::map<uint64_t, TestRow> found;
    HeapScan scan(heap_, session_.tx(), snapshot.get());
    HeapRow row;
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(row));
      if (!more) break;
      const TestRow decoded = TestRow::Decode(row.bytes);
      if (decoded.key >= first && decoded.key < first + kPrivateKeysEach) {
        found[decoded.key] = decoded;
      }
    }
    if (found != model_) return Broken("rows differ from the model");
    for (const auto& [key, expected] : model_) {
      CONNBENCH_ASSIGN_OR_RETURN(const auto through_index, Lookup(snapshot.get(), key));
      if (!through_index || TestRow::Decode(through_index->bytes) != expected) {
        return Broken("index lookup differs from the model");
      }
    }
    return {};
  }

  StorageWorld& world_;
  Heap heap_;
  BTree by_key_;
  BTree by_group_;
  TestSession session_;
  std::mt19937 random_;
  uint64_t next_key_;
  std::map<uint64_t, TestRow> model_;
  RowBuffer buffer_;
  RowBuffer spare_;
  const std::string account_end_ = IntKey(kAccounts);
};

class StressTest : public testing::Test {
 protected:
  StressTest() : world_(8192), table_{world_.NewHeap(), world_.NewIndex(), world_.NewIndex()} {
    Worker setup(world_, table_, 30);
    setup.session().Begin();
    for (uint64_t key = 0; key < kAccounts; ++key) {
      EXPECT_TRUE(Ok(setup.Insert({key, key % kGroups, kInitialMoney, "account"})));
    }
    setup.session().Commit();
  }

  Status Vacuum(TestSession& session) {
    const StorageId indexes[] = {table_.by_key, table_.by_group};
    session.Begin();
    auto result = VacuumTable(world_.storage(), session.tx(), table_.heap, indexes);
    session.Rollback();
    return result.status();
  }

  void ExpectSound() {
    TestSession session(world_, 90);
    EXPECT_TRUE(Ok(CheckHeap(world_.storage(), table_.heap)));
    EXPECT_TRUE(Ok(CheckBTree(world_.storage(), table_.by_key)));
    EXPECT_TRUE(Ok(CheckBTree(world_.storage(), table_.by_group)));
    session.Begin();
    EXPECT_TRUE(Ok(
        CheckIndexAgainstHeap(world_.storage(), session.tx(), table_.heap, table_.by_key,
                              [](std::string_view row) { return std::string(row.substr(0, 8)); })));
    EXPECT_TRUE(Ok(
        CheckIndexAgainstHeap(world_.storage(), session.tx(), table_.heap, table_.by_group,
                              [](std::string_view row) { return std::string(row.substr(8, 8)); })));
    session.Rollback();
  }

  StorageWorld world_;
  Table table_;
};

TEST_F(StressTest, ThreadsOnOneTable) {
  constexpr int kThreads = 6;
  constexpr int kTransactions = 400;
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      Worker worker(world_, table_, number);
      for (int i = 0; i < kTransactions; ++i) {
        const Status status = worker.RunTransaction();
        EXPECT_TRUE(Ok(status));
        if (!status.ok()) break;
      }
      EXPECT_TRUE(Ok(worker.CompareWithModel()));
      --running;
    });
  }
  TestSession vacuum(world_, 80);
  while (running > 0) {
    const Status status = Vacuum(vacuum);
    ASSERT_TRUE(Ok(status));
  }
  for (std::thread& thread : threads) thread.join();
  ExpectSound();
  ASSERT_TRUE(Ok(Vacuum(vacuum)));
  ExpectSound();
}

TEST_F(StressTest, ProcessesOnOneSegment) {
  constexpr int kProcesses = 4;
  constexpr int kTransactions = 300;
  std::vector<pid_t> children;
  for (int number = 0; number < kProcesses; ++number) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Status status;
      {
        Worker worker(world_, table_, number);
        for (int i = 0; i < kTransactions && status.ok(); ++i) status = worker.RunTransaction();
        if (status.ok()) status = worker.CompareWithModel();
      }
      if (!status.ok()) fprintf(stderr, "%s\n", status.ToString().c_str());
      _exit(status.ok() ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int exit_status = 0;
    ASSERT_EQ(waitpid(child, &exit_status, 0), child);
    EXPECT_TRUE(WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0);
  }
  ExpectSound();
}

TEST_F(StressTest, OfManyInsertersOfOneKeyOneWins) {
  constexpr int kThreads = 6;
  constexpr int kRounds = 100;
  std::vector<std::atomic<int>> winners(kRounds);
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      TestSession session(world_, number + 1);
      Heap heap(world_.storage(), table_.heap);
      BTree index(world_.storage(), table_.by_key);
      BTree groups(world_.storage(), table_.by_group);
      for (int round = 0; round < kRounds; ++round) {
        session.Begin();
        const TestRow row{500'000 + static_cast<uint64_t>(round), 1, 0, ""};
        const Tid tid = heap.Insert(session.tx(), row.Encode()).value();
        auto outcome = index.InsertUnique(session.tx(), heap, IntKey(row.key), tid);
        ASSERT_TRUE(Ok(outcome));
        // Half of the would-be winners give up: then the next in line may win.
        if (outcome.value() == IndexInsertOutcome::kInserted && (number + round) % 2 == 0) {
          ASSERT_TRUE(Ok(groups.Insert(IntKey(row.group), tid)));
          session.Commit();
          ++winners[round];
        } else {
          session.Rollback();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::atomic<int>& count : winners) EXPECT_EQ(count, 1);
  ExpectSound();
}

}  // namespace
}  // namespace connbench::engine
