// A bump arena: memory that is given back all at once, with a limit.
#include "engine/executor/arena.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace connbench::engine {

Arena& Arena::operator=(Arena&& other) noexcept {
  if (this == &other) return *this;
  Release();
  next_ = std::exchange(other.next_, nullptr);
  end_ = std::exchange(other.end_, nullptr);
  current_ = std::exchange(other.current_, nullptr);
  bytes_held_ = std::exchange(other.bytes_held_, 0);
  limit_bytes_ = other.limit_bytes_;
  interrupts_ = other.interrupts_;
  return *this;
}

void* Arena::AllocateSlow(size_t bytes, size_t alignment) {
  const size_t overhead = sizeof(Chunk) + alignment;
  if (bytes > static_cast<size_t>(INT64_MAX) - overhead) return nullptr;
  size_t chunk_bytes = kFirstChunkBytes;
  if (current_ != nullptr) chunk_bytes = std::min(current_->bytes * 2, kLargestChunkBytes);
  chunk_bytes = std::max(chunk_bytes, bytes + overhead);
  const int64_t room = limit_bytes_ - bytes_held_;
  if (static_cast<int64_t>(chunk_bytes) > room) {
    // The last chunk before the limit may be smaller than its turn.
    chunk_bytes = bytes + overhead;
    if (static_cast<int64_t>(chunk_bytes) > room) return nullptr;
  }
  auto* chunk = static_cast<Chunk*>(std::malloc(chunk_bytes));
  if (chunk == nullptr) return nullptr;
  chunk->previous = current_;
  chunk->bytes = chunk_bytes;
  current_ = chunk;
  bytes_held_ += static_cast<int64_t>(chunk_bytes);
  next_ = reinterpret_cast<char*>(chunk + 1);
  end_ = reinterpret_cast<char*>(chunk) + chunk_bytes;
  return Allocate(bytes, alignment);
}

void Arena::ResetSlow() {
  while (current_->previous != nullptr) {
    Chunk* previous = current_->previous;
    bytes_held_ -= static_cast<int64_t>(current_->bytes);
    std::free(current_);
    current_ = previous;
  }
  if (current_->bytes > kFirstChunkBytes) {
    Release();
    return;
  }
  next_ = reinterpret_cast<char*>(current_ + 1);
  end_ = reinterpret_cast<char*>(current_) + current_->bytes;
}

void Arena::Release() {
  while (current_ != nullptr) std::free(std::exchange(current_, current_->previous));
  next_ = nullptr;
  end_ = nullptr;
  bytes_held_ = 0;
}

Status Arena::OutOfMemory() const {
  return Status::Error(sqlstate::kOutOfMemory, "out of memory")
      .WithDetail(limit_bytes_ == kNoLimit
                      ? fmt::format("The system gave no more than {} bytes.", bytes_held_)
                      : fmt::format("The memory limit here is {} bytes.", limit_bytes_));
}

}  // namespace connbench::engine
