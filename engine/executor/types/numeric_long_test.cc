// Long numerics: products, quotients and roots against each other, and how soon they are
// interrupted.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/testing/generated.h"
#include "engine/executor/types/long_digits.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

// Interrupts at the n-th look, and counts the looks.
class InterruptAt : public Interrupts {
 public:
  explicit InterruptAt(int at) : at_(at) {}
  Status PollInterrupts() override {
    return ++looks == at_ ? Status::Error(sqlstate::kQueryCanceled, "interrupted") : Status::Ok();
  }
  int looks = 0;

 private:
  int at_;
};

Value Parse(const std::string& text, Arena& arena) {
  Value value;
  EXPECT_TRUE(ParseNumeric(text, arena, value).ok());
  return value;
}

std::string Digits(size_t count, std::mt19937_64& random) {
  std::string digits(1, static_cast<char>('1' + random() % 9));
  // Long runs of nines and zeros are where carries and guesses go wrong.
  while (digits.size() < count) {
    const size_t kind = random() % 4;
    const size_t run = kind == 0 ? 1 : random() % 40;
    for (size_t i = 0; i < run && digits.size() < count; ++i) {
      digits += kind == 1 ? '9' : kind == 2 ? '0' : static_cast<char>('0' + random() % 10);
    }
  }
  return digits;
}

TEST(LongNumericGenerated, QuotientTimesDivisorPlusRestIsTheDividend) {
  std::mt19937_64 random(testing::GeneratedSeed());
  for (int i = 0; i < testing::GeneratedCases(300); ++i) {
    Arena arena;
    const std::string a_digits = Digits(1 + random() % 3000, random);
    const std::string b_digits = Digits(1 + random() % 2000, random);
    const Value a = Parse(a_digits, arena);
    const Value b = Parse(b_digits, arena);
    Value quotient;
    Value product;
    Value rest;
    Value sum;
    ASSERT_TRUE(DivideToIntegerNumeric(a, b, arena, quotient).ok());
    ASSERT_TRUE(ModuloNumeric(a, b, arena, rest).ok());
    ASSERT_TRUE(MultiplyNumeric(quotient, b, arena, product).ok());
    ASSERT_TRUE(AddNumeric(product, rest, arena, sum).ok());
    ASSERT_EQ(FormatNumeric(sum), a_digits)
        << "seed " << testing::GeneratedSeed() << ": " << a_digits << " / " << b_digits;
    ASSERT_LT(CompareNumeric(rest, b), 0) << a_digits << " / " << b_digits;
    Value zero;
    ASSERT_TRUE(NumericFromInteger(0, arena, zero).ok());
    ASSERT_GE(CompareNumeric(rest, zero), 0) << a_digits << " / " << b_digits;
  }
}

TEST(LongNumericGenerated, SquareRootsOfSquaresAreExactAndOthersRoundDown) {
  std::mt19937_64 random(testing::GeneratedSeed());
  for (int i = 0; i < testing::GeneratedCases(60); ++i) {
    Arena arena;
    const std::string digits = Digits(1 + random() % 1500, random);
    const Value root = Parse(digits, arena);
    Value square;
    Value back;
    ASSERT_TRUE(MultiplyNumeric(root, root, arena, square).ok());
    ASSERT_TRUE(SquareRootNumeric(square, arena, back).ok());
    ASSERT_EQ(CompareNumeric(back, root), 0) << digits;
    // One less than a square: the root's whole part is one less.
    Value one;
    Value below;
    Value whole;
    ASSERT_TRUE(NumericFromInteger(1, arena, one).ok());
    ASSERT_TRUE(SubtractNumeric(square, one, arena, below).ok());
    ASSERT_TRUE(SquareRootNumeric(below, arena, back).ok());
    Value back_square;
    ASSERT_TRUE(MultiplyNumeric(back, back, arena, back_square).ok());
    ASSERT_LE(CompareNumeric(back, root), 0) << digits;
  }
}

TEST(LongNumericGenerated, KaratsubaGivesWhatOneDigitAtATimeGives) {
  std::mt19937_64 random(testing::GeneratedSeed());
  for (int i = 0; i < testing::GeneratedCases(200); ++i) {
    const size_t n = 1 + random() % 400;
    LongNumber a(n);
    LongNumber b(1 + random() % 400);
    for (LongNumber* number : {&a, &b}) {
      for (uint32_t& limb : *number) {
        const uint64_t kind = random() % 5;
        limb = kind == 0   ? 0
               : kind == 1 ? kLimbBase - 1
                           : static_cast<uint32_t>(random() % kLimbBase);
      }
    }
    LongNumber expected(a.size() + b.size());
    for (size_t x = 0; x < a.size(); ++x) {
      uint64_t carry = 0;
      for (size_t y = 0; y < b.size(); ++y) {
        const uint64_t sum = expected[x + y] + uint64_t{a[x]} * b[y] + carry;
        expected[x + y] = static_cast<uint32_t>(sum % kLimbBase);
        carry = sum / kLimbBase;
      }
      expected[x + b.size()] = static_cast<uint32_t>(carry);
    }
    WorkMeter meter(nullptr);
    LongNumber product;
    ASSERT_TRUE(MultiplyLong(a, b, meter, product).ok());
    ASSERT_EQ(product, expected) << "seed " << testing::GeneratedSeed() << ", case " << i;
  }
}

// Each family looks for interrupts, stops at the first one, and takes at most some thousand looks
// of 0.1 ms, where PostgreSQL takes 0.1 to 0.7 s.
TEST(LongNumeric, IsInterrupted) {
  using Operation = Status (*)(const Value&, const Value&, Arena&, Value&);
  const std::string a_digits = std::string(130'000, '7');
  const std::string b_digits = std::string(65'000, '3');
  const std::string narrow = "1." + std::string(900, '7');
  struct Case {
    const char* name;
    Operation operation;
    std::string a;
    std::string b;
  };
  const Case cases[] = {
      {"multiply", MultiplyNumeric, b_digits, b_digits},
      {"divide", DivideNumeric, a_digits, b_digits},
      {"modulo", ModuloNumeric, a_digits, b_digits},
      {"sqrt",
       [](const Value& a, const Value&, Arena& arena, Value& out) {
         return SquareRootNumeric(a, arena, out);
       },
       a_digits, "1"},
      {"power", PowerNumeric, "1." + std::string(990, '9'), "300000"},
      {"exp",
       [](const Value& a, const Value&, Arena& arena, Value& out) {
         return ExponentialNumeric(a, arena, out);
       },
       "5000." + narrow.substr(2), "1"},
      {"ln",
       [](const Value& a, const Value&, Arena& arena, Value& out) {
         return NaturalLogarithmNumeric(a, arena, out);
       },
       narrow, "1"},
      {"log", LogarithmNumeric, narrow, narrow + "1"},
      {"factorial",
       [](const Value&, const Value&, Arena& arena, Value& out) {
         return FactorialNumeric(20'000, arena, out);
       },
       "1", "1"},
  };
  for (const Case& c : cases) {
    Arena plain;
    const Value a = Parse(c.a, plain);
    const Value b = Parse(c.b, plain);
    InterruptAt never(-1);
    Arena counted;
    counted.set_interrupts(&never);
    Value out;
    ASSERT_TRUE(c.operation(a, b, counted, out).ok()) << c.name;
    EXPECT_GE(never.looks, 2) << c.name;
    EXPECT_LE(never.looks, 20'000) << c.name;
    InterruptAt second(2);
    Arena interrupted;
    interrupted.set_interrupts(&second);
    const Status status = c.operation(a, b, interrupted, out);
    EXPECT_EQ(status.code(), sqlstate::kQueryCanceled) << c.name;
    EXPECT_EQ(second.looks, 2) << c.name;
  }
}

}  // namespace
}  // namespace connbench::engine
