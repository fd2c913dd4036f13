// What the coordinator tells client threads: one plan after the other, the same for all threads of
// a group, and the settings that hold for the whole run.
//
// Safety: plain values; LiveCounts may be read by any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "harness/load/connection.h"
#include "harness/load/disturbance.h"
#include "harness/load/warmup_watch.h"
#include "harness/script/script.h"
#include "harness/workload/arrivals.h"
#include "harness/workload/backoff.h"
#include "harness/workload/workload.h"

namespace connbench::load {

struct Plan {
  enum class Kind : uint8_t {
    kPrepare,  // make the sockets
    kConnect,  // connect, each client once, until all are ready or have failed
    kReturn,   // wait until the connections are lost, then connect again until all are served
    kTraffic,  // run transactions on the open connections
    kChurn,    // connect, run a session's transactions, close, again
    kClose,    // close what is open
    kExit,     // end the thread
  };
  Kind kind = Kind::kExit;
  uint32_t first = 0;  // the clients concerned, numbered within the group: [first, last)
  uint32_t last = 0;
  bool record = false;                  // into the window's ledger
  MonotonicNs begin_at = 0;             // when it begins; 0: at once
  MonotonicNs window_begin = 0;         // the measured window opens then; 0: it does not
  MonotonicNs until = kNoDeadline;      // nothing begins after this
  int64_t transactions_per_client = 0;  // 0: no bound (kTraffic); kConnect: 0 just connects
  // kConnect, kChurn: when each connection is due; null: all at once, and for kChurn again as soon
  // as the last session has ended. kTraffic: when transactions are due; null: the loop is closed.
  // Outlives the plan.
  const ArrivalSpec* arrivals = nullptr;
  // kTraffic: the same for all threads.
  uint64_t arrival_seed = 0;
  MonotonicNs arrivals_begin = 0;
  // kTraffic, kChurn: told what ends, and may end the plan; null: nobody asks.
  WarmupWatch* warmup = nullptr;
  // kConnect: attempts under way at the same time, of this thread; 0: no bound.
  int64_t in_flight = 0;
  // kConnect: a client that failed tries again until `until`, after its backoff.
  bool retry = false;
  // This plan is what disturbs the victims; null: it is not.
  Disturbance* disturbance = nullptr;
};

// What all threads of a group of clients share; immutable while they run, but for the flag.
struct WorkerSettings {
  const ScriptSet* scripts = nullptr;
  const ConnectTarget* target = nullptr;
  ProtocolMode protocol = ProtocolMode::kSimple;
  uint64_t seed = 0;
  uint32_t first_client = 0;  // of the group, among all clients of the run
  int clients = 0;            // of the group
  int threads = 1;            // of the group
  size_t max_phases = 0;      // attempts that one thread keeps with all their stamps
  Backoff backoff;
  bool geometric_sessions = false;         // session lengths are drawn, with the plan's as the mean
  const Disturbance* disturbed = nullptr;  // these are its victims; null: no victims
  int64_t connect_timeout_ns = 60 * kNanosecondsPerSecond;
  int64_t statement_timeout_ns = 60 * kNanosecondsPerSecond;
  int64_t latency_limit_ns = 0;  // 0: none
  int64_t queue_limit = 0;       // open loop: arrivals that may wait for a connection, all threads
  MonotonicNs origin = 0;
  const std::atomic<bool>* stop = nullptr;
};

// Clients that had their first answer, of those that were to get one (kConnect with transactions,
// kReturn).
struct Served {
  uint64_t clients = 0;
  MonotonicNs last_ns = 0;        // when the last of them was
  MonotonicNs first_lost_ns = 0;  // kReturn: when the first connection was lost; 0: none was
};

// For progress lines.
struct LiveCounts {
  std::atomic<uint64_t> transactions_ok{0};
  std::atomic<uint64_t> transactions_failed{0};
  std::atomic<int64_t> open{0};
};

}  // namespace connbench::load
