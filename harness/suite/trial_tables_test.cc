// What a trial found becomes the right rows beside trials.csv.
#include "harness/suite/trial_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::suite {
namespace {

stats::Histogram HistogramOf(int samples) {
  stats::Histogram histogram;
  for (int i = 1; i <= samples; ++i) histogram.Record(i * 1000);
  return histogram;
}

TEST(LatencyTest, NoPercentileIsGivenThatTheSampleCannotCarry) {
  EXPECT_EQ(SamplesNeeded(0.5), 2U);
  EXPECT_EQ(SamplesNeeded(0.99), 100U);
  EXPECT_EQ(SamplesNeeded(0.999), 1000U);
  EXPECT_EQ(PercentileUs(HistogramOf(99), 0.99), std::nullopt);
  EXPECT_NEAR(PercentileUs(HistogramOf(100), 0.99).value_or(0), 99, 0.1);
  const auto ladder = LatencyLadder("connect", HistogramOf(100));
  ASSERT_GE(ladder.size(), 3U);
  EXPECT_EQ(ladder.front().percentile, 0);
  EXPECT_EQ(ladder.front().latency_us, 1);
  // Above it, 100 samples leave the 95 % interval without an upper end.
  EXPECT_EQ(ladder[ladder.size() - 2].percentile, 0.95);
  for (const results::LatencyRow& row : ladder) {
    EXPECT_LE(row.latency_us_low, row.latency_us) << row.percentile;
    EXPECT_GE(row.latency_us_high, row.latency_us) << row.percentile;
  }
  EXPECT_EQ(ladder.back().percentile, 1);
  EXPECT_EQ(ladder.back().latency_us, 100);
  EXPECT_EQ(ladder.back().samples, 100);
  EXPECT_TRUE(LatencyLadder("connect", {}).empty());
}

TEST(LatencyTest, GroupsAndWhatVictimsFeltAreDistributionsOfTheirOwn) {
  load::LoadResult load;
  load.request_time = HistogramOf(10);
  load.transaction_latency = HistogramOf(10);
  load.victims.before = HistogramOf(4);
  load.victims.during = HistogramOf(6);
  load.groups.resize(1);
  load.groups[0].workload = "storm";
  load.groups[0].connect_latency = HistogramOf(3);
  load.groups[0].connects_by_outcome[1] = 7;
  results::TrialRecord record;
  AddDistributions(load, record);
  std::vector<std::string> names;
  for (const results::LatencyRow& row : record.latency) {
    if (names.empty() || names.back() != row.distribution) names.push_back(row.distribution);
  }
  EXPECT_THAT(names, testing::ElementsAre("request", "transaction", "victim_before",
                                          "victim_during", "storm_connect"));
  ASSERT_EQ(record.hgrm.size(), names.size());
  EXPECT_EQ(record.hgrm[4].distribution, "storm_connect");
  EXPECT_EQ(record.hgrm[4].text, load.groups[0].connect_latency.ToHgrm());
  int64_t refused = 0;
  for (const results::ErrorRow& row : MakeErrors(load)) {
    if (row.kind == "connect:storm" && row.outcome == load::kConnectOutcomeNames[1]) {
      refused = row.count.value_or(0);
    }
  }
  EXPECT_EQ(refused, 7);
}

TEST(LatencyTest, AStormsConnectionsAreReadySoLongAfterItsRelease) {
  load::LoadResult load;
  load.pattern = load::Pattern::kStorm;
  load.first_connect_ns = 1'000'000;
  for (int64_t i = 1; i <= 4; ++i) {
    load::ConnectionPhases& connection = load.phases.emplace_back();
    connection.in_window = true;
    connection.connect_begin_ns = load.first_connect_ns + i * 10'000;
    connection.ready_ns = load.first_connect_ns + i * 100'000;
    if (i == 4) connection.outcome = load::ConnectOutcome::kReset;
  }
  results::TrialRecord record;
  AddDistributions(load, record);
  ASSERT_FALSE(record.latency.empty());
  for (const results::LatencyRow& row : record.latency) {
    EXPECT_EQ(row.distribution, "ready_since_release");
  }
  EXPECT_EQ(record.latency.front().latency_us, 100);
  EXPECT_EQ(record.latency.back().latency_us, 300);
  EXPECT_EQ(record.latency.back().samples, 3);
  // What is no storm has no release.
  load.pattern = load::Pattern::kSteady;
  results::TrialRecord none;
  AddDistributions(load, none);
  EXPECT_TRUE(none.latency.empty());
}

TEST(TimeseriesTest, SlicesCarryTheServersSamples) {
  load::LoadResult load;
  constexpr int64_t kMs = kNanosecondsPerMillisecond;
  for (int i = 0; i < 4; ++i) {
    load::Slice slice;
    slice.begin_ns = (1000 + i * 100) * kMs;
    slice.in_window = i > 0;
    slice.transactions_ok = static_cast<uint64_t>(i) * 10;
    load.slices.push_back(slice);
  }
  observe::SamplerReport report;
  // One sample is missing between these; the CPU in between is spread evenly.
  report.samples = {{{1000 * kMs, 1, 5, 100, 0}, 900}, {{1400 * kMs, 2, 6, 200, 200 * kMs}, 800}};
  const auto rows = MakeTimeseries(load, report);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].time_ms, 0);
  EXPECT_EQ(rows[2].time_ms, 200);
  EXPECT_EQ(rows[2].transactions_ok, 30);
  EXPECT_EQ(rows[0].server_rss_kb, 100);
  EXPECT_EQ(rows[2].server_rss_kb, 200);
  EXPECT_NEAR(rows[1].server_cpu_fraction.value_or(0), 0.5, 1e-9);
}

TEST(TimeseriesTest, WithoutSamplesNothingIsSaidOfTheServer) {
  load::LoadResult load;
  load.slices.resize(1);
  load.slices[0].in_window = true;
  const auto rows = MakeTimeseries(load, {});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].server_rss_kb, std::nullopt);
  EXPECT_EQ(rows[0].latency_us_p99, std::nullopt) << "nothing ended in it";
}

TEST(ErrorsTest, OutcomesThatDidNotOccurHaveNoRow) {
  load::LoadResult load;
  EXPECT_TRUE(MakeErrors(load).empty());
  load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kOk)] = 500;
  load.transactions_ok = 1000;
  load.transaction_errors = {{"40001", 3}};
  load.transactions_failed = 3;
  std::vector<std::string> told;
  for (const results::ErrorRow& row : MakeErrors(load)) {
    told.push_back(row.kind + " " + row.outcome + " " + std::to_string(row.count.value_or(0)));
  }
  EXPECT_THAT(told, testing::ElementsAre("connect ok 500", "transaction ok 1000",
                                         "transaction failed 3", "transaction failed_40001 3"));
}

TEST(MemoryTest, AServerThatIsNotSeenHasNoFiguresInItsRows) {
  MemoryCheckpoint unseen;
  unseen.name = "held";
  unseen.host.available_kb = 5;
  const auto rows = MakeMemory({unseen});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].rss_kb, std::nullopt);
  EXPECT_EQ(rows[0].processes, std::nullopt);
  EXPECT_EQ(rows[0].host_mem_available_kb, 5);
}

}  // namespace
}  // namespace connbench::suite
