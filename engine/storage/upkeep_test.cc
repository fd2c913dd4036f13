// Space is used again: tables whose rows come and go stay within a pool that is far too small for
// all their versions, whatever order the keys come in, while others read.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "base/testing/generated.h"
#include "engine/storage/testing/loop_table.h"

namespace connbench::engine {
namespace {

constexpr uint64_t kRows = 100;

// --- Loops in one session
// -------------------------------------------------------------------------

struct Loop {
  const char* name;
  std::vector<KeyFunction> keys;
};

class UpkeepGenerated : public ::testing::TestWithParam<Loop> {};

// Far more versions than the pool has room for.
TEST_P(UpkeepGenerated, UpdatesOfIndexedColumnsGoOnForEver) {
  StorageWorld world(96);
  LoopTable table(world, GetParam().keys);
  LoopSession session(table, 1);
  std::map<uint64_t, uint64_t> model;
  uint64_t next = 0;
  session.Begin();
  for (uint64_t id = 0; id < kRows; ++id) {
    ASSERT_TRUE(Ok(session.Insert({id, ++next, ""})));
    model[id] = next;
  }
  session.session().Commit();
  std::mt19937_64 random(testing::GeneratedSeed());
  const int64_t changes = testing::GeneratedCases(60'000);
  for (int64_t i = 0; i < changes; ++i) {
    const uint64_t id = random() % kRows;
    session.Begin();
    const int kind = static_cast<int>(random() % 20);
    const LoopRow row{id, ++next, ""};
    const int level = kind < 4 ? session.session().tx().PushSavepoint() : 0;
    ASSERT_TRUE(Ok(session.Change(id, &row))) << i << ", seed " << testing::GeneratedSeed();
    if (level > 0 && kind < 2) session.session().tx().RollbackToSavepoint(level);
    if (level > 0) session.session().tx().ReleaseSavepoint(level);
    if (kind == 4) {
      session.session().Rollback();
      continue;
    }
    session.session().Commit();
    if (level == 0 || kind >= 2) model[id] = next;
  }
  session.Begin();
  {
    const ScopedSnapshot snapshot(session.session());
    EXPECT_TRUE(Ok(session.CheckRows(snapshot.get(), kRows, &model)));
  }
  session.session().Rollback();
  ExpectSound(table);
}

TEST_P(UpkeepGenerated, InsertsAndDeletesGoOnForEver) {
  StorageWorld world(96);
  LoopTable table(world, GetParam().keys);
  LoopSession session(table, 1);
  std::map<uint64_t, uint64_t> model;
  uint64_t next = 0;
  const int64_t changes = testing::GeneratedCases(60'000);
  for (int64_t i = 0; i < changes; ++i) {
    session.Begin();
    ASSERT_TRUE(Ok(session.Insert({++next, next, "p"}))) << i;
    model[next] = next;
    if (model.size() > kRows) {
      const uint64_t oldest = model.begin()->first;
      ASSERT_TRUE(Ok(session.Change(oldest, nullptr))) << i;
      model.erase(oldest);
    }
    session.session().Commit();
  }
  session.Begin();
  {
    const ScopedSnapshot snapshot(session.session());
    EXPECT_TRUE(Ok(session.CheckRows(snapshot.get(), model.size(), &model)));
  }
  session.session().Rollback();
  ExpectSound(table);
  EXPECT_LT(table.Pages(), 90);
}

// The same id comes back at once, and every third insert is rolled back.
TEST_P(UpkeepGenerated, ARowThatIsDeletedAndInsertedAgainGoesOnForEver) {
  StorageWorld world(96);
  LoopTable table(world, GetParam().keys);
  LoopSession session(table, 1);
  uint64_t next = 0;
  session.Begin();
  ASSERT_TRUE(Ok(session.Insert({7, 0, ""})));
  session.session().Commit();
  const int64_t changes = testing::GeneratedCases(60'000);
  for (int64_t i = 0; i < changes; ++i) {
    session.Begin();
    ASSERT_TRUE(Ok(session.Change(7, nullptr))) << i;
    ASSERT_TRUE(Ok(session.Insert({7, ++next, ""}))) << i;
    if (i % 3 == 0) {
      session.session().Rollback();
    } else {
      session.session().Commit();
    }
  }
  session.Begin();
  {
    const ScopedSnapshot snapshot(session.session());
    EXPECT_TRUE(Ok(session.CheckRows(snapshot.get(), 1)));
  }
  session.session().Rollback();
  ExpectSound(table);
}

INSTANTIATE_TEST_SUITE_P(Keys, UpkeepGenerated,
                         ::testing::Values(Loop{"Ascending", {Ascending}},
                                           Loop{"Descending", {Descending}},
                                           Loop{"Random", {Random}}, Loop{"Text", {Text}},
                                           Loop{"Same", {Same}},
                                           Loop{"Several", {Ascending, Random, Text}}),
                         [](const auto& loop) { return std::string(loop.param.name); });

// A snapshot that is held keeps what it sees, however long it takes, up to a full pool; when it
// ends, the loop goes on.
TEST(UpkeepTest, ASnapshotThatIsHeldLosesNothingAndItsEndSetsTheLoopGoingAgain) {
  StorageWorld world(256);
  LoopTable table(world, {Ascending, Random});
  LoopSession session(table, 1);
  LoopSession reader(table, 2);
  std::map<uint64_t, uint64_t> old_rows;
  session.Begin();
  for (uint64_t id = 0; id < kRows; ++id) {
    ASSERT_TRUE(Ok(session.Insert({id, id, ""})));
    old_rows[id] = id;
  }
  session.session().Commit();
  uint64_t next = kRows;
  const auto change = [&]() -> Status {
    session.Begin();
    const LoopRow row{next % kRows, next, ""};
    ++next;
    const Status status = session.Change(row.id, &row);
    if (status.ok()) {
      session.session().Commit();
    } else {
      session.session().Rollback();
    }
    return status;
  };
  for (int round = 0; round < testing::GeneratedCases(3); ++round) {
    reader.Begin(IsolationLevel::kRepeatableRead);
    {
      const ScopedSnapshot snapshot(reader.session());
      auto rows = reader.Read(snapshot.get(), std::string::npos, ScanDirection::kForward);
      ASSERT_TRUE(Ok(rows));
      old_rows = rows.value();
      Status status;
      int64_t count = 0;
      while ((status = change()).ok()) ASSERT_LT(++count, 200'000) << "the pool is never full";
      EXPECT_EQ(status.code(), "53100");
      EXPECT_TRUE(Ok(reader.CheckRows(snapshot.get(), kRows, &old_rows)));
    }
    reader.session().Rollback();
    int failures = 0;
    for (int i = 0; i < testing::GeneratedCases(20'000); ++i) failures += change().ok() ? 0 : 1;
    EXPECT_LE(failures, 3) << "a few statements find the pool still full";
  }
  ExpectSound(table);
}

// A statement that found the pool full makes the next one look for room, even if all visits that
// new pages owe were made while nothing could be freed.
TEST(UpkeepTest, AFullPoolSetsTheNextStatementLookingForRoom) {
  StorageWorld world(64);
  LoopTable table(world, {});
  LoopSession session(table, 1);
  uint64_t next = 0;
  const auto insert = [&] {
    const LoopRow row{++next, next, std::string(400, 'p')};
    return session.Insert(row);
  };
  session.Begin();
  Status status;
  while ((status = insert()).ok()) ASSERT_LT(next, 10'000) << "the pool is never full";
  ASSERT_EQ(status.code(), sqlstate::kDiskFull);
  const auto owed = [&] {
    int32_t visits = 0;
    for (const StorageId id : {table.heap, table.indexes[0]}) {
      visits += world.storage().Find(id)->visits_owed.load();
    }
    return visits;
  };
  while (owed() > 0) ASSERT_TRUE(Ok(session.Tidy()));
  ASSERT_EQ(insert().code(), sqlstate::kDiskFull);
  session.session().Rollback();

  session.Begin();
  constexpr int kTries = 10;  // the tree may need room, too
  int tries = 0;
  while (!(status = insert()).ok() && ++tries < kTries) {
  }
  EXPECT_TRUE(Ok(status));
  session.session().Rollback();
}

// --- Many at once -------------------------------------------------------------------------------

// Writers have rows of their own; readers must find each row once, however the trees change.
class UpkeepStress : public ::testing::Test {
 protected:
  static constexpr int kWriters = 3;
  static constexpr uint64_t kRowsEach = 40;

  UpkeepStress() {
    LoopSession session(table_, 90);
    session.Begin();
    for (uint64_t id = 0; id < kWriters * kRowsEach; ++id) {
      EXPECT_TRUE(Ok(session.Insert({id, id, ""})));
    }
    session.session().Commit();
  }

  Status Write(int number, int64_t transactions) {
    LoopSession session(table_, static_cast<uint32_t>(number) + 1);
    std::mt19937_64 random(testing::GeneratedSeed() + static_cast<uint64_t>(number));
    uint64_t next = (static_cast<uint64_t>(number) + 1) << 40;
    for (int64_t i = 0; i < transactions; ++i) {
      session.Begin();
      const uint64_t id = static_cast<uint64_t>(number) * kRowsEach + random() % kRowsEach;
      const LoopRow row{id, ++next, std::string(random() % 50, 'p')};
      Status status;
      if (random() % 2 == 0) {
        status = session.Change(id, &row);
      } else {
        status = session.Change(id, nullptr);
        if (status.ok()) status = session.Insert(row);
      }
      // Readers keep what they see: for a moment the pool may be too small.
      if (!status.ok() && status.code() != sqlstate::kDiskFull) {
        session.session().Rollback();
        return status;
      }
      if (!status.ok() || random() % 8 == 0) {
        session.session().Rollback();
      } else {
        session.session().Commit();
      }
    }
    return {};
  }

  Status ReadUntil(int number, const std::function<bool()>& done) {
    LoopSession session(table_, static_cast<uint32_t>(number) + 20);
    while (!done()) {
      session.Begin(IsolationLevel::kRepeatableRead);
      Status status;
      {
        const ScopedSnapshot snapshot(session.session());
        status = session.CheckRows(snapshot.get(), kWriters * kRowsEach);
      }
      session.session().Rollback();
      CONNBENCH_RETURN_IF_ERROR(status);
    }
    return {};
  }

  StorageWorld world_{768};
  LoopTable table_{world_, {Ascending, Random, Text}};
};

TEST_F(UpkeepStress, ThreadsReadAndWriteInASmallPool) {
  std::atomic<int> running{kWriters};
  std::vector<std::thread> threads;
  for (int number = 0; number < kWriters; ++number) {
    threads.emplace_back([&, number] {
      EXPECT_TRUE(Ok(Write(number, testing::GeneratedCases(6'000))));
      --running;
    });
  }
  for (int number = 0; number < 2; ++number) {
    threads.emplace_back(
        [&, number] { EXPECT_TRUE(Ok(ReadUntil(number, [&] { return running == 0; }))); });
  }
  LoopSession vacuum(table_, 80);
  while (running > 0) {
    EXPECT_TRUE(Ok(vacuum.Vacuum()));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  for (std::thread& thread : threads) thread.join();
  ExpectSound(table_);
}

TEST_F(UpkeepStress, ProcessesReadAndWriteInASmallPool) {
  std::vector<pid_t> children;
  for (int number = 0; number < kWriters + 1; ++number) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int rounds = 0;
      const Status status = number < kWriters ? Write(number, testing::GeneratedCases(4'000))
                                              : ReadUntil(number, [&] { return ++rounds > 300; });
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
  ExpectSound(table_);
}

}  // namespace
}  // namespace connbench::engine
