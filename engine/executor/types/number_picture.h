// The pictures of to_char() and to_number() for numbers: "FM999,990.00". Separators and signs are
// those of the C locale.
//
// Safety: private memory, one thread. Errors: PostgreSQL's; interrupts of the meter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

enum class NumberKey : uint8_t {
  kLiteral,  // stands for itself
  kComma,
  kPoint,
  kZero,
  kNine,
  kNothing,   // B, C, SP: PostgreSQL reads them, and no more
  kDecimal,   // D
  kExponent,  // EEEE
  kFill,      // FM
  kGroup,     // G
  kCurrency,  // L
  kMinus,     // MI
  kPlus,      // PL
  kBracket,   // PR
  kRoman,     // RN
  kRomanLower,
  kSignHere,  // SG
  kSign,      // S
  kOrdinal,   // TH
  kOrdinalLower,
  kShift,  // V
};

struct NumberNode {
  NumberKey key = NumberKey::kLiteral;
  std::string_view character;  // kLiteral
};

class NumberPicture {
 public:
  static Status Parse(std::string_view picture, WorkMeter& meter, NumberPicture& out);

  bool roman() const { return roman_; }
  bool exponent() const { return exponent_; }
  // Digits before and after the point, and by how many V shifts it.
  int64_t before() const { return before_; }
  int64_t after() const { return after_; }
  int64_t shift() const { return shift_; }
  bool shifts() const { return shifts_; }

  // digits: of the number without its sign, shifted by V and rounded to after digits behind the
  // point; of a number that is written with an exponent or as a Roman one: that.
  // after: how many digits there are room for, which may be fewer than the picture's.
  Status Write(std::string digits, bool negative, int64_t after, WorkMeter& meter,
               std::string& out) const;
  // What ParseNumeric() is to read, and how many digits after the point it has.
  Status Read(std::string_view text, WorkMeter& meter, std::string& number, int64_t& scale) const;

 private:
  enum class SignPlace : uint8_t { kNone, kBefore, kAfter };
  class Writer;
  class Reader;

  Status Add(NumberKey key);
  Status AddExponent();
  Status AddDigit(NumberKey key);
  Status AddSign(NumberKey key);

  std::vector<NumberNode> nodes_;
  int64_t before_ = 0;
  int64_t after_ = 0;
  int64_t shift_ = 0;
  int64_t zero_begin_ = 0;   // the first 0 before the point, from 1; 0: none
  int64_t zero_end_ = 0;     // digits up to the last 0
  int64_t sign_digits_ = 0;  // before S
  SignPlace sign_place_ = SignPlace::kNone;
  bool has_blank_ = false;
  bool has_zero_ = false;
  bool has_point_ = false;
  bool fill_ = false;
  bool has_sign_ = false;
  bool minus_ = false;
  bool plus_ = false;
  bool bracket_ = false;
  bool roman_ = false;
  bool shifts_ = false;
  bool exponent_ = false;
};

// Of 1 to 3999; other numbers are fifteen '#'.
std::string RomanNumber(int64_t number);

}  // namespace connbench::engine
