// What metrics are for: the table metrics.def, which says of each pattern which metrics answer its
// question, which are judged, and which are only shown. A metric is a column of trials.csv; its
// unit and direction stand in trials.def.
//
// Used by whatever shows, compares or judges trials. Safety: constants and pure functions; any
// thread. There are no errors: a name that nobody knows has no value and is described.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "results/schema.h"

namespace connbench::results {

// In rising order.
enum class MetricRole : uint8_t {
  kDescribed,  // shown, never judged
  kGated,      // judged when builds are compared
  kHeadline,   // judged, and the answer to the pattern's question
};
std::string_view RoleName(MetricRole role);  // "headline"

// A pattern as in the column of that name. kDescribed for what the table does not have.
MetricRole RoleOf(std::string_view pattern, std::string_view metric);

// The pattern's metrics of this role or a higher one, in the table's order: headlines first. Of a
// pattern that is not known (a version 1 file of a workload of the user's own) nothing is judged,
// and described are the metrics of all patterns.
std::vector<std::string_view> MetricsWith(std::string_view pattern, MetricRole at_least);

// The patterns that the table has, in its order.
std::vector<std::string_view> MetricPatterns();

// What comparisons read; none if it was not measured, or if there is no such metric.
std::optional<double> MetricValue(const TrialRow& row, std::string_view metric);

}  // namespace connbench::results
