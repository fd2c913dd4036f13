// One client thread: an epoll loop over its share of the clients of one group. Groups have threads
// of their own, so that the release of a storm does not delay the victims' answers within one loop.
// The coordinator (generator.cc) hands a thread one plan after the other; a plan is over when every client concerned has come to rest,
// and between plans the thread sleeps while its connections stay open.
//
// Safety: Post, Wait and the counters may be used by the coordinator while the thread runs; all
// else belongs to the thread. Every wait has an end: connecting and statements have deadlines, and
// a raised stop flag ends a plan within kInterruptGraceNs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "harness/load/arrivals.h"
#include "harness/load/backoff.h"
#include "harness/load/connection.h"
#include "harness/load/disturbance.h"
#include "harness/load/open_loop.h"
#include "harness/load/recorder.h"
#include "harness/load/script.h"
#include "harness/load/send_batch.h"
#include "harness/load/ticker.h"
#include "harness/load/wake_lead.h"
#include "harness/load/warmup_watch.h"

namespace connbench::load {

inline constexpr int64_t kInterruptGraceNs = kNanosecondsPerSecond;
// Sessions of an open-loop churn that wait for a free client, per thread; those beyond count as
// not begun at once.
inline constexpr size_t kMaxWaitingSessions = 1'000'000;

// Open loop: what was due in a phase and still waits for a connection when it ends is sent for so
// long; the rest is skipped.
inline constexpr int64_t kMaxDrainNs = 2 * kNanosecondsPerSecond;

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

class Worker {
 public:
  Worker(const WorkerSettings& settings, int number);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Makes the epoll set and starts the thread.
  Status Start();
  void Post(const Plan& plan);
  // Whether the plan is over; waits at most this long.
  bool WaitDone(int64_t timeout_ns);

  // While at rest.
  const Recorder& recorder() const { return recorder_; }
  Recorder& recorder() { return recorder_; }
  const TrafficBytes& bytes() const { return bytes_; }
  // Of the last plan.
  double cpu_fraction() const { return cpu_fraction_; }
  int64_t cpu_ns() const { return cpu_ns_; }
  // For how long at most it did not come to look at its connections.
  int64_t stall_ns() const { return stall_ns_; }
  int64_t open() const { return open_; }
  const Served& served() const { return served_; }
  const VictimLedger* victims() const { return victims_.get(); }
  // Whether the last open loop ran with real-time priority.
  bool realtime() const { return realtime_; }
  // Whether it sends the statements of a closed loop together.
  bool batches() const { return batch_ != nullptr; }

  const LiveCounts& live() const { return live_; }

 private:
  struct Client;
  struct Timer {
    MonotonicNs at;
    uint32_t client;
    uint64_t generation;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  void Main();
  void Execute(const Plan& plan);
  void AwaitBegin();
  void Begin(Client& client);
  void HandleBatch(int64_t timeout_limit_ns);
  void PollOnce(int64_t timeout_limit_ns);
  // Connecting (worker_connects.cc).
  void BeginConnects(size_t first, size_t last);
  void StartDueConnects(MonotonicNs now);
  void ReleaseConnects(MonotonicNs now);
  void StartDueSessions(MonotonicNs now);
  void EndSchedule();
  MonotonicNs NextConnectDue() const;
  void StartConnect(Client& client, MonotonicNs intended);
  bool ComesBack(const Client& client, MonotonicNs now) const;
  void ComeBackLater(Client& client, MonotonicNs now);
  void SessionEnded(Client& client, MonotonicNs now);
  void ClientServed(Client& client, MonotonicNs now);
  void Handle(Client& client, Connection::Event event);
  void Ready(Client& client);
  void Ended(Client& client);
  void BeginTransaction(Client& client, MonotonicNs now);
  void StartOpenLoop(size_t first, size_t last);
  void Dispatch();
  void BeginArrival(Client& client, const OpenLoop::Arrival& arrival, MonotonicNs now);
  void StampSent(Client& client);
  void MakeFree(Client& client);
  void SkipWaiting();
  void RestFree();
  MonotonicNs NextScheduled(MonotonicNs now) const;
  void EndOpenLoop();
  void EndPlanAt(MonotonicNs until);
  void ContinueScript(Client& client, MonotonicNs now);
  void Send(Client& client, MonotonicNs now);
  void SendTogether();
  void CommandDone(Client& client);
  void FinishTransaction(Client& client, MonotonicNs now);
  void FailTransaction(Client& client, MonotonicNs now, std::string_view code,
                       std::string_view reason);
  void CloseClient(Client& client, MonotonicNs now);
  void Rest(Client& client);
  void SetTimer(Client& client, MonotonicNs at);
  void FireTimers(MonotonicNs now);
  void Sweep(MonotonicNs now);
  void Expire(Client& client, MonotonicNs now, bool interrupted);
  bool StopRequested() const;
  void Publish();

  const WorkerSettings& settings_;
  const int number_;
  int epoll_fd_ = -1;
  Ticker ticker_;  // so that sweeps come also where nothing else happens
  std::vector<std::unique_ptr<Client>> clients_;
  WakeLead wake_lead_;
  std::unique_ptr<OpenLoop> loop_;  // of a plan with arrivals
  // Closed loop: what the events of one round have to send; null: each sends for itself.
  std::unique_ptr<SendBatch> batch_;
  bool collecting_ = false;  // statements go into the batch
  bool realtime_ = false;
  Recorder recorder_;
  TrafficBytes bytes_;
  LiveCounts live_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<char> buffer_;
  // Scratch for building a statement.
  std::string sql_;
  std::string parameter_text_;
  std::vector<std::pair<size_t, int32_t>> parameter_places_;
  std::vector<protocol::WireValue> parameters_;

  Plan plan_;
  MonotonicNs plan_begin_ = 0;
  int64_t pending_ = 0;     // clients of the plan that are not at rest
  int64_t connecting_ = 0;  // attempts under way
  int64_t open_ = 0;
  Served served_;
  std::unique_ptr<VictimLedger> victims_;
  // Connections that the plan has still to begin: clients_[next_connect_, end_connect_), or, in an
  // open-loop churn, sessions that come at their instants and take whichever client is free.
  size_t next_connect_ = 0;
  size_t end_connect_ = 0;
  std::optional<Arrivals> arrivals_;
  MonotonicNs next_arrival_ = kNoDeadline;
  bool sessions_arrive_ = false;
  std::vector<Client*> free_;
  std::deque<MonotonicNs> waiting_sessions_;  // their intended starts
  MonotonicNs next_sweep_ = 0;
  int64_t stall_ns_ = 0;
  MonotonicNs interrupted_at_ = 0;
  double cpu_fraction_ = 0;
  int64_t cpu_ns_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool has_plan_ = false;
  Plan posted_;
  std::thread thread_;
};

}  // namespace connbench::load
