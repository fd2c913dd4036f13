// connbench doctor: is this machine fit to measure on, and what would spoil the numbers?
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/cli/command.h"
#include "harness/observe/environment.h"
#include "harness/observe/fitness.h"
#include "harness/suite/plan.h"
#include "harness/suite/suite_file.h"

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

int RunDoctor(const std::string& suite_name) {
  const Result<suite::Suite> suite = suite::FindSuite(suite_name);
  const Result<suite::Plan> plan = suite.ok() ? suite::MakePlan(*suite, {}) : suite.status();
  if (!plan.ok()) return PrintError("connbench doctor", plan.status(), kExitUsage);
  results::RunInfo machine;
  observe::DescribeBuild(machine);
  observe::DescribeMachine(machine);
  fmt::print(stderr, "connbench doctor: watching the machine for {} s\n",
             kLookNs / kNanosecondsPerSecond);
  const std::vector<observe::Finding> findings =
      observe::CheckFitness(machine, observe::ReadActivity(kLookNs), plan->MachineDemand());
  fmt::print("for the suite {}: ", suite->name);
  fmt::print("{}, {} CPUs ({}), {} GB, Linux {}\n\n", machine.os, machine.cpus_online,
             machine.cpu_model, (machine.memory_kb + (1 << 19)) >> 20, machine.kernel);
  int spoils = 0;
  int minds = 0;
  for (const observe::Finding& finding : findings) {
    fmt::print("  {:<7} {:<30} {}\n", Mark(finding.fitness), finding.subject, finding.found);
    if (!finding.remedy.empty()) fmt::print("  {:<7} {:<30}   -> {}\n", "", "", finding.remedy);
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
