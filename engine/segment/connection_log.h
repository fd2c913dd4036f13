// The server's side of every connection's life: when each phase began, on CLOCK_MONOTONIC, keyed by
// the connection id that the client sees as "pid" in BackendKeyData. The load generator stamps its
// own side with the same clock, and the two are joined on the id. If asked for, each stamp also has
// the CPU clock of the thread that set it.
//
// Safety: lives in shared memory, a ring of entries; Begin() and Stamp() are wait-free and may be
// called by any thread of any process. Readers (observers in other processes) copy entries while
// they are written and check connection_id before and after; a torn entry is skipped and counted.
// When the ring has gone round, the oldest entries are gone: readers see that from their ids.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/segment/admission.h"

namespace connbench::engine {

enum class ConnectionPhase : uint8_t {
  kAccepted,    // accept() returned
  kDispatched,  // the model handed it on: before fork, pthread_create or the queue
  kStarted,     // the process, thread or worker that serves it runs its first instruction
  kAuthBegin,   // the startup packet is complete
  kAuthEnd,     // authenticated, or refused
  kReady,       // first ReadyForQuery handed to the socket
  kClosed,      // the session is gone
};
inline constexpr int kConnectionPhases = 7;

struct ConnectionLogEntry {
  std::atomic<uint32_t> connection_id{0};  // 0: never used
  std::atomic<int32_t> outcome_code{0};    // 0 served, otherwise a SQLSTATE packed base 36
  std::atomic<int64_t> phase_ns[kConnectionPhases];  // 0: not reached
};

// Who stamped a connection's phases, and how much CPU time that thread had used by then.
struct ConnectionCpuEntry {
  std::atomic<int64_t> cpu_ns[kConnectionPhases];
  std::atomic<uint32_t> thread[kConnectionPhases];
};

// A copy for readers.
struct ConnectionLogRecord {
  uint32_t connection_id = 0;
  std::string outcome;  // SQLSTATE, empty if served
  int64_t phase_ns[kConnectionPhases] = {};
  int64_t cpu_ns[kConnectionPhases] = {};   // of the thread of the same index
  uint32_t thread[kConnectionPhases] = {};  // 0: it was not asked for
};

class ConnectionLog {
 public:
  static int64_t ShmemSize(int64_t entries, bool with_cpu = false);
  void Init(int64_t entries, bool with_cpu = false);  // in the segment, by the supervisor

  // Gives the next connection id (1, 2, ... never 0) and stamps kAccepted.
  uint32_t Begin(MonotonicNs accepted_at);
  void Stamp(uint32_t connection_id, ConnectionPhase phase, MonotonicNs at);
  // The connection was refused or ended by the server before it was ready, with this SQLSTATE.
  void SetOutcome(uint32_t connection_id, std::string_view sqlstate);
  // When the connection reached the phase; 0: it has not, or the ring has gone round since.
  MonotonicNs PhaseAt(uint32_t connection_id, ConnectionPhase phase) const;
  // Whether kClosed has been stamped. False also if the ring has gone round since.
  bool Closed(uint32_t connection_id) const;
  Admission& admission() { return admission_; }
  // Number of ids given so far.
  uint32_t connections_begun() const { return next_id_.load(std::memory_order_acquire); }
  // Entries with id > after_id that are still in the ring, oldest first.
  std::vector<ConnectionLogRecord> Read(uint32_t after_id) const;

 private:
  std::atomic<uint32_t> next_id_{0};
  int64_t entries_ = 0;
  bool with_cpu_ = false;
  Admission admission_;
  ConnectionLogEntry* entry(uint32_t connection_id);  // the array follows this header
  const ConnectionLogEntry* entry(uint32_t connection_id) const;
  ConnectionCpuEntry& cpu_entry(uint32_t connection_id);  // only with_cpu_; this array follows that
  void StampCpu(uint32_t connection_id, ConnectionPhase phase);
};

}  // namespace connbench::engine
