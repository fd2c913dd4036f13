// A run's figures as tables that terminal and page show alike: of each combination of axes its
// pattern's metrics, headlines first (results/metrics.def), and of each axis that has several
// values a table of its own for each headline, ordered by value.
//
// Who served stands side by side (contenders). Only OK trials give figures.
//
// Safety: plain values; pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "results/reader.h"

namespace connbench::plots {

// Of one metric, the repetitions of each contender.
struct FigureRow {
  std::string label;                             // the metric's, with its unit, or the axis's value
  const results::Column* metric = nullptr;       // in the run's schema; never null
  std::vector<std::vector<double>> repetitions;  // in the order of the table's contenders
};

struct FigureTable {
  // "workload:steady/connections:8", "workload:steady, throughput by connections"
  std::string title;
  std::string corner;                   // what the labels are: "" for metrics, else the axis
  std::vector<std::string> contenders;  // sorted; those without a valid trial have no figures
  std::vector<FigureRow> rows;          // those of which some contender has a figure
  std::string workload;
  std::string pattern;
  // Of a combination, not of a swept axis: what all of its cells are called behind who served.
  std::string cell;
};

// "workload:steady/connections:8/ssl:on": the cell's name without who served.
std::string RestOfCell(const results::TrialRow& row);

// Workload by workload: its swept axes, then each combination.
std::vector<FigureTable> BuildTables(const results::Run& run);

}  // namespace connbench::plots
