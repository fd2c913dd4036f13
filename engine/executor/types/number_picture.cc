// Reads pictures of numbers.
#include "engine/executor/types/number_picture.h"

#include <fmt/format.h>

#include <array>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

struct NumberKeyName {
  std::string_view name;  // in either case, but not in both
  NumberKey upper;
  NumberKey lower;
};

constexpr NumberKeyName SameInBoth(std::string_view name, NumberKey key) {
  return {name, key, key};
}
// Longer ones first.
constexpr auto kNumberKeys = std::to_array<NumberKeyName>({
    SameInBoth(",", NumberKey::kComma),
    SameInBoth(".", NumberKey::kPoint),
    SameInBoth("0", NumberKey::kZero),
    SameInBoth("9", NumberKey::kNine),
    SameInBoth("B", NumberKey::kNothing),
    SameInBoth("C", NumberKey::kNothing),
    SameInBoth("D", NumberKey::kDecimal),
    SameInBoth("EEEE", NumberKey::kExponent),
    SameInBoth("FM", NumberKey::kFill),
    SameInBoth("G", NumberKey::kGroup),
    SameInBoth("L", NumberKey::kCurrency),
    SameInBoth("MI", NumberKey::kMinus),
    SameInBoth("PL", NumberKey::kPlus),
    SameInBoth("PR", NumberKey::kBracket),
    {"RN", NumberKey::kRoman, NumberKey::kRomanLower},
    SameInBoth("SG", NumberKey::kSignHere),
    SameInBoth("SP", NumberKey::kNothing),
    SameInBoth("S", NumberKey::kSign),
    {"TH", NumberKey::kOrdinal, NumberKey::kOrdinalLower},
    SameInBoth("V", NumberKey::kShift),
});

bool TakeNumberKey(std::string_view& rest, NumberKey& key) {
  for (const NumberKeyName& each : kNumberKeys) {
    const bool upper = rest.starts_with(each.name);
    if (!upper && !rest.starts_with(AsciiLower(each.name))) continue;
    key = upper ? each.upper : each.lower;
    rest.remove_prefix(each.name.size());
    return true;
  }
  return false;
}

Status BadPicture(std::string message) {
  return Status::Error(sqlstate::kSyntaxError, std::move(message));
}

}  // namespace

Status NumberPicture::Parse(std::string_view picture, WorkMeter& meter, NumberPicture& out) {
  constexpr int64_t kStepsPerNode = 200;
  std::string_view rest = picture;
  const auto literal = [&out, &rest] {
    NumberNode node;
    node.character = rest.substr(0, static_cast<size_t>(Utf8Length(rest[0])));
    out.nodes_.push_back(node);
    rest.remove_prefix(node.character.size());
  };
  while (!rest.empty()) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerNode));
    NumberNode node;
    const std::string_view whole = rest;
    if (TakeNumberKey(rest, node.key)) {
      if (AsciiLower(whole[0]) == 'b' && out.before_ == 0 && out.after_ == 0 && !out.has_zero_) {
        out.has_blank_ = true;
      }
      CONNBENCH_RETURN_IF_ERROR(out.Add(node.key));
      out.nodes_.push_back(node);
      continue;
    }
    if (rest[0] != '"') {
      if (rest.starts_with("\\\"")) rest.remove_prefix(1);
      literal();
      continue;
    }
    rest.remove_prefix(1);
    while (!rest.empty() && rest[0] != '"') {
      if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);
      literal();
    }
    if (!rest.empty()) rest.remove_prefix(1);
  }
  return {};
}

Status NumberPicture::Add(NumberKey key) {
  if (exponent_ && key != NumberKey::kExponent) {
    return BadPicture("\"EEEE\" must be the last pattern used");
  }
  switch (key) {
    case NumberKey::kNine:
    case NumberKey::kZero:
      return AddDigit(key);
    case NumberKey::kDecimal:
    case NumberKey::kPoint:
      if (has_point_) return BadPicture("multiple decimal points");
      if (shifts_) return BadPicture("cannot use \"V\" and decimal point together");
      has_point_ = true;
      return {};
    case NumberKey::kFill:
      fill_ = true;
      return {};
    case NumberKey::kSign:
    case NumberKey::kMinus:
    case NumberKey::kPlus:
    case NumberKey::kSignHere:
    case NumberKey::kBracket:
      return AddSign(key);
    case NumberKey::kRoman:
    case NumberKey::kRomanLower:
      roman_ = true;
      return {};
    case NumberKey::kShift:
      if (has_point_) return BadPicture("cannot use \"V\" and decimal point together");
      shifts_ = true;
      return {};
    case NumberKey::kExponent:
      return AddExponent();
    default:
      return {};
  }
}

Status NumberPicture::AddDigit(NumberKey key) {
  const bool zero = key == NumberKey::kZero;
  if (bracket_) return BadPicture(fmt::format("\"{}\" must be ahead of \"PR\"", zero ? '0' : '9'));
  if (!zero && shifts_) {
    ++shift_;
    return {};
  }
  if (zero && !has_zero_ && !has_point_) {
    has_zero_ = true;
    zero_begin_ = before_ + 1;
  }
  ++(has_point_ ? after_ : before_);
  if (zero) zero_end_ = before_ + after_;
  return {};
}

Status NumberPicture::AddSign(NumberKey key) {
  const auto together = [](std::string_view name) {
    return BadPicture(fmt::format("cannot use \"S\" and \"{}\" together", name));
  };
  switch (key) {
    case NumberKey::kSign:
      if (has_sign_) return BadPicture("cannot use \"S\" twice");
      if (plus_ || minus_ || bracket_) {
        return BadPicture("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
      }
      has_sign_ = true;
      sign_place_ = has_point_ ? SignPlace::kAfter : SignPlace::kBefore;
      if (!has_point_) sign_digits_ = before_;
      return {};
    case NumberKey::kMinus:
      if (has_sign_) return together("MI");
      minus_ = true;
      return {};
    case NumberKey::kPlus:
      if (has_sign_) return together("PL");
      plus_ = true;
      return {};
    case NumberKey::kSignHere:
      if (has_sign_) return together("SG");
      minus_ = plus_ = true;
      return {};
    default:
      if (has_sign_ || plus_ || minus_) {
        return BadPicture("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      }
      bracket_ = true;
      return {};
  }
}

Status NumberPicture::AddExponent() {
  if (exponent_) return BadPicture("cannot use \"EEEE\" twice");
  if (has_blank_ || fill_ || has_sign_ || bracket_ || minus_ || plus_ || roman_ || shifts_) {
    return BadPicture("\"EEEE\" is incompatible with other formats")
        .WithDetail("\"EEEE\" may only be used together with digit and decimal point patterns.");
  }
  exponent_ = true;
  return {};
}

std::string RomanNumber(int64_t number) {
  constexpr int64_t kLargest = 3999;
  if (number < 1 || number > kLargest) return std::string(15, '#');
  struct Numeral {
    int64_t value;
    std::string_view text;
  };
  constexpr Numeral kNumerals[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                                   {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                                   {5, "V"},    {4, "IV"},   {1, "I"}};
  std::string text;
  for (const Numeral& numeral : kNumerals) {
    for (; number >= numeral.value; number -= numeral.value) text += numeral.text;
  }
  return text;
}

}  // namespace connbench::engine
