// What scripts calculate with: values, variables and their names.
#include "harness/script/variable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <system_error>

#include "base/ascii.h"

namespace connbench::load {

Value Value::Bool(bool value) {
  Value made;
  made.type = Value::Type::kBool;
  made.boolean = value;
  return made;
}

Value Value::Int(int64_t value) {
  Value made;
  made.type = Value::Type::kInt;
  made.integer = value;
  return made;
}

Value Value::Double(double value) {
  Value made;
  made.type = Value::Type::kDouble;
  made.real = value;
  return made;
}

void Value::AppendText(std::string& out) const {
  switch (type) {
    case Value::Type::kNull:
      out += "NULL";
      return;
    case Value::Type::kBool:
      out += boolean ? "true" : "false";
      return;
    case Value::Type::kInt: {
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof(digits), integer).ptr;
      out.append(digits, end);
      return;
    }
    case Value::Type::kDouble:
      // As pgbench writes them: 15 digits, or the words that PostgreSQL reads.
      if (std::isnan(real)) {
        out += "NaN";
      } else if (std::isinf(real)) {
        out += real > 0 ? "Infinity" : "-Infinity";
      } else {
        fmt::format_to(std::back_inserter(out), "{:.15g}", real);
      }
      return;
  }
}

std::string Value::ToText() const {
  std::string text;
  AppendText(text);
  return text;
}

void Variable::Set(Value new_value) {
  defined = true;
  is_text = false;
  text.clear();
  value = new_value;
}

namespace {

// As pgbench: with blanks before it and a sign; digits alone are an integer, or nothing if it does
// not fit; all else that strtod knows is a double, or nothing if it is out of range.
bool ReadNumber(const std::string& text, Value& value) {
  std::string_view digits = text;
  digits.remove_prefix(std::min(digits.find_first_not_of(" \t\n\v\f\r"), digits.size()));
  const bool plus = digits.starts_with('+');
  if (plus) digits.remove_prefix(1);
  const std::string_view unsigned_digits = digits.substr(digits.starts_with('-') && !plus ? 1 : 0);
  if (unsigned_digits.empty()) return false;
  if (unsigned_digits.find_first_not_of("0123456789") == std::string_view::npos) {
    int64_t integer = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, integer);
    if (read.ec != std::errc()) return false;
    value = Value::Int(integer);
    return true;
  }
  char* end = nullptr;
  errno = 0;
  const double real = std::strtod(text.c_str(), &end);
  if (errno != 0 || end != text.c_str() + text.size()) return false;
  value = Value::Double(real);
  return true;
}

}  // namespace

void Variable::SetFromText(std::string_view new_text) {
  defined = true;
  is_text = false;
  text = new_text;
  const std::string lower = AsciiLower(new_text);
  const auto is_prefix_of = [&](std::string_view word) {
    return !lower.empty() && word.starts_with(lower);
  };
  if (lower == "null") {
    value = Value::Null();
  } else if (is_prefix_of("true") || is_prefix_of("yes") || lower == "on") {
    value = Value::Bool(true);
  } else if (is_prefix_of("false") || is_prefix_of("no") || lower == "off" || lower == "of") {
    value = Value::Bool(false);
  } else {
    is_text = !ReadNumber(text, value);
  }
}

void Variable::AppendText(std::string& out) const {
  if (is_text || !text.empty()) {
    out += text;
  } else {
    value.AppendText(out);
  }
}

uint32_t SymbolTable::Slot(std::string_view name) {
  const auto known = slots_.find(name);
  if (known != slots_.end()) return known->second;
  const auto slot = static_cast<uint32_t>(names_.size());
  names_.emplace_back(name);
  slots_.emplace(name, slot);
  return slot;
}

const uint32_t* SymbolTable::Find(std::string_view name) const {
  const auto known = slots_.find(name);
  return known == slots_.end() ? nullptr : &known->second;
}

bool IsTrue(const Value& value) {
  switch (value.type) {
    case Value::Type::kNull:
      return false;
    case Value::Type::kBool:
      return value.boolean;
    case Value::Type::kInt:
      return value.integer != 0;
    case Value::Type::kDouble:
      return value.real != 0;
  }
  return false;
}

}  // namespace connbench::load
