// One thread that serves many tasks: it waits for news, and runs what has some, one after the
// other. A task that must wait for something else than its socket parks its fiber, and the loop
// goes on.
//
// Sockets      How news comes, and how bytes move, is what derived classes differ in: EpollLoop
//              asks which sockets are ready and calls recv() and send(); UringLoop hands the kernel
//              the calls themselves. Tasks reach theirs through models/loop/loop_socket.h.
// Stacks       Idle tasks have none. Each Serve() runs on a fiber from a small pool, nearly always
//              the same, warm one; a task that parks keeps its fiber until it has finished.
// Slices       A statement that computes for longer than kSliceNs parks itself at the end of the
//              run queue when the engine lets it (Waiter::Yield), so that nobody, not even the
//              client that wants to cancel it, waits for its end.
// Locks        A task that waits for a lock is rung from any thread or process, by the loop's event
//              descriptor; the loop then looks through those who wait.
// Reads        With io_method=io_uring the kernel writes to the same descriptor when it has read a
//              page, and the loop ends the read before it looks (engine::ThreadIo). It does not end
//              while a read is under way.
//
// Safety: one thread makes, runs and destroys it; only RequestStop() and
// RequestSweep() may be called by others.
// Bounds: a task has one place in the run queue, one timer and at most one fiber; kSpareFibers idle
// fibers are kept.
#pragma once

#include <boost/intrusive/set.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/segment/pool_accounts.h"
#include "engine/segment/wakeup.h"
#include "models/loop/fiber.h"
#include "models/loop/loop_socket.h"
#include "models/loop/loop_task.h"

namespace connbench::models {

// For how long one task may keep the others of its loop waiting, if the engine lets it yield.
inline constexpr MonotonicNs kSliceNs = kNanosecondsPerMillisecond;

// For observers and tests.
struct LoopCounters {
  uint64_t polls = 0;
  uint64_t served = 0;
  uint64_t parks = 0;
  uint64_t yields = 0;
  size_t most_fibers = 0;  // at the same time
};

class EventLoop {
 public:
  // event_fd is an eventfd that does not block, valid in every process that may ring a session of
  // this loop, and outlives the loop.
  EventLoop(size_t stack_bytes, int event_fd);
  virtual ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  virtual Status Open() = 0;
  // Where the loop keeps account of its turns, each a task's run until it has finished or parks;
  // null: nowhere. One look at the clock for each, and one for each poll.
  void set_account(engine::PoolAccount* account) { account_ = account; }
  // Runs until RequestStop() and then until every task is done.
  void Run();
  // Any thread: asks every task to end.
  void RequestStop();
  // Any thread: asks those tasks to end that say that they must.
  void RequestSweep();
  bool stopping() const { return stop_requested_.load(std::memory_order_acquire); }

  // A connected socket, whose news has the task served from now on. After an error the socket is
  // still the caller's.
  virtual Result<LoopSocketHandle> OpenSocket(LoopTask& task, int fd) = 0;
  // A listener, at which other loops may wait, too.
  virtual Result<LoopListenerHandle> OpenListener(LoopTask& task, const Listener& listener) = 0;
  // Throws std::bad_alloc, and destroys the task, when there is no memory for another.
  void Adopt(std::unique_ptr<LoopTask> task);

  // --- for the task that is being served, on its fiber ---

  // Sleeps until Wake(), or until the deadline has passed (false).
  bool Park(MonotonicNs deadline);
  // Lets the others run first, if the slice is used up.
  void YieldIfLong();
  // What the kernel does for the loop's sessions: for engine::Waiter::thread_io().
  engine::ThreadIoPlace& thread_io() { return thread_io_; }
  // As engine::Waiter::Wait().
  engine::WaitResult WaitFor(engine::Wakeup& wakeup, uint32_t expected, MonotonicNs deadline);

  // --- for any code that runs on the loop ---

  // Ends a task's Park(); nothing if it does not sleep.
  void Wake(LoopTask& task);
  // Has an idle task served, as if its socket had news.
  void Notify(LoopTask& task);
  LoopTask* current() const { return current_; }
  size_t tasks() const { return tasks_.size(); }
  // Those of the tasks that are clients' connections say so, for as long as they live.
  void CountClient(int change) { clients_ += change; }
  int64_t clients() const { return clients_; }
  const LoopCounters& counters() const { return counters_; }

 protected:
  // --- what a derived class does ---

  // On the loop's thread, before the first Poll().
  virtual void BeginRun() {}
  // Waits for news, not beyond the deadline (0: only looks), and tells it by the functions below.
  virtual void Poll(MonotonicNs deadline) = 0;
  // Nothing of what the tasks have left behind is still to be done.
  virtual bool Settled() const { return true; }

  // Ends the watch that set_watched_fd() told of.
  virtual void Unwatch(int /*fd*/) {}

  // --- what it tells ---

  // The task's socket has something. look_again: perhaps more than one Serve() will notice.
  void OnNews(LoopTask& task, bool look_again);
  // The event descriptor was written to.
  void OnRung() { rung_ = true; }

  int event_fd() const { return event_fd_; }
  static bool IsStopping(const LoopTask& task) { return task.stopping_; }
  // The loop watches, for the task, a descriptor that stays open when the task is gone.
  static void set_watched_fd(LoopTask& task, int fd) { task.watched_fd_ = fd; }
  // Destroys what never ran, while what the tasks' sockets belong to still exists.
  void DropTasks() {
    timers_.clear();
    tasks_.clear();
  }

 private:
  struct LockWait {
    LoopTask* task;
    engine::Wakeup* wakeup;
    uint32_t expected;
  };

  MonotonicNs NextDeadline() const;
  void OnRings();
  void RunTask(LoopTask& task);
  void FinishTask(LoopTask& task);
  LoopFiber* TakeFiber();  // null: no memory for another
  void GiveFiberBack(LoopFiber& fiber);
  void Enqueue(LoopTask& task);
  void SetTimer(LoopTask& task, MonotonicNs at);
  void ClearTimer(LoopTask& task);
  void RunTimers(MonotonicNs now);
  void StopTasks();
  void Ring() const;
  void StopTask(LoopTask& task);
  void Forget(LoopTask& task);

  const size_t stack_bytes_;
  const int event_fd_;
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> sweep_requested_{false};
  bool stop_begun_ = false;
  bool rung_ = false;

  std::vector<std::unique_ptr<LoopTask>> tasks_;
  int64_t clients_ = 0;
  LoopTask* current_ = nullptr;
  MonotonicNs slice_end_ = 0;
  engine::PoolAccount* account_ = nullptr;
  // The last look at the clock, for the account; 0 in a poll, whose tasks are ready at its end.
  MonotonicNs now_ = 0;
  MonotonicNs polled_at_ = 0;
  LoopTask* queue_head_ = nullptr;
  LoopTask* queue_tail_ = nullptr;
  // A part of the tasks themselves, so that there is always memory for a timer.
  struct DueFirst {
    bool operator()(const LoopTask& a, const LoopTask& b) const {
      return a.timer_at_ < b.timer_at_;
    }
  };
  boost::intrusive::multiset<LoopTask, boost::intrusive::compare<DueFirst>,
                             boost::intrusive::member_hook<
                                 LoopTask, decltype(LoopTask::timer_hook_), &LoopTask::timer_hook_>>
      timers_;
  std::vector<LockWait> lock_waits_;
  engine::ThreadIoPlace thread_io_;

  std::vector<std::unique_ptr<LoopFiber>> fibers_;
  std::vector<LoopFiber*> idle_fibers_;
  LoopCounters counters_;
};

}  // namespace connbench::models
