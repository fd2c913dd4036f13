// What one client thread counts. Every transaction and every connect attempt is counted when it
// begins and again when it ends, so that the identities all = ok + failed + skipped and attempts =
// sum of outcomes can fail if something is lost or counted twice.
//
// Two ledgers: the window's and the warm-up's; which one a transaction belongs to is decided when
// it begins. Slices (time series) take what ends, in warm-up and window alike.
//
// Safety: used by one thread; merged by another one after that thread has come to rest.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "harness/load/load_result.h"
#include "harness/stats/histogram.h"

namespace connbench::load {

// When a transaction of an open loop was to begin, and did. In a closed loop it is intended, seen
// and sent at once: only intended counts. A transaction that had to connect first was asked for
// before that: its request time counts from then.
struct TransactionStamps {
  MonotonicNs intended = 0;
  MonotonicNs wanted = 0;  // 0: it did not have to connect
  MonotonicNs sent = 0;    // 0: closed loop
  int64_t client_lag_ns = 0;

  MonotonicNs request_begin() const { return wanted != 0 ? wanted : intended; }
};

class Recorder {
 public:
  // origin: when slice 0 begins. max_phases: how many attempts are kept with all their stamps.
  // latency_limit_ns: what takes longer is counted as late; 0: nothing is.
  Recorder(MonotonicNs origin, size_t max_phases, int64_t latency_limit_ns = 0);

  // Which ledger counts from now on. window_begin: when the measured window opens, 0 if this phase
  // is none; slices are counted from there. window_end: what ends then or later is in no
  // throughput.
  void BeginPhase(bool record, MonotonicNs window_begin, MonotonicNs window_end);

  // Closed loop: it begins. Open loop: it was due.
  void TransactionBegun() { ++(recording_ ? all_ : warmup_all_); }
  // Open loop: its first statement is handed to the kernel.
  void TransactionSent(MonotonicNs sent);
  void TransactionOk(const TransactionStamps& stamps, MonotonicNs end);
  // Whose transaction it is: client is a number among this thread's, from 0.
  void ClientBegun(size_t client);
  void ClientOk(size_t client, MonotonicNs end);
  // It has something to ask from then on: a transaction, or the connection that it needs for one.
  void ClientAsks(size_t client, MonotonicNs when);
  // What it asked for it did not get: the transaction failed, or the connection for it.
  void RequestUnserved(size_t client, MonotonicNs wanted, MonotonicNs end);
  void TransactionFailed(MonotonicNs end, std::string_view code, std::string_view reason);
  void TransactionSkipped(SkipReason reason);
  void SetWaitingMax(size_t arrivals) { waiting_max_ = std::max(waiting_max_, arrivals); }

  // intended: when its schedule had it due, or kUnscheduled. again: it repeats one that failed.
  void ConnectBegun(MonotonicNs intended, MonotonicNs now, bool again);
  // Due by its schedule, but no client was free until the window had ended.
  void ConnectNotBegun();
  void ConnectEnded(const ConnectionPhases& phases, std::string_view sqlstate,
                    std::string_view reason, MonotonicNs now);
  void FirstRow(const ConnectionPhases& phases);
  void ConnectionLost(std::string_view reason, MonotonicNs now);
  // A connection is over: its stamps are complete.
  void KeepPhases(const ConnectionPhases& phases);
  void SetOpen(int64_t connections) { open_ = connections; }

  uint64_t transactions_ok() const { return ok_ + warmup_ok_; }
  uint64_t transactions_failed() const { return failed_ + warmup_failed_; }
  uint64_t connects_ok() const;

  // Adds this thread's counts to result. Slices are added up by finish_slices.
  void AddTo(LoadResult& result) const;

  struct SliceCounts {
    MonotonicNs begin = 0;
    bool in_window = false;
    uint64_t ok = 0;
    uint64_t failed = 0;
    uint64_t connects_ok = 0;
    uint64_t connects_failed = 0;
    int64_t open = 0;
    std::vector<std::pair<int64_t, uint64_t>> latencies;
  };
  // Closes the slice in progress.
  void FinishSlices();
  const std::vector<SliceCounts>& slices() const { return slices_; }

 private:
  void Roll(MonotonicNs now) {
    if (now >= slice_end_) StartSlice(now);
  }
  void StartSlice(MonotonicNs now);
  void NoteError(std::string_view reason);

  size_t max_phases_;
  int64_t latency_limit_ns_;
  bool recording_ = false;
  bool in_window_ = false;
  MonotonicNs window_end_ = kNoDeadline;

  uint64_t all_ = 0;
  uint64_t ok_ = 0;
  uint64_t failed_ = 0;
  std::array<uint64_t, kSkipReasons> skipped_{};
  uint64_t sent_in_window_ = 0;
  uint64_t late_ = 0;
  size_t waiting_max_ = 0;
  uint64_t ok_in_window_ = 0;
  double ok_share_at_end_ = 0;
  struct ClientCount {
    bool begun = false;      // a transaction in the window
    uint64_t ok = 0;         // of ok_in_window_
    MonotonicNs asks = 0;    // since when it has had something to ask; 0: never
    MonotonicNs served = 0;  // when its last request ended, at most the window's end
  };
  ClientCount& CountOf(size_t client);
  // How much of this time lies in the window.
  int64_t InWindow(MonotonicNs begin, MonotonicNs end) const;

  std::vector<ClientCount> clients_;
  std::map<std::string, uint64_t, std::less<>> errors_;
  uint64_t warmup_all_ = 0;
  uint64_t warmup_ok_ = 0;
  uint64_t warmup_failed_ = 0;
  stats::Histogram latency_;
  stats::Histogram request_;
  int64_t requests_in_window_ns_ = 0;
  int64_t unserved_in_window_ns_ = 0;
  stats::Histogram service_;
  stats::Histogram schedule_lag_;
  stats::Histogram client_lag_;

  uint64_t connects_all_ = 0;
  std::array<uint64_t, kConnectOutcomes> outcomes_{};
  std::map<std::string, uint64_t, std::less<>> connect_errors_;
  stats::Histogram connect_latency_;
  stats::Histogram unretried_latency_;
  stats::Histogram first_row_latency_;
  MonotonicNs first_connect_ = 0;
  MonotonicNs last_connect_ = 0;
  MonotonicNs last_ready_ = 0;
  uint64_t connects_ok_in_window_ = 0;
  uint64_t syn_retries_ = 0;
  uint64_t connects_retried_ = 0;
  uint64_t lost_ = 0;
  int64_t open_ = 0;
  std::vector<ConnectionPhases> phases_;
  uint64_t phases_dropped_ = 0;
  std::string first_error_;
  MonotonicNs last_end_ = 0;

  MonotonicNs grid_;  // where slices are counted from
  MonotonicNs slice_end_ = 0;
  SliceCounts slice_;
  stats::Histogram slice_latency_;
  std::vector<SliceCounts> slices_;
};

// Puts the slices of all threads together, in order. The window begins with a slice of its own, and
// its last one is cut where it ends: slices in the window add up to what ended in it. Before and in
// the window nothing is left out: a slice in which nothing happened has zeros.
std::vector<Slice> MergeSlices(const std::vector<const Recorder*>& recorders, MonotonicNs origin,
                               MonotonicNs window_begin);

}  // namespace connbench::load
