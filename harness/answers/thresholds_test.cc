// Thresholds from files and the command line.
#include "harness/answers/thresholds.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace connbench::answers {
namespace {

class ThresholdFile : public ::testing::Test {
 protected:
  Status Read(const std::string& text) {
    std::ofstream(path_) << text;
    return ReadThresholds(path_, thresholds_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string path_ = ::testing::TempDir() + "connbench_thresholds_" +
                      std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
                      ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".toml";
  Thresholds thresholds_;
};

TEST_F(ThresholdFile, HasADefaultADriftAndMetrics) {
  ASSERT_TRUE(Read("default = \"4%\"\ndrift = 8\n[metrics]\nthroughput_tps = \"2.5 %\"\n").ok());
  EXPECT_DOUBLE_EQ(thresholds_.MarginOf("latency_us_p50"), 0.04);
  EXPECT_DOUBLE_EQ(thresholds_.MarginOf("throughput_tps"), 0.025);
  EXPECT_DOUBLE_EQ(*thresholds_.drift, 0.08);
}

TEST_F(ThresholdFile, AMistakeIsShownWithItsPlace) {
  const auto message = [&](const std::string& text) { return Read(text).ToString(); };
  EXPECT_NE(message("default = \"much\"\n").find(path_ + ":1:"), std::string::npos);
  EXPECT_NE(message("default = true\n").find(":1:"), std::string::npos);
  EXPECT_NE(message("\n[metrics]\nspeed = 3\n").find(":3:"), std::string::npos);
  EXPECT_NE(message("\nmargin = 3\n").find("unknown key \"margin\""), std::string::npos);
  EXPECT_NE(message("default = \n").find(":1:"), std::string::npos);
  EXPECT_FALSE(ReadThresholds("/no/such/file", thresholds_).ok());
}

TEST(Threshold, OnTheCommandLine) {
  Thresholds thresholds;
  EXPECT_TRUE(SetThreshold("3%", thresholds).ok());
  EXPECT_TRUE(SetThreshold("throughput_tps=10", thresholds).ok());
  EXPECT_DOUBLE_EQ(thresholds.MarginOf("connects_per_s"), 0.03);
  EXPECT_DOUBLE_EQ(thresholds.MarginOf("throughput_tps"), 0.10);
  for (const char* bad :
       {"", "nan", "-1", "5 percent", "speed=3", "throughput_tps=", "1e9", "inf%"}) {
    EXPECT_FALSE(SetThreshold(bad, thresholds).ok()) << bad;
  }
}

}  // namespace
}  // namespace connbench::answers
