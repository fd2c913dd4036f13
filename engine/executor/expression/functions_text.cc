// String functions. Upper and lower case are those of the C collation: ASCII letters only.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

constexpr int64_t kMaxTextBytes = 0x3FFFFFFF;  // PostgreSQL's MaxAllocSize

// Collects a result piece by piece in exactly the memory asked for.
class TextBuilder {
 public:
  TextBuilder(EvalContext& context, int64_t bytes) {
    if (bytes > kMaxTextBytes) {
      context.status = Status::Error(sqlstate::kProgramLimitExceeded, "requested length too large");
    } else {
      begin_ = at_ = context.Allocate(static_cast<size_t>(bytes));
    }
  }
  bool ok() const { return begin_ != nullptr; }
  void Add(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void Add(char c) { *at_++ = c; }
  bool Finish(Value& out) {
    out = Value::Text({begin_, static_cast<size_t>(at_ - begin_)});
    return true;
  }

 private:
  char* begin_ = nullptr;
  char* at_ = nullptr;
};

bool StoreInteger(int64_t value, Value& out) {
  out = Value::Integer(value);
  return true;
}
bool StoreView(std::string_view text, Value& out) {
  out = Value::Text(text);
  return true;
}

bool Length(EvalContext&, const Value* a, uint32_t, Value& out) {
  return StoreInteger(CountCharacters(a[0].text()), out);
}
bool LengthBpchar(EvalContext&, const Value* a, uint32_t, Value& out) {
  return StoreInteger(CountCharacters(TrimTrailingBlanks(a[0].text())), out);
}
bool OctetLength(EvalContext&, const Value* a, uint32_t, Value& out) {
  return StoreInteger(a[0].length, out);
}
bool BitLength(EvalContext&, const Value* a, uint32_t, Value& out) {
  return StoreInteger(int64_t{a[0].length} * 8, out);
}

template <char (*kMap)(char)>
bool MapCharacters(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  char* bytes = context.Allocate(text.size());
  if (bytes == nullptr) return false;
  std::transform(text.begin(), text.end(), bytes, kMap);
  return StoreView({bytes, text.size()}, out);
}
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char Lower(char c) { return ToLowerAscii(c); }

bool InitCap(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  char* bytes = context.Allocate(text.size());
  if (bytes == nullptr) return false;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    bytes[i] = inside ? Lower(text[i]) : Upper(text[i]);
    const char c = Lower(text[i]);
    inside = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }
  return StoreView({bytes, text.size()}, out);
}

// Characters [start, start + length), counted from 1; start may lie before the text.
bool Substring(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const std::string_view text = a[0].text();
  const int64_t start = a[1].integer;
  int64_t end = INT64_MAX;
  if (count == 3) {
    if (a[2].integer < 0) {
      return context.Fail(
          Status::Error(sqlstate::kSubstringError, "negative substring length not allowed"));
    }
    end = start + a[2].integer;  // both are int4
  }
  const size_t from = ByteOffsetOf(text, std::max<int64_t>(start, 1) - 1);
  if (end <= std::max<int64_t>(start, 1)) return StoreView(text.substr(from, 0), out);
  const std::string_view rest = text.substr(from);
  const size_t size =
      end == INT64_MAX ? rest.size() : ByteOffsetOf(rest, end - std::max<int64_t>(start, 1));
  return StoreView(rest.substr(0, size), out);
}

bool Left(EvalContext&, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  int64_t characters = a[1].integer;
  if (characters < 0) characters += CountCharacters(text);
  return StoreView(text.substr(0, ByteOffsetOf(text, std::max<int64_t>(characters, 0))), out);
}
bool Right(EvalContext&, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  const int64_t skipped = a[1].integer < 0 ? -a[1].integer : CountCharacters(text) - a[1].integer;
  return StoreView(text.substr(ByteOffsetOf(text, std::max<int64_t>(skipped, 0))), out);
}

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
bool Trim(EvalContext&, const Value* a, uint32_t count, Value& out) {
  std::string_view text = a[0].text();
  const std::string_view set = count == 2 ? a[1].text() : " ";
  while (kEnds != Ends::kRight && !text.empty()) {
    const auto length = static_cast<size_t>(Utf8Length(text[0]));
    if (!Contains(set, text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while (kEnds != Ends::kLeft && !text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
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
  int64_t hits = 0;
  for (size_t at = text.find(from); at != std::string_view::npos;
       at = text.find(from, at + from.size())) {
    ++hits;
  }
  const auto growth = static_cast<int64_t>(to.size()) - static_cast<int64_t>(from.size());
  TextBuilder builder(context, static_cast<int64_t>(text.size()) + hits * growth);
  if (!builder.ok()) return false;
  size_t begin = 0;
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, begin)) {
    builder.Add(text.substr(begin, at - begin));
    builder.Add(to);
    begin = at + from.size();
  }
  builder.Add(text.substr(begin));
  return builder.Finish(out);
}

bool Position(EvalContext&, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  const size_t at = text.find(a[1].text());
  if (at == std::string_view::npos) return StoreInteger(0, out);
  return StoreInteger(CountCharacters(text.substr(0, at)) + 1, out);
}

template <bool kLeft>
bool Pad(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const std::string_view text = a[0].text();
  const std::string_view fill = count == 3 ? a[2].text() : " ";
  const int64_t wanted = std::max<int64_t>(a[1].integer, 0);
  const int64_t have = CountCharacters(text);
  if (have >= wanted || fill.empty()) {
    return StoreView(text.substr(0, ByteOffsetOf(text, wanted)), out);
  }
  const int64_t missing = wanted - have;
  const int64_t fill_characters = CountCharacters(fill);
  const int64_t whole = missing / fill_characters;
  const std::string_view part = fill.substr(0, ByteOffsetOf(fill, missing % fill_characters));
  TextBuilder builder(context, static_cast<int64_t>(text.size() + part.size()) +
                                   whole * static_cast<int64_t>(fill.size()));
  if (!builder.ok()) return false;
  if (!kLeft) builder.Add(text);
  for (int64_t i = 0; i < whole; ++i) builder.Add(fill);
  builder.Add(part);
  if (kLeft) builder.Add(text);
  return builder.Finish(out);
}

bool Repeat(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t times = std::max<int64_t>(a[1].integer, 0);
  TextBuilder builder(context, times * int64_t{a[0].length});
  if (!builder.ok()) return false;
  for (int64_t i = 0; i < times && a[0].length > 0; ++i) builder.Add(a[0].text());
  return builder.Finish(out);
}

bool Reverse(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  char* const bytes = context.Allocate(text.size());
  if (bytes == nullptr) return false;
  char* to = bytes + text.size();
  for (size_t at = 0; at < text.size();) {
    const auto length = std::min(static_cast<size_t>(Utf8Length(text[at])), text.size() - at);
    to -= length;
    std::memcpy(to, text.data() + at, length);
    at += length;
  }
  return StoreView({bytes, text.size()}, out);
}

// Nulls are skipped.
bool ConcatWith(EvalContext& context, std::string_view separator, const Value* a, uint32_t count,
                Value& out) {
  int64_t bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (!a[i].null) bytes += int64_t{a[i].length} + static_cast<int64_t>(separator.size());
  }
  TextBuilder builder(context, bytes);
  if (!builder.ok()) return false;
  bool first = true;
  for (uint32_t i = 0; i < count; ++i) {
    if (a[i].null) continue;
    if (!first) builder.Add(separator);
    builder.Add(a[i].text());
    first = false;
  }
  return builder.Finish(out);
}
bool Concat(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  return ConcatWith(context, {}, a, count, out);
}
bool ConcatWs(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  if (a[0].null) {
    out = Value::Null();
    return true;
  }
  return ConcatWith(context, a[0].text(), a + 1, count - 1, out);
}

bool SplitPart(EvalContext& context, const Value* a, uint32_t, Value& out) {
  std::string_view text = a[0].text();
  const std::string_view separator = a[1].text();
  int64_t field = a[2].integer;
  if (field == 0) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidParameterValue, "field position must not be zero"));
  }
  if (separator.empty()) {
    return StoreView(field == 1 || field == -1 ? text : std::string_view(text.data(), 0), out);
  }
  if (field < 0) {  // counted from the end
    int64_t fields = 1;
    for (size_t at = text.find(separator); at != std::string_view::npos;
         at = text.find(separator, at + separator.size())) {
      ++fields;
    }
    field += fields + 1;
    if (field <= 0) return StoreView(text.substr(0, 0), out);
  }
  while (--field > 0) {
    const size_t at = text.find(separator);
    if (at == std::string_view::npos) return StoreView(text.substr(0, 0), out);
    text.remove_prefix(at + separator.size());
  }
  return StoreView(text.substr(0, text.find(separator)), out);
}

bool StartsWith(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool(a[0].text().starts_with(a[1].text()));
  return true;
}

bool Md5(EvalContext& context, const Value* a, uint32_t, Value& out) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(a[0].length > 0 ? a[0].bytes : "", a[0].length, digest, &size, EVP_md5(),
                 nullptr) != 1) {
    return context.Fail(
        Status::Error(sqlstate::kInternalError, "could not compute MD5 hash: OpenSSL refused it"));
  }
  char* bytes = context.Allocate(size_t{2} * size);
  if (bytes == nullptr) return false;
  for (unsigned int i = 0; i < size; ++i)
    fmt::format_to(bytes + size_t{2} * i, "{:02x}", digest[i]);
  return StoreView({bytes, size_t{2} * size}, out);
}

bool Ascii(EvalContext&, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  if (text.empty()) return StoreInteger(0, out);
  const int length = Utf8Length(text[0]);
  int64_t code = static_cast<unsigned char>(text[0]);
  if (length > 1) code &= 0x7F >> length;
  for (int i = 1; i < length; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[static_cast<size_t>(i)]) & 0x3F);
  }
  return StoreInteger(code, out);
}
bool Chr(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t code = a[0].integer;
  const auto fail = [&](std::string message) {
    return context.Fail(Status::Error(sqlstate::kProgramLimitExceeded, std::move(message)));
  };
  if (code < 0) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidParameterValue, "character number must be positive"));
  }
  if (code == 0) return fail("null character not permitted");
  if (code > 0x10FFFF)
    return fail(fmt::format("requested character too large for encoding: {}", code));
  if (code >= 0xD800 && code <= 0xDFFF) {
    return fail(fmt::format("requested character not valid for encoding: {}", code));
  }
  char* bytes = context.Allocate(4);
  if (bytes == nullptr) return false;
  size_t size = 1;
  if (code < 0x80) {
    bytes[0] = static_cast<char>(code);
  } else {
    size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static constexpr unsigned char kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    int64_t rest = code;
    for (size_t i = size - 1; i > 0; --i, rest >>= 6)
      bytes[i] = static_cast<char>(0x80 | (rest & 0x3F));
    bytes[0] = static_cast<char>(kLead[size] | rest);
  }
  return StoreView({bytes, size}, out);
}

template <typename T>
bool ToHex(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr size_t kDigits = 2 * sizeof(T);
  char* bytes = context.Allocate(kDigits);
  if (bytes == nullptr) return false;
  const auto end = std::to_chars(bytes, bytes + kDigits, static_cast<T>(a[0].integer), 16);
  return StoreView({bytes, static_cast<size_t>(end.ptr - bytes)}, out);
}

constexpr std::array kRows = {
    OperatorRow("||", {oid::kText, oid::kText}, oid::kText, Concat),
    AnyAs(AnyArgument::kCastToText, OperatorRow("||", {oid::kText, oid::kAny}, oid::kText, Concat)),
    AnyAs(AnyArgument::kCastToText, OperatorRow("||", {oid::kAny, oid::kText}, oid::kText, Concat)),
    FunctionRow("length", {oid::kText}, oid::kInt4, Length),
    FunctionRow("length", {oid::kBpchar}, oid::kInt4, LengthBpchar),
    FunctionRow("char_length", {oid::kText}, oid::kInt4, Length),
    FunctionRow("char_length", {oid::kBpchar}, oid::kInt4, LengthBpchar),
    FunctionRow("character_length", {oid::kText}, oid::kInt4, Length),
    FunctionRow("character_length", {oid::kBpchar}, oid::kInt4, LengthBpchar),
    FunctionRow("octet_length", {oid::kText}, oid::kInt4, OctetLength),
    FunctionRow("octet_length", {oid::kBpchar}, oid::kInt4, OctetLength),
    FunctionRow("bit_length", {oid::kText}, oid::kInt4, BitLength),
    FunctionRow("upper", {oid::kText}, oid::kText, MapCharacters<Upper>),
    FunctionRow("lower", {oid::kText}, oid::kText, MapCharacters<Lower>),
    FunctionRow("initcap", {oid::kText}, oid::kText, InitCap),
    FunctionRow("substr", {oid::kText, oid::kInt4}, oid::kText, Substring),
    FunctionRow("substr", {oid::kText, oid::kInt4, oid::kInt4}, oid::kText, Substring),
    FunctionRow("substring", {oid::kText, oid::kInt4}, oid::kText, Substring),
    FunctionRow("substring", {oid::kText, oid::kInt4, oid::kInt4}, oid::kText, Substring),
    FunctionRow("left", {oid::kText, oid::kInt4}, oid::kText, Left),
    FunctionRow("right", {oid::kText, oid::kInt4}, oid::kText, Right),
    FunctionRow("btrim", {oid::kText}, oid::kText, Trim<Ends::kBoth>),
    FunctionRow("btrim", {oid::kText, oid::kText}, oid::kText, Trim<Ends::kBoth>),
    FunctionRow("ltrim", {oid::kText}, oid::kText, Trim<Ends::kLeft>),
    FunctionRow("ltrim", {oid::kText, oid::kText}, oid::kText, Trim<Ends::kLeft>),
    FunctionRow("rtrim", {oid::kText}, oid::kText, Trim<Ends::kRight>),
    FunctionRow("rtrim", {oid::kText, oid::kText}, oid::kText, Trim<Ends::kRight>),
    FunctionRow("replace", {oid::kText, oid::kText, oid::kText}, oid::kText, Replace),
    FunctionRow("position", {oid::kText, oid::kText}, oid::kInt4, Position),
    FunctionRow("strpos", {oid::kText, oid::kText}, oid::kInt4, Position),
    FunctionRow("lpad", {oid::kText, oid::kInt4}, oid::kText, Pad<true>),
    FunctionRow("lpad", {oid::kText, oid::kInt4, oid::kText}, oid::kText, Pad<true>),
    FunctionRow("rpad", {oid::kText, oid::kInt4}, oid::kText, Pad<false>),
    FunctionRow("rpad", {oid::kText, oid::kInt4, oid::kText}, oid::kText, Pad<false>),
    FunctionRow("repeat", {oid::kText, oid::kInt4}, oid::kText, Repeat),
    FunctionRow("reverse", {oid::kText}, oid::kText, Reverse),
    AnyAs(AnyArgument::kOutputText,
          Variadic(CalledOnNull(FunctionRow("concat", {oid::kAny}, oid::kText, Concat)))),
    AnyAs(AnyArgument::kOutputText,
          Variadic(CalledOnNull(
              FunctionRow("concat_ws", {oid::kText, oid::kAny}, oid::kText, ConcatWs)))),
    FunctionRow("split_part", {oid::kText, oid::kText, oid::kInt4}, oid::kText, SplitPart),
    FunctionRow("starts_with", {oid::kText, oid::kText}, oid::kBool, StartsWith),
    FunctionRow("md5", {oid::kText}, oid::kText, Md5),
    FunctionRow("ascii", {oid::kText}, oid::kInt4, Ascii),
    FunctionRow("chr", {oid::kInt4}, oid::kText, Chr),
    FunctionRow("to_hex", {oid::kInt4}, oid::kText, ToHex<uint32_t>),
    FunctionRow("to_hex", {oid::kInt8}, oid::kText, ToHex<uint64_t>),
};

}  // namespace

std::span<const FunctionDescription> TextFunctions() { return kRows; }

}  // namespace connbench::engine
