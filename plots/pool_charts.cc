#include "plots/pool_charts.h"

#include <fmt/format.h>

#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::Run;
using results::TrialRow;

// Per service, so that the parts of a bar are those of one wait for a worker.
double ResetPerService(const TrialRow& row) {
  if (row.pool_services == 0) return 0;
  return row.pool_reset_us_mean * static_cast<double>(row.pool_resets) /
         static_cast<double>(row.pool_services);
}

}  // namespace

std::optional<Chart> PoolTimes(const Run& run) {
  const std::string workload = ChooseWorkload(run, {"steady"}, &TrialRow::pool_service_us_mean);
  const auto counts = ConnectionCounts(run, workload);
  Chart chart;
  chart.kind = ChartKind::kBars;
  chart.name = "pool_times";
  chart.title = "Where a session's time goes in a pool";
  chart.subtitle = fmt::format("workload {}, mean per service, by connections", workload);
  chart.caption =
      "Lower is better. Each time that a session has something to do it waits for a worker of its "
      "pool, is served, and may make the next session wait until the worker is reset. Models in "
      "which a session has its process or thread to itself have no such times.";
  chart.y_label = "time (us)";
  chart.parts = {"queue wait", "service", "reset"};
  for (const std::string& name : SeriesNames(run)) {
    for (const int64_t connections : counts) {
      const auto median = [&](const std::function<double(const TrialRow&)>& metric) {
        const auto spread = CellSpread(run, workload, name, connections, metric);
        return spread ? spread->median : 0;
      };
      const double service = median([](const TrialRow& row) { return row.pool_service_us_mean; });
      if (service <= 0) continue;
      chart.bars.push_back({name,
                            fmt::format("{}", connections),
                            {median([](const TrialRow& row) { return row.pool_wait_us_mean; }),
                             service, median(ResetPerService)},
                            0,
                            0});
    }
  }
  if (chart.bars.empty()) return std::nullopt;
  return chart;
}

}  // namespace connbench::plots
