// Many sessions at once over a buffer pool much smaller than the data.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "engine/recovery/testing/recovery_test_base.h"

namespace connbench::engine {
namespace {

constexpr int kThreads = 4;
constexpr int kAccounts = 2000;
constexpr int kSteps = 150;

class EvictionStressTest : public ::testing::TestWithParam<IoMethod> {
 protected:
  EvictionStressTest() : folder_(::testing::TempDir() + "eviction_stress." + Unique()) {
    config_ = SmallConfig(folder_);
    config_.shared_buffers_bytes = 64 * kPageSize;
    config_.fsync = false;
    config_.io_method = GetParam();
  }
  ~EvictionStressTest() override { std::filesystem::remove_all(folder_); }
  static std::string Unique() { return std::to_string(getpid()); }

  void Open() {
    auto made = Engine::Create(config_);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    engine_ = std::move(*made);
  }

  const std::string folder_;
  EngineConfig config_;
  std::unique_ptr<Engine> engine_;
};

// Workers are tasks, which there are none of here.
INSTANTIATE_TEST_SUITE_P(Methods, EvictionStressTest,
                         ::testing::Values(IoMethod::kSync, IoMethod::kIoUring),
                         [](const ::testing::TestParamInfo<IoMethod>& method) {
                           return std::string(NameOf(method.param));
                         });

TEST_P(EvictionStressTest, TransfersScansAndUpkeepKeepTheSums) {
  ASSERT_NO_FATAL_FAILURE(Open());
  {
    TestSession session(*engine_, {}, "postgres");
    ASSERT_EQ(session.Error("create table accounts (id int primary key, balance int, pad text)"),
              "ok");
    ASSERT_EQ(session.Error("insert into accounts select g, 100, repeat('x', 1500) "
                            "from generate_series(1, 2000) g"),
              "ok");
    ASSERT_EQ(session.Error("create table history (a int, b int, pad text)"), "ok");
  }
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([this, number, &failures] {
      TestSession session(*engine_, {}, "postgres");
      std::mt19937 random(static_cast<uint32_t>(number));
      const auto must = [&](const std::string& sql) {
        const std::string answer = session.Error(sql);
        if (answer == "ok") return;
        ++failures;
        ADD_FAILURE() << sql << ": " << answer;
      };
      for (int step = 0; step < kSteps; ++step) {
        // In one order, so that nobody waits for each other.
        const int a = static_cast<int>(random() % (kAccounts - 1)) + 1;
        const int b = a + 1 + static_cast<int>(random() % static_cast<uint32_t>(kAccounts - a));
        must("begin");
        must(fmt::format("update accounts set balance = balance - 1 where id = {}", a));
        must(fmt::format("update accounts set balance = balance + 1 where id = {}", b));
        must(fmt::format("insert into history values ({}, {}, repeat('y', 500))", a, b));
        must("commit");
        if (step % 50 == 7) {
          const std::string sum = session.Rows("select sum(balance) from accounts");
          if (sum != "200000") ++failures;
          EXPECT_EQ(sum, "200000");
        }
        if (step % 60 == 11 * number) must("vacuum accounts");
        if (step % 40 == 13 * number) must("checkpoint");
        if (step == 30 && number == 0) must("create index on accounts (balance)");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  for (int reopened = 0; reopened < 2; ++reopened) {
    {
      TestSession session(*engine_, {}, "postgres");
      EXPECT_EQ(session.Rows("select count(*), sum(balance), sum(length(pad)) from accounts"),
                "2000|200000|3000000");
      EXPECT_EQ(session.Rows("select count(*) from history"), std::to_string(kThreads * kSteps));
    }
    if (reopened == 1) break;
    // As after a kill: nothing is written at the end.
    engine_.reset();
    ASSERT_NO_FATAL_FAILURE(Open());
  }
  ASSERT_TRUE(engine_->CloseData().ok());
  engine_.reset();
  const auto verified = VerifyData(
      KernelFiles(), folder_, [](const Status& damage) { ADD_FAILURE() << damage.ToString(); });
  ASSERT_TRUE(verified.ok()) << verified.status().ToString();
}

}  // namespace
}  // namespace connbench::engine
