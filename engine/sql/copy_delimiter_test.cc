// Characters that the text format of COPY has other uses for delimit nothing.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using CopyDelimiterTest = SqlTest;

TEST_F(CopyDelimiterTest, WhatIsEscapedIsNoDelimiter) {
  a_->Run("create table cp (a text, b text)");
  for (const char c : {'.', '\\', 'x', '7'}) {
    EXPECT_EQ(a_->Error(std::string("copy cp to stdout delimiter '") + c + "'"),
              std::string("22023 0 COPY delimiter cannot be \"") + c + '"');
  }
  EXPECT_EQ(a_->Error("copy cp to stdout csv delimiter '.'"), "ok");
}

}  // namespace
}  // namespace connbench::engine
