// Tests: one thread group of `thread-pool`.
#include "models/thread_pool/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace connbench::models {
namespace {

// Something that happens once and that threads wait for.
class Event {
 public:
  void Set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
  }
  bool IsSet() {
    const std::lock_guard lock(mutex_);
    return set_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// A task whose socket is an event descriptor and whose work is a function.
class FakeTask : public GroupTask {
 public:
  using Work = std::function<Outcome(GroupWorker&)>;
  FakeTask(int fd, Work work, std::atomic<int>* ended = nullptr)
      : fd_(fd), work_(std::move(work)), ended_(ended) {}
  ~FakeTask() override {
    close(fd_);
    if (ended_ != nullptr) ++*ended_;
  }

  Outcome Serve(GroupWorker& worker, std::span<char> /*buffer*/) override {
    if (stop_requested_.load()) return Outcome::kDone;
    return work_(worker);
  }
  MonotonicNs wake_at() const override { return wake_at_.load(); }
  bool urgent() const override { return urgent_.load(); }
  void RequestStop() override {
    stop_requested_ = true;
    Touch(fd_);
  }

  static void Touch(int fd) {
    const uint64_t one = 1;
    ASSERT_EQ(write(fd, &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  }
  void set_urgent() { urgent_ = true; }
  void set_wake_at(MonotonicNs at) { wake_at_ = at; }

 private:
  const int fd_;
  const Work work_;
  std::atomic<int>* const ended_;
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> urgent_{false};
  std::atomic<MonotonicNs> wake_at_{kNoDeadline};
};

// A group and the thread that plays its monitor.
class GroupFixture {
 public:
  explicit GroupFixture(const GroupLimits& limits, bool monitored = true,
                        engine::PoolAccount* account = nullptr)
      : group_(limits, account) {
    EXPECT_TRUE(group_.Start().ok());
    if (!monitored) return;
    monitor_ = std::thread([this] {
      while (!stop_monitor_) {
        group_.Monitor();
        std::this_thread::sleep_for(std::chrono::nanoseconds(ThreadGroup::kMonitorPeriodNs));
      }
    });
  }
  ~GroupFixture() {
    stop_monitor_ = true;
    if (monitor_.joinable()) monitor_.join();
    group_.BeginStop();
    group_.AwaitTasks();
    group_.EndWorkers();
  }
  GroupFixture(const GroupFixture&) = delete;
  GroupFixture& operator=(const GroupFixture&) = delete;

  // Returns the descriptor to touch.
  int Add(FakeTask::Work work, FakeTask** task = nullptr) {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    auto added = std::make_unique<FakeTask>(fd, std::move(work));
    if (task != nullptr) *task = added.get();
    EXPECT_TRUE(group_.Add(std::move(added), fd).ok());
    return fd;
  }
  ThreadGroup& group() { return group_; }

 private:
  ThreadGroup group_;
  std::thread monitor_;
  std::atomic<bool> stop_monitor_{false};
};

GroupLimits Limits(int workers, int max_workers, int64_t stall_limit_ms = 20) {
  GroupLimits limits;
  limits.workers = workers;
  limits.max_workers = max_workers;
  limits.stack_bytes = 1 << 20;
  limits.stall_limit_ns = stall_limit_ms * kNanosecondsPerMillisecond;
  return limits;
}

TEST(ThreadGroup, ServesATaskForEveryEdge) {
  std::atomic<int> served{0};
  GroupFixture fixture(Limits(2, 4));
  const int fd = fixture.Add([&](GroupWorker&) {
    ++served;
    return GroupTask::Outcome::kIdle;
  });
  for (int i = 1; i <= 100; ++i) {
    FakeTask::Touch(fd);
    while (served < i) std::this_thread::yield();
  }
  EXPECT_EQ(served, 100);
}

TEST(ThreadGroup, AnEdgeWhileItIsServedIsNotLost) {
  std::atomic<int> served{0};
  Event serving;
  Event go_on;
  GroupFixture fixture(Limits(2, 4));
  const int fd = fixture.Add([&](GroupWorker&) {
    if (++served == 1) {
      serving.Set();
      go_on.Wait();
    }
    return GroupTask::Outcome::kIdle;
  });
  FakeTask::Touch(fd);
  serving.Wait();
  FakeTask::Touch(fd);
  // Another worker takes that edge while the first still serves.
  while (fixture.group().counters().polls < 2) std::this_thread::yield();
  go_on.Set();
  while (served < 2) std::this_thread::yield();
}

TEST(ThreadGroup, WorkersThatBlockAreReplacedAtOnce) {
  constexpr int kBlocked = 8;
  // No monitor: it must not be the one that saves us.
  Event released;
  std::atomic<int> blocked{0};
  std::atomic<int> resumed{0};
  GroupFixture fixture(Limits(1, kBlocked + 1), false);
  for (int i = 0; i < kBlocked; ++i) {
    FakeTask::Touch(fixture.Add([&](GroupWorker& worker) {
      {
        const BlockedScope scope(worker);
        ++blocked;
        released.Wait();
      }
      ++resumed;
      return GroupTask::Outcome::kIdle;
    }));
  }
  while (blocked < kBlocked) std::this_thread::yield();
  FakeTask::Touch(fixture.Add([&](GroupWorker&) {
    released.Set();
    return GroupTask::Outcome::kIdle;
  }));
  while (resumed < kBlocked) std::this_thread::yield();
  EXPECT_EQ(fixture.group().counters().threads, kBlocked + 1);
}

TEST(ThreadGroup, AStalledWorkerGetsCompany) {
  Event released;
  GroupFixture fixture(Limits(1, 4));
  const int busy = fixture.Add([&](GroupWorker&) {
    released.Wait();  // as a long computation, which tells the pool nothing
    return GroupTask::Outcome::kIdle;
  });
  FakeTask::Touch(busy);
  FakeTask::Touch(fixture.Add([&](GroupWorker&) {
    released.Set();
    return GroupTask::Outcome::kIdle;
  }));
  released.Wait();
  EXPECT_GE(fixture.group().counters().stalls, 1u);
}

TEST(ThreadGroup, UrgentTasksGoFirst) {
  // One worker and no monitor: what it is busy with, holds up the others.
  std::string order;
  std::atomic<int> served{0};
  FakeTask* urgent = nullptr;
  FakeTask* ordinary = nullptr;
  GroupFixture fixture(Limits(1, 2), false);
  const auto record = [&](char name) {
    return [&, name](GroupWorker&) {
      order += name;  // by the one worker only
      ++served;
      return GroupTask::Outcome::kIdle;
    };
  };
  const int urgent_fd = fixture.Add(record('u'), &urgent);
  const int ordinary_fd = fixture.Add(record('o'), &ordinary);
  urgent->set_urgent();
  FakeTask::Touch(urgent_fd);
  FakeTask::Touch(ordinary_fd);
  while (served < 2) std::this_thread::yield();
  order.clear();

  Event serving;
  Event go_on;
  FakeTask::Touch(fixture.Add([&](GroupWorker&) {
    serving.Set();
    go_on.Wait();
    return GroupTask::Outcome::kIdle;
  }));
  serving.Wait();
  FakeTask::Touch(ordinary_fd);
  FakeTask::Touch(urgent_fd);
  go_on.Set();
  while (served < 4) std::this_thread::yield();
  EXPECT_EQ(order, "uo");
}

// While an urgent task always has more to do, an ordinary one waits for the kickup time, no longer.
TEST(ThreadGroup, WaitingMakesATaskUrgent) {
  constexpr MonotonicNs kKickup = 30 * kNanosecondsPerMillisecond;
  GroupLimits limits = Limits(1, 2, /*stall_limit_ms=*/60'000);
  limits.kickup_ns = kKickup;
  std::atomic<bool> ordinary_ran{false};
  std::atomic<int> turns_before{0};
  FakeTask* urgent = nullptr;
  MonotonicNs waited = 0;
  GroupFixture fixture(limits, /*monitored=*/false);
  MonotonicNs queued_at = 0;
  const int ordinary_fd = fixture.Add([&](GroupWorker&) {
    waited = MonotonicNow() - queued_at;
    ordinary_ran = true;
    return GroupTask::Outcome::kIdle;
  });
  const int urgent_fd = fixture.Add(
      [&](GroupWorker&) {
        if (ordinary_ran) return GroupTask::Outcome::kIdle;
        if (turns_before++ == 0) {
          queued_at = MonotonicNow();
          FakeTask::Touch(ordinary_fd);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return GroupTask::Outcome::kAgain;
      },
      &urgent);
  urgent->set_urgent();
  FakeTask::Touch(urgent_fd);
  while (!ordinary_ran) std::this_thread::yield();
  EXPECT_GE(waited, kKickup);
  EXPECT_GE(turns_before, 2);
  EXPECT_EQ(fixture.group().counters().kickups, 1u);
}

TEST(ThreadGroup, TheListenerServesWhatItFindsItself) {
  constexpr int kRounds = 100;
  std::atomic<int> served{0};
  std::set<std::thread::id> threads;
  GroupFixture fixture(Limits(2, 4), /*monitored=*/false);
  const int fd = fixture.Add([&](GroupWorker&) {
    threads.insert(std::this_thread::get_id());
    ++served;
    return GroupTask::Outcome::kIdle;
  });
  for (int i = 1; i <= kRounds; ++i) {
    FakeTask::Touch(fd);
    while (served < i) std::this_thread::yield();
  }
  EXPECT_EQ(threads.size(), 1u);
  const GroupCounters counters = fixture.group().counters();
  EXPECT_EQ(counters.workers_created, 1u);
  EXPECT_EQ(counters.wakeups, 0u);
  EXPECT_GE(counters.polls, static_cast<uint64_t>(kRounds));
}

TEST(ThreadGroup, KeepsAccountOfWaitsStallsAndSwitches) {
  const auto accounts = std::make_unique<engine::PoolAccounts>();
  engine::PoolAccount* account = accounts->Open(0, 1);
  Event released;
  Event serving;
  std::atomic<int> served{0};
  {
    // The test plays the monitor, so that nobody is taken for stalled whom the machine only kept
    // waiting.
    GroupFixture fixture(Limits(1, 4), /*monitored=*/false, account);
    const int quick_fd = fixture.Add([&](GroupWorker&) {
      ++served;
      return GroupTask::Outcome::kIdle;
    });
    FakeTask::Touch(quick_fd);
    while (served < 1) std::this_thread::yield();
    EXPECT_EQ(account->Read().switches, 0);
    // Computes until it is stalled: another worker serves the quick one meanwhile.
    FakeTask::Touch(fixture.Add([&](GroupWorker&) {
      serving.Set();
      released.Wait();
      return GroupTask::Outcome::kIdle;
    }));
    serving.Wait();
    FakeTask::Touch(quick_fd);
    while (served < 2) {
      fixture.group().Monitor();
      std::this_thread::sleep_for(std::chrono::nanoseconds(ThreadGroup::kMonitorPeriodNs));
    }
    EXPECT_EQ(account->Read().switches, 1);
    released.Set();
  }
  const engine::PoolUsage usage = account->Read();
  EXPECT_GE(usage.service.max_ns, 20 * kNanosecondsPerMillisecond) << "the one that stalled";
  EXPECT_GE(usage.busy_ns, 20 * kNanosecondsPerMillisecond);
  EXPECT_GE(usage.wait.count, usage.service.count);
}

TEST(ThreadGroup, ATaskThatWantsToRunAgainLetsOthersGoFirst) {
  std::atomic<bool> other_ran{false};
  std::atomic<bool> done{false};
  int own_fd = -1;
  int rounds = 0;
  GroupFixture fixture(Limits(1, 2), false);
  const int other_fd = fixture.Add([&](GroupWorker&) {
    other_ran = true;
    return GroupTask::Outcome::kIdle;
  });
  own_fd = fixture.Add([&](GroupWorker&) {
    if (rounds++ == 0) FakeTask::Touch(other_fd);
    if (!other_ran && rounds < 100'000) return GroupTask::Outcome::kAgain;
    done = true;
    return GroupTask::Outcome::kIdle;
  });
  FakeTask::Touch(own_fd);
  while (!done) std::this_thread::yield();
  EXPECT_TRUE(other_ran);
}

TEST(ThreadGroup, ASilentTaskRunsWhenItsTimeHasCome) {
  std::atomic<int> served{0};
  FakeTask* task = nullptr;
  GroupFixture fixture(Limits(1, 2), false);
  const int fd = fixture.Add(
      [&](GroupWorker&) {
        task->set_wake_at(++served == 1 ? MonotonicNow() + 30 * kNanosecondsPerMillisecond
                                        : kNoDeadline);
        return GroupTask::Outcome::kIdle;
      },
      &task);
  const MonotonicNs began = MonotonicNow();
  FakeTask::Touch(fd);
  while (served < 2) std::this_thread::yield();
  EXPECT_GE(MonotonicNow() - began, 30 * kNanosecondsPerMillisecond);
}

TEST(ThreadGroup, SurplusWorkersEnd) {
  GroupLimits limits = Limits(1, 8);
  limits.surplus_life_ns = 20 * kNanosecondsPerMillisecond;
  Event released;
  std::atomic<int> blocked{0};
  GroupFixture fixture(limits);
  for (int i = 0; i < 4; ++i) {
    FakeTask::Touch(fixture.Add([&](GroupWorker& worker) {
      const BlockedScope scope(worker);
      ++blocked;
      released.Wait();
      return GroupTask::Outcome::kIdle;
    }));
  }
  while (blocked < 4) std::this_thread::yield();
  EXPECT_GE(fixture.group().counters().threads, 4);
  released.Set();
  while (fixture.group().counters().threads > 1) std::this_thread::yield();
}

TEST(ThreadGroup, LongQueuesWakeMoreWorkers) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  constexpr int kTasks = 64;
  std::vector<int> fds;
  fds.reserve(kTasks);
  GroupFixture fixture(Limits(4, 8), false);
  for (int i = 0; i < kTasks; ++i) {
    fds.push_back(fixture.Add([&](GroupWorker&) {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --running;
      ++served;
      return GroupTask::Outcome::kIdle;
    }));
  }
  for (int round = 1; round <= 3; ++round) {
    for (int fd : fds) FakeTask::Touch(fd);
    while (served < kTasks * round) std::this_thread::yield();
  }
  EXPECT_GT(most, 1);
  EXPECT_LE(most, 4);
}

TEST(ThreadGroup, StopEndsTasksAndWorkers) {
  auto fixture = std::make_unique<GroupFixture>(Limits(2, 4));
  std::atomic<int> served{0};
  for (int i = 0; i < 100; ++i) {
    FakeTask::Touch(fixture->Add([&](GroupWorker&) {
      ++served;
      return GroupTask::Outcome::kIdle;
    }));
  }
  fixture.reset();  // returns: everything has ended
}

// A listener outlives its task. When somebody connects then, the poller must not look at the task
// that is gone, which AddressSanitizer sees.
TEST(ThreadGroup, AListenerWithoutItsTaskWakesNobody) {
  const int listener = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ThreadGroup group(Limits(1, 2));
  ASSERT_TRUE(group.Start().ok());
  std::atomic<int> ended{0};
  auto task = std::make_unique<FakeTask>(
      dup(listener), [](GroupWorker&) { return GroupTask::Outcome::kIdle; }, &ended);
  ASSERT_TRUE(group.Add(std::move(task), listener, /*exclusive=*/true).ok());
  group.BeginStop();
  group.AwaitTasks();
  EXPECT_EQ(ended, 1);
  FakeTask::Touch(listener);
  group.EndWorkers();
  close(listener);
}

TEST(ThreadPool, DealsConnectionsToTheGroupsInTurn) {
  ThreadPool pool(3, Limits(1, 2), nullptr);
  ASSERT_TRUE(pool.Start().ok());
  EXPECT_EQ(&pool.GroupOf(4), &pool.GroupOf(7));
  std::set<ThreadGroup*> groups;
  for (uint32_t id = 1; id <= 3; ++id) groups.insert(&pool.GroupOf(id));
  EXPECT_EQ(groups.size(), 3u);
  pool.Stop();
}

// A task of one group that is being stopped may still add one to another that has none left.
TEST(ThreadPool, StopsWhatIsAddedWhileItStops) {
  ThreadPool pool(2, Limits(1, 2), nullptr);
  ASSERT_TRUE(pool.Start().ok());
  std::atomic<int> ended{0};
  const auto add = [&](uint32_t id, FakeTask::Work work) {
    // It has something to do from the start: a group that stops may have ended it, and closed its
    // descriptor, as soon as it is added.
    const int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT_TRUE(
        pool.GroupOf(id).Add(std::make_unique<FakeTask>(fd, std::move(work), &ended), fd).ok());
  };
  Event serving;
  add(1, [&](GroupWorker&) {
    serving.Set();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the other group ends meanwhile
    add(2, [](GroupWorker&) { return GroupTask::Outcome::kIdle; });
    return GroupTask::Outcome::kIdle;
  });
  serving.Wait();
  pool.Stop();
  EXPECT_EQ(ended, 2);
}

// Many sessions on few workers, all the while blocking and timing out.
TEST(ThreadGroup, Stress) {
  constexpr int kTasks = 32;
  constexpr int kRounds = 100;
  std::atomic<int> served{0};
  std::mutex row;
  std::vector<int> fds(kTasks);
  GroupFixture fixture(Limits(3, 40));
  for (int i = 0; i < kTasks; ++i) {
    fds[i] = fixture.Add([&, i](GroupWorker& worker) {
      if (i % 2 == 0) {
        const BlockedScope scope(worker);
        const std::lock_guard lock(row);
      }
      ++served;
      return i % 5 == 0 && served % 7 == 0 ? GroupTask::Outcome::kAgain : GroupTask::Outcome::kIdle;
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    const int before = served;
    for (int fd : fds) FakeTask::Touch(fd);
    while (served < before + kTasks) std::this_thread::yield();
  }
  EXPECT_GE(served, kTasks * kRounds);
}

}  // namespace
}  // namespace connbench::models
