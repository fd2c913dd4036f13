// Arrays as values: one dimension, elements of one type, any first subscript.
//
// Their bytes: the first subscript (int32) and the number of elements (uint32), then each element:
// its length (uint32, kNullLength for null) and its bytes; of a type that is not held as bytes, the
// eight of Value::integer. Host byte order, unaligned. An array without elements has no bytes.
// int2vector and oidvector are held alike.
//
// Safety: pure functions on private memory; any thread.
// Ownership: what is written lives in the arena; what is read points into the array.
// Errors: PostgreSQL's for texts and messages that are no array; 0A000 for more than one dimension;
// 53200 from the arena; interrupts of the arena's session.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/arena_buffer.h"
#include "engine/executor/types/type.h"
#include "engine/executor/types/type_io.h"
#include "engine/executor/value.h"

namespace connbench::engine {

class KeyBuffer;

// What a function makes whose rows are of type text[]: an array of their bytes. No client and no
// column has it.
inline constexpr Oid kTextArraySet = 0xFFFFFF00;

class ArrayReader {
 public:
  // bytes: of an array of such elements.
  ArrayReader(Oid element, std::string_view bytes);
  uint32_t size() const { return size_; }
  int32_t first() const { return first_; }
  // The last subscript.
  int64_t last() const { return int64_t{first_} + size_ - 1; }
  // False: there are no more.
  bool Next(Value& out);

 private:
  bool by_bytes_;
  std::string_view rest_;
  uint32_t size_ = 0;
  uint32_t left_ = 0;
  int32_t first_ = 1;
};

// What writes an array does: one element after the other, beginning with an empty buffer, then the
// end, once. False: past the arena's limit.
bool AppendElement(Oid element, const Value& value, ArenaBuffer& buffer, Arena& arena);
// At least one element has been appended.
Value FinishArray(ArenaBuffer& buffer, int32_t first, uint32_t count);

// Writes one element after the other. What goes wrong is kept until Finish().
class ArrayWriter {
 public:
  ArrayWriter(Oid element, Arena& arena, int32_t first = 1)
      : element_(element), arena_(arena), meter_(arena.Meter()), first_(first) {}
  void Add(const Value& value);
  // All of another array's elements.
  void AddAll(ArrayReader elements);
  uint32_t size() const { return size_; }
  bool ok() const { return status_.ok(); }
  // May be called once.
  Status Finish(Value& out);

 private:
  const Oid element_;
  Arena& arena_;
  WorkMeter meter_;
  const int32_t first_;
  uint32_t size_ = 0;
  ArenaBuffer buffer_;
  Status status_;
};

// Text as of PostgreSQL's input and output functions, the latter also of int2vector and oidvector.
Status ParseArray(Oid array, std::string_view text, const IoContext& io, Value& out);
Status FormatArray(Oid array, const Value& value, const IoContext& io, std::string_view& out);
// The wire's binary form.
Status ReceiveArray(Oid array, std::string_view bytes, const IoContext& io, Value& out);
Status SendArray(Oid array, const Value& value, const IoContext& io, std::string_view& out);

// Element by element, then the shorter one is less; nulls are above everything.
int CompareArrays(Oid element, std::string_view a, std::string_view b);
uint64_t HashArray(Oid element, std::string_view bytes);
// In the same order; see key_codec.h, without its marker.
void AppendArrayKey(Oid element, std::string_view bytes, KeyBuffer& key);

}  // namespace connbench::engine
