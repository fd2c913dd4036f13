// Commits that wait for the log beside somebody else who is at it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/testing/wait_until.h"
#include "engine/recovery/testing/recovery_test_base.h"

namespace connbench::engine {
namespace {

// "S" while the thread sleeps in the kernel.
char StateOfThread(pid_t thread) {
  std::ifstream file(fmt::format("/proc/self/task/{}/stat", thread));
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');
  return name_end == std::string::npos ? '?' : text[name_end + 2];
}

class CommitWaitTest : public RecoveryTest {
 protected:
  ~CommitWaitTest() override {
    if (!committing_.joinable()) return;
    if (!committed_) {  // another commit wakes it, so that the test ends
      TestSession(*engine_, std::vector<StartupParameter>{}, "postgres")
          .Run("create table b (a int)");
    }
    committing_.join();
    Close();
  }

  void OpenWithTable() {
    MustOpen();
    Do("create table t (a int)");
    auto segment = Segment::Attach(engine_->segment_name(), /*read_only=*/false);
    ASSERT_TRUE(segment.ok()) << segment.status().ToString();
    segment_ = std::move(*segment);
    log_ = std::make_unique<Log>(*segment_, files_, config_);
  }
  // Begins a commit on another thread, and returns when it sleeps.
  void Commit() {
    committing_ = std::thread([this] {
      thread_ = gettid();
      Do("insert into t values (1)");
      committed_ = true;
    });
    EXPECT_TRUE(WaitUntil([this] { return SomebodyWaits() && StateOfThread(thread_) == 'S'; }));
  }
  bool SomebodyWaits() const {
    for (uint32_t session = 0; session < log_->header().session_count; ++session) {
      if (log_->WaitsFor(session) != kNoLsn) return true;
    }
    return false;
  }
  bool Committed() {
    return WaitUntil([this] { return committed_.load(); });
  }

  std::unique_ptr<Segment> segment_;
  std::unique_ptr<Log> log_;

 private:
  std::atomic<pid_t> thread_ = 0;
  std::atomic<bool> committed_ = false;
  std::thread committing_;
};

// An insert that found the ring full writes the log, too, and rings nobody.
TEST_F(CommitWaitTest, ACommitThatMeetsAnotherWriterOfTheLogDoesNotSleepForEver) {
  ASSERT_NO_FATAL_FAILURE(OpenWithTable());
  log_->header().write.LockExclusive();
  Commit();
  log_->header().write.UnlockExclusive();
  EXPECT_TRUE(Committed());
}

// The session that flushes has looked for those who wait, and rung another: that one finds its own
// place on disk, and leaves.
TEST_F(CommitWaitTest, ACheckpointWakesTheCommitsThatItHasBroughtToDisk) {
  ASSERT_NO_FATAL_FAILURE(OpenWithTable());
  TestSession other(*engine_, std::vector<StartupParameter>{}, "postgres");
  log_->header().flush.LockExclusive();
  Commit();
  // On a thread that does not hold that latch.
  std::thread([&] { EXPECT_EQ(other.Error("checkpoint"), "ok"); }).join();
  EXPECT_TRUE(Committed());
  log_->header().flush.UnlockExclusive();
}

// Such a transaction is written down as not committed, so recovery has to see its record.
TEST_F(CommitWaitTest, ACheckpointBesideACommitThatIsNotToldYetBeginsBeforeItsRecord) {
  ASSERT_NO_FATAL_FAILURE(OpenWithTable());
  EXPECT_EQ(log_->ChooseRedoPoint().lsn, log_->inserted());
  log_->header().write.LockExclusive();
  Commit();
  EXPECT_LT(log_->ChooseRedoPoint().lsn, log_->inserted());
  log_->header().write.UnlockExclusive();
  EXPECT_TRUE(Committed());
  EXPECT_EQ(log_->ChooseRedoPoint().lsn, log_->inserted());
}

}  // namespace
}  // namespace connbench::engine
