// Tests: decides when a warm-up is over.
#include "harness/load/warmup_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "harness/load/testing/fake_server.h"
#include "harness/load/testing/load_fixture.h"

namespace connbench::load {
namespace {

constexpr int64_t kMsInNs = kNanosecondsPerMillisecond;
constexpr int64_t kShortest = 50 * kMsInNs;  // slices of 1 ms
constexpr int64_t kLongest = 500 * kMsInNs;

// Adds what a slice holds, one after the other, and asks after each; when it had settled, or -1.
template <typename Transactions, typename Latency>
int64_t SettlesAfterMs(bool open_loop, Transactions transactions, Latency latency_ns) {
  WarmupWatch watch(0, kShortest, kLongest, open_loop);
  for (int64_t ms = 0; ms < 500; ++ms) {
    for (int64_t i = 0; i < transactions(ms); ++i) {
      watch.Add(ms * kMsInNs + 1, latency_ns(ms));
    }
    EXPECT_EQ(watch.end(), kNoDeadline);
    if (watch.Check((ms + 1) * kMsInNs)) {
      EXPECT_EQ(watch.end(), (ms + 1) * kMsInNs);
      return ms + 1;
    }
  }
  return -1;
}

int64_t Same(int64_t /*ms*/) { return 10; }

TEST(WarmupWatch, SteadyThroughputIsSettledAsSoonAsItMayBe) {
  EXPECT_EQ(SettlesAfterMs(false, Same, Same), 51);
}

TEST(WarmupWatch, ThroughputThatStillGrowsIsNot) {
  const int64_t settled = SettlesAfterMs(
      false, [](int64_t ms) { return ms < 150 ? ms / 5 : 30; }, Same);
  EXPECT_GT(settled, 200);
  EXPECT_EQ(SettlesAfterMs(
                false, [](int64_t ms) { return ms / 5; }, Same),
            -1)
      << "never settles";
}

TEST(WarmupWatch, NothingAtAllIsNotSteady) {
  EXPECT_EQ(SettlesAfterMs(
                false, [](int64_t) { return 0; }, Same),
            -1);
}

TEST(WarmupWatch, AnOpenLoopIsJudgedByItsLatency) {
  const auto falling = [](int64_t ms) { return (600 - ms) * kMsInNs; };
  EXPECT_EQ(SettlesAfterMs(true, Same, falling), -1) << "its throughput is constant";
  EXPECT_EQ(SettlesAfterMs(true, Same, Same), 51);
}

LoadConfig Config(const FakeServer& server) {
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 2);
  config.workload.duration_ns = 50 * kMsInNs;
  config.workload.warmup_ns = 50 * kMsInNs;
  return config;
}

TEST(WarmUpOfARun, EndsAtItsBoundAndSaysHowItWent) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = Config(server);
  auto result = RunLoad(config);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->warmup_state == "settled" || result->warmup_state == "unsettled");
  EXPECT_GE(result->warmup_ns, 50 * kMsInNs);
  EXPECT_LE(result->warmup_ns, 500 * kMsInNs);
  EXPECT_GT(result->warmup_transactions, 0U);

  config.workload.warmup_max_ns = config.workload.warmup_ns;
  result = RunLoad(config);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->warmup_state, "fixed");
  EXPECT_EQ(result->warmup_ns, 50 * kMsInNs);

  config.workload.warmup_ns = 0;
  result = RunLoad(config);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->warmup_state, "none");
  EXPECT_EQ(result->warmup_transactions, 0U);
}

// A server that does nothing for most of the warm-up and then begins.
TEST(WarmUpOfARun, OneThatNeverSettlesSaysSo) {
  FakeServer server({Behaviour::kServe});
  server.Pause();
  LoadConfig config = Config(server);
  config.workload.warmup_ns = 200 * kMsInNs;
  config.workload.warmup_max_ns = 600 * kMsInNs;
  std::thread beginner([&] {
    AwaitThat([&server] { return server.Received('Q') > 0; });
    usleep(500'000);
    server.Resume();
  });
  const auto result = RunLoad(config);
  beginner.join();
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->warmup_state, "unsettled");
  EXPECT_EQ(result->warmup_ns, 600 * kMsInNs);
}

}  // namespace
}  // namespace connbench::load
