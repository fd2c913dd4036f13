// Tests: the table of what metrics are for.
#include "results/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace connbench::results {
namespace {

using testing::Contains;
using testing::Not;

TEST(MetricsTest, EachPatternHasAHeadlineAndListsItFirst) {
  for (const std::string_view pattern : MetricPatterns()) {
    EXPECT_FALSE(MetricsWith(pattern, MetricRole::kHeadline).empty()) << pattern;
    std::vector<MetricRole> roles;
    for (const std::string_view metric : MetricsWith(pattern, MetricRole::kDescribed)) {
      roles.push_back(RoleOf(pattern, metric));
    }
    EXPECT_TRUE(std::is_sorted(roles.rbegin(), roles.rend())) << pattern;
  }
}

TEST(MetricsTest, OnlyWhatHasADirectionIsJudged) {
  for (const std::string_view pattern : MetricPatterns()) {
    for (const std::string_view metric : MetricsWith(pattern, MetricRole::kGated)) {
      EXPECT_NE(FindField<TrialRow>(metric)->column.better(), Better::kNeither) << metric;
    }
  }
}

TEST(MetricsTest, WhereClientsConnectTheRequestTimeIsTheHeadline) {
  for (const char* pattern : {"storm", "churn", "failover"}) {
    EXPECT_EQ(MetricsWith(pattern, MetricRole::kHeadline).front(), "request_us_mean") << pattern;
  }
  EXPECT_EQ(RoleOf("churn", "latency_us_p50"), MetricRole::kDescribed);
}

TEST(MetricsTest, AHigherRoleIsAmongTheLower) {
  const auto judged = MetricsWith("churn", MetricRole::kGated);
  EXPECT_EQ(judged.front(), MetricsWith("churn", MetricRole::kHeadline).front());
  EXPECT_THAT(judged, Contains("server_cpu_us_per_connect"));
  EXPECT_THAT(judged, Not(Contains("latency_us_p50")));
  EXPECT_THAT(MetricsWith("churn", MetricRole::kDescribed), Contains("latency_us_p50"));
}

TEST(MetricsTest, OfAnUnknownPatternNothingIsJudged) {
  EXPECT_TRUE(MetricsWith("", MetricRole::kGated).empty());
  const auto described = MetricsWith("", MetricRole::kDescribed);
  EXPECT_THAT(described, Contains("victim_p99_inflation"));
  EXPECT_EQ(std::count(described.begin(), described.end(), "request_us_mean"), 1);
  EXPECT_EQ(RoleOf("", "request_us_mean"), MetricRole::kDescribed);
}

TEST(MetricsTest, ValuesAreThoseThatWereMeasured) {
  TrialRow row;
  EXPECT_EQ(MetricValue(row, "request_us_mean"), std::nullopt);
  row.request_us_mean = 12.5;
  row.connects_failed = 0;
  EXPECT_EQ(MetricValue(row, "request_us_mean"), 12.5);
  EXPECT_EQ(MetricValue(row, "connects_failed"), 0);
  EXPECT_EQ(MetricValue(row, "no_such_metric"), std::nullopt);
}

}  // namespace
}  // namespace connbench::results
