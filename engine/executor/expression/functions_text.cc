// String functions. Upper and lower case are those of the C collation: ASCII letters only.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>

#include "base/ascii.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/text_builder.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool Spend(EvalContext& context, WorkMeter& meter, int64_t steps) {
  Status status = meter.Spend(steps);
  return status.ok() || context.Fail(std::move(status));
}

bool StoreInteger(int64_t value, Value& out) {
  out = Value::Integer(value);
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
char Lower(char c) { return AsciiLower(c); }

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
  const int64_t wanted = a[1].integer;
  // In PostgreSQL the lowest number is its own negative, and skips nothing.
  const int64_t skipped = wanted == std::numeric_limits<int32_t>::min() ? 0
                          : wanted < 0                                  ? -wanted
                                       : CountCharacters(text) - wanted;
  return StoreView(text.substr(ByteOffsetOf(text, std::max<int64_t>(skipped, 0))), out);
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
  builder.AddRepeated(fill, whole);
  builder.Add(part);
  if (kLeft) builder.Add(text);
  return builder.Finish(out);
}

bool Repeat(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t times = std::max<int64_t>(a[1].integer, 0);
  TextBuilder builder(context, times * int64_t{a[0].length});
  if (!builder.ok()) return false;
  builder.AddRepeated(a[0].text(), times);
  return builder.Finish(out);
}

bool Reverse(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = a[0].text();
  char* const bytes = context.Allocate(text.size());
  if (bytes == nullptr) return false;
  char* to = bytes + text.size();
  WorkMeter meter = context.arena->Meter();
  for (size_t at = 0; at < text.size();) {
    if (!Spend(context, meter, 2)) return false;
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

bool Md5(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr size_t kChunkBytes = 64 * 1024;
  constexpr int64_t kStepsPerByte = 2;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest_context(EVP_MD_CTX_new(),
                                                                               EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  WorkMeter meter = context.arena->Meter();
  std::string_view rest = a[0].text();
  bool computed =
      digest_context != nullptr && EVP_DigestInit_ex(digest_context.get(), EVP_md5(), nullptr) == 1;
  while (computed && !rest.empty()) {
    const std::string_view chunk = rest.substr(0, kChunkBytes);
    rest.remove_prefix(chunk.size());
    if (!Spend(context, meter, static_cast<int64_t>(chunk.size()) * kStepsPerByte)) return false;
    computed = EVP_DigestUpdate(digest_context.get(), chunk.data(), chunk.size()) == 1;
  }
  computed = computed && EVP_DigestFinal_ex(digest_context.get(), digest, &size) == 1;
  if (!computed) {
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
  size_t at = 0;
  return StoreInteger(text.empty() ? 0 : static_cast<int64_t>(TakeUtf8(text, at)), out);
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
  return StoreView({bytes, EncodeUtf8(static_cast<char32_t>(code), bytes)}, out);
}

template <typename T>
bool ToHex(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr size_t kDigits = 2 * sizeof(T);
  char* bytes = context.Allocate(kDigits);
  if (bytes == nullptr) return false;
  const auto end = std::to_chars(bytes, bytes + kDigits, static_cast<T>(a[0].integer), 16);
  return StoreView({bytes, static_cast<size_t>(end.ptr - bytes)}, out);
}

constexpr std::array kTextRows = {
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
    FunctionRow("md5", {oid::kText}, oid::kText, Md5),
    FunctionRow("md5", {oid::kBytea}, oid::kText, Md5),
    FunctionRow("ascii", {oid::kText}, oid::kInt4, Ascii),
    FunctionRow("chr", {oid::kInt4}, oid::kText, Chr),
    FunctionRow("to_hex", {oid::kInt4}, oid::kText, ToHex<uint32_t>),
    FunctionRow("to_hex", {oid::kInt8}, oid::kText, ToHex<uint64_t>),
};

}  // namespace

std::span<const FunctionDescription> TextFunctions() { return kTextRows; }

}  // namespace connbench::engine
