// Tests: pgbench's expressions.
#include "harness/script/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace connbench::load {
namespace {

using ::testing::HasSubstr;

std::string Tree(std::string_view text) {
  SymbolTable symbols;
  size_t offset = 0;
  const auto parsed = Expression::Parse(text, symbols, offset);
  return parsed.ok() ? parsed->ToString(symbols) : "error: " + parsed.status().ToString();
}

// "type value", or "error: ...".
std::string Evaluate(std::string_view text) {
  SymbolTable symbols;
  size_t offset = 0;
  const auto parsed = Expression::Parse(text, symbols, offset);
  if (!parsed.ok()) return "syntax error";
  std::vector<Variable> variables(symbols.size());
  if (const uint32_t* slot = symbols.Find("five")) variables[*slot].Set(Value::Int(5));
  if (const uint32_t* slot = symbols.Find("word")) variables[*slot].SetFromText("hello");
  Random random(1);
  EvaluationContext context{variables, &symbols, &random, 99, nullptr};
  Value value;
  const Status status = parsed->Evaluate(context, value);
  if (!status.ok()) return "error: " + status.error().message;
  constexpr std::array kNames = {"null", "boolean", "int", "double"};
  const std::string name = kNames[static_cast<size_t>(value.type)];
  return value.type == Value::Type::kNull ? name : name + " " + value.ToText();
}

TEST(ExpressionParser, BindsAsPgbenchDoes) {
  EXPECT_EQ(Tree("1 + 2 * 3"), "(+ 1 (* 2 3))");
  EXPECT_EQ(Tree("1 - 2 - 3"), "(- (- 1 2) 3)");
  EXPECT_EQ(Tree("-2 + 3"), "(+ (- 0 2) 3)");
  EXPECT_EQ(Tree("~ 5 + 1"), "(# -1 (+ 5 1))");
  EXPECT_EQ(Tree("5 # 3 & 1"), "(& (# 5 3) 1)");
  EXPECT_EQ(Tree("1 << 2 | 3"), "(| (<< 1 2) 3)");
  EXPECT_EQ(Tree("1 + 2 < 3 * 4"), "(< (+ 1 2) (* 3 4))");
  EXPECT_EQ(Tree("1 > 2"), "(< 2 1)");
  EXPECT_EQ(Tree("1 >= 2"), "(<= 2 1)");
  EXPECT_EQ(Tree("1 != 2"), "(<> 1 2)");
  EXPECT_EQ(Tree("not :a = 1 and :b or :c"), "(or (and (not (= :a 1)) :b) :c)");
  EXPECT_EQ(Tree("1 < 2 is true"), "(is (< 1 2) true)");
  EXPECT_EQ(Tree(":a is not null"), "(not (is :a NULL))");
  EXPECT_EQ(Tree("CASE WHEN :a THEN 1 ELSE 2 END"), "(case :a 1 2)");
  EXPECT_EQ(Tree("case when :a then 1 end"), "(case :a 1 NULL)");
  EXPECT_EQ(Tree("random(1, 100000 * :scale)"), "(random 1 (* 100000 :scale))");
  EXPECT_EQ(Tree("pi()"), "(pi)");
}

TEST(ExpressionParser, SaysWhereTheTroubleIs) {
  struct Case {
    const char* text;
    size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"1 +", 3, "ends where a value is expected"},
      {"1 2", 2, "\"2\" where an operator or the end is expected"},
      {"(1", 2, "ends where \")\" is expected"},
      {"rndom(1, 2)", 0, "there is no function \"rndom\""},
      {"1 + random(1)", 4, "random() takes 2 arguments, not 1"},
      {"hash()", 0, "hash() takes 1 or 2 arguments, not 0"},
      {"least()", 0, "least() takes at least 1 arguments, not 0"},
      {"1 ? 2", 2, "unexpected character"},
      {": + 1", 0, "without the name"},
      {"99999999999999999999", 0, "too large for a bigint"},
      {"9223372036854775808", 0, "too large for a bigint"},
      {"1 < 2 < 3", 6, "\"<\" where an operator or the end"},
      {"case 1 end", 5, "\"1\" where WHEN is expected"},
      {"1 is 2", 5, "NULL, TRUE or FALSE"},
      {"", 0, "ends where a value"},
  };
  for (const Case& each : cases) {
    SymbolTable symbols;
    size_t offset = 12345;
    const auto parsed = Expression::Parse(each.text, symbols, offset);
    ASSERT_FALSE(parsed.ok()) << each.text;
    EXPECT_EQ(offset, each.offset) << each.text;
    EXPECT_THAT(parsed.status().error().message, HasSubstr(each.message)) << each.text;
  }
}

TEST(ExpressionParser, RefusesDepthInsteadOfOverflowingTheStack) {
  EXPECT_THAT(Tree(std::string(100'000, '(')), HasSubstr("nested deeper"));
  EXPECT_THAT(Tree(std::string(100'000, '-') + "1"), HasSubstr("nested deeper"));
  std::string nots;
  for (int i = 0; i < 100'000; ++i) nots += "not ";
  EXPECT_THAT(Tree(nots + "true"), HasSubstr("nested deeper"));
  std::string sum = "1";
  for (int i = 0; i < 100'000; ++i) sum += "+1";
  EXPECT_THAT(Tree(sum), HasSubstr("more than 2000"));
}

// Every expected value was printed by pgbench 15.18's debug().
TEST(ExpressionEvaluation, AgreesWithPgbench) {
  const std::pair<const char*, const char*> cases[] = {
      {"hash(10, 5432)", "int -5817877081768721676"},
      {"hash_fnv1a(10, 5432)", "int -7793829335365542153"},
      {"hash_murmur2(-7, 1)", "int -5041972005689550946"},
      {"permute(0, 100, 7)", "int 92"},
      {"permute(1, 100, 7)", "int 53"},
      {"permute(99, 100, 7)", "int 12"},
      {"permute(5, 1, 7)", "int 0"},
      {"permute(1234567, 10000000019, 42)", "int 249392212"},
      {"permute(3, 8, 42)", "int 1"},
      {"7 % -2", "int 1"},
      {"-7 / 2", "int -3"},
      {"1 + 2 * 3 - 4 / 2.0", "double 5"},
      {"~ 5 + 1", "int -7"},
      {"1 << 3 | 1", "int 9"},
      {"5 # 3 & 1", "int 0"},
      {"greatest(1, 2.5, 2)", "double 2.5"},
      {"least(3, 1, 2)", "int 1"},
      {"int(2.5)", "int 2"},
      {"int(3.5)", "int 4"},
      {"case when null then 1 when 2 > 1 then 2 else 3 end", "int 2"},
      {"case when false then 1 end", "null"},
      {"true and null", "null"},
      {"false and null", "boolean false"},
      {"null or true", "null"},
      {"not 1 = 2", "boolean true"},
      {"1 is null", "boolean false"},
      {"null isnull", "boolean true"},
      {"3 notnull", "boolean true"},
      {"true is not false", "boolean true"},
      {"-9223372036854775808", "int -9223372036854775808"},
      {"power(2, 10)", "double 1024"},
      {"sqrt(2.0)", "double 1.4142135623731"},
      {"ln(10)", "double 2.30258509299405"},
      {"exp(1)", "double 2.71828182845905"},
      {"pi()", "double 3.14159265358979"},
      {"abs(-17)", "int 17"},
      {"abs(-1.5)", "double 1.5"},
      {"double(5) / 3", "double 1.66666666666667"},
      {"mod(17, 5)", "int 2"},
      {"1 + null", "null"},
      {"1.5 = 1.5", "boolean true"},
      {"2 >= 2.0", "boolean true"},
      {"not false or true", "boolean true"},
      {"- 3 + 5", "int 2"},
      {"1e3", "double 1000"},
      {".5", "double 0.5"},
      {"100000000000000000000.0", "double 1e+20"},
      {"1.0/3", "double 0.333333333333333"},
      {"5 <> 4", "boolean true"},
      {"1 < 2 is true", "boolean true"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Evaluate(text), expected) << text;
}

TEST(ExpressionEvaluation, ReportsWhatCannotBeCalculated) {
  const std::pair<const char*, const char*> cases[] = {
      {"1 / 0", "division by zero"},
      {"1 % 0", "division by zero"},
      {"9223372036854775807 + 1", "bigint add out of range"},
      {"-9223372036854775808 - 1", "bigint sub out of range"},
      {"9223372036854775807 * 2", "bigint mul out of range"},
      {"-9223372036854775808 / -1", "bigint div out of range"},
      {"abs(-9223372036854775808)", "bigint abs out of range"},
      {"true + 1", "a boolean is not an integer"},
      {"not 1", "a integer is not a boolean"},
      {"1 and true", "a integer is not a boolean"},
      {"int(1e30)", "bigint cannot hold"},
      {"random(2, 1)", "is empty"},
      {"random(-9223372036854775808, 9223372036854775807)", "too large"},
      {"random_gaussian(1, 10, 1.5)", "at least 2"},
      {"random_exponential(1, 10, 0)", "above zero"},
      {"random_zipfian(1, 10, 1)", "from 1.001 to 1000"},
      {"permute(1, 0)", "above zero"},
      {":nothing + 1", "has no value"},
      {":word + 1", "which is no number"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(Evaluate(text), HasSubstr(std::string("error: "))) << text;
    EXPECT_THAT(Evaluate(text), HasSubstr(expected)) << text;
  }
  EXPECT_EQ(Evaluate("-9223372036854775808 % -1"), "int 0");
  EXPECT_EQ(Evaluate("1.0 / 0"), "double Infinity");
  EXPECT_EQ(Evaluate(":five * 2"), "int 10");
  EXPECT_EQ(Evaluate("false and 1 / 0 = 1"), "boolean false");  // the right side is not looked at
}

TEST(Variables, KeepTheTextTheyWereGiven) {
  Variable variable;
  variable.SetFromText("007");
  std::string text;
  variable.AppendText(text);
  EXPECT_EQ(text, "007");
  EXPECT_EQ(variable.value.integer, 7);
  variable.Set(Value::Double(1.5));
  text.clear();
  variable.AppendText(text);
  EXPECT_EQ(text, "1.5");
  variable.SetFromText("NULL");
  EXPECT_EQ(variable.value.type, Value::Type::kNull);
  variable.SetFromText("");
  EXPECT_TRUE(variable.is_text);
}

TEST(RandomNumbers, StayInTheirRangeAndReachItsEnds) {
  Random random(7);
  std::array<int, 4> uniform{};
  std::array<int, 4> gaussian{};
  std::array<int, 4> exponential{};
  std::array<int, 4> zipfian{};
  constexpr int kDraws = 40'000;
  const auto draw = [](std::array<int, 4>& counts, int64_t value) {
    ASSERT_GE(value, -1);
    ASSERT_LE(value, 2);
    ++counts[static_cast<size_t>(value + 1)];
  };
  for (int i = 0; i < kDraws; ++i) {
    draw(uniform, random.Uniform(-1, 2));
    draw(gaussian, random.Gaussian(-1, 2, 2.5));
    draw(exponential, random.Exponential(-1, 2, 2.0));
    draw(zipfian, random.Zipfian(-1, 2, 1.5));
  }
  for (const int count : uniform) EXPECT_NEAR(count, kDraws / 4, kDraws / 40);
  // P(i) of the truncated normal, exponential and Zipf distributions over four values.
  const double normal = std::erf(2.5 / std::sqrt(2.0));
  const double inner = std::erf(1.25 / std::sqrt(2.0)) / normal / 2;
  EXPECT_NEAR(gaussian[1], kDraws * inner, kDraws * 0.015);
  EXPECT_NEAR(gaussian[0], kDraws * (0.5 - inner), kDraws * 0.015);
  const double all = 1 - std::exp(-2.0);
  for (int i = 0; i < 4; ++i) {
    const double part = (std::exp(-0.5 * i) - std::exp(-0.5 * (i + 1))) / all;
    EXPECT_NEAR(exponential[static_cast<size_t>(i)], kDraws * part, kDraws * 0.015);
  }
  double harmonic = 0;
  for (int i = 1; i <= 4; ++i) harmonic += std::pow(i, -1.5);
  for (int i = 1; i <= 4; ++i) {
    EXPECT_NEAR(zipfian[static_cast<size_t>(i - 1)], kDraws * std::pow(i, -1.5) / harmonic,
                kDraws * 0.015);
  }
}

TEST(RandomNumbers, WorkAtTheEdgesOfInt64) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(random.Uniform(INT64_MAX, INT64_MAX), INT64_MAX);
    EXPECT_GE(random.Uniform(INT64_MAX - 1, INT64_MAX), INT64_MAX - 1);
    const int64_t value = random.Exponential(INT64_MAX - 3, INT64_MAX, 5.0);
    EXPECT_GE(value, INT64_MAX - 3);
    EXPECT_EQ(random.Gaussian(INT64_MIN, INT64_MIN, 2.0), INT64_MIN);
    EXPECT_EQ(random.Zipfian(5, 5, 1.5), 5);
  }
}

TEST(Permute, IsAPermutation) {
  for (const int64_t size : {1, 2, 3, 7, 64, 100, 1001}) {
    std::vector<bool> hit(static_cast<size_t>(size));
    for (int64_t i = 0; i < size; ++i) {
      const int64_t to = Permute(i, size, 11);
      ASSERT_GE(to, 0);
      ASSERT_LT(to, size);
      EXPECT_FALSE(hit[static_cast<size_t>(to)]);
      hit[static_cast<size_t>(to)] = true;
    }
  }
}

}  // namespace
}  // namespace connbench::load
