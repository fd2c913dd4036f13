// What a connection cost in CPU time, phase by phase, from the CPU clocks that the server's stamps
// carry (connection_phase_cpu=on).
//
// A thread's CPU clock says what the thread has used, not for whom. What lies between two stamps of
// one thread, one after the other, is a connection's if the thread had no other one meanwhile:
//
//   from a connection's stamp to its next one        the phase that ends there
//   from handing one over to accepting the next      `start` of the first: fork or pthread_create,
//                                                    and collecting those that have ended
//   from a thread's birth, or from its last          `start` of the connection that it begins to
//   connection's end, to a connection's start        serve: its own half of being started or woken
//
// Everything else is nobody's: an event loop or a worker that has several connections open at the
// same time runs their statements between the stamps of one, and the log does not say how many.
// Such phases have no sample. What comes after the last stamp (a process's exit), and accepting in
// a process that serves what it accepts, is in none.
//
// Safety: pure function.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/segment/connection_log.h"

namespace connbench::observe {

// The phases of side "cpu", in their order.
enum class CpuPhase : uint8_t {
  kDispatch,       // until kDispatched
  kStart,          // until kStarted, on both sides of the hand-over
  kStartupPacket,  // until kAuthBegin
  kAuthentication,
  kSession,  // until kReady
  kServed,   // until kClosed: its statements, and closing it
};
inline constexpr int kCpuPhases = 6;

struct ConnectionCpu {
  // -1: it cannot be told.
  int64_t used_ns[kCpuPhases] = {-1, -1, -1, -1, -1, -1};
};

// By connection id. Connections without any figure are left out.
std::unordered_map<uint32_t, ConnectionCpu> AttributeCpu(
    const std::vector<engine::ConnectionLogRecord>& log);

}  // namespace connbench::observe
