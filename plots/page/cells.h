// The part of a page that holds a run's figures: of each combination of axes who is ahead, the
// medians, the raw rows with their counters, and the command that measures it again; and the tables
// of comparisons.
//
// Safety: pure functions; any thread. Errors: none. Each returns HTML.
#pragma once

#include <string>

#include "harness/stats/verdict_row.h"
#include "plots/page/tables.h"
#include "results/reader.h"

namespace connbench::plots {

// Wider tables are cut in print.
inline constexpr size_t kMaxFigureColumns = 6;

// "With 64 clients that stay connected (workload tpcb, pool_size 4)"
std::string TitleOf(const FigureTable& table);
// chart_links: HTML that leads to the charts of this workload.
std::string RenderCombination(const results::Run& run, const FigureTable& table,
                              const std::string& chart_links, bool with_raw_rows);
std::string RenderSweep(const FigureTable& table);
// The judged metrics of a comparison in the cells of one workload; empty if it has none there.
std::string RenderComparison(const stats::VerdictTable& comparison, const std::string& workload);

}  // namespace connbench::plots
