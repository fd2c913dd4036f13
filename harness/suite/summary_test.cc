// What the tables at the end of a run say of the best contender.
#include "harness/suite/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <sstream>
#include <string>

namespace connbench::suite {
namespace {

using testing::HasSubstr;
using testing::Not;

void AddTrials(results::Run& run, const std::string& model, std::initializer_list<double> tps) {
  for (const double value : tps) {
    results::TrialRow row;
    row.target = "builtin";
    row.model = model;
    row.contender = model;
    row.pattern = "steady";
    row.workload = "steady";
    row.connections = 8;
    row.cell = "model:" + model + "/workload:steady/connections:8";
    row.status = results::kTrialOk;
    row.throughput_tps = value;
    run.trials.push_back(row);
  }
}

TEST(SummaryTest, TwoRepetitionsNeedAThirdHoweverFarApartTheSidesAre) {
  results::Run run;
  AddTrials(run, "fork", {100, 101, 102});
  AddTrials(run, "thread", {1000, 1001});
  EXPECT_THAT(FormatSummary(run), HasSubstr("needs 3 repetitions"));
  EXPECT_THAT(FormatSummary(run), Not(HasSubstr("no clear winner")));
}

TEST(SummaryTest, EnoughRepetitionsNameTheWinnerAndItsLead) {
  results::Run run;
  AddTrials(run, "fork", {100, 101, 102, 101});
  AddTrials(run, "thread", {1000, 1010, 1020, 1010});
  EXPECT_THAT(FormatSummary(run), HasSubstr("thread (10.00 x fork)"));
}

TEST(SummaryTest, EqualSidesHaveNoWinner) {
  results::Run run;
  AddTrials(run, "fork", {100, 101, 102, 101});
  AddTrials(run, "thread", {101, 102, 100, 101});
  EXPECT_THAT(FormatSummary(run), HasSubstr("no clear winner"));
}

TEST(SummaryTest, ARepetitionOfZeroHidesNoWinner) {
  results::Run run;
  AddTrials(run, "fork", {1.8, 0, 3.6, 1.8, 0});
  AddTrials(run, "thread", {85, 86, 85.3, 85, 86});
  EXPECT_THAT(FormatSummary(run), HasSubstr("thread (47.39 x fork)"));
  EXPECT_THAT(FormatSummary(run), HasSubstr("1.80 ±100%"));
}

TEST(SummaryTest, SevenContendersFitATerminalAndSayWhatTheirFiguresAre) {
  results::Run run;
  for (const char* model :
       {"fork", "fork-exec", "thread", "thread-cached", "hybrid", "thread-pool", "reactor-uring"}) {
    AddTrials(run, model, {1'234'567, 1'300'000, 1'200'000});
  }
  AddTrials(run, "prefork", {1'234'567, 1'300'000});
  const std::string text = FormatSummary(run);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    size_t width = 0;
    for (const char c : line) width += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
    EXPECT_LE(width, 100U) << line;
  }
  EXPECT_THAT(text, HasSubstr("reactor-uring"));
  EXPECT_THAT(text, HasSubstr("(3 repetitions)"));
  EXPECT_THAT(text, HasSubstr("±3% n2"));
  EXPECT_THAT(text, HasSubstr("Figures are medians; ±:"));
}

}  // namespace
}  // namespace connbench::suite
