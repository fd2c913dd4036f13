// Values as memcomparable bytes: memcmp orders keys as the columns' own order does, nulls last.
//
// Per column: a marker (kKeyValue, or kKeyNull with nothing after it), then
//   int2, int4, int8, oid, timestamps  8 bytes, big-endian, sign flipped: all alike, so that a
//                                      bigint parameter finds rows by an int4 column's index
//   interval                           its length in microseconds: 16 bytes, likewise
//   bool                               1 byte
//   float4, float8                     8 bytes; negative: all bits flipped, else sign flipped;
//                                      -0 is 0, NaN is above infinity
//   text, varchar, name                bytes with 0x00 written 0x00 0xFF, ended by 0x00 0x00
//   bpchar                             the same, without trailing blanks
//   numeric                            sign and weight, then base-10000 digits, ended
//   arrays                             their elements' keys, 0x00, the first subscript
//
// Ranges over the last column given, e.g. (a = 1 AND b > v) on an index (a, b); prefix is key(a):
//   b = v    from key(a, v)                 to before key(a, v) + kKeyAfter
//   b > v    from key(a, v) + kKeyAfter     to before key(a) + kKeyNull
//   b >= v   from key(a, v)                 to before key(a) + kKeyNull
//   b < v    from key(a)                    to before key(a, v)
//   b <= v   from key(a)                    to before key(a, v) + kKeyAfter
//   b IS NULL from key(a) + kKeyNull        to before key(a) + kKeyAfter
// A null v matches nothing.
//
// Safety: pure; private memory. KeyBuffer: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/executor/types/type.h"
#include "engine/executor/value.h"

namespace connbench::engine {

inline constexpr uint8_t kKeyValue = 0x01;
inline constexpr uint8_t kKeyNull = 0x02;
inline constexpr uint8_t kKeyAfter =
    0xFF;  // above every key that starts with what stands before it

// Bytes with room for usual keys in place; allocates only for long ones.
class KeyBuffer {
 public:
  static constexpr size_t kInlineBytes = 64;

  KeyBuffer() = default;
  KeyBuffer(const KeyBuffer&) = delete;
  KeyBuffer& operator=(const KeyBuffer&) = delete;

  std::string_view view() const { return {data_, size_}; }
  size_t size() const { return size_; }
  void Clear() { size_ = 0; }
  void Truncate(size_t size) { size_ = size; }
  void Append(uint8_t byte) {
    char* at = Grow(1);
    *at = static_cast<char>(byte);
  }
  void Append(std::string_view bytes);
  // Room for bytes more, to be written by the caller.
  char* Grow(size_t bytes) {
    if (capacity_ - size_ < bytes) Reserve(bytes);
    char* at = data_ + size_;
    size_ += bytes;
    return at;
  }

 private:
  void Reserve(size_t more);

  char inline_[kInlineBytes];
  char* data_ = inline_;
  size_t size_ = 0;
  size_t capacity_ = kInlineBytes;
  std::unique_ptr<char[]> heap_;
};

// Appends one column.
void AppendKey(Oid type, const Value& value, KeyBuffer& key);
// Appends values[i] of types[i] for all i.
void AppendKey(std::span<const Oid> types, const Value* values, KeyBuffer& key);
// Types that have an order, and so may be indexed.
bool IsIndexable(Oid type);

}  // namespace connbench::engine
