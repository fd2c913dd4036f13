// Command tags: the words and counts that CommandComplete carries.
#include "engine/sql/command_tag.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace connbench::engine {
namespace {

TEST(CommandTag, IsWhatWasAppended) {
  CommandTag tag("INSERT");
  tag.Append(" 0 ");
  tag.Append(INT64_MAX);
  EXPECT_EQ(tag.view(), "INSERT 0 9223372036854775807");
  EXPECT_EQ(CommandTag().view(), "");
}

TEST(CommandTag, CutsWhatDoesNotFit) {
  const std::string longest(200, 'x');
  CommandTag tag(longest);
  EXPECT_GE(tag.view().size(), 47u);  // PostgreSQL's longest has less
  EXPECT_EQ(tag.view(), longest.substr(0, tag.view().size()));
  const std::string before(tag.view());
  tag.Append("y");
  tag.Append(int64_t{17});
  EXPECT_EQ(tag.view(), before);
}

}  // namespace
}  // namespace connbench::engine
