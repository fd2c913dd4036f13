// The page as a whole: question, answer and the chart that carries it; warnings; workload by
// workload the charts, verdicts, figures and raw rows; then environment, settings, inputs, method.
//
// Without scripts the page is complete. With them (page.js) chips hide contenders and workloads,
// tables are sorted and turned into ratios, and hovering lifts a contender.
//
// Safety: one thread per run's folder, of which contenders.json and inputs/ are read (run_facts.h).
// Errors: none; what is missing is said in its place.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plots/chart.h"
#include "results/reader.h"

namespace connbench::plots {

struct PageChart {
  Chart chart;
  std::string svg;               // a file's text; empty: it could not be drawn
  std::string other_scale = {};  // the same on the other scale; empty: there is none
};

struct PageParts {
  std::span<const results::Run> runs;          // at least one
  std::vector<std::vector<PageChart>> charts;  // of each run
  std::string warning;                         // why charts are missing, or empty
};

// A page of at most this size where leaving out what is least needed can help: other scales, raw
// rows, charts that answer no question, then comparisons. It says what it left out, and where the
// run's folder has it.
inline constexpr size_t kMaxPageBytes = 3'000'000;

std::string MakePage(const PageParts& parts);

}  // namespace connbench::plots
