// stats_simulation: the simulations behind docs/method/statistics.md at full length.
//
//   stats_simulation coverage [REPEATS]     coverage of the 95 % intervals, n = 3 to 30
//   stats_simulation effects [REPEATS]      how often the smallest effect is found, n = 3 to 30
//   stats_simulation suites [SUITES] RUN..  a thing against itself: how often exit 4
//   stats_simulation gates [GATES]          false alarms, coverage and power of the sequential gate
//
// Exit status: 0 all promises are kept, 1 one is not, 2 usage.
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "harness/stats/testing/simulation.h"

namespace connbench::stats::testing {
namespace {

constexpr double kPromisedCoverage = 0.94;
constexpr double kPromisedFound = 0.94;
constexpr double kPromisedFalseAlarms = 0.01;
constexpr uint64_t kSeed = 20261128;

bool Coverage(int repeats) {
  constexpr size_t kSizes[] = {3, 4, 5, 6, 8, 10, 15, 20, 30};
  bool kept = true;
  for (const bool paired : {true, false}) {
    fmt::print("{} coverage of 95 % intervals, {} samples each\n{:>16}",
               paired ? "paired" : "unpaired (two runs, drift up to 10 %)", repeats, "n");
    for (const size_t n : kSizes) fmt::print("{:>7}", n);
    fmt::print("\n");
    for (const Noise noise : kAllNoise) {
      fmt::print("{:>16}", NoiseName(noise));
      for (const size_t n : kSizes) {
        const double share = paired ? PairedCoverage(noise, n, repeats, kSeed + n)
                                    : UnpairedCoverage(noise, n, repeats, kSeed + n);
        kept &= share >= kPromisedCoverage;
        fmt::print("{:>7.3f}", share);
      }
      fmt::print("\n");
    }
  }
  return kept;
}

bool Effects(int repeats) {
  constexpr size_t kSizes[] = {3, 4, 5, 6, 8, 10, 15, 20, 30};
  bool kept = true;
  for (const bool paired : {true, false}) {
    fmt::print("{}: the smallest effect is found, {} samples each\n{:>16}",
               paired ? "pairs" : "two runs", repeats, "n");
    for (const size_t n : kSizes) fmt::print("{:>7}", n);
    fmt::print("\n");
    for (const Noise noise : kAllNoise) {
      fmt::print("{:>16}", NoiseName(noise));
      for (const size_t n : kSizes) {
        const double share = ShareFound(noise, n, paired, repeats, kSeed + n);
        kept &= share >= kPromisedFound;
        fmt::print("{:>7.3f}", share);
      }
      fmt::print("\n");
    }
  }
  return kept;
}

bool Suites(int suites, const std::vector<std::string>& folders) {
  bool kept = true;
  fmt::print("{} suites of a thing against itself, for each line\n", suites);
  for (const std::string& folder : folders) {
    const auto recorded = LoadRecorded(folder);
    if (!recorded.ok()) {
      fmt::print(stderr, "{}\n", recorded.status().ToString());
      return false;
    }
    for (const bool paired : {false, true}) {
      for (const SuiteNoise noise :
           {SuiteNoise::kRecorded, SuiteNoise::kDrifting, SuiteNoise::kBistable}) {
        for (const size_t repetitions : {3, 4, 5, 10}) {
          const SuiteOutcome outcome =
              SimulateSuites(*recorded, {noise, repetitions, paired}, suites, kSeed);
          kept &= outcome.exit_4 <= kPromisedFalseAlarms * suites;
          fmt::print("{} | {} | {} | n = {} | {} rows: {} exit 4, {} with a row called better\n",
                     folder, paired ? "halves" : "two runs", SuiteNoiseName(noise), repetitions,
                     outcome.rows, outcome.exit_4, outcome.better);
        }
      }
    }
  }
  return kept;
}

bool GatesOf(const char* name, GateOptions options, int gates) {
  const GateOutcome same = SimulateGates(options, gates, kSeed);
  const double covered = static_cast<double>(same.covered) / gates;
  fmt::print("{:>24} no change: {} of {} gates with a false alarm, interval held {:.3f}\n", name,
             same.false_alarms, gates, covered);
  for (const double change : {0.01, 0.02, 0.03, 0.05, 0.10}) {
    options.ratio = 1 + change;
    const GateOutcome planted = SimulateGates(options, gates / 5, kSeed);
    fmt::print(
        "{:>24} {:>4.0f} % planted: worse in {:.3f}, decided after {:.0f} rounds, "
        "interval held {:.3f}, false alarms {:.3f}\n",
        name, 100 * change, static_cast<double>(planted.found) / planted.gates, planted.mean_rounds,
        static_cast<double>(planted.covered) / planted.gates,
        static_cast<double>(planted.false_alarms) / planted.gates);
  }
  return same.false_alarms <= kPromisedFalseAlarms * gates && covered >= kPromisedCoverage;
}

bool Gates(int gates) {
  bool kept = true;
  for (const Noise noise : kAllNoise) {
    GateOptions options;
    options.noise = noise;
    kept &= GatesOf(std::string(NoiseName(noise)).c_str(), options, gates);
  }
  // What servers of one program differ by, beside what windows scatter by: quiet counts, counts,
  // times. A minute has room for 12 rounds, ten minutes for 60 of three blocks.
  struct Servers {
    const char* name;
    double deviation;
    double server_deviation;
  };
  for (const Servers servers :
       {Servers{"0.2 %, servers 1 %", 0.002, 0.01}, Servers{"0.2 %, servers 3 %", 0.002, 0.03},
        Servers{"2 %, servers 2 %", 0.02, 0.02}, Servers{"5 %, servers 1 %", 0.05, 0.01},
        Servers{"5 %, servers 5 %", 0.05, 0.05}}) {
    for (const size_t rounds : {12U, 60U}) {
      GateOptions options;
      options.deviation = servers.deviation;
      options.server_deviation = servers.server_deviation;
      options.max_rounds = rounds;
      options.blocks_per_round = rounds == 12 ? 1 : 3;
      fmt::print("at most {} rounds\n", rounds);
      kept &= GatesOf(servers.name, options, gates);
    }
  }
  return kept;
}

int Main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  int at = 2;
  int repeats = 1'000;
  if (argc > at && std::atoi(argv[at]) > 0) repeats = std::atoi(argv[at++]);
  const std::vector<std::string> folders(argv + std::min(at, argc), argv + argc);
  if (what == "coverage") return Coverage(repeats) ? 0 : 1;
  if (what == "effects") return Effects(repeats) ? 0 : 1;
  if (what == "suites" && !folders.empty()) return Suites(repeats, folders) ? 0 : 1;
  if (what == "gates") return Gates(repeats) ? 0 : 1;
  fmt::print(stderr,
             "stats_simulation coverage [REPEATS] | effects [REPEATS] | suites [SUITES] RUN... | "
             "gates [GATES]\n");
  return 2;
}

}  // namespace
}  // namespace connbench::stats::testing

int main(int argc, char** argv) { return connbench::stats::testing::Main(argc, argv); }
