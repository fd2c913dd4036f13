// bytea and uuid: what is made of them.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/byte_strings.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool ConcatBytes(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view left = a[0].text();
  const std::string_view right = a[1].text();
  char* bytes = context.Allocate(std::max<size_t>(1, left.size() + right.size()));
  if (bytes == nullptr) return false;
  if (!left.empty()) std::memcpy(bytes, left.data(), left.size());
  if (!right.empty()) std::memcpy(bytes + left.size(), right.data(), right.size());
  out = Value::Text({bytes, left.size() + right.size()});
  return true;
}

bool BytesLength(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(a[0].length);
  return true;
}

// The bytes from the first wanted one on, counted from 1, which may lie before the value.
bool SubstringOfBytes(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const std::string_view bytes = a[0].text();
  const auto size = static_cast<int64_t>(bytes.size());
  int64_t end = size + 1;
  if (count == 3) {
    if (a[2].integer < 0) {
      return context.Fail(
          Status::Error(sqlstate::kSubstringError, "negative substring length not allowed"));
    }
    end = std::min(end, a[1].integer + a[2].integer);
  }
  const int64_t begin = std::max<int64_t>(1, a[1].integer);
  out = end <= begin ? Value::Text("")
                     : Value::Text(bytes.substr(static_cast<size_t>(begin - 1),
                                                static_cast<size_t>(end - begin)));
  return true;
}

bool Encode(EvalContext& context, const Value* a, uint32_t, Value& out) {
  std::string_view text;
  if (!context.Check(EncodeBytes(a[0].text(), a[1].text(), *context.arena, text))) return false;
  out = Value::Text(text);
  return true;
}

bool Decode(EvalContext& context, const Value* a, uint32_t, Value& out) {
  std::string_view bytes;
  if (!context.Check(DecodeBytes(a[0].text(), a[1].text(), *context.arena, bytes))) return false;
  out = Value::Text(bytes);
  return true;
}

// Version 4: random but for six bits.
bool RandomUuid(EvalContext& context, const Value*, uint32_t, Value& out) {
  char* bytes = context.Allocate(kUuidBytes);
  if (bytes == nullptr) return false;
  if (getrandom(bytes, kUuidBytes, 0) != static_cast<ssize_t>(kUuidBytes)) {
    return context.Fail(
        Status::Error(sqlstate::kInternalError,
                      std::string("could not generate random values: ") + std::strerror(errno)));
  }
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  out = Value::Text({bytes, kUuidBytes});
  return true;
}

constexpr std::array kBytesRows = {
    OperatorRow("||", {oid::kBytea, oid::kBytea}, oid::kBytea, ConcatBytes),
    FunctionRow("length", {oid::kBytea}, oid::kInt4, BytesLength),
    FunctionRow("octet_length", {oid::kBytea}, oid::kInt4, BytesLength),
    FunctionRow("substr", {oid::kBytea, oid::kInt4}, oid::kBytea, SubstringOfBytes),
    FunctionRow("substr", {oid::kBytea, oid::kInt4, oid::kInt4}, oid::kBytea, SubstringOfBytes),
    FunctionRow("substring", {oid::kBytea, oid::kInt4}, oid::kBytea, SubstringOfBytes),
    FunctionRow("substring", {oid::kBytea, oid::kInt4, oid::kInt4}, oid::kBytea, SubstringOfBytes),
    FunctionRow("encode", {oid::kBytea, oid::kText}, oid::kText, Encode),
    FunctionRow("decode", {oid::kText, oid::kText}, oid::kBytea, Decode),
    FunctionRow("gen_random_uuid", {}, oid::kUuid, RandomUuid, kVolatile),
};

}  // namespace

std::span<const FunctionDescription> BytesFunctions() { return kBytesRows; }

}  // namespace connbench::engine
