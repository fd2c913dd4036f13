// A gate that may look after every round.
#include "harness/stats/sequential.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>

#include "harness/stats/family.h"
#include "harness/stats/log_ratio.h"
#include "harness/stats/power.h"

namespace connbench::stats {
namespace {

// Rounds of a few seconds scatter about this much; a wrong guess costs rounds, not validity.
constexpr double kTypicalNoise = 0.05;
constexpr double kLeastMixture = 0.02;
// For changes that are large beside the noise.
constexpr double kWideMixture = 2;

// Log of the e-value of one mixture.
double LogEvidence(double t, double n, double mixture) {
  const double u = t * t / (n - 1);
  const double spread = 1 + n * mixture;
  return -0.5 * std::log(spread) - n / 2 * (std::log1p(u / spread) - std::log1p(u));
}

// Of both mixtures, half the stake on each.
double LogEvidenceOfBoth(double t, double n, double mixture) {
  const double a = LogEvidence(t, n, mixture);
  const double b = LogEvidence(t, n, kWideMixture);
  const double larger = std::max(a, b);
  return larger + std::log((std::exp(a - larger) + std::exp(b - larger)) / 2);
}

struct Series {
  double mean = 0;
  double standard_error = 0;
};

Series Describe(const std::vector<double>& values) {
  Series series;
  const auto n = static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) series.mean += value / n;
  for (const double value : values) squares += (value - series.mean) * (value - series.mean);
  const double variance = std::max(squares / (n - 1), kResolution * kResolution);
  series.standard_error = std::sqrt(variance * AutocorrelationInflation(values) / n);
  return series;
}

}  // namespace

double MixtureFor(double power_effect) {
  const double effect = std::log1p(std::max(power_effect, 0.0)) / kTypicalNoise;
  return std::clamp(effect * effect, kLeastMixture, kWideMixture);
}

double AnytimeP(double t, size_t n, double mixture) {
  if (n < 2) return 1;
  return std::min(1.0, std::exp(-LogEvidenceOfBoth(t, static_cast<double>(n), mixture)));
}

double AnytimeHalfWidth(size_t n, double alpha, double mixture) {
  constexpr double kBeyondAnyT = 1e9;
  constexpr int kSteps = 200;
  const auto count = static_cast<double>(n);
  const double wanted = -std::log(alpha);
  if (n < 2 || LogEvidenceOfBoth(kBeyondAnyT, count, mixture) < wanted) {
    return std::numeric_limits<double>::infinity();
  }
  double low = 0;
  double high = 1;
  while (LogEvidenceOfBoth(high, count, mixture) < wanted) high *= 2;
  for (int i = 0; i < kSteps && high - low > 1e-12 * high; ++i) {
    const double middle = (low + high) / 2;
    (LogEvidenceOfBoth(middle, count, mixture) < wanted ? low : high) = middle;
  }
  return high;
}

SequentialGate::SequentialGate(std::vector<GateRow> rows, double alpha_family, double power_effect)
    : rows_(std::move(rows)),
      alpha_(alpha_family),
      power_effect_(power_effect),
      present_(rows_.size()),
      rounds_(rows_.size()),
      log_ratios_(rows_.size()),
      states_(rows_.size()) {
  for (RowState& state : states_) {
    state.ratio = {1, 0, std::numeric_limits<double>::infinity()};
    state.smallest_effect_seen = std::numeric_limits<double>::infinity();
    state.rounds_needed = kMinGateRounds;
  }
}

void SequentialGate::AddBlock(std::span<const std::optional<double>> base,
                              std::span<const std::optional<double>> candidate) {
  const auto usable = [](std::span<const std::optional<double>> side, size_t row) {
    return row < side.size() && side[row] && std::isfinite(*side[row]) && *side[row] > 0;
  };
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (!usable(base, row) || !usable(candidate, row)) continue;
    present_[row].base += std::log(*base[row]);
    present_[row].candidate += std::log(*candidate[row]);
    ++present_[row].pairs;
  }
}

void SequentialGate::EndRound() {
  for (size_t row = 0; row < rows_.size(); ++row) {
    const LogSums& sums = present_[row];
    if (sums.pairs == 0) {
      rounds_[row].emplace_back();
      continue;
    }
    const auto pairs = static_cast<double>(sums.pairs);
    log_ratios_[row].push_back((sums.candidate - sums.base) / pairs);
    rounds_[row].push_back(
        RoundMeans{std::exp(sums.base / pairs), std::exp(sums.candidate / pairs)});
  }
  DropRound();
  Look();
}

void SequentialGate::DropRound() { present_.assign(rows_.size(), LogSums()); }

double SequentialGate::HalfWidth(size_t n, bool of_level) {
  const auto [found, added] = half_widths_.try_emplace({n, of_level}, 0);
  if (added) {
    const double alpha =
        of_level ? alpha_ / static_cast<double>(rows_.size()) : 1 - kDefaultConfidence;
    found->second = AnytimeHalfWidth(n, alpha, MixtureFor(power_effect_));
  }
  return found->second;
}

void SequentialGate::Look() {
  const double mixture = MixtureFor(power_effect_);
  std::vector<double> p(rows_.size(), 1);
  for (size_t row = 0; row < rows_.size(); ++row) {
    const std::vector<double>& values = log_ratios_[row];
    p[row] = states_[row].p;
    if (values.size() < kMinGateRounds) continue;
    const Series series = Describe(values);
    // Valid at all times, so the smallest so far counts.
    p[row] =
        std::min(p[row], AnytimeP(series.mean / series.standard_error, values.size(), mixture));
  }
  const std::vector<double> adjusted = HolmAdjusted(p);
  for (size_t row = 0; row < rows_.size(); ++row) {
    RowState state = StateOf(row, adjusted[row]);
    state.p = p[row];
    states_[row] = state;
  }
}

SequentialGate::RowState SequentialGate::StateOf(size_t row, double adjusted_p) {
  RowState state = states_[row];
  const std::vector<double>& values = log_ratios_[row];
  state.rounds = values.size();
  if (values.empty()) return state;
  if (values.size() < kMinGateRounds) {
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    state.ratio.estimate = std::exp(mean);
    state.rounds_needed = kMinGateRounds;
    return state;
  }
  const Series series = Describe(values);
  const double half = HalfWidth(values.size(), false);
  state.ratio = {std::exp(series.mean), std::exp(series.mean - half * series.standard_error),
                 std::exp(series.mean + half * series.standard_error)};
  const double found = boost::math::quantile(boost::math::normal(), kPower);
  state.smallest_effect_seen =
      std::expm1(series.standard_error * (HalfWidth(values.size(), true) + found));

  const double log_margin = std::log1p(rows_[row].margin);
  state.verdict = Verdict::kInconclusive;
  if (adjusted_p <= alpha_ && std::abs(series.mean) > log_margin) {
    state.verdict = BetterOrWorse(series.mean, rows_[row].direction);
  } else if (state.ratio.low >= std::exp(-log_margin) && state.ratio.high <= std::exp(log_margin)) {
    state.verdict = Verdict::kSame;
  }
  state.decided = state.verdict != Verdict::kInconclusive;
  state.rounds_needed.reset();
  if (state.decided) return state;

  const double size = std::abs(series.mean);
  const bool change = size > log_margin;
  const double room = change ? size : log_margin - size;
  const double error_of_one = series.standard_error * std::sqrt(static_cast<double>(values.size()));
  const auto settles = [&](size_t n) {
    return HalfWidth(n, change) * error_of_one / std::sqrt(static_cast<double>(n)) <= room;
  };
  // The same steps at every look, so that their widths are computed once.
  for (size_t n = kMinGateRounds; n <= kMaxBlocksAsked; n += 1 + n / 20) {
    if (n <= values.size() || !settles(n)) continue;
    state.rounds_needed = n;
    break;
  }
  return state;
}

bool SequentialGate::all_decided() const {
  return std::all_of(states_.begin(), states_.end(),
                     [](const RowState& state) { return state.decided; });
}

}  // namespace connbench::stats
