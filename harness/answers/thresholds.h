// How large a change must be to be worth a word: one margin for all metrics, others for some.
//
//   default = "5%"            # a TOML file
//   drift = "10%"             # what two runs differ by without a cause, instead of the built-in
//   [metrics]
//   throughput_tps = "3%"
//   server_cpu_us_per_connect = 2   # a plain number is in percent, too
//
// On the command line: "3%" (the default) or "throughput_tps=3%".
// Safety: plain values. Errors: 22023 for what is no percentage from 0 to 1,000, 42704 for an
// unknown metric, both with the place; 58030 if the file cannot be read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "harness/stats/family.h"

namespace connbench::answers {

// The share of work that failed, in percent: the larger one of transactions and of connects. Every
// cell has this row beside its metrics, judged by the difference of its shares (compare_runs.h).
inline constexpr std::string_view kFailedPercent = "failed_percent";
// One piece of work in a thousand: failed_percent is not judged below this difference.
inline constexpr double kFailedShareBound = 0.001;

struct Thresholds {
  double margin = stats::kDefaultMargin;
  std::map<std::string, double, std::less<>> by_metric;
  std::optional<double> drift;

  double MarginOf(std::string_view metric) const;
  // By so many of a hundred the share of failed work may differ without a word.
  double FailedPercentBound() const;
};

// 42704 with near names for what is no metric, or has no better direction.
Status CheckComparedMetric(std::string_view metric);
Status ReadThresholds(const std::string& path, Thresholds& thresholds);
Status SetThreshold(std::string_view text, Thresholds& thresholds);
// "5%", "5 %" or "5": 0.05.
Result<double> ParsePercent(std::string_view text);

}  // namespace connbench::answers
