// One SQL value as the executor handles it: 16 bytes, its type known from the plan.
//
// Safety: private memory; trivially copyable. Variable-length values point into an arena or a row
// buffer that must outlive the value: see engine/executor/arena.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace connbench::engine {

struct Value {
  union {
    int64_t integer;  // bool, int2, int4, int8, timestamp, timestamptz (microseconds since 2000)
    double real;      // float8, float4 (rounded to float)
    const char*
        bytes;  // text, varchar, char(n) (blank-padded to n characters), numeric (decimal text)
  };
  uint32_t length = 0;  // of bytes
  bool null = true;

  Value() : integer(0) {}
  static Value Null() { return {}; }
  static Value Integer(int64_t v) {
    Value value;
    value.integer = v;
    value.null = false;
    return value;
  }
  static Value Bool(bool v) { return Integer(v ? 1 : 0); }
  static Value Real(double v) {
    Value value;
    value.real = v;
    value.null = false;
    return value;
  }
  static Value Text(std::string_view text) {
    Value value;
    value.bytes = text.data();
    value.length = static_cast<uint32_t>(text.size());
    value.null = false;
    return value;
  }
  std::string_view text() const { return {bytes, length}; }
};
static_assert(sizeof(Value) == 16);

}  // namespace connbench::engine
