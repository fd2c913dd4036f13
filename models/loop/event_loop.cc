// One thread that serves many tasks.
#include "models/loop/event_loop.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "models/connection.h"

namespace connbench::models {
namespace {

// Idle fibers that are kept; each has touched a few pages of its stack.
constexpr size_t kSpareFibers = 64;
// After this the loop tries again to get a stack for a task.
constexpr MonotonicNs kStackPauseNs = 100 * kNanosecondsPerMillisecond;

}  // namespace

// A fiber of the loop and what it is to do.
class LoopFiber {
 public:
  LoopFiber(EventLoop& loop, size_t stack_bytes)
      : loop_(loop), fiber_(stack_bytes, [this](Fiber&) { Body(); }) {}
  // Only an idle one may be destroyed.
  ~LoopFiber() {
    task_ = nullptr;
    fiber_.Resume();
  }
  LoopFiber(const LoopFiber&) = delete;
  LoopFiber& operator=(const LoopFiber&) = delete;

  // Gives the fiber, which has none, a task.
  void Begin(LoopTask& task) { task_ = &task; }
  // Runs it until it parks (false) or its Serve() has returned.
  bool Run() {
    finished_ = false;
    fiber_.Resume();
    return finished_;
  }
  void Suspend() { fiber_.Suspend(); }
  LoopTask::Outcome outcome() const { return outcome_; }
  size_t index = 0;          // in the loop's list of fibers
  MonotonicNs begun_at = 0;  // when it got its task; if the loop keeps account

 private:
  void Body() noexcept {
    // Pages of it that no message fills are never touched.
    char buffer[kReceiveBufferBytes];
    while (task_ != nullptr) {
      outcome_ = task_->Serve(loop_, buffer);
      finished_ = true;
      fiber_.Suspend();
    }
  }

  EventLoop& loop_;
  LoopTask* task_ = nullptr;
  bool finished_ = false;
  LoopTask::Outcome outcome_ = LoopTask::Outcome::kIdle;
  Fiber fiber_;
};

EventLoop::EventLoop(size_t stack_bytes, int event_fd)
    : stack_bytes_(stack_bytes),
      event_fd_(event_fd),
      thread_io_{.event_fd = event_fd, .io = nullptr} {
  idle_fibers_.reserve(kSpareFibers);
}

EventLoop::~EventLoop() = default;

void EventLoop::Adopt(std::unique_ptr<LoopTask> task) {
  LoopTask& added = *task;
  added.index_ = tasks_.size();
  tasks_.push_back(std::move(task));
  // Each may have to wait for a lock, when there may be no memory left.
  try {
    lock_waits_.reserve(tasks_.capacity());
  } catch (const std::bad_alloc&) {
    tasks_.pop_back();
    throw;
  }
  if (const MonotonicNs wake_at = added.wake_at(); wake_at != kNoDeadline) SetTimer(added, wake_at);
  if (stop_begun_) StopTask(added);
}

void EventLoop::RequestStop() {
  stop_requested_.store(true, std::memory_order_release);
  Ring();
}

void EventLoop::RequestSweep() {
  sweep_requested_.store(true, std::memory_order_release);
  Ring();
}

void EventLoop::Ring() const {
  const uint64_t one = 1;
  (void)!write(event_fd_, &one, sizeof(one));
}

void EventLoop::Run() {
  BeginRun();
  while (true) {
    now_ = 0;
    Poll(NextDeadline());
    if (account_ != nullptr) now_ = polled_at_ = MonotonicNow();
    ++counters_.polls;
    if (rung_) OnRings();
    if (!timers_.empty()) RunTimers(MonotonicNow());
    // Those that are queued meanwhile have their turn after the next look at the sockets.
    LoopTask* next = queue_head_;
    queue_head_ = nullptr;
    queue_tail_ = nullptr;
    while (next != nullptr) {
      LoopTask& task = *next;
      next = task.next_;
      if (next != nullptr) {
        next->Prefetch(1);
        if (next->next_ != nullptr) next->next_->Prefetch(2);
      }
      RunTask(task);
    }
    const bool reading = thread_io_.io != nullptr && !thread_io_.io->idle();
    if (stop_begun_ && tasks_.empty() && Settled() && !reading) break;
  }
  thread_io_.io.reset();
  idle_fibers_.clear();
  fibers_.clear();
}

void EventLoop::OnNews(LoopTask& task, bool look_again) {
  if (task.listener_ != nullptr) {
    Wake(*task.listener_);
    return;
  }
  task.peer_ended_ |= look_again;
  const bool idle = task.state_ == LoopTask::State::kIdle;
  if (idle) Enqueue(task);
  // Data and an end that came while it was not idle take a look each.
  const int looks = (idle ? 0 : 1) + (look_again ? 1 : 0);
  task.looks_ = std::max<uint8_t>(task.looks_, static_cast<uint8_t>(looks));
}

MonotonicNs EventLoop::NextDeadline() const {
  if (queue_head_ != nullptr) return 0;
  return timers_.empty() ? kNoDeadline : timers_.begin()->timer_at_;
}

void EventLoop::OnRings() {
  rung_ = false;
  if (thread_io_.io != nullptr) thread_io_.io->Reap();
  for (const LockWait& wait : lock_waits_) {
    if (wait.wakeup->word.load(std::memory_order_seq_cst) != wait.expected) Wake(*wait.task);
  }
  if (stopping() && !stop_begun_) StopTasks();
  if (sweep_requested_.exchange(false, std::memory_order_acquire)) {
    for (const std::unique_ptr<LoopTask>& task : tasks_) {
      if (task->MustEnd()) StopTask(*task);
    }
  }
}

void EventLoop::StopTasks() {
  stop_begun_ = true;
  for (const std::unique_ptr<LoopTask>& task : tasks_) StopTask(*task);
}

void EventLoop::StopTask(LoopTask& task) {
  task.stopping_ = true;
  task.RequestStop();
  Notify(task);
}

void EventLoop::RunTask(LoopTask& task) {
  if (task.fiber_ == nullptr) {
    task.fiber_ = TakeFiber();
    if (task.fiber_ == nullptr) {
      task.state_ = LoopTask::State::kIdle;
      SetTimer(task, MonotonicNow() + kStackPauseNs);
      return;
    }
    task.fiber_->Begin(task);
    task.fiber_->begun_at = now_;
    ++counters_.served;
  }
  task.state_ = LoopTask::State::kRunning;
  current_ = &task;
  slice_end_ = 0;
  const MonotonicNs begun = now_;
  if (account_ != nullptr) {
    account_->TakenUp(task.ready_at_ != 0 ? task.ready_at_ : polled_at_, begun);
  }
  const bool finished = task.fiber_->Run();
  current_ = nullptr;
  if (account_ != nullptr) {
    now_ = MonotonicNow();
    account_->Ran(begun, now_);
    if (finished) account_->Served(task.fiber_->begun_at, now_);
  }
  if (finished) FinishTask(task);
}

void EventLoop::FinishTask(LoopTask& task) {
  LoopFiber& fiber = *task.fiber_;
  task.fiber_ = nullptr;
  const LoopTask::Outcome outcome = fiber.outcome();
  GiveFiberBack(fiber);
  if (outcome == LoopTask::Outcome::kDone) {
    Forget(task);
    return;
  }
  task.state_ = LoopTask::State::kIdle;
  if (outcome == LoopTask::Outcome::kAgain) {
    Enqueue(task);
  } else if (task.looks_ > 0) {
    --task.looks_;
    Enqueue(task);
  } else if (const MonotonicNs wake_at = task.wake_at(); wake_at != kNoDeadline) {
    SetTimer(task, wake_at);
  } else {
    ClearTimer(task);
  }
}

bool EventLoop::Park(MonotonicNs deadline) {
  LoopTask& task = *current_;
  LoopFiber& fiber = *task.fiber_;
  task.state_ = LoopTask::State::kParked;
  task.expired_ = false;
  task.park_until_ = deadline;
  if (deadline != kNoDeadline) SetTimer(task, deadline);
  ++counters_.parks;
  fiber.Suspend();
  ClearTimer(task);
  return !task.expired_;
}

void EventLoop::YieldIfLong() {
  const MonotonicNs now = MonotonicNow();
  if (slice_end_ == 0) slice_end_ = now + kSliceNs;
  if (now < slice_end_) return;
  LoopTask& task = *current_;
  ++counters_.yields;
  if (account_ != nullptr) now_ = now;
  Enqueue(task);
  task.fiber_->Suspend();
}

engine::WaitResult EventLoop::WaitFor(engine::Wakeup& wakeup, uint32_t expected,
                                      MonotonicNs deadline) {
  wakeup.event_fd.store(event_fd_, std::memory_order_seq_cst);
  engine::WaitResult result = engine::WaitResult::kRung;
  if (wakeup.word.load(std::memory_order_seq_cst) == expected) {
    LoopTask* const task = current_;
    lock_waits_.push_back({task, &wakeup, expected});
    if (!Park(deadline)) result = engine::WaitResult::kTimedOut;
    std::erase_if(lock_waits_, [task](const LockWait& wait) { return wait.task == task; });
  }
  wakeup.event_fd.store(0, std::memory_order_seq_cst);
  return result;
}

void EventLoop::Wake(LoopTask& task) {
  if (task.state_ == LoopTask::State::kParked) Enqueue(task);
}

void EventLoop::Notify(LoopTask& task) {
  if (task.state_ == LoopTask::State::kIdle) {
    Enqueue(task);
    return;
  }
  task.looks_ = std::max<uint8_t>(task.looks_, 1);
  Wake(task);
}

LoopFiber* EventLoop::TakeFiber() {
  if (!idle_fibers_.empty()) {
    LoopFiber* fiber = idle_fibers_.back();
    idle_fibers_.pop_back();
    return fiber;
  }
  try {
    fibers_.push_back(std::make_unique<LoopFiber>(*this, stack_bytes_));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  fibers_.back()->index = fibers_.size() - 1;
  counters_.most_fibers = std::max(counters_.most_fibers, fibers_.size());
  return fibers_.back().get();
}

void EventLoop::GiveFiberBack(LoopFiber& fiber) {
  if (idle_fibers_.size() < kSpareFibers) {
    idle_fibers_.push_back(&fiber);
    return;
  }
  fibers_.back()->index = fiber.index;
  std::swap(fibers_[fiber.index], fibers_.back());
  fibers_.pop_back();
}

void EventLoop::Enqueue(LoopTask& task) {
  task.state_ = LoopTask::State::kQueued;
  task.ready_at_ = now_;
  task.next_ = nullptr;
  (queue_tail_ != nullptr ? queue_tail_->next_ : queue_head_) = &task;
  queue_tail_ = &task;
}

// One entry for a task is enough: a task that is woken too early says again when it wants to be.
void EventLoop::SetTimer(LoopTask& task, MonotonicNs at) {
  if (task.timer_hook_.is_linked()) {
    if (task.timer_at_ <= at) return;
    timers_.erase(timers_.iterator_to(task));
  }
  task.timer_at_ = at;
  timers_.insert(task);
}

void EventLoop::ClearTimer(LoopTask& task) {
  if (task.timer_hook_.is_linked()) timers_.erase(timers_.iterator_to(task));
}

void EventLoop::RunTimers(MonotonicNs now) {
  while (!timers_.empty() && timers_.begin()->timer_at_ <= now) {
    LoopTask& task = *timers_.begin();
    timers_.erase(timers_.begin());
    if (task.state_ == LoopTask::State::kIdle) {
      Enqueue(task);
    } else if (task.state_ == LoopTask::State::kParked && task.park_until_ <= now) {
      task.expired_ = true;
      Enqueue(task);
    } else if (task.state_ == LoopTask::State::kParked && task.park_until_ != kNoDeadline) {
      SetTimer(task, task.park_until_);
    }
  }
}

// No news may come for a task that is gone.
void EventLoop::Forget(LoopTask& task) {
  if (task.watched_fd_ >= 0) Unwatch(task.watched_fd_);
  ClearTimer(task);
  tasks_.back()->index_ = task.index_;
  std::swap(tasks_[task.index_], tasks_.back());
  tasks_.pop_back();
}

}  // namespace connbench::models
