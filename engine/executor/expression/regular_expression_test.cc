// Regular expressions. The answers are PostgreSQL 15's.
#include "engine/executor/expression/regular_expression.h"

#include <gtest/gtest.h>

#include <string>

namespace connbench::engine {
namespace {

// "t", "f", or the error's SQLSTATE and message.
std::string Match(std::string_view text, std::string_view pattern, bool ignore_case = false) {
  RegexOptions options;
  options.ignore_case = ignore_case;
  Result<RegularExpression> expression = RegularExpression::Compile(pattern, options);
  if (!expression.ok()) {
    return std::string(expression.status().code()) + " " + expression.status().error().message;
  }
  Result<bool> matches = expression->Matches(text, WorkMeter(nullptr));
  return !matches.ok() ? std::string(matches.status().code()) : *matches ? "t" : "f";
}

struct MatchCase {
  std::string_view text;
  std::string_view pattern;
};

TEST(RegularExpression, Matches) {
  for (const MatchCase& one : std::initializer_list<MatchCase>{{"abc", ""},
                                                               {"", ""},
                                                               {"abc", "b"},
                                                               {"pg_toast_1", "^pg_"},
                                                               {"accounts", "^(accounts)$"},
                                                               {"abc", "^abc$"},
                                                               {"abc", "a.c"},
                                                               {"a\nc", "a.c"},
                                                               {"ac", "ab*c"},
                                                               {"abbc", "ab+c"},
                                                               {"abc", "ab?c"},
                                                               {"abbbc", "ab{3}c"},
                                                               {"abbbc", "ab{2,}c"},
                                                               {"abbbc", "ab{1,3}c"},
                                                               {"ac", "ab{0}c"},
                                                               {"xyz", "(a|y)"},
                                                               {"xz", "x(y|)z"},
                                                               {"foobar", "(foo|bar)+$"},
                                                               {"abab", "^(?:ab){2}$"},
                                                               {"a{", "a{"},
                                                               {"a-b", "[a-]-b"},
                                                               {"]", "[]]"},
                                                               {"x", "[^]]"},
                                                               {"\\", "[\\\\]"},
                                                               {"5", "[[:digit:]]"},
                                                               {"_", "\\w"},
                                                               {" ", "\\s"},
                                                               {"7", "^\\d$"},
                                                               {"x", "\\D"},
                                                               {"one two", "\\mtwo\\M"},
                                                               {"one two", "\\yone\\y"},
                                                               {"one two", "[[:<:]]two[[:>:]]"},
                                                               {"twofold", "two\\Y"},
                                                               {"a\tb", "a\\tb"},
                                                               {"ä", "^.$"},
                                                               {"ä", "[à-ï]"},
                                                               {"日本", "^日.$"},
                                                               {"a.c", "a\\.c"},
                                                               {"a.c", "***=."},
                                                               {"ABC", "(?i)b"},
                                                               {"aaa", "^a*?$"},
                                                               {"A", "\\x41"},
                                                               {"A", "\\u0041"},
                                                               {"ab", "^(a*)*b$"},
                                                               {"b", "^(a*)*b$"},
                                                               {"z", "[^\\d]"},
                                                               {"ä", "\\D"},
                                                               {"aa", "^a(?#twice)*$"},
                                                               {"ab", "^(?#)a(?#)(?#x)b(?#open"},
                                                               {"a(b", "^a\\50b$"},
                                                               {"A0", "^(a|\\1010)$"},
                                                               {"table1", "^(t.*1)$"}}) {
    EXPECT_EQ(Match(one.text, one.pattern), "t") << one.text << " ~ " << one.pattern;
  }
}

TEST(RegularExpression, DoesNotMatch) {
  for (const MatchCase& one : std::initializer_list<MatchCase>{{"abc", "B"},
                                                               {"abc", "^b"},
                                                               {"abc", "b$"},
                                                               {"ac", "ab+c"},
                                                               {"abbbbc", "ab{1,3}c"},
                                                               {"", "."},
                                                               {"accounts2", "^(accounts)$"},
                                                               {"a", "[^a]"},
                                                               {"x", "\\d"},
                                                               {"twofold", "two\\M"},
                                                               {"ä", "\\w"},
                                                               {"ab", "^.$"},
                                                               {"abc", "***=a.c"},
                                                               {"aXc", "a\\.c"},
                                                               {"\n", "^$"}}) {
    EXPECT_EQ(Match(one.text, one.pattern), "f") << one.text << " ~ " << one.pattern;
  }
}

TEST(RegularExpression, IgnoresCaseOfAsciiLetters) {
  EXPECT_EQ(Match("ABC", "b", true), "t");
  EXPECT_EQ(Match("abc", "B", true), "t");
  EXPECT_EQ(Match("ABC", "[a-c]{3}", true), "t");
  EXPECT_EQ(Match("A", "[^a]", true), "f");
  EXPECT_EQ(Match("ABC", "(?c)b", true), "f");
  EXPECT_EQ(Match("@", "`", true), "f");
}

TEST(RegularExpression, SaysWhatIsWrong) {
  const std::string prefix = "2201B invalid regular expression: ";
  EXPECT_EQ(Match("", "a("), prefix + "parentheses () not balanced");
  EXPECT_EQ(Match("", "a)"), prefix + "parentheses () not balanced");
  EXPECT_EQ(Match("", "[a"), prefix + "brackets [] not balanced");
  EXPECT_EQ(Match("", "*a"), prefix + "quantifier operand invalid");
  EXPECT_EQ(Match("", "a**"), prefix + "quantifier operand invalid");
  EXPECT_EQ(Match("", "a{2,1}"), prefix + "invalid repetition count(s)");
  EXPECT_EQ(Match("", "a{256}"), prefix + "invalid repetition count(s)");
  EXPECT_EQ(Match("", "[b-a]"), prefix + "invalid character range");
  EXPECT_EQ(Match("", "[[:nope:]]"), prefix + "invalid character class");
  EXPECT_EQ(Match("", "a\\"), prefix + "invalid escape \\ sequence");
  EXPECT_EQ(Match("", "\\q"), prefix + "invalid escape \\ sequence");
  EXPECT_EQ(Match("aa", "(a)\\1"),
            "0A000 a back reference in a regular expression is not supported");
  EXPECT_EQ(Match("", "\\88"), prefix + "invalid escape \\ sequence");
  EXPECT_EQ(Match("", "a**(?#)"), prefix + "quantifier operand invalid");
  EXPECT_EQ(Match("", "()()()()()()()()()()()\\11"),
            "0A000 a back reference in a regular expression is not supported");
  EXPECT_EQ(Match("ab", "a(?=b)"),
            "0A000 a lookaround constraint in a regular expression is not supported");
}

// What makes backtracking engines take exponential time, and what would take all memory.
TEST(RegularExpression, IsBoundedByPatternAndText) {
  const std::string text(50'000, 'a');
  EXPECT_EQ(Match(text, "^(a|aa)*b$"), "f");
  EXPECT_EQ(Match(text.substr(0, 200), "^(a?){200}a{200}$"), "t");
  EXPECT_EQ(Match("a", "((a{255}){255}){255}").substr(0, 5), "2201B");
  EXPECT_EQ(Match("a", std::string(100'000, '(')).substr(0, 5), "2201B");
  EXPECT_EQ(Match("a", std::string(200'000, 'a')).substr(0, 5), "2201B");
}

}  // namespace
}  // namespace connbench::engine
