// The chart of one metric of an experiment: lines over the axis that was swept, if it is numeric,
// else a row for each contender.
//
// Safety: pure functions; any thread. There are no errors: what was not measured has no chart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plots/charts/experiments.h"

namespace connbench::plots {

// One chart for each numeric axis that was swept, one in all if there is none.
std::vector<Chart> MetricCharts(const Experiment& experiment, std::string_view metric);

// What `connbench plot` calls the chart of a metric.
std::string TopicOfMetric(std::string_view metric);

}  // namespace connbench::plots
