// Arrays of one dimension as text.
#include "engine/executor/types/array_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

bool NeedsQuotes(std::string_view element) {
  return element.empty() || EqualIgnoringCase(element, "null") ||
         std::any_of(element.begin(), element.end(), [](char c) {
           return c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || IsAsciiSpace(c);
         });
}

Status MalformedArray(std::string_view text) {
  return Status::Error(sqlstate::kInvalidTextRepresentation,
                       fmt::format("malformed array literal: \"{}\"", Excerpt(text)));
}

class ArrayParser {
 public:
  explicit ArrayParser(std::string_view text) : whole_(text), text_(TrimSpaces(text)) {}

  Result<ArrayElements> Parse() {
    if (text_.starts_with('[')) return Lacking("with bounds");
    if (text_.size() < 2 || text_.front() != '{' || text_.back() != '}') {
      return MalformedArray(whole_);
    }
    text_ = text_.substr(1, text_.size() - 2);
    ArrayElements elements;
    if (TrimSpaces(text_).empty()) return elements;
    do {
      elements.emplace_back();
      CONNBENCH_RETURN_IF_ERROR(TakeElement(elements.back()));
      SkipSpaces();
    } while (Take(','));
    if (at_ < text_.size()) return MalformedArray(whole_);
    return elements;
  }

 private:
  Status Lacking(std::string_view what) const {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("an array {} is not supported", what));
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpaces() {
    while (at_ < text_.size() && IsAsciiSpace(text_[at_])) ++at_;
  }

  Status TakeElement(std::optional<std::string>& element) {
    SkipSpaces();
    if (at_ < text_.size() && text_[at_] == '{') return Lacking("of several dimensions");
    std::string value;
    if (Take('"')) {
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\') ++at_;
        if (at_ < text_.size()) value += text_[at_++];
      }
      if (!Take('"')) return MalformedArray(whole_);
      element = std::move(value);
      return {};
    }
    bool escaped = false;
    size_t length = 0;  // without the blanks behind it
    while (at_ < text_.size() && text_[at_] != ',') {
      const char c = text_[at_];
      if (c == '"' || c == '{' || c == '}') return MalformedArray(whole_);
      const bool escapes = c == '\\' && at_ + 1 < text_.size();
      escaped = escaped || escapes;
      if (escapes) ++at_;
      value += text_[at_++];
      if (escapes || !IsAsciiSpace(c)) length = value.size();
    }
    value.resize(length);
    if (value.empty()) return MalformedArray(whole_);
    const bool null = !escaped && EqualIgnoringCase(value, "null");
    if (!null) element = std::move(value);
    return {};
  }

  std::string_view whole_;
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::string PrintArray(const ArrayElements& elements) {
  std::string text = "{";
  for (const std::optional<std::string>& element : elements) {
    if (text.size() > 1) text += ',';
    if (!element) {
      text += "NULL";
    } else if (!NeedsQuotes(*element)) {
      text += *element;
    } else {
      text += '"';
      for (const char c : *element) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      text += '"';
    }
  }
  return text + "}";
}

Result<ArrayElements> ParseArray(std::string_view text) { return ArrayParser(text).Parse(); }

Result<ArrayElements> ElementsOf(Oid type, std::string_view value) {
  if (type != type_oid::kInt2Vector && type != type_oid::kOidVector) return ParseArray(value);
  ArrayElements elements;
  while (!value.empty()) {
    const std::string_view element = value.substr(0, value.find(' '));
    elements.emplace_back(element);
    value.remove_prefix(std::min(value.size(), element.size() + 1));
  }
  return elements;
}

}  // namespace connbench::engine
