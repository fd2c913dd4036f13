// The latches that the calling thread holds: what assertions about latches ask. Only in builds with
// assertions (base/assert.h); in the release build each call is empty.
//
// Checked at each lock: a thread takes no latch twice, takes latches in the order of LatchRank
// (engine/transaction/README.md), and holds at most kMaxHeldLatches.
//
// Safety: private to a thread. A fiber holds no latch when it parks, so that it may go on
// elsewhere.
#pragma once

#include "base/assert.h"

namespace connbench::engine {

class Latch;

enum class LatchMode : unsigned char { kShared, kExclusive };

#ifdef CONNBENCH_ASSERTIONS
// Before a thread waits for the latch: a breach is then a message instead of a deadlock.
void CheckLatchOrder(const Latch& latch);
void NoteLatchTaken(const Latch& latch, LatchMode mode);
void NoteLatchGivenBack(const Latch& latch);
// Shared at least; exclusive if mode says so.
bool HoldsLatch(const Latch& latch, LatchMode mode);
int HeldLatchCount();
#else
inline void CheckLatchOrder(const Latch& /*latch*/) {}
inline void NoteLatchTaken(const Latch& /*latch*/, LatchMode /*mode*/) {}
inline void NoteLatchGivenBack(const Latch& /*latch*/) {}
inline bool HoldsLatch(const Latch& /*latch*/, LatchMode /*mode*/) { return true; }
inline int HeldLatchCount() { return 0; }
#endif

}  // namespace connbench::engine
