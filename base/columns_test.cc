// Tests: text in columns for a terminal.
#include "base/columns.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace connbench {
namespace {

TEST(WrapTextTest, BreaksBetweenWordsAndKeepsLineEnds) {
  EXPECT_EQ(WrapText("one two three", 9), "one two\nthree");
  EXPECT_EQ(WrapText("one\ntwo", 40), "one\ntwo");
  EXPECT_EQ(WrapText("", 40), "");
}

TEST(WrapTextTest, AWordThatDoesNotFitHasALineOfItsOwn) {
  EXPECT_EQ(WrapText("a incomprehensibilities b", 10), "a\nincomprehensibilities\nb");
}

TEST(WrapTextTest, CountsCharactersNotBytes) { EXPECT_EQ(WrapText("äöü äöü", 7), "äöü äöü"); }

TEST(FormatColumnsTest, ColumnsNeverCollide) {
  const ColumnRow rows[] = {{"fork", "a process"}, {"pool-tx-thread", "the same"}};
  EXPECT_EQ(FormatColumns(rows, 60),
            "  fork            a process\n"
            "  pool-tx-thread  the same\n");
}

TEST(FormatColumnsTest, ALongNameHasTheRestBelowIt) {
  const ColumnRow rows[] = {{"a", "short"}, {std::string(45, 'x'), "below"}, {"b", ""}};
  EXPECT_EQ(FormatColumns(rows, 60),
            "  a  short\n  " + std::string(45, 'x') + "\n     below\n  b\n");
}

TEST(FormatColumnsTest, WrapsBelowItsOwnColumn) {
  const ColumnRow rows[] = {{"name", "one two three four"}};
  EXPECT_EQ(FormatColumns(rows, 20), "  name  one two\n        three four\n");
}

TEST(TerminalWidthTest, ColumnsOfTheEnvironmentGoFirst) {
  setenv("COLUMNS", "72", 1);
  EXPECT_EQ(TerminalWidth(-1), 72U);
  setenv("COLUMNS", "3", 1);
  EXPECT_EQ(TerminalWidth(-1), kNarrowest);
  setenv("COLUMNS", "wide", 1);
  EXPECT_EQ(TerminalWidth(-1), kPageWidth);
  unsetenv("COLUMNS");
  EXPECT_EQ(TerminalWidth(-1), kPageWidth);
}

}  // namespace
}  // namespace connbench
