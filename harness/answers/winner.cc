// Who is ahead in one metric.
#include "harness/answers/winner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "harness/stats/family.h"
#include "harness/stats/intervals.h"

namespace connbench::answers {
namespace {

struct Contender {
  std::string name;
  std::vector<double> values;
  double median = 0;
};

}  // namespace

std::string NameWinner(const std::vector<std::string>& names,
                       const std::vector<std::vector<double>>& repetitions,
                       results::Better better) {
  if (better == results::Better::kNeither) return "";
  std::vector<Contender> contenders;
  for (size_t i = 0; i < std::min(names.size(), repetitions.size()); ++i) {
    const auto median = stats::Median(repetitions[i]);
    if (median) contenders.push_back({names[i], repetitions[i], *median});
  }
  if (contenders.size() < 2) return "";
  const bool higher = better == results::Better::kHigher;
  std::sort(contenders.begin(), contenders.end(), [&](const Contender& a, const Contender& b) {
    return higher ? a.median > b.median : a.median < b.median;
  });
  stats::Question question;
  question.base = contenders[1].values;
  question.candidate = contenders[0].values;
  question.gated = true;
  question.direction =
      higher ? stats::Direction::kHigherIsBetter : stats::Direction::kLowerIsBetter;
  const stats::Answer answer = stats::JudgeFamily({&question, 1}).front();
  if (answer.verdict != stats::Verdict::kBetter) {
    return answer.blocks_needed ? fmt::format("needs {} repetitions", *answer.blocks_needed)
                                : "no clear winner";
  }
  const double factor = higher ? contenders[0].median / contenders[1].median
                               : contenders[1].median / contenders[0].median;
  if (!std::isfinite(factor)) return contenders[0].name;
  return fmt::format("{} ({:.2f} x {})", contenders[0].name, factor, contenders[1].name);
}

}  // namespace connbench::answers
