// A load result for people: the table that `connbench load` prints.
#include "harness/load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/units.h"
#include "harness/stats/intervals.h"
#include "harness/workload/pattern.h"

namespace connbench::load {
namespace {

struct ShownPercentile {
  double percentile;
  const char* name;
};
constexpr std::array<ShownPercentile, 5> kShown = {
    {{50, "p50"}, {90, "p90"}, {99, "p99"}, {99.9, "p99.9"}, {99.99, "p99.99"}}};

class Table {
 public:
  template <typename... Args>
  void Row(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), "{:<24}", name);
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  // Percentiles that the sample can carry, each with its 95 % interval, then mean and maximum.
  void Latency(std::string_view name, const stats::Histogram& histogram) {
    if (histogram.empty()) return;
    Row(name, "mean {}, max {}, {} samples", FormatDuration(static_cast<int64_t>(histogram.mean())),
        FormatDuration(histogram.max()), histogram.count());
    for (const ShownPercentile& shown : kShown) {
      const auto interval = stats::PercentileInterval(histogram, shown.percentile);
      if (!interval) continue;
      Row(fmt::format("  {}", shown.name), "{}  [{} .. {}]",
          FormatDuration(static_cast<int64_t>(interval->estimate)),
          FormatDuration(static_cast<int64_t>(interval->low)),
          FormatDuration(static_cast<int64_t>(interval->high)));
    }
    if (histogram.overflow_count() > 0) {
      Row("  beyond the histogram", "{}", histogram.overflow_count());
    }
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddSchedule(const LoadResult& result, Table& table) {
  table.Row("schedule", "{} transactions/s{}{}; {:.1f}/s were due, {:.1f} % of them sent in time",
            result.rate, result.arrival.empty() ? "" : ", ", result.arrival, result.offered_tps(),
            result.sent_fraction() * 100);
  if (!result.client_realtime) {
    table.Row("note", "{}",
              "this client had no real-time priority (root, CAP_SYS_NICE or ulimit -r give it): on "
              "a busy machine its arrivals are late");
  }
  for (size_t i = 0; i < kSkipReasons; ++i) {
    if (result.skipped_by_reason[i] == 0) continue;
    table.Row(fmt::format("  skipped: {}", kSkipReasonNames[i]), "{}", result.skipped_by_reason[i]);
  }
}

void AddConnects(const LoadResult& result, Table& table) {
  table.Row("connects", "{} = {} ok + {} failed", result.connects_all, result.connects_ok(),
            result.connects_failed());
  for (size_t i = 0; i < kConnectOutcomes; ++i) {
    const uint64_t count = result.connects_by_outcome[i];
    if (count == 0 || i == static_cast<size_t>(ConnectOutcome::kOk)) continue;
    table.Row(fmt::format("  {}", kConnectOutcomeNames[i]), "{}  ({})", count,
              kConnectOutcomeMeanings[i]);
  }
}

void AddServed(const LoadResult& result, Table& table) {
  if (result.clients_to_serve == 0) return;
  if (result.clients_served == result.clients_to_serve) {
    table.Row("all served after", "{}", FormatDuration(result.all_served_ns));
  } else {
    table.Row("served", "{} of {} clients", result.clients_served, result.clients_to_serve);
  }
}

void AddVictims(const LoadResult& result, Table& table) {
  const VictimResult& victims = result.victims;
  if (victims.begin_ns == 0) return;
  table.Row("disturbed for", "{}",
            FormatDuration((victims.end_ns != 0 ? victims.end_ns : result.window_end_ns) -
                           victims.begin_ns));
  table.Latency("latency before", victims.before);
  table.Latency("latency during", victims.during);
  table.Latency("latency after", victims.after);
  if (victims.carries_p99()) {
    table.Row("p99 during / before", "{:.2f}", victims.p99_inflation());
  } else {
    table.Row("p99 during / before", "not known: {} transactions before, {} during; 100 carry one",
              victims.before.count(), victims.during.count());
  }
  table.Row("calm again after", "{}{}", victims.recovered ? "" : "more than ",
            FormatDuration(victims.recovery_ns));
  for (const LoadResult& group : result.groups) {
    table.Row("group", "{} ({}), {} connections", group.workload, Name(group.pattern),
              group.connections);
    if (group.transactions_all > 0) {
      table.Row("  transactions", "{} = {} ok + {} failed + {} skipped", group.transactions_all,
                group.transactions_ok, group.transactions_failed, group.transactions_skipped);
    }
    if (RowOf(group.pattern).Has(kConnectsMeasured)) {
      table.Latency("  request time", group.request_time);
    }
    table.Latency("  transaction latency", group.transaction_latency);
    AddConnects(group, table);
    table.Latency("  connect latency", group.connect_latency);
    AddServed(group, table);
  }
}

}  // namespace

std::string FormatResult(const LoadResult& result) {
  Table table;
  const PatternRow& pattern = RowOf(result.pattern);
  table.Row("workload", "{} ({}, {})", result.workload, pattern.name, result.protocol_mode);
  table.Row("server", "{}{}{}", result.server, result.server_version.empty() ? "" : ", version ",
            result.server_version);
  table.Row("connections", "{}, by {} client thread{}, seed {}", result.connections, result.threads,
            result.threads == 1 ? "" : "s", result.seed);
  table.Row("measured", "{}{}", FormatDuration(result.window_end_ns - result.window_begin_ns),
            result.interrupted ? ", interrupted" : "");
  if (result.warmup_ns > 0) {
    table.Row("warm-up", "{}, {}", FormatDuration(result.warmup_ns),
              result.warmup_state == "unsettled" ? "never settled" : result.warmup_state);
  }
  table.Row("transactions", "{} = {} ok + {} failed + {} skipped", result.transactions_all,
            result.transactions_ok, result.transactions_failed, result.transactions_skipped);
  for (const auto& [code, count] : result.transaction_errors) {
    table.Row(fmt::format("  failed: {}", code), "{}", count);
  }
  if (result.open_loop()) AddSchedule(result, table);
  if (result.latency_limit_ns > 0) {
    table.Row(fmt::format("over {}", FormatDuration(result.latency_limit_ns)), "{} of {}",
              result.transactions_late, result.transactions_ok);
  }
  const bool storm = pattern.Has(kReleasedTogether);
  const bool connects = pattern.Has(kReleasedTogether | kDropped | kSessionsComeAndGo);
  if (!pattern.Has(kCrowd)) {
    table.Row("throughput", "{:.1f} transactions/s", result.throughput_tps());
  }
  if (connects) {
    table.Latency("request time", result.request_time);
    table.Latency("  after login", result.transaction_latency);
  } else {
    table.Latency("transaction latency", result.transaction_latency);
  }
  if (const auto law = result.littles_law()) {
    table.Row("clients / throughput", "{}, by {:.1f} clients that asked all the time",
              FormatDuration(std::llround(law->clients_over_throughput_ns)), law->clients);
  }
  table.Latency("  service time", result.service_time);
  table.Latency("  schedule lag", result.schedule_lag);
  table.Latency("  lag of this client", result.client_lag);
  AddConnects(result, table);
  if (result.connects_ok() > 0 && pattern.Has(kConnectsMeasured)) {
    table.Row("connect rate", "{:.1f} connections/s", result.connects_per_s());
  }
  table.Latency("connect latency", result.connect_latency);
  if (result.connects_retried > 0) {
    table.Row("SYN sent again", "for {} connects, which holds TCP's seconds",
              result.connects_retried);
    table.Latency("  connect of the others", result.unretried_connect_latency);
  }
  if (storm) table.Latency("until the first row", result.first_row_latency);
  if (storm && result.connects_all > 1) {
    table.Row("release skew", "{}, {} connects in flight at most",
              FormatDuration(result.last_release_ns - result.first_connect_ns),
              result.connects_in_flight_max);
  }
  if (pattern.Has(kDropped))
    table.Row("first loss noticed", "{}", FormatDuration(result.first_loss_ns));
  AddServed(result, table);
  AddVictims(result, table);
  if (result.connections_lost > 0) table.Row("connections lost", "{}", result.connections_lost);
  const uint64_t work = std::max(result.transactions_all, result.connects_all);
  if (work > 0) {
    table.Row("client CPU", "{:.0f} % of a CPU in its busiest thread, {} per {}",
              result.client_cpu_fraction * 100,
              FormatDuration(result.client_cpu_ns / static_cast<int64_t>(work)),
              result.transactions_all >= result.connects_all ? "transaction" : "connect");
  }
  for (const std::string& warning : result.warnings) table.Row("note", "{}", warning);
  if (!result.first_error.empty()) table.Row("first error", "{}", result.first_error);
  for (const std::string& reason : result.invalid_reasons) table.Row("INVALID", "{}", reason);
  return table.Take();
}

std::string FormatProgress(const LoadProgress& progress) {
  std::string planned;
  if (progress.planned_ns > 0) planned = fmt::format(" of {}", FormatDuration(progress.planned_ns));
  return fmt::format("{}: {}{}, {} connections open, {} transactions ok, {} failed", progress.phase,
                     FormatDuration(progress.elapsed_ns), planned, progress.connections_open,
                     progress.transactions_ok, progress.transactions_failed);
}

}  // namespace connbench::load
