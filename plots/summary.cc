// What charts and tables need of a trial's row.
#include "plots/summary.h"

#include <algorithm>

namespace connbench::plots {

Spread SpreadOf(std::vector<double> values) {
  Spread spread;
  spread.samples = values.size();
  if (values.empty()) return spread;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  spread.median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  spread.low = values.front();
  spread.high = values.back();
  return spread;
}

std::string ContenderName(const results::TrialRow& row) {
  return row.contender.empty() ? results::ContenderOf(row.target, row.model) : row.contender;
}

}  // namespace connbench::plots
