// Tests: settings of the connection models and of the protocol.
#include "models/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/model_list.h"
#include "models/ready_line.h"
#include "models/setting_readers.h"

namespace connbench::models {
namespace {

using ::testing::HasSubstr;

TEST(Settings, SharesOneNamespaceWithTheEngine) {
  ServerSettings settings;
  ASSERT_TRUE(ApplySetting(settings, "workers", "7").ok());
  ASSERT_TRUE(ApplySetting(settings, "thread_stack_size", "2MB").ok());
  ASSERT_TRUE(ApplySetting(settings, "stall_limit", "1s").ok());
  ASSERT_TRUE(ApplySetting(settings, "max_connections", "77").ok());
  EXPECT_EQ(settings.models.workers, 7);
  EXPECT_EQ(settings.models.thread_stack_bytes, 2 << 20);
  EXPECT_EQ(settings.models.stall_limit_ms, 1000);
  EXPECT_EQ(settings.engine.max_connections, 77);
}

TEST(Settings, UnknownNamesListNearOnesOfBoth) {
  ServerSettings settings;
  Status status = ApplySetting(settings, "worker", "7");
  EXPECT_EQ(status.code(), sqlstate::kUndefinedObject);
  EXPECT_THAT(status.error().hint, HasSubstr("\"workers\""));
  status = ApplySetting(settings, "max_conections", "7");
  EXPECT_THAT(status.error().hint, HasSubstr("\"max_connections\""));
}

TEST(Settings, BadValuesAreRefused) {
  ServerSettings settings;
  for (const char* value : {"", "x", "-1", "5000000", "1.5"}) {
    EXPECT_EQ(ApplySetting(settings, "workers", value).code(), sqlstate::kInvalidParameterValue)
        << value;
  }
  for (const auto& [name, value] : {std::pair{"thread_stack_size", "1kB"},
                                    {"accept_strategy", "random"},
                                    {"allocator", "tc"},
                                    {"malloc_arenas", "-1"},
                                    {"cpu_affinity", "0-"}}) {
    EXPECT_EQ(ApplySetting(settings, name, value).code(), sqlstate::kInvalidParameterValue) << name;
  }
}

// What each model can be told of its size: one less than the least, and one more than the most.
TEST(Settings, SizesOutOfRangeAreRefused) {
  struct Range {
    const char* name;
    const char* below;
    const char* above;
  };
  ServerSettings settings;
  for (const auto& [name, below, above] :
       {Range{"workers", "-1", "4097"}, Range{"thread_pool_groups", "-1", "4097"},
        Range{"max_workers", "-1", "4194305"}, Range{"stall_limit", "0", "60001"},
        Range{"prio_kickup_timer", "0", "3600001"}, Range{"prefork_processes", "-1", "4194305"},
        Range{"prefork_max_sessions", "-1", "9223372036854775808"},
        Range{"thread_cache_size", "-2", "4194305"}, Range{"hybrid_processes", "-1", "4097"},
        Range{"hybrid_threads", "-1", "4194305"}, Range{"reactor_loops", "-1", "4097"},
        Range{"fdpass_workers", "-1", "4097"}, Range{"poco_threads", "-1", "4194305"},
        Range{"poco_queue", "-1", "2147483648"}, Range{"pool_size", "-1", "4194305"},
        Range{"pool_superuser_reserve", "-1", "4194305"},
        Range{"query_wait_timeout", "-1", "3600001"},
        Range{"client_write_timeout", "-1", "3600001"}, Range{"pool_mode", "-1", "3"}}) {
    for (const char* value : {below, above}) {
      const Status status = ApplySetting(settings, name, value);
      EXPECT_EQ(status.code(), sqlstate::kInvalidParameterValue) << name << "=" << value;
      ASSERT_FALSE(status.ok());
      EXPECT_THAT(status.error().message, HasSubstr(name));
    }
  }
}

TEST(Settings, NamesAndListsReadBackWhatWasSet) {
  ServerSettings settings;
  for (const auto& [name, value] : {std::pair{"accept_strategy", "reuseport"},
                                    {"allocator", "jemalloc"},
                                    {"cpu_affinity", "0-1,3"},
                                    {"malloc_arenas", "2"}}) {
    ASSERT_TRUE(ApplySetting(settings, name, value).ok()) << name;
    for (const auto& setting : DescribeSettings(settings)) {
      if (setting.name != name) continue;
      EXPECT_EQ(setting.value, value);
    }
  }
  EXPECT_EQ(settings.models.accept_strategy, static_cast<int64_t>(AcceptStrategy::kReusePort));
  EXPECT_EQ(settings.models.allocator, static_cast<int64_t>(Allocator::kJemalloc));
}

TEST(Settings, EveryOneIsDescribedOnce) {
  std::vector<std::string> names;
  for (const auto& setting : DescribeSettings({})) {
    EXPECT_FALSE(setting.help.empty()) << setting.name;
    names.emplace_back(setting.name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Settings, AModelsOwnConcernNoOther) {
  EXPECT_TRUE(ConcernsModel("workers", "thread-pool"));
  EXPECT_FALSE(ConcernsModel("workers", "thread"));
  EXPECT_FALSE(ConcernsModel("pool_size", "thread-pool"));
  EXPECT_TRUE(ConcernsModel("reactor_loops", "reactor-uring"));
  EXPECT_TRUE(ConcernsModel("listen_backlog", "thread"));
  EXPECT_TRUE(ConcernsModel("work_mem", "thread"));
  // What is read by some is said where it is explained, and each of them is a model.
  for (const engine::SettingDescription& row : DescribeSettings({})) {
    size_t readers = 0;
    for (const ModelDescription& model : AllModels()) {
      if (!ConcernsModel(row.name, model.name)) continue;
      ++readers;
    }
    EXPECT_GT(readers, 0U) << row.name;
    if (readers == AllModels().size()) continue;
    for (const ModelDescription& model : AllModels()) {
      if (!ConcernsModel(row.name, model.name)) continue;
      EXPECT_NE(row.help.find(model.name), std::string_view::npos) << row.name << " " << model.name;
    }
  }
}

TEST(ModelList, FindsModelsAndSuggestsNearOnes) {
  ASSERT_TRUE(FindModel("fork").ok());
  const auto unknown = FindModel("threads");
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.status().error().hint, HasSubstr("\"thread\""));
}

TEST(ReadyLine, ReadsWhatItWrites) {
  const ReadyLine lines[] = {
      {"fork", "127.0.0.1", 5433, "", "connbench.12"},
      {"thread-pool", "::1", 1, "/tmp/.s.PGSQL.1", ""},
      {"thread", "", 0, "/tmp/with space/.s.PGSQL.5433", "connbench.1"},
  };
  for (const ReadyLine& line : lines) {
    const std::string text = FormatReadyLine(line);
    const auto parsed = ParseReadyLine(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(parsed->model, line.model);
    EXPECT_EQ(parsed->host, line.host);
    EXPECT_EQ(parsed->port, line.port);
    EXPECT_EQ(parsed->socket_path, line.socket_path);
    EXPECT_EQ(parsed->segment, line.segment);
  }
  EXPECT_EQ(FormatReadyLine(lines[0]),
            "connbench: fork ready on 127.0.0.1 port 5433 (segment connbench.12)");
}

TEST(ReadyLine, RefusesOtherLines) {
  for (const char* text :
       {"", "connbench: shutting down", "connbench: fork ready on 127.0.0.1 (segment x)",
        "connbench: fork ready on 127.0.0.1 port x (segment x)",
        "connbench: fork ready on 127.0.0.1 port 5433 (segment x",
        "connbench: fork ready on 127.0.0.1 port 5433; (segment x)"}) {
    EXPECT_FALSE(ParseReadyLine(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace connbench::models
