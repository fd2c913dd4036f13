// json: what is in it, and what is made of other values.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/array.h"
#include "engine/executor/types/json.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

// ---- parts ----

// A step from a value to one of its parts: by an object's key, an array's index, or either.
struct JsonStep {
  std::optional<std::string_view> key;
  std::optional<int64_t> index;
};

Status CountJsonElements(std::string_view text, const Arena& arena, int64_t& count) {
  JsonReader reader(text, /*decode_strings=*/false, arena);
  JsonEvent event;
  CONNBENCH_RETURN_IF_ERROR(reader.Next(event));  // the array itself
  for (count = 0;; ++count) {
    CONNBENCH_RETURN_IF_ERROR(reader.Next(event));
    if (event.token == JsonToken::kArrayEnd && event.depth == 0) return {};
    const bool nests =
        event.token == JsonToken::kObjectStart || event.token == JsonToken::kArrayStart;
    if (nests) CONNBENCH_RETURN_IF_ERROR(reader.Skip(event));
  }
}

// Finds the part that a path leads to. Of equal keys the last one counts.
class JsonPathFinder {
 public:
  JsonPathFinder(std::string_view text, std::vector<JsonStep> path, const Arena& arena)
      : text_(text),
        path_(std::move(path)),
        arena_(arena),
        reader_(text, /*decode_strings=*/true, arena),
        on_path_(path_.size() + 1),
        index_(path_.size() + 1) {
    on_path_[0] = true;
  }

  Status Run() {
    while (true) {
      JsonEvent event;
      CONNBENCH_RETURN_IF_ERROR(reader_.Next(event));
      switch (event.token) {
        case JsonToken::kEnd:
          return {};
        case JsonToken::kObjectEnd:
        case JsonToken::kArrayEnd:
          Close(event);
          break;
        default:
          if (event.is_key) {
            TakeKey(event);
          } else {
            CONNBENCH_RETURN_IF_ERROR(TakeValue(event));
          }
      }
    }
  }

  bool found() const { return found_; }
  std::string_view part() const { return text_.substr(begin_, end_ - begin_); }
  JsonToken token() const { return token_; }  // that the part begins with
  // Of a part that is a string.
  const std::string& decoded() const { return decoded_; }

 private:
  void TakeKey(const JsonEvent& event) {
    has_key_ = true;
    const size_t level = event.depth - 1;
    key_matches_ = level < path_.size() && on_path_[level] && path_[level].key == event.decoded;
  }

  bool Matches(const JsonEvent& event) {
    if (event.depth == 0) return true;
    const size_t level = event.depth - 1;
    if (level >= path_.size()) return false;
    if (has_key_) return key_matches_;
    return on_path_[level] && path_[level].index == index_[level]++;
  }

  Status TakeValue(const JsonEvent& event) {
    const bool matches = Matches(event);
    has_key_ = false;
    const size_t level = event.depth;
    const bool nests =
        event.token == JsonToken::kObjectStart || event.token == JsonToken::kArrayStart;
    if (matches && level == path_.size()) {
      found_ = true;
      // A scalar that is the whole text keeps the blanks in front of it.
      begin_ = level == 0 && !nests ? 0 : event.begin;
      end_ = event.end;
      token_ = event.token;
      decoded_ = event.decoded;
      is_open_ = nests;
    }
    if (!nests || level >= path_.size()) return {};
    on_path_[level] = matches;
    index_[level] = 0;
    std::optional<int64_t>& index = path_[level].index;
    if (!matches || event.token != JsonToken::kArrayStart || !index || *index >= 0) return {};
    // Counted from the end.
    int64_t count = 0;
    CONNBENCH_RETURN_IF_ERROR(CountJsonElements(text_.substr(event.begin), arena_, count));
    if (-*index <= count) *index += count;
    return {};
  }

  void Close(const JsonEvent& event) {
    const size_t level = event.depth;
    if (level < path_.size()) on_path_[level] = level == 0;
    if (level == path_.size() && std::exchange(is_open_, false)) end_ = event.end;
  }

  const std::string_view text_;
  std::vector<JsonStep> path_;
  const Arena& arena_;
  JsonReader reader_;
  std::vector<bool> on_path_;   // whether the open container at this depth is on the path
  std::vector<int64_t> index_;  // of the next element of the open array at this depth
  bool has_key_ = false;        // a key stands before the value
  bool key_matches_ = false;
  bool found_ = false;
  bool is_open_ = false;  // the part is an object or an array that has not ended
  size_t begin_ = 0;
  size_t end_ = 0;
  JsonToken token_ = JsonToken::kEnd;
  std::string decoded_;
};

template <bool kAsText>
bool FindPart(EvalContext& context, const Value& json, std::vector<JsonStep> path, Value& out) {
  JsonPathFinder finder(json.text(), std::move(path), *context.arena);
  if (!context.Check(finder.Run())) return false;
  out = Value::Null();
  if (!finder.found() || (kAsText && finder.token() == JsonToken::kNull)) return true;
  const bool decoded = kAsText && finder.token() == JsonToken::kString;
  const std::string_view part =
      context.arena->Copy(decoded ? std::string_view(finder.decoded()) : finder.part());
  if (part.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  out = Value::Text(part);
  return true;
}

template <bool kAsText>
bool FieldOfJson(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return FindPart<kAsText>(context, a[0], {{a[1].text(), std::nullopt}}, out);
}
template <bool kAsText>
bool ElementOfJson(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return FindPart<kAsText>(context, a[0], {{std::nullopt, a[1].integer}}, out);
}
// Each step is a key or, if it is a number, an index.
template <bool kAsText>
bool PathOfJson(EvalContext& context, const Value* a, uint32_t, Value& out) {
  std::vector<JsonStep> path;
  Value step;
  for (ArrayReader steps(oid::kText, a[1].text()); steps.Next(step);) {
    if (step.null) {
      out = Value::Null();
      return true;
    }
    const std::string_view text = step.text();
    const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
    int32_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    const bool is_index = error == std::errc() && end == digits.data() + digits.size();
    path.push_back({text, is_index ? std::optional<int64_t>(index) : std::nullopt});
  }
  return FindPart<kAsText>(context, a[0], std::move(path), out);
}

// ---- kinds ----

std::string_view KindOfJson(std::string_view text) {
  switch (text[std::min(text.find_first_not_of(" \t\n\r"), text.size() - 1)]) {
    case '{':
      return "object";
    case '[':
      return "array";
    case '"':
      return "string";
    case 't':
    case 'f':
      return "boolean";
    case 'n':
      return "null";
    default:
      return "number";
  }
}

bool TypeOfJson(EvalContext&, const Value* a, uint32_t, Value& out) {
  return StoreView(KindOfJson(a[0].text()), out);
}

bool LengthOfJsonArray(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view kind = KindOfJson(a[0].text());
  if (kind != "array") {
    return context.Fail(Status::Error(sqlstate::kInvalidParameterValue,
                                      kind == "object" ? "cannot get array length of a non-array"
                                                       : "cannot get array length of a scalar"));
  }
  int64_t count = 0;
  if (!context.Check(CountJsonElements(a[0].text(), *context.arena, count))) return false;
  out = Value::Integer(count);
  return true;
}

// ---- from other values ----

bool AppendPlain(EvalContext& context, std::string_view text, ArenaBuffer& buffer) {
  return buffer.Append(text, *context.arena) || context.Fail(buffer.OutOfMemory(*context.arena));
}

// As XML Schema writes times: with a T, and minutes of the zone.
std::string XmlTime(std::string_view text, bool with_zone) {
  std::string time(text);
  const size_t blank = time.find(' ');
  if (blank == std::string::npos) return time;  // infinite
  time[blank] = 'T';
  if (!with_zone) return time;
  const size_t zone = time.find_first_of("+-", blank);
  const size_t end = std::min(time.find(' ', blank), time.size());
  constexpr size_t kHoursOnly = 3;
  if (zone != std::string::npos && end - zone == kHoursOnly) time.insert(end, ":00");
  return time;
}

bool AppendAsJson(EvalContext& context, Oid type, const Value& value, ArenaBuffer& buffer);

bool AppendArrayAsJson(EvalContext& context, Oid element_type, const Value& array,
                       ArenaBuffer& buffer) {
  WorkMeter meter = context.arena->Meter();
  constexpr int64_t kStepsPerElement = 20;
  Value element;
  std::string_view separator = "[";
  for (ArrayReader elements(element_type, array.text()); elements.Next(element);) {
    if (!context.Check(meter.Spend(kStepsPerElement)) || !AppendPlain(context, separator, buffer) ||
        !AppendAsJson(context, element_type, element, buffer)) {
      return false;
    }
    separator = ",";
  }
  return AppendPlain(context, separator == "[" ? "[]" : "]", buffer);
}

bool AppendAsJson(EvalContext& context, Oid type, const Value& value, ArenaBuffer& buffer) {
  if (value.null) return AppendPlain(context, "null", buffer);
  if (type == oid::kBool)
    return AppendPlain(context, value.integer != 0 ? "true" : "false", buffer);
  if (type == oid::kJson) return AppendPlain(context, value.text(), buffer);
  if (IsArray(type)) return AppendArrayAsJson(context, ElementType(type), value, buffer);
  std::string_view text;
  if (!context.Check(FormatText(type, value, context.io(), text))) return false;
  std::string time;
  switch (type) {
    case oid::kInt2:
    case oid::kInt4:
    case oid::kInt8:
    case oid::kFloat4:
    case oid::kFloat8:
    case oid::kNumeric:
      if (IsJsonNumber(text)) return AppendPlain(context, text, buffer);
      break;
    case oid::kTimestamp:
    case oid::kTimestamptz:
      time = XmlTime(text, type == oid::kTimestamptz);
      text = time;
      break;
    default:
      break;
  }
  return AppendJsonString(text, buffer, *context.arena) ||
         context.Fail(buffer.OutOfMemory(*context.arena));
}

template <Oid kType>
bool AsJson(EvalContext& context, const Value* a, uint32_t, Value& out) {
  ArenaBuffer buffer;
  if (!AppendAsJson(context, kType, a[0], buffer)) return false;
  out = Value::Text(buffer.view());
  return true;
}

// The key of an object: a string, whatever the value.
template <Oid kType>
bool AsJsonKey(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (kType == oid::kJson || IsArray(kType)) {
    return context.Fail(Status::Error(sqlstate::kInvalidParameterValue,
                                      "key value must be scalar, not array, composite, or json"));
  }
  ArenaBuffer buffer;
  if (!AppendAsJson(context, kType, a[0], buffer)) return false;
  if (!buffer.view().starts_with('"')) {
    ArenaBuffer quoted;
    if (!AppendJsonString(buffer.view(), quoted, *context.arena)) {
      return context.Fail(quoted.OutOfMemory(*context.arena));
    }
    buffer = quoted;
  }
  out = Value::Text(buffer.view());
  return true;
}

bool BuildJsonArray(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  ArenaBuffer buffer;
  if (!AppendPlain(context, "[", buffer)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0 && !AppendPlain(context, ", ", buffer)) return false;
    if (!AppendPlain(context, a[i].null ? "null" : a[i].text(), buffer)) return false;
  }
  if (!AppendPlain(context, "]", buffer)) return false;
  out = Value::Text(buffer.view());
  return true;
}

bool BuildJsonObject(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  if (count % 2 != 0) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidParameterValue,
                      "argument list must have even number of elements")
            .WithHint("The arguments of json_build_object() must consist of alternating keys and "
                      "values."));
  }
  ArenaBuffer buffer;
  if (!AppendPlain(context, "{", buffer)) return false;
  for (uint32_t i = 0; i < count; i += 2) {
    if (a[i].null) {
      return context.Fail(Status::Error(sqlstate::kInvalidParameterValue,
                                        "argument " + std::to_string(i + 1) + " cannot be null")
                              .WithHint("Object keys should be text."));
    }
    if (i > 0 && !AppendPlain(context, ", ", buffer)) return false;
    const std::string_view value = a[i + 1].null ? "null" : a[i + 1].text();
    if (!AppendPlain(context, a[i].text(), buffer) || !AppendPlain(context, " : ", buffer) ||
        !AppendPlain(context, value, buffer)) {
      return false;
    }
  }
  if (!AppendPlain(context, "}", buffer)) return false;
  out = Value::Text(buffer.view());
  return true;
}

// ---- the tables ----

constexpr std::array kJsonTypes = {oid::kBool,
                                   oid::kBytea,
                                   oid::kChar,
                                   oid::kName,
                                   oid::kInt8,
                                   oid::kInt2,
                                   oid::kInt4,
                                   oid::kText,
                                   oid::kOid,
                                   oid::kJson,
                                   oid::kFloat4,
                                   oid::kFloat8,
                                   oid::kBpchar,
                                   oid::kVarchar,
                                   oid::kDate,
                                   oid::kTime,
                                   oid::kTimestamp,
                                   oid::kTimestamptz,
                                   oid::kInterval,
                                   oid::kNumeric,
                                   oid::kRegclass,
                                   oid::kRegtype,
                                   oid::kRegnamespace,
                                   oid::kUuid,
                                   oid::kBoolArray,
                                   oid::kByteaArray,
                                   oid::kCharArray,
                                   oid::kNameArray,
                                   oid::kInt2Array,
                                   oid::kInt4Array,
                                   oid::kTextArray,
                                   oid::kBpcharArray,
                                   oid::kVarcharArray,
                                   oid::kInt8Array,
                                   oid::kFloat4Array,
                                   oid::kFloat8Array,
                                   oid::kOidArray,
                                   oid::kTimestampArray,
                                   oid::kDateArray,
                                   oid::kTimeArray,
                                   oid::kTimestamptzArray,
                                   oid::kIntervalArray,
                                   oid::kNumericArray,
                                   oid::kRegclassArray,
                                   oid::kRegtypeArray,
                                   oid::kUuidArray,
                                   oid::kJsonArray};
template <size_t... kIndex>
constexpr auto ConversionRows(std::index_sequence<kIndex...>) {
  return std::array{FunctionRow("to_json", {kJsonTypes[kIndex]}, oid::kJson,
                                AsJson<kJsonTypes[kIndex]>, kStable)...};
}
template <size_t... kIndex>
constexpr auto KeyRows(std::index_sequence<kIndex...>) {
  return std::array{FunctionRow("to_json", {kJsonTypes[kIndex]}, oid::kText,
                                AsJsonKey<kJsonTypes[kIndex]>, kStable)...};
}
constexpr auto kConversions = ConversionRows(std::make_index_sequence<kJsonTypes.size()>());
constexpr auto kKeyConversions = KeyRows(std::make_index_sequence<kJsonTypes.size()>());

constexpr std::array kJsonRows = {
    OperatorRow("->", {oid::kJson, oid::kText}, oid::kJson, FieldOfJson<false>),
    OperatorRow("->", {oid::kJson, oid::kInt4}, oid::kJson, ElementOfJson<false>),
    OperatorRow("->>", {oid::kJson, oid::kText}, oid::kText, FieldOfJson<true>),
    OperatorRow("->>", {oid::kJson, oid::kInt4}, oid::kText, ElementOfJson<true>),
    OperatorRow("#>", {oid::kJson, oid::kTextArray}, oid::kJson, PathOfJson<false>),
    OperatorRow("#>>", {oid::kJson, oid::kTextArray}, oid::kText, PathOfJson<true>),
    FunctionRow("json_object_field", {oid::kJson, oid::kText}, oid::kJson, FieldOfJson<false>),
    FunctionRow("json_object_field_text", {oid::kJson, oid::kText}, oid::kText, FieldOfJson<true>),
    FunctionRow("json_array_element", {oid::kJson, oid::kInt4}, oid::kJson, ElementOfJson<false>),
    FunctionRow("json_array_element_text", {oid::kJson, oid::kInt4}, oid::kText,
                ElementOfJson<true>),
    FunctionRow("json_typeof", {oid::kJson}, oid::kText, TypeOfJson),
    FunctionRow("json_array_length", {oid::kJson}, oid::kInt4, LengthOfJsonArray),
    FunctionRow("json_build_array", {}, oid::kJson, BuildJsonArray, kStable),
    CalledOnNull(
        AnyAs(AnyArgument::kAsJson, Variadic(FunctionRow("json_build_array", {oid::kAny},
                                                         oid::kJson, BuildJsonArray, kStable)))),
    FunctionRow("json_build_object", {}, oid::kJson, BuildJsonObject, kStable),
    CalledOnNull(AnyAs(AnyArgument::kAsJsonPairs,
                       Variadic(FunctionRow("json_build_object", {oid::kAny}, oid::kJson,
                                            BuildJsonObject, kStable)))),
};

template <size_t kCount>
const FunctionDescription* FindConversion(const std::array<FunctionDescription, kCount>& rows,
                                          Oid type) {
  for (const FunctionDescription& row : rows) {
    if (row.argument_types[0] == type) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const FunctionDescription> JsonFunctions() { return kJsonRows; }

const FunctionDescription* JsonConversion(Oid type, bool as_key) {
  return as_key ? FindConversion(kKeyConversions, type) : FindConversion(kConversions, type);
}

bool IsJsonConversion(const FunctionDescription& function) {
  return function.name == kConversions.front().name;
}

}  // namespace connbench::engine
