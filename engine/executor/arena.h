// A bump arena: memory that is given back all at once, with a limit.
//
// Who uses it: a prepared statement (its parse tree, plan and expressions), a statement's run
// (work_mem) and each row (scratch of expressions, reset after every row). Everything placed here
// is trivially destructible: no destructor is run.
//
// Life: nothing is allocated before the first Allocate(). Reset() keeps one small chunk, so that a
// row loop allocates nothing in its steady state; Release() gives that back, too, so that an idle
// session costs nothing.
//
// Safety: private memory, one thread at a time.
// Errors: Allocate() returns null past the limit or when malloc fails; OutOfMemory() is the Status
// to return then (53200).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/status.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

class Arena {
 public:
  static constexpr int64_t kNoLimit = INT64_MAX;
  // The chunk that Reset() keeps. Later chunks double up to kLargestChunkBytes.
  static constexpr size_t kFirstChunkBytes = 2048;
  static constexpr size_t kLargestChunkBytes = 256 * 1024;

  explicit Arena(int64_t limit_bytes = kNoLimit) : limit_bytes_(limit_bytes) {}
  ~Arena() { Release(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&& other) noexcept { *this = std::move(other); }
  Arena& operator=(Arena&& other) noexcept;

  // Null past the limit. Zero bytes give a valid, unusable pointer.
  void* Allocate(size_t bytes, size_t alignment = alignof(std::max_align_t)) {
    const auto at = (reinterpret_cast<uintptr_t>(next_) + alignment - 1) & ~(alignment - 1);
    if (next_ != nullptr && at <= reinterpret_cast<uintptr_t>(end_) &&
        bytes <= reinterpret_cast<uintptr_t>(end_) - at) {
      next_ = reinterpret_cast<char*>(at) + bytes;
      return reinterpret_cast<char*>(at);
    }
    return AllocateSlow(bytes, alignment);
  }
  char* AllocateBytes(size_t bytes) { return static_cast<char*>(Allocate(bytes, 1)); }

  // Null past the limit.
  template <typename T, typename... Args>
  T* New(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    void* memory = Allocate(sizeof(T), alignof(T));
    return memory == nullptr ? nullptr : new (memory) T{std::forward<Args>(args)...};
  }
  // Value-initialised; an empty span with null data past the limit.
  template <typename T>
  std::span<T> NewArray(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > SIZE_MAX / sizeof(T)) return {};
    T* items = static_cast<T*>(Allocate(count * sizeof(T), alignof(T)));
    if (items == nullptr) return {};
    for (size_t i = 0; i < count; ++i) new (items + i) T{};
    return {items, count};
  }
  // A copy of text; its data() is null past the limit.
  std::string_view Copy(std::string_view text) {
    char* bytes = AllocateBytes(text.size());
    if (bytes == nullptr) return {};
    if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

  // Forgets everything; keeps the first chunk.
  void Reset() {
    if (current_ == nullptr) return;
    if (current_->previous != nullptr || current_->bytes > kFirstChunkBytes) {
      ResetSlow();
    } else {
      next_ = reinterpret_cast<char*>(current_ + 1);
    }
  }
  // Forgets everything and frees all of it.
  void Release();

  // Bytes held from malloc, chunk headers included; what the limit limits.
  int64_t bytes_held() const { return bytes_held_; }
  int64_t limit_bytes() const { return limit_bytes_; }
  void set_limit_bytes(int64_t limit_bytes) { limit_bytes_ = limit_bytes; }

  // Where leaf functions that allocate here look for interrupts; null: nowhere.
  void set_interrupts(Interrupts* interrupts) { interrupts_ = interrupts; }
  Interrupts* interrupts() const { return interrupts_; }
  WorkMeter Meter() const { return WorkMeter(interrupts_); }

  // 53200 "out of memory", with the limit in its detail.
  Status OutOfMemory() const;

 private:
  struct alignas(std::max_align_t) Chunk {
    Chunk* previous;
    size_t bytes;  // header included
  };

  void* AllocateSlow(size_t bytes, size_t alignment);
  void ResetSlow();

  char* next_ = nullptr;
  char* end_ = nullptr;
  Chunk* current_ = nullptr;
  int64_t bytes_held_ = 0;
  int64_t limit_bytes_ = kNoLimit;
  Interrupts* interrupts_ = nullptr;
};

}  // namespace connbench::engine
