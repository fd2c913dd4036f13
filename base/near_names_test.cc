// Tests: "Did you mean": the known names that a mistyped one is close to.
#include "base/near_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench {
namespace {

constexpr std::string_view kKnown[] = {"shared_buffers", "work_mem", "workers", "max_workers"};

TEST(NearNames, FindsTypos) {
  EXPECT_THAT(NearNames("shared_bufers", kKnown), testing::ElementsAre("shared_buffers"));
  EXPECT_THAT(NearNames("worker", kKnown), testing::ElementsAre("workers", "max_workers"));
}

TEST(NearNames, FindsParts) {
  EXPECT_THAT(NearNames("buffers", kKnown), testing::ElementsAre("shared_buffers"));
}

TEST(NearNames, ListsAllWhenNothingIsNear) {
  EXPECT_TRUE(NearNames("zzzzzz", kKnown).empty());
  EXPECT_EQ(SuggestNames("zzzzzz", kKnown),
            R"(Known: "shared_buffers", "work_mem", "workers", "max_workers".)");
  EXPECT_EQ(SuggestNames("shared_bufers", kKnown), R"(Near names: "shared_buffers".)");
}

}  // namespace
}  // namespace connbench
