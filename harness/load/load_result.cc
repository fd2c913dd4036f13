// What follows from the counts of a load run, and the identities that they must obey.
#include "harness/load/load_result.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

namespace connbench::load {
namespace {

double SecondsBetween(MonotonicNs begin, MonotonicNs end) {
  return static_cast<double>(end - begin) / static_cast<double>(kNanosecondsPerSecond);
}

}  // namespace

uint64_t LoadResult::connects_ok() const {
  return connects_by_outcome[static_cast<size_t>(ConnectOutcome::kOk)];
}

double LoadResult::window_seconds() const { return SecondsBetween(window_begin_ns, window_end_ns); }

double LoadResult::throughput_tps() const {
  const double seconds = window_seconds();
  const double transactions =
      static_cast<double>(transactions_ok_in_window) + transactions_ok_share_at_end;
  return seconds > 0 ? transactions / seconds : 0;
}

double LoadResult::fairness() const {
  const auto all = static_cast<double>(transactions_ok_in_window);
  if (clients_begun == 0 || clients_ok_squared <= 0) return 0;
  return all * all / (static_cast<double>(clients_begun) * clients_ok_squared);
}

bool VictimResult::carries_p99() const {
  constexpr uint64_t kSamples = 100;  // below it there is no p99
  return before.count() >= kSamples && during.count() >= kSamples;
}

double VictimResult::p99_inflation() const {
  constexpr double kP99 = 99;
  if (!carries_p99()) return 0;
  const auto base = static_cast<double>(before.ValueAtPercentile(kP99));
  return base > 0 ? static_cast<double>(during.ValueAtPercentile(kP99)) / base : 0;
}

std::optional<LittlesLaw> LoadResult::littles_law() const {
  const auto served = static_cast<double>(clients_present_ns - unserved_in_window_ns);
  const double requests =
      static_cast<double>(transactions_ok_in_window) + transactions_ok_share_at_end;
  const double window_ns = window_seconds() * kNanosecondsPerSecond;
  if (!closed_loop || requests_in_window_ns <= 0 || requests <= 0 || window_ns <= 0) {
    return std::nullopt;
  }
  return LittlesLaw{served / window_ns, served / requests,
                    static_cast<double>(requests_in_window_ns) / requests};
}

double LoadResult::offered_tps() const {
  const double seconds = window_seconds();
  return open_loop() && seconds > 0 ? static_cast<double>(transactions_all) / seconds : 0;
}

double LoadResult::sent_fraction() const {
  if (!open_loop() || transactions_all == 0) return 1;
  return static_cast<double>(transactions_sent_in_window) / static_cast<double>(transactions_all);
}

double LoadResult::connects_per_s() const {
  if (RowOf(pattern).Has(kSessionsComeAndGo)) {
    const double seconds = window_seconds();
    return seconds > 0 ? static_cast<double>(connects_ok_in_window) / seconds : 0;
  }
  const double seconds = SecondsBetween(first_connect_ns, last_ready_ns);
  return connects_ok() > 0 && seconds > 0 ? static_cast<double>(connects_ok()) / seconds : 0;
}

Status LoadResult::Check() const {
  const auto broken = [](std::string what) {
    return Status::Error(sqlstate::kInternalError, std::move(what))
        .WithHint("This is a defect of the load generator; its figures must not be used.");
  };
  if (transactions_all != transactions_ok + transactions_failed + transactions_skipped) {
    return broken(fmt::format("transactions: all {} is not ok {} + failed {} + skipped {}",
                              transactions_all, transactions_ok, transactions_failed,
                              transactions_skipped));
  }
  const uint64_t skips =
      std::accumulate(skipped_by_reason.begin(), skipped_by_reason.end(), uint64_t{0});
  if (transactions_skipped != skips) {
    return broken(
        fmt::format("{} transactions skipped, for {} reasons", transactions_skipped, skips));
  }
  for (const stats::Histogram* part : {&service_time, &schedule_lag, &client_lag}) {
    // The lags of a closed loop are those of its connects.
    if (part == &schedule_lag && !open_loop()) continue;
    const uint64_t samples = part->count() + part->negative_count();
    if (samples != (open_loop() ? transactions_ok : 0)) {
      return broken(
          fmt::format("{} service times or lags for {} transactions", samples, transactions_ok));
    }
  }
  const uint64_t outcomes =
      std::accumulate(connects_by_outcome.begin(), connects_by_outcome.end(), uint64_t{0});
  if (connects_all != outcomes) {
    return broken(fmt::format("connects: {} attempts, but {} outcomes", connects_all, outcomes));
  }
  if (transaction_latency.count() + transaction_latency.negative_count() != transactions_ok) {
    return broken(fmt::format("{} latencies for {} transactions", transaction_latency.count(),
                              transactions_ok));
  }
  if (request_time.count() + request_time.negative_count() != transactions_ok) {
    return broken(
        fmt::format("{} request times for {} transactions", request_time.count(), transactions_ok));
  }
  if (connect_latency.count() + connect_latency.negative_count() != connects_ok()) {
    return broken(fmt::format("{} connect latencies for {} connects", connect_latency.count(),
                              connects_ok()));
  }
  if (transactions_ok_in_window > transactions_ok) {
    return broken("more transactions ended in the window than began in it");
  }
  if (victims.begin_ns != 0) {
    const uint64_t felt = victims.before.count() + victims.during.count() + victims.after.count();
    if (felt != transaction_latency.count()) {
      return broken(fmt::format("{} latencies before, during and after, {} in all", felt,
                                transaction_latency.count()));
    }
  }
  for (const LoadResult& group : groups) CONNBENCH_RETURN_IF_ERROR(group.Check());
  return Status::Ok();
}

}  // namespace connbench::load
