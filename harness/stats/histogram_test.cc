// Tests: latencies in HdrHistogram's layout.
#include "harness/stats/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "base/testing/generated.h"

namespace connbench::stats {
namespace {

using ::testing::HasSubstr;

constexpr double kPromisedError = 0.001;

std::vector<int64_t> Sample(size_t size, double center, double spread) {
  std::mt19937_64 random(size);
  std::lognormal_distribution<double> latency(center, spread);
  std::vector<int64_t> values(size);
  for (int64_t& value : values) value = static_cast<int64_t>(latency(random));
  return values;
}

Histogram Filled(const std::vector<int64_t>& values) {
  Histogram histogram;
  for (const int64_t value : values) histogram.Record(value);
  return histogram;
}

TEST(Histogram, BucketsTileTheRangeWithoutGapOrOverlap) {
  int64_t expected = 0;
  for (uint32_t i = 0; i < Histogram::kCounters; ++i) {
    ASSERT_EQ(Histogram::LowestAt(i), expected) << i;
    ASSERT_GE(Histogram::HighestAt(i), Histogram::LowestAt(i)) << i;
    ASSERT_EQ(Histogram::IndexOf(Histogram::LowestAt(i)), i);
    ASSERT_EQ(Histogram::IndexOf(Histogram::HighestAt(i)), i);
    expected = Histogram::HighestAt(i) + 1;
  }
  EXPECT_EQ(expected - 1, Histogram::kMaxValue);
}

TEST(Histogram, ErrorIsAtMostOneInAThousandFromAMicrosecondToAnHour) {
  const int64_t hour = int64_t{3600} * 1'000'000'000;
  const double step = std::pow(1.0007, testing::kGeneratedShare);
  for (double exact = 1000; exact <= static_cast<double>(hour); exact *= step) {
    const auto value = static_cast<int64_t>(exact);
    Histogram histogram;
    histogram.Record(value);
    histogram.Record(hour);  // so that max() does not hide the bucket's width
    const auto shown = static_cast<double>(histogram.ValueAtRank(1));
    ASSERT_LE(std::abs(shown - static_cast<double>(value)), exact * kPromisedError) << value;
  }
}

TEST(Histogram, PercentilesAgreeWithExactQuantiles) {
  for (const double spread : {0.1, 1.0, 2.5}) {
    std::vector<int64_t> values = Sample(100'003, 12, spread);
    const Histogram histogram = Filled(values);
    std::sort(values.begin(), values.end());
    for (const double percentile : {0.0, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
      const auto rank = static_cast<size_t>(
          std::max(1.0, std::ceil(percentile / 100 * static_cast<double>(values.size()) - 1e-6)));
      const auto exact = static_cast<double>(values[rank - 1]);
      EXPECT_NEAR(static_cast<double>(histogram.ValueAtPercentile(percentile)), exact,
                  exact * kPromisedError)
          << percentile;
    }
    EXPECT_EQ(histogram.min(), values.front());
    EXPECT_EQ(histogram.max(), values.back());
    double sum = 0;
    for (const int64_t value : values) sum += static_cast<double>(value);
    EXPECT_NEAR(histogram.mean(), sum / static_cast<double>(values.size()), 1e-3);
  }
}

TEST(Histogram, NearestRankIsNotThrownOffByBinaryFractions) {
  Histogram histogram;
  for (int64_t i = 1; i <= 1000; ++i) histogram.Record(i);
  EXPECT_EQ(histogram.ValueAtPercentile(99.9), 999);
  EXPECT_EQ(histogram.ValueAtPercentile(50), 500);
  EXPECT_EQ(histogram.ValueAtPercentile(0), 1);
  EXPECT_EQ(histogram.ValueAtPercentile(100), 1000);
  EXPECT_EQ(histogram.CountUpTo(500), 500U);
}

TEST(Histogram, NothingIsClipped) {
  Histogram histogram;
  histogram.Record(10);
  histogram.Record(Histogram::kMaxValue + 1);
  histogram.Record(-1);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.overflow_count(), 1U);
  EXPECT_EQ(histogram.negative_count(), 1U);
  EXPECT_EQ(histogram.ValueAtPercentile(100), Histogram::kMaxValue + 1);
  EXPECT_EQ(histogram.ValueAtPercentile(50), 10);
  EXPECT_EQ(histogram.min(), 10);
}

TEST(Histogram, MergingEqualsRecordingTogether) {
  const std::vector<int64_t> first = Sample(5000, 10, 1);
  const std::vector<int64_t> second = Sample(7000, 14, 2);
  std::vector<int64_t> both = first;
  both.insert(both.end(), second.begin(), second.end());
  Histogram merged = Filled(first);
  merged.Merge(Filled(second));
  EXPECT_TRUE(merged == Filled(both));
  EXPECT_FALSE(merged == Filled(first));
}

TEST(Histogram, MergingAPercentileWouldBeWrong) {
  // The mistake this guards against: the p99 of two threads is not the mean of their p99s.
  Histogram quick;
  Histogram slow;
  for (int i = 0; i < 1000; ++i) quick.Record(1000);
  for (int i = 0; i < 10; ++i) slow.Record(1'000'000);
  Histogram merged = quick;
  merged.Merge(slow);
  EXPECT_EQ(merged.ValueAtPercentile(99), 1000);
  EXPECT_NE((quick.ValueAtPercentile(99) + slow.ValueAtPercentile(99)) / 2, 1000);
}

TEST(Histogram, ClearForgetsEverything) {
  Histogram histogram = Filled(Sample(1000, 12, 2));
  histogram.Clear();
  EXPECT_TRUE(histogram == Histogram());
  histogram.Record(7);
  EXPECT_EQ(histogram.ValueAtPercentile(50), 7);
}

TEST(Histogram, SparseFormRoundTrips) {
  Histogram histogram = Filled(Sample(10'000, 13, 1.5));
  histogram.Record(Histogram::kMaxValue + 5);
  histogram.Record(-3);
  auto back = Histogram::FromSparse(histogram.ToSparse());
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_TRUE(*back == histogram);
  auto empty = Histogram::FromSparse(Histogram().ToSparse());
  ASSERT_TRUE(empty.ok()) << empty.status().ToString();
  EXPECT_TRUE(*empty == Histogram());
}

TEST(Histogram, DamagedSparseFormIsAnError) {
  for (const char* text : {"", "x", "11/31", "10/31 0 0 0 0 0", "11/31 0 0 0 0 0;x:1",
                           "11/31 0 0 0 0 0;4000000000:1", "11/31 0 0 0 0 0;1:"}) {
    EXPECT_FALSE(Histogram::FromSparse(text).ok()) << text;
  }
}

TEST(Histogram, OneValueHasNoDeviation) {
  Histogram one;
  one.Record(123'456'789);  // its bucket's midpoint is elsewhere
  EXPECT_EQ(one.standard_deviation(), 0);
  one.Record(123'456'789);
  EXPECT_EQ(one.standard_deviation(), 0);
  Histogram near;  // two values of one bucket
  near.Record(1'000'000'000);
  near.Record(1'000'000'001);
  EXPECT_LE(near.standard_deviation(), 1'000'000'000 / 1024.0);
  Histogram beyond;
  beyond.Record(INT64_MAX / 2);
  EXPECT_EQ(beyond.standard_deviation(), 0);
  Histogram spread;
  spread.Record(1'000'000);
  spread.Record(3'000'000);
  EXPECT_NEAR(spread.standard_deviation(), 1'000'000, 2'000);
}

TEST(Histogram, WritesHdrHistogramsText) {
  Histogram histogram;
  for (int64_t i = 1; i <= 1000; ++i) histogram.Record(i * 1000);
  const std::string text = histogram.ToHgrm();
  EXPECT_THAT(text, HasSubstr("       Value     Percentile TotalCount 1/(1-Percentile)\n"));
  EXPECT_THAT(text, HasSubstr("1.000000000000       1000\n"));
  EXPECT_THAT(text, HasSubstr("#[Mean    =      500.500, "));
  EXPECT_THAT(text, HasSubstr("Total count    =         1000]"));
  // Counts and values never fall from line to line.
  EXPECT_THAT(Histogram().ToHgrm(), HasSubstr("Total count    =            0]"));
}

}  // namespace
}  // namespace connbench::stats
