// What metrics are for: looks into the table metrics.def.
#include "results/metrics.h"

#include <algorithm>

namespace connbench::results {
namespace {

struct MetricUse {
  std::string_view pattern;
  std::string_view metric;
  MetricRole role;
};

constexpr MetricUse kUses[] = {
#define CONNBENCH_METRIC(pattern, metric, role) {#pattern, #metric, MetricRole::k##role},
#include "results/metrics.def"
#undef CONNBENCH_METRIC
};

// A row that names no column of trials.csv does not compile.
#define CONNBENCH_METRIC(pattern, metric, role) static_assert(sizeof(TrialRow::metric) > 0);
#include "results/metrics.def"
#undef CONNBENCH_METRIC

bool Contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view RoleName(MetricRole role) {
  switch (role) {
    case MetricRole::kDescribed:
      return "described";
    case MetricRole::kGated:
      return "gated";
    case MetricRole::kHeadline:
      return "headline";
  }
  return "";
}

MetricRole RoleOf(std::string_view pattern, std::string_view metric) {
  const auto* use = std::find_if(std::begin(kUses), std::end(kUses), [&](const MetricUse& row) {
    return row.pattern == pattern && row.metric == metric;
  });
  return use == std::end(kUses) ? MetricRole::kDescribed : use->role;
}

std::vector<std::string_view> MetricsWith(std::string_view pattern, MetricRole at_least) {
  const bool known = Contains(MetricPatterns(), pattern);
  std::vector<std::string_view> metrics;
  for (const MetricUse& row : kUses) {
    const MetricRole role = known ? row.role : MetricRole::kDescribed;
    if (role < at_least || (known && row.pattern != pattern)) continue;
    if (!Contains(metrics, row.metric)) metrics.push_back(row.metric);
  }
  return metrics;
}

std::vector<std::string_view> MetricPatterns() {
  std::vector<std::string_view> patterns;
  for (const MetricUse& row : kUses) {
    if (!Contains(patterns, row.pattern)) patterns.push_back(row.pattern);
  }
  return patterns;
}

std::optional<double> MetricValue(const TrialRow& row, std::string_view metric) {
  const Field<TrialRow>* field = FindField<TrialRow>(metric);
  return field == nullptr ? std::nullopt : field->Measured(row);
}

}  // namespace connbench::results
