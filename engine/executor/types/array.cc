// Arrays as values: their bytes, their order, their texts and messages.
#include "engine/executor/types/array.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "engine/executor/key_codec.h"
#include "engine/executor/types/big_endian.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr uint32_t kNullLength = UINT32_MAX;
constexpr size_t kArrayHeaderBytes = 8;
constexpr uint32_t kScalarBytes = sizeof(int64_t);

bool HeldAsBytes(Oid element) { return GetType(element).form == ValueForm::kBytes; }

bool NeedsQuotes(std::string_view element) {
  return element.empty() || EqualIgnoringCase(element, "null") ||
         std::any_of(element.begin(), element.end(), [](char c) {
           return c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || IsAsciiSpace(c);
         });
}

Status SeveralDimensions() {
  return Status::Error(sqlstate::kFeatureNotSupported,
                       "an array of several dimensions is not supported");
}

// Of the elements from first on. The subscript behind the last one must be an int, too.
Status CheckArrayBounds(int64_t first, int64_t count) {
  constexpr int64_t kMostElements = 134217727;  // PostgreSQL's MaxArraySize
  if (count < 0 || count > kMostElements) {
    return Status::Error(sqlstate::kProgramLimitExceeded,
                         fmt::format("array size exceeds the maximum allowed ({})", kMostElements));
  }
  if (first + count > INT32_MAX) {
    return Status::Error(sqlstate::kProgramLimitExceeded,
                         fmt::format("array lower bound is too large: {}", first));
  }
  return {};
}

// A text such as [2:3]={a,"b c",NULL}.
class ArrayParser {
 public:
  explicit ArrayParser(std::string_view text) : whole_(text), text_(TrimSpaces(text)) {}

  // Reads up to the first element.
  Status Begin() {
    if (text_.starts_with('[')) CONNBENCH_RETURN_IF_ERROR(TakeBounds());
    begin_ = at_;
    return Take('{') ? Status() : Malformed();
  }
  int32_t first() const { return first_; }

  // To the end, so that a malformed array is known before an element is read; then back to the
  // first element.
  Status Check(WorkMeter meter) {
    constexpr int64_t kStepsPerElement = 10;
    std::optional<std::string> element;
    while (true) {
      CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerElement));
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, Next(element));
      if (!more) break;
    }
    if (bounded_ >= 0 && (count_ == 0 || bounded_ != count_)) return Malformed();
    CONNBENCH_RETURN_IF_ERROR(CheckArrayBounds(first_, count_));
    at_ = begin_ + 1;
    count_ = 0;
    return {};
  }

  // none: NULL. False: there are no more.
  Result<bool> Next(std::optional<std::string>& element) {
    SkipSpaces();
    if (Take('}')) {
      SkipSpaces();
      if (at_ < text_.size()) return Malformed();
      return false;
    }
    if (count_ > 0 && !Take(',')) return Malformed();
    ++count_;
    element.reset();
    CONNBENCH_RETURN_IF_ERROR(TakeElement(element));
    return true;
  }

 private:
  Status Malformed() const {
    return Status::Error(sqlstate::kInvalidTextRepresentation,
                         fmt::format("malformed array literal: \"{}\"", Excerpt(whole_)));
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpaces() {
    while (at_ < text_.size() && IsAsciiSpace(text_[at_])) ++at_;
  }
  bool TakeNumber(int32_t& number) {
    Take('+');
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    at_ += static_cast<size_t>(end - begin);
    return error == std::errc();
  }

  Status TakeBounds() {
    int32_t last = 1;
    at_ = 1;
    if (!TakeNumber(last)) return Malformed();
    if (Take(':')) {
      first_ = last;
      if (!TakeNumber(last)) return Malformed();
    }
    if (!Take(']')) return Malformed();
    if (last < first_) {
      return Status::Error(sqlstate::kArraySubscriptError,
                           "upper bound cannot be less than lower bound");
    }
    if (at_ < text_.size() && text_[at_] == '[') return SeveralDimensions();
    SkipSpaces();
    if (!Take('=')) return Malformed();
    SkipSpaces();
    bounded_ = int64_t{last} - first_ + 1;
    return {};
  }

  Status TakeElement(std::optional<std::string>& element) {
    SkipSpaces();
    if (at_ < text_.size() && text_[at_] == '{') return SeveralDimensions();
    std::string value;
    if (Take('"')) {
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\') ++at_;
        if (at_ < text_.size()) value += text_[at_++];
      }
      if (!Take('"')) return Malformed();
      element = std::move(value);
      return {};
    }
    bool escaped = false;
    size_t length = 0;  // without the blanks behind it
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}') {
      const char c = text_[at_];
      if (c == '"' || c == '{') return Malformed();
      const bool escapes = c == '\\' && at_ + 1 < text_.size();
      escaped = escaped || escapes;
      if (escapes) ++at_;
      value += text_[at_++];
      if (escapes || !IsAsciiSpace(c)) length = value.size();
    }
    value.resize(length);
    if (value.empty()) return Malformed();
    const bool null = !escaped && EqualIgnoringCase(value, "null");
    if (!null) element = std::move(value);
    return {};
  }

  std::string_view whole_;
  std::string_view text_;
  size_t at_ = 0;
  size_t begin_ = 0;  // of the opening brace
  int32_t first_ = 1;
  int64_t bounded_ = -1;  // how many elements the bounds ask for; -1: there are none
  int64_t count_ = 0;
};

// Big-endian words of a message.
class WordReader {
 public:
  explicit WordReader(std::string_view bytes) : rest_(bytes) {}
  Result<int32_t> Word() {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string_view bytes, Bytes(sizeof(uint32_t)));
    int32_t word = 0;
    ReadBigEndian(bytes, word);
    return word;
  }
  Result<std::string_view> Bytes(size_t count) {
    if (rest_.size() < count) {
      return Status::Error(sqlstate::kProtocolViolation, "insufficient data left in message");
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

bool AppendWord(int64_t word, ArenaBuffer& buffer, Arena& arena) {
  char bytes[sizeof(uint32_t)];
  StoreBigEndian(static_cast<uint32_t>(word), bytes);
  return buffer.Append({bytes, sizeof(bytes)}, arena);
}

Status BadMessage(std::string message) {
  return Status::Error(sqlstate::kInvalidBinaryRepresentation, std::move(message));
}

}  // namespace

// ---- the bytes ----

ArrayReader::ArrayReader(Oid element, std::string_view bytes)
    : by_bytes_(HeldAsBytes(element)), rest_(bytes) {
  if (rest_.size() < kArrayHeaderBytes) return;
  std::memcpy(&first_, rest_.data(), sizeof(first_));
  std::memcpy(&size_, rest_.data() + sizeof(first_), sizeof(size_));
  rest_.remove_prefix(kArrayHeaderBytes);
  left_ = size_;
}

bool ArrayReader::Next(Value& out) {
  uint32_t length = 0;
  if (left_ == 0 || rest_.size() < sizeof(length)) return false;
  --left_;
  std::memcpy(&length, rest_.data(), sizeof(length));
  rest_.remove_prefix(sizeof(length));
  out = Value::Null();
  if (length == kNullLength) return true;
  if (by_bytes_) {
    out = Value::Text(rest_.substr(0, length));
  } else {
    std::memcpy(&out.integer, rest_.data(), kScalarBytes);
    out.null = false;
  }
  rest_.remove_prefix(std::min<size_t>(length, rest_.size()));
  return true;
}

bool AppendElement(Oid element, const Value& value, ArenaBuffer& buffer, Arena& arena) {
  constexpr char kZeros[kArrayHeaderBytes] = {};
  if (buffer.size == 0 && !buffer.Append({kZeros, kArrayHeaderBytes}, arena)) return false;
  const bool by_bytes = HeldAsBytes(element);
  const uint32_t length = value.null ? kNullLength : by_bytes ? value.length : kScalarBytes;
  char word[kScalarBytes];
  std::memcpy(word, &length, sizeof(length));
  if (!buffer.Append({word, sizeof(length)}, arena)) return false;
  if (value.null) return true;
  if (by_bytes) return buffer.Append(value.text(), arena);
  std::memcpy(word, &value.integer, kScalarBytes);
  return buffer.Append({word, kScalarBytes}, arena);
}

Value FinishArray(ArenaBuffer& buffer, int32_t first, uint32_t count) {
  std::memcpy(buffer.bytes, &first, sizeof(first));
  std::memcpy(buffer.bytes + sizeof(first), &count, sizeof(count));
  return Value::Text(buffer.view());
}

void ArrayWriter::Add(const Value& value) {
  constexpr int64_t kStepsPerElement = 10;
  if (status_.ok()) status_ = meter_.Spend(kStepsPerElement);
  if (!status_.ok()) return;
  ++size_;
  if (!AppendElement(element_, value, buffer_, arena_)) status_ = buffer_.OutOfMemory(arena_);
}

void ArrayWriter::AddAll(ArrayReader elements) {
  Value element;
  while (status_.ok() && elements.Next(element)) Add(element);
}

Status ArrayWriter::Finish(Value& out) {
  CONNBENCH_RETURN_IF_ERROR(std::move(status_));
  CONNBENCH_RETURN_IF_ERROR(CheckArrayBounds(first_, size_));
  // Without elements it has no bounds, and no bytes: see ArrayReader.
  out = size_ > 0 ? FinishArray(buffer_, first_, size_) : Value::Text("");
  return {};
}

// ---- text ----

Status ParseArray(Oid array, std::string_view text, const IoContext& io, Value& out) {
  const Oid element_type = ElementType(GetType(array));
  ArrayParser parser(text);
  CONNBENCH_RETURN_IF_ERROR(parser.Begin());
  CONNBENCH_RETURN_IF_ERROR(parser.Check(io.arena->Meter()));
  ArrayWriter writer(element_type, *io.arena, parser.first());
  std::optional<std::string> element;
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, parser.Next(element));
    if (!more) return writer.Finish(out);
    Value value;
    if (element) {
      CONNBENCH_RETURN_IF_ERROR(ParseText({element_type, -1}, *element, io, value));
    }
    writer.Add(value);
  }
}

Status FormatArray(Oid array, const Value& value, const IoContext& io, std::string_view& out) {
  const Oid element_type = ElementType(GetType(array));
  const bool is_vector = array == type_oid::kInt2Vector || array == type_oid::kOidVector;
  ArrayReader reader(element_type, value.text());
  WorkMeter meter = io.arena->Meter();
  constexpr int64_t kStepsPerElement = 20;
  ArenaBuffer text;
  Arena& arena = *io.arena;
  bool ok = true;
  const auto add = [&](std::string_view piece) { ok = ok && text.Append(piece, arena); };
  if (!is_vector) {
    if (reader.first() != 1) add(fmt::format("[{}:{}]=", reader.first(), reader.last()));
    add("{");
  }
  Value element;
  for (bool first = true; ok && reader.Next(element); first = false) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerElement));
    if (!first) add(is_vector ? " " : ",");
    if (element.null) {
      add("NULL");
      continue;
    }
    std::string_view printed;
    CONNBENCH_RETURN_IF_ERROR(FormatText(element_type, element, io, printed));
    if (is_vector || !NeedsQuotes(printed)) {
      add(printed);
      continue;
    }
    add("\"");
    while (ok && !printed.empty()) {
      const size_t plain = std::min(printed.find_first_of("\"\\"), printed.size());
      add(printed.substr(0, plain));
      printed.remove_prefix(plain);
      if (printed.empty()) break;
      add("\\");
      add(printed.substr(0, 1));
      printed.remove_prefix(1);
    }
    add("\"");
  }
  if (!is_vector) add("}");
  if (!ok) return text.OutOfMemory(arena);
  out = text.view();
  return {};
}

// ---- the binary form ----

Status ReceiveArray(Oid array, std::string_view bytes, const IoContext& io, Value& out) {
  const Oid element_type = ElementType(GetType(array));
  WordReader message(bytes);
  CONNBENCH_ASSIGN_OR_RETURN(const int32_t dimensions, message.Word());
  constexpr int32_t kMostDimensions = 6;  // PostgreSQL's MAXDIM
  if (dimensions < 0)
    return BadMessage(fmt::format("invalid number of dimensions: {}", dimensions));
  if (dimensions > kMostDimensions) {
    return Status::Error(
        sqlstate::kProgramLimitExceeded,
        fmt::format("number of array dimensions ({}) exceeds the maximum allowed ({})", dimensions,
                    kMostDimensions));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const int32_t flags, message.Word());
  if (flags != 0 && flags != 1) return BadMessage("invalid array flags");
  CONNBENCH_ASSIGN_OR_RETURN(const int32_t given, message.Word());
  // As PostgreSQL, which takes the number of a type that somebody has made for any other.
  constexpr Oid kFirstMadeType = 10000;
  if (static_cast<Oid>(given) != element_type && static_cast<Oid>(given) < kFirstMadeType) {
    return Status::Error(
        sqlstate::kDatatypeMismatch,
        fmt::format("binary data has array element type {} ({}) instead of expected {} ({})",
                    static_cast<Oid>(given), FormatType({static_cast<Oid>(given), -1}),
                    element_type, FormatType({element_type, -1})));
  }
  if (dimensions > 1) return SeveralDimensions();
  int32_t count = 0;
  int32_t first = 1;
  if (dimensions == 1) {
    CONNBENCH_ASSIGN_OR_RETURN(count, message.Word());
    CONNBENCH_ASSIGN_OR_RETURN(first, message.Word());
  }
  CONNBENCH_RETURN_IF_ERROR(CheckArrayBounds(first, count));
  ArrayWriter writer(element_type, *io.arena, first);
  for (int32_t i = 0; i < count; ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(const int32_t length, message.Word());
    Value value;
    if (length < -1 || (length >= 0 && static_cast<size_t>(length) > message.left())) {
      return BadMessage("insufficient data left in message");
    }
    if (length >= 0) {
      CONNBENCH_ASSIGN_OR_RETURN(const std::string_view element,
                                 message.Bytes(static_cast<size_t>(length)));
      CONNBENCH_RETURN_IF_ERROR(ParseBinary({element_type, -1}, element, io, value));
    }
    writer.Add(value);
  }
  if (message.left() > 0) return BadMessage("incorrect binary data format");
  return writer.Finish(out);
}

Status SendArray(Oid array, const Value& value, const IoContext& io, std::string_view& out) {
  const Oid element_type = ElementType(GetType(array));
  Arena& arena = *io.arena;
  WorkMeter meter = arena.Meter();
  constexpr int64_t kStepsPerElement = 20;
  bool has_null = false;
  Value element;
  for (ArrayReader reader(element_type, value.text()); reader.Next(element);) {
    has_null = has_null || element.null;
  }
  ArrayReader reader(element_type, value.text());
  ArenaBuffer buffer;
  bool ok = AppendWord(reader.size() > 0 ? 1 : 0, buffer, arena) &&
            AppendWord(has_null ? 1 : 0, buffer, arena) && AppendWord(element_type, buffer, arena);
  if (reader.size() > 0) {
    ok =
        ok && AppendWord(reader.size(), buffer, arena) && AppendWord(reader.first(), buffer, arena);
  }
  while (ok && reader.Next(element)) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerElement));
    if (element.null) {
      ok = AppendWord(-1, buffer, arena);
      continue;
    }
    std::string_view bytes;
    CONNBENCH_RETURN_IF_ERROR(FormatBinary(element_type, element, io, bytes));
    ok = AppendWord(static_cast<int64_t>(bytes.size()), buffer, arena) &&
         buffer.Append(bytes, arena);
  }
  if (!ok) return buffer.OutOfMemory(arena);
  out = buffer.view();
  return {};
}

// ---- order ----

int CompareArrays(Oid element, std::string_view a, std::string_view b) {
  ArrayReader left(element, a);
  ArrayReader right(element, b);
  Value x;
  Value y;
  while (true) {
    const bool more_left = left.Next(x);
    const bool more_right = right.Next(y);
    if (!more_left || !more_right) {
      if (more_left != more_right) return more_left ? 1 : -1;
      return static_cast<int>(left.first() > right.first()) -
             static_cast<int>(left.first() < right.first());
    }
    if (const int order = CompareNullsLast(element, x, y); order != 0) return order;
  }
}

uint64_t HashArray(Oid element, std::string_view bytes) {
  constexpr uint64_t kFactor = 31;
  uint64_t hash = 1;
  Value value;
  for (ArrayReader reader(element, bytes); reader.Next(value);) {
    hash = hash * kFactor + HashNullable(element, value);
  }
  return hash;
}

void AppendArrayKey(Oid element, std::string_view bytes, KeyBuffer& key) {
  constexpr uint8_t kEnd = 0x00;  // below the marker of any element
  static_assert(kEnd < kKeyValue && kEnd < kKeyNull);
  ArrayReader reader(element, bytes);
  const int64_t first = reader.first();
  Value value;
  while (reader.Next(value)) AppendKey(element, value, key);
  key.Append(kEnd);
  AppendKey(type_oid::kInt8, Value::Integer(first), key);
}

}  // namespace connbench::engine
