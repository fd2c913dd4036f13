// Numeric: exact decimals of any practical size.
#include "engine/executor/types/numeric.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/ascii.h"
#include "engine/executor/key_codec.h"
#include "engine/executor/types/decimal.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr int kScaleBits = 0x7FF;

Status SyntaxError(std::string_view text) {
  return Status::Error(sqlstate::kInvalidTextRepresentation,
                       fmt::format("invalid input syntax for type numeric: \"{}\"", Excerpt(text)));
}

// Of a number's text, zeros in front left out. A numeric has 147,455; an exponent may move the
// point of some more.
constexpr size_t kMaxReadDigits = size_t{1} << 20;

// The digits of a number without sign: "12.5e3". False: bad syntax.
bool ParseDigits(std::string_view text, Decimal& out, bool& overflow) {
  const auto end_of_digits = [text](size_t at) {
    while (at < text.size() && IsAsciiDigit(text[at])) ++at;
    return at;
  };
  size_t at = end_of_digits(0);
  std::string_view whole = text.substr(0, at);
  std::string_view fraction;
  if (at < text.size() && text[at] == '.') {
    const size_t end = end_of_digits(at + 1);
    fraction = text.substr(at + 1, end - at - 1);
    at = end;
  }
  if (whole.empty() && fraction.empty()) return false;
  while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
  int64_t exponent = 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool minus = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (at == text.size() || !IsAsciiDigit(text[at])) return false;
    for (; at < text.size() && IsAsciiDigit(text[at]); ++at) {
      exponent = std::min<int64_t>(exponent * 10 + (text[at] - '0'), INT32_MAX);
    }
    if (minus) exponent = -exponent;
  }
  if (at != text.size()) return false;
  // Nothing is made of more digits than any number has.
  overflow = whole.size() + fraction.size() > kMaxReadDigits;
  if (overflow) return true;
  std::string digits = std::string(whole).append(fraction);  // without the point
  int64_t point = static_cast<int64_t>(whole.size()) + exponent;
  // Zeros before the first digit move the point, and may bring a large exponent back.
  if (const size_t zeros = digits.find_first_not_of('0'); zeros != std::string::npos) {
    digits.erase(0, zeros);
    point -= static_cast<int64_t>(zeros);
  }
  const int64_t new_scale = std::max<int64_t>(static_cast<int64_t>(fraction.size()) - exponent, 0);
  if (std::abs(exponent) >= INT32_MAX / 2 || point > (kMaxNumericWeight + 1) * kDecimalDigits ||
      new_scale > kMaxNumericScale) {
    // Zeros overflow by their scale only.
    overflow = new_scale > kMaxNumericScale || digits.find_first_not_of('0') != std::string::npos;
    if (overflow) return true;
  }
  out.scale = static_cast<int>(new_scale);
  // Group by four from the point to both sides.
  const auto weight = static_cast<int>(point > 0 ? (point + kDecimalDigits - 1) / kDecimalDigits - 1
                                                 : -((-point) / kDecimalDigits + 1));
  const int64_t lead =
      int64_t{weight + 1} * kDecimalDigits - point;  // zeros before the first digit
  out.weight = weight;
  int group = 0;
  int64_t filled = lead % kDecimalDigits;
  for (char c : digits) {
    group = group * 10 + (c - '0');
    if (++filled == kDecimalDigits) {
      out.digits.push_back(static_cast<int16_t>(group));
      group = 0;
      filled = 0;
    }
  }
  if (filled > 0) {
    for (; filled < kDecimalDigits; ++filled) group *= 10;
    out.digits.push_back(static_cast<int16_t>(group));
  }
  return true;
}

void PutInt16(int value, char*& to) {
  *to++ = static_cast<char>(value >> 8);
  *to++ = static_cast<char>(value);
}

}  // namespace

int32_t MakeNumericModifier(int32_t precision, int32_t scale) {
  return ((precision << 16) | (scale & kScaleBits)) + kModifierHeader;
}

int32_t NumericPrecision(int32_t modifier) { return (modifier - kModifierHeader) >> 16 & 0xFFFF; }

int32_t NumericScale(int32_t modifier) {  // eleven bits with a sign
  return (((modifier - kModifierHeader) & kScaleBits) ^ 1024) - 1024;
}

Decimal Unpack(const Value& value) {
  Decimal d;
  int16_t header[3];
  std::memcpy(header, value.bytes, kNumericHeaderBytes);
  d.weight = header[0];
  d.sign = static_cast<DecimalSign>(static_cast<uint16_t>(header[1]));
  d.scale = static_cast<uint16_t>(header[2]);
  d.digits.resize((value.length - kNumericHeaderBytes) / sizeof(int16_t));
  if (!d.digits.empty()) {
    std::memcpy(d.digits.data(), value.bytes + kNumericHeaderBytes,
                d.digits.size() * sizeof(int16_t));
  }
  return d;
}

Status Pack(Decimal& decimal, Arena& arena, Value& out) {
  if (decimal.special()) {
    decimal.digits.clear();
    decimal.weight = 0;
    decimal.scale = 0;
  } else {
    decimal.Strip();
  }
  if (decimal.weight > kMaxNumericWeight || decimal.scale > kMaxNumericScale)
    return NumericOverflow();
  const size_t size = kNumericHeaderBytes + decimal.digits.size() * sizeof(int16_t);
  char* bytes = arena.AllocateBytes(size);
  if (bytes == nullptr) return arena.OutOfMemory();
  const int16_t header[3] = {static_cast<int16_t>(decimal.weight),
                             static_cast<int16_t>(decimal.sign),
                             static_cast<int16_t>(decimal.scale)};
  std::memcpy(bytes, header, kNumericHeaderBytes);
  if (!decimal.digits.empty()) {
    std::memcpy(bytes + kNumericHeaderBytes, decimal.digits.data(),
                decimal.digits.size() * sizeof(int16_t));
  }
  out = Value::Text({bytes, size});
  return Status::Ok();
}

Status ParseNumeric(std::string_view text, Arena& arena, Value& out) {
  std::string_view rest = text;
  while (!rest.empty() && IsAsciiSpace(rest.front())) rest.remove_prefix(1);
  while (!rest.empty() && IsAsciiSpace(rest.back())) rest.remove_suffix(1);
  Decimal d;
  if (EqualIgnoringCase(rest, "nan")) {
    d.sign = DecimalSign::kNan;
    return Pack(d, arena, out);
  }
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (EqualIgnoringCase(rest, "infinity") || EqualIgnoringCase(rest, "inf")) {
    d.sign = negative ? DecimalSign::kMinusInfinity : DecimalSign::kInfinity;
    return Pack(d, arena, out);
  }
  bool overflow = false;
  if (!ParseDigits(rest, d, overflow)) return SyntaxError(text);
  if (overflow) return NumericOverflow();
  if (negative) d.sign = DecimalSign::kNegative;
  return Pack(d, arena, out);
}

std::string FormatNumeric(const Value& value) {
  const Decimal d = Unpack(value);
  switch (d.sign) {
    case DecimalSign::kNan:
      return "NaN";
    case DecimalSign::kInfinity:
      return "Infinity";
    case DecimalSign::kMinusInfinity:
      return "-Infinity";
    default:
      break;
  }
  std::string text;
  if (d.negative()) text += '-';
  if (d.weight < 0) {
    text += '0';
  } else {
    text += std::to_string(d.digit_or_zero(0));
    for (int i = 1; i <= d.weight; ++i) {
      fmt::format_to(std::back_inserter(text), "{:04}", d.digit_or_zero(i));
    }
  }
  if (d.scale > 0) {
    text += '.';
    const size_t end = text.size() + static_cast<size_t>(d.scale);
    for (int i = d.weight + 1; text.size() < end; ++i) {
      fmt::format_to(std::back_inserter(text), "{:04}", d.digit_or_zero(i));
    }
    text.resize(end);
  }
  return text;
}

Status ReceiveNumeric(std::string_view bytes, Arena& arena, Value& out) {
  const auto invalid = [](std::string_view what) {
    return Status::Error(sqlstate::kInvalidBinaryRepresentation,
                         fmt::format("invalid {} in external \"numeric\" value", what));
  };
  const auto field = [&](size_t i) {
    return static_cast<uint16_t>(static_cast<uint8_t>(bytes[2 * i]) << 8 |
                                 static_cast<uint8_t>(bytes[2 * i + 1]));
  };
  constexpr size_t kWireHeaderFields = 4;
  if (bytes.size() < 2 * kWireHeaderFields) {
    return Status::Error(sqlstate::kProtocolViolation, "insufficient data left in message");
  }
  const size_t digits = field(0);
  Decimal d;
  d.weight = static_cast<int16_t>(field(1));
  d.sign = static_cast<DecimalSign>(field(2));
  d.scale = field(3);
  switch (d.sign) {
    case DecimalSign::kPositive:
    case DecimalSign::kNegative:
    case DecimalSign::kNan:
    case DecimalSign::kInfinity:
    case DecimalSign::kMinusInfinity:
      break;
    default:
      return invalid("sign");
  }
  if (d.scale > kMaxNumericScale) return invalid("scale");
  if (bytes.size() != 2 * (kWireHeaderFields + digits)) {
    return Status::Error(
        bytes.size() < 2 * (kWireHeaderFields + digits) ? sqlstate::kProtocolViolation
                                                        : sqlstate::kInvalidBinaryRepresentation,
        bytes.size() < 2 * (kWireHeaderFields + digits) ? "insufficient data left in message"
                                                        : "incorrect binary data format");
  }
  for (size_t i = 0; i < digits; ++i) {
    const uint16_t digit = field(kWireHeaderFields + i);
    if (digit >= kDecimalBase) return invalid("digit");
    d.digits.push_back(static_cast<int16_t>(digit));
  }
  if (!d.special()) d.Truncate(d.scale);  // digits that the scale hides are dropped
  return Pack(d, arena, out);
}

Status SendNumeric(const Value& value, Arena& arena, std::string_view& out) {
  const Decimal d = Unpack(value);
  const size_t size = 8 + 2 * d.digits.size();
  char* const bytes = arena.AllocateBytes(size);
  if (bytes == nullptr) return arena.OutOfMemory();
  char* to = bytes;
  PutInt16(static_cast<int>(d.digits.size()), to);
  PutInt16(d.weight, to);
  PutInt16(static_cast<int>(d.sign), to);
  // What PostgreSQL's packed infinities happen to show as their scale.
  constexpr int kInfinityScale = 32;
  const bool infinite = d.sign == DecimalSign::kInfinity || d.sign == DecimalSign::kMinusInfinity;
  PutInt16(infinite ? kInfinityScale : d.scale, to);
  for (int16_t digit : d.digits) PutInt16(digit, to);
  out = {bytes, size};
  return Status::Ok();
}

Status ApplyNumericModifier(int32_t modifier, Arena& arena, Value& value) {
  const int precision = NumericPrecision(modifier);
  const int scale = NumericScale(modifier);
  Decimal d = Unpack(value);
  if (d.sign == DecimalSign::kNan) return Status::Ok();
  const auto overflow = [](std::string detail) -> Status {
    return Status::Error(sqlstate::kNumericValueOutOfRange, "numeric field overflow")
        .WithDetail(std::move(detail));
  };
  if (d.special()) {
    return overflow(fmt::format(
        "A field with precision {}, scale {} cannot hold an infinite value.", precision, scale));
  }
  d.Round(scale);
  const int max_digits = precision - scale;  // before the point
  int digits = (d.weight + 1) * kDecimalDigits;
  if (d.zero()) {
    digits = INT32_MIN;
  } else {
    for (int power = kDecimalBase / 10; power > 1 && d.digits[0] < power; power /= 10) --digits;
  }
  if (digits > max_digits) {
    return overflow(fmt::format(
        "A field with precision {}, scale {} must round to an absolute value less than {}{}.",
        precision, scale, max_digits != 0 ? "10^" : "",
        max_digits != 0 ? std::to_string(max_digits) : "1"));
  }
  d.scale = std::max(scale, 0);
  return Pack(d, arena, value);
}

uint64_t HashNumeric(const Value& value) {
  const Decimal d = Unpack(value);  // equal numbers differ in scale only
  uint64_t hash = static_cast<uint64_t>(d.sign) << 16 ^ static_cast<uint16_t>(d.weight);
  for (int16_t digit : d.digits) {
    hash = (hash ^ static_cast<uint64_t>(digit)) * 0x100000001B3u;  // FNV-1a, by digit
  }
  return hash;
}

void AppendNumericKey(const Value& value, KeyBuffer& key) {
  enum Rank : uint8_t { kLowest = 0, kBelowZero, kAtZero, kAboveZero, kHighest, kNanRank };
  const Decimal d = Unpack(value);
  switch (d.sign) {
    case DecimalSign::kMinusInfinity:
      return key.Append(kLowest);
    case DecimalSign::kInfinity:
      return key.Append(kHighest);
    case DecimalSign::kNan:
      return key.Append(kNanRank);
    default:
      break;
  }
  if (d.zero()) return key.Append(kAtZero);
  key.Append(d.negative() ? kBelowZero : kAboveZero);
  const int flip = d.negative() ? 0xFFFF : 0;  // greater magnitudes come first
  const auto append = [&](int field) {
    char* to = key.Grow(sizeof(int16_t));
    PutInt16(field ^ flip, to);
  };
  append(d.weight + INT16_MAX + 1);
  for (int16_t digit : d.digits) append(digit + 1);
  append(0);  // below every digit: a prefix is the smaller magnitude
}

bool IsNumericNan(const Value& value) { return Unpack(value).sign == DecimalSign::kNan; }

Status NumericFromInteger(__int128 integer, Arena& arena, Value& out) {
  Decimal d;
  if (integer < 0) d.sign = DecimalSign::kNegative;
  auto magnitude = static_cast<unsigned __int128>(integer);
  if (integer < 0) magnitude = -magnitude;
  while (magnitude > 0) {
    d.digits.push_back(static_cast<int16_t>(magnitude % kDecimalBase));
    magnitude /= kDecimalBase;
  }
  std::reverse(d.digits.begin(), d.digits.end());
  d.weight = static_cast<int>(d.digits.size()) - 1;
  return Pack(d, arena, out);
}

Status NumericFromScaled(__int128 value, int scale, Arena& arena, Value& out) {
  CONNBENCH_RETURN_IF_ERROR(NumericFromInteger(value, arena, out));
  if (scale == 0) return Status::Ok();
  Decimal power;
  power.weight = -((scale + kDecimalDigits - 1) / kDecimalDigits);
  int16_t digit = 1;
  for (int i = scale; i % kDecimalDigits != 0; ++i) digit = static_cast<int16_t>(digit * 10);
  power.digits.push_back(digit);
  power.scale = scale;
  WorkMeter meter = arena.Meter();
  Decimal product;
  CONNBENCH_RETURN_IF_ERROR(Multiply(Unpack(out), power, meter, product));
  return Pack(product, arena, out);
}

Status NumericFromReal(double real, int digits, Arena& arena, Value& out) {
  if (std::isnan(real) || std::isinf(real)) {
    Decimal d = Decimal::Special(std::isnan(real) ? DecimalSign::kNan
                                 : real > 0       ? DecimalSign::kInfinity
                                                  : DecimalSign::kMinusInfinity);
    return Pack(d, arena, out);
  }
  return ParseNumeric(fmt::format("{:.{}g}", real, digits), arena, out);
}

Status NumericToInteger(const Value& value, int64_t low, int64_t high, std::string_view type_name,
                        int64_t& out) {
  Decimal d = Unpack(value);
  if (d.special()) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("cannot convert {} to {}",
                                     d.sign == DecimalSign::kNan ? "NaN" : "infinity", type_name));
  }
  d.Round(0);
  __int128 sum = 0;
  // Six digits hold everything that fits 64 bits.
  bool fits = d.weight < 6;
  for (int i = 0; fits && !d.zero() && i <= d.weight; ++i) {
    sum = sum * kDecimalBase + d.digit_or_zero(i);
  }
  if (d.negative()) sum = -sum;
  fits = fits && sum >= low && sum <= high;
  if (!fits) {
    return Status::Error(sqlstate::kNumericValueOutOfRange,
                         fmt::format("{} out of range", type_name));
  }
  out = static_cast<int64_t>(sum);
  return Status::Ok();
}

double NumericToReal(const Value& value) {
  const Decimal d = Unpack(value);
  switch (d.sign) {
    case DecimalSign::kNan:
      return std::nan("");
    case DecimalSign::kInfinity:
      return HUGE_VAL;
    case DecimalSign::kMinusInfinity:
      return -HUGE_VAL;
    default:
      return std::strtod(FormatNumeric(value).c_str(), nullptr);
  }
}

}  // namespace connbench::engine
