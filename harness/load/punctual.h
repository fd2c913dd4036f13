// Threads that have to do something at an instant: keep to a schedule, release a crowd.
//
// Safety: acts on the calling thread alone. Where the process may not (it takes root, CAP_SYS_NICE
// or ulimit -r), it says so and changes nothing but the timers.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

namespace connbench::load {

// By default the kernel may be 50 us late with a timer to save a wake-up, and lets a thread that
// wakes up wait for those that run: on a busy machine for milliseconds, which is what the server is
// then blamed for. A thread that keeps to a schedule asks for neither, where it may: it mostly
// sleeps, and what it takes from the server is what its work costs. A closed loop must not do this:
// it would have every CPU to itself. Returns whether it may.
inline bool BePunctual() {
  prctl(PR_SET_TIMERSLACK, 1UL);
  sched_param parameters{};
  parameters.sched_priority = sched_get_priority_min(SCHED_FIFO);
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

inline void BeOrdinary() {
  prctl(PR_SET_TIMERSLACK, 0UL);  // 0: what it was at first
  const sched_param parameters{};
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameters);
}

}  // namespace connbench::load
