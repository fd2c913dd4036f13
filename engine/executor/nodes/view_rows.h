// The rows of a system view while a scan of it runs: values one after the other, and the memory of
// their texts.
//
// Who may call: what reads a view fills it; ViewNode hands its rows out.
// Safety: private memory of one session, one thread at a time.
// Errors: 53200, kept until status() is asked.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/types/array.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/value.h"

namespace connbench::engine {

class ViewRows {
 public:
  void Add(const Value& value) { values_.push_back(value); }
  // A text that lives as long as the rows.
  Value Text(std::string_view text) {
    const std::string_view copy = texts_.Copy(text);
    if (copy.data() == nullptr && status_.ok()) status_ = texts_.OutOfMemory();
    return Value::Text(copy);
  }
  // An array that lives as long as the rows.
  Value Array(Oid element, std::span<const Value> elements, int32_t first = 1) {
    Value array = Value::Text("");
    ArrayWriter writer(element, texts_, first);
    for (const Value& value : elements) writer.Add(value);
    if (Status written = writer.Finish(array); !written.ok()) status_ = std::move(written);
    return array;
  }
  Value Array(Oid element, std::span<const std::string> elements) {
    std::vector<Value> values;
    for (const std::string& text : elements) values.push_back(Value::Text(text));
    return Array(element, std::span<const Value>(values));
  }
  // A numeric that lives as long as the rows.
  Value Numeric(int64_t integer) {
    Value numeric;
    if (Status made = NumericFromInteger(integer, texts_, numeric); !made.ok()) {
      status_ = std::move(made);
    }
    return numeric;
  }
  // ok, or why the rows are not complete.
  Status TakeStatus() { return std::move(status_); }

  size_t size() const { return values_.size(); }
  const Value* at(size_t index) const { return values_.data() + index; }
  // Forgets everything and frees all of it.
  void Release() {
    std::vector<Value>().swap(values_);
    texts_.Release();
    status_ = {};
  }

 private:
  std::vector<Value> values_;
  Arena texts_;
  Status status_;
};

}  // namespace connbench::engine
