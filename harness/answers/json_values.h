// The parts that JSON answers are made of. Private to this folder's writers of JSON.
//
// Safety: pure functions; any thread.
#pragma once

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/printable.h"

namespace connbench::answers {

// Keys stay in the order in which they were set.
inline Poco::JSON::Object::Ptr MakeObject() {
  return new Poco::JSON::Object(Poco::JSON_PRESERVE_KEY_ORDER);
}

// JSON has no infinity and no NaN: null.
inline Poco::Dynamic::Var Number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Poco::Dynamic::Var(*value) : Poco::Dynamic::Var();
}

inline Poco::JSON::Array::Ptr Texts(const std::vector<std::string>& texts) {
  Poco::JSON::Array::Ptr array = new Poco::JSON::Array;
  for (const std::string& text : texts) array->add(Printable(text));
  return array;
}

}  // namespace connbench::answers
