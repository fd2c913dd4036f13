// connbench gate: both servers up at once, load in random pairs of windows, until every row is
// decided.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "base/exit_code.h"
#include "base/print_error.h"
#include "base/units.h"
#include "harness/answers/outputs.h"
#include "harness/cli/command.h"
#include "harness/gate/calibration_file.h"
#include "harness/gate/gate_plan.h"
#include "harness/gate/gate_run.h"
#include "harness/suite/suite_file.h"
#include "harness/suite/trial_checks.h"

namespace connbench::cli {
namespace {

constexpr double kPercent = 100;

struct GateOptions {
  gate::GateOptions gate;
  std::string budget;
  std::string window;
  std::vector<std::string> settings;
  std::vector<std::string> base_settings;
  std::vector<std::string> candidate_settings;
  double threshold_percent = gate::kDefaultMargin * kPercent;
  double false_alarm_percent = gate::kDefaultFalseAlarms * kPercent;
  std::string output;
  std::string format = "plain";
  std::vector<std::string> waived;
  std::string calibration_file;
  bool calibrate = false;
};

int FailGate(const Status& status) { return PrintError("connbench gate", status, kExitUsage); }

Status ReadSettings(const char* flag, const std::vector<std::string>& texts,
                    targets::Settings& settings) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("{} takes name=value, not \"{}\"", flag, text));
    }
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return Status::Ok();
}

Status ParseGateOptions(GateOptions& options) {
  gate::GateOptions& gate = options.gate;
  if (!options.budget.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(gate.budget_ns, ParseDurationNs(options.budget));
  }
  if (!options.window.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(gate.window_ns, ParseDurationNs(options.window));
  }
  CONNBENCH_RETURN_IF_ERROR(ReadSettings("--set", options.settings, gate.common_settings));
  CONNBENCH_RETURN_IF_ERROR(
      ReadSettings("--base-set", options.base_settings, gate.settings[gate::kBase]));
  CONNBENCH_RETURN_IF_ERROR(
      ReadSettings("--candidate-set", options.candidate_settings, gate.settings[gate::kCandidate]));
  CONNBENCH_RETURN_IF_ERROR(suite::CheckWaived(options.waived));
  gate.margin = options.threshold_percent / kPercent;
  gate.false_alarms = options.false_alarm_percent / kPercent;
  if (options.calibration_file.empty()) options.calibration_file = gate::DefaultCalibrationFile();
  std::string& candidate = gate.contenders[gate::kCandidate];
  if (!options.calibrate && candidate.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue, "name BASE and CANDIDATE")
        .WithHint("For example: connbench gate build:../base/fork fork");
  }
  if (!options.calibrate) return Status::Ok();
  if (!candidate.empty() || !options.candidate_settings.empty() || !options.base_settings.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "--calibrate holds BASE against itself: no CANDIDATE, and --set alone");
  }
  candidate = gate.contenders[gate::kBase];
  return Status::Ok();
}

int RunGateCommand(GateOptions& options) {
  if (const Status status = ParseGateOptions(options); !status.ok()) return FailGate(status);
  Result<gate::GatePlan> plan = gate::MakeGatePlan(options.gate);
  if (!plan.ok()) return FailGate(plan.status());
  gate::GateRunOptions run;
  run.plan = std::move(*plan);
  run.program = OwnProgram();
  const Invocation& invocation = ProgramInvocation();
  run.argv.assign(invocation.argv, invocation.argv + invocation.argc);
  // Where the program lies says nothing about the run.
  run.argv[0] = "connbench";
  run.output = options.output;
  const auto format = answers::ParseOutputFormat(options.format);
  if (format != answers::OutputFormat::kPlain) {
    run.format = [format](const stats::VerdictTable& table) {
      return answers::FormatComparison(table, *format);
    };
  }
  run.waived = options.waived;
  run.calibration_file = options.calibration_file;
  run.calibrate = options.calibrate;
  return gate::RunGate(run);
}

}  // namespace

CommandMain ConfigureGate(CLI::App& app) {
  auto options = std::make_shared<GateOptions>();
  gate::GateOptions& gate = options->gate;
  app.add_option("BASE", gate.contenders[gate::kBase],
                 "what the candidate is held against: a model, build:DIR/MODEL, "
                 "postgres[:BINDIR], pgbouncer[:PROGRAM]+SERVER, dsn:CONNINFO")
      ->required();
  app.add_option("CANDIDATE", gate.contenders[gate::kCandidate], "the same; what is to be judged");
  app.add_option("--workloads,-w", gate.workloads, "workloads that load both, by name or as files")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--connections,-c", gate.connections, "of each workload, in place of its own")
      ->check(CLI::Range(1, suite::kMaxConnections));
  app.add_option("--budget", options->budget,
                 "time for all rounds, starts included (default: 10min)");
  app.add_option("--window", options->window, "length of each window (default: 500ms)");
  app.add_option("--set", options->settings, "server setting name=value, for both sides");
  app.add_option("--base-set", options->base_settings, "the same, for the base alone");
  app.add_option("--candidate-set", options->candidate_settings,
                 "the same, for the candidate alone");
  app.add_option("--threshold", options->threshold_percent,
                 "percent of change that is worth a word")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str();
  app.add_option("--false-alarms", options->false_alarm_percent,
                 "percent of gates without a difference that may call one")
      ->check(CLI::Range(0.01, 20.0))
      ->capture_default_str();
  app.add_option("--seed", gate.seed, "of the order of windows and all random numbers")
      ->capture_default_str();
  app.add_option("--output,-o", options->output,
                 "folder of the run (default: results/TIME-gate, linked as results/latest)");
  app.add_option("--format", options->format, "of the output")
      ->check(CLI::IsMember(answers::OutputFormatNames()))
      ->capture_default_str();
  app.add_option("--waive", options->waived,
                 "checks (connbench list checks) that make no window INVALID")
      ->delimiter(',');
  app.add_flag("--calibrate", options->calibrate,
               "hold BASE against itself for the whole budget, and store how often a gate errs "
               "here and which changes it finds");
  app.add_option(
      "--calibration", options->calibration_file,
      "file of the calibration (default: ~/.local/state/connbench/gate-calibration.json)");
  return [options] { return RunGateCommand(*options); };
}

}  // namespace connbench::cli
