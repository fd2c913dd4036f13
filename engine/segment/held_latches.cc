// A thread's list of held latches, in builds with assertions.
#include "engine/segment/held_latches.h"

#ifdef CONNBENCH_ASSERTIONS

#include <algorithm>
#include <array>

#include "engine/segment/latch.h"

namespace connbench::engine {
namespace {

// All lock partitions (the deadlock detector takes them together), and some pages.
constexpr int kMaxHeldLatches = 64;

struct Held {
  const Latch* latch = nullptr;
  LatchMode mode = LatchMode::kShared;
};

thread_local std::array<Held, kMaxHeldLatches> held_latches;
thread_local int held_count = 0;

const Held* Find(const Latch& latch) {
  const Held* const begin = held_latches.data();
  const Held* const end = begin + held_count;
  const Held* found =
      std::find_if(begin, end, [&](const Held& held) { return held.latch == &latch; });
  return found == end ? nullptr : found;
}

}  // namespace

void CheckLatchOrder(const Latch& latch) {
  for (int i = 0; i < held_count; ++i) {
    const Latch& other = *held_latches[i].latch;
    CONNBENCH_ASSERT(&other != &latch, "a thread takes no latch twice, not even shared");
    if (latch.rank() == LatchRank::kPage || other.rank() == LatchRank::kPage) continue;
    CONNBENCH_ASSERT(
        other.rank() < latch.rank() || (other.rank() == latch.rank() && &other < &latch),
        "latches are taken in the order of engine/transaction/README.md");
  }
}

void NoteLatchTaken(const Latch& latch, LatchMode mode) {
  CONNBENCH_ASSERT(held_count < kMaxHeldLatches, "a thread holds few latches");
  held_latches[held_count++] = {&latch, mode};
}

void NoteLatchGivenBack(const Latch& latch) {
  const Held* found = Find(latch);
  CONNBENCH_ASSERT(found != nullptr, "the thread that locked a latch unlocks it");
  held_latches[found - held_latches.data()] = held_latches[--held_count];
}

bool HoldsLatch(const Latch& latch, LatchMode mode) {
  const Held* found = Find(latch);
  return found != nullptr && (mode == LatchMode::kShared || found->mode == LatchMode::kExclusive);
}

int HeldLatchCount() { return held_count; }

}  // namespace connbench::engine

#endif
