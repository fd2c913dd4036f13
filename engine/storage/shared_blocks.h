// The blocks of a heap that several scans share: each takes the next few that nobody has taken
// (PostgreSQL: parallel-aware sequential scan).
//
// Safety: shared memory; any number of sessions, threads and processes at once. Who shares the
// blocks keeps it alive until all have ended.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>

#include "engine/storage/storage_types.h"

namespace connbench::engine {

struct SharedBlocks {
  // Few enough that all end at about the same time, many enough that the counter stays cheap.
  static constexpr BlockNumber kMostAtOnce = 32;
  static constexpr BlockNumber kShares = 256;

  // Before others see it. block_count: those that the scan reads.
  void Begin(BlockNumber block_count) {
    end = block_count;
    chunk = std::clamp<BlockNumber>(block_count / kShares, 1, kMostAtOnce);
    next.store(0, std::memory_order_relaxed);
  }
  // The next blocks, [first, last); false: none is left.
  bool Take(BlockNumber& first, BlockNumber& last) {
    // Past the end it may go on counting, once for each scan.
    const uint64_t taken = next.fetch_add(chunk, std::memory_order_relaxed);
    if (taken >= end) return false;
    first = static_cast<BlockNumber>(taken);
    last = std::min<BlockNumber>(end, first + chunk);
    return true;
  }

  std::atomic<uint64_t> next{0};
  BlockNumber end = 0;
  BlockNumber chunk = 1;
};
static_assert(std::is_trivially_destructible_v<SharedBlocks>);

}  // namespace connbench::engine
