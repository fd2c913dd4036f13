// Runs a gate or a calibration.
#include "harness/gate/gate_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/units.h"
#include "harness/gate/calibration.h"
#include "harness/gate/calibration_file.h"
#include "harness/gate/gate_loop.h"
#include "harness/gate/gate_report.h"
#include "harness/gate/server_pair.h"
#include "harness/observe/environment.h"
#include "harness/suite/interruption.h"
#include "harness/suite/run_folder.h"
#include "harness/suite/scratch_folder.h"
#include "results/writer.h"

namespace connbench::gate {
namespace {

constexpr char kName[] = "gate";

class GateRun {
 public:
  explicit GateRun(const GateRunOptions& options)
      : options_(options),
        plan_(options.plan),
        servers_(plan_, {options.program, &interruption_, options.waived},
                 [this](results::TrialRecord record) { return Append(std::move(record)); }) {}

  ExitCode Run() {
    if (const Status status = Begin(); !status.ok()) {
      Say(status);
      return status.code() == sqlstate::kDiskFull ? kExitErrors : kExitUsage;
    }
    const GateOutcome outcome = Measure();
    if (const Status status = End(outcome); !status.ok()) {
      Say(status);
      return kExitErrors;
    }
    const ExitCode exit_code =
        options_.calibrate ? ConcludeCalibration(outcome) : Conclude(outcome);
    // Not into an output that a program reads.
    if (info_.trials_written > 0) {
      fmt::print(options_.format ? stderr : stdout, "\n{}/trials.csv and the files beside it\n",
                 folder_);
    }
    return exit_code;
  }

 private:
  static void Say(const Status& status) {
    fmt::print(stderr, "connbench gate: {}\n", status.ToString());
  }

  Status Begin() {
    suite::SweepScratchFolders();
    CONNBENCH_RETURN_IF_ERROR(servers_.Prepare());
    if (!options_.calibrate) {
      CONNBENCH_ASSIGN_OR_RETURN(calibration_, ReadCalibration(options_.calibration_file));
    }
    Describe();
    folder_ = options_.output;
    std::string latest;
    if (folder_.empty()) {
      CONNBENCH_ASSIGN_OR_RETURN(folder_, suite::MakeRunFolder(info_));
      latest = suite::kLatestRun;
    }
    CONNBENCH_ASSIGN_OR_RETURN(writer_, results::RunWriter::Create(folder_, info_, latest));
    return Status::Ok();
  }

  void Describe() {
    info_.schema_version = results::kSchemaVersion;
    info_.run_id = suite::MakeRunId(kName);
    info_.suite = kName;
    info_.started_at = observe::UtcNow();
    info_.outcome = "running";
    info_.seed = static_cast<int64_t>(plan_.options.seed);
    info_.argv = options_.argv;
    info_.environment = observe::SteeringEnvironment();
    info_.servers = servers_.Versions();
    info_.gate = {{"base", plan_.Describe(kBase)},
                  {"candidate", plan_.Describe(kCandidate)},
                  {"margin", fmt::format("{}", plan_.options.margin)},
                  {"false_alarms", fmt::format("{}", plan_.options.false_alarms)}};
    info_.waived_checks = options_.waived;
    info_.waived_checks.insert(info_.waived_checks.end(), kDisturbances.begin(),
                               kDisturbances.end());
    observe::DescribeBuild(info_);
    observe::DescribeMachine(info_);
    info_.load_average_before = observe::ReadLoadAverage();
  }

  GateOutcome Measure() {
    begin_ns_ = MonotonicNow();
    stats::SequentialGate judge(plan_.questions, plan_.options.false_alarms, kSoughtEffect);
    LoopOptions loop;
    loop.budget_ns = plan_.options.budget_ns;
    loop.shortest_pair_ns = plan_.ShortestPairNs();
    loop.seed = plan_.options.seed;
    loop.until_budget = options_.calibrate;
    loop.after_round = [this](const GateOutcome& so_far) { ShowProgress(so_far); };
    GateOutcome outcome = RunGateLoop(plan_, loop, servers_, judge, MonotonicNow);
    ClearProgress();
    // Of a round that was cut short.
    const Status stopped = servers_.EndRound();
    // A server that could not be ended in order has not lived through the gate.
    if (!stopped.ok() && HasVerdict(outcome.end)) {
      outcome.end = GateEnd::kFailed;
      outcome.failure = stopped;
    }
    if (interruption_.Requested()) outcome.end = GateEnd::kInterrupted;
    return outcome;
  }

  Status Append(results::TrialRecord record) {
    results::TrialRow& row = record.trial;
    row.run_id = info_.run_id;
    row.trial = info_.trials_written + 1;
    // Windows of a pair have the same number, so that "compare --by" pairs them, too.
    row.repetition = ++windows_of_[row.cell];
    row.started_s = static_cast<double>(MonotonicNow() - begin_ns_) / kNanosecondsPerSecond;
    info_.order.push_back(row.cell);
    CONNBENCH_RETURN_IF_ERROR(writer_->AppendTrial(std::move(record)));
    ++info_.trials_written;
    return Status::Ok();
  }

  void ShowProgress(const GateOutcome& so_far) {
    if (!terminal_) return;
    int decided = 0;
    for (const auto& state : so_far.rows) decided += state.decided ? 1 : 0;
    fmt::print(stderr, "\r\033[K{} of {}: {} rounds, {} of {} rows decided",
               FormatDuration(so_far.elapsed_ns / kNanosecondsPerSecond * kNanosecondsPerSecond),
               FormatDuration(plan_.options.budget_ns), so_far.rounds, decided, so_far.rows.size());
    std::fflush(stderr);
  }
  void ClearProgress() const {
    if (terminal_) fmt::print(stderr, "\r\033[K");
  }

  Status End(const GateOutcome& outcome) {
    info_.ended_at = observe::UtcNow();
    info_.outcome = outcome.end == GateEnd::kInterrupted ? "interrupted"
                    : outcome.end == GateEnd::kFailed    ? "failed"
                                                         : "complete";
    info_.trials_planned = info_.trials_written;
    info_.load_average_after = observe::ReadLoadAverage();
    return writer_->WriteInfo(info_);
  }

  ExitCode Conclude(const GateOutcome& outcome) const {
    fmt::print("{}", options_.format ? options_.format(TableOf(plan_, outcome, calibration_))
                                     : FormatGate(plan_, outcome, calibration_));
    return ExitCodeOf(outcome);
  }

  ExitCode ConcludeCalibration(const GateOutcome& outcome) {
    if (outcome.end != GateEnd::kBudgetSpent) {
      fmt::print("{}", FormatGate(plan_, outcome, std::nullopt));
      return ExitCodeOf(outcome);
    }
    Result<Calibration> calibration = Calibrate(plan_, outcome.means, plan_.options.seed);
    if (!calibration.ok()) {
      Say(calibration.status());
      return kExitInconclusive;
    }
    calibration->machine = MachineOf();
    calibration->made_at = info_.ended_at;
    calibration->contender = plan_.Describe(kBase);
    if (const Status written = WriteCalibration(*calibration, options_.calibration_file);
        !written.ok()) {
      Say(written);
      return kExitErrors;
    }
    fmt::print("{}\nStored in {}\n", FormatCalibration(plan_, *calibration),
               options_.calibration_file);
    return kExitOk;
  }

  suite::Interruption interruption_;  // first: before any thread
  const GateRunOptions& options_;
  const GatePlan& plan_;
  std::optional<Calibration> calibration_;
  results::RunInfo info_;
  std::map<std::string, int64_t> windows_of_;  // by cell
  std::string folder_;
  std::unique_ptr<results::RunWriter> writer_;
  MonotonicNs begin_ns_ = 0;
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  ServerPair servers_;
};

}  // namespace

ExitCode RunGate(const GateRunOptions& options) { return GateRun(options).Run(); }

}  // namespace connbench::gate
