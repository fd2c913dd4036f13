// What a trial found becomes the right columns.
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

std::optional<Growth> PrivateGrowth(const std::vector<MemoryCheckpoint>& checkpoints) {
  return MemorySlope(checkpoints, [](const MemoryCheckpoint& c) { return c.tree.pss_anon_kb; });
}

double PrivateSlope(const std::vector<MemoryCheckpoint>& checkpoints) {
  const auto growth = PrivateGrowth(checkpoints);
  return growth ? growth->slope : -1;
}

// Of a server that tells nothing else.
observe::LogReading LogOfBytes(int64_t bytes) {
  observe::LogReading reading;
  reading.bytes = bytes;
  return reading;
}

TEST(LogTest, IsWhatTheLogDidInTheWindowPerTransaction) {
  Observation observation;
  observation.log = LogBetween(observe::LogReading{.bytes = 1000,
                                                   .flushes = 5,
                                                   .commit_wait_ns = 1'000'000,
                                                   .checkpoints = 1,
                                                   .page_reads = 10,
                                                   .page_read_ns = 2'000'000,
                                                   .page_writes = 3},
                               observe::LogReading{.bytes = 51'000,
                                                   .flushes = 30,
                                                   .commit_wait_ns = 7'000'000,
                                                   .checkpoints = 3,
                                                   .page_reads = 60,
                                                   .page_read_ns = 12'000'000,
                                                   .page_writes = 4});
  load::LoadResult load;
  load.transactions_ok = 100;
  results::TrialRow row;
  FillTrialRow(load, observation, row);
  EXPECT_EQ(row.log_bytes_per_transaction, 500);
  EXPECT_EQ(row.log_flushes_per_transaction, 0.25);
  EXPECT_EQ(row.transactions_per_log_flush, 4);
  EXPECT_EQ(row.commit_wait_us_per_transaction, 60);
  EXPECT_EQ(row.checkpoints, 2);
  EXPECT_EQ(row.page_reads_per_transaction, 0.5);
  EXPECT_EQ(row.page_read_wait_us_per_transaction, 100);
  EXPECT_EQ(row.page_writes_per_transaction, 0.01);
}

TEST(LogTest, WhatIsNotToldStaysEmpty) {
  load::LoadResult load;
  load.transactions_ok = 100;
  results::TrialRow row;
  FillTrialRow(load, Observation(), row);
  EXPECT_FALSE(row.log_bytes_per_transaction || row.checkpoints);
  Observation observation;
  observation.log = LogBetween(LogOfBytes(0), LogOfBytes(100));
  FillTrialRow(load, observation, row);
  EXPECT_EQ(row.log_bytes_per_transaction, 1);
  EXPECT_FALSE(row.log_flushes_per_transaction || row.transactions_per_log_flush ||
               row.commit_wait_us_per_transaction || row.checkpoints ||
               row.page_reads_per_transaction || row.page_read_wait_us_per_transaction ||
               row.page_writes_per_transaction);
}

TEST(LogTest, OfAServerThatBeganAnewNothingIsKnown) {
  EXPECT_FALSE(LogBetween(LogOfBytes(9), LogOfBytes(8)));
  EXPECT_FALSE(LogBetween(std::nullopt, LogOfBytes(8)));
  EXPECT_FALSE(LogBetween(LogOfBytes(8), std::nullopt));
}

TEST(MemorySlopeTest, IsGrowthPerConnectionWhateverTheServerHeldBefore) {
  EXPECT_DOUBLE_EQ(PrivateSlope({At("before", 0, 5000), At("held", 100, 5700)}), 7);
  EXPECT_DOUBLE_EQ(PrivateSlope({At("before", 0, 5000), At("held", 50, 5350), At("held", 100, 5700),
                                 At("held", 200, 6400)}),
                   7);
  // What transactions touched later is not the price of a connection.
  EXPECT_DOUBLE_EQ(
      PrivateSlope({At("before", 0, 0), At("held", 100, 700), At("after", 100, 90'000)}), 7);
  EXPECT_FALSE(PrivateGrowth({At("before", 0, 5000)}));
  EXPECT_FALSE(PrivateGrowth({}));
}

TEST(MemorySlopeTest, HasAnIntervalFromThreeConnectionCountsOn) {
  const auto two = PrivateGrowth({At("before", 0, 5000), At("held", 100, 5700)});
  ASSERT_TRUE(two);
  EXPECT_FALSE(two->interval);
  const auto four = PrivateGrowth(
      {At("before", 0, 5000), At("held", 50, 5360), At("held", 100, 5690), At("held", 200, 6400)});
  ASSERT_TRUE(four && four->interval);
  EXPECT_LT(four->interval->low, 7);
  EXPECT_GT(four->interval->high, 7);
  EXPECT_LT(four->interval->high - four->interval->low, 1);
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
  EXPECT_NEAR(row.private_kb_per_connection.value_or(-1), 7, 1e-9);
  EXPECT_NEAR(row.page_tables_kb_per_connection.value_or(-1), 3, 1e-9);
  EXPECT_NEAR(row.kernel_stack_kb_per_connection.value_or(-1), 16, 1e-9);
  EXPECT_NEAR(row.slab_unreclaimable_kb_per_connection.value_or(-1), 12, 1e-9);
  EXPECT_NEAR(row.socket_kb_per_connection.value_or(-1), 2, 1e-9);
  EXPECT_NEAR(row.memory_kb_per_connection.value_or(-1), 40, 1e-9);
  EXPECT_NEAR(*row.memory_kb_per_connection_high - *row.memory_kb_per_connection_low, 0, 1e-6);
  EXPECT_NEAR(row.rss_kb_per_connection.value_or(-1), 90, 1e-9);
}

stats::Histogram MakeHistogram(int samples) {
  stats::Histogram histogram;
  for (int i = 1; i <= samples; ++i) histogram.Record(i * 1000);
  return histogram;
}

load::LoadResult MakeLoad(load::Pattern pattern) {
  load::LoadResult load;
  load.pattern = pattern;
  load.threads = 1;
  load.window_begin_ns = 0;
  load.window_end_ns = 2 * kNanosecondsPerSecond;
  load.transactions_all = 1000;
  load.transactions_ok = 1000;
  load.transactions_ok_in_window = 1000;
  load.transaction_latency = MakeHistogram(1000);
  load.request_time = MakeHistogram(1000);
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
  FillTrialRow(MakeLoad(load::Pattern::kSteady), MakeObservation(), steady);
  EXPECT_DOUBLE_EQ(steady.throughput_tps.value_or(-1), 500);
  EXPECT_DOUBLE_EQ(steady.server_cpu_us_per_transaction.value_or(-1), 50);
  EXPECT_EQ(steady.server_cpu_us_per_connect, std::nullopt);
  EXPECT_DOUBLE_EQ(steady.server_context_switches_per_transaction.value_or(-1), 2);
  EXPECT_DOUBLE_EQ(steady.server_run_queue_delay_us_per_transaction.value_or(-1), 3);
  results::TrialRow storm;
  FillTrialRow(MakeLoad(load::Pattern::kStorm), MakeObservation(), storm);
  EXPECT_DOUBLE_EQ(storm.server_cpu_us_per_connect.value_or(-1), 100);
  EXPECT_DOUBLE_EQ(storm.server_minor_faults_per_connect.value_or(-1), 8);
}

TEST(TrialRowTest, ADisturbanceIsOnTheClockOfTheSlices) {
  load::LoadResult load = MakeLoad(load::Pattern::kMixed);
  results::TrialRow calm;
  FillTrialRow(load, MakeObservation(), calm);
  EXPECT_EQ(calm.disturbance_begin_ms, std::nullopt);
  constexpr int64_t kMs = 1'000'000;
  for (const int64_t at_ms : {900, 1000, 1100}) {
    load::Slice slice;
    slice.begin_ns = at_ms * kMs;
    slice.in_window = at_ms > 900;  // the first one is of the warm-up
    load.slices.push_back(slice);
  }
  load.victims.begin_ns = 1250 * kMs;
  results::TrialRow row;
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_EQ(row.disturbance_begin_ms, 250);
  EXPECT_EQ(row.disturbance_end_ms, std::nullopt);
  load.victims.end_ns = 1300 * kMs;
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_EQ(row.disturbance_end_ms, 300);
}

TEST(TrialRowTest, ARequestsTimeIsItsOwnAndNotThatAfterLogin) {
  load::LoadResult load = MakeLoad(load::Pattern::kChurn);
  load.request_time.Clear();
  for (int i = 1; i <= 200; ++i) load.request_time.Record(i * 10'000);
  results::TrialRow row;
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_NEAR(row.request_us_mean.value_or(0), 1005, 1);
  EXPECT_NEAR(row.request_us_p50.value_or(0), 1000, 1);
  EXPECT_NEAR(row.request_us_p90.value_or(0), 1800, 2);
  EXPECT_NEAR(row.request_us_p99.value_or(0), 1980, 2);
  EXPECT_EQ(row.request_us_p999, std::nullopt) << "200 samples do not carry it";
  EXPECT_EQ(row.request_us_max, 2000);
  EXPECT_EQ(row.latency_us_max, 1000);
  // Of a closed loop the mean is that of the window: here two clients for two seconds.
  load.closed_loop = true;
  load.clients_present_ns = load.requests_in_window_ns = 4 * kNanosecondsPerSecond;
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_NEAR(row.request_us_mean.value_or(0), 2e6 / row.throughput_tps.value_or(0), 1e-6);
}

TEST(TrialRowTest, SwitchesOfBackendsThatEndedComeFromTheServersWholeLife) {
  load::LoadResult load = MakeLoad(load::Pattern::kChurn);
  load.warmup_transactions = 1000;
  results::TrialRow row;
  FillTrialRow(load, MakeObservation(), row);
  EXPECT_DOUBLE_EQ(row.server_context_switches_per_transaction.value_or(-1), 4);
  // The delay of ended backends is nowhere to be read: none rather than that of the survivors.
  EXPECT_EQ(row.server_run_queue_delay_us_per_transaction, std::nullopt);
}

TEST(TrialRowTest, NothingIsDividedByZero) {
  load::LoadResult load = MakeLoad(load::Pattern::kChurn);
  load.transactions_ok = load.transactions_all = load.transactions_ok_in_window = 0;
  load.connects_all = 0;
  load.connects_by_outcome = {};
  load.window_end_ns = 0;
  load.transaction_latency.Clear();
  load.request_time.Clear();
  load.connect_latency.Clear();
  results::TrialRow row;
  FillTrialRow(load, Observation(), row);
  for (const auto& field : results::Fields<results::TrialRow>()) {
    if (field.column.type != results::ColumnType::kReal || field.column.is_axis()) continue;
    const std::optional<double> value = field.Measured(row);
    // Judged figures are lacking; of facts some are known to be 0.
    if (field.column.better() != results::Better::kNeither) {
      EXPECT_EQ(value, std::nullopt) << field.column.name;
    } else if (value) {
      EXPECT_EQ(*value, field.column.name == "client_cpu_fraction" ? 0.5 : 0) << field.column.name;
    }
  }
}

TEST(TrialRowTest, OfAServerThatIsNotSeenNothingIsSaid) {
  Observation observation = MakeObservation();
  observation.server_seen = false;
  results::TrialRow row;
  FillTrialRow(MakeLoad(load::Pattern::kChurn), observation, row);
  EXPECT_TRUE(row.throughput_tps);
  for (const auto& field : results::Fields<results::TrialRow>()) {
    const std::string_view name = field.column.name;
    if (!name.starts_with("server_") && !name.ends_with("_kb_per_connection")) continue;
    EXPECT_EQ(field.Measured(row), std::nullopt) << name;
  }
}

TEST(TrialRowTest, AnOpenLoopTellsLatencyServiceAndLagApart) {
  load::LoadResult load = MakeLoad(load::Pattern::kSteady);
  load.rate = "1000";
  load.arrival = "poisson";
  load.service_time = MakeHistogram(100);
  load.schedule_lag = MakeHistogram(200);
  load.latency_limit_ns = 1000;
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
  EXPECT_GT(*row.schedule_lag_us_p50, *row.service_us_p50);
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
  FillTrialRow(MakeLoad(load::Pattern::kSteady), observation, row);
  EXPECT_EQ(row.pool_services, std::nullopt);
  EXPECT_EQ(row.pool_utilisation, std::nullopt);
  observation.usage.seconds = 2;
  observation.pools = Pool(0, 1000, 500'000);
  observation.pools.pinned_ns = kNanosecondsPerSecond;
  observation.pools.behind_ns = 7'000'000;
  load::LoadResult load = MakeLoad(load::Pattern::kSteady);
  load.transactions_ok = 1000;
  FillTrialRow(load, observation, row);
  EXPECT_EQ(row.pool_services, 1000);
  EXPECT_DOUBLE_EQ(row.pool_wait_us_mean.value_or(-1), 500);
  EXPECT_NEAR(row.pool_wait_us_p99.value_or(-1), 500, 63);
  EXPECT_DOUBLE_EQ(row.pool_utilisation.value_or(-1), 0.125);
  EXPECT_DOUBLE_EQ(row.pool_pinned_fraction.value_or(-1), 0.25);
  EXPECT_DOUBLE_EQ(row.pool_behind_us_per_transaction.value_or(-1), 7);
  EXPECT_EQ(row.pool_reset_us_mean, std::nullopt);
}

}  // namespace
}  // namespace connbench::suite
