// Charts against an offered rate, and their knees.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "plots/charts.h"

namespace connbench::plots {
namespace {

struct At {
  double rate;
  double achieved;
  double p99_us;
};

void Add(const std::string& model, std::initializer_list<At> points, results::Run& run) {
  for (const At& at : points) {
    results::TrialRow row;
    row.trial = static_cast<int64_t>(run.trials.size()) + 1;
    row.repetition = 1;
    row.contender = row.model = model;
    row.workload = row.pattern = "steady";
    row.connections = 8;
    row.status = results::kTrialOk;
    row.cell = fmt::format("model:{}/workload:steady/connections:8/rate:{}", model, at.rate);
    row.throughput_tps = at.achieved;
    row.request_us_p99 = at.p99_us;
    run.trials.push_back(row);
  }
}

const Chart* FindByTopic(const std::vector<Chart>& charts, const std::string& topic) {
  const auto found = std::find_if(charts.begin(), charts.end(),
                                  [&](const Chart& chart) { return chart.topic == topic; });
  return found == charts.end() ? nullptr : &*found;
}

TEST(OfferedRate, TheKneeIsTheLastRateThatIsServed) {
  results::Run run;
  Add("falls-short", {{1000, 1000, 200}, {2000, 1990, 300}, {4000, 2500, 400}}, run);
  Add("gets-slow", {{1000, 1000, 200}, {2000, 2000, 1500}, {4000, 3990, 9000}}, run);
  Add("keeps-up", {{1000, 1000, 200}, {2000, 2000, 210}, {4000, 3990, 220}}, run);
  const auto charts = ChartsOf(run);
  const Chart* latency = FindByTopic(charts, "latency_offered");
  const Chart* throughput = FindByTopic(charts, "throughput_offered");
  ASSERT_NE(latency, nullptr);
  ASSERT_NE(throughput, nullptr);
  for (const Chart* chart : {latency, throughput}) {
    ASSERT_EQ(chart->series.size(), 3U);
    EXPECT_EQ(chart->series[0].knee, 2000);
    EXPECT_EQ(chart->series[1].knee, 1000);
    EXPECT_TRUE(std::isnan(chart->series[2].knee)) << "it is beyond what was offered";
    EXPECT_NE(chart->notes.at(0).find("falls-short 2,000/s; gets-slow 1,000/s; keeps-up at least "
                                      "4,000/s"),
              std::string::npos)
        << chart->notes.at(0);
  }
  EXPECT_EQ(latency->series[0].points[2].y, 400);
  EXPECT_EQ(throughput->series[0].points[2].y, 2500);
  EXPECT_EQ(FindByTopic(charts, "request_p99"), nullptr) << "the same lines without a knee";
}

TEST(OfferedRate, AContenderWithoutTheLowRatesIsToldByItsOwn) {
  results::Run run;
  Add("all", {{500, 500, 200}, {1000, 1000, 210}, {2000, 2000, 220}}, run);
  Add("begins-late", {{1000, 1000, 200}, {2000, 1000, 400}}, run);
  Add("never", {{1000, 700, 200}, {2000, 700, 400}}, run);
  const auto charts = ChartsOf(run);
  const Chart* chart = FindByTopic(charts, "throughput_offered");
  ASSERT_NE(chart, nullptr);
  EXPECT_NE(chart->notes.at(0).find("all at least 2,000/s; begins-late 1,000/s (measured from "
                                    "1,000/s on); never below 1,000/s, its lowest rate."),
            std::string::npos)
      << chart->notes.at(0);
}

TEST(OfferedRate, WithoutASweepOfRatesThereIsNoSuchChart) {
  results::Run run;
  Add("fork", {{1000, 1000, 200}}, run);
  EXPECT_EQ(FindByTopic(ChartsOf(run), "latency_offered"), nullptr);
}

}  // namespace
}  // namespace connbench::plots
