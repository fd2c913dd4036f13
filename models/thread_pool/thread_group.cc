// One thread group of `thread-pool`.
#include "models/thread_pool/thread_group.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>

#include "base/assert.h"
#include "base/server_log.h"
#include "models/connection.h"

namespace connbench::models {
namespace {

constexpr int kEventsPerListenerPoll = 128;
// A worker that finds this many tasks in the queue one after the other looks whether sockets have
// become ready meanwhile, so that urgent ones do not wait for the whole queue.
constexpr uint64_t kTasksBetweenPolls = 32;
// Another worker is woken when what is queued would keep the active ones busy for longer than
// this: waking costs some microseconds here and some tens until the other runs.
constexpr int64_t kHandOverNs = 100 * kNanosecondsPerMicrosecond;
// Until there is an average: what a point select takes.
constexpr int64_t kFirstTaskNs = 10 * kNanosecondsPerMicrosecond;
// Nothing is shorter than its two system calls.
constexpr int64_t kMinTaskNs = kNanosecondsPerMicrosecond;
// Looks of the monitor at an idle group before it goes to sleep.
constexpr int kIdleLooks = 16;

void Signal(int event_fd) {
  const uint64_t one = 1;
  (void)!write(event_fd, &one, sizeof(one));
}

}  // namespace

BlockedScope::BlockedScope(GroupWorker& worker) : worker_(worker), begun_(MonotonicNow()) {
  ThreadGroup& group = worker.group_;
  const ThreadGroup::Lock lock(group.mutex_);
  group.SetInactive(worker, GroupWorker::State::kBlocked);
  // Whoever holds what this worker waits for must be able to run.
  const bool somebody_polls_or_will = group.polling_ || group.active_ > 0;
  const bool work_waits = !group.QueueEmpty() && group.active_ < group.limits_.workers;
  if (!somebody_polls_or_will || work_waits) group.WakeOrCreateWorker();
}

BlockedScope::~BlockedScope() {
  ThreadGroup& group = worker_.group_;
  const ThreadGroup::Lock lock(group.mutex_);
  worker_.blocked_ns_ += MonotonicNow() - begun_;
  group.SetActive(worker_);
}

ThreadGroup::ThreadGroup(const GroupLimits& limits, engine::PoolAccount* account)
    : limits_(limits), account_(account), task_ns_(kFirstTaskNs) {}

ThreadGroup::~ThreadGroup() {
  CONNBENCH_ASSERT(workers_.empty(), "the workers have ended");
  for (int fd : {epoll_fd_, wake_fd_, monitor_fd_}) {
    if (fd >= 0) close(fd);
  }
}

Status ThreadGroup::Start() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  monitor_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_fd_ < 0 || wake_fd_ < 0 || monitor_fd_ < 0) {
    return Status::System("cannot make a thread group's descriptors", errno);
  }
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
    return Status::System("epoll_ctl", errno);
  }
  const Lock lock(mutex_);
  return CreateWorker();
}

Status ThreadGroup::Add(std::unique_ptr<GroupTask> task, int fd, bool exclusive) {
  GroupTask& added = *task;
  const MonotonicNs wake_at = added.wake_at();
  const Lock lock(mutex_);
  tasks_.push_front(std::move(task));
  added.self_ = tasks_.begin();
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET | (exclusive ? EPOLLEXCLUSIVE : EPOLLRDHUP);
  event.data.ptr = &added;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    Status status = Status::System("epoll_ctl", errno);
    tasks_.pop_front();
    return status;
  }
  if (exclusive) added.watched_fd_ = fd;
  if (wake_at != kNoDeadline) SetTimer(added, wake_at);
  if (stopping_) {
    StopTask(added);
    WakePoller();
  }
  return {};
}

// noexcept: a library that ends the thread (pthread_exit) in the middle of a session ends the
// process.
void* ThreadGroup::WorkerMain(void* argument) noexcept {
  auto* worker = static_cast<GroupWorker*>(argument);
  worker->group_.Work(*worker);
  return nullptr;
}

void ThreadGroup::Work(GroupWorker& worker) {
  char buffer[kReceiveBufferBytes];
  Lock lock(mutex_);
  worker.now_ = MonotonicNow();
  while (GroupTask* task = Next(lock, worker)) {
    lock.Unlock();
    const GroupTask::Outcome outcome = task->Serve(worker, buffer);
    const bool idle = outcome == GroupTask::Outcome::kIdle;
    const MonotonicNs wake_at = idle ? task->wake_at() : kNoDeadline;
    const bool urgent = outcome != GroupTask::Outcome::kDone && task->urgent();
    const MonotonicNs now = MonotonicNow();
    lock.Lock();
    worker.now_ = now;
    Release(worker, *task, outcome, wake_at, urgent);
  }
  if (worker.state_ == GroupWorker::State::kActive)
    SetInactive(worker, GroupWorker::State::kParked);
  workers_.erase(worker.self_);
  if (workers_.empty()) changed_.notify_all();
}

GroupTask* ThreadGroup::Next(Lock& lock, GroupWorker& worker) {
  worker.served_++;
  if (worker.stalled_) {
    worker.stalled_ = false;
    ++active_;
  }
  while (!exiting_) {
    if (active_ > limits_.workers) {
      if (!Park(lock, worker)) return nullptr;
      continue;
    }
    if (!polling_ && (QueueEmpty() || served_ - served_at_poll_ >= kTasksBetweenPolls)) {
      Poll(lock, worker);
      continue;
    }
    if (GroupTask* task = Pop(worker.now_)) {
      TakeUp(worker, *task);
      HandOverIfLong();
      return task;
    }
    if (!Park(lock, worker)) return nullptr;
  }
  return nullptr;
}

void ThreadGroup::Poll(Lock& lock, GroupWorker& worker) {
  const MonotonicNs now = worker.now_;
  if (const auto served = static_cast<int64_t>(served_ - served_at_poll_); served > 0) {
    // Of all active workers together, with whatever preempted them: good enough to tell
    // microseconds from milliseconds, if one that was preempted for long does not count in full.
    const int64_t sample = std::min((now - polled_at_) / served, 4 * task_ns_);
    task_ns_ = std::max(kMinTaskNs, task_ns_ + (sample - task_ns_) / 8);
  }
  const bool may_sleep = QueueEmpty();
  int timeout_ms = may_sleep ? -1 : 0;
  poll_until_ = kNoDeadline;
  if (may_sleep && !timers_.empty()) {
    poll_until_ = timers_.begin()->timer_at_;
    const int64_t left_ms = (poll_until_ - now) / kNanosecondsPerMillisecond + 1;
    timeout_ms = static_cast<int>(std::clamp<int64_t>(left_ms, 0, INT32_MAX));
    if (poll_until_ <= now) timeout_ms = 0;
  }
  polling_ = true;
  if (may_sleep) SetInactive(worker, GroupWorker::State::kPolling);
  lock.Unlock();
  epoll_event events[kEventsPerListenerPoll];
  const int count = epoll_wait(epoll_fd_, events, kEventsPerListenerPoll, timeout_ms);
  const MonotonicNs woken_at = MonotonicNow();
  lock.Lock();
  polling_ = false;
  if (may_sleep) SetActive(worker);
  polls_++;
  served_at_poll_ = served_;
  polled_at_ = woken_at;
  worker.now_ = woken_at;
  for (int i = 0; i < count; ++i) {
    auto* task = static_cast<GroupTask*>(events[i].data.ptr);
    if (task == nullptr || task->state_ == GroupTask::State::kDone) continue;
    const bool idle = task->state_ == GroupTask::State::kIdle;
    if (idle) Enqueue(*task, woken_at);
    // An end that came together with data has no edge of its own: one more look will find it.
    const bool ended = (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    const int looks = (idle ? 0 : 1) + (ended ? 1 : 0);
    task->looks_ = std::max<uint8_t>(task->looks_, static_cast<uint8_t>(looks));
  }
  dead_.clear();
  RunTimers(woken_at);
  if (monitor_asleep_ && queued_ > 0) {
    monitor_asleep_ = false;
    Signal(monitor_fd_);
  }
}

bool ThreadGroup::Park(Lock& lock, GroupWorker& worker) {
  SetInactive(worker, GroupWorker::State::kParked);
  parked_.push_back(&worker);
  while (worker.state_ == GroupWorker::State::kParked && !exiting_) {
    const bool idle =
        worker.wake_.wait_for(lock.native(), std::chrono::nanoseconds(limits_.surplus_life_ns)) ==
        std::cv_status::timeout;
    const bool surplus = static_cast<int>(workers_.size()) > limits_.workers;
    if (idle && surplus && worker.state_ == GroupWorker::State::kParked) {
      std::erase(parked_, &worker);
      return false;
    }
  }
  worker.now_ = MonotonicNow();
  if (!exiting_) return true;
  if (worker.state_ == GroupWorker::State::kParked) std::erase(parked_, &worker);
  return false;
}

void ThreadGroup::TakeUp(GroupWorker& worker, GroupTask& task) {
  worker.turn_begun_ = worker.now_;
  worker.blocked_ns_ = 0;
  if (account_ == nullptr) return;
  account_->TakenUp(task.ready_at_, worker.now_);
  if (task.last_worker_ != nullptr && task.last_worker_ != &worker) account_->Switched();
  task.last_worker_ = &worker;
}

void ThreadGroup::Release(GroupWorker& worker, GroupTask& task, GroupTask::Outcome outcome,
                          MonotonicNs wake_at, bool urgent) {
  if (account_ != nullptr) {
    account_->Ran(worker.turn_begun_, worker.now_, worker.blocked_ns_);
    account_->Served(worker.turn_begun_, worker.now_);
  }
  if (outcome == GroupTask::Outcome::kDone) {
    Forget(task);
    return;
  }
  task.urgent_ = urgent;
  task.state_ = GroupTask::State::kIdle;
  if (outcome == GroupTask::Outcome::kAgain) {
    Enqueue(task, worker.now_);
  } else if (task.looks_ > 0) {
    --task.looks_;
    Enqueue(task, worker.now_);
  } else if (wake_at != kNoDeadline) {
    SetTimer(task, wake_at);
  }
}

void ThreadGroup::Enqueue(GroupTask& task, MonotonicNs now) {
  task.state_ = GroupTask::State::kQueued;
  task.ready_at_ = now;
  Append(task, task.urgent_);
  ++queued_;
}

void ThreadGroup::Append(GroupTask& task, bool urgent) {
  task.next_ = nullptr;
  Queue& queue = queues_[urgent ? 1 : 0];
  (queue.tail != nullptr ? queue.tail->next_ : queue.head) = &task;
  queue.tail = &task;
}

// No timer of its own: who takes the next task looks, and nobody is overtaken in between.
void ThreadGroup::KickUp(MonotonicNs now) {
  Queue& ordinary = queues_[0];
  while (ordinary.head != nullptr && now - ordinary.head->ready_at_ >= limits_.kickup_ns) {
    GroupTask& task = *ordinary.head;
    ordinary.head = task.next_;
    if (ordinary.head == nullptr) ordinary.tail = nullptr;
    Append(task, /*urgent=*/true);
    ++counters_.kickups;
  }
}

GroupTask* ThreadGroup::Pop(MonotonicNs now) {
  if (queues_[1].head != nullptr) KickUp(now);
  Queue& queue = queues_[queues_[1].head != nullptr ? 1 : 0];
  GroupTask* task = queue.head;
  if (task == nullptr) return nullptr;
  queue.head = task->next_;
  if (queue.head == nullptr) queue.tail = nullptr;
  --queued_;
  ++served_;
  task->state_ = GroupTask::State::kServed;
  if (const GroupTask* next = queue.head; next != nullptr) {
    next->Prefetch(1);
    if (next->next_ != nullptr) next->next_->Prefetch(2);
  }
  return task;
}

// One entry for a task is enough: a task that is woken too early says again when it wants to be.
void ThreadGroup::SetTimer(GroupTask& task, MonotonicNs at) {
  if (task.timer_hook_.is_linked()) {
    if (task.timer_at_ <= at) return;
    timers_.erase(timers_.iterator_to(task));
  }
  task.timer_at_ = at;
  timers_.insert(task);
  if (polling_ && at < poll_until_) WakePoller();
}

void ThreadGroup::RunTimers(MonotonicNs now) {
  while (!timers_.empty() && timers_.begin()->timer_at_ <= now) {
    GroupTask* task = &*timers_.begin();
    timers_.erase(timers_.begin());
    if (task->state_ == GroupTask::State::kIdle) Enqueue(*task, now);
  }
}

// No further event may come: the task has closed its socket, and a listener leaves the set here.
// But the poller may hold one.
void ThreadGroup::Forget(GroupTask& task) {
  if (task.watched_fd_ >= 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, task.watched_fd_, nullptr);
  if (task.timer_hook_.is_linked()) timers_.erase(timers_.iterator_to(task));
  task.state_ = GroupTask::State::kDone;
  dead_.splice(dead_.begin(), tasks_, task.self_);
  if (!polling_) dead_.pop_front();
  if (tasks_.empty()) changed_.notify_all();
}

void ThreadGroup::SetActive(GroupWorker& worker) {
  worker.state_ = GroupWorker::State::kActive;
  ++active_;
}

void ThreadGroup::SetInactive(GroupWorker& worker, GroupWorker::State state) {
  worker.state_ = state;
  if (worker.stalled_) {
    worker.stalled_ = false;  // it had been taken off already
  } else {
    --active_;
  }
}

void ThreadGroup::HandOverIfLong() {
  if (active_ >= limits_.workers) return;
  if (queued_ * task_ns_ > kHandOverNs * active_) WakeOrCreateWorker();
}

void ThreadGroup::WakeOrCreateWorker() {
  if (!parked_.empty()) {
    GroupWorker& worker = *parked_.back();
    parked_.pop_back();
    SetActive(worker);
    ++counters_.wakeups;
    worker.wake_.notify_one();
    return;
  }
  if (static_cast<int>(workers_.size()) < limits_.max_workers) {
    const Status status = CreateWorker();
    if (status.ok()) return;
    LogLine("thread-pool: " + status.error().message);
  } else if (!full_reported_) {
    full_reported_ = true;
    LogLine(
        "thread-pool: all " + std::to_string(limits_.max_workers) +
        " workers are busy or wait for locks; sessions wait until one is free (raise max_workers)");
  }
}

Status ThreadGroup::CreateWorker() {
  try {
    parked_.reserve(workers_.size() + 1);  // where it will park, when there may be no memory left
    workers_.emplace_front(*this);
  } catch (const std::bad_alloc&) {
    return Status::System("cannot create a worker", ENOMEM);
  }
  GroupWorker& worker = workers_.front();
  worker.self_ = workers_.begin();
  SetActive(worker);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, limits_.stack_bytes);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, &ThreadGroup::WorkerMain, &worker);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    SetInactive(worker, GroupWorker::State::kParked);
    workers_.pop_front();
    return Status::System("cannot create a worker", error);
  }
  ++counters_.workers_created;
  return {};
}

void ThreadGroup::WakePoller() const { Signal(wake_fd_); }

bool ThreadGroup::Monitor() {
  const Lock lock(mutex_);
  const MonotonicNs now = MonotonicNow();
  for (GroupWorker& worker : workers_) {
    if (worker.state_ != GroupWorker::State::kActive || worker.stalled_) continue;
    if (worker.served_ != worker.served_seen_) {
      worker.served_seen_ = worker.served_;
      worker.seen_since_ = now;
    } else if (now - worker.seen_since_ >= limits_.stall_limit_ns) {
      worker.stalled_ = true;
      --active_;
      ++counters_.stalls;
      if (account_ != nullptr) account_->TurnTook(worker.turn_begun_ + worker.blocked_ns_, now);
    }
  }
  const bool polled_meanwhile = polls_ != polls_seen_;
  polls_seen_ = polls_;
  // Nobody has looked at the sockets for a whole period.
  if (!polling_ && !polled_meanwhile && active_ < limits_.workers) WakeOrCreateWorker();
  const bool idle = polling_ && !polled_meanwhile && QueueEmpty();
  idle_looks_ = idle ? idle_looks_ + 1 : 0;
  monitor_asleep_ = idle_looks_ >= kIdleLooks;
  return !monitor_asleep_;
}

// It is served once more, whether its socket has news or not: of a listener only one of those who
// wait at it hears.
void ThreadGroup::StopTask(GroupTask& task) {
  task.RequestStop();
  if (task.state_ == GroupTask::State::kIdle) {
    Enqueue(task, MonotonicNow());
  } else {
    task.looks_ = std::max<uint8_t>(task.looks_, 1);
  }
}

void ThreadGroup::RequestStopOf(const std::function<bool(uint32_t connection_id)>& chosen) {
  const Lock lock(mutex_);
  for (const std::unique_ptr<GroupTask>& task : tasks_) {
    if (chosen(task->connection_id())) task->RequestStop();
  }
}

void ThreadGroup::BeginStop() {
  const Lock lock(mutex_);
  stopping_ = true;
  for (const std::unique_ptr<GroupTask>& task : tasks_) StopTask(*task);
  WakePoller();
}

void ThreadGroup::AwaitTasks() {
  Lock lock(mutex_);
  // One more worker for those that block meanwhile.
  while (!tasks_.empty()) {
    changed_.wait_for(lock.native(), std::chrono::nanoseconds(kMonitorPeriodNs));
    lock.Unlock();
    Monitor();
    lock.Lock();
  }
}

void ThreadGroup::EndWorkers() {
  Lock lock(mutex_);
  exiting_ = true;
  WakePoller();
  for (GroupWorker& worker : workers_) worker.wake_.notify_one();
  changed_.wait(lock.native(), [this]() CONNBENCH_REQUIRES(mutex_) { return workers_.empty(); });
}

GroupCounters ThreadGroup::counters() const {
  const Lock lock(mutex_);
  GroupCounters counters = counters_;
  counters.served = served_;
  counters.polls = polls_;
  counters.threads = static_cast<int>(workers_.size());
  return counters;
}

}  // namespace connbench::models
