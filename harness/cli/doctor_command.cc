// connbench doctor: is this machine fit to measure on, does each contender start, and what would
// spoil the numbers?
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/cli/command.h"
#include "harness/observe/environment.h"
#include "harness/observe/fitness.h"
#include "harness/suite/interruption.h"
#include "harness/suite/plan.h"
#include "harness/suite/suite_file.h"
#include "harness/suite/trial_starts.h"
#include "harness/suite/unused_settings.h"

namespace connbench::cli {
namespace {

constexpr int64_t kLookNs = kNanosecondsPerSecond;

const char* Mark(observe::Fitness fitness) {
  switch (fitness) {
    case observe::Fitness::kGood:
      return "good";
    case observe::Fitness::kMind:
      return "mind";
    case observe::Fitness::kSpoils:
      return "SPOILS";
  }
  return "";
}

void PrintFinding(const observe::Finding& finding) {
  fmt::print("  {:<7} {:<30} {}\n", Mark(finding.fitness), finding.subject, finding.found);
  if (!finding.remedy.empty()) fmt::print("  {:<7} {:<30}   -> {}\n", "", "", finding.remedy);
}

// On one line each, as findings are.
std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::vector<observe::Finding> CheckContenders(const suite::Suite& suite, const suite::Plan& plan,
                                              suite::Interruption& interruption) {
  std::vector<observe::Finding> findings;
  for (const std::string& unused : suite::FindUnusedSettings(suite, {})) {
    findings.push_back({observe::Fitness::kMind, "settings", unused, ""});
  }
  std::vector<suite::Cell> cells = plan.cells;
  if (suite.crossover) {
    auto candidate =
        suite::MakeCrossoverCell(suite, {}, suite.crossover->candidate, suite.crossover->from);
    if (candidate.ok()) cells.push_back(std::move(*candidate));
  }
  targets::TargetEnvironment environment;
  environment.program = OwnProgram();
  const auto attempts = suite::TryStarts(cells, environment, interruption);
  size_t started = 0;
  for (const suite::StartAttempt& attempt : attempts) {
    if (attempt.status.ok()) {
      ++started;
      continue;
    }
    const ErrorInfo& error = attempt.status.error();
    findings.push_back(
        {observe::Fitness::kSpoils, attempt.contender,
         OneLine(fmt::format("{}{}{}{}{}", attempt.settings, attempt.settings.empty() ? "" : ": ",
                             error.message, error.detail.empty() ? "" : ": ", error.detail)),
         OneLine(error.hint)});
  }
  findings.push_back(
      {started == attempts.size() ? observe::Fitness::kGood : observe::Fitness::kMind, "contenders",
       fmt::format("{} of {} start and end with their settings", started, attempts.size()), ""});
  return findings;
}

int RunDoctor(const std::string& suite_name) {
  suite::Interruption interruption;  // before any thread
  const Result<suite::Suite> suite = suite::FindSuite(suite_name);
  const Result<suite::Plan> plan = suite.ok() ? suite::MakePlan(*suite, {}) : suite.status();
  if (!plan.ok()) return PrintError("connbench doctor", plan.status(), kExitUsage);
  results::RunInfo machine;
  observe::DescribeBuild(machine);
  observe::DescribeMachine(machine);
  fmt::print(stderr, "connbench doctor: watching the machine for {} s\n",
             kLookNs / kNanosecondsPerSecond);
  std::vector<observe::Finding> findings =
      observe::CheckFitness(machine, observe::ReadActivity(kLookNs), plan->MachineDemand());
  fmt::print(stderr, "connbench doctor: starting each contender with its settings\n");
  const std::vector<observe::Finding> contenders = CheckContenders(*suite, *plan, interruption);
  if (interruption.Requested()) return kExitInterrupted;
  findings.insert(findings.end(), contenders.begin(), contenders.end());
  fmt::print("for the suite {}: ", suite->name);
  fmt::print("{}, {} CPUs ({}), {} GB, Linux {}\n\n", machine.os, machine.cpus_online,
             machine.cpu_model, (machine.memory_kb + (1 << 19)) >> 20, machine.kernel);
  int spoils = 0;
  int minds = 0;
  for (const observe::Finding& finding : findings) {
    PrintFinding(finding);
    spoils += finding.fitness == observe::Fitness::kSpoils ? 1 : 0;
    minds += finding.fitness == observe::Fitness::kMind ? 1 : 0;
  }
  if (spoils > 0) {
    fmt::print("\nNot fit: {} of these would spoil the numbers, {} more to keep in mind.\n", spoils,
               minds);
    return kExitInvalid;
  }
  fmt::print("\nFit to measure on; {} things to keep in mind.\n", minds);
  return kExitOk;
}

}  // namespace

CommandMain ConfigureDoctor(CLI::App& app) {
  auto suite = std::make_shared<std::string>("quick");
  app.add_option("SUITE", *suite,
                 "the suite to be run, by name or as a file: its connections and "
                 "storms decide which limits are high enough")
      ->capture_default_str();
  return [suite] { return RunDoctor(*suite); };
}

}  // namespace connbench::cli
