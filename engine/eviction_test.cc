// A buffer pool much smaller than the data: what statements do is what it would be without, also
// after crashes and with files that misbehave.
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <vector>

#include "engine/recovery/control_file.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/page_places.h"
#include "engine/recovery/testing/recovery_test_base.h"

namespace connbench::engine {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr int64_t kPoolPages = 48;
constexpr int kRows = 3000;  // seven on a page, and two indexes

class EvictionTest : public RecoveryTest {
 protected:
  EvictionTest() { config_.shared_buffers_bytes = kPoolPages * kPageSize; }

  static std::string Padding(uint64_t seed) {
    return fmt::format("{:040x}{}", seed * 0x9E3779B97F4A7C15u, std::string(900, 'x'));
  }
  void MakeRows() {
    MustOpen();
    Do("create table t (a int primary key, b text)");
    Do("create index t_b on t (b)");
    for (int first = 0; first < kRows; first += 100) {
      std::string sql = "insert into t values ";
      for (int a = first; a < first + 100; ++a) {
        rows_[a] = Padding(static_cast<uint64_t>(a));
        sql += fmt::format("{}({}, '{}')", a == first ? "" : ", ", a, rows_[a]);
      }
      Do(sql);
    }
  }
  PagePlaces Places() {
    const ControlFile control = *ReadControlFile(files_, kFolder);
    return *ReadPagePlaces(files_, CheckpointPath(kFolder, control.checkpoint_number),
                           control.log_number);
  }
  void CheckRow(int a) {
    const auto row = rows_.find(a);
    ASSERT_EQ(Rows(fmt::format("select b from t where a = {}", a)),
              row == rows_.end() ? "" : row->second);
  }
  // By a scan of the table, then row by row through the index.
  void CheckAll() {
    int64_t sum = 0;
    for (const auto& [a, b] : rows_) sum += a;
    ASSERT_EQ(Rows("select count(*), sum(a) from t"), fmt::format("{}|{}", rows_.size(), sum));
    std::string all;
    for (const auto& [a, b] : rows_) all += fmt::format("{}{}|{}", all.empty() ? "" : " ", a, b);
    ASSERT_EQ(Rows("select a, b from t order by a"), all);
  }
  // One statement that the model does, too.
  void Change(std::mt19937_64& random) {
    const int a = static_cast<int>(random() % (kRows + kRows / 10));
    const bool there = rows_.contains(a);
    switch (random() % 5) {
      case 0:
        Do(fmt::format("delete from t where a = {}", a));
        rows_.erase(a);
        break;
      case 1: {
        Do("begin");
        Do(fmt::format("update t set b = 'undone' where a between {} and {}", a, a + 20));
        Do("rollback");
        break;
      }
      case 2:
        CheckRow(a);
        break;
      default: {
        const std::string b = Padding(random());
        Do(there ? fmt::format("update t set b = '{}' where a = {}", b, a)
                 : fmt::format("insert into t values ({}, '{}')", a, b));
        rows_[a] = b;
      }
    }
  }

  std::map<int, std::string> rows_;
};

class EvictionTestGenerated : public EvictionTest,
                              public ::testing::WithParamInterface<uint64_t> {};

TEST_P(EvictionTestGenerated, RandomChangesAreThereAfterCrashes) {
  std::mt19937_64 random(GetParam());
  ASSERT_NO_FATAL_FAILURE(MakeRows());
  for (int round = 0; round < 6; ++round) {
    SCOPED_TRACE(round);
    for (int i = 0; i < 150; ++i) {
      ASSERT_NO_FATAL_FAILURE(Change(random));
      if (random() % 60 == 0) Do("checkpoint");
      if (random() % 100 == 0) Do("vacuum t");
      if (random() % 150 == 0) Do("create index more on t (b); drop index more");
    }
    ASSERT_NO_FATAL_FAILURE(CheckAll());
    if (round % 2 == 0) {
      Crash(random());
      ASSERT_THAT(Damages(), IsEmpty());
    } else {
      Close();
    }
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    ASSERT_NO_FATAL_FAILURE(CheckAll());
  }
  Close();
  EXPECT_THAT(Damages(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, EvictionTestGenerated, ::testing::Range<uint64_t>(1, 4));

TEST_F(EvictionTest, DataAreTenTimesThePool) {
  ASSERT_NO_FATAL_FAILURE(MakeRows());
  Do("checkpoint");
  int64_t pages = 0;
  for (const auto& [storage, places] : Places()) pages += std::ssize(places);
  EXPECT_GE(pages, 10 * kPoolPages);
  ASSERT_NO_FATAL_FAILURE(CheckAll());
}

// At any call of any kind of the files, also those of evictions between checkpoints.
TEST_F(EvictionTest, ACrashAtAnyMomentLosesNothingThatWasAnswered) {
  ASSERT_NO_FATAL_FAILURE(MakeRows());
  Do("checkpoint");
  std::mt19937_64 random(7);
  for (int crash = 0; crash < 12; ++crash) {
    SCOPED_TRACE(crash);
    files_.CrashAtCall(1 + static_cast<int64_t>(random() % 300), random());
    std::map<int, std::string> before;
    while (files_.calls() < files_.crash_at()) {
      before = rows_;
      ASSERT_NO_FATAL_FAILURE(Change(random));
      if (random() % 20 == 0) Do("checkpoint");
    }
    Crash(0, /*crashed=*/true);
    ASSERT_THAT(Damages(), IsEmpty());
    ASSERT_NO_FATAL_FAILURE(MustOpen());
    // The last one may be there or not.
    const std::string count = Rows("select count(*), sum(a), sum(length(b)) from t");
    const auto expected = [](const std::map<int, std::string>& rows) {
      int64_t sum = 0;
      size_t length = 0;
      for (const auto& [a, b] : rows) {
        sum += a;
        length += b.size();
      }
      return fmt::format("{}|{}|{}", rows.size(), sum, length);
    };
    if (count != expected(rows_)) {
      ASSERT_EQ(count, expected(before));
      rows_ = before;
    }
    for (auto& [a, b] : rows_) b = Rows(fmt::format("select b from t where a = {}", a));
    ASSERT_NO_FATAL_FAILURE(CheckAll());
  }
}

class EvictionByMethod : public EvictionTest, public ::testing::WithParamInterface<IoMethod> {
 protected:
  EvictionByMethod() { config_.io_method = GetParam(); }
};

// Workers are tasks, which there are none of here.
INSTANTIATE_TEST_SUITE_P(Methods, EvictionByMethod,
                         ::testing::Values(IoMethod::kSync, IoMethod::kIoUring),
                         [](const ::testing::TestParamInfo<IoMethod>& method) {
                           return std::string(NameOf(method.param));
                         });

TEST_P(EvictionByMethod, APageThatCannotBeReadFailsTheStatementAlone) {
  ASSERT_NO_FATAL_FAILURE(MakeRows());
  int failures = 0;
  for (int64_t call = 0; call < 400; call += 13) {
    files_.FailCall(call, EIO, FaultyFiles::Call::kRead);
    const std::string answer = session_->Error(
        call % 2 == 0 ? "select sum(length(b)) from t" : "update t set b = b where a % 50 = 1");
    if (!files_.failed()) {
      EXPECT_EQ(answer, "ok");
      files_.FailCall(-1, 0);
    } else {
      ++failures;
      EXPECT_THAT(answer, StartsWith("58030"));
    }
  }
  EXPECT_GT(failures, 10);
  ASSERT_NO_FATAL_FAILURE(CheckAll());
  Close();
  EXPECT_THAT(Damages(), IsEmpty());
}

TEST_P(EvictionByMethod, ADamagedPageFailsTheStatementAlone) {
  ASSERT_NO_FATAL_FAILURE(MakeRows());
  // A scan leaves its last pages in the pool. The second checkpoint finds all pages where they are.
  Do("checkpoint");
  Do("select sum(length(b)) from t");
  Do("checkpoint");
  std::vector<int64_t> offsets;
  for (const auto& [storage, places] : Places()) {
    if (places.size() > 2 * kPoolPages) {
      offsets.push_back(int64_t{places[5].place} * kPageSize + 4000);
    }
  }
  ASSERT_FALSE(offsets.empty());
  for (const int64_t offset : offsets) files_.Damage(PagesPath(kFolder), offset);
  EXPECT_THAT(session_->Error("select sum(length(b)) from t"),
              StartsWith("XX001 0 /data/pages, offset "));
  for (const int64_t offset : offsets) files_.Damage(PagesPath(kFolder), offset);
  ASSERT_NO_FATAL_FAILURE(CheckAll());
}

TEST_F(EvictionTest, AFullDiskFailsTheStatementAndLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(MakeRows());
  Do("checkpoint");
  Do("begin");
  EXPECT_EQ(session_->Error("update t set b = b where a % 7 = 1 and a < 300"), "ok");
  // The log has room in memory.
  files_.SetFull(true);
  EXPECT_THAT(session_->Error("update t set b = b where a % 7 = 1 and a > 2000"),
              StartsWith("53100"));
  files_.SetFull(false);
  Do("rollback");
  ASSERT_NO_FATAL_FAILURE(CheckAll());
  Do("update t set b = b where a % 7 = 1 and a > 2000");
  ASSERT_NO_FATAL_FAILURE(CheckAll());
  Close();
  EXPECT_THAT(Damages(), IsEmpty());
}

}  // namespace
}  // namespace connbench::engine
