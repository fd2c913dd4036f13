// Tests: everything that sizes or steers the engine, fixed when the segment is made.
#include "engine/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;

std::string ValueOf(const EngineConfig& config, std::string_view name) {
  for (const SettingDescription& setting : DescribeSettings(config)) {
    if (setting.name == name) return setting.value;
  }
  return "(no such setting)";
}

TEST(ConfigTest, ReadsUnitsAsPostgresqlDoes) {
  EngineConfig config;
  ASSERT_TRUE(ApplySetting(config, "shared_buffers", "128MB").ok());
  EXPECT_EQ(config.shared_buffers_bytes, int64_t{128} << 20);
  ASSERT_TRUE(ApplySetting(config, "work_mem", "64").ok());  // a bare number is in kB
  EXPECT_EQ(config.work_mem_bytes, 64 << 10);
  ASSERT_TRUE(ApplySetting(config, "deadlock_timeout", "2s").ok());
  EXPECT_EQ(config.deadlock_timeout_ms, 2000);
  ASSERT_TRUE(ApplySetting(config, "deadlock_timeout", "50").ok());
  EXPECT_EQ(config.deadlock_timeout_ms, 50);
  ASSERT_TRUE(ApplySetting(config, "engine", "canned").ok());
  EXPECT_EQ(config.engine, EngineKind::kCanned);
  ASSERT_TRUE(ApplySetting(config, "private_futexes", "on").ok());
  EXPECT_TRUE(config.private_futexes);
  ASSERT_TRUE(ApplySetting(config, "connection_phase_cpu", "on").ok());
  EXPECT_TRUE(config.connection_phase_cpu);
  ASSERT_TRUE(ApplySetting(config, "huge_pages", "try").ok());
  EXPECT_EQ(config.huge_pages, HugePages::kTry);
  ASSERT_TRUE(ApplySetting(config, "io_method", "io_uring").ok());
  EXPECT_EQ(config.io_method, IoMethod::kIoUring);
}

TEST(ConfigTest, ShowsTheLargestUnitThatDivides) {
  EngineConfig config;
  EXPECT_EQ(ValueOf(config, "shared_buffers"), "256MB");
  EXPECT_EQ(ValueOf(config, "deadlock_timeout"), "1s");
  config.shared_buffers_bytes = 1001 << 10;
  EXPECT_EQ(ValueOf(config, "shared_buffers"), "1001kB");
  EXPECT_EQ(ValueOf(config, "engine"), "real");
  EXPECT_EQ(ValueOf(config, "max_connections"), "100");
}

TEST(ConfigTest, EverySettingReadsBackWhatItShows) {
  const EngineConfig defaults;
  for (const SettingDescription& setting : DescribeSettings(defaults)) {
    EngineConfig config;
    const Status status = ApplySetting(config, setting.name, setting.value);
    EXPECT_TRUE(status.ok()) << setting.name << ": " << status.ToString();
    EXPECT_EQ(ValueOf(config, setting.name), setting.value);
    EXPECT_FALSE(setting.help.empty()) << setting.name;
  }
}

TEST(ConfigTest, AnUnknownNameGetsNearOnes) {
  EngineConfig config;
  const Status status = ApplySetting(config, "shared_bufers", "1MB");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), sqlstate::kUndefinedObject);
  EXPECT_THAT(status.error().hint, HasSubstr("shared_buffers"));
  EXPECT_THAT(status.error().message, HasSubstr("shared_bufers"));
  EXPECT_THAT(ApplySetting(config, "connections", "1").error().hint, HasSubstr("max_connections"));
  EXPECT_TRUE(ApplySetting(config, "zzzzzzzzzzzzzzz", "1").error().hint.empty());
}

TEST(ConfigTest, BadValuesAreRefusedAndChangeNothing) {
  struct Case {
    std::string_view name;
    std::string_view value;
  };
  for (const Case& bad :
       {Case{"max_connections", "0"}, Case{"max_connections", "many"},
        Case{"max_connections", "12x"}, Case{"shared_buffers", "1kB"},
        Case{"shared_buffers", "12 parsecs"}, Case{"work_mem", "-1"}, Case{"engine", "fast"},
        Case{"segment_backing", "paper"}, Case{"huge_pages", "maybe"},
        Case{"segment_backing", "huge_pages"}, Case{"private_futexes", "maybe"},
        Case{"segment_name", "../etc"}, Case{"max_connections", "99999999999999999999"}}) {
    EngineConfig config;
    const std::string before = ValueOf(config, bad.name);
    const Status status = ApplySetting(config, bad.name, bad.value);
    ASSERT_FALSE(status.ok()) << bad.name << "=" << bad.value;
    EXPECT_EQ(status.code(), sqlstate::kInvalidParameterValue) << bad.name << "=" << bad.value;
    EXPECT_EQ(ValueOf(config, bad.name), before);
  }
}

}  // namespace
}  // namespace connbench::engine
