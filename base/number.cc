// Reads whole and real numbers.
#include "base/number.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>

namespace connbench {
namespace {

template <typename T>
bool ReadAll(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

template <typename T>
Status Refuse(std::string_view text, const char* kind, T low, T high) {
  return Status::Error(
      sqlstate::kInvalidParameterValue,
      fmt::format("\"{}\" is not a {} number from {} to {}", text, kind, low, high));
}

}  // namespace

Result<int64_t> ParseWholeNumber(std::string_view text, int64_t low, int64_t high) {
  int64_t value = 0;
  if (ReadAll(text, value) && value >= low && value <= high) return value;
  return Refuse(text, "whole", low, high);
}

Result<uint64_t> ParseUnsigned(std::string_view text) {
  uint64_t value = 0;
  if (ReadAll(text, value)) return value;
  return Refuse(text, "whole", uint64_t{0}, UINT64_MAX);
}

Result<double> ParseReal(std::string_view text, double low, double high) {
  double value = 0;
  if (ReadAll(text, value) && std::isfinite(value) && value >= low && value <= high) return value;
  return Refuse(text, "real", low, high);
}

}  // namespace connbench
