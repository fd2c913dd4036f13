#include "harness/suite/suite_run.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "harness/observe/environment.h"
#include "harness/observe/fitness.h"
#include "harness/observe/host.h"
#include "harness/suite/crossover_run.h"
#include "harness/suite/interruption.h"
#include "harness/suite/progress.h"
#include "harness/suite/scratch_folder.h"
#include "harness/suite/steadiness.h"
#include "harness/suite/summary.h"
#include "harness/suite/trial_runner.h"
#include "plots/report.h"
#include "results/reader.h"
#include "results/writer.h"

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kActivityNs = 300 * kNanosecondsPerMillisecond;

std::string MakeRunId(const std::string& suite) {
  std::string stamp = observe::UtcNow();  // 2026-11-21T07:30:00Z
  std::erase_if(stamp, [](char c) { return c == ':' || c == '-' || c == 'Z'; });
  return fmt::format("{}-{}", stamp, suite);
}

// Google Benchmark insists on a display; ours is Progress.
class SilentReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& /*runs*/) override {}
};

class SuiteRun {
 public:
  explicit SuiteRun(const RunOptions& options)
      : options_(options), plan_(options.plan), steadiness_(plan_) {
    targets_.program = options.program;
  }

  ExitCode Run() {
    Status status = PrepareTargets();
    if (status.ok()) status = Begin();
    if (!status.ok()) {
      fmt::print(stderr, "connbench run: {}\n", status.ToString());
      return kExitUsage;
    }
    WarnAboutMachine();
    {
      Progress progress(plan_, [this](size_t index) { return TrialsLeft(index); });
      progress_ = &progress;
      if (plan_.crossover) {
        RunCrossover();
      } else {
        RunBenchmarks();
      }
      progress_ = nullptr;
    }
    const Status ended = End();
    if (failure_.ok()) failure_ = ended;
    if (!failure_.ok()) fmt::print(stderr, "connbench run: {}\n", failure_.ToString());
    ShowResults();
    return Exit();
  }

 private:
  // Programs that are missing, settings that nobody has: said before the first trial.
  Status PrepareTargets() {
    for (const Cell& cell : plan_.cells) {
      const auto target = targets::MakeTarget(cell.Request(), targets_);
      const Status status = target->Prepare();
      for (const auto& version : target->Versions()) {
        if (std::find(servers_.begin(), servers_.end(), version) == servers_.end()) {
          servers_.push_back(version);
        }
      }
      if (status.ok()) continue;
      return Status::Error(status.code(), fmt::format("{}: {}", cell.name, status.error().message))
          .WithDetail(status.error().detail)
          .WithHint(status.error().hint);
    }
    return Status::Ok();
  }

  Status Begin() {
    SweepScratchFolders();
    std::string latest;
    if (options_.resume) {
      CONNBENCH_ASSIGN_OR_RETURN(const results::Run run, results::Run::Load(options_.output));
      CONNBENCH_RETURN_IF_ERROR(CheckSamePlan(run));
      info_ = run.info;
      for (const results::TrialRow& row : run.trials) {
        // What was interrupted is measured again; its row stays, as history.
        if (row.status != results::kTrialInterrupted) Remember(row);
        last_trial_ = std::max(last_trial_, row.trial);
      }
      CONNBENCH_ASSIGN_OR_RETURN(writer_, results::RunWriter::Resume(options_.output));
    } else {
      DescribeRun();
      folder_ = options_.output;
      if (folder_.empty()) {
        folder_ = "results/" + info_.run_id;
        latest = "results/latest";
      }
      CONNBENCH_ASSIGN_OR_RETURN(writer_, results::RunWriter::Create(folder_, info_, latest));
    }
    folder_ = writer_->folder();
    host_begin_ = observe::ReadHostCounters();
    begin_ns_ = MonotonicNow();
    return Status::Ok();
  }

  Status CheckSamePlan(const results::Run& run) const {
    std::vector<std::string> order;
    for (const Trial& trial : plan_.trials) order.push_back(plan_.cells[trial.cell].name);
    const bool same_order = plan_.crossover.has_value() || run.info.order == order;
    if (same_order && run.info.suite == plan_.suite &&
        run.info.seed == static_cast<int64_t>(plan_.seed)) {
      return Status::Ok();
    }
    return Status::Error(sqlstate::kInvalidParameterValue,
                         options_.output + " holds a run of another plan")
        .WithHint("Resume it with the same suite, options and seed.");
  }

  void DescribeRun() {
    info_.schema_version = results::kSchemaVersion;
    info_.run_id = MakeRunId(plan_.suite);
    info_.suite = plan_.suite;
    info_.started_at = observe::UtcNow();
    info_.outcome = "running";
    info_.trials_planned = static_cast<int64_t>(plan_.trials.size());
    info_.seed = static_cast<int64_t>(plan_.seed);
    info_.argv = options_.argv;
    info_.environment = observe::SteeringEnvironment();
    info_.settings = CommonSettings();
    info_.servers = servers_;
    info_.waived_checks = options_.waived;
    for (const Trial& trial : plan_.trials) info_.order.push_back(plan_.cells[trial.cell].name);
    observe::DescribeBuild(info_);
    observe::DescribeMachine(info_);
    info_.load_average_before = observe::ReadLoadAverage();
  }

  // Those that every cell has.
  results::TextMap CommonSettings() const {
    results::TextMap common(plan_.cells[0].settings.begin(), plan_.cells[0].settings.end());
    for (const Cell& cell : plan_.cells) {
      std::erase_if(common, [&](const auto& setting) {
        return std::find(cell.settings.begin(), cell.settings.end(), setting) ==
               cell.settings.end();
      });
    }
    return common;
  }

  void WarnAboutMachine() const {
    results::RunInfo machine;
    observe::DescribeBuild(machine);
    observe::DescribeMachine(machine);
    int spoils = 0;
    for (const observe::Finding& finding : observe::CheckFitness(
             machine, observe::ReadActivity(kActivityNs), plan_.MachineDemand())) {
      if (finding.fitness != observe::Fitness::kSpoils) continue;
      ++spoils;
      fmt::print(stderr, "connbench run: warning: {}: {}; {}\n", finding.subject, finding.found,
                 finding.remedy);
    }
    if (spoils > 0) fmt::print(stderr, "connbench run: \"connbench doctor\" says more\n");
  }

  void RunBenchmarks() {
    for (size_t i = 0; i < plan_.trials.size(); ++i) {
      const std::string& name = plan_.cells[plan_.trials[i].cell].name;
      benchmark::RegisterBenchmark(name.c_str(),
                                   [this, i](benchmark::State& state) { RunIteration(state, i); })
          ->UseManualTime()
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    }
    std::vector<std::string> words = {options_.program};
    if (!options_.benchmark_out.empty()) {
      words.push_back("--benchmark_out=" + options_.benchmark_out);
      words.emplace_back("--benchmark_out_format=json");
    }
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (std::string& word : words) argv.push_back(word.data());
    int argc = static_cast<int>(argv.size());
    benchmark::Initialize(&argc, argv.data());
    SilentReporter display;
    benchmark::RunSpecifiedBenchmarks(&display);
    benchmark::Shutdown();
  }

  void RunIteration(benchmark::State& state, size_t index) {
    for (auto _ : state) {
      const Trial& trial = plan_.trials[index];
      const Cell& cell = plan_.cells[trial.cell];
      if (interruption_.Requested() || !failure_.ok()) {
        state.SkipWithError("not run: the suite was ended");
        break;
      }
      if (done_.contains({cell.name, trial.repetition})) {
        state.SkipWithError("run before");
        break;
      }
      if (!steadiness_.Needs(trial)) {
        ++not_needed_;
        state.SkipWithError("not needed: the cell's interval is narrow enough");
        break;
      }
      const auto [row, seconds] = RunAndWrite(index);
      state.SetIterationTime(seconds);
      if (row.status != results::kTrialOk) {
        state.SkipWithError(row.status_reason.c_str());
        break;
      }
      for (const auto& field : results::Fields<results::TrialRow>()) {
        if (field.column.better() == results::Better::kNeither) continue;
        state.counters[std::string(field.column.name)] = field.Number(row);
      }
    }
  }

  // Also what Google Benchmark takes for the time of the trial.
  std::pair<results::TrialRow, double> RunAndWrite(size_t index) {
    const Trial& trial = plan_.trials[index];
    const Cell& cell = plan_.cells[trial.cell];
    progress_->TrialBegins(index);
    const TrialContext context{options_.program, &interruption_, options_.waived};
    const auto target = targets::MakeTarget(cell.Request(), targets_);
    const double started_s =
        static_cast<double>(MonotonicNow() - begin_ns_) / kNanosecondsPerSecond;
    TrialOutcome outcome = RunTrial(context, cell, trial, *target);
    observer_cpu_ns_ += outcome.observer_cpu_ns;
    window_ns_ += outcome.window_ns;
    checkpoint_cpu_ns_ += outcome.checkpoint_cpu_ns;
    results::TrialRow& row = outcome.record.trial;
    row.run_id = info_.run_id;
    row.trial = ++last_trial_;
    row.started_s = started_s;
    results::TrialRow copy = row;
    failure_ = writer_->AppendTrial(std::move(outcome.record));
    if (failure_.ok()) ++info_.trials_written;
    Remember(copy);
    progress_->TrialEnded(index, copy);
    return {std::move(copy), outcome.manual_seconds};
  }

  void Remember(const results::TrialRow& row) {
    done_.insert_or_assign({row.cell, row.repetition}, row);
    steadiness_.Add(row);
  }

  // Those that are still to be run from an index of the plan on.
  std::vector<Trial> TrialsLeft(size_t index) const {
    std::vector<Trial> left;
    for (size_t i = index; i < plan_.trials.size(); ++i) {
      const Trial& trial = plan_.trials[i];
      if (trial.repetition <= steadiness_.ExpectedRepetitions(trial.cell) &&
          !done_.contains({plan_.cells[trial.cell].name, trial.repetition})) {
        left.push_back(trial);
      }
    }
    return left;
  }

  // Cells and trials join the plan as the bisection asks for them.
  void RunCrossover() {
    plan_.cells.clear();
    const auto measure = [this](Cell cell, int repetition,
                                uint64_t seed) -> Result<results::TrialRow> {
      if (const auto found = done_.find({cell.name, repetition}); found != done_.end()) {
        return found->second;
      }
      if (interruption_.Requested()) {
        return Status::Error(sqlstate::kQueryCanceled, "the search was interrupted");
      }
      auto known = std::find_if(plan_.cells.begin(), plan_.cells.end(),
                                [&](const Cell& each) { return each.name == cell.name; });
      if (known == plan_.cells.end()) known = plan_.cells.insert(known, std::move(cell));
      plan_.trials.push_back({static_cast<size_t>(known - plan_.cells.begin()), repetition, seed});
      info_.order.push_back(known->name);
      results::TrialRow row = RunAndWrite(plan_.trials.size() - 1).first;
      if (!failure_.ok()) return failure_;
      return row;
    };
    const auto result = FindCrossover(options_.suite, options_.overrides, plan_.seed, measure);
    info_.trials_planned = static_cast<int64_t>(info_.order.size());
    if (!result.ok()) {
      if (failure_.ok() && !interruption_.Requested()) failure_ = result.status();
      return;
    }
    info_.crossover = DescribeCrossover(*plan_.crossover, *result);
    crossover_text_ = FormatCrossover(*plan_.crossover, *result);
  }

  Status End() {
    info_.ended_at = observe::UtcNow();
    info_.outcome = "complete";
    if (interruption_.Requested()) info_.outcome = "interrupted";
    if (!failure_.ok()) info_.outcome = "failed";
    info_.load_average_after = observe::ReadLoadAverage();
    info_.steal_fraction = observe::StealFraction(observe::ReadHostCounters() - host_begin_);
    if (window_ns_ > 0) {
      info_.observer_cpu_fraction =
          static_cast<double>(observer_cpu_ns_) / static_cast<double>(window_ns_);
    }
    info_.trials_planned -= not_needed_;
    for (const Steadiness::Unsteady& cell : steadiness_.FindUnsteady()) {
      info_.unsteady_cells.push_back(cell.cell);
    }
    info_.checkpoint_cpu_s = static_cast<double>(checkpoint_cpu_ns_) / kNanosecondsPerSecond;
    return writer_->WriteInfo(info_);
  }

  void ShowResults() {
    if (info_.trials_written == 0) return;
    const Result<results::Run> run = results::Run::Load(folder_);
    if (!run.ok()) {
      fmt::print(stderr, "connbench run: {}\n", run.status().ToString());
      failure_ = run.status();
      return;
    }
    // From the files, so that a resumed run counts what was measured before.
    for (const results::TrialRow& row : run->trials) {
      bool& carried = carried_cells_[row.cell];
      carried = carried || row.status == results::kTrialOk;
    }
    fmt::print("{}\n", FormatSummary(*run));
    fmt::print(
        "Observing took {:.2f} % of one core while the load was measured; reading memory at "
        "the quiet moments took {:.1f} s in all.\n",
        info_.observer_cpu_fraction * 100, info_.checkpoint_cpu_s);
    PrintUnsteady();
    if (!crossover_text_.empty()) fmt::print("\n{}\n", crossover_text_);
    if (!options_.waived.empty()) {
      fmt::print("Waived checks, which made no trial INVALID: {}.\n",
                 fmt::join(options_.waived, ", "));
    }
    std::vector<std::string> paths;
    paths.push_back(folder_ + "/trials.csv and the files beside it");
    if (options_.charts && !interruption_.Requested()) {
      const auto report = plots::MakeChartsAndReport(folder_);
      if (report.ok()) {
        for (const fs::path& chart : report->charts) paths.push_back(chart.string());
        if (!report->page.empty()) paths.push_back(report->page.string());
        if (!report->warning.empty()) {
          fmt::print(stderr, "connbench run: {}\n", report->warning);
        }
      } else {
        // The figures are safe; charts can be made later with `connbench report`.
        fmt::print(stderr, "connbench run: no charts: {}\n", report.status().ToString());
      }
    }
    for (const std::string& path : paths) fmt::print("{}\n", path);
  }

  void PrintUnsteady() const {
    const std::vector<Steadiness::Unsteady> unsteady = steadiness_.FindUnsteady();
    if (unsteady.empty()) return;
    fmt::print("\n{} cells made their last repetition before their interval was narrow enough:\n",
               unsteady.size());
    for (const Steadiness::Unsteady& cell : unsteady) {
      fmt::print("  {}: {} {}, wanted ±{:.1f} %\n", cell.cell, cell.metric,
                 cell.reached ? fmt::format("±{:.1f} %", *cell.reached * 100)
                              : std::string("has too few valid trials"),
                 cell.wanted * 100);
    }
  }

  ExitCode Exit() const {
    if (!failure_.ok()) return kExitErrors;
    if (info_.outcome == "interrupted") return kExitInterrupted;
    // One spoilt repetition costs precision; a cell without any valid one has no figure at all.
    for (const auto& [cell, carried] : carried_cells_) {
      if (!carried) return kExitInvalid;
    }
    return kExitOk;
  }

  Interruption interruption_;  // first: before any thread
  const RunOptions& options_;
  Plan plan_;
  Steadiness steadiness_;  // refers to plan_
  targets::TargetEnvironment targets_;
  results::TextMap servers_;
  std::unique_ptr<results::RunWriter> writer_;
  std::string folder_;
  results::RunInfo info_;
  Progress* progress_ = nullptr;
  observe::HostCounters host_begin_;
  MonotonicNs begin_ns_ = 0;
  std::map<std::pair<std::string, int64_t>, results::TrialRow> done_;  // by cell and repetition
  std::string crossover_text_;
  int64_t last_trial_ = 0;
  int64_t not_needed_ = 0;  // repetitions of the plan that cells were steady without
  int64_t observer_cpu_ns_ = 0;
  int64_t window_ns_ = 0;
  int64_t checkpoint_cpu_ns_ = 0;
  std::map<std::string, bool> carried_cells_;  // whether a trial of the cell is OK
  Status failure_;                             // of the run as a whole: it ends
};

}  // namespace

ExitCode RunPlan(const RunOptions& options) { return SuiteRun(options).Run(); }

}  // namespace connbench::suite
