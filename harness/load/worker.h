// One client thread: an epoll loop over its share of the clients. The coordinator (generator.cc)
// hands it one plan after the other; a plan is over when every client concerned has come to rest,
// and between plans the thread sleeps while its connections stay open.
//
// Safety: Post, Wait and the counters may be used by the coordinator while the thread runs; all
// else belongs to the thread. Every wait has an end: connecting and statements have deadlines, and
// a raised stop flag ends a plan within kInterruptGraceNs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "harness/load/connection.h"
#include "harness/load/recorder.h"
#include "harness/load/schedule.h"
#include "harness/load/script.h"

namespace connbench::load {

inline constexpr int64_t kInterruptGraceNs = kNanosecondsPerSecond;
// After a failed attempt a churning client waits this long, so that a dead server is not hammered.
inline constexpr int64_t kReconnectPauseNs = 10 * kNanosecondsPerMillisecond;

struct Plan {
  enum class Kind : uint8_t {
    kPrepare,  // make the sockets
    kConnect,  // connect, all at once, until all are ready or have failed
    kTraffic,  // run transactions on the open connections
    kChurn,    // connect, run transactions_per_client, close, again
    kClose,    // close what is open
    kExit,     // end the thread
  };
  Kind kind = Kind::kExit;
  uint32_t first = 0;  // the clients concerned: [first, last)
  uint32_t last = 0;
  bool record = false;                  // into the window's ledger
  MonotonicNs window_begin = 0;         // the measured window opens with this plan; 0: it does not
  MonotonicNs until = kNoDeadline;      // nothing begins after this
  int64_t transactions_per_client = 0;  // 0: no bound (kTraffic); kConnect: 0 just connects
};

// What all threads of a run share; immutable while they run, but for the flag.
struct WorkerSettings {
  const ScriptSet* scripts = nullptr;
  ConnectTarget target;
  ProtocolMode protocol = ProtocolMode::kSimple;
  uint64_t seed = 0;
  int clients = 0;  // of all threads
  int threads = 1;
  int64_t connect_timeout_ns = 60 * kNanosecondsPerSecond;
  int64_t statement_timeout_ns = 60 * kNanosecondsPerSecond;
  MonotonicNs origin = 0;
  const std::atomic<bool>* stop = nullptr;
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
  int64_t open() const { return open_; }

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
  void RunLoop();
  void HandleBatch(int timeout_limit_ms);
  void Begin(Client& client);
  void StartConnect(Client& client);
  void Handle(Client& client, Connection::Event event);
  void Ready(Client& client);
  void Ended(Client& client);
  void BeginTransaction(Client& client, MonotonicNs now);
  void ContinueScript(Client& client, MonotonicNs now);
  void Send(Client& client, MonotonicNs now);
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
  std::vector<std::unique_ptr<Client>> clients_;
  ClosedLoop schedule_;
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
  int64_t pending_ = 0;  // clients of the plan that are not at rest
  int64_t open_ = 0;
  MonotonicNs next_sweep_ = 0;
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
