// Overflow-checked arithmetic for ShmemSize() functions, as PostgreSQL's add_size and mul_size.
//
// Each subsystem that lives in the segment has a pair: ShmemSize() says how many bytes it needs,
// Init() lays it out. A size that overflows becomes kShmemSizeOverflow and stays so;
// Segment::Create turns it into an error. Safety: pure functions.
#pragma once

#include <cstdint>

namespace connbench::engine {

inline constexpr int64_t kShmemSizeOverflow = INT64_MAX;
inline constexpr int64_t kCacheLineBytes = 64;
inline constexpr int64_t kMemoryPageBytes = 4096;

constexpr int64_t AddSize(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return kShmemSizeOverflow;
  return sum;
}

constexpr int64_t MulSize(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return kShmemSizeOverflow;
  return product;
}

// alignment: a power of two.
constexpr int64_t AlignSize(int64_t size, int64_t alignment) {
  const int64_t padded = AddSize(size, alignment - 1);
  return padded == kShmemSizeOverflow ? padded : padded & ~(alignment - 1);
}

}  // namespace connbench::engine
