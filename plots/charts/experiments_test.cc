// Experiments of one workload that vary different axes, as charts show them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plots/charts.h"
#include "plots/charts/testing/find_chart.h"

namespace connbench::plots {
namespace {

using ::testing::ElementsAre;

void AddVaried(const std::string& contender, const std::string& axes, double tps,
               results::Run& run) {
  results::TrialRow row;
  row.trial = static_cast<int64_t>(run.trials.size()) + 1;
  row.repetition = 1;
  row.contender = row.model = contender;
  row.workload = row.pattern = "steady";
  row.connections = 8;
  row.status = results::kTrialOk;
  row.cell = fmt::format("model:{}/workload:steady/connections:8{}", contender, axes);
  row.throughput_tps = tps;
  run.trials.push_back(row);
}

std::vector<std::string> RowLabels(const Chart& chart) {
  std::vector<std::string> labels;
  for (const Bar& bar : chart.bars) labels.push_back(bar.label);
  return labels;
}

TEST(Experiments, ThoseThatVaryOtherAxesAreNotMixed) {
  results::Run run;
  AddVaried("fork", "", 1, run);
  AddVaried("thread", "", 2, run);
  AddVaried("fork", "/huge_pages:off", 3, run);
  AddVaried("fork", "/huge_pages:try", 4, run);
  const auto charts = ChartsOf(run);
  const Chart* plain = Find(charts, "throughput-steady");
  ASSERT_NE(plain, nullptr);
  EXPECT_THAT(RowLabels(*plain), ElementsAre("thread", "fork"));
  const Chart* pages = Find(charts, "throughput-steady-huge_pages");
  ASSERT_NE(pages, nullptr);
  EXPECT_THAT(RowLabels(*pages), ElementsAre("fork, huge_pages=try", "fork, huge_pages=off"));
}

TEST(Experiments, AnAxisThatDoesNotConcernAContenderIsNotInItsLabel) {
  results::Run run;
  AddVaried("pool-tx", "/pool_size:2", 1, run);
  AddVaried("pool-tx", "/pool_size:16", 2, run);
  AddVaried("fork", "", 3, run);
  const auto charts = ChartsOf(run);
  const Chart* chart = Find(charts, "throughput-steady");
  ASSERT_NE(chart, nullptr);
  EXPECT_THAT(RowLabels(*chart),
              ElementsAre("fork", "pool-tx, pool_size=16", "pool-tx, pool_size=2"));
}

// PostgreSQL has a name of its own for the setting, and is measured plainly beside all others.
TEST(Experiments, EachContenderFindsTheExperimentThatIsLikeItsOwn) {
  results::Run run;
  for (const char* contender : {"fork", "thread", "postgres"}) AddVaried(contender, "", 1, run);
  AddVaried("fork", "/huge_pages:try", 2, run);
  AddVaried("postgres", "/postgres.huge_pages:try", 3, run);
  const auto charts = ChartsOf(run);
  const Chart* plain = Find(charts, "throughput-steady");
  ASSERT_NE(plain, nullptr);
  EXPECT_EQ(plain->bars.size(), 3U);
  const Chart* own = Find(charts, "throughput-steady-postgres.huge_pages");
  ASSERT_NE(own, nullptr);
  EXPECT_THAT(RowLabels(*own), ElementsAre("postgres"));
}

}  // namespace
}  // namespace connbench::plots
