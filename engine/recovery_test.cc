// What a data directory keeps, whatever the disk and the moment of a crash.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/generated.h"
#include "engine/recovery/control_file.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/page_places.h"
#include "engine/recovery/testing/recovery_test_base.h"

namespace connbench::engine {
namespace {

TEST_F(RecoveryTest, DataAreKeptOverAShutdown) {
  MustOpen();
  Do("create table t (a int primary key, b text)");
  Do("insert into t select g, 'row ' || g from generate_series(1, 3000) g");
  Do("create sequence s start 7");
  EXPECT_EQ(Rows("select nextval('s'), nextval('s')"), "7|8");
  Do("create role anna login");
  Close();
  MustOpen();
  EXPECT_EQ(engine_->recovery_report(), "");
  EXPECT_EQ(Rows("select count(*), sum(a), max(b) from t"), "3000|4501500|row 999");
  EXPECT_EQ(Rows("select b from t where a = 1234"), "row 1234");
  EXPECT_EQ(Rows("select nextval('s')"), "9");
  EXPECT_TRUE(engine_->roles_changed());
  EXPECT_NE(session_->Error("create role anna"), "ok");
  EXPECT_NE(session_->Error("insert into t values (1234, 'again')"), "ok");
  CheckIntegrity();
  Close();
}

TEST_F(RecoveryTest, WhatWasCommittedIsThereAfterACrashAndNothingElse) {
  MustOpen();
  Do("create table t (a int primary key, b int)");
  Do("insert into t select g, 0 from generate_series(1, 500) g");
  Do("update t set b = 1 where a <= 100");
  Do("begin; savepoint s; update t set b = 2 where a > 400; rollback to s; delete from t where a = "
     "500; commit");
  Do("create table dropped (a int); insert into dropped values (1); drop table dropped");
  Do("begin; create table never (a int primary key); insert into never values (1); "
     "update t set b = 3; delete from t where a < 50");
  Crash(1);
  MustOpen();
  EXPECT_NE(engine_->recovery_report(), "");
  EXPECT_EQ(Rows("select count(*), sum(b) from t"), "499|100");
  EXPECT_NE(session_->Error("select * from never"), "ok");
  EXPECT_NE(session_->Error("select * from dropped"), "ok");
  CheckIntegrity();
  // Its rows' places and its xids are of use again.
  Do("update t set b = b + 1");
  Do("vacuum t");
  Do("insert into t select g, 1 from generate_series(1000, 1500) g");
  EXPECT_EQ(Rows("select count(*), sum(b) from t"), "1000|1100");
  CheckIntegrity();
  Crash(2);
  MustOpen();
  EXPECT_EQ(Rows("select count(*), sum(b) from t"), "1000|1100");
}

TEST_F(RecoveryTest, AbortedRowsStayAbortedWhenTheCommitLogForgetsThem) {
  MustOpen();
  Do("create table t (a int primary key)");
  Do("insert into t values (1)");
  for (int i = 0; i < 20; ++i) Do("begin; insert into t values (2); rollback");
  Do("vacuum");
  Do("checkpoint");
  for (int i = 0; i < 2500; ++i) Do("update t set a = 1");
  Do("vacuum");
  Crash(3);
  MustOpen();
  EXPECT_EQ(Rows("select a from t"), "1");
  EXPECT_EQ(Rows("select count(*) from t where a = 2"), "0");
}

TEST_F(RecoveryTest, ASequenceValueThatAClientHasSeenIsNotGivenAgain) {
  MustOpen();
  Do("create sequence s");
  EXPECT_EQ(Rows("select nextval('s')"), "1");
  EXPECT_EQ(Rows("select nextval('s')"), "2");
  Crash(4);
  MustOpen();
  EXPECT_EQ(Rows("select nextval('s')"), "3");
}

// What it still holds are sound records of other places.
TEST_F(RecoveryTest, ALogFileThatIsNeededNoMoreIsUsedAgain) {
  const std::string spare = SpareLogFilePath(kFolder, 0);
  MustOpen();
  Do("create table t (a int primary key)");
  Do("insert into t select g from generate_series(1, 5000) g");
  const auto fill_a_log_file = [&] {
    for (int i = 0; i < 20; ++i) Do("update t set a = a + 10000");
  };
  fill_a_log_file();
  Do("checkpoint");
  EXPECT_THAT(files_.Paths(), ::testing::Contains(spare));
  fill_a_log_file();
  EXPECT_THAT(files_.Paths(), ::testing::Not(::testing::Contains(spare)));
  Do("begin; update t set a = a + 10000 where a % 2 = 0");
  Crash(12);
  EXPECT_THAT(Damages(), ::testing::IsEmpty());
  MustOpen();
  EXPECT_EQ(Rows("select count(*), min(a), max(a) from t"), "5000|400001|405000");
  CheckIntegrity();
}

using RecoveryTestGenerated = RecoveryTest;

// A session works through random transactions, and somewhere the power fails, maybe amid a write:
// what is there afterwards is what had been answered by then, or one transaction more.
TEST_F(RecoveryTestGenerated, AnyMomentOfACrashLeavesTheStateOfACommit) {
  const int cases = testing::GeneratedCases(40);
  for (int index = 0; index < cases; ++index) {
    const uint64_t seed = testing::GeneratedSeed() + static_cast<uint64_t>(index);
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    files_ = {};
    MustOpen();
    Do("create table accounts (id int primary key, balance int, note text)");
    Do("insert into accounts select g, 100, '' from generate_series(1, 20) g");
    struct Answered {
      int64_t calls;
      std::string state;
    };
    const char* look =
        "select string_agg(id || ':' || balance || ':' || length(note), ' ' order by "
        "id) from accounts";
    std::vector<Answered> answered = {{files_.calls(), Rows(look)}};
    files_.CrashAtCall(1 + static_cast<int64_t>(random() % 150), seed);
    for (int step = 0; step < 60; ++step) {
      switch (random() % 10) {
        case 0:
          Do("checkpoint");
          break;
        case 1:  // splits of the index
          Do(
              fmt::format("insert into accounts select g, 1, repeat('x', 100) from "
                          "generate_series({0}, {0} + 300) g",
                          1000 * (step + 1)));
          break;
        case 2:
          Do("delete from accounts where id > 1000 and id % 3 = 0");
          Do("vacuum accounts");
          break;
        case 3:
          Do("create table other (a int primary key); insert into other values (1); drop table "
             "other");
          break;
        case 4:
          Do("begin; update accounts set balance = 0; rollback");
          break;
        default:
          Do(
              fmt::format("begin; update accounts set balance = balance - {0} where id = {1}; "
                          "update accounts set balance = balance + {0} where id = {2}; commit",
                          random() % 50, 1 + random() % 20, 1 + random() % 20));
      }
      answered.push_back({files_.calls(), Rows(look)});
    }
    const int64_t crash_at = files_.crash_at();
    session_.reset();
    engine_.reset();
    files_.Restart();
    EXPECT_THAT(Damages(), ::testing::IsEmpty());
    MustOpen();
    const std::string state = Rows(look);
    size_t last = 0;
    while (last + 1 < answered.size() && answered[last + 1].calls < crash_at) ++last;
    const bool next = last + 1 < answered.size() && state == answered[last + 1].state;
    EXPECT_TRUE(state == answered[last].state || next)
        << "after call " << crash_at << ": " << state << "\nexpected " << answered[last].state;
    CheckIntegrity();
    // What recovery made is kept, too.
    Do("insert into accounts select g, 1, '' from generate_series(100000, 100500) g");
    Crash(seed);
    EXPECT_THAT(Damages(), ::testing::IsEmpty());
    MustOpen();
    EXPECT_EQ(Rows("select count(*) from accounts where id >= 100000"), "501");
    CheckIntegrity();
    if (HasFailure()) return;
  }
}

TEST_F(RecoveryTest, ShortCountsAndInterruptionsChangeNothing) {
  files_.MakeShort(4001);
  MustOpen();
  Do("create table t (a int primary key)");
  Do("insert into t select g from generate_series(1, 2000) g");
  Crash(5);
  MustOpen();
  EXPECT_EQ(Rows("select count(*), sum(a) from t"), "2000|2001000");
}

// Whatever call of a start fails: the start says so, and the next one finds everything.
TEST_F(RecoveryTest, AStartThatFailsAnywhereLosesNothing) {
  MustOpen();
  Do("create table t (a int primary key)");
  Do("insert into t select g from generate_series(1, 100) g");
  Crash(6);
  int64_t failures = 0;
  for (const int error : {EIO, ENOSPC}) {
    for (int64_t call = 0;; ++call) {
      files_.FailCall(call, error);
      const Status opened = Open();
      if (!files_.failed()) break;  // the start needs no more calls
      ++failures;
      if (!opened.ok()) {
        EXPECT_TRUE(opened.code() == sqlstate::kIoError || opened.code() == sqlstate::kDiskFull)
            << opened.ToString();
        EXPECT_NE(opened.error().message.find(kFolder), std::string::npos) << opened.ToString();
      }
      MustOpen();
      ASSERT_EQ(Rows("select count(*), sum(a) from t"), "100|5050");
    }
    files_.FailCall(-1, 0);
  }
  EXPECT_GT(failures, 20);
}

// Then another one fails while it writes, and the server is killed.
TEST_F(RecoveryTest, ACheckpointThatFailsAnywhereLosesNothing) {
  const auto checkpoint_files = [&] {
    const std::vector<std::string> paths = files_.Paths();
    return std::count_if(paths.begin(), paths.end(), [](const std::string& path) {
      return path.starts_with("/data/checkpoint.");
    });
  };
  // After removing what may be there, and making it anew; the pages file is open.
  constexpr int64_t kFirstWrite = 2;
  MustOpen();
  Do("create table t (a int)");
  Do("insert into t select g from generate_series(1, 100) g");
  bool failed = true;
  for (int64_t call = 0; failed; ++call) {
    SCOPED_TRACE(call);
    Do("checkpoint");  // the next one has nothing to write to the log, which would be a PANIC
    files_.FailCall(call, ENOSPC, FaultyFiles::Call::kAllButSyncs);
    const std::string told = session_->Error("checkpoint");
    failed = files_.failed();
    EXPECT_EQ(told == "ok", !failed) << told;
    // The space that it took is needed for the log.
    if (call == kFirstWrite) {
      EXPECT_EQ(checkpoint_files(), 1);
    }
    files_.FailCall(kFirstWrite, ENOSPC);
    EXPECT_THAT(session_->Error("checkpoint"), ::testing::StartsWith("53100"));
    EXPECT_LE(checkpoint_files(), 2);
    const Status opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.ToString();
    EXPECT_EQ(Rows("select count(*), sum(a) from t"), "100|5050");
  }
}

TEST_F(RecoveryTest, AnIndexBuiltOverManyEqualKeysIsInOrder) {
  MustOpen();
  Do("create table t (a int, b text)");
  Do("insert into t select g, 'the same' from generate_series(1, 5000) g");
  Do("create index on t (b)");
  CheckIntegrity();
  EXPECT_EQ(Rows("select count(*) from t where b = 'the same'"), "5000");
}

TEST_F(RecoveryTest, FilesWithOtherNamesAreLeftAlone) {
  MustOpen();
  Do("create table t (a int)");
  const std::vector<std::string> others = {"/data/checkpoint.1.old", "/data/checkpoint.",
                                           "/data/wal/FFFFFFFFFFFFFFFF", "/data/wal/bad",
                                           "/data/wal/00000000000000ab"};
  for (const std::string& path : others) {
    std::unique_ptr<File> file;
    ASSERT_EQ(files_.Open(path, OpenMode::kMakeNew, file), 0);
  }
  for (int rows = 0; rows < 3; ++rows) {
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    EXPECT_EQ(Rows("select count(*) from t"), std::to_string(rows));
    Do("insert into t values (1)");
    Do("checkpoint");
  }
  EXPECT_THAT(files_.Paths(), ::testing::IsSupersetOf(others));
  session_.reset();
  engine_.reset();
  EXPECT_THAT(Damages(), ::testing::IsEmpty());
}

TEST_F(RecoveryTest, ALogThatCannotBeWrittenEndsTheServer) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto commit = [&](int64_t call, int error) {
    MustOpen();
    Do("create table t (a int)");
    files_.FailCall(call, error);
    Do("insert into t values (1)");
  };
  // The commit's first call writes the record, its second syncs it.
  EXPECT_DEATH(commit(0, ENOSPC),
               "PANIC: .*could not write .* to /data/wal/0000000000000001 at offset");
  EXPECT_DEATH(commit(1, EIO), "PANIC: .*could not sync /data/wal/0000000000000001");
}

class RefusalTest : public RecoveryTest {
 protected:
  // The start is refused with a message that has all of the texts, and no file has changed.
  void ExpectRefusal(const std::vector<std::string>& texts) {
    std::vector<std::pair<std::string, std::string>> before;
    for (const std::string& path : files_.Paths()) before.emplace_back(path, files_.Bytes(path));
    const Status opened = Open();
    ASSERT_FALSE(opened.ok());
    for (const std::string& text : texts) {
      EXPECT_NE(opened.error().message.find(text), std::string::npos) << opened.ToString();
    }
    std::erase_if(before, [](const auto& entry) { return entry.first.ends_with("/lock"); });
    for (const auto& [path, bytes] : before) EXPECT_TRUE(files_.Bytes(path) == bytes) << path;
  }
  // The same, and `connbench verify` says it too.
  void ExpectDamage(const std::vector<std::string>& texts) {
    SCOPED_TRACE(texts[0]);
    ExpectRefusal(texts);
    EXPECT_EQ(Open().code(), sqlstate::kDataCorrupted);
    const std::vector<std::string> damages = Damages();
    ASSERT_FALSE(damages.empty());
    for (const std::string& text : texts) EXPECT_THAT(damages[0], ::testing::HasSubstr(text));
  }
  void MakeData() {
    MustOpen();
    Do("create table t (a int primary key)");
    Do("insert into t select g from generate_series(1, 5000) g");
  }
  // Where the pages of the last checkpoint begin, in the order in which they are read.
  std::vector<int64_t> PageOffsets() {
    const ControlFile control = *ReadControlFile(files_, kFolder);
    const PagePlaces places = *ReadPagePlaces(
        files_, CheckpointPath(kFolder, control.checkpoint_number), control.log_number);
    std::vector<int64_t> offsets;
    for (const auto& [storage, of_storage] : places) {
      for (const PagePlace& place : of_storage) {
        offsets.push_back(int64_t{place.place} * kPageSize);
      }
    }
    return offsets;
  }
  void Rewrite(const ControlFile& control) {
    const Status written = WriteControlFile(files_, kFolder, control);
    ASSERT_TRUE(written.ok()) << written.ToString();
  }
};

TEST_F(RefusalTest, ADamagedFileIsNamedWithThePlace) {
  MakeData();
  Close();
  EXPECT_THAT(Damages(), ::testing::IsEmpty());
  files_.Damage("/data/control", 30);
  ExpectDamage({"/data/control, offset 64: the checksum is wrong"});
  files_.Damage("/data/control", 30);
  const ControlFile control = *ReadControlFile(files_, kFolder);
  const std::string checkpoint = CheckpointPath(kFolder, control.checkpoint_number);
  files_.Damage(checkpoint, 500);
  ExpectDamage({checkpoint + ", offset ", "checksum is wrong"});
  files_.Damage(checkpoint, 500);
  const std::vector<int64_t> pages = PageOffsets();
  for (const int64_t page : {pages[0], pages[10], pages[20]}) {
    files_.Damage(PagesPath(kFolder), page + 3000);
  }
  ExpectDamage({fmt::format("/data/pages, offset {}: page ", pages[0]), ": the checksum is wrong"});
  EXPECT_THAT(Damages(), ::testing::SizeIs(3));
}

TEST_F(RefusalTest, AFileThatIsMissingOrShortIsNamed) {
  MakeData();
  for (int i = 0; i < 20; ++i) Do("update t set a = a + 10000");  // more than one log file
  Crash(8);
  const FaultyFiles whole = files_;
  const std::string log = LogFilePath(kFolder, 1);
  files_.Cut(log, 1'000'000);
  ExpectDamage({log + ", offset 1000000: the file ends here, 15777216 bytes too early"});
  files_ = whole;
  ASSERT_EQ(files_.Remove(log), 0);
  ExpectDamage({log + ", offset 0: the file is missing"});
  files_ = whole;
  const std::string checkpoint =
      CheckpointPath(kFolder, ReadControlFile(files_, kFolder)->checkpoint_number);
  const auto half = static_cast<int64_t>(files_.Bytes(checkpoint).size() / 2);
  files_.Cut(checkpoint, half);
  ExpectDamage({fmt::format("{}, offset {}: the file ends here", checkpoint, half)});
  files_ = whole;
  ASSERT_EQ(files_.Remove(checkpoint), 0);
  ExpectDamage({checkpoint + ", offset 0: the file is missing"});
  files_ = whole;
  const std::vector<int64_t> pages = PageOffsets();
  const int64_t end = *std::max_element(pages.begin(), pages.end()) + 1000;
  files_.Cut(PagesPath(kFolder), end);
  ExpectDamage({fmt::format("/data/pages, offset {}: the file ends here, 7192 bytes", end)});
  files_ = whole;
  ASSERT_EQ(files_.Remove(PagesPath(kFolder)), 0);
  ExpectDamage({"/data/pages, offset 0: the file is missing"});
}

// Nothing behind the checkpoint is needed by it, but that there was a file is sure.
TEST_F(RefusalTest, TheLogsOnlyFileIsMissedIfACheckpointStandsInIt) {
  MakeData();
  Do("checkpoint");
  Do("insert into t values (6000)");
  Crash(11);
  const FaultyFiles whole = files_;
  const ControlFile control = *ReadControlFile(files_, kFolder);
  const std::string log = LogFilePath(kFolder, control.complete / kLogFileBytes);
  const auto end = static_cast<int64_t>(control.complete % kLogFileBytes);
  ASSERT_GT(end, 0);
  ASSERT_EQ(files_.Remove(log), 0);
  ExpectDamage({log + ", offset 0: the file is missing"});
  files_ = whole;
  files_.Cut(log, end);
  ExpectDamage({fmt::format("{}, offset {}: the file ends here", log, end)});
}

TEST_F(RefusalTest, DamageBeforeALaterCommitIsNotTakenForTheLogsEnd) {
  MakeData();
  const Lsn damaged = LogEnd();
  Do("update t set a = 10000 where a = 1");
  Do("update t set a = 30000 where a = 2");
  Do("update t set a = 20000 where a = 3");
  Crash(9);
  files_.Damage(LogFilePath(kFolder, 1), static_cast<int64_t>(damaged % kLogFileBytes) + 20);
  ExpectDamage({fmt::format("/data/wal/0000000000000001, offset {}: no sound record begins here",
                            damaged % kLogFileBytes),
                "was written when this place was on disk"});
}

// As after a crash that tore it: nobody can tell.
TEST_F(RefusalTest, DamageToTheLastCommitIsTakenForTheLogsEnd) {
  MakeData();
  const Lsn damaged = LogEnd();
  Do("update t set a = 10000 where a = 1");
  Crash(10);
  files_.Damage(LogFilePath(kFolder, 1), static_cast<int64_t>(damaged % kLogFileBytes) + 20);
  EXPECT_THAT(Damages(), ::testing::IsEmpty());
  MustOpen();
  EXPECT_EQ(Rows("select count(*) from t where a = 1"), "1");
}

TEST_F(RefusalTest, DamageAmidTheLogIsNotTakenForItsEnd) {
  MakeData();
  for (int i = 0; i < 20; ++i) Do("update t set a = a + 10000");  // more than one file
  Crash(7);
  const ControlFile control = *ReadControlFile(files_, kFolder);
  files_.Damage(LogFilePath(kFolder, control.redo / kLogFileBytes),
                static_cast<int64_t>(control.redo % kLogFileBytes) + 5000);
  ExpectDamage({"/data/wal/0000000000000001, offset ", "the log goes on in later files"});
}

TEST_F(RefusalTest, AnotherVersionOrPageSizeOrSettingIsRefused) {
  MakeData();
  Close();
  const ControlFile control = *ReadControlFile(files_, kFolder);
  ControlFile other = control;
  other.format_version = 99;
  Rewrite(other);
  ExpectRefusal({"/data/control, offset 8: the data directory has format version 99"});
  other = control;
  other.page_bytes = 4096;
  Rewrite(other);
  ExpectRefusal({"/data/control, offset 12: the data directory has pages of 4096 bytes"});
  Rewrite(control);
  config_.max_relations = 5000;
  ExpectRefusal({"was made with max_relations=100"});
  config_.max_relations = 100;
  // A pool that is smaller than the data is not.
  config_.shared_buffers_bytes = 128 << 10;
  ASSERT_NO_FATAL_FAILURE(MustOpen());
  EXPECT_EQ(Rows("select count(*) from t"), "5000");
}

TEST_F(RefusalTest, AFolderWithOtherFilesIsLeftAlone) {
  std::unique_ptr<File> file;
  ASSERT_EQ(files_.MakeFolder(kFolder), 0);
  ASSERT_EQ(files_.Open("/data/thesis.txt", OpenMode::kMakeNew, file), 0);
  ExpectRefusal({"/data is no data directory of connbench: it holds \"thesis.txt\""});
}

}  // namespace
}  // namespace connbench::engine
