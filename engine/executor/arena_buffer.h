// A growing copy of bytes in an arena.
//
// Safety: private memory, one thread. Ownership: the bytes are the arena's; what a larger copy has
// replaced stays there until the arena is reset. Errors: false past the arena's limit or the bound.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/executor/arena.h"

namespace connbench::engine {

struct ArenaBuffer {
  static constexpr uint64_t kMaxBytes = 0x3FFFFFFF;  // PostgreSQL's MaxAllocSize

  char* bytes = nullptr;
  uint32_t size = 0;
  uint32_t capacity = 0;
  bool too_long = false;  // the bound is why Append() has failed

  std::string_view view() const { return {bytes == nullptr ? "" : bytes, size}; }

  bool Append(std::string_view text, Arena& arena) {
    if (text.empty()) return true;
    const uint64_t wanted = uint64_t{size} + text.size();
    if (wanted > kMaxBytes) {
      too_long = true;
      return false;
    }
    if (bytes == nullptr || wanted > capacity) {
      const auto grown = std::bit_ceil(std::max<uint64_t>(wanted, 32));
      char* larger = arena.AllocateBytes(grown);
      if (larger == nullptr) return false;
      if (size > 0) std::memcpy(larger, bytes, size);
      bytes = larger;
      capacity = static_cast<uint32_t>(grown);
    }
    std::memcpy(bytes + size, text.data(), text.size());
    size = static_cast<uint32_t>(wanted);
    return true;
  }

  // Why Append() has failed.
  Status OutOfMemory(const Arena& arena) const {
    if (!too_long) return arena.OutOfMemory();
    return Status::Error(sqlstate::kProgramLimitExceeded, "out of memory")
        .WithDetail("A value has no more than 1073741823 bytes.");
  }
};

}  // namespace connbench::engine
