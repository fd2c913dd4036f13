// The interrupt point of leaf functions: where a computation that takes long looks whether its
// statement has been cancelled, has timed out or must end, and lets other sessions of its thread
// run.
//
// Leaf functions know no session. They allocate in an arena, and the session's arenas carry its
// Interrupts; arenas of tests and of tools carry none, and never interrupt.
// Passes that only copy, compare or count bytes run at the speed of memory and need no such point.
//
// Safety: private memory of one session, used by the thread that runs it. No latch or pin is held
// where a leaf function runs.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace connbench::engine {

class Interrupts {
 public:
  virtual ~Interrupts() = default;
  // After some 0.1 ms of work: 57014, 57P01 (fatal), or ok after others had their turn.
  virtual Status PollInterrupts() { return Status::Ok(); }
};

// Whether an error asks the statement to end rather than saying that its work failed: such an error
// must reach the client, not be taken for the result of an expression.
inline bool IsInterrupt(const Status& status) {
  return !status.ok() && (status.code() == sqlstate::kQueryCanceled || status.error().fatal);
}

// Counts the work of one call.
class WorkMeter {
 public:
  static constexpr int64_t kStepsPerPoll = 100'000;

  explicit WorkMeter(Interrupts* interrupts) : interrupts_(interrupts) {}

  // One step is about a nanosecond's work.
  Status Spend(int64_t steps) {
    steps_ += steps;
    if (steps_ < kStepsPerPoll) [[likely]]
      return Status::Ok();
    steps_ = 0;
    return interrupts_ == nullptr ? Status::Ok() : interrupts_->PollInterrupts();
  }

 private:
  Interrupts* interrupts_;
  int64_t steps_ = 0;
};

}  // namespace connbench::engine
