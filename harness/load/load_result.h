// Everything one load run found out: a plain struct, and its file form. `connbench load` writes it
// with --result FILE, the harness reads it.
//
// Which transactions are counted: those that were asked for inside the measured window, every one
// of them, also when it ended after the window. all = ok + failed + skipped, and connect attempts =
// sum over outcomes; Check() asserts both. Throughput counts those that also ended inside the
// window, and of each that was under way when it closed the share of its time before that: with
// 1,000 clients, what is in flight then is several percent of a short window.
//
// How the harness synchronises with a load process (--control-fd N, one end of a socket pair; see
// control.h): where no workload is named on the command line, the harness first says the one to
// run, resolved. Then the load process writes lines
//     EVENT <name> <open connections> <CLOCK_MONOTONIC ns>
// and after each waits, doing nothing and keeping its connections open, until it reads one byte
// from the same descriptor; end of file there means that the harness is gone, and ends the run.
// Without --control-fd nothing is written and nothing waits. The events of each pattern, in order:
//     storm    begin (sockets made, none connected), held (all up, or ended), end, closed
//     churn    begin (warm-up over and drained), end, closed
//     steady   held (all up), begin (warm-up over and drained), end (drained), closed
//     idle     held (per step of the ladder), begin (the active ones have warmed up), end, closed
//     failover held (all up), begin, drop (make the server drop everyone, then answer),
//              end (all served again), closed
//     mixed    held (those that are up from the start), begin (warm-up over and drained), end,
//     closed
// Server CPU, switches and faults of the measured work are therefore those between begin and end;
// what it costs to close is between end and closed; memory is read at held and at end.
//
// Files: FILE is JSON with the histograms in sparse form; FILE.phases.csv has one row per connect
// attempt (at most kMaxPhaseRecords, the first ones; phases_dropped counts the rest).
//
// Safety: plain values. Errors: Read says which file and which field.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "harness/load/outcome.h"
#include "harness/stats/histogram.h"
#include "harness/workload/pattern.h"

namespace connbench::load {

inline constexpr int kLoadResultVersion = 4;
inline constexpr size_t kMaxPhaseRecords = 200'000;
// Why a transaction that was due was never sent. Open loop only.
enum class SkipReason : uint8_t {
  kLate,       // it would have begun later than the latency limit allows (pgbench's -R with -L)
  kQueueFull,  // too many were waiting already
  kUnsent,     // the run ended first
};
inline constexpr size_t kSkipReasons = 3;
inline constexpr std::array<std::string_view, kSkipReasons> kSkipReasonNames = {
    "late", "queue_full", "unsent"};

inline constexpr int64_t kSliceNs = 100 * kNanosecondsPerMillisecond;

// In place of an intended start: it began when it could.
inline constexpr MonotonicNs kUnscheduled = 0;

// One connect attempt. Stamps are CLOCK_MONOTONIC ns, 0: not reached.
struct ConnectionPhases {
  uint32_t client = 0;         // which client slot, from 0
  uint32_t connection_id = 0;  // pid of BackendKeyData; 0: none was received
  ConnectOutcome outcome = ConnectOutcome::kOk;
  bool in_window = false;  // began inside the measured window
  uint32_t syn_retries =
      0;  // segments sent again before it was ready: TCP's time, not the server's
  MonotonicNs intended_ns = kUnscheduled;  // when its schedule had it due
  MonotonicNs connect_begin_ns = 0;        // before connect() was called
  MonotonicNs connect_end_ns = 0;          // the kernel reported it established
  MonotonicNs startup_sent_ns = 0;         // StartupMessage handed to the kernel
  MonotonicNs authenticated_ns = 0;        // AuthenticationOk was read
  MonotonicNs ready_ns = 0;                // first ReadyForQuery was read
  MonotonicNs first_query_ns = 0;          // first statement handed to the kernel
  MonotonicNs first_row_ns = 0;            // first DataRow, or end of the first statement, was read
  MonotonicNs ended_ns = 0;                // closed by us, broken or given up

  // What its latency counts from.
  MonotonicNs due_ns() const {
    return intended_ns != kUnscheduled ? intended_ns : connect_begin_ns;
  }
};

// Transactions and connects that ended in one slice of kSliceNs; begins with the first event.
struct Slice {
  MonotonicNs begin_ns = 0;
  bool in_window = false;  // began inside the measured window
  uint64_t transactions_ok = 0;
  uint64_t transactions_failed = 0;
  uint64_t connects_ok = 0;
  uint64_t connects_failed = 0;
  int64_t connections_open = 0;  // at its end
  double latency_us_p50 = 0;     // of the transactions that ended in it
  double latency_us_p99 = 0;
  double latency_us_max = 0;
};

// What the first group of a mixed workload felt of the others; see disturbance.h.
struct VictimResult {
  MonotonicNs begin_ns = 0;  // the disturbance; 0: there was none
  MonotonicNs end_ns = 0;    // 0: the run ended first
  stats::Histogram before;   // transaction latency
  stats::Histogram during;
  stats::Histogram after;
  int64_t recovery_ns = 0;  // from its begin until the latency was calm again; see FindRecovery
  bool recovered = false;   // false: not within the window, and recovery_ns is a lower bound

  // Whether there are samples enough before and during it for a p99.
  bool carries_p99() const;
  // p99 during / p99 before; 0 where it is not known, because a sample does not carry a p99.
  double p99_inflation() const;
};

// A self-check of a closed loop: each client asks for one thing at a time, so that clients divided
// by throughput is the mean request time. Requests under way when the window closes count by their
// share in it, in both figures; so the only difference is time in which clients were neither
// served nor asking, and there should be none.
struct LittlesLaw {
  double clients = 0;  // that had something to ask, on average over the window
  double clients_over_throughput_ns = 0;
  double mean_request_ns = 0;
};

struct LoadResult {
  // What ran.
  std::string workload;
  Pattern pattern = Pattern::kSteady;
  std::string protocol_mode;  // simple, extended, prepared
  std::string server;         // host:port or socket path
  std::string server_version;
  int connections = 0;
  int threads = 0;
  uint64_t seed = 0;

  // The measured window.
  MonotonicNs run_begin_ns = 0;
  MonotonicNs window_begin_ns = 0;
  MonotonicNs window_end_ns = 0;
  MonotonicNs run_end_ns = 0;

  // Transactions that began in the window.
  uint64_t transactions_all = 0;
  uint64_t transactions_ok = 0;
  uint64_t transactions_failed = 0;
  uint64_t transactions_skipped = 0;       // due, never sent (open loop only)
  uint64_t transactions_ok_in_window = 0;  // of ok: those that also ended in it
  // Of ok: those that ended after it, each by the share of its time that lies in it.
  double transactions_ok_share_at_end = 0;
  uint64_t clients_begun = 0;     // clients that began one
  double clients_ok_squared = 0;  // ok_in_window of each client, squared, summed
  std::map<std::string, uint64_t> transaction_errors;  // SQLSTATE or client-side name -> count
  stats::Histogram transaction_latency;                // ok ones, from their intended start
  // The same from when the client asked for it: before connect() where it had to connect.
  stats::Histogram request_time;
  // The loop is closed: each client asks again as soon as it has its answer.
  bool closed_loop = false;
  int64_t requests_in_window_ns = 0;  // the parts of their times that lie in the window, summed
  int64_t unserved_in_window_ns = 0;  // of what was asked for and failed
  // From a client's first question to the end of its last request, within the window; all clients.
  int64_t clients_present_ns = 0;
  // Open loop, of the ok ones: latency = schedule lag + service time, transaction by transaction.
  // In a closed loop a transaction is intended for when it is sent, and these are empty; there
  // schedule_lag is that of connects, where they have a schedule.
  stats::Histogram service_time;  // from the actual send
  stats::Histogram schedule_lag;  // actual send - intended start, waiting for a connection included
  stats::Histogram client_lag;    // the part of it that is this client's: it came to look too late
  std::string rate;               // as it was asked for; empty: closed loop
  std::string arrival;
  int64_t latency_limit_ns = 0;    // 0: none
  uint64_t transactions_late = 0;  // of ok: those over the limit
  std::array<uint64_t, kSkipReasons> skipped_by_reason{};
  uint64_t transactions_sent_in_window = 0;
  bool client_realtime = false;  // the client's threads were let run before all ordinary ones
  uint64_t waiting_max = 0;  // most arrivals that waited for a free connection, summed over threads
  MonotonicNs last_transaction_end_ns = 0;
  // Warm-up, for the record; in none of the figures above.
  uint64_t warmup_transactions = 0;
  int64_t warmup_ns = 0;
  std::string warmup_state = "none";  // none, fixed, settled; unsettled: given up at its bound

  // Connect attempts that began in the window (storm and churn), or, where all connections are made
  // before the window (steady and idle), those.
  uint64_t connects_all = 0;
  std::array<uint64_t, kConnectOutcomes> connects_by_outcome{};
  std::map<std::string, uint64_t> connect_errors;  // SQLSTATE -> count, where one was given
  stats::Histogram connect_latency;                // ok ones: connect() called to ready
  stats::Histogram unretried_connect_latency;      // of them those without a SYN sent again
  stats::Histogram first_row_latency;  // connect() called to first row, where a query was sent
  MonotonicNs first_connect_ns = 0;    // the first connect() call of them
  MonotonicNs last_release_ns = 0;     // the last connect() call: minus first = skew of a storm
  MonotonicNs last_ready_ns = 0;       // the last that became ready
  uint64_t connects_ok_in_window = 0;  // of ok: those that also became ready in it
  uint64_t syn_retries = 0;
  uint64_t connects_retried = 0;  // of ok: those that had such a retry
  // Clients that were to have a first answer (storm, failover), those that had it, and how long it
  // took until the last of them did: from the first connect() or from the drop. 0: not all had it.
  uint64_t clients_to_serve = 0;
  uint64_t clients_served = 0;
  int64_t all_served_ns = 0;
  uint64_t connects_in_flight_max = 0;  // storm: called, and neither ready nor failed yet
  int64_t first_loss_ns = 0;            // failover: from the drop until the first client noticed
  // More connects at once than the listen queue takes, said beforehand: what it drops is then part
  // of the question, not a fault of the measurement.
  bool beyond_backlog = false;
  uint64_t connections_lost = 0;  // broke after they had been ready, against our will
  int64_t connections_held_max = 0;

  std::vector<ConnectionPhases> phases;
  uint64_t phases_dropped = 0;
  std::vector<Slice> slices;

  // Pattern mixed: all of the above is the first group's; here are the others, without phases and
  // slices of their own (connects of the slices are those of all groups).
  std::vector<LoadResult> groups;
  VictimResult victims;

  // The client itself, over the window.
  double client_cpu_fraction = 0;  // of the busiest thread
  std::vector<double> thread_cpu_fractions;
  int64_t client_cpu_ns = 0;  // all threads
  // For how long at most one of its threads did not come to look at its connections.
  int64_t client_stall_ns = 0;
  int64_t suspended_ns = 0;  // the machine slept meanwhile, which CLOCK_MONOTONIC does not count
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;

  bool interrupted = false;                  // Ctrl-C, or the harness went away
  std::string first_error;                   // the first failure in words, for people
  std::vector<std::string> warnings;         // what was said beforehand (preflight)
  std::vector<std::string> invalid_reasons;  // why this run measured its own client; empty: sound

  uint64_t connects_ok() const;
  uint64_t connects_failed() const { return connects_all - connects_ok(); }
  double window_seconds() const;
  double throughput_tps() const;
  // Jain's index over the clients' transactions of the window: 1 if all had as many, 1/n if one of
  // n had them all; 0 if there were none.
  double fairness() const;
  bool open_loop() const { return !rate.empty(); }
  // None for what is no closed loop, and where no request took any time.
  std::optional<LittlesLaw> littles_law() const;
  // Transactions due per second of the window; 0 in a closed loop.
  double offered_tps() const;
  // The share of those due in the window that was also sent in it; 1 in a closed loop.
  double sent_fraction() const;
  // Connects that became ready per second, from the first connect() to the last ready (storm) or
  // over the window (churn).
  double connects_per_s() const;

  // The identities. An error is a defect of the load generator.
  Status Check() const;
};

Status WriteLoadResult(const LoadResult& result, const std::string& path);
Result<LoadResult> ReadLoadResult(const std::string& path);

}  // namespace connbench::load
