// Heat maps, densities and the power curve: what is in them.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "plots/charts.h"
#include "plots/charts/testing/find_chart.h"

namespace connbench::plots {
namespace {

results::TrialRow Trial(int64_t number, const std::string& model, const std::string& pattern) {
  results::TrialRow row;
  row.trial = row.repetition = number;
  row.contender = row.model = model;
  row.workload = "mine";
  row.pattern = pattern;
  row.connections = 8;
  row.status = results::kTrialOk;
  row.cell = fmt::format("model:{}/workload:mine/connections:8", model);
  return row;
}

void AddSlice(int64_t trial, int64_t time_ms, std::optional<double> us, results::Run& run) {
  results::TimeseriesRow row;
  row.trial = trial;
  row.time_ms = time_ms;
  row.latency_us_p99 = us;
  run.timeseries.push_back(row);
}

TEST(HeatMap, HasACellForEachSliceAndMarksTheDisturbance) {
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("connbench-heat-{}", ::getpid());
  std::filesystem::create_directories(folder / "inputs/deep");
  std::ofstream(folder / "inputs/broken.toml") << "[";
  std::ofstream(folder / "inputs/deep/mine.toml")
      << "[[group]]\nname = \"victim\"\n[[group]]\nname = \"crowd\"\nstart = \"100ms\"\n"
         "stop = \"9s\"\n";
  results::Run run;
  run.folder = folder.string();
  run.trials = {Trial(1, "fork", "mixed"), Trial(2, "thread", "mixed")};
  for (const int64_t time_ms : {0, 100, 300}) AddSlice(1, time_ms, 10.0 + time_ms, run);
  AddSlice(1, 200, std::nullopt, run);
  AddSlice(2, 0, 2000, run);
  const auto charts = ChartsOf(run);
  std::filesystem::remove_all(folder);
  const Chart* chart = Find(charts, "heat-mine");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->kind, ChartKind::kHeat);
  ASSERT_EQ(chart->bars.size(), 2U);
  EXPECT_EQ(chart->bars[0].label, "fork") << "who feels least is on top";
  ASSERT_EQ(chart->bars[0].cells.size(), 3U) << "a slice without a transaction is empty";
  EXPECT_EQ(chart->bars[0].cells[1].low, 100);
  EXPECT_EQ(chart->bars[0].cells[1].high, 200);
  EXPECT_EQ(chart->bars[0].cells[1].value, 110);
  EXPECT_EQ(chart->shade_low, 10);
  EXPECT_EQ(chart->shade_high, 2000);
  EXPECT_EQ(chart->parts.size(), kShades);
  EXPECT_EQ(chart->x_lines, (std::vector<double>{100})) << "9 s is beyond the window";
  EXPECT_EQ(chart->notes.at(0), "Dashed, at 100 ms: where the disturbance begins.");
}

TEST(HeatMap, MarksTheDisturbanceThatWasMeasured) {
  results::Run run;  // without a folder
  run.trials = {Trial(1, "fork", "mixed"), Trial(2, "thread", "mixed")};
  for (const int64_t trial : {1, 2}) {
    for (int64_t time_ms = 0; time_ms < 1000; time_ms += 100) AddSlice(trial, time_ms, 10, run);
    run.trials[static_cast<size_t>(trial) - 1].disturbance_begin_ms = 200;
    run.trials[static_cast<size_t>(trial) - 1].disturbance_end_ms = 400.0 + 200 * trial;
  }
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "heat-mine");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->x_lines, (std::vector<double>{200, 700}));
  EXPECT_EQ(chart->notes.at(0),
            "Dashed, at 200 ms and 700 ms: where the disturbance begins and where it ends.");
}

// Half of the requests near 100 us, the others near 10 ms, and more of them at one place.
TEST(Density, FindsTheModeAndBothHumps) {
  results::Run run;
  run.trials = {Trial(1, "fork", "churn")};
  const std::pair<double, double> ladder[] = {{0.0, 90},     {0.1, 95},      {0.4, 105},
                                              {0.5, 110},    {0.55, 9000},   {0.95, 9400},
                                              {0.99, 12000}, {0.999, 13000}, {1, 14000}};
  for (const auto& [percentile, us] : ladder) {
    results::LatencyRow row;
    row.trial = 1;
    row.distribution = "request";
    row.percentile = percentile;
    row.latency_us = us;
    run.latency.push_back(row);
  }
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "density-mine");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->kind, ChartKind::kShape);
  ASSERT_EQ(chart->bars.size(), 1U);
  const Bar& bar = chart->bars[0];
  EXPECT_GT(bar.parts.at(0), 8500);
  EXPECT_LT(bar.parts.at(0), 9800);
  EXPECT_EQ(bar.parts.at(1), 110);
  double below = 0;
  double all = 0;
  for (const Cell& cell : bar.cells) {
    all += cell.value;
    if (cell.high < 200) below += cell.value;
  }
  EXPECT_NEAR(all, 0.95, 0.03) << "5 % are spread so thin that they are not drawn";
  EXPECT_NEAR(below, 0.5, 0.02);
}

TEST(PowerCurve, RisesAndIsSteeperWhereRepetitionsAgree) {
  results::Run run;
  int64_t number = 0;
  const auto add = [&](const std::string& model, std::initializer_list<double> values) {
    int64_t repetition = 0;
    for (const double value : values) {
      run.trials.push_back(Trial(++number, model, "steady"));
      run.trials.back().repetition = ++repetition;
      run.trials.back().throughput_tps = value;
    }
  };
  add("fork", {100, 101, 99, 100});
  add("thread", {100, 160, 70, 120});
  add("reactor", {100, 101});
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "power-mine");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->series.size(), 2U) << "two repetitions say nothing of the noise";
  EXPECT_NE(chart->notes.at(0).find("reactor"), std::string::npos);
  const auto& quiet = chart->series[0].points;
  const auto& noisy = chart->series[1].points;
  for (size_t i = 1; i < quiet.size(); ++i) EXPECT_GE(quiet[i].y, quiet[i - 1].y);
  EXPECT_LT(quiet.front().y, 5) << "1 % is below the margin";
  EXPECT_EQ(quiet.back().y, 100);
  EXPECT_LT(noisy.back().y, quiet.back().y);
}

// Windows scatter by 30 % within a round, and rounds hardly do.
TEST(PowerCurve, OfAGateComesFromItsRounds) {
  results::Run run;
  run.info.gate = {{"base", "fork"},
                   {"candidate", "fork (work_mem=1MB)"},
                   {"margin", "0.02"},
                   {"false_alarms", "0.01"}};
  int64_t number = 0;
  constexpr int64_t kRounds = 12;
  for (int64_t pair = 1; pair <= 2 * kRounds; ++pair) {
    for (const char* side : {"base", "candidate"}) {
      results::TrialRow row = Trial(++number, "fork", "steady");
      row.cell = fmt::format("side:{}/{}", side, row.cell);
      row.repetition = pair;
      row.gate_round = (pair + 1) / 2;
      const double swing = pair % 2 == 0 ? 1.3 : 1 / 1.3;
      row.throughput_tps = 100 * (side[0] == 'b' ? swing : 1) * (1 + 0.001 * (pair % 3));
      run.trials.push_back(row);
    }
  }
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "power-mine");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->series.size(), 1U);
  EXPECT_EQ(chart->series[0].label, "fork (work_mem=1MB) against fork");
  EXPECT_NE(chart->caption.find("gates of 12 rounds"), std::string::npos) << chart->caption;
  EXPECT_NE(chart->caption.find("a margin of 2 %"), std::string::npos) << chart->caption;
  EXPECT_TRUE(chart->notes.empty());
  const auto& points = chart->series[0].points;
  const auto five =
      std::find_if(points.begin(), points.end(), [](const Point& point) { return point.x == 5; });
  EXPECT_EQ(five->y, 100) << "repetitions that scatter by 30 % would not find it";
}

}  // namespace
}  // namespace connbench::plots
