// What segment_test and the program it starts share. Safety: lives in shared memory.
#pragma once

#include <cstdint>

#include "engine/segment/latch.h"

namespace connbench::engine {

struct SegmentTestPart {
  static constexpr uint64_t kMagic = 0x5ca1ab1e;
  static constexpr int kRounds = 20000;

  uint64_t magic = kMagic;
  Latch latch;
  int64_t counter = 0;  // guarded by latch
};

}  // namespace connbench::engine
