// Simulations that show what the statistics promise.
#include "harness/stats/testing/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "harness/stats/log_ratio.h"
#include "harness/stats/sequential.h"
#include "results/reader.h"

namespace connbench::stats::testing {
namespace {

constexpr double kTrueRatio = 1.25;

constexpr std::string_view kRecordedMetrics[] = {
    "throughput_tps",
    "latency_us_p50",
    "latency_us_p99",
    "connects_per_s",
    "private_kb_per_connection",
    "server_cpu_us_per_transaction",
    "server_context_switches_per_transaction",
    "server_minor_faults_per_transaction",
};

bool Holds(const Interval& interval, double value) {
  return interval.low <= value && value <= interval.high;
}

}  // namespace

double PairedCoverage(Noise noise, size_t n, int repeats, uint64_t seed) {
  NoiseSource source(seed);
  int covered = 0;
  for (int i = 0; i < repeats; ++i) {
    const Blocks blocks = source.PairedBlocks(noise, n, kTrueRatio);
    const auto sample = PairedLogRatio(blocks.base, blocks.candidate);
    covered += sample && Holds(RatioInterval(*sample), kTrueRatio) ? 1 : 0;
  }
  return static_cast<double>(covered) / repeats;
}

double UnpairedCoverage(Noise noise, size_t n, int repeats, uint64_t seed, double drift) {
  NoiseSource source(seed);
  const double log_drift = std::log1p(drift);
  std::uniform_real_distribution<double> shift(-log_drift, log_drift);
  int covered = 0;
  for (int i = 0; i < repeats; ++i) {
    const std::vector<double> base = source.Series(noise, n);
    std::vector<double> candidate = source.Series(noise, n);
    const double factor = kTrueRatio * std::exp(shift(source.random()));
    for (double& value : candidate) value *= factor;
    const auto sample = UnpairedLogRatio(base, candidate);
    covered +=
        sample && Holds(RatioInterval(*sample, kDefaultConfidence, log_drift), kTrueRatio) ? 1 : 0;
  }
  return static_cast<double>(covered) / repeats;
}

double ShareFound(Noise noise, size_t n, bool paired, int repeats, uint64_t seed) {
  NoiseSource source(seed);
  const auto compare = [&](double ratio, bool explain) {
    Question question;
    question.metric = question.scatters_like = "latency_us_p50";
    question.gated = true;
    question.paired = paired;
    if (paired) {
      Blocks blocks = source.PairedBlocks(noise, n, ratio);
      question.base = std::move(blocks.base);
      question.candidate = std::move(blocks.candidate);
    } else {
      question.base = source.Series(noise, n);
      question.candidate = source.Series(noise, n);
      for (double& value : question.candidate) value *= ratio;
    }
    FamilyOptions options;
    options.explain = explain;
    return JudgeFamily({&question, 1}, options).front();
  };
  int named = 0;
  int found = 0;
  for (int i = 0; i < repeats; ++i) {
    const auto effect = compare(1, /*explain=*/true).smallest_effect;
    if (!effect) continue;
    ++named;
    found += compare(1 + *effect, /*explain=*/false).verdict == Verdict::kWorse ? 1 : 0;
  }
  return named == 0 ? 1 : static_cast<double>(found) / named;
}

Result<std::vector<RecordedCell>> LoadRecorded(const std::string& folder) {
  CONNBENCH_ASSIGN_OR_RETURN(const auto run, results::Run::Load(folder));
  std::map<std::string, std::vector<const results::TrialRow*>> cells;
  for (const results::TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk) cells[row.cell].push_back(&row);
  }
  std::vector<RecordedCell> recorded;
  for (const auto& [name, trials] : cells) {
    if (trials.size() < kMinBlocks) continue;
    RecordedCell cell;
    cell.contender = trials.front()->contender;
    cell.residuals.resize(trials.size());
    // The residuals of few trials are smaller than their deviations from the true mean.
    const auto n = static_cast<double>(trials.size());
    const double scale = std::sqrt(n / (n - 1));
    for (const std::string_view metric : kRecordedMetrics) {
      const auto* field = results::FindField<results::TrialRow>(metric);
      std::vector<double> logs;
      for (const auto* trial : trials) {
        const auto value = field->Measured(*trial);
        if (value && *value > 0) logs.push_back(std::log(*value));
      }
      if (logs.size() != trials.size()) continue;
      double mean = 0;
      for (const double log : logs) mean += log / n;
      cell.metrics.emplace_back(metric);
      cell.counted.push_back(field->column.unit.empty() || field->column.unit == "kB");
      for (size_t i = 0; i < logs.size(); ++i) {
        cell.residuals[i].push_back(scale * (logs[i] - mean));
      }
    }
    recorded.push_back(std::move(cell));
  }
  return recorded;
}

std::string_view SuiteNoiseName(SuiteNoise noise) {
  switch (noise) {
    case SuiteNoise::kRecorded:
      return "recorded";
    case SuiteNoise::kDrifting:
      return "recorded and drifting";
    case SuiteNoise::kBistable:
      return "recorded and bistable";
  }
  return "";
}

std::vector<Question> MakeSuite(const std::vector<RecordedCell>& recorded,
                                const SuiteOptions& options, std::mt19937_64& random) {
  // Between runs the machine's speed moves by this much (a standard deviation), within a run from
  // its first block to its last; times only, and all cells together.
  constexpr double kBetweenRuns = 0.03;
  constexpr double kWithinRun = 0.05;
  // Every third cell has two modes this far apart, and each trial falls into one of them.
  constexpr size_t kBistableEvery = 3;
  constexpr double kModes = 0.12;
  std::normal_distribution<double> normal;
  std::vector<Question> suite;
  const bool drifting = options.noise == SuiteNoise::kDrifting;
  const double between[2] = {drifting ? kBetweenRuns * normal(random) : 0,
                             drifting ? kBetweenRuns * normal(random) : 0};
  const double within[2] = {drifting ? kWithinRun * normal(random) : 0,
                            drifting ? kWithinRun * normal(random) : 0};
  for (size_t at = 0; at < recorded.size(); ++at) {
    const RecordedCell& cell = recorded[at];
    const size_t first = suite.size();
    for (size_t metric = 0; metric < cell.metrics.size(); ++metric) {
      Question question;
      question.metric = cell.metrics[metric];
      question.scatters_like = fmt::format("{} {}", cell.metrics[metric], cell.contender);
      question.gated = true;
      question.paired = options.paired;
      question.drift = options.paired ? 0 : (cell.counted[metric] ? 0.02 : 0.10);
      suite.push_back(std::move(question));
    }
    const bool bistable = options.noise == SuiteNoise::kBistable && at % kBistableEvery == 0;
    for (size_t block = 0; block < options.repetitions; ++block) {
      for (const size_t side : {0U, 1U}) {
        // A trial's metrics belong together: all of them come from the same recorded one.
        const auto& trial = cell.residuals[random() % cell.residuals.size()];
        const size_t run = options.paired ? 0 : side;
        const double when =
            options.repetitions < 2
                ? 0
                : static_cast<double>(block) / static_cast<double>(options.repetitions - 1);
        const double mode = bistable && random() % 2 == 0 ? kModes : 0;
        for (size_t metric = 0; metric < cell.metrics.size(); ++metric) {
          const double slow = cell.counted[metric] ? 0 : between[run] + within[run] * when + mode;
          Question& question = suite[first + metric];
          (side == 0 ? question.base : question.candidate)
              .push_back(std::exp(trial[metric] + slow));
        }
      }
    }
  }
  return suite;
}

SuiteOutcome SimulateSuites(const std::vector<RecordedCell>& recorded, const SuiteOptions& options,
                            int suites, uint64_t seed) {
  std::mt19937_64 random(seed);
  SuiteOutcome outcome;
  outcome.suites = suites;
  // Worse and better do not depend on it.
  FamilyOptions quick;
  quick.explain = false;
  for (int i = 0; i < suites; ++i) {
    const std::vector<Question> suite = MakeSuite(recorded, options, random);
    outcome.rows = suite.size();
    bool worse = false;
    bool better = false;
    for (const Answer& answer : JudgeFamily(suite, quick)) {
      worse |= answer.verdict == Verdict::kWorse;
      better |= answer.verdict == Verdict::kBetter;
    }
    outcome.exit_4 += worse ? 1 : 0;
    outcome.better += better ? 1 : 0;
  }
  return outcome;
}

GateOutcome SimulateGates(const GateOptions& options, int gates, uint64_t seed) {
  NoiseSource source(seed);
  // Its own, so that servers that do not differ leave the windows' noise as it is.
  NoiseSource servers(seed + 1);
  GateOutcome outcome;
  outcome.gates = gates;
  for (int i = 0; i < gates; ++i) {
    std::vector<Blocks> series;
    std::vector<Blocks> instances;
    for (size_t row = 0; row < options.rows; ++row) {
      const double ratio = row == 0 ? options.ratio : 1.0;
      series.push_back(source.PairedBlocks(
          options.noise, options.max_rounds * options.blocks_per_round, ratio, options.deviation));
      instances.push_back(
          servers.PairedBlocks(Noise::kNormal, options.max_rounds, 1.0, options.server_deviation));
    }
    GateRow row;
    row.margin = options.margin;
    SequentialGate gate(std::vector<GateRow>(options.rows, row), kFamilyLevel, options.margin);
    bool alarm = false;
    bool covered = true;
    size_t decided_at = options.max_rounds;
    for (size_t round = 0; round < options.max_rounds; ++round) {
      for (size_t block = 0; block < options.blocks_per_round; ++block) {
        std::vector<std::optional<double>> base;
        std::vector<std::optional<double>> candidate;
        const size_t at = round * options.blocks_per_round + block;
        for (size_t of = 0; of < options.rows; ++of) {
          base.emplace_back(series[of].base[at] * instances[of].base[round]);
          candidate.emplace_back(series[of].candidate[at] * instances[of].candidate[round]);
        }
        gate.AddBlock(base, candidate);
      }
      gate.EndRound();
      const auto& states = gate.rows();
      for (size_t at = options.ratio == 1 ? 0 : 1; at < states.size(); ++at) {
        alarm |= states[at].verdict == Verdict::kWorse || states[at].verdict == Verdict::kBetter;
      }
      covered &= Holds(states[0].ratio, options.ratio);
      if (states[0].decided && decided_at == options.max_rounds) decided_at = round + 1;
      // A gate ends when all rows are decided.
      if (gate.all_decided()) break;
    }
    outcome.false_alarms += alarm ? 1 : 0;
    outcome.covered += covered ? 1 : 0;
    outcome.found += gate.rows()[0].verdict == Verdict::kWorse ? 1 : 0;
    outcome.mean_rounds += static_cast<double>(decided_at) / gates;
  }
  return outcome;
}

}  // namespace connbench::stats::testing
