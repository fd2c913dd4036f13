// Which charts a run has, and what is in them.
#include "plots/charts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "plots/charts/testing/find_chart.h"
#include "plots/verdict_charts.h"

namespace connbench::plots {
namespace {

using RunData = results::Run;
using results::TrialRow;

TrialRow Trial(int64_t number, const std::string& model, const std::string& workload,
               int64_t connections, int64_t repetition, const std::string& pattern = "") {
  TrialRow row;
  row.trial = number;
  row.target = "builtin";
  row.model = model;
  row.workload = workload;
  row.pattern = pattern.empty() ? workload : pattern;
  row.connections = connections;
  row.repetition = repetition;
  row.status = results::kTrialOk;
  row.cell = fmt::format("model:{}/workload:{}/connections:{}", model, workload, connections);
  return row;
}

std::vector<std::string> LabelsOf(const Chart& chart) {
  std::vector<std::string> labels;
  for (const Series& series : chart.series) labels.push_back(series.label);
  for (const Bar& bar : chart.bars) labels.push_back(bar.label);
  return labels;
}

using Labels = std::vector<std::string>;

TEST(Charts, AnEmptyRunHasNone) { EXPECT_TRUE(ChartsOf(RunData{}).empty()); }

TEST(Charts, ThroughputIsTheMedianOfValidTrialsWithTheirRange) {
  RunData run;
  const double tps[] = {100, 300, 200, 9999};
  for (int64_t i = 0; i < 4; ++i) {
    TrialRow row = Trial(i + 1, "fork", "steady", 8, i + 1);
    row.throughput_tps = tps[i];
    if (i == 3) row.status = results::kTrialInvalid;
    run.trials.push_back(row);
  }
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "throughput-steady");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->kind, ChartKind::kDots);
  ASSERT_EQ(chart->bars.size(), 1U);
  const Bar& bar = chart->bars[0];
  EXPECT_EQ(bar.parts, (std::vector<double>{200}));
  EXPECT_EQ(bar.repetitions, (std::vector<double>{100, 300, 200}));
  EXPECT_EQ(bar.low, bar.high) << "three repetitions carry no interval of a median";
  EXPECT_EQ(chart->better, "higher is better");
  EXPECT_NE(chart->subtitle.find("median of 3 valid repetitions"), std::string::npos);
}

TEST(Charts, SixRepetitionsCarryAnInterval) {
  RunData run;
  for (int64_t i = 1; i <= 6; ++i) {
    TrialRow row = Trial(i, "fork", "steady", 8, i);
    row.throughput_tps = 100.0 * static_cast<double>(i);
    run.trials.push_back(row);
  }
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "throughput-steady");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->bars.at(0).low, 100);
  EXPECT_EQ(chart->bars.at(0).high, 600);
}

// A workload that nobody knows, in a sweep of a parameter, with PostgreSQL and a pooler.
TEST(Charts, AWorkloadOfOnesOwnGetsTheChartsOfItsPatternAndAxis) {
  RunData run;
  int64_t trial = 0;
  for (const char* target : {"builtin", "postgres", "pgbouncer+postgres"}) {
    for (const int think_ms : {1, 2, 4, 8, 16, 32, 64, 128}) {
      TrialRow row = Trial(++trial, "", "of my own", 200, 1, "churn");
      row.target = target;
      if (row.target == "builtin") row.model = "fork";
      row.contender = row.target == "builtin" ? "fork" : target;
      row.cell = fmt::format("target:{}/workload:of my own/connections:200/think:{}ms",
                             row.contender, think_ms);
      row.request_us_mean = 1000.0 * think_ms;
      row.latency_us_p50 = 1;
      run.trials.push_back(row);
    }
  }
  const auto charts = ChartsOf(run);
  ASSERT_FALSE(charts.empty());
  const Chart& chart = charts.front();
  EXPECT_EQ(chart.name, "request-of_my_own") << "the headline comes first";
  EXPECT_EQ(chart.kind, ChartKind::kLines);
  EXPECT_EQ(chart.x_label, "think");
  EXPECT_TRUE(chart.log_x);
  EXPECT_EQ(LabelsOf(chart), (Labels{"fork", "pgbouncer+postgres", "postgres"}));
  EXPECT_EQ(chart.series[0].family, Family::kProcess);
  EXPECT_EQ(chart.series[2].family, Family::kForeign);
  ASSERT_EQ(chart.series[2].points.size(), 8U);
  EXPECT_EQ(chart.series[2].points[7].y, 128'000);
  EXPECT_EQ(chart.x_ticks.back().label, "128ms");
  EXPECT_FALSE(chart.question.empty());
  EXPECT_FALSE(chart.caption.empty());
}

TEST(Charts, AnAxisOfWordsIsRowsOrderedByValue) {
  RunData run;
  int64_t trial = 0;
  const auto add = [&](const char* axes, double tps) {
    TrialRow row = Trial(++trial, "fork", "steady", 8, 1);
    row.cell += std::string("/protocol:prepared") + axes;
    row.throughput_tps = tps;
    run.trials.push_back(row);
  };
  add("/huge_pages:off", 100);
  add("/huge_pages:on", 300);
  add("/huge_pages:try", 200);
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "throughput-steady");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(LabelsOf(*chart),
            (Labels{"fork, huge_pages=on", "fork, huge_pages=try", "fork, huge_pages=off"}));
  EXPECT_EQ(chart->bars[0].contender, "fork");
}

TEST(Charts, EachSweptAxisHasAChartAndTheOthersAreInItsLabels) {
  RunData run;
  int64_t trial = 0;
  for (const int64_t connections : {8, 64}) {
    for (const char* memory : {"512kB", "1MB"}) {
      TrialRow row = Trial(++trial, "fork", "steady", connections, 1);
      row.cell += std::string("/work_mem:") + memory;
      row.throughput_tps = static_cast<double>(100 * trial);
      run.trials.push_back(row);
    }
  }
  const auto charts = ChartsOf(run);
  const Chart* by_connections = Find(charts, "throughput-steady");
  ASSERT_NE(by_connections, nullptr);
  EXPECT_EQ(LabelsOf(*by_connections), (Labels{"fork, work_mem=1MB", "fork, work_mem=512kB"}));
  const Chart* by_memory = Find(charts, "throughput-steady-by-work_mem");
  ASSERT_NE(by_memory, nullptr);
  EXPECT_EQ(LabelsOf(*by_memory), (Labels{"fork, 64 connections", "fork, 8 connections"}));
  ASSERT_EQ(by_memory->series[1].points.size(), 2U);
  EXPECT_EQ(by_memory->series[1].points[0].x, 512 * 1024) << "sizes are numbers";
  ChartRequest request;
  request.metrics = {"throughput_tps"};
  request.x = "work_mem";
  request.by = "connections";
  const auto asked = ChartsOf(run, request);
  ASSERT_TRUE(asked.ok());
  ASSERT_EQ(asked->size(), 1U);
  EXPECT_EQ(LabelsOf(asked->front()), (Labels{"64 connections", "8 connections"}));
}

TEST(Charts, WhoIsNotShownIsSaid) {
  RunData run;
  TrialRow fork = Trial(1, "fork", "steady", 8, 1);
  fork.throughput_tps = 5;
  fork.server_cpu_us_per_transaction = 7;
  TrialRow other = fork;
  other.trial = 2;
  other.target = "dsn:host=db";
  other.model = "";
  other.server_cpu_us_per_transaction.reset();
  TrialRow invalid = Trial(3, "thread", "steady", 8, 1);
  invalid.status = results::kTrialInvalid;
  run.trials = {fork, other, invalid};
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "cpu-steady");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->notes, (Labels{"Not shown: dsn:host=db; it was not measured there.",
                                  "Not shown: thread; without a valid trial."}));
}

TEST(Charts, MemoryIsShownInPartsWithRssForComparison) {
  RunData run;
  TrialRow row = Trial(1, "fork", "idle", 200, 1);
  row.rss_kb_per_connection = 9000;
  row.private_kb_per_connection = 300;
  row.page_tables_kb_per_connection = 100;
  row.kernel_stack_kb_per_connection = 16;
  row.slab_unreclaimable_kb_per_connection = 40;
  row.socket_kb_per_connection = -1;  // noise of the machine
  row.memory_kb_per_connection = 455;
  row.memory_kb_per_connection_low = 440;
  row.memory_kb_per_connection_high = 470;
  run.trials.push_back(row);
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "memory-idle");
  ASSERT_NE(chart, nullptr);
  ASSERT_EQ(chart->bars.size(), 1U);
  const std::vector<double>& parts = chart->bars[0].parts;
  ASSERT_EQ(parts.size(), 5U);
  EXPECT_NEAR(parts[0], 300, 1);
  EXPECT_EQ(parts[4], 0);
  EXPECT_NEAR(std::accumulate(parts.begin(), parts.end(), 0.0), 455, 1e-9);
  EXPECT_EQ(chart->bars[0].high, 470);
  EXPECT_EQ(chart->bars[0].remark, "(RSS 8.79 MB)");
  EXPECT_EQ(Find(charts, "memory_total-idle"), nullptr) << "the parts say the same";
}

// Medians of parts do not add up to the median of the sums.
TEST(Charts, TheIntervalOfMemoryHoldsTheEndOfItsBar) {
  RunData run;
  const double parts[][2] = {{50, 90}, {100, 20}, {10, 100}};
  for (int64_t i = 0; i < 3; ++i) {
    TrialRow row = Trial(i + 1, "fork", "idle", 200, i + 1);
    row.private_kb_per_connection = parts[i][0];
    row.page_tables_kb_per_connection = parts[i][1];
    row.memory_kb_per_connection = parts[i][0] + parts[i][1];
    row.memory_kb_per_connection_low = *row.memory_kb_per_connection - 1;
    row.memory_kb_per_connection_high = *row.memory_kb_per_connection + 1;
    run.trials.push_back(row);
  }
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "memory-idle");
  ASSERT_NE(chart, nullptr);
  const Bar& bar = chart->bars[0];
  const double end = std::accumulate(bar.parts.begin(), bar.parts.end(), 0.0);
  EXPECT_NEAR(end, 120, 1e-9) << "the median of 140, 120 and 110";
  EXPECT_LE(bar.low, end);
  EXPECT_GE(bar.high, end);
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
      row.cell += fmt::format("/transactions_per_connection:{}", x);
      row.throughput_tps = 100.0 * x;
      run.trials.push_back(row);
    }
  }
  const auto charts = ChartsOf(run);
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

void AddPhases(RunData& run, const TrialRow& trial, const std::string& side,
               const std::vector<std::pair<std::string, double>>& means) {
  int64_t position = 0;
  for (const auto& [phase, mean_us] : means) {
    results::PhaseRow row;
    results::CopyKeys(trial, row);
    row.side = side;
    row.phase = phase;
    row.position = ++position;
    row.mean_us = mean_us;
    run.phases.push_back(row);
  }
}

TEST(Charts, PhasesHavePlainNamesAndThoseOfOneNameAreAdded) {
  RunData run;
  run.trials.push_back(Trial(1, "fork", "churn", 8, 1));
  AddPhases(
      run, run.trials[0], "joined",
      {{"handshake", 1}, {"accept_queue", 2}, {"dispatch", 30}, {"start", 40}, {"own_kind", 5}});
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "connect-churn");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->parts, (Labels{"TCP handshake", "waiting to be accepted",
                                  "starting the process or thread", "own kind"}));
  EXPECT_EQ(chart->bars.at(0).parts, (std::vector<double>{1, 2, 70, 5}));
}

TEST(Charts, CpuOfAConnectionLeavesOutWhomAPhaseIsUnknownOf) {
  RunData run;
  run.trials = {Trial(1, "fork", "churn", 8, 1), Trial(2, "reactor", "churn", 8, 1)};
  AddPhases(run, run.trials[0], "cpu", {{"dispatch", 5}, {"serve", 200}});
  AddPhases(run, run.trials[1], "cpu", {{"dispatch", 3}});
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "connect_cpu-churn");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(LabelsOf(*chart), (Labels{"fork"}));
  ASSERT_EQ(chart->notes.size(), 1U);
  EXPECT_TRUE(chart->notes[0].starts_with("Not shown: reactor;")) << chart->notes[0];
}

TEST(Charts, ConnectsOfOtherServersAreShownAsTheirClientsSeeThem) {
  RunData run;
  run.trials = {Trial(1, "fork", "churn", 8, 1)};
  AddPhases(run, run.trials[0], "client", {{"connect", 200}});
  EXPECT_EQ(Find(ChartsOf(run), "connect_seen-churn"), nullptr) << "the joined chart says more";
  TrialRow postgres = Trial(2, "", "churn", 8, 1);
  postgres.target = "postgres";
  run.trials.push_back(postgres);
  AddPhases(run, postgres, "client", {{"connect", 2000}});
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "connect_seen-churn");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(LabelsOf(*chart), (Labels{"fork", "postgres"}));
  EXPECT_EQ(chart->bars[1].parts.at(0), 2000);
}

void AddLadder(RunData& run, const TrialRow& trial, const std::string& distribution,
               const std::vector<std::pair<double, double>>& us) {
  int64_t samples = 0;
  for (const auto& [percentile, latency_us] : us) {
    results::LatencyRow row;
    results::CopyKeys(trial, row);
    row.distribution = distribution;
    row.percentile = percentile;
    row.latency_us = latency_us;
    row.samples = samples += 10;
    run.latency.push_back(row);
  }
}

TEST(Charts, ProgressIsStepsAtTheStampsOfTheConnections) {
  RunData run;
  for (int64_t number = 1; number <= 3; ++number) {
    run.trials.push_back(Trial(number, "thread", "storm", 30, number));
    const auto slower = static_cast<double>(number);
    AddLadder(run, run.trials.back(), "ready_since_release",
              {{0.333, 2000 * slower}, {0.667, 5000 * slower}, {1, 12'000 * slower}});
  }
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "progress-storm");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->kind, ChartKind::kSteps);
  const std::vector<Point>& points = chart->series.at(0).points;
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[0].y, 0) << "nobody was ready before the first";
  EXPECT_EQ(points[1].x, 4);  // the middle one of three trials
  EXPECT_EQ(points[1].y, 10);
  EXPECT_EQ(points[3].x, 24);
  EXPECT_EQ(points[3].y, 30);
}

TEST(Charts, APercentileThatNotAllRepetitionsCarryIsLeftOut) {
  RunData run;
  run.trials = {Trial(1, "fork", "churn", 8, 1), Trial(2, "fork", "churn", 8, 2)};
  AddLadder(run, run.trials[0], "request", {{0.5, 10}, {0.9, 20}, {0.99, 30}});
  AddLadder(run, run.trials[1], "request", {{0.5, 20}, {0.9, 40}});
  const auto charts = ChartsOf(run);
  const Chart* spectrum = Find(charts, "spectrum-churn");
  ASSERT_NE(spectrum, nullptr);
  ASSERT_EQ(spectrum->series.at(0).points.size(), 2U);
  EXPECT_EQ(spectrum->series[0].points[1].y, 30);
  EXPECT_TRUE(spectrum->notes.empty());
  const Chart* distribution = Find(charts, "distribution-churn");
  ASSERT_NE(distribution, nullptr);
  ASSERT_EQ(distribution->bars.at(0).parts.size(), 3U);
  EXPECT_EQ(distribution->bars[0].parts[1], 30);
  EXPECT_TRUE(std::isnan(distribution->bars[0].parts[2]));
}

TEST(Charts, WithoutRequestTimesTheChartSaysWhatItShows) {
  RunData run;
  run.trials = {Trial(1, "fork", "churn", 8, 1)};
  AddLadder(run, run.trials[0], "transaction", {{0.5, 10}, {0.9, 20}});
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "spectrum-churn");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(chart->title, "Time after login by percentile");
  EXPECT_FALSE(chart->notes.empty());
}

TEST(Charts, VictimsAreShownBeforeDuringAndAfter) {
  RunData run;
  run.trials = {Trial(1, "fork", "noise", 8, 1, "mixed"),
                Trial(2, "thread", "noise", 8, 1, "mixed")};
  AddLadder(run, run.trials[0], "victim_before", {{0.5, 1}, {0.99, 100}});
  AddLadder(run, run.trials[0], "victim_during", {{0.5, 1}, {0.99, 900}});
  AddLadder(run, run.trials[1], "victim_during", {{0.5, 1}, {0.99, 300}});
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "victims-noise");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(LabelsOf(*chart), (Labels{"thread", "fork"})) << "the least disturbed first";
  EXPECT_EQ(chart->bars[1].parts[0], 100);
  EXPECT_EQ(chart->bars[1].parts[1], 900);
  EXPECT_TRUE(std::isnan(chart->bars[1].parts[2]));
}

TEST(Charts, EveryWorkloadHasItsChartsUnderNamesOfTheirOwn) {
  RunData run;
  int64_t trial = 0;
  for (const char* workload : {"a/b", "a b", "reads", "writes"}) {
    TrialRow row = Trial(++trial, "fork", workload, 8, 1, "steady");
    row.throughput_tps = 1;
    row.request_us_p99 = 1;
    run.trials.push_back(row);
  }
  std::set<std::string> names;
  for (const Chart& chart : ChartsOf(run)) {
    EXPECT_TRUE(names.insert(chart.name).second) << chart.name;
    EXPECT_EQ(chart.name.find_first_of("/ "), std::string::npos) << chart.name;
    EXPECT_EQ(chart.pattern, "steady");
  }
  EXPECT_EQ(names.size(), 8U);
}

TEST(Charts, SeveralRunsShareAPicture) {
  std::vector<RunData> runs(2);
  for (size_t i = 0; i < runs.size(); ++i) {
    runs[i].info.run_id = i == 0 ? "before" : "after";
    TrialRow row = Trial(1, "fork", "steady", 8, 1);
    row.throughput_tps = 100.0 * static_cast<double>(i + 1);
    runs[i].trials = {row};
    AddLadder(runs[i], row, "request", {{0.5, 10.0 * static_cast<double>(i + 1)}});
  }
  const RunData merged = MergeRuns(runs);
  const auto charts = ChartsOf(merged);
  const Chart* chart = Find(charts, "throughput-steady");
  ASSERT_NE(chart, nullptr);
  EXPECT_EQ(LabelsOf(*chart), (Labels{"fork, after", "fork, before"}));
  const Chart* spectrum = Find(charts, "spectrum-steady");
  ASSERT_NE(spectrum, nullptr);
  EXPECT_EQ(LabelsOf(*spectrum), (Labels{"fork, after", "fork, before"}));
  EXPECT_EQ(spectrum->series[0].points.at(0).y, 20);
}

TEST(Charts, VerdictsAreAForestOfRatiosAroundOne) {
  stats::VerdictTable table;
  table.base = "before";
  table.candidate = "after";
  stats::VerdictRow row;
  row.cell = "model:fork/workload:my own/connections:8";
  row.workload = "my own";
  row.connections = 8;
  row.label = "throughput";
  row.question.gated = true;
  row.answer.verdict = stats::Verdict::kWorse;
  row.answer.ratio = stats::Interval{0.8, 0.7, 0.9};
  table.rows = {row, row, row};
  table.rows[1].question.gated = false;  // described rows are not judged
  table.rows[2].answer.ratio.reset();
  const auto charts = VerdictCharts(table);
  ASSERT_EQ(charts.size(), 1U);
  EXPECT_EQ(charts[0].name, "verdicts-my_own");
  EXPECT_EQ(charts[0].x_band.at, 1);
  ASSERT_EQ(charts[0].bars.size(), 1U);
  EXPECT_EQ(charts[0].bars[0].label, "fork, 8 connections: throughput");
  EXPECT_EQ(charts[0].bars[0].family, Family::kProcess);
  EXPECT_EQ(charts[0].bars[0].low, 0.7);
  EXPECT_EQ(charts[0].bars[0].remark, "worse");
  EXPECT_EQ(charts[0].notes.size(), 1U);
}

TEST(Charts, WhatARunDoesNotHaveIsAnsweredWithWhatItHas) {
  RunData run;
  TrialRow row = Trial(1, "fork", "steady", 8, 1);
  row.throughput_tps = 1;
  run.trials = {row};
  const auto status_of = [&](const ChartRequest& request) {
    return ChartsOf(run, request).status().ToString();
  };
  EXPECT_NE(status_of({{"memroy"}, {}, "", ""}).find("no chart \"memroy\""), std::string::npos);
  EXPECT_NE(status_of({{}, {"tps"}, "", ""}).find("\"tps\" is not a metric"), std::string::npos);
  EXPECT_NE(status_of({{}, {"workload"}, "", ""}).find("not a metric"), std::string::npos);
  EXPECT_NE(status_of({{}, {}, "thinking", ""}).find("not an axis"), std::string::npos);
  EXPECT_NE(status_of({{}, {}, "", "thinking"}).find("not an axis"), std::string::npos);
  const auto by_name = ChartsOf(run, {{"throughput"}, {}, "contender", ""});
  ASSERT_TRUE(by_name.ok());
  EXPECT_EQ(by_name->size(), 1U);
}

}  // namespace
}  // namespace connbench::plots
