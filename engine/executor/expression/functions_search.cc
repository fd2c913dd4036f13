// Functions that search a text: trim, replace, position, split_part.
#include <array>

#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/text_builder.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

constexpr size_t kNotFound = std::string_view::npos;

// Looks for one text in another, again and again.
class Search {
 public:
  Search(EvalContext& context, std::string_view text, std::string_view needle)
      : context_(context), meter_(context.arena->Meter()), text_(text), needle_(needle) {}
  // False: an interrupt. at: kNotFound if there is none at or after from.
  bool Find(size_t from, size_t& at) {
    return context_.Check(FindText(text_, needle_, from, meter_, at));
  }

 private:
  EvalContext& context_;
  WorkMeter meter_;
  std::string_view text_;
  std::string_view needle_;
};

// Trims characters of a set, given as a string, from either end.
enum class Ends : uint8_t { kBoth, kLeft, kRight };
bool Contains(std::string_view set, std::string_view character) {
  for (size_t at = 0; at < set.size();) {
    const auto length = static_cast<size_t>(Utf8Length(set[at]));
    if (set.substr(at, length) == character) return true;
    at += length;
  }
  return false;
}
template <Ends kEnds>
bool Trim(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  std::string_view text = a[0].text();
  const std::string_view set = count == 2 ? a[1].text() : " ";
  WorkMeter meter = context.arena->Meter();
  const auto steps = static_cast<int64_t>(set.size());
  while (kEnds != Ends::kRight && !text.empty()) {
    const auto length = static_cast<size_t>(Utf8Length(text[0]));
    if (!context.Check(meter.Spend(steps))) return false;
    if (!Contains(set, text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while (kEnds != Ends::kLeft && !text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    if (!context.Check(meter.Spend(steps))) return false;
    if (!Contains(set, text.substr(begin))) break;
    text = text.substr(0, begin);
  }
  return StoreView(text, out);
}

bool Replace(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  const std::string_view from = a[1].text();
  const std::string_view to = a[2].text();
  if (from.empty()) return StoreView(text, out);
  Search search(context, text, from);
  int64_t hits = 0;
  size_t at = 0;
  if (!search.Find(0, at)) return false;
  while (at != kNotFound) {
    ++hits;
    if (!search.Find(at + from.size(), at)) return false;
  }
  const auto growth = static_cast<int64_t>(to.size()) - static_cast<int64_t>(from.size());
  TextBuilder builder(context, static_cast<int64_t>(text.size()) + hits * growth);
  size_t begin = 0;
  while (builder.ok()) {
    if (!search.Find(begin, at)) return false;
    if (at == kNotFound) break;
    builder.Add(text.substr(begin, at - begin));
    builder.Add(to);
    begin = at + from.size();
  }
  builder.Add(text.substr(begin));
  return builder.Finish(out);
}

bool Position(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  size_t at = 0;
  if (!Search(context, text, a[1].text()).Find(0, at)) return false;
  out = Value::Integer(at == kNotFound ? 0 : CountCharacters(text.substr(0, at)) + 1);
  return true;
}

bool SplitPart(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  const std::string_view separator = a[1].text();
  int64_t field = a[2].integer;
  if (field == 0) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidParameterValue, "field position must not be zero"));
  }
  if (separator.empty()) {
    return StoreView(field == 1 || field == -1 ? text : std::string_view(text.data(), 0), out);
  }
  Search search(context, text, separator);
  size_t at = 0;
  if (field < 0) {  // counted from the end
    int64_t fields = 1;
    if (!search.Find(0, at)) return false;
    while (at != kNotFound) {
      ++fields;
      if (!search.Find(at + separator.size(), at)) return false;
    }
    field += fields + 1;
    if (field <= 0) return StoreView(text.substr(0, 0), out);
  }
  size_t begin = 0;
  while (true) {
    if (!search.Find(begin, at)) return false;
    if (--field == 0) return StoreView(text.substr(begin, at - begin), out);
    if (at == kNotFound) return StoreView(text.substr(0, 0), out);
    begin = at + separator.size();
  }
}

bool StartsWith(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool(a[0].text().starts_with(a[1].text()));
  return true;
}

constexpr std::array kSearchRows = {
    FunctionRow("btrim", {oid::kText}, oid::kText, Trim<Ends::kBoth>),
    FunctionRow("btrim", {oid::kText, oid::kText}, oid::kText, Trim<Ends::kBoth>),
    FunctionRow("ltrim", {oid::kText}, oid::kText, Trim<Ends::kLeft>),
    FunctionRow("ltrim", {oid::kText, oid::kText}, oid::kText, Trim<Ends::kLeft>),
    FunctionRow("rtrim", {oid::kText}, oid::kText, Trim<Ends::kRight>),
    FunctionRow("rtrim", {oid::kText, oid::kText}, oid::kText, Trim<Ends::kRight>),
    FunctionRow("replace", {oid::kText, oid::kText, oid::kText}, oid::kText, Replace),
    FunctionRow("position", {oid::kText, oid::kText}, oid::kInt4, Position),
    FunctionRow("strpos", {oid::kText, oid::kText}, oid::kInt4, Position),
    FunctionRow("split_part", {oid::kText, oid::kText, oid::kInt4}, oid::kText, SplitPart),
    FunctionRow("starts_with", {oid::kText, oid::kText}, oid::kBool, StartsWith),
};

}  // namespace

std::span<const FunctionDescription> SearchFunctions() { return kSearchRows; }

}  // namespace connbench::engine
