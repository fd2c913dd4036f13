// Runs a whole plan.
#include "harness/suite/suite_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/print_error.h"
#include "harness/observe/environment.h"
#include "harness/observe/fitness.h"
#include "harness/observe/host.h"
#include "harness/suite/benchmark_json.h"
#include "harness/suite/crossover_run.h"
#include "harness/suite/interruption.h"
#include "harness/suite/progress.h"
#include "harness/suite/rehearsal.h"
#include "harness/suite/run_folder.h"
#include "harness/suite/run_inputs.h"
#include "harness/suite/scratch_folder.h"
#include "harness/suite/steadiness.h"
#include "harness/suite/summary.h"
#include "harness/suite/trial_runner.h"
#include "plots/page/report.h"
#include "results/reader.h"
#include "results/writer.h"

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kActivityNs = 300 * kNanosecondsPerMillisecond;

class SuiteRun {
 public:
  explicit SuiteRun(const RunOptions& options)
      : options_(options),
        plan_(options.plan),
        suite_(options.suite),
        overrides_(options.overrides),
        steadiness_(plan_) {
    targets_.program = options.program;
  }

  ExitCode Run() {
    Status status = CheckOutput();
    if (status.ok()) status = PrepareTargets();
    if (status.ok() && !options_.benchmark_out.empty()) {
      status = CheckBenchmarkJson(options_.benchmark_out);
    }
    if (status.ok() && !options_.resume) status = TryScripts();
    if (status.ok() && interruption_.Requested()) return kExitInterrupted;
    if (status.ok()) status = Begin();
    if (!status.ok()) {
      const ExitCode exit_code = status.code() == sqlstate::kDiskFull ? kExitErrors : kExitUsage;
      PrintError(options_.who, status, exit_code);
      return exit_code;
    }
    WarnAboutMachine();
    {
      Progress progress(plan_, [this](size_t index) { return TrialsLeft(index); });
      progress_ = &progress;
      if (plan_.crossover) {
        RunCrossover();
      } else {
        RunTrials();
      }
      progress_ = nullptr;
    }
    const Status ended = End();
    if (failure_.ok()) failure_ = ended;
    if (failure_.ok() && !options_.benchmark_out.empty()) {
      failure_ = WriteBenchmarkJson(options_.benchmark_out, options_.program, benchmarks_);
    }
    if (!failure_.ok()) PrintError(options_.who, failure_, kExitErrors);
    ShowResults();
    return Exit();
  }

 private:
  // Before the rehearsal, which takes its time.
  Status CheckOutput() const {
    if (options_.resume || options_.output.empty()) return Status::Ok();
    return results::RunWriter::CheckEmpty(options_.output);
  }

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

  // What one of the contenders cannot run is found before the first trial.
  Status TryScripts() {
    std::vector<Cell> cells = plan_.cells;
    if (plan_.crossover) {
      CONNBENCH_ASSIGN_OR_RETURN(
          Cell candidate,
          MakeCrossoverCell(suite_, overrides_, plan_.crossover->candidate, plan_.crossover->from));
      cells.push_back(std::move(candidate));
    }
    fmt::print(stderr, "{}: trying every script once on each contender\n", options_.who);
    CONNBENCH_ASSIGN_OR_RETURN(reports_, Rehearse(cells, targets_, interruption_));
    targets_.keeps_data = options_.keeps_data;  // of trials
    std::set<std::string> said;
    for (const ContenderReport& report : reports_) {
      for (const auto& [workload, notice] : report.notices) {
        if (notice.severity != "WARNING" || !said.insert(notice.where).second) continue;
        fmt::print(stderr, "{}: warning: {}: every contender says: {}\n", options_.who,
                   notice.where, notice.message);
      }
    }
    return Status::Ok();
  }

  Status Begin() {
    SweepScratchFolders();
    std::string latest;
    const RunPlanInputs given = Inputs();
    if (options_.resume) {
      UseFilesOf(options_.output);
      CONNBENCH_ASSIGN_OR_RETURN(const results::Run run, results::Run::Load(options_.output));
      CONNBENCH_RETURN_IF_ERROR(CheckSamePlan(run));
      CONNBENCH_RETURN_IF_ERROR(CheckSamePrograms(run));
      info_ = run.info;
      // A run that was killed wrote trials after it wrote run.json.
      info_.trials_written = static_cast<int64_t>(run.trials.size());
      info_.trials_planned = static_cast<int64_t>(plan_.trials.size());
      for (const results::TrialRow& row : run.trials) {
        // What was interrupted is measured again; its row stays, as history.
        if (row.status == results::kTrialInterrupted) {
          ++info_.trials_planned;
        } else {
          Remember(row);
        }
        last_trial_ = std::max(last_trial_, row.trial);
      }
      CONNBENCH_ASSIGN_OR_RETURN(writer_, results::RunWriter::Resume(options_.output));
    } else {
      folder_ = options_.output;
      info_.run_id = MakeRunId(plan_.suite);
      if (folder_.empty()) {
        CONNBENCH_ASSIGN_OR_RETURN(folder_, MakeRunFolder(info_));
        latest = kLatestRun;
      }
      UseFilesOf(folder_);
      DescribeRun();
      CONNBENCH_ASSIGN_OR_RETURN(writer_, results::RunWriter::Create(folder_, info_, latest));
      CONNBENCH_RETURN_IF_ERROR(options_.inputs_of.empty()
                                    ? WriteRunInputs(folder_, given)
                                    : CopyRunInputs(options_.inputs_of, folder_));
      CONNBENCH_RETURN_IF_ERROR(WriteContenders(given));
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

  // Trials of two builds in one run could not be told apart.
  Status CheckSamePrograms(const results::Run& run) const {
    results::RunInfo here;
    observe::DescribeBuild(here);
    const auto differs = [&](const std::string& what, const std::string& then,
                             const std::string& now) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("{} was begun with {} {}, and here is {}", options_.output,
                                       what, then, now))
          .WithHint(fmt::format("Begin a new run: connbench rerun {}", options_.output));
    };
    if (here.git_sha != run.info.git_sha) {
      return differs("connbench of commit", run.info.git_sha, here.git_sha);
    }
    for (const auto& [name, version] : run.info.servers) {
      const auto found = std::find_if(servers_.begin(), servers_.end(),
                                      [&](const auto& server) { return server.first == name; });
      if (found == servers_.end()) return differs(name, version, "none");
      if (found->second != version) return differs(name, version, found->second);
    }
    return Status::Ok();
  }

  RunPlanInputs Inputs() const { return {plan_, suite_, overrides_, options_.waived}; }

  // Trials work with the copies in the run's folder, so that going on finds what it began with.
  void UseFilesOf(const std::string& folder) {
    RunPlanInputs placed = PlaceInputs(Inputs(), folder);
    plan_ = std::move(placed.plan);
    suite_ = std::move(placed.suite);
    overrides_ = std::move(placed.overrides);
  }

  Status WriteContenders(const RunPlanInputs& inputs) const {
    std::vector<ContenderReport> reports = reports_;
    for (ContenderReport& report : reports) {
      PlaceSettings(inputs, report.settings);
      for (auto& [workload, notice] : report.notices) {
        notice.where = PlaceInRun(inputs, notice.where);
      }
    }
    const std::string path = folder_ + "/contenders.json";
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << WriteContendersJson(reports);
    out.close();
    return out ? Status::Ok() : Status::System("cannot write " + path, errno);
  }

  void DescribeRun() {
    info_.schema_version = results::kSchemaVersion;
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
      fmt::print(stderr, "{}: warning: {}: {}; {}\n", options_.who, finding.subject, finding.found,
                 finding.remedy);
    }
    if (spoils > 0) fmt::print(stderr, "{}: \"connbench doctor\" says more\n", options_.who);
  }

  // In the plan's order, those that are still to be run.
  void RunTrials() {
    for (size_t i = 0; i < plan_.trials.size(); ++i) {
      if (interruption_.Requested() || !failure_.ok()) return;
      const Trial& trial = plan_.trials[i];
      const Cell& cell = plan_.cells[trial.cell];
      if (done_.contains({cell.name, trial.repetition})) continue;
      if (!steadiness_.Needs(trial)) {
        ++not_needed_;
        continue;
      }
      const auto [row, seconds] = RunAndWrite(i);
      if (!options_.benchmark_out.empty()) benchmarks_.push_back(ToBenchmark(row, seconds));
    }
  }

  static BenchmarkTrial ToBenchmark(const results::TrialRow& row, double seconds) {
    BenchmarkTrial trial{row.cell, seconds, {}, {}};
    if (row.status != results::kTrialOk) {
      trial.error = row.status_reason;
      return trial;
    }
    for (const auto& field : results::Fields<results::TrialRow>()) {
      if (field.column.better() == results::Better::kNeither) continue;
      if (const auto value = field.Measured(row)) {
        trial.counters.emplace_back(field.column.name, *value);
      }
    }
    return trial;
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
    const auto result = FindCrossover(suite_, overrides_, plan_.seed, measure);
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
      failure_ = run.status();
      PrintError(options_.who, failure_, kExitErrors);
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
    if (const std::string raised = plan_.DescribeRaised(); !raised.empty()) {
      fmt::print("\n{}", raised);
    }
    PrintUnsteady();
    if (!crossover_text_.empty()) fmt::print("\n{}\n", crossover_text_);
    if (!options_.waived.empty()) {
      fmt::print("Waived checks, which made no trial INVALID: {}.\n",
                 fmt::join(options_.waived, ", "));
    }
    std::vector<std::string> paths;
    paths.push_back(folder_ + "/trials.csv and the files beside it");
    if (options_.charts && !interruption_.Requested()) {
      const auto report = plots::MakeChartsAndReport(*run);
      if (report.ok()) {
        if (!report->charts.empty()) {
          paths.push_back(
              fmt::format("{}/charts with {} pictures", folder_, report->charts.size()));
        }
        if (!report->page.empty()) paths.push_back(report->page.string());
        if (!report->warning.empty()) {
          fmt::print(stderr, "{}: {}\n", options_.who, report->warning);
        }
        failure_ = report->failure;
      } else {
        failure_ = report.status();
      }
      if (!failure_.ok()) {
        // The figures are safe; charts can be made later with `connbench report`.
        fmt::print(stderr, "{}: charts are missing: {}\n", options_.who, failure_.ToString());
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
  Suite suite_;
  PlanOverrides overrides_;
  Steadiness steadiness_;  // refers to plan_
  targets::TargetEnvironment targets_;
  results::TextMap servers_;
  std::vector<ContenderReport> reports_;
  std::unique_ptr<results::RunWriter> writer_;
  std::string folder_;
  results::RunInfo info_;
  Progress* progress_ = nullptr;
  observe::HostCounters host_begin_;
  MonotonicNs begin_ns_ = 0;
  std::map<std::pair<std::string, int64_t>, results::TrialRow> done_;  // by cell and repetition
  std::vector<BenchmarkTrial> benchmarks_;
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
