// gate_power_curve FILE SHORT LONG: gates of so many rounds, drawn from the recorded rounds of real
// A/A gates, as a table in markdown: false alarms, and how often a planted change is called worse.
// It is a part of docs/gate-power.md (tests/benchmarks/gate_power.py).
//
// Exit status: 0 false alarms are as rare as promised, 1 they are not, 2 usage.
#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "harness/gate/calibration.h"
#include "harness/gate/testing/recorded_rounds.h"

namespace connbench::gate {
namespace {

constexpr uint64_t kSeed = 20261128;
constexpr size_t kMostRounds = 10'000;
constexpr double kShown[] = {0.01, 0.02, 0.03, 0.05, 0.10};
constexpr double kPercent = 100;

// 0 if the word is no number of rounds.
size_t RoundsFrom(std::string_view word) {
  size_t rounds = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), rounds);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  return whole && rounds <= kMostRounds ? rounds : 0;
}

int Main(int argc, char** argv) {
  const size_t short_rounds = argc == 4 ? RoundsFrom(argv[2]) : 0;
  const size_t long_rounds = argc == 4 ? RoundsFrom(argv[3]) : 0;
  if (short_rounds == 0 || long_rounds == 0) {
    fmt::print(stderr, "gate_power_curve FILE SHORT LONG: rounds, from 1 to {}\n", kMostRounds);
    return 2;
  }
  const auto models = ReadRecordedRounds(argv[1]);
  if (!models.ok()) {
    fmt::print(stderr, "{}\n", models.status().ToString());
    return 2;
  }
  bool kept = true;
  fmt::print(
      "| model | rounds recorded | false alarms of gates of {} rounds | of {} rounds |\n"
      "|---|--:|--:|--:|\n",
      short_rounds, long_rounds);
  for (const auto& [model, recorded] : *models) {
    fmt::print("| `{}` | {} |", model, recorded.rounds.front().size());
    for (const size_t rounds : {short_rounds, long_rounds}) {
      const SimulatedGates same =
          SimulateGates(recorded.plan, recorded.rounds, 0, rounds, kSimulatedGates, kSeed);
      kept = kept && same.alarms <= kDefaultFalseAlarms * kSimulatedGates;
      fmt::print(" {} of {} |", same.alarms, kSimulatedGates);
    }
    fmt::print("\n");
  }
  fmt::print(
      "\nHow often a gate of {} rounds calls a planted change worse; noise is the standard "
      "deviation of a\nround's log ratio:\n\n| model | row | noise |",
      long_rounds);
  for (const double effect : kShown) fmt::print(" {:.0f} % |", effect * kPercent);
  fmt::print("\n|---|---|--:|--:|--:|--:|--:|--:|\n");
  for (const auto& [model, recorded] : *models) {
    std::vector<SimulatedGates> found;
    for (const double effect : kShown) {
      found.push_back(SimulateGates(recorded.plan, recorded.rounds, effect, long_rounds,
                                    kSimulatedGates, kSeed));
    }
    for (size_t row = 0; row < recorded.plan.rows.size(); ++row) {
      fmt::print("| `{}` | {}: {} | {:.1f} % |", model, recorded.plan.questions[row].cell,
                 recorded.plan.questions[row].metric, NoiseOf(recorded.rounds, row) * kPercent);
      for (const SimulatedGates& gates : found) {
        fmt::print(" {:.0f} % |", gates.worse[row] * kPercent / kSimulatedGates);
      }
      fmt::print("\n");
    }
  }
  return kept ? 0 : 1;
}

}  // namespace
}  // namespace connbench::gate

int main(int argc, char** argv) { return connbench::gate::Main(argc, argv); }
