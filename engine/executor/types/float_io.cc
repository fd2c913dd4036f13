// real and double precision as text: the shortest digits that read back equal.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/ascii.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

// Numbers from here on are printed with an exponent, and those below 10^-4.
constexpr int kMaxFixedExponentDouble = 15;
constexpr int kMaxFixedExponentSingle = 6;
constexpr int kMinFixedExponent = -4;

// Do these digits ("1.5e+20") lie exactly half way between value and its neighbour? Then they read
// back as value only because its last bit is even, and PostgreSQL prints one digit more. Only whole
// numbers above the mantissa's range can be such; beyond 38 digits none is looked for, so that
// twice the number fits in 128 bits without a sign.
template <typename T>
bool IsMidpoint(std::string_view digits, T value) {
  constexpr T kExactIntegers = T{1} / std::numeric_limits<T>::epsilon();
  constexpr T kLargest = static_cast<T>(1e38);
  if (!(std::abs(value) > kExactIntegers && std::abs(value) < kLargest)) return false;
  using Whole = unsigned __int128;
  Whole decimal = 0;
  int after_point = -1;
  size_t at = digits[0] == '-' ? 1 : 0;
  for (; digits[at] != 'e'; ++at) {
    if (digits[at] == '.') {
      after_point = 0;
      continue;
    }
    decimal = decimal * 10 + static_cast<unsigned>(digits[at] - '0');
    if (after_point >= 0) ++after_point;
  }
  int exponent = 0;
  std::from_chars(digits.data() + at + 2, digits.data() + digits.size(), exponent);
  exponent -= std::max(after_point, 0);
  if (exponent < 0) return false;
  while (exponent-- > 0) decimal *= 10;
  const T magnitude = std::abs(value);
  const auto exact = static_cast<Whole>(magnitude);
  if (decimal == exact) return false;
  const T towards = decimal > exact ? std::numeric_limits<T>::infinity() : T{0};
  return decimal * 2 == exact + static_cast<Whole>(std::nextafter(magnitude, towards));
}

// The shortest digits that lie nearer to value than to its neighbours, in scientific form.
template <typename T>
std::string_view Shortest(T value, char* out) {
  char* const limit = out + kRealTextBytes;
  const auto end = std::to_chars(out, limit, value, std::chars_format::scientific).ptr;
  std::string_view text(out, static_cast<size_t>(end - out));
  if (!IsMidpoint(text, value)) return text;
  const size_t point = text.find('.');
  int precision =
      point == std::string_view::npos ? 0 : static_cast<int>(text.find('e') - point - 1);
  T read_back = 0;
  do {
    const auto longer =
        std::to_chars(out, limit, value, std::chars_format::scientific, ++precision).ptr;
    text = {out, static_cast<size_t>(longer - out)};
    std::from_chars(out, longer, read_back);
  } while (read_back != value || IsMidpoint(text, value));
  return text;
}

}  // namespace

Status ParseReal(std::string_view text, bool single_precision, double& out) {
  const std::string_view type_name = single_precision ? "real" : "double precision";
  std::string_view rest = TrimSpaces(text);
  const std::string_view number = rest;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (EqualIgnoringCase(rest, "nan") && rest.size() == number.size()) {
    out = std::numeric_limits<double>::quiet_NaN();
    return Status::Ok();
  }
  if (EqualIgnoringCase(rest, "infinity") || EqualIgnoringCase(rest, "inf")) {
    out = negative ? -std::numeric_limits<double>::infinity()
                   : std::numeric_limits<double>::infinity();
    return Status::Ok();
  }
  // from_chars takes words and a second sign; only digits may follow here.
  if (rest.empty() || (rest[0] != '.' && (rest[0] < '0' || rest[0] > '9'))) {
    return InvalidInput(type_name, text);
  }
  std::from_chars_result end;
  double value = 0;
  if (single_precision) {
    float narrow = 0;
    end = std::from_chars(rest.data(), rest.data() + rest.size(), narrow);
    value = narrow;
  } else {
    end = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  }
  if (end.ptr != rest.data() + rest.size() || end.ec == std::errc::invalid_argument) {
    return InvalidInput(type_name, text);
  }
  if (end.ec == std::errc::result_out_of_range) {
    return Status::Error(
        sqlstate::kNumericValueOutOfRange,
        fmt::format("\"{}\" is out of range for type {}", Excerpt(number), type_name));
  }
  out = negative ? -value : value;
  return Status::Ok();
}

size_t FormatReal(double value, bool single_precision, char* out) {
  const auto word = [&](std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    return text.size();
  };
  if (std::isnan(value)) return word("NaN");
  if (std::isinf(value)) return word(value > 0 ? "Infinity" : "-Infinity");
  // "-1.2345e+10": the shortest digits, from which either form is put together.
  char digits[kRealTextBytes];
  const std::string_view text =
      single_precision ? Shortest(static_cast<float>(value), digits) : Shortest(value, digits);
  const size_t e = text.find('e');
  int exponent = 0;
  const size_t exponent_at = e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(text.data() + exponent_at, text.data() + text.size(), exponent);
  const int max_fixed = single_precision ? kMaxFixedExponentSingle : kMaxFixedExponentDouble;
  if (exponent < kMinFixedExponent || exponent >= max_fixed) return word(text);
  char* to = out;
  std::string_view mantissa = text.substr(0, e);
  if (mantissa[0] == '-') {
    *to++ = '-';
    mantissa.remove_prefix(1);
  }
  char significant[kRealTextBytes];
  int count = 0;
  for (char c : mantissa) {
    if (c != '.') significant[count++] = c;
  }
  if (exponent < 0) {
    *to++ = '0';
    *to++ = '.';
    for (int i = -1; i > exponent; --i) *to++ = '0';
    std::memcpy(to, significant, static_cast<size_t>(count));
    return static_cast<size_t>(to + count - out);
  }
  for (int i = 0; i <= exponent; ++i) *to++ = i < count ? significant[i] : '0';
  if (count > exponent + 1) {
    *to++ = '.';
    for (int i = exponent + 1; i < count; ++i) *to++ = significant[i];
  }
  return static_cast<size_t>(to - out);
}

}  // namespace connbench::engine
