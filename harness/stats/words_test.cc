// Sentences: what they say and what they leave unsaid.
#include "harness/stats/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::stats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

VerdictRow Row(std::string metric, std::string label, std::string unit, double base,
               double candidate, std::optional<Interval> ratio) {
  VerdictRow row;
  row.cell = "workload:churn/connections:200";
  row.pattern = row.workload = "churn";
  row.connections = 200;
  row.base = "postgres";
  row.candidate = "pgbouncer+postgres";
  row.metric = std::move(metric);
  row.label = std::move(label);
  row.unit = std::move(unit);
  row.headline = true;
  row.answer.base_median = base;
  row.answer.candidate_median = candidate;
  row.answer.ratio = ratio;
  return row;
}

TEST(Words, TheSentenceOfTheQuestion) {
  VerdictTable table;
  table.kind = ComparisonKind::kAxis;
  table.base = "postgres";
  table.rows = {
      Row("request_us_mean", "request mean", "us", 637'000, 99'000, Interval{0.155, 0.15, 0.16}),
      Row("throughput_tps", "throughput", "tx/s", 314, 2'010, Interval{6.4, 6.1, 6.7})};
  EXPECT_THAT(HeadlineSentences(table),
              ElementsAre("With 200 clients that connect for each request, pgbouncer+postgres "
                          "answers 6.4 times as many requests as postgres (6.1 to 6.7); a request "
                          "takes 99.0 ms instead of 637 ms."));
}

TEST(Words, SmallChangesArePercentagesInTheirDirection) {
  VerdictTable table;
  table.rows = {
      Row("throughput_tps", "throughput", "tx/s", 1'000, 880, Interval{0.88, 0.86, 0.90})};
  EXPECT_THAT(HeadlineSentences(table)[0],
              HasSubstr("answers 12 % fewer requests than postgres (10 to 14 %)"));
  table.rows[0].answer.ratio = Interval{1.12, 0.98, 1.25};
  EXPECT_THAT(HeadlineSentences(table)[0],
              HasSubstr("answers 12 % more requests than postgres (2.0 % fewer to 25 % more)"));
  table.rows[0].answer.ratio = Interval{0.25, 0.2, 0.3};
  EXPECT_THAT(HeadlineSentences(table)[0],
              HasSubstr("answers 25 % as many requests as postgres (20 to 30 %)"));
}

TEST(Words, NoRatioIsToldWhereTheSampleCarriesNone) {
  VerdictTable table;
  table.rows = {Row("throughput_tps", "throughput", "tx/s", 2'642, 2'436, std::nullopt)};
  table.rows[0].answer.reason = "needs 3 repetitions, has 1";
  const std::string sentence = HeadlineSentences(table)[0];
  EXPECT_THAT(sentence, HasSubstr("2,436 tx/s instead of 2,642 tx/s"));
  EXPECT_THAT(sentence, HasSubstr("No ratio: needs 3 repetitions, has 1."));
  EXPECT_THAT(sentence, ::testing::Not(HasSubstr("%")));
}

TEST(Words, QuantitiesHaveUnitsThatFit) {
  EXPECT_EQ(Quantity(637'000, "us"), "637 ms");
  EXPECT_EQ(Quantity(1'200'000, "us"), "1.20 s");
  EXPECT_EQ(Quantity(999.9, "us"), "1.00 ms");
  EXPECT_EQ(Quantity(12'345, "tx/s"), "12,345 tx/s");
  EXPECT_EQ(Quantity(1'228.8, "kB"), "1.20 MB");
  EXPECT_EQ(Quantity(0, "us"), "0 us");
  EXPECT_EQ(Quantity(1.5, ""), "1.50");
}

TEST(Words, NothingWorseIsNeverSaidWithoutWhatWouldHaveBeenFound) {
  VerdictTable table;
  table.base = "a";
  VerdictRow row = Row("throughput_tps", "throughput", "tx/s", 1, 1, Interval{1, 0.99, 1.01});
  row.question.gated = true;
  row.answer.verdict = Verdict::kSame;
  row.answer.smallest_effect = 0.031;
  table.rows = {row};
  EXPECT_THAT(Conclusion(table), HasSubstr("from 3.1 % on"));
  EXPECT_THAT(WhatIsMissing(row), HasSubstr("3.1 %"));
  table.rows[0].answer.verdict = Verdict::kInconclusive;
  table.rows[0].answer.blocks = 4;
  table.rows[0].answer.blocks_needed = 14;
  EXPECT_EQ(WhatIsMissing(table.rows[0]), "needs 14 repetitions, has 4");
}

TEST(Words, CircumstancesAreThoseOfTheFigures) {
  VerdictRow row = Row("throughput_tps", "throughput", "tx/s", 1, 1, std::nullopt);
  row.requests_per_connection = 1;
  EXPECT_EQ(Circumstances(row), "With 200 clients that connect for each request");
  row.requests_per_connection = 100;
  EXPECT_EQ(Circumstances(row), "With 200 clients that connect for every 100 requests");
  row.pattern = "mixed";
  row.workload = "victim";
  row.connections = 500;
  row.measured_clients = 8;
  row.circumstances = "workers 4";
  EXPECT_EQ(Circumstances(row),
            "With 8 clients while others disturb them (workload victim, connections 500, workers "
            "4)");
}

TEST(Words, WhatCarriesNoIntervalIsNoSecondClause) {
  VerdictTable table;
  table.kind = ComparisonKind::kAxis;
  table.rows = {Row("request_us_mean", "request mean", "us", 637'000, 99'000, std::nullopt),
                Row("throughput_tps", "throughput", "tx/s", 314, 2'010, Interval{6.4, 6.1, 6.7})};
  const std::string sentence = HeadlineSentences(table)[0];
  EXPECT_THAT(sentence, HasSubstr("6.4 times as many requests"));
  EXPECT_THAT(sentence, ::testing::Not(HasSubstr("a request takes")));
  // Alone it is told, by its figures.
  table.rows.pop_back();
  EXPECT_THAT(HeadlineSentences(table)[0], HasSubstr("99.0 ms instead of 637 ms"));
}

TEST(Words, TheConclusionCountsRowsThatCouldTellNothing) {
  VerdictTable table;
  VerdictRow row = Row("throughput_tps", "throughput", "tx/s", 1, 1, Interval{1, 0.99, 1.01});
  row.question.gated = true;
  row.answer.verdict = Verdict::kSame;
  row.answer.smallest_effect = 0.06;
  VerdictRow silent = row;
  silent.answer.smallest_effect.reset();
  silent.answer.ratio.reset();
  silent.answer.verdict = Verdict::kInconclusive;
  table.rows = {row, silent};
  EXPECT_THAT(Conclusion(table), HasSubstr("1 row carries no interval"));
  table.rows.clear();
  row.invalid = "no trial";
  table.rows = {row};
  EXPECT_EQ(Conclusion(table), "The rows: 1 INVALID.");
}

}  // namespace
}  // namespace connbench::stats
