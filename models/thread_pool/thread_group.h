// One thread group of `thread-pool`: sessions that have something to do, and the workers that do
// it. The essay on how and why stands in thread_pool_model.cc.
//
// Tasks        A connection, or a listener with somebody waiting, is a task. It is idle (the kernel
//              watches its socket), queued, or served by one worker. The socket is registered with
//              epoll once, edge-triggered: no system call arms it again. An edge that comes while
//              the task is queued or served is noted, and the task runs once more.
// Priorities   Urgent tasks (sessions in a transaction) are served before the others. One that is
//              not urgent and has waited for the kickup time joins the end of the urgent queue.
// Workers      One of them at a time is the listener: it polls, and serves what it finds itself.
//              The others serve, are parked, or block in a statement. Workers that block, or serve
//              one task for longer than stall_limit, do not count against the limit of active
//              workers, so that there is always one to go on, up to max_workers threads.
//
// Safety: everything is guarded by one mutex, held for some tens of nanoseconds between two tasks
// and never while a task is served. Tasks are served without it, by one worker at a time.
#pragma once

#include <sys/epoll.h>

#include <boost/intrusive/set.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/segment/pool_accounts.h"

namespace connbench::models {

class ThreadGroup;

// What a worker serves.
class GroupTask {
 public:
  enum class Outcome : uint8_t {
    kIdle,   // nothing left to do until the socket says so, or wake_at() has come
    kAgain,  // there is more to do: to the end of the queue, so that others have their turn
    kDone,   // over: the group forgets the task and calls Retire()
  };

  virtual ~GroupTask() = default;

  // Runs without the group's mutex, on a worker's thread, with that worker's buffer.
  virtual Outcome Serve(class GroupWorker& worker, std::span<char> buffer) = 0;
  // The task stands in the queue behind `turns` - 1 others, 2 and then 1: a chance to ask for its
  // memory. Called with the mutex held, and may not change anything.
  virtual void Prefetch(int /*turns*/) const {}
  // When the task wants to run although its socket is silent; asked after Serve().
  virtual MonotonicNs wake_at() const = 0;
  // Served before others: asked after Serve().
  virtual bool urgent() const = 0;
  // Asks the task to end; it is served at least once more. Called with the mutex held, must not
  // block.
  virtual void RequestStop() = 0;
  // Whose connection it is; 0: nobody's.
  virtual uint32_t connection_id() const { return 0; }

 private:
  friend class ThreadGroup;
  enum class State : uint8_t { kIdle, kQueued, kServed, kDone };

  State state_ = State::kIdle;
  int watched_fd_ = -1;  // its descriptor, if that outlives the task
  uint8_t looks_ = 0;    // how often it is to be served again: edges came meanwhile
  bool urgent_ = false;
  MonotonicNs ready_at_ = 0;                        // when it was queued
  const class GroupWorker* last_worker_ = nullptr;  // compared only
  MonotonicNs timer_at_ = 0;                        // when its timer, if it is linked, is due
  boost::intrusive::set_member_hook<> timer_hook_;
  GroupTask* next_ = nullptr;  // in a queue
  std::list<std::unique_ptr<GroupTask>>::iterator self_;
};

// A thread of the group. What it is doing is the group's business.
class GroupWorker {
 public:
  explicit GroupWorker(ThreadGroup& group) : group_(group) {}
  ThreadGroup& group() { return group_; }

 private:
  friend class ThreadGroup;
  friend class BlockedScope;
  enum class State : uint8_t { kActive, kPolling, kParked, kBlocked };

  ThreadGroup& group_;
  State state_ = State::kActive;
  bool stalled_ = false;          // active for too long: does not count as active
  MonotonicNs now_ = 0;           // its last look at the clock
  MonotonicNs turn_begun_ = 0;    // of the task that it serves
  MonotonicNs blocked_ns_ = 0;    // in it
  uint64_t served_ = 0;           // tasks begun
  uint64_t served_seen_ = 0;      // by the monitor
  MonotonicNs seen_since_ = 0;    // when the monitor first saw that number
  std::condition_variable wake_;  // for state_ kParked
  std::list<GroupWorker>::iterator self_;
};

// Says for how long a worker blocks in the middle of a task, so that another one can take its
// place. Used on that worker's thread.
class BlockedScope {
 public:
  explicit BlockedScope(GroupWorker& worker);
  ~BlockedScope();
  BlockedScope(const BlockedScope&) = delete;
  BlockedScope& operator=(const BlockedScope&) = delete;

 private:
  GroupWorker& worker_;
  const MonotonicNs begun_;
};

struct GroupLimits {
  int workers = 1;      // active at the same time
  int max_workers = 1;  // threads at all, at least workers + 1
  size_t stack_bytes = 0;
  MonotonicNs stall_limit_ns = 0;
  // What is not urgent and has waited for so long is urgent.
  MonotonicNs kickup_ns = kNanosecondsPerSecond;
  // A worker more than `workers` that had nothing to do for this long ends.
  MonotonicNs surplus_life_ns = 10 * kNanosecondsPerSecond;
};

// For observers and tests.
struct GroupCounters {
  uint64_t served = 0;
  uint64_t polls = 0;
  uint64_t workers_created = 0;
  uint64_t stalls = 0;   // tasks that took longer than stall_limit
  uint64_t wakeups = 0;  // parked workers woken
  uint64_t kickups = 0;  // tasks that became urgent by waiting
  int threads = 0;       // now
};

class ThreadGroup {
 public:
  // How often Monitor() wants to be called while the group is busy.
  static constexpr MonotonicNs kMonitorPeriodNs = kNanosecondsPerMillisecond;

  // account: where it keeps account of the tasks; null: nowhere.
  explicit ThreadGroup(const GroupLimits& limits, engine::PoolAccount* account = nullptr);
  // Everything must have ended: see EndWorkers().
  ~ThreadGroup();
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  // Makes the epoll set and the first worker. 58000 if the machine refuses.
  Status Start();

  // Any thread. Takes the task over and watches its socket; exclusive: a listener at which other
  // groups wait, too.
  Status Add(std::unique_ptr<GroupTask> task, int fd, bool exclusive = false);

  // To be called every kMonitorPeriodNs: looks for stalled workers and for work that nobody does.
  // False: the group is idle and need not be looked at until monitor_fd() is readable.
  bool Monitor();
  int monitor_fd() const { return monitor_fd_; }

  // Any thread. Asks the tasks of those connections to end.
  void RequestStopOf(const std::function<bool(uint32_t connection_id)>& chosen);
  // The three steps of the end, on the thread that calls Monitor(): asks every task to end, also
  // those that are added later; waits until there is none; ends the workers, when nobody can add
  // another.
  void BeginStop();
  void AwaitTasks();
  void EndWorkers();

  GroupCounters counters() const;

 private:
  friend class BlockedScope;
  using Lock = MutexLock;

  static void* WorkerMain(void* argument) noexcept;
  void Work(GroupWorker& worker);
  // The next task for this worker; null: the worker must end.
  GroupTask* Next(Lock& lock, GroupWorker& worker) CONNBENCH_REQUIRES(mutex_);
  // Gives the lock back while it waits, which is not seen through a reference.
  void Poll(Lock& lock, GroupWorker& worker)
      CONNBENCH_REQUIRES(mutex_) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;
  bool Park(Lock& lock, GroupWorker& worker) CONNBENCH_REQUIRES(mutex_);
  void Release(GroupWorker& worker, GroupTask& task, GroupTask::Outcome outcome,
               MonotonicNs wake_at, bool urgent) CONNBENCH_REQUIRES(mutex_);

  void Enqueue(GroupTask& task, MonotonicNs now) CONNBENCH_REQUIRES(mutex_);
  void Append(GroupTask& task, bool urgent) CONNBENCH_REQUIRES(mutex_);
  GroupTask* Pop(MonotonicNs now) CONNBENCH_REQUIRES(mutex_);
  void KickUp(MonotonicNs now) CONNBENCH_REQUIRES(mutex_);
  void TakeUp(GroupWorker& worker, GroupTask& task) CONNBENCH_REQUIRES(mutex_);
  bool QueueEmpty() const CONNBENCH_REQUIRES(mutex_) {
    return queues_[0].head == nullptr && queues_[1].head == nullptr;
  }
  void SetTimer(GroupTask& task, MonotonicNs at) CONNBENCH_REQUIRES(mutex_);
  void RunTimers(MonotonicNs now) CONNBENCH_REQUIRES(mutex_);
  void Forget(GroupTask& task) CONNBENCH_REQUIRES(mutex_);
  void StopTask(GroupTask& task) CONNBENCH_REQUIRES(mutex_);
  void BuryDead() CONNBENCH_REQUIRES(mutex_);

  void SetActive(GroupWorker& worker) CONNBENCH_REQUIRES(mutex_);
  void SetInactive(GroupWorker& worker, GroupWorker::State state) CONNBENCH_REQUIRES(mutex_);
  void HandOverIfLong() CONNBENCH_REQUIRES(mutex_);
  void WakeOrCreateWorker() CONNBENCH_REQUIRES(mutex_);
  Status CreateWorker() CONNBENCH_REQUIRES(mutex_);
  void WakePoller() const;

  struct Queue {
    GroupTask* head = nullptr;
    GroupTask* tail = nullptr;
  };

  const GroupLimits limits_;
  engine::PoolAccount* const account_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;     // wakes the poller
  int monitor_fd_ = -1;  // wakes the monitor

  mutable Mutex mutex_;
  std::list<std::unique_ptr<GroupTask>> tasks_ CONNBENCH_GUARDED_BY(mutex_);
  std::list<std::unique_ptr<GroupTask>> dead_
      CONNBENCH_GUARDED_BY(mutex_);               // the poller may still hold their events
  Queue queues_[2] CONNBENCH_GUARDED_BY(mutex_);  // [1]: urgent
  int64_t queued_ CONNBENCH_GUARDED_BY(mutex_) = 0;
  // A part of the tasks themselves, so that there is always memory for a timer.
  struct DueFirst {
    bool operator()(const GroupTask& a, const GroupTask& b) const {
      return a.timer_at_ < b.timer_at_;
    }
  };
  boost::intrusive::multiset<
      GroupTask, boost::intrusive::compare<DueFirst>,
      boost::intrusive::member_hook<GroupTask, decltype(GroupTask::timer_hook_),
                                    &GroupTask::timer_hook_>>
      timers_ CONNBENCH_GUARDED_BY(mutex_);

  std::list<GroupWorker> workers_ CONNBENCH_GUARDED_BY(mutex_);
  std::vector<GroupWorker*> parked_
      CONNBENCH_GUARDED_BY(mutex_);              // the last to park is the first to be woken
  int active_ CONNBENCH_GUARDED_BY(mutex_) = 0;  // workers that run and are not stalled
  bool polling_ CONNBENCH_GUARDED_BY(mutex_) = false;
  MonotonicNs poll_until_ CONNBENCH_GUARDED_BY(mutex_) = 0;  // when the poller wakes by itself
  MonotonicNs polled_at_ CONNBENCH_GUARDED_BY(mutex_) = 0;   // when the last poll returned
  bool stopping_ CONNBENCH_GUARDED_BY(mutex_) = false;       // tasks are asked to end
  bool exiting_ CONNBENCH_GUARDED_BY(mutex_) = false;        // so are the workers
  std::condition_variable changed_;                          // tasks_ or workers_ have become empty

  uint64_t served_ CONNBENCH_GUARDED_BY(mutex_) = 0;
  uint64_t served_at_poll_ CONNBENCH_GUARDED_BY(mutex_) = 0;
  int64_t task_ns_ CONNBENCH_GUARDED_BY(mutex_) = 0;  // moving average of what a task takes
  uint64_t polls_ CONNBENCH_GUARDED_BY(mutex_) = 0;
  uint64_t polls_seen_ CONNBENCH_GUARDED_BY(mutex_) = 0;  // by the monitor
  int idle_looks_ CONNBENCH_GUARDED_BY(mutex_) = 0;       // of the monitor, in a row
  bool monitor_asleep_ CONNBENCH_GUARDED_BY(mutex_) = false;
  bool full_reported_ CONNBENCH_GUARDED_BY(mutex_) = false;
  GroupCounters counters_ CONNBENCH_GUARDED_BY(mutex_);
};

}  // namespace connbench::models
