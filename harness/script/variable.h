// What scripts calculate with: values, variables and their names.
//
// Safety: plain values, used by one thread at a time; a SymbolTable that nobody changes any more
// may be read by all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace connbench::load {

struct Value {
  enum class Type : uint8_t { kNull, kBool, kInt, kDouble };
  Type type = Type::kNull;
  union {
    bool boolean;
    int64_t integer = 0;
    double real;
  };

  static Value Null() { return {}; }
  static Value Bool(bool value);
  static Value Int(int64_t value);
  static Value Double(double value);
  // As it stands in SQL: "5", "1.5", "true", "NULL".
  void AppendText(std::string& out) const;
  std::string ToText() const;
};

// A script's variable. What -D and \gset set may be text that is no number: it can be put into SQL,
// but not calculated with.
struct Variable {
  bool defined = false;
  bool is_text = false;
  Value value;
  std::string text;  // as it was given, also if it is a number; empty after Set()

  void Set(Value new_value);
  // As pgbench reads it: null, true, false, an integer, a double, or text.
  void SetFromText(std::string_view new_text);
  void AppendText(std::string& out) const;
};

// Names to slots; one table for all scripts of a run.
class SymbolTable {
 public:
  uint32_t Slot(std::string_view name);  // adds it if it is new
  const uint32_t* Find(std::string_view name) const;
  uint32_t size() const { return static_cast<uint32_t>(names_.size()); }
  const std::string& name(uint32_t slot) const { return names_[slot]; }

 private:
  std::map<std::string, uint32_t, std::less<>> slots_;
  std::vector<std::string> names_;
};

// As \if sees a value: true, or a number other than zero.
bool IsTrue(const Value& value);

}  // namespace connbench::load
