// Tests: when things are intended to begin: transactions of an open loop, connections of a storm.
#include "harness/workload/arrivals.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/clock.h"

namespace connbench::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = kNanosecondsPerSecond;
constexpr int64_t kMillisecond = kNanosecondsPerMillisecond;

ArrivalSpec Parse(std::string_view rate, std::string_view arrival = {}) {
  auto spec = ParseArrivals(rate, arrival, "/");
  EXPECT_TRUE(spec.ok()) << spec.status().ToString();
  return spec.ok() ? *spec : ArrivalSpec();
}

std::vector<int64_t> Until(const ArrivalSpec& spec, int64_t until, uint64_t seed = 1,
                           uint32_t part = 0, uint32_t parts = 1) {
  Arrivals arrivals(spec, seed, part, parts);
  std::vector<int64_t> instants;
  for (int64_t at = arrivals.Next(); at < until; at = arrivals.Next()) instants.push_back(at);
  return instants;
}

TEST(Arrivals, ConstantArrivalsAreEvenlySpaced) {
  EXPECT_THAT(Until(Parse("4", "constant"), kSecond),
              ElementsAre(0, kSecond / 4, kSecond / 2, kSecond / 4 * 3));
  const auto hour = Until(Parse("1000", "constant"), 3600 * kSecond);
  ASSERT_EQ(hour.size(), 3'600'000U);
  EXPECT_NEAR(static_cast<double>(hour.back()), 3599.999e9, 2) << "no rounding adds up";
}

TEST(Arrivals, PoissonGapsHaveTheirMeanAndTheirSpread) {
  const auto instants = Until(Parse("1000"), 100 * kSecond);
  // 100,000 arrivals, give or take four standard deviations.
  EXPECT_NEAR(static_cast<double>(instants.size()), 1e5, 4 * std::sqrt(1e5));
  double sum = 0;
  double squares = 0;
  for (size_t i = 1; i < instants.size(); ++i) {
    const auto gap = static_cast<double>(instants[i] - instants[i - 1]);
    sum += gap;
    squares += gap * gap;
  }
  const auto count = static_cast<double>(instants.size() - 1);
  const double mean = sum / count;
  const double deviation = std::sqrt(squares / count - mean * mean);
  EXPECT_NEAR(deviation / mean, 1, 0.02) << "exponential gaps spread as widely as their mean";
}

TEST(Arrivals, BurstsComeTogether) {
  const auto instants = Until(Parse("100", "burst(10)"), kSecond);
  ASSERT_EQ(instants.size(), 100U);
  std::map<int64_t, int> at;
  for (const int64_t instant : instants) ++at[instant];
  ASSERT_EQ(at.size(), 10U);
  for (const auto& [instant, count] : at) EXPECT_EQ(count, 10) << instant;
}

TEST(Arrivals, AtOnceIsTheBeginning) {
  const ArrivalSpec spec = Parse("", "at_once");
  EXPECT_TRUE(spec.given());
  Arrivals arrivals(spec, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(arrivals.Next(), 0);
}

TEST(Arrivals, NothingGivenIsNoSchedule) { EXPECT_FALSE(Parse("").given()); }

// Whatever the shape: at every moment there have been as many arrivals as the rate adds up to.
TEST(Arrivals, CountsFollowTheIntegralOfTheRate) {
  for (const char* rate :
       {"1000", "steps(500, 2s, 0, 500ms, 2000, 1s)", "ramp(0, 2000, 5s)", "ramp(2000, 0, 5s)",
        "spike(100, 5000, 1s, 300ms)", "sine(1000, 1000, 700ms)", "sawtooth(0, 2000, 900ms)"}) {
    const ArrivalSpec spec = Parse(rate, "constant");
    const auto instants = Until(spec, 8 * kSecond);
    for (int64_t at = 50 * kMillisecond; at <= 8 * kSecond; at += 50 * kMillisecond) {
      const auto seen = std::lower_bound(instants.begin(), instants.end(), at) - instants.begin();
      EXPECT_NEAR(static_cast<double>(seen), spec.ExpectedUntil(at), 1.01) << rate << " at " << at;
    }
    EXPECT_TRUE(std::is_sorted(instants.begin(), instants.end())) << rate;
  }
}

TEST(Arrivals, ShapesHaveTheirIntegrals) {
  EXPECT_NEAR(Parse("steps(500, 2s, 1000, 1s)").ExpectedUntil(5 * kSecond), 1000 + 3000, 1e-6);
  EXPECT_NEAR(Parse("ramp(100, 300, 2s)").ExpectedUntil(3 * kSecond), 400 + 300, 1e-6);
  EXPECT_NEAR(Parse("ramp(10, 0, 1s)").ExpectedUntil(100 * kSecond), 5, 1e-6);
  EXPECT_NEAR(Parse("spike(10, 1k, 1s, 2s)").ExpectedUntil(4 * kSecond), 10 + 2000 + 10, 1e-6);
  EXPECT_NEAR(Parse("sine(100, 50, 1s)").ExpectedUntil(7 * kSecond), 700, 1e-6);
  // The first half of a sine lies above its mean by 2/pi of the amplitude.
  EXPECT_NEAR(Parse("sine(100, 50, 1s)").ExpectedUntil(kSecond / 2), 50 + 50 / M_PI, 0.01);
  EXPECT_NEAR(Parse("sawtooth(0, 100, 2s)").ExpectedUntil(5 * kSecond), 200 + 25, 1e-6);
}

TEST(Arrivals, ARateThatEndsAtZeroEndsTheSchedule) {
  const ArrivalSpec spec = Parse("steps(10, 1s, 0, 1s)", "constant");
  Arrivals ending(spec, 1);
  for (int i = 0; i < 10; ++i) EXPECT_LT(ending.Next(), kSecond);
  EXPECT_EQ(ending.Next(), kNoArrival);
  EXPECT_EQ(ending.Next(), kNoArrival);
}

TEST(Arrivals, ThreadsShareOneScheduleWhateverTheirNumber) {
  for (const char* arrival : {"constant", "poisson", "burst(7)"}) {
    const ArrivalSpec spec = Parse("sine(1000, 500, 300ms)", arrival);
    const auto alone = Until(spec, kSecond, 42);
    for (const uint32_t threads : {2U, 3U, 5U}) {
      std::vector<int64_t> together;
      for (uint32_t thread = 0; thread < threads; ++thread) {
        const auto part = Until(spec, kSecond, 42, thread, threads);
        together.insert(together.end(), part.begin(), part.end());
      }
      std::sort(together.begin(), together.end());
      EXPECT_EQ(together, alone) << arrival << ", " << threads << " threads";
    }
  }
}

TEST(Arrivals, TheSeedIsTheSchedule) {
  const ArrivalSpec spec = Parse("1000");
  EXPECT_EQ(Until(spec, kSecond, 7), Until(spec, kSecond, 7));
  EXPECT_NE(Until(spec, kSecond, 7), Until(spec, kSecond, 8));
}

std::string Error(std::string_view rate, std::string_view arrival = {}) {
  const auto spec = ParseArrivals(rate, arrival, "/");
  if (spec.ok()) return "accepted";
  return fmt::format("{}: {}", spec.status().error().position, spec.status().ToString());
}

TEST(ArrivalText, ErrorsNameThePlaceAndTheRemedy) {
  EXPECT_THAT(Error("1000 tps"), HasSubstr("1: \"1000 tps\" is not a rate"));
  EXPECT_THAT(Error("-5"), HasSubstr("neither a rate nor a shape"));
  EXPECT_THAT(Error("0"), HasSubstr("nothing would ever begin"));
  EXPECT_THAT(Error("1e9"), HasSubstr("above 10000000 per second"));
  EXPECT_THAT(Error("stps(1, 2s)"), HasSubstr("steps"));
  EXPECT_THAT(Error("steps(1, 2s, 3)"), HasSubstr("steps takes (RATE, TIME, RATE, TIME, ...)"));
  EXPECT_THAT(Error("ramp(1, 2)"), HasSubstr("For example ramp(100, 2000, 10s)"));
  EXPECT_THAT(Error("ramp(1, x, 3s)"), HasSubstr("9: \"x\" is not a rate"));
  EXPECT_THAT(Error("ramp(1, 2, 3 parsecs)"), HasSubstr("12: \"3 parsecs\" is not a duration"));
  EXPECT_THAT(Error("ramp(1, 2, 0s)"), HasSubstr("12: 0s is shorter"));
  EXPECT_THAT(Error("ramp(1, 2, 3s"), HasSubstr("14: the closing parenthesis is missing"));
  EXPECT_THAT(Error("sine(10, 20, 1s)"), HasSubstr("10: the amplitude is above the mean"));
  EXPECT_THAT(Error("file(no such)"), HasSubstr("could not open schedule file \"/no such\""));
  EXPECT_THAT(Error("1000", "poison"), HasSubstr("poisson"));
  EXPECT_THAT(Error("1000", "burst(0)"), HasSubstr("burst takes a size from 1"));
  EXPECT_THAT(Error("1000", "constant(3)"), HasSubstr("constant takes no arguments"));
  EXPECT_THAT(Error("1000", "at_once"), HasSubstr("at_once takes no rate"));
  EXPECT_THAT(Error("", "burst(3)"), HasSubstr("burst(3) needs a rate"));
}

class ScheduleFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/connbench_schedule_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Result<ArrivalSpec> Read(const std::string& text) const {
    std::ofstream(folder_ + "/s.txt") << text;
    return ParseArrivals("file(s.txt)", "constant", folder_);
  }
  std::string FileError(const std::string& text) const {
    const auto spec = Read(text);
    return spec.ok() ? "accepted" : spec.status().ToString();
  }
  std::string folder_;
};

TEST_F(ScheduleFile, RatesHoldUntilTheNextLine) {
  const auto spec = Read("# a quiet start\n\n1s 10\n2s\t100   # louder\r\n2500ms 0\n");
  ASSERT_TRUE(spec.ok()) << spec.status().ToString();
  EXPECT_EQ(spec->rate_text, "file(s.txt)");
  EXPECT_EQ(spec->PortableRate(), "file(" + folder_ + "/s.txt)");
  EXPECT_NEAR(spec->ExpectedUntil(kSecond), 0, 1e-9);
  EXPECT_NEAR(spec->ExpectedUntil(9 * kSecond), 10 + 50, 1e-9);
  const auto instants = Until(*spec, 9 * kSecond);
  EXPECT_EQ(instants.size(), 60U);
  EXPECT_EQ(instants.front(), kSecond);
}

TEST_F(ScheduleFile, InstantsAreTakenAsTheyAre) {
  const auto spec = Read("0.5\n0.5\n700ms\n2\n");
  ASSERT_TRUE(spec.ok()) << spec.status().ToString();
  EXPECT_THAT(Until(*spec, 9 * kSecond),
              ElementsAre(kSecond / 2, kSecond / 2, 700 * kMillisecond, 2 * kSecond));
  EXPECT_NEAR(spec->ExpectedUntil(kSecond), 3, 1e-9);
}

TEST_F(ScheduleFile, ErrorsNameFileLineAndColumn) {
  const std::string file = folder_ + "/s.txt:";
  EXPECT_THAT(FileError("1s 10\n2s ten\n"), HasSubstr(file + "2:4: \"ten\" is not a rate"));
  EXPECT_THAT(FileError("1s 10\nsoon 10\n"), HasSubstr(file + "2:1: \"soon\" is not a duration"));
  EXPECT_THAT(FileError("1s 10\n\n  1s 20\n"), HasSubstr(file + "3:3: it is not after"));
  EXPECT_THAT(FileError("1s\n2s 10\n"), HasSubstr(file + "2:4: lines with a rate"));
  EXPECT_THAT(FileError("1s 10\n2s\n"), HasSubstr(file + "2:1: lines with a rate"));
  EXPECT_THAT(FileError("1s 10 20\n"), HasSubstr(file + "1:7: expected TIME RATE"));
  EXPECT_THAT(FileError("# nothing\n"), HasSubstr(file + "1:1: it holds no schedule"));
  EXPECT_THAT(FileError("1s 0\n"), HasSubstr("nothing would ever begin"));
}

}  // namespace
}  // namespace connbench::load
