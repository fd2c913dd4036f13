// What a cell's axes are, and how their values are ordered.
#include "plots/axes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace connbench::plots {
namespace {

using testing::ElementsAre;

TEST(AxesTest, ValuesAreOrderedByWhatTheyMean) {
  std::vector<std::string> sizes = {"1MB", "off", "512kB", "", "64", "on", "8"};
  std::sort(sizes.begin(), sizes.end(), AxisValueLess);
  EXPECT_THAT(sizes, ElementsAre("", "8", "64", "512kB", "1MB", "off", "on"));
  std::vector<std::string> times = {"1s", "10ms", "500us", "2min"};
  std::sort(times.begin(), times.end(), AxisValueLess);
  EXPECT_THAT(times, ElementsAre("500us", "10ms", "1s", "2min"));
}

TEST(AxesTest, ACellsAxesAreInItsName) {
  const AxisValues axes =
      AxesOfCell("model:fork/workload:churn/connections:8/hba_file:/tmp/rules/ssl:on");
  EXPECT_EQ(axes, (AxisValues{{"connections", "8"}, {"hba_file", "/tmp/rules"}, {"ssl", "on"}}));
  EXPECT_TRUE(AxesOfCell("odd").empty());
}

}  // namespace
}  // namespace connbench::plots
