// What charts and tables need of a trial's row: who served, and the middle and spread of a metric
// over the repetitions.
//
// Safety: plain values; pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/schema.h"

namespace connbench::plots {

// A measured column of trials.csv.
using Metric = std::optional<double> results::TrialRow::*;

// Over the repetitions of one cell.
struct Spread {
  double median = 0;
  double low = 0;   // smallest
  double high = 0;  // largest
  size_t samples = 0;
};
Spread SpreadOf(std::vector<double> values);

// Who served: "fork", "postgres", "pgbouncer+fork".
std::string ContenderName(const results::TrialRow& row);

}  // namespace connbench::plots
