// Tests: how large a page may get, and what it says of what it leaves out.
#include "plots/page/page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::plots {
namespace {

using testing::HasSubstr;
using testing::Not;

// A run of one cell, with charts of this many bytes.
std::string PageWith(size_t headline_bytes, size_t counter_bytes, size_t other_scale_bytes,
                     size_t spectrum_bytes = 0) {
  std::vector<results::Run> runs(1);
  for (int64_t i = 1; i <= 2; ++i) {
    results::TrialRow row;
    row.trial = i;
    row.repetition = i;
    row.contender = "fork";
    row.workload = row.pattern = "steady";
    row.cell = "model:fork/workload:steady/connections:8";
    row.connections = 8;
    row.status = results::kTrialOk;
    row.throughput_tps = 100;
    runs[0].trials.push_back(row);
  }
  PageParts parts;
  parts.runs = runs;
  parts.charts.resize(1);
  const auto add = [&](const char* metric, size_t bytes) {
    PageChart drawn;
    drawn.chart.name = metric;
    if (std::string_view(metric) != "spectrum") drawn.chart.metric = metric;
    drawn.chart.pattern = drawn.chart.workload = "steady";
    drawn.svg = fmt::format("<svg>{}{}</svg>", metric, std::string(bytes, 'x'));
    // What cannot be packed: digits without order.
    uint32_t digit = 1;
    std::string other;
    while (other.size() < other_scale_bytes) {
      digit = digit * 1664525 + 1013904223;
      other += static_cast<char>('a' + (digit >> 28));
    }
    if (other_scale_bytes > 0) drawn.other_scale = fmt::format("<svg>{}</svg>", other);
    parts.charts[0].push_back(std::move(drawn));
  };
  add("throughput_tps", headline_bytes);
  add("server_cpu_us_per_transaction", counter_bytes);
  if (spectrum_bytes > 0) add("spectrum", spectrum_bytes);
  return MakePage(parts);
}

TEST(Page, ASmallOneLeavesNothingOut) {
  const std::string page = PageWith(1000, 1000, 1000);
  EXPECT_THAT(page, HasSubstr("Raw rows and counters: 2 trials"));
  EXPECT_THAT(page, HasSubstr("\"chart1-throughput_tps\":"));
  EXPECT_THAT(page, HasSubstr("<figure id=\"chart1-server_cpu_us_per_transaction\""));
  EXPECT_THAT(page, Not(HasSubstr("Left out")));
}

TEST(Page, OtherScalesGoFirst) {
  const std::string page = PageWith(1000, 1000, kMaxPageBytes);
  EXPECT_LE(page.size(), kMaxPageBytes);
  EXPECT_THAT(page, HasSubstr("Left out, so that the page stays below 3 MB: charts on their other "
                              "scale."));
  EXPECT_THAT(page, HasSubstr("Raw rows and counters: 2 trials"));
}

TEST(Page, ThenRawRowsAndChartsOfCounters) {
  const std::string page = PageWith(1000, kMaxPageBytes, 0);
  EXPECT_LE(page.size(), kMaxPageBytes);
  EXPECT_THAT(page, HasSubstr("raw rows, which are in trials.csv; charts of counters, which"));
  EXPECT_THAT(page, Not(HasSubstr("Raw rows and counters")));
  EXPECT_THAT(page, HasSubstr("<figure id=\"chart1-throughput_tps\""));
  EXPECT_THAT(page, Not(HasSubstr("<figure id=\"chart1-server_cpu_us_per_transaction\"")));
}

TEST(Page, ThenChartsOfNoSingleMetric) {
  const std::string page = PageWith(1000, 1000, 0, kMaxPageBytes);
  EXPECT_LE(page.size(), kMaxPageBytes);
  EXPECT_THAT(page, HasSubstr("charts but those of headlines, which are in the folder charts."));
  EXPECT_THAT(page, HasSubstr("<figure id=\"chart1-throughput_tps\""));
  EXPECT_THAT(page, Not(HasSubstr("<figure id=\"chart1-spectrum\"")));
}

TEST(Page, TheAnswersChartStaysWhateverItsSize) {
  const std::string page = PageWith(kMaxPageBytes, 1000, 0);
  EXPECT_THAT(page, HasSubstr("<figure id=\"chart1-throughput_tps\""));
  EXPECT_THAT(page, HasSubstr("comparisons, which"));
}

}  // namespace
}  // namespace connbench::plots
