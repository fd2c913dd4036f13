// Verdicts for all rows of a comparison at once.
#include "harness/stats/family.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "harness/stats/mean.h"
#include "harness/stats/permutation.h"
#include "harness/stats/power.h"

namespace connbench::stats {
namespace {

std::optional<LogRatio> SampleOf(const Question& question, double least_noise) {
  return question.paired ? PairedLogRatio(question.base, question.candidate, least_noise)
                         : UnpairedLogRatio(question.base, question.candidate, least_noise);
}

bool AllFinite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](double value) { return std::isfinite(value); });
}

bool AreEqual(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values.front(); });
}

bool AreZero(const std::vector<double>& values) {
  return !values.empty() && values.front() == 0 && AreEqual(values);
}

// The standard deviation; equal values other than 0 are taken to agree by chance, as small counts
// do, and to scatter by so much of their size.
constexpr double kGuessedNoise = 0.2;
double NoiseOf(const std::vector<double>& values) {
  const double mean = MeanOf(values);
  if (AreEqual(values)) return kGuessedNoise * std::abs(mean);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// What is compared where there is no ratio: the difference of the means as a share of the larger
// one, from -1 to 1. Pairs: of their differences; else Welch's.
std::optional<LogRatio> RelativeDifference(const Question& question) {
  const std::vector<double>& a = question.base;
  const std::vector<double>& b = question.candidate;
  if (std::min(a.size(), b.size()) < kMinBlocks || !AllFinite(a) || !AllFinite(b)) return {};
  if (question.paired && a.size() != b.size()) return {};
  const auto below_zero = [](double value) { return value < 0; };
  if (std::any_of(a.begin(), a.end(), below_zero) || std::any_of(b.begin(), b.end(), below_zero)) {
    return {};
  }
  const double scale = std::max(MeanOf(a), MeanOf(b));
  if (scale <= 0) return {};
  LogRatio sample;
  sample.mean = (MeanOf(b) - MeanOf(a)) / scale;
  sample.blocks = std::min(a.size(), b.size());
  if (question.paired) {
    std::vector<double> differences(b);
    for (size_t i = 0; i < differences.size(); ++i) differences[i] -= a[i];
    const auto n = static_cast<double>(differences.size());
    sample.noise = std::max(NoiseOf(differences) / scale, kResolution);
    sample.standard_error = sample.noise / std::sqrt(n);
    sample.degrees = n - 1;
    return sample;
  }
  const double noise_a = NoiseOf(a) / scale;
  const double noise_b = NoiseOf(b) / scale;
  const double error_a = noise_a * noise_a / static_cast<double>(a.size());
  const double error_b = noise_b * noise_b / static_cast<double>(b.size());
  // Scale is the mean of a side that has values above 0, so one of the two is.
  const double error = std::max(error_a + error_b, kResolution * kResolution);
  sample.noise = std::sqrt(noise_a * noise_a + noise_b * noise_b);
  sample.standard_error = std::sqrt(error);
  const double shares = error_a * error_a / static_cast<double>(a.size() - 1) +
                        error_b * error_b / static_cast<double>(b.size() - 1);
  sample.degrees = shares > 0 ? std::max(1.0, error * error / shares) : 1;
  return sample;
}

// What a row is judged by.
struct Sample {
  std::optional<LogRatio> ratio;
  std::optional<LogRatio> difference;  // where there is no ratio
  double margin = 0;                   // in the terms of the one there is
  double drift = 0;

  const LogRatio* used() const { return ratio ? &*ratio : difference ? &*difference : nullptr; }
};

Sample TakeSample(const Question& question, double least_noise) {
  Sample sample;
  if (!question.by_difference) sample.ratio = SampleOf(question, least_noise);
  if (sample.ratio) {
    sample.margin = std::log1p(question.margin);
    sample.drift = std::log1p(question.drift);
    return sample;
  }
  sample.difference = RelativeDifference(question);
  if (!sample.difference) return sample;
  // Of the larger side, as the difference is.
  const double scale = std::max(MeanOf(question.base), MeanOf(question.candidate));
  sample.margin =
      std::max(question.margin / (1 + question.margin), question.least_difference / scale);
  sample.drift = question.drift / (1 + question.drift);
  return sample;
}

bool HasLog(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value > 0; });
}

std::string WhyNoRatio(const Question& question) {
  if (question.base.empty() || question.candidate.empty()) {
    return fmt::format("{} has no value", question.base.empty() ? "the base" : "the candidate");
  }
  if (!AllFinite(question.base) || !AllFinite(question.candidate)) return "a value is not a number";
  const size_t blocks = std::min(question.base.size(), question.candidate.size());
  if (blocks < kMinBlocks) {
    return fmt::format("needs {} repetitions, has {}", kMinBlocks, blocks);
  }
  if (question.by_difference) return "";
  if (AreZero(question.base)) return "the base is 0";
  if (AreZero(question.candidate)) return "the candidate is 0";
  if (!HasLog(question.base) || !HasLog(question.candidate)) return "a value is 0 or below";
  return "";
}

// What labels alone do to the logs of a row that has a ratio.
double Relabelled(const Question& question) {
  std::vector<double> base(question.base);
  std::vector<double> candidate(question.candidate);
  for (double& value : base) value = std::log(value);
  for (double& value : candidate) value = std::log(value);
  if (!question.paired) return RelabelledSides(base, candidate);
  for (size_t i = 0; i < candidate.size(); ++i) candidate[i] -= base[i];
  return RelabelledPairs(candidate);
}

// The typical noise of a block, over all rows that scatter alike.
struct TypicalNoise {
  double noise = kResolution;
  double degrees = 0;
};
std::map<std::string, TypicalNoise> SharedNoise(std::span<const Question> questions) {
  struct Sum {
    double squares = 0;
    double degrees = 0;
  };
  std::map<std::string, Sum> sums;
  for (const Question& question : questions) {
    if (question.by_difference) continue;
    const auto sample = SampleOf(question, kResolution);
    if (!sample) continue;
    Sum& sum = sums[question.scatters_like];
    sum.squares += sample->noise * sample->noise * sample->degrees;
    sum.degrees += sample->degrees;
  }
  std::map<std::string, TypicalNoise> noise;
  for (const auto& [name, sum] : sums) {
    noise[name] = {std::sqrt(sum.squares / sum.degrees), sum.degrees};
  }
  return noise;
}

Decision DecisionFor(const Sample& sample, const FamilyOptions& options, size_t family) {
  return {options.level / static_cast<double>(std::max<size_t>(family, 1)), sample.margin,
          options.confidence, sample.drift};
}

void Settle(const Question& question, const Sample& sample, const FamilyOptions& options,
            size_t family, Answer& answer) {
  answer.verdict = Verdict::kInconclusive;
  const LogRatio* used = sample.used();
  if (used == nullptr) return;
  const bool beyond_margin = std::abs(used->mean) > sample.margin;
  if (question.by_difference && !beyond_margin) {
    answer.verdict = Verdict::kDescribed;
    return;
  }
  if (answer.p <= options.level && beyond_margin) {
    answer.verdict = BetterOrWorse(used->mean, question.direction);
    return;
  }
  const Interval interval = RatioInterval(*used, options.confidence, sample.drift);
  if (interval.low >= std::exp(-sample.margin) && interval.high <= std::exp(sample.margin)) {
    answer.verdict = Verdict::kSame;
    return;
  }
  if (!options.explain) return;
  if (sample.ratio) {
    answer.relabelled = std::expm1(Relabelled(question));
    if (answer.relabelled > kUnstable) answer.verdict = Verdict::kUnstable;
  }
  answer.blocks_needed = BlocksToSettle(*used, DecisionFor(sample, options, family));
  // Holm may ask less of a row than its even share; it does not ask more.
  if (answer.blocks_needed) {
    answer.blocks_needed = std::max(*answer.blocks_needed, answer.blocks + 1);
  }
}

}  // namespace

std::vector<double> HolmAdjusted(std::span<const double> p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double highest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const double value = p[order[rank]] * static_cast<double>(p.size() - rank);
    highest = std::min(1.0, std::max(highest, value));
    adjusted[order[rank]] = highest;
  }
  return adjusted;
}

std::vector<Answer> JudgeFamily(std::span<const Question> questions, const FamilyOptions& options) {
  const auto noise = SharedNoise(questions);
  std::vector<Answer> answers(questions.size());
  std::vector<Sample> samples(questions.size());
  std::vector<double> p;
  std::vector<size_t> gated;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    Answer& answer = answers[i];
    if (AllFinite(question.base)) answer.base_median = Median(question.base);
    if (AllFinite(question.candidate)) answer.candidate_median = Median(question.candidate);
    answer.blocks = std::min(question.base.size(), question.candidate.size());
    answer.reason = WhyNoRatio(question);
    // No number of repetitions helps a side that does not measure this.
    const bool one_sided = question.base.empty() != question.candidate.empty();
    if (answer.blocks < kMinBlocks && !one_sided) answer.blocks_needed = kMinBlocks;
    const auto shared = noise.find(question.scatters_like);
    const TypicalNoise typical = shared == noise.end() ? TypicalNoise() : shared->second;
    samples[i] = TakeSample(question, typical.noise);
    if (samples[i].ratio) samples[i].ratio->shared_degrees = typical.degrees;
    if (samples[i].ratio) {
      answer.ratio = RatioInterval(*samples[i].ratio, options.confidence, samples[i].drift);
    }
    if (!question.gated) continue;
    gated.push_back(i);
    p.push_back(samples[i].used() ? PValue(*samples[i].used(), samples[i].drift) : 1);
  }
  const std::vector<double> adjusted = HolmAdjusted(p);
  for (size_t rank = 0; rank < gated.size(); ++rank) {
    const size_t i = gated[rank];
    answers[i].p = adjusted[rank];
    Settle(questions[i], samples[i], options, gated.size(), answers[i]);
    if (samples[i].ratio && options.explain) {
      const auto effect =
          SmallestEffect(*samples[i].ratio, DecisionFor(samples[i], options, gated.size()));
      const double change = std::expm1(effect.value_or(0));
      if (effect && std::isfinite(change)) answers[i].smallest_effect = change;
    }
  }
  return answers;
}

}  // namespace connbench::stats
