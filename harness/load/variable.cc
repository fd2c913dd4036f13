#include "harness/load/variable.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <system_error>

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
      // 15 digits, as pgbench writes them.
      fmt::format_to(std::back_inserter(out), "{:.15g}", real);
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

void Variable::SetFromText(std::string_view new_text) {
  defined = true;
  is_text = false;
  text = new_text;
  const char* end = new_text.data() + new_text.size();
  int64_t integer = 0;
  double real = 0;
  std::string lower;
  for (const char c : new_text) {
    lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  if (lower == "null") {
    value = Value::Null();
  } else if (lower == "true" || lower == "yes" || lower == "on") {
    value = Value::Bool(true);
  } else if (lower == "false" || lower == "no" || lower == "off") {
    value = Value::Bool(false);
  } else if (const auto whole = std::from_chars(new_text.data(), end, integer);
             whole.ec == std::errc() && whole.ptr == end) {
    value = Value::Int(integer);
  } else if (const auto part = std::from_chars(new_text.data(), end, real);
             part.ec == std::errc() && part.ptr == end) {
    value = Value::Double(real);
  } else {
    is_text = true;
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
