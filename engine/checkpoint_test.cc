// Checkpoints: what they write, and that the last complete one is there after whatever happens to
// the next.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "base/testing/generated.h"
#include "engine/recovery/control_file.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/page_places.h"
#include "engine/recovery/testing/recovery_test_base.h"

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckpointTest : public RecoveryTest {
 protected:
  PagePlaces Places() {
    const ControlFile control = *ReadControlFile(files_, kFolder);
    return *ReadPagePlaces(files_, CheckpointPath(kFolder, control.checkpoint_number),
                           control.log_number);
  }
  static int64_t Pages(const PagePlaces& places) {
    int64_t pages = 0;
    for (const auto& [storage, of_storage] : places) pages += std::ssize(of_storage);
    return pages;
  }
  // Pages that stand elsewhere than before: those that were written.
  static int64_t Written(const PagePlaces& before, const PagePlaces& after) {
    int64_t written = 0;
    for (const auto& [storage, places] : after) {
      const auto found = before.find(storage);
      for (size_t block = 0; block < places.size(); ++block) {
        const bool kept = found != before.end() && block < found->second.size() &&
                          found->second[block].place == places[block].place;
        if (!kept) ++written;
      }
    }
    return written;
  }
  int64_t WrittenByACheckpoint() {
    const PagePlaces before = Places();
    Do("checkpoint");
    return Written(before, Places());
  }

  // A new directory with some tables, a checkpoint, and changes of every kind since.
  void MakeHistory() {
    session_.reset();
    engine_.reset();
    files_ = {};
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    Do("create table t (a int primary key, b int, c text)");
    Do("insert into t select g, 0, repeat('x', 100) from generate_series(1, 400) g");
    Do("create table gone (a int primary key); insert into gone values (1)");
    Do("create sequence s");
    Do("checkpoint");
    Do("update t set b = 1 where a % 5 = 0");
    Do("delete from t where a > 380");
    Do("vacuum t");
    Do("insert into t select g, 2, repeat('y', 100) from generate_series(1000, 1100) g");
    Do("drop table gone");
    Do("create table made (a int primary key); insert into made values (7)");
    EXPECT_EQ(Rows("select nextval('s')"), "1");
    Do("begin; update t set b = 3; rollback");
  }
  // A commit, so that the checkpoint finds all of the log on disk.
  void FlushLog() { Do("update made set a = 7"); }
  std::string State() {
    return Rows("select count(*), sum(a), sum(b), sum(length(c)) from t") + " " +
           Rows("select count(*) from t where a between 370 and 1050") + " " +
           Rows("select a from made") + " " + session_->Error("select * from gone");
  }
};

TEST_F(CheckpointTest, WritesThePagesThatHaveChangedAndNoOthers) {
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  Do("create table t (a int primary key, b int)");
  Do("insert into t select g, 0 from generate_series(1, 20000) g");
  EXPECT_GT(WrittenByACheckpoint(), 100);
  EXPECT_EQ(WrittenByACheckpoint(), 0);
  EXPECT_GT(Pages(Places()), 100);
  Do("update t set b = 1 where a = 77");
  const int64_t written = WrittenByACheckpoint();
  EXPECT_GE(written, 1);
  EXPECT_LE(written, 4) << "at most two pages of the table and two of the index";
  EXPECT_EQ(Rows("select sum(b) from t"), "1");
  EXPECT_EQ(WrittenByACheckpoint(), 0) << "reading is no change";

  const PagePlaces before = Places();
  Close();
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  EXPECT_EQ(Written(before, Places()), 0) << "nor are an end and a start";
  Do("update t set b = 2 where a = 10000");
  Crash(1);
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  EXPECT_LE(Written(before, Places()), 4) << "what the log did again";
  EXPECT_EQ(Rows("select sum(b) from t"), "3");
}

TEST_F(CheckpointTest, ThePagesFileHasRoomForTwoCheckpoints) {
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  Do("create table t (a int primary key, b int)");
  Do("insert into t select g, 0 from generate_series(1, 3000) g");
  int64_t most = 0;
  for (int i = 0; i < 12; ++i) {
    Do("update t set b = b + 1");
    Do("vacuum t");
    Do("checkpoint");
    most = std::max(most, Pages(Places()));
  }
  EXPECT_LE(std::ssize(files_.Bytes(PagesPath(kFolder))), 2 * most * kPageSize);
}

// A page that changes after it was copied is written by the next checkpoint, whenever that is.
TEST_F(CheckpointTest, WhatChangesDuringACheckpointIsInTheNextOne) {
  int64_t rounds = 0;
  for (int64_t call = 1;; ++call) {
    SCOPED_TRACE(fmt::format("before call {} of the checkpoint", call));
    session_.reset();
    engine_.reset();
    files_ = {};
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    Do("create table t (a int primary key, b int)");
    Do("insert into t select g, 0 from generate_series(1, 200) g");
    bool changed = false;
    {
      TestSession other(*engine_, std::vector<StartupParameter>{}, "postgres");
      // A commit that waits would want the log while this thread may be writing it.
      EXPECT_EQ(other.Error("set synchronous_commit = off"), "ok");
      files_.BeforeCall(call, [&] {
        EXPECT_EQ(other.Error("update t set b = 1 where a = 100"), "ok");
        changed = true;
      });
      Do("checkpoint");
      if (!changed) files_.BeforeCall(0, {});
      Do("checkpoint");
    }
    if (!changed) break;
    ++rounds;
    Crash(static_cast<uint64_t>(call));
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    ASSERT_EQ(Rows("select a, b from t where b <> 0"), "100|1");
  }
  EXPECT_GT(rounds, 10);
}

// What became of a row's writer is a hint on its page, and may be forgotten once all pages tell.
TEST_F(CheckpointTest, ARowWhoseWriterEndedAfterItsPageWasWrittenIsWrittenAgain) {
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  Do("create table t (a int); create table u (a int)");
  Do("insert into t values (1); insert into u values (0)");
  {
    TestSession other(*engine_, std::vector<StartupParameter>{}, "postgres");
    EXPECT_EQ(other.Error("begin; insert into t values (2)"), "ok");
    Do("checkpoint");
    EXPECT_EQ(other.Error("rollback"), "ok");
  }
  EXPECT_EQ(WrittenByACheckpoint(), 1);
  EXPECT_EQ(WrittenByACheckpoint(), 0);
  // So many that the row's is not among those that are remembered one by one.
  for (int i = 0; i < 2500; ++i) Do("update u set a = a + 1");
  Do("checkpoint");
  Do("checkpoint");
  Crash(2);
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  EXPECT_EQ(Rows("select a from t"), "1");
  EXPECT_EQ(Rows("select a from u"), "2500");
}

using CheckpointTestGenerated = CheckpointTest;

// A sanitizer looks at each call more closely, and at fewer of them.
constexpr int64_t kCallsApart = testing::kGeneratedShare > 1 ? 7 : 1;

TEST_F(CheckpointTestGenerated, ACrashAtAnyCallOfACheckpointLosesNothing) {
  const int seeds = testing::GeneratedCases(2);
  for (int64_t call = 1;; call += kCallsApart) {
    bool within = false;
    for (int seed = 0; seed < seeds; ++seed) {
      SCOPED_TRACE(fmt::format("call {} of the checkpoint, seed {}", call, seed));
      MakeHistory();
      const std::string state = State();
      files_.CrashAtCall(call, testing::GeneratedSeed() + static_cast<uint64_t>(seed));
      Do("checkpoint");
      within = files_.calls() >= files_.crash_at();
      Crash(static_cast<uint64_t>(seed), within);
      ASSERT_THAT(Damages(), IsEmpty());
      ASSERT_NO_FATAL_FAILURE(MustOpen());
      EXPECT_EQ(State(), state);
      EXPECT_EQ(Rows("select nextval('s')"), "2");
      CheckIntegrity();
      Do("update t set b = 9");  // and all goes on
      Do("checkpoint");
      Crash(static_cast<uint64_t>(seed));
      ASSERT_NO_FATAL_FAILURE(MustOpen());
      EXPECT_EQ(Rows("select min(b), max(b) from t"), "9|9");
      if (HasFailure()) return;
    }
    if (!within) break;
    ASSERT_LT(call, 1000);
  }
}

// What a start reads first is not changed by that: the crashes are at its last calls.
TEST_F(CheckpointTestGenerated, ACrashAtAnyCallOfARecoveryLosesNothing) {
  constexpr int64_t kLastCalls = 40;
  MakeHistory();
  Crash(0);
  const int64_t before = files_.calls();
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  const int64_t calls = files_.calls() - before;
  ASSERT_GT(calls, kLastCalls);
  const int seeds = testing::GeneratedCases(1);
  for (int64_t call = calls - kLastCalls; call <= calls; call += kCallsApart) {
    for (int seed = 0; seed < seeds; ++seed) {
      SCOPED_TRACE(fmt::format("call {} of the start, seed {}", call, seed));
      MakeHistory();
      const std::string state = State();
      Crash(static_cast<uint64_t>(seed));
      files_.CrashAtCall(call, testing::GeneratedSeed() + static_cast<uint64_t>(seed));
      ASSERT_NO_FATAL_FAILURE(MustOpen());
      Crash(static_cast<uint64_t>(seed), files_.calls() >= files_.crash_at());
      ASSERT_THAT(Damages(), IsEmpty());
      ASSERT_NO_FATAL_FAILURE(MustOpen());
      EXPECT_EQ(State(), state);
      CheckIntegrity();
      if (HasFailure()) return;
    }
  }
}

TEST_F(CheckpointTest, AFullDiskAtAnyWriteLeavesTheLastCheckpointAndTheServer) {
  int64_t failures = 0;
  for (int64_t write = 0;; ++write) {
    SCOPED_TRACE(fmt::format("write {}", write));
    MakeHistory();
    const std::string state = State();
    FlushLog();
    files_.FailCall(write, ENOSPC, FaultyFiles::Call::kWrite);
    const std::string answer = session_->Error("checkpoint");
    if (!files_.failed()) {
      EXPECT_EQ(answer, "ok");
      files_.FailCall(-1, 0);
      break;
    }
    ++failures;
    EXPECT_THAT(answer, HasSubstr("53100 0 could not write "));
    EXPECT_THAT(answer, HasSubstr(" to /data/"));
    EXPECT_EQ(State(), state);
    Do("update made set a = 8");
    Crash(static_cast<uint64_t>(write));
    ASSERT_THAT(Damages(), IsEmpty());
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    EXPECT_EQ(Rows("select a from made"), "8");
    Do("update made set a = 7");
    EXPECT_EQ(State(), state);
    // Once there is room again.
    MakeHistory();
    FlushLog();
    files_.FailCall(write, ENOSPC, FaultyFiles::Call::kWrite);
    EXPECT_NE(session_->Error("checkpoint"), "ok");
    Do("checkpoint");
    Crash(static_cast<uint64_t>(write));
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    EXPECT_EQ(State(), state);
  }
  EXPECT_GE(failures, 3) << "the pages, the checkpoint, and the control file";
}

TEST_F(CheckpointTest, AFileThatCannotBeSyncedOrReplacedEndsTheServer) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto checkpoint = [&](int64_t n, FaultyFiles::Call kind) {
    MakeHistory();
    FlushLog();
    files_.FailCall(n, EIO, kind);
    Do("checkpoint");
  };
  const std::vector<std::string> syncs = {"sync /data/pages", "sync /data/checkpoint.3",
                                          "sync /data:", "sync /data/control.new", "sync /data:"};
  for (size_t n = 0; n < syncs.size(); ++n) {
    EXPECT_DEATH(checkpoint(static_cast<int64_t>(n), FaultyFiles::Call::kSync),
                 "PANIC: could not " + syncs[n]);
  }
  EXPECT_DEATH(checkpoint(0, FaultyFiles::Call::kRename), "PANIC: could not rename ");
}

// At a start nobody is served yet: it says what is wrong and ends in good order.
TEST_F(CheckpointTest, AFileThatCannotBeSyncedAtAStartIsAnError) {
  MakeHistory();
  const std::string state = State();
  Crash(3);
  files_.FailCall(0, EIO, FaultyFiles::Call::kSync);
  const Status opened = Open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().message, "could not sync /data/pages: Input/output error");
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  EXPECT_EQ(State(), state);
}

TEST_F(CheckpointTest, ShortWritesAndInterruptionsChangeNothing) {
  for (const int64_t bytes : {511, 4001, 8193}) {
    SCOPED_TRACE(fmt::format("{} bytes at a time", bytes));
    MakeHistory();
    const std::string state = State();
    files_.MakeShort(bytes);
    Do("checkpoint");
    Crash(4);
    ASSERT_THAT(Damages(), IsEmpty());
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    EXPECT_EQ(State(), state);
  }
}

}  // namespace
}  // namespace connbench::engine
