// Tests: what others see of a session's statement.
#include "engine/transaction/activity.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "engine/transaction/testing/transaction_test_util.h"

namespace connbench::engine {
namespace {

constexpr BackendNumber kMine = 9;

class ActivityTest : public ::testing::Test {
 protected:
  explicit ActivityTest(int64_t query_size = 100)
      : environment_([&] {
          EngineConfig config = SmallConfig();
          config.track_activity_query_size = query_size;
          return config;
        }()) {}
  ActivityTable& table() {
    return *environment_.segment().Find<ActivityTable>(SegmentPart::kActivity);
  }
  TransactionEnvironment environment_;
};

TEST_F(ActivityTest, ASlotHasNoTextBeforeItsSessionSaysSomething) {
  EXPECT_EQ(table().Read(kMine).query, "");
  EXPECT_EQ(table().Read(kMine).client, "");
  table().Begin(kMine, "127.0.0.1:40000");
  table().SetQuery(kMine, "select 1");
  EXPECT_EQ(table().Read(kMine).query, "select 1");
  EXPECT_EQ(table().Read(kMine).client, "127.0.0.1:40000");
  table().Begin(kMine, "[::1]:2");
  EXPECT_EQ(table().Read(kMine).query, "");
  EXPECT_EQ(table().Read(kMine).client, "[::1]:2");
}

TEST_F(ActivityTest, NeighboursDoNotTouch) {
  const std::string whole(99, 'a');
  table().SetQuery(kMine - 1, std::string(200, 'b'));
  table().SetQuery(kMine, whole);
  table().Begin(kMine + 1, std::string(200, 'c'));
  EXPECT_EQ(table().Read(kMine).query, whole);
  EXPECT_EQ(table().Read(kMine - 1).query, std::string(99, 'b'));
  EXPECT_EQ(table().Read(kMine + 1).client, std::string(ActivityTable::kClientBytes, 'c'));
  EXPECT_EQ(table().Read(kMine + 1).query, "");
}

TEST_F(ActivityTest, ACharacterIsWholeOrNotThere) {
  const std::string euro = "\xE2\x82\xAC";
  for (const size_t before : {95, 96, 97, 98, 99}) {
    const std::string start(before, 'x');
    table().SetQuery(kMine, start + euro + "y");
    const std::string expected = before == 95   ? start + euro + "y"
                                 : before == 96 ? start + euro
                                                : start;
    EXPECT_EQ(table().Read(kMine).query, expected) << before;
  }
  table().SetQuery(kMine, std::string(98, 'x') + "\xC3\xA4");
  EXPECT_EQ(table().Read(kMine).query, std::string(98, 'x'));
  table().SetQuery(kMine, std::string(96, 'x') + "\xF0\x9F\x90\x98");
  EXPECT_EQ(table().Read(kMine).query, std::string(96, 'x'));
}

TEST_F(ActivityTest, WhoReadsWhileItIsWrittenSeesOneTextOrTheOther) {
  const std::string texts[] = {std::string(99, 'a'), std::string(61, 'b')};
  table().SetQuery(kMine, texts[0]);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop.load(); ++i) table().SetQuery(kMine, texts[i % 2]);
  });
  int seen = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string query = table().Read(kMine).query;
    if (query.empty()) continue;  // the writer was never at rest
    ++seen;
    ASSERT_TRUE(query == texts[0] || query == texts[1]) << query;
  }
  stop.store(true);
  writer.join();
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace connbench::engine
