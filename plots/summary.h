// What charts and tables need of a run: its OK trials grouped by series and connection count, and
// the middle and spread of a metric over the repetitions.
//
// Safety: plain values; pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/reader.h"

namespace connbench::plots {

// Over the repetitions of one cell.
struct Spread {
  double median = 0;
  double low = 0;   // smallest
  double high = 0;  // largest
  size_t samples = 0;
};
Spread SpreadOf(std::vector<double> values);

// What a series (a line, a group of bars) is called: the model, or the target that is no model of
// ours, and after it the values of the axes that the cell's name has beside workload and
// connections: "fork huge_pages=on". Cells with different settings are never one series.
template <typename Row>
std::string SeriesName(const Row& row);
// The same without the parameters of the workload, for charts that show these in another way.
std::string SeriesNameWithoutParameters(const results::TrialRow& row);
// Only who served: "fork", "postgres", "pgbouncer+fork".
template <typename Row>
std::string ContenderName(const Row& row);

// "steady" for a workload name: how charts choose among a run's workloads. The first of the
// preferred names that has OK trials, else the first workload with OK trials for which the metric
// is not 0.
std::string ChooseWorkload(const results::Run& run, const std::vector<std::string_view>& preferred,
                           double results::TrialRow::*metric);

// In order of first appearance in the plan (models keep their order from chart to chart).
std::vector<std::string> SeriesNames(const results::Run& run);
std::vector<int64_t> ConnectionCounts(const results::Run& run, std::string_view workload);

bool IsOk(const results::Run& run, int64_t trial);

// How many valid trials the cells have that a chart shows: "4 valid repetitions", or "2 to 4" where
// some of a cell were INVALID. A cell without any is in no chart.
std::string PrintRepetitions(const results::Run& run,
                             const std::function<bool(const results::TrialRow&)>& shown);

// The metric over the OK trials of a cell; nullopt if there is none.
std::optional<Spread> CellSpread(const results::Run& run, std::string_view workload,
                                 std::string_view series, int64_t connections,
                                 const std::function<double(const results::TrialRow&)>& metric);

}  // namespace connbench::plots
