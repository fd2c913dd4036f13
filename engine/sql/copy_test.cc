// COPY: options, conditions, and the binary form, whose numbers may be anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class CopyTest : public SqlTest {
 protected:
  CopyTest() { a_->Run("create table cp (a int, b text)"); }

  static std::string Header() { return std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19); }
  static std::string Int16(int number) {
    return {static_cast<char>(number >> 8), static_cast<char>(number)};
  }
  static std::string Int32(int64_t number) {
    return Int16(static_cast<int>(number >> 16)) + Int16(static_cast<int>(number));
  }
  static std::string Row(int a, std::string_view b) {
    return Int16(2) + Int32(4) + Int32(a) + Int32(static_cast<int64_t>(b.size())) + std::string(b);
  }
  std::string Binary(std::string_view data) { return a_->Run("copy cp from stdin binary", data); }
};

TEST_F(CopyTest, WhatIsEscapedIsNoDelimiter) {
  for (const char c : {'.', '\\', 'x', '7'}) {
    EXPECT_EQ(a_->Error(std::string("copy cp to stdout delimiter '") + c + "'"),
              std::string("22023 0 COPY delimiter cannot be \"") + c + '"');
  }
  EXPECT_EQ(a_->Error("copy cp to stdout csv delimiter '.'"), "ok");
}

TEST_F(CopyTest, TheRelationIsLookedAtBeforeTheOptions) {
  EXPECT_EQ(a_->Error("copy nosuch to stdout (nosuch)"),
            "42P01 0 relation \"nosuch\" does not exist");
  EXPECT_EQ(a_->Error("copy cp (c) to stdout (nosuch)"),
            "42703 0 column \"c\" of relation \"cp\" does not exist");
  EXPECT_EQ(a_->Error("copy cp to stdout (nosuch)"), "42601 20 option \"nosuch\" not recognized");
}

TEST_F(CopyTest, AConditionLeavesRowsOut) {
  EXPECT_THAT(a_->Run("copy cp from stdin where a % 2 = 1", "1\tx\n2\ty\n3\tz\n\\N\tn\n"),
              HasSubstr("COPY 2"));
  EXPECT_EQ(a_->Rows("select a, b from cp order by a"), "1|x 3|z");
}

TEST_F(CopyTest, BinaryRowsComeBack) {
  EXPECT_THAT(Binary(Header() + Row(1, "x") + Row(-2, "") + Int16(-1)), HasSubstr("COPY 2"));
  EXPECT_EQ(a_->Rows("select a, b from cp order by a"), "-2| 1|x");
  a_->Run("copy cp to stdout binary");
  EXPECT_EQ(a_->last().copied, Header() + Row(1, "x") + Row(-2, "") + Int16(-1));
}

TEST_F(CopyTest, BinaryDataWithoutATrailerAreWhole) {
  EXPECT_THAT(Binary(Header()), HasSubstr("COPY 0"));
  EXPECT_THAT(Binary(Header() + Row(1, "x")), HasSubstr("COPY 1"));
  EXPECT_THAT(Binary(Header() + "\x7f"), HasSubstr("COPY 0"));
}

TEST_F(CopyTest, NoNumberInBinaryDataIsBelieved) {
  EXPECT_THAT(Binary(""), HasSubstr("22P04 0 COPY file signature not recognized"));
  EXPECT_THAT(Binary("1\tx\n"), HasSubstr("22P04 0 COPY file signature not recognized"));
  for (size_t size = 0; size < Header().size(); ++size) {
    EXPECT_THAT(Binary(Header().substr(0, size)), HasSubstr("22P04")) << size;
  }
  EXPECT_THAT(Binary(Header() + Int16(3)), HasSubstr("row field count is 3, expected 2"));
  EXPECT_THAT(Binary(Header() + Int16(-2)), HasSubstr("row field count is -2, expected 2"));
  EXPECT_THAT(Binary(Header() + Int16(2) + Int32(-2)), HasSubstr("invalid field size"));
  EXPECT_THAT(Binary(Header() + Int16(2) + Int32(0x7fffffff) + "abc"),
              HasSubstr("54000 0 out of memory"));
  EXPECT_THAT(Binary(Header() + Int16(2) + Int32(0x3ffffffe) + "abc"),
              HasSubstr("unexpected EOF in COPY data"));
  EXPECT_THAT(Binary(Header() + Int16(2) + Int32(3) + "abc" + Int32(-1)),
              HasSubstr("08P01 0 insufficient data left in message"));
  EXPECT_THAT(Binary(Header() + Row(1,
                                    "\x97"
                                    "b")),
              EndsWith("22021 0 invalid byte sequence for encoding \"UTF8\": 0x97"));
  EXPECT_THAT(Binary(Header() + Int16(-1) + "x"), HasSubstr("received copy data after EOF marker"));
  EXPECT_EQ(a_->Rows("select count(*) from cp"), "0");
}

}  // namespace
}  // namespace connbench::engine
