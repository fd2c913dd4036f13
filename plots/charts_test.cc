#include "plots/charts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace connbench::plots {
namespace {

using RunData = results::Run;
using results::TrialRow;

TrialRow Trial(int64_t number, const char* model, const char* workload, int64_t connections,
               int64_t repetition) {
  TrialRow row;
  row.trial = number;
  row.target = "builtin";
  row.model = model;
  row.workload = workload;
  row.connections = connections;
  row.repetition = repetition;
  row.status = results::kTrialOk;
  return row;
}

const Chart* Find(const std::vector<Chart>& charts, const std::string& name) {
  const auto found = std::find_if(charts.begin(), charts.end(),
                                  [&](const Chart& chart) { return chart.name == name; });
  return found == charts.end() ? nullptr : &*found;
}

TEST(Charts, AnEmptyRunHasNone) { EXPECT_TRUE(BuildCharts(RunData{}).empty()); }

TEST(Charts, ThroughputIsTheMedianOfValidTrialsWithTheirRange) {
  RunData run;
  const double tps[] = {100, 300, 200, 9999};
  for (int64_t i = 0; i < 4; ++i) {
    TrialRow row = Trial(i + 1, "fork", "steady", 8, i + 1);
    row.throughput_tps = tps[i];
    if (i == 3) row.status = results::kTrialInvalid;
    run.trials.push_back(row);
  }
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "throughput");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->series.size(), 1U);
  const Point& point = chart->series[0].points.at(0);
  EXPECT_EQ(point.x, 8);
  EXPECT_EQ(point.y, 200);
  EXPECT_EQ(point.low, 100);
  EXPECT_EQ(point.high, 300);
}

TEST(Charts, CellsWithOtherSettingsOrParametersAreOtherSeries) {
  RunData run;
  int64_t trial = 0;
  const auto add = [&](const char* axes, const char* settings, double tps) {
    TrialRow row = Trial(++trial, "fork", "steady", 8, 1);
    row.cell = std::string("model:fork/workload:steady/connections:8/protocol:prepared") + axes;
    row.settings = settings;
    row.throughput_tps = tps;
    run.trials.push_back(row);
  };
  // What all cells share is in settings, but no axis.
  add("", "max_connections=21", 100);
  add("/huge_pages:on", "max_connections=21 huge_pages=on", 200);
  add("/hba_file:/tmp/rules", "max_connections=21 hba_file=/tmp/rules", 300);
  add("/scale:2", "max_connections=21", 400);
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "throughput");
  ASSERT_NE(chart, nullptr);
  std::vector<std::pair<std::string, double>> drawn;
  for (const Series& series : chart->series) {
    ASSERT_EQ(series.points.size(), 1U) << series.label;
    drawn.emplace_back(series.label, series.points[0].y);
  }
  EXPECT_EQ(drawn, (std::vector<std::pair<std::string, double>>{{"fork", 100},
                                                                {"fork hba_file=/tmp/rules", 300},
                                                                {"fork huge_pages=on", 200},
                                                                {"fork scale=2", 400}}));
}

TEST(Charts, MemoryShowsRssBesideWhatIsReal) {
  RunData run;
  TrialRow row = Trial(1, "fork", "idle", 200, 1);
  row.rss_kb_per_connection = 9000;
  row.private_kb_per_connection = 300;
  row.page_tables_kb_per_connection = 100;
  row.kernel_stack_kb_per_connection = 16;
  row.slab_unreclaimable_kb_per_connection = 40;
  row.socket_kb_per_connection = -1;  // noise of the machine
  row.memory_kb_per_connection_low = 440;
  row.memory_kb_per_connection_high = 470;
  run.trials.push_back(row);
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "memory_per_connection");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->bars.size(), 1U);
  EXPECT_EQ(chart->bars[0].parts, (std::vector<double>{300, 100, 16, 40, 0}));
  EXPECT_EQ(chart->bars[0].high, 470);
  EXPECT_EQ(chart->bars[0].group, "fork");
  const Chart* contrast = Find(charts, "memory_rss_against_real");
  ASSERT_NE(contrast, nullptr);
  ASSERT_EQ(contrast->bars.size(), 2U);
  EXPECT_EQ(contrast->bars[0].parts, (std::vector<double>{9000, 0}));
  EXPECT_EQ(contrast->bars[1].parts, (std::vector<double>{0, 456}));
}

TEST(Charts, StatesOfMemoryStandSideBySide) {
  RunData run;
  int64_t trial = 0;
  const auto add = [&](const char* workload, const char* parameters, double page_tables_kb) {
    TrialRow row = Trial(++trial, "fork", workload, 200, 1);
    row.parameters = parameters;
    row.cell = std::string("model:fork/workload:") + workload + "/connections:200";
    if (const std::string value = parameters; !value.empty()) {
      row.cell += "/" + value;
      row.cell[row.cell.rfind('=')] = ':';
    }
    row.rss_kb_per_connection = 10 * page_tables_kb;
    row.page_tables_kb_per_connection = page_tables_kb;
    run.trials.push_back(row);
  };
  add("memory-touched", "define.touch_percent=100", 300);
  add("memory-touched", "define.touch_percent=10", 150);
  add("memory-queried", "", 120);
  add("memory-connected", "", 100);
  add("idle", "", 999);
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "memory_per_connection");
  ASSERT_NE(chart, nullptr);
  std::vector<std::string> labels;
  std::vector<double> page_tables;
  for (const Bar& bar : chart->bars) {
    labels.push_back(bar.label);
    page_tables.push_back(bar.parts[1]);
  }
  EXPECT_EQ(labels, (std::vector<std::string>{"new", "queried", "10 %", "100 %"}));
  EXPECT_EQ(page_tables, (std::vector<double>{100, 120, 150, 300}));
}

TEST(Charts, ACrossoverIsDrawnWithItsBand) {
  RunData run;
  run.info.crossover = {{"parameter", "transactions_per_connection"},
                        {"metric", "throughput_tps"},
                        {"base", "fork"},
                        {"candidate", "thread"},
                        {"verdict", "crosses"},
                        {"at", "12.5"},
                        {"low", "10"},
                        {"high", "16"}};
  int64_t trial = 0;
  for (const char* model : {"fork", "thread"}) {
    for (const int x : {64, 1}) {
      TrialRow row = Trial(++trial, model, "churn", 8, 1);
      row.parameters = "transactions_per_connection=" + std::to_string(x);
      row.cell = fmt::format("model:{}/workload:churn/connections:8/transactions_per_connection:{}",
                             model, x);
      row.throughput_tps = 100.0 * x;
      run.trials.push_back(row);
    }
  }
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "crossover");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->x_band.low, 10);
  EXPECT_EQ(chart->x_band.at, 12.5);
  ASSERT_EQ(chart->series.size(), 2U);
  EXPECT_EQ(chart->series[0].label, "fork");
  ASSERT_EQ(chart->series[0].points.size(), 2U);
  EXPECT_EQ(chart->series[0].points[0].x, 1);
  EXPECT_EQ(chart->series[0].points[1].y, 6400);
}

TEST(Charts, PhasesStackInLifeOrder) {
  RunData run;
  run.trials.push_back(Trial(1, "fork", "churn", 8, 1));
  const char* phases[] = {"connect", "dispatch", "ready"};
  for (int64_t position = 3; position >= 1; --position) {
    results::PhaseRow row;
    results::CopyKeys(run.trials[0], row);
    row.side = "joined";
    row.phase = phases[position - 1];
    row.position = position;
    row.mean_us = static_cast<double>(position * 10);
    run.phases.push_back(row);
  }
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "connection_cost");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->parts, (std::vector<std::string>{"connect", "dispatch", "ready"}));
  EXPECT_EQ(chart->bars.at(0).parts, (std::vector<double>{10, 20, 30}));
}

TEST(Charts, CpuOfAConnectionLeavesOutModelsOfWhichAPhaseIsUnknown) {
  RunData run;
  const auto add = [&](int64_t number, const char* model, std::initializer_list<double> means) {
    run.trials.push_back(Trial(number, model, "churn", 8, 1));
    int64_t position = 0;
    for (const double mean : means) {
      results::PhaseRow row;
      results::CopyKeys(run.trials.back(), row);
      row.side = "cpu";
      row.phase = std::to_string(++position);
      row.position = position;
      row.mean_us = mean;
      run.phases.push_back(row);
    }
  };
  add(1, "fork", {5, 200});
  add(2, "reactor", {3});
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "connection_cpu");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->bars.size(), 1U);
  EXPECT_EQ(chart->bars[0].label, "fork");
  EXPECT_EQ(chart->bars[0].parts, (std::vector<double>{5, 200}));
  EXPECT_NE(chart->y_label.find("CPU"), std::string::npos);
}

TEST(Charts, StormProgressFollowsTheStampsOfTheConnections) {
  RunData run;
  for (int64_t number = 1; number <= 3; ++number) {
    TrialRow trial = Trial(number, "thread", "storm", 30, number);
    trial.connects_per_s = 100;
    run.trials.push_back(trial);
    const double ms[] = {2, 5, 12};
    for (int64_t part = 1; part <= 3; ++part) {
      results::LatencyRow row;
      results::CopyKeys(trial, row);
      row.distribution = "ready_since_release";
      row.percentile = static_cast<double>(part) / 3;
      row.latency_us = 1000 * ms[part - 1] * static_cast<double>(number);
      row.samples = 10 * part;
      run.latency.push_back(row);
    }
  }
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "storm_progress");
  ASSERT_NE(chart, nullptr);
  const std::vector<Point>& points = chart->series.at(0).points;
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[0].x, 0);
  EXPECT_EQ(points[1].x, 4);  // the middle one of three trials
  EXPECT_EQ(points[1].y, 10);
  EXPECT_EQ(points[3].x, 24);
  EXPECT_EQ(points[3].y, 30);
}

TEST(Charts, SubtitlesCountValidTrialsOnly) {
  RunData run;
  for (int64_t i = 0; i < 8; ++i) {
    TrialRow row = Trial(i + 1, i % 2 == 0 ? "fork" : "thread", "steady", 8, i / 2 + 1);
    row.cell = row.model;
    row.throughput_tps = 100;
    if (i == 0 || i == 2) row.status = results::kTrialInvalid;  // of fork's four
    run.trials.push_back(row);
  }
  auto charts = BuildCharts(run);
  EXPECT_EQ(Find(charts, "throughput")->subtitle,
            "workload steady, medians and range of 2 to 4 valid repetitions");
  for (TrialRow& row : run.trials) {
    if (row.model == "thread") row.status = results::kTrialInvalid;
  }
  charts = BuildCharts(run);
  EXPECT_EQ(Find(charts, "throughput")->subtitle,
            "workload steady, medians and range of 2 valid repetitions");
}

TEST(Charts, ConnectsOfOtherServersAreShownAsTheirClientsSeeThem) {
  RunData run;
  const auto add = [&](int64_t number, const char* target, const char* model, const char* side,
                       double mean_us) {
    TrialRow row = Trial(number, model, "churn", 8, 1);
    row.target = target;
    run.trials.push_back(row);
    results::PhaseRow phase;
    phase.trial = number;
    phase.target = target;
    phase.model = model;
    phase.workload = "churn";
    phase.connections = 8;
    phase.side = side;
    phase.phase = "connect";
    phase.position = 1;
    phase.mean_us = mean_us;
    run.phases.push_back(phase);
  };
  add(1, "builtin", "fork", "client", 200);
  EXPECT_EQ(Find(BuildCharts(run), "connect_time"), nullptr) << "the joined chart says more";
  add(2, "postgres", "", "client", 2000);
  add(3, "pgbouncer", "fork", "client", 100);
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "connect_time");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->bars.size(), 3U);
  EXPECT_EQ(chart->bars[0].label, "fork");
  EXPECT_EQ(chart->bars[1].label, "pgbouncer+fork");
  EXPECT_EQ(chart->bars[2].label, "postgres");
  EXPECT_EQ(chart->bars[2].parts.at(0), 2000);
  EXPECT_EQ(Find(charts, "connection_cost"), nullptr) << "nothing was joined";
}

TEST(Charts, TimesInAPoolAreThoseOfOneService) {
  RunData run;
  TrialRow direct = Trial(1, "fork", "steady", 8, 1);
  TrialRow pooled = Trial(2, "pool-tx", "steady", 8, 1);
  pooled.pool_services = 1000;
  pooled.pool_wait_us_mean = 30;
  pooled.pool_service_us_mean = 40;
  pooled.pool_resets = 10;
  pooled.pool_reset_us_mean = 200;
  run.trials = {direct};
  EXPECT_EQ(Find(BuildCharts(run), "pool_times"), nullptr);
  run.trials = {direct, pooled};
  const auto charts = BuildCharts(run);
  const Chart* chart = Find(charts, "pool_times");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->bars.size(), 1U);
  EXPECT_EQ(chart->bars[0].group, "pool-tx");
  EXPECT_EQ(chart->bars[0].parts, (std::vector<double>{30, 40, 2}));
}

TEST(Charts, AServerThatIsNotSeenHasNoMemory) {
  RunData run;
  TrialRow seen = Trial(1, "fork", "idle", 200, 1);
  seen.rss_kb_per_connection = 9000;
  seen.private_kb_per_connection = 300;
  run.trials.push_back(seen);
  TrialRow unseen = Trial(2, "", "idle", 200, 1);
  unseen.target = "dsn:shop@db1:5432";
  run.trials.push_back(unseen);
  const auto charts = BuildCharts(run);
  EXPECT_EQ(Find(charts, "memory_per_connection")->bars.size(), 1U);
  for (const Bar& bar : Find(charts, "memory_rss_against_real")->bars) EXPECT_EQ(bar.group, "fork");
}

}  // namespace
}  // namespace connbench::plots
