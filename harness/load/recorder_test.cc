// Tests: what one client thread counts.
#include "harness/load/recorder.h"

#include <gtest/gtest.h>

#include <vector>

namespace connbench::load {
namespace {

constexpr int64_t kMs = kNanosecondsPerMillisecond;

// One thread is fast, the other slow: of 1,000 transactions 980 take 1 ms and 20 take 100 ms. The
// percentiles of both together are those of their samples, not a mean of percentiles: that would be
// 50.5 ms for all of them.
class TwoThreads : public ::testing::Test {
 protected:
  TwoThreads() : origin_(MonotonicNow()), fast_(origin_, 0), slow_(origin_, 0) {
    for (Recorder* recorder : {&fast_, &slow_}) {
      recorder->BeginPhase(true, origin_, kNoDeadline);
      const bool fast = recorder == &fast_;
      for (int i = 0; i < (fast ? 980 : 20); ++i) {
        recorder->TransactionBegun();
        const int64_t latency = (fast ? 1 : 100) * kMs;
        recorder->TransactionOk({.intended = origin_ + 150 * kMs - latency}, origin_ + 150 * kMs);
      }
      recorder->FinishSlices();
    }
  }
  MonotonicNs origin_;
  Recorder fast_;
  Recorder slow_;
};

TEST_F(TwoThreads, PercentilesOfTheWholeAreMergedNotAveraged) {
  LoadResult result;
  fast_.AddTo(result);
  slow_.AddTo(result);
  EXPECT_EQ(result.transaction_latency.count(), 1000U);
  EXPECT_NEAR(static_cast<double>(result.transaction_latency.ValueAtPercentile(50)), 1e6, 1e3);
  EXPECT_NEAR(static_cast<double>(result.transaction_latency.ValueAtPercentile(97)), 1e6, 1e3);
  EXPECT_NEAR(static_cast<double>(result.transaction_latency.ValueAtPercentile(99)), 1e8, 1e5);
}

// The slice of all threads that has transactions; there is one.
Slice OnlySlice(const std::vector<const Recorder*>& recorders, MonotonicNs origin) {
  Slice only;
  for (const Slice& slice : MergeSlices(recorders, origin, origin)) {
    if (slice.transactions_ok == 0) continue;
    EXPECT_EQ(only.transactions_ok, 0U);
    only = slice;
  }
  return only;
}

TEST_F(TwoThreads, PercentilesOfASliceAreMergedNotAveraged) {
  const Slice both = OnlySlice({&fast_, &slow_}, origin_);
  EXPECT_EQ(both.transactions_ok, 1000U);
  EXPECT_NEAR(both.latency_us_p50, 1e3, 1);
  EXPECT_NEAR(both.latency_us_p99, 1e5, 100);
  // Two more fast threads, and the slow one is rarer than one in a hundred.
  const Slice more = OnlySlice({&fast_, &fast_, &fast_, &slow_}, origin_);
  EXPECT_EQ(more.transactions_ok, 2960U);
  EXPECT_NEAR(more.latency_us_p99, 1e3, 1);
  EXPECT_NEAR(more.latency_us_max, 1e5, 100);
}

TEST(Recorder, LatencyIsLagAndServiceOfEachTransaction) {
  const MonotonicNs origin = MonotonicNow();
  Recorder recorder(origin, 0, /*latency_limit_ns=*/5 * kMs);
  recorder.BeginPhase(true, origin, origin + 100 * kMs);
  for (int64_t i = 0; i < 2; ++i) {
    recorder.TransactionBegun();
    recorder.TransactionSent(origin + 3 * kMs);
    recorder.TransactionOk(
        {.intended = origin + kMs, .sent = origin + 3 * kMs, .client_lag_ns = 500},
        origin + (i == 0 ? 6 : 7) * kMs);
  }
  recorder.TransactionBegun();
  recorder.TransactionSkipped(SkipReason::kLate);
  LoadResult result;
  result.rate = "1000";
  recorder.AddTo(result);
  EXPECT_TRUE(result.Check().ok()) << result.Check().ToString();
  EXPECT_EQ(result.transaction_latency.max(), 6 * kMs);
  EXPECT_EQ(result.service_time.max(), 4 * kMs);
  EXPECT_EQ(result.schedule_lag.max(), 2 * kMs);
  EXPECT_EQ(result.client_lag.max(), 500);
  EXPECT_EQ(result.transactions_late, 1U) << "one took exactly the limit, one took longer";
  EXPECT_EQ(result.transactions_skipped, 1U);
  EXPECT_EQ(result.transactions_sent_in_window, 2U);
}

TEST(Recorder, WhatIsUnderWayWhenTheWindowClosesCountsByItsShare) {
  const MonotonicNs begin = MonotonicNow();
  const MonotonicNs end = begin + 100 * kMs;
  Recorder recorder(begin, 0);
  recorder.BeginPhase(true, begin, end);
  const auto run = [&](int64_t from_ms, int64_t to_ms) {
    recorder.TransactionBegun();
    recorder.TransactionOk({.intended = begin + from_ms * kMs}, begin + to_ms * kMs);
  };
  run(0, 50);    // within
  run(50, 100);  // until it closes, exactly
  run(90, 130);  // a quarter within
  run(0, 200);   // half
  LoadResult result;
  recorder.FinishSlices();
  recorder.AddTo(result);
  result.window_begin_ns = begin;
  result.window_end_ns = end;
  EXPECT_EQ(result.transactions_ok, 4U);
  EXPECT_EQ(result.transactions_ok_in_window, 1U);
  EXPECT_DOUBLE_EQ(result.transactions_ok_share_at_end, 1 + 0.25 + 0.5);
  EXPECT_DOUBLE_EQ(result.throughput_tps(), 27.5);
}

// A client that connects for each request: 30 ms to connect, 10 ms to be answered.
TEST(Recorder, ARequestCountsFromWhenItWasAskedForAndItsConnectIsInIt) {
  const MonotonicNs begin = MonotonicNow();
  Recorder recorder(begin, 0);
  recorder.BeginPhase(true, begin, begin + 100 * kMs);
  for (int64_t from_ms = 0; from_ms < 100; from_ms += 40) {
    const MonotonicNs wanted = begin + from_ms * kMs;
    const MonotonicNs ready = wanted + 30 * kMs;
    recorder.ClientAsks(0, wanted);
    recorder.TransactionBegun();
    recorder.TransactionOk({.intended = ready, .wanted = wanted}, ready + 10 * kMs);
    recorder.ClientOk(0, ready + 10 * kMs);
  }
  recorder.BeginPhase(false, 0, kNoDeadline);  // the connections are closed
  LoadResult result;
  recorder.AddTo(result);
  result.window_begin_ns = begin;
  result.window_end_ns = begin + 100 * kMs;
  result.closed_loop = true;
  EXPECT_EQ(result.request_time.max(), 40 * kMs);
  EXPECT_EQ(result.transaction_latency.max(), 10 * kMs);
  // Half of the third lies in the window, although it had no connection yet when that closed.
  EXPECT_DOUBLE_EQ(result.throughput_tps(), 25);
  const auto law = result.littles_law();
  ASSERT_TRUE(law);
  EXPECT_DOUBLE_EQ(law->clients, 1);
  EXPECT_NEAR(law->clients_over_throughput_ns, 40.0 * kMs, 1);
  EXPECT_NEAR(law->mean_request_ns, 40.0 * kMs, 1);
}

TEST(Recorder, TimeForWhichAClientWasNotServedIsKeptApart) {
  const MonotonicNs begin = MonotonicNow();
  Recorder recorder(begin, 0);
  recorder.BeginPhase(true, begin, begin + 100 * kMs);
  recorder.ClientAsks(0, begin);
  recorder.RequestUnserved(0, begin, begin + 60 * kMs);
  recorder.TransactionBegun();
  recorder.TransactionOk({.intended = begin + 60 * kMs}, begin + 100 * kMs);
  recorder.ClientOk(0, begin + 100 * kMs);
  LoadResult result;
  recorder.AddTo(result);
  EXPECT_EQ(result.clients_present_ns, 100 * kMs);
  EXPECT_EQ(result.unserved_in_window_ns, 60 * kMs);
  EXPECT_EQ(result.requests_in_window_ns, 40 * kMs);
}

TEST(Recorder, AConnectCountsFromWhenItWasDue) {
  const MonotonicNs origin = MonotonicNow();
  Recorder recorder(origin, 0);
  recorder.BeginPhase(true, origin, kNoDeadline);
  ConnectionPhases phases;
  phases.in_window = true;
  phases.intended_ns = origin;
  phases.connect_begin_ns = origin + 3 * kMs;
  phases.ready_ns = origin + 5 * kMs;
  recorder.ConnectBegun(phases.intended_ns, phases.connect_begin_ns, false);
  recorder.ConnectEnded(phases, "", "", phases.ready_ns);
  LoadResult result;
  recorder.AddTo(result);
  EXPECT_EQ(result.connect_latency.max(), 5 * kMs);
  EXPECT_EQ(result.schedule_lag.max(), 3 * kMs);
}

TEST(Recorder, FairnessIsJainsIndexOfAllClients) {
  const MonotonicNs origin = MonotonicNow();
  Recorder first(origin, 0);
  Recorder second(origin, 0);
  const auto run = [&](Recorder& recorder, size_t client, int transactions) {
    recorder.ClientBegun(client);
    for (int i = 0; i < transactions; ++i) {
      recorder.TransactionBegun();
      recorder.TransactionOk({.intended = origin}, origin + kMs);
      recorder.ClientOk(client, origin + kMs);
    }
  };
  run(first, 0, 7);  // of the warm-up: counts for nothing
  first.BeginPhase(true, origin, origin + 100 * kMs);
  second.BeginPhase(true, origin, origin + 100 * kMs);
  LoadResult nothing;
  first.AddTo(nothing);
  EXPECT_EQ(nothing.fairness(), 0);
  run(first, 0, 4);
  run(first, 1, 4);
  LoadResult even;
  first.AddTo(even);
  EXPECT_DOUBLE_EQ(even.fairness(), 1);
  run(second, 0, 0);  // began one that did not end in time
  run(second, 1, 0);
  LoadResult starved;
  first.AddTo(starved);
  second.AddTo(starved);
  EXPECT_EQ(starved.clients_begun, 4U);
  EXPECT_DOUBLE_EQ(starved.fairness(), 0.5);
}

}  // namespace
}  // namespace connbench::load
