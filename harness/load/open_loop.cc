// One client thread's side of an open loop.
#include "harness/load/open_loop.h"

#include <algorithm>

namespace connbench::load {

OpenLoop::OpenLoop(Arrivals arrivals, MonotonicNs begin, const Limits& limits)
    : arrivals_(arrivals), begin_(begin), limits_(limits) {
  Advance();
}

void OpenLoop::Advance() {
  next_due_ = kNoDeadline;
  if (limits_.arrivals <= 0) return;
  const int64_t offset = arrivals_.Next();
  if (offset >= limits_.until - begin_) return;
  next_due_ = begin_ + offset;
}

bool OpenLoop::TakeDue(MonotonicNs now) {
  const MonotonicNs intended = next_due_;
  --limits_.arrivals;
  Advance();
  if (waiting_.size() >= limits_.queue) return false;
  waiting_.push_back({intended, now});
  waiting_max_ = std::max(waiting_max_, waiting_.size());
  return true;
}

void OpenLoop::EndAt(MonotonicNs until) {
  limits_.until = std::min(limits_.until, until);
  if (next_due_ >= limits_.until) {
    next_due_ = kNoDeadline;
    limits_.arrivals = 0;
  }
}

uint32_t OpenLoop::TakeFree() {
  const uint32_t client = free_.front();
  free_.pop_front();
  return client;
}

OpenLoop::Arrival OpenLoop::TakeWaiting() {
  const Arrival arrival = waiting_.front();
  waiting_.pop_front();
  return arrival;
}

}  // namespace connbench::load
