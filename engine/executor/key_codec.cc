// Values as memcomparable bytes.
#include "engine/executor/key_codec.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "engine/executor/types/array.h"
#include "engine/executor/types/big_endian.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;

void AppendInteger(int64_t value, KeyBuffer& key) {
  char* at = key.Grow(1 + sizeof(value));
  at[0] = static_cast<char>(kKeyValue);
  StoreBigEndian(static_cast<uint64_t>(value) ^ kSignBit, at + 1);
}

void AppendSpan(__int128 value, KeyBuffer& key) {
  char* at = key.Grow(1 + sizeof(value));
  at[0] = static_cast<char>(kKeyValue);
  StoreBigEndian(static_cast<uint64_t>(value >> 64) ^ kSignBit, at + 1);
  StoreBigEndian(static_cast<uint64_t>(value), at + 1 + sizeof(uint64_t));
}

void AppendReal(double value, KeyBuffer& key) {
  if (value == 0) value = 0;  // no negative zero
  auto bits = std::isnan(value) ? ~uint64_t{0} >> 1 : std::bit_cast<uint64_t>(value);
  bits = (bits & kSignBit) != 0 ? ~bits : bits ^ kSignBit;
  char* at = key.Grow(1 + sizeof(bits));
  at[0] = static_cast<char>(kKeyValue);
  StoreBigEndian(bits, at + 1);
}

void AppendEscaped(std::string_view text, KeyBuffer& key) {
  key.Append(kKeyValue);
  size_t zero = 0;
  while ((zero = text.find('\0')) != std::string_view::npos) {
    key.Append(text.substr(0, zero));
    key.Append(0x00);
    key.Append(0xFF);
    text.remove_prefix(zero + 1);
  }
  key.Append(text);
  key.Append(0x00);
  key.Append(0x00);
}

}  // namespace

[[gnu::hot]] void KeyBuffer::Append(std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(Grow(bytes.size()), bytes.data(), bytes.size());
}

void KeyBuffer::Reserve(size_t more) {
  const size_t capacity = std::bit_ceil(size_ + more);
  auto grown = std::make_unique<char[]>(capacity);
  std::memcpy(grown.get(), data_, size_);
  heap_ = std::move(grown);
  data_ = heap_.get();
  capacity_ = capacity;
}

bool IsIndexable(Oid type) {
  switch (type) {
    case type_oid::kBool:
    case type_oid::kChar:
    case type_oid::kName:
    case type_oid::kInt8:
    case type_oid::kInt2:
    case type_oid::kInt4:
    case type_oid::kText:
    case type_oid::kOid:
    case type_oid::kFloat4:
    case type_oid::kFloat8:
    case type_oid::kBpchar:
    case type_oid::kVarchar:
    case type_oid::kBytea:
    case type_oid::kDate:
    case type_oid::kTime:
    case type_oid::kInterval:
    case type_oid::kUuid:
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz:
    case type_oid::kNumeric:
      return true;
    default:
      return false;
  }
}

[[gnu::hot]] void AppendKey(Oid type, const Value& value, KeyBuffer& key) {
  if (value.null) {
    key.Append(kKeyNull);
    return;
  }
  switch (type) {
    case type_oid::kFloat4:
    case type_oid::kFloat8:
      return AppendReal(value.real, key);
    case type_oid::kBool: {
      char* at = key.Grow(2);
      at[0] = static_cast<char>(kKeyValue);
      at[1] = value.integer != 0 ? 1 : 0;
      return;
    }
    case type_oid::kNumeric:
      key.Append(kKeyValue);
      return AppendNumericKey(value, key);
    case type_oid::kInterval:
      return AppendSpan(IntervalSpan(ToInterval(value)), key);
    case type_oid::kBpchar:
      return AppendEscaped(TrimTrailingBlanks(value.text()), key);
    default: {
      const TypeInfo& info = GetType(type);
      if (IsArray(info)) {
        key.Append(kKeyValue);
        return AppendArrayKey(info.element, value.text(), key);
      }
      if (info.form == ValueForm::kBytes) return AppendEscaped(value.text(), key);
      return AppendInteger(value.integer, key);
    }
  }
}

[[gnu::hot]] void AppendKey(std::span<const Oid> types, const Value* values, KeyBuffer& key) {
  for (size_t i = 0; i < types.size(); ++i) AppendKey(types[i], values[i], key);
}

}  // namespace connbench::engine
