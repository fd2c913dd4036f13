#include "harness/suite/trial_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::suite {
namespace {

using testing::HasSubstr;

MemoryCheckpoint At(const char* name, int64_t connections, int64_t private_kb) {
  MemoryCheckpoint checkpoint;
  checkpoint.name = name;
  checkpoint.connections_up = connections;
  checkpoint.tree.pss_anon_kb = private_kb;
  return checkpoint;
}

double PrivateSlope(const std::vector<MemoryCheckpoint>& checkpoints) {
  return MemorySlope(checkpoints, [](const MemoryCheckpoint& c) { return c.tree.pss_anon_kb; })
      .estimate;
}

TEST(MemorySlopeTest, IsGrowthPerConnectionWhateverTheServerHeldBefore) {
  EXPECT_DOUBLE_EQ(PrivateSlope({At("before", 0, 5000), At("held", 100, 5700)}), 7);
  EXPECT_DOUBLE_EQ(PrivateSlope({At("before", 0, 5000), At("held", 50, 5350), At("held", 100, 5700),
                                 At("held", 200, 6400)}),
                   7);
  // What transactions touched later is not the price of a connection.
  EXPECT_DOUBLE_EQ(
      PrivateSlope({At("before", 0, 0), At("held", 100, 700), At("after", 100, 90'000)}), 7);
  EXPECT_EQ(PrivateSlope({At("before", 0, 5000)}), 0);
  EXPECT_EQ(PrivateSlope({}), 0);
}

TEST(MemorySlopeTest, HasAnIntervalFromThreeConnectionCountsOn) {
  const auto slope = [](const std::vector<MemoryCheckpoint>& checkpoints) {
    return MemorySlope(checkpoints, [](const MemoryCheckpoint& c) { return c.tree.pss_anon_kb; });
  };
  const stats::Interval two = slope({At("before", 0, 5000), At("held", 100, 5700)});
  EXPECT_EQ(two.low, two.high);
  const stats::Interval four = slope(
      {At("before", 0, 5000), At("held", 50, 5360), At("held", 100, 5690), At("held", 200, 6400)});
  EXPECT_LT(four.low, 7);
  EXPECT_GT(four.high, 7);
  EXPECT_LT(four.high - four.low, 1);
}

TEST(TrialRowTest, MemoryIsSplitIntoPartsThatAddUp) {
  Observation observation;
  for (const int64_t n : {0, 50, 100, 200}) {
    MemoryCheckpoint checkpoint = At(n == 0 ? "before" : "held", n, 1000 + 7 * n);
    checkpoint.tree.rss_kb = 90 * n;
    checkpoint.tree.page_tables_kb = 3 * n;
    checkpoint.tree.kernel_stack_kb = 16 * n;
    checkpoint.host.slab_unreclaimable_kb = 500'000 + 12 * n;
    checkpoint.host.tcp_memory_kb = 2 * n;
    observation.memory.push_back(checkpoint);
  }
  results::TrialRow row;
  FillTrialRow({}, observation, row);
  EXPECT_NEAR(row.private_kb_per_connection, 7, 1e-9);
  EXPECT_NEAR(row.page_tables_kb_per_connection, 3, 1e-9);
  EXPECT_NEAR(row.kernel_stack_kb_per_connection, 16, 1e-9);
  EXPECT_NEAR(row.slab_unreclaimable_kb_per_connection, 12, 1e-9);
  EXPECT_NEAR(row.socket_kb_per_connection, 2, 1e-9);
  EXPECT_NEAR(row.memory_kb_per_connection, 40, 1e-9);
  EXPECT_NEAR(row.memory_kb_per_connection_high - row.memory_kb_per_connection_low, 0, 1e-6);
  EXPECT_NEAR(row.rss_kb_per_connection, 90, 1e-9);
}

stats::Histogram MakeHistogram(int samples) {
  stats::Histogram histogram;
  for (int i = 1; i <= samples; ++i) histogram.Record(i * 1000);
  return histogram;
}

TEST(LatencyTest, NoPercentileIsGivenThatTheSampleCannotCarry) {
  EXPECT_EQ(SamplesNeeded(0.5), 2U);
  EXPECT_EQ(SamplesNeeded(0.99), 100U);
  EXPECT_EQ(SamplesNeeded(0.999), 1000U);
  EXPECT_EQ(PercentileUs(MakeHistogram(99), 0.99), 0);
  EXPECT_NEAR(PercentileUs(MakeHistogram(100), 0.99), 99, 0.1);
  const auto ladder = LatencyLadder("connect", MakeHistogram(100));
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
  load.transaction_latency = MakeHistogram(10);
  load.victims.before = MakeHistogram(4);
  load.victims.during = MakeHistogram(6);
  load.groups.resize(1);
  load.groups[0].workload = "storm";
  load.groups[0].connect_latency = MakeHistogram(3);
  load.groups[0].connects_by_outcome[1] = 7;
  results::TrialRecord record;
  AddDistributions(load, record);
  std::vector<std::string> names;
  for (const results::LatencyRow& row : record.latency) {
    if (names.empty() || names.back() != row.distribution) names.push_back(row.distribution);
  }
  EXPECT_THAT(names, testing::ElementsAre("transaction", "victim_before", "victim_during",
                                          "storm_connect"));
  ASSERT_EQ(record.hgrm.size(), names.size());
  EXPECT_EQ(record.hgrm[3].distribution, "storm_connect");
  EXPECT_EQ(record.hgrm[3].text, load.groups[0].connect_latency.ToHgrm());
  int64_t refused = 0;
  for (const results::ErrorRow& row : MakeErrors(load)) {
    if (row.kind == "connect:storm" && row.outcome == load::kConnectOutcomeNames[1]) {
      refused = row.count;
    }
  }
  EXPECT_EQ(refused, 7);
}

TEST(LatencyTest, AStormsConnectionsAreReadySoLongAfterItsRelease) {
  load::LoadResult load;
  load.pattern = "storm";
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
  load.pattern = "steady";
  results::TrialRecord none;
  AddDistributions(load, none);
  EXPECT_TRUE(none.latency.empty());
}

load::LoadResult MakeLoad(const char* pattern) {
  load::LoadResult load;
  load.pattern = pattern;
  load.threads = 1;
  load.window_begin_ns = 0;
  load.window_end_ns = 2 * kNanosecondsPerSecond;
  load.transactions_all = 1000;
  load.transactions_ok = 1000;
  load.transactions_ok_in_window = 1000;
  load.transaction_latency = MakeHistogram(1000);
  load.connects_all = 500;
  load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kOk)] = 500;
  load.connect_latency = MakeHistogram(500);
  load.client_cpu_fraction = 0.5;
  return load;
}

Observation MakeObservation() {
  Observation observation;
  observation.usage.seconds = 2;
  observation.usage.cpu_user_s = 0.03;
  observation.usage.cpu_system_s = 0.02;
  observation.usage.voluntary_switches = 1500;
  observation.usage.involuntary_switches = 500;
  observation.usage.minor_faults = 4000;
  observation.usage.run_queue_delay_ns = 3'000'000;
  observation.life_switches = 8000;
  observation.host.cpu_ticks = 400;
  return observation;
}

TEST(TrialRowTest, CostsAreDividedByWhatTheWorkloadMeasures) {
  results::TrialRow steady;
  FillTrialRow(MakeLoad("steady"), MakeObservation(), steady);
  EXPECT_DOUBLE_EQ(steady.throughput_tps, 500);
  EXPECT_DOUBLE_EQ(steady.server_cpu_us_per_transaction, 50);
  EXPECT_EQ(steady.server_cpu_us_per_connect, 0);
  EXPECT_DOUBLE_EQ(steady.server_context_switches_per_transaction, 2);
  EXPECT_DOUBLE_EQ(steady.server_run_queue_delay_us_per_transaction, 3);
  results::TrialRow storm;
  FillTrialRow(MakeLoad("storm"), MakeObservation(), storm);
  EXPECT_DOUBLE_EQ(storm.server_cpu_us_per_connect, 100);
  EXPECT_DOUBLE_EQ(storm.server_minor_faults_per_connect, 8);
}

TEST(TrialRowTest, SwitchesOfBackendsThatEndedComeFromTheServersWholeLife) {
  load::LoadResult load = MakeLoad("churn");
  load.warmup_transactions = 1000;
  results::TrialRow row;
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_DOUBLE_EQ(row.server_context_switches_per_transaction, 4);
  // The delay of ended backends is nowhere to be read: 0 rather than that of the survivors.
  EXPECT_EQ(row.server_run_queue_delay_us_per_transaction, 0);
}

TEST(TrialRowTest, NothingIsDividedByZero) {
  load::LoadResult load = MakeLoad("churn");
  load.transactions_ok = load.transactions_all = load.transactions_ok_in_window = 0;
  load.connects_all = 0;
  load.connects_by_outcome = {};
  load.window_end_ns = 0;
  load.transaction_latency.Clear();
  load.connect_latency.Clear();
  results::TrialRow row;
  FillTrialRow(load, Observation(), row);
  for (const auto& field : results::Fields<results::TrialRow>()) {
    EXPECT_EQ(field.Number(row), field.column.name == "client_cpu_fraction" ? 0.5 : 0)
        << field.column.name;
  }
}

TEST(TimeseriesTest, SlicesCarryTheServersSamples) {
  load::LoadResult load = MakeLoad("steady");
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
  EXPECT_NEAR(rows[1].server_cpu_fraction, 0.5, 1e-9);
}

TEST(TimeseriesTest, WithoutSamplesThereAreZeros) {
  load::LoadResult load = MakeLoad("steady");
  load.slices.resize(1);
  load.slices[0].in_window = true;
  const auto rows = MakeTimeseries(load, {});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].server_rss_kb, 0);
}

TEST(TrialRowTest, AnOpenLoopTellsLatencyServiceAndLagApart) {
  load::LoadResult load = MakeLoad("steady");
  load.rate = "1000";
  load.arrival = "poisson";
  load.service_time = MakeHistogram(100);
  load.schedule_lag = MakeHistogram(200);
  load.transactions_late = 3;
  load.warmup_ns = kNanosecondsPerSecond / 2;
  load.warmup_state = "settled";
  results::TrialRow row;
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_EQ(row.schedule, "1000 poisson");
  EXPECT_EQ(row.latency_us_p50, PercentileUs(load.transaction_latency, 0.5));
  EXPECT_EQ(row.latency_us_p99, PercentileUs(load.transaction_latency, 0.99));
  EXPECT_EQ(row.latency_us_max, 1000);
  EXPECT_NE(row.latency_us_p50, PercentileUs(load.service_time, 0.5));
  EXPECT_EQ(row.service_us_p50, PercentileUs(load.service_time, 0.5));
  EXPECT_EQ(row.schedule_lag_us_p50, PercentileUs(load.schedule_lag, 0.5));
  EXPECT_GT(row.schedule_lag_us_p50, row.service_us_p50);
  EXPECT_EQ(row.transactions_late, 3);
  EXPECT_EQ(row.warmup_s, 0.5);
  EXPECT_EQ(row.warmup_state, "settled");

  // In a closed loop a transaction is intended for when it is sent.
  load.rate.clear();
  load.arrival.clear();
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_EQ(row.service_us_p50, row.latency_us_p50);
  EXPECT_EQ(row.schedule, "");
}

engine::PoolUsage Pool(int number, int64_t waits, int64_t wait_ns) {
  engine::PoolUsage pool;
  pool.pool = number;
  pool.workers = 2;
  engine::DurationAccount account;
  for (int64_t i = 0; i < waits; ++i) account.Add(wait_ns);
  pool.wait = pool.service = account.Read();
  pool.busy_ns = waits * wait_ns;
  return pool;
}

TEST(PoolsTest, AddUpWhatHappenedBetween) {
  const std::vector<engine::PoolUsage> before = {Pool(0, 100, 5000), Pool(1, 50, 5000)};
  const engine::PoolUsage all =
      PoolsBetween(before, {Pool(0, 110, 5000), Pool(1, 20, 5000), Pool(2, 3, 5000)});
  EXPECT_EQ(all.workers, 6);
  EXPECT_EQ(all.wait.count, 10 + 20 + 3) << "the second was made anew meanwhile";
  EXPECT_EQ(all.busy_ns, 33 * 5000);
  EXPECT_EQ(PoolsBetween(before, {}).workers, 0);
}

TEST(TrialRowTest, PoolsAreSharesOfTheirWorkersAndMeansOfTheirServices) {
  Observation observation = MakeObservation();
  results::TrialRow row;
  FillTrialRow(MakeLoad("steady"), observation, row);
  EXPECT_EQ(row.pool_services, 0);
  EXPECT_EQ(row.pool_utilisation, 0);
  observation.usage.seconds = 2;
  observation.pools = Pool(0, 1000, 500'000);
  observation.pools.pinned_ns = kNanosecondsPerSecond;
  observation.pools.behind_ns = 7'000'000;
  load::LoadResult load = MakeLoad("steady");
  load.transactions_ok = 1000;
  FillTrialRow(load, observation, row);
  EXPECT_EQ(row.pool_services, 1000);
  EXPECT_DOUBLE_EQ(row.pool_wait_us_mean, 500);
  EXPECT_NEAR(row.pool_wait_us_p99, 500, 63);
  EXPECT_DOUBLE_EQ(row.pool_utilisation, 0.125);
  EXPECT_DOUBLE_EQ(row.pool_pinned_fraction, 0.25);
  EXPECT_DOUBLE_EQ(row.pool_behind_us_per_transaction, 7);
  EXPECT_EQ(row.pool_reset_us_mean, 0);
}

TEST(ErrorsTest, OutcomesThatDidNotOccurHaveARowWithZero) {
  const auto rows = MakeErrors(MakeLoad("steady"));
  size_t connect_rows = 0;
  for (const auto& row : rows) connect_rows += row.kind == "connect" ? 1 : 0;
  EXPECT_EQ(connect_rows, load::kConnectOutcomes + 1);
}

}  // namespace
}  // namespace connbench::suite
