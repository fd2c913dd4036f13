// bytea: SHA-2, single bytes and bits, what is cut off the ends, where one stands in another.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

template <const EVP_MD* (*kDigest)()>
bool Sha(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr size_t kChunkBytes = 64 * 1024;
  constexpr int64_t kStepsPerByte = 3;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(),
                                                                      EVP_MD_CTX_free);
  char* const bytes = context.Allocate(EVP_MAX_MD_SIZE);
  if (bytes == nullptr) return false;
  unsigned int size = 0;
  WorkMeter meter = context.arena->Meter();
  std::string_view rest = a[0].text();
  bool computed = state != nullptr && EVP_DigestInit_ex(state.get(), kDigest(), nullptr) == 1;
  while (computed && !rest.empty()) {
    const std::string_view chunk = rest.substr(0, kChunkBytes);
    rest.remove_prefix(chunk.size());
    if (!context.Check(meter.Spend(static_cast<int64_t>(chunk.size()) * kStepsPerByte))) {
      return false;
    }
    computed = EVP_DigestUpdate(state.get(), chunk.data(), chunk.size()) == 1;
  }
  computed = computed &&
             EVP_DigestFinal_ex(state.get(), reinterpret_cast<unsigned char*>(bytes), &size) == 1;
  if (!computed) {
    return context.Fail(
        Status::Error(sqlstate::kInternalError, "could not compute a hash: OpenSSL refused it"));
  }
  out = Value::Text({bytes, size});
  return true;
}

bool CheckByteIndex(EvalContext& context, int64_t index, int64_t size) {
  if (index >= 0 && index < size) return true;
  return context.Fail(
      Status::Error(sqlstate::kArraySubscriptError,
                    fmt::format("index {} out of valid range, 0..{}", index, size - 1)));
}

char* CopyOfBytes(EvalContext& context, std::string_view bytes) {
  char* const copy = context.Allocate(std::max<size_t>(1, bytes.size()));
  if (copy != nullptr && !bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  return copy;
}

bool GetByte(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view bytes = a[0].text();
  if (!CheckByteIndex(context, a[1].integer, a[0].length)) return false;
  out = Value::Integer(static_cast<unsigned char>(bytes[static_cast<size_t>(a[1].integer)]));
  return true;
}
bool SetByte(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view bytes = a[0].text();
  if (!CheckByteIndex(context, a[1].integer, a[0].length)) return false;
  char* const copy = CopyOfBytes(context, bytes);
  if (copy == nullptr) return false;
  copy[a[1].integer] = static_cast<char>(a[2].integer);
  out = Value::Text({copy, bytes.size()});
  return true;
}
// Bit 0 is the lowest of the first byte.
bool GetBit(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view bytes = a[0].text();
  const int64_t bit = a[1].integer;
  if (!CheckByteIndex(context, bit, int64_t{a[0].length} * 8)) return false;
  const auto byte = static_cast<unsigned char>(bytes[static_cast<size_t>(bit / 8)]);
  out = Value::Integer((byte >> (bit % 8)) & 1);
  return true;
}
bool SetBit(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view bytes = a[0].text();
  const int64_t bit = a[1].integer;
  if (!CheckByteIndex(context, bit, int64_t{a[0].length} * 8)) return false;
  if (a[2].integer != 0 && a[2].integer != 1) {
    return context.Fail(Status::Error(sqlstate::kInvalidParameterValue, "new bit must be 0 or 1"));
  }
  char* const copy = CopyOfBytes(context, bytes);
  if (copy == nullptr) return false;
  const auto mask = static_cast<unsigned char>(1 << (bit % 8));
  const auto byte = static_cast<unsigned char>(copy[bit / 8]);
  copy[bit / 8] = static_cast<char>(a[2].integer == 1 ? byte | mask : byte & ~mask);
  out = Value::Text({copy, bytes.size()});
  return true;
}
bool BitCount(EvalContext&, const Value* a, uint32_t, Value& out) {
  int64_t count = 0;
  for (const char byte : a[0].text()) count += std::popcount(static_cast<unsigned char>(byte));
  out = Value::Integer(count);
  return true;
}

template <bool kLeft, bool kRight>
bool TrimBytes(EvalContext&, const Value* a, uint32_t, Value& out) {
  std::array<bool, 256> trimmed{};
  for (const char byte : a[1].text()) trimmed[static_cast<unsigned char>(byte)] = true;
  std::string_view bytes = a[0].text();
  while (kLeft && !bytes.empty() && trimmed[static_cast<unsigned char>(bytes.front())]) {
    bytes.remove_prefix(1);
  }
  while (kRight && !bytes.empty() && trimmed[static_cast<unsigned char>(bytes.back())]) {
    bytes.remove_suffix(1);
  }
  out = Value::Text(bytes);
  return true;
}

bool PositionOfBytes(EvalContext& context, const Value* a, uint32_t, Value& out) {
  WorkMeter meter = context.arena->Meter();
  size_t at = 0;
  if (!context.Check(FindText(a[0].text(), a[1].text(), 0, meter, at))) return false;
  out = Value::Integer(at == std::string_view::npos ? 0 : static_cast<int64_t>(at) + 1);
  return true;
}

constexpr std::array kDigestRows = {
    FunctionRow("sha224", {oid::kBytea}, oid::kBytea, Sha<EVP_sha224>),
    FunctionRow("sha256", {oid::kBytea}, oid::kBytea, Sha<EVP_sha256>),
    FunctionRow("sha384", {oid::kBytea}, oid::kBytea, Sha<EVP_sha384>),
    FunctionRow("sha512", {oid::kBytea}, oid::kBytea, Sha<EVP_sha512>),
    FunctionRow("get_byte", {oid::kBytea, oid::kInt4}, oid::kInt4, GetByte),
    FunctionRow("set_byte", {oid::kBytea, oid::kInt4, oid::kInt4}, oid::kBytea, SetByte),
    FunctionRow("get_bit", {oid::kBytea, oid::kInt8}, oid::kInt4, GetBit),
    FunctionRow("set_bit", {oid::kBytea, oid::kInt8, oid::kInt4}, oid::kBytea, SetBit),
    FunctionRow("bit_count", {oid::kBytea}, oid::kInt8, BitCount),
    FunctionRow("btrim", {oid::kBytea, oid::kBytea}, oid::kBytea, TrimBytes<true, true>),
    FunctionRow("ltrim", {oid::kBytea, oid::kBytea}, oid::kBytea, TrimBytes<true, false>),
    FunctionRow("rtrim", {oid::kBytea, oid::kBytea}, oid::kBytea, TrimBytes<false, true>),
    FunctionRow("position", {oid::kBytea, oid::kBytea}, oid::kInt4, PositionOfBytes),
};

}  // namespace

std::span<const FunctionDescription> DigestFunctions() { return kDigestRows; }

}  // namespace connbench::engine
