#include "models/thread_pool/pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
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
class FakeTask : public PoolTask {
 public:
  using Work = std::function<Outcome(PoolWorker&)>;
  FakeTask(int fd, Work work) : fd_(fd), work_(std::move(work)) {}
  ~FakeTask() override { close(fd_); }

  Outcome Serve(PoolWorker& worker, std::span<char> /*buffer*/) override {
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
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> urgent_{false};
  std::atomic<MonotonicNs> wake_at_{kNoDeadline};
};

// A pool and the thread that plays its monitor.
class PoolFixture {
 public:
  explicit PoolFixture(const PoolLimits& limits, bool monitored = true) : pool_(limits) {
    EXPECT_TRUE(pool_.Start().ok());
    if (!monitored) return;
    monitor_ = std::thread([this] {
      while (!stop_monitor_) {
        pool_.Monitor();
        std::this_thread::sleep_for(std::chrono::nanoseconds(Pool::kMonitorPeriodNs));
      }
    });
  }
  ~PoolFixture() {
    stop_monitor_ = true;
    if (monitor_.joinable()) monitor_.join();
    pool_.Stop();
  }
  PoolFixture(const PoolFixture&) = delete;
  PoolFixture& operator=(const PoolFixture&) = delete;

  // Returns the descriptor to touch.
  int Add(FakeTask::Work work, FakeTask** task = nullptr) {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    auto added = std::make_unique<FakeTask>(fd, std::move(work));
    if (task != nullptr) *task = added.get();
    EXPECT_TRUE(pool_.Add(std::move(added), fd).ok());
    return fd;
  }
  Pool& pool() { return pool_; }

 private:
  Pool pool_;
  std::thread monitor_;
  std::atomic<bool> stop_monitor_{false};
};

PoolLimits Limits(int workers, int max_workers, int64_t stall_limit_ms = 20) {
  PoolLimits limits;
  limits.workers = workers;
  limits.max_workers = max_workers;
  limits.stack_bytes = 1 << 20;
  limits.stall_limit_ns = stall_limit_ms * kNanosecondsPerMillisecond;
  return limits;
}

TEST(Pool, ServesATaskForEveryEdge) {
  std::atomic<int> served{0};
  PoolFixture fixture(Limits(2, 4));
  const int fd = fixture.Add([&](PoolWorker&) {
    ++served;
    return PoolTask::Outcome::kIdle;
  });
  for (int i = 1; i <= 100; ++i) {
    FakeTask::Touch(fd);
    while (served < i) std::this_thread::yield();
  }
  EXPECT_EQ(served, 100);
}

TEST(Pool, AnEdgeWhileItIsServedIsNotLost) {
  std::atomic<int> served{0};
  Event serving;
  Event go_on;
  PoolFixture fixture(Limits(2, 4));
  const int fd = fixture.Add([&](PoolWorker&) {
    if (++served == 1) {
      serving.Set();
      go_on.Wait();
    }
    return PoolTask::Outcome::kIdle;
  });
  FakeTask::Touch(fd);
  serving.Wait();
  FakeTask::Touch(fd);
  // Another worker takes that edge while the first still serves.
  while (fixture.pool().counters().polls < 2) std::this_thread::yield();
  go_on.Set();
  while (served < 2) std::this_thread::yield();
}

TEST(Pool, WorkersThatBlockAreReplacedAtOnce) {
  constexpr int kBlocked = 8;
  // No monitor: it must not be the one that saves us.
  Event released;
  std::atomic<int> blocked{0};
  std::atomic<int> resumed{0};
  PoolFixture fixture(Limits(1, kBlocked + 1), false);
  for (int i = 0; i < kBlocked; ++i) {
    FakeTask::Touch(fixture.Add([&](PoolWorker& worker) {
      {
        const BlockedScope scope(worker);
        ++blocked;
        released.Wait();
      }
      ++resumed;
      return PoolTask::Outcome::kIdle;
    }));
  }
  while (blocked < kBlocked) std::this_thread::yield();
  FakeTask::Touch(fixture.Add([&](PoolWorker&) {
    released.Set();
    return PoolTask::Outcome::kIdle;
  }));
  while (resumed < kBlocked) std::this_thread::yield();
  EXPECT_EQ(fixture.pool().counters().threads, kBlocked + 1);
}

TEST(Pool, AStalledWorkerGetsCompany) {
  Event released;
  PoolFixture fixture(Limits(1, 4));
  const int busy = fixture.Add([&](PoolWorker&) {
    released.Wait();  // as a long computation, which tells the pool nothing
    return PoolTask::Outcome::kIdle;
  });
  FakeTask::Touch(busy);
  FakeTask::Touch(fixture.Add([&](PoolWorker&) {
    released.Set();
    return PoolTask::Outcome::kIdle;
  }));
  released.Wait();
  EXPECT_GE(fixture.pool().counters().stalls, 1u);
}

TEST(Pool, UrgentTasksGoFirst) {
  // One worker and no monitor: what it is busy with, holds up the others.
  std::string order;
  std::atomic<int> served{0};
  FakeTask* urgent = nullptr;
  FakeTask* ordinary = nullptr;
  PoolFixture fixture(Limits(1, 2), false);
  const auto record = [&](char name) {
    return [&, name](PoolWorker&) {
      order += name;  // by the one worker only
      ++served;
      return PoolTask::Outcome::kIdle;
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
  FakeTask::Touch(fixture.Add([&](PoolWorker&) {
    serving.Set();
    go_on.Wait();
    return PoolTask::Outcome::kIdle;
  }));
  serving.Wait();
  FakeTask::Touch(ordinary_fd);
  FakeTask::Touch(urgent_fd);
  go_on.Set();
  while (served < 4) std::this_thread::yield();
  EXPECT_EQ(order, "uo");
}

TEST(Pool, ATaskThatWantsToRunAgainLetsOthersGoFirst) {
  std::atomic<bool> other_ran{false};
  std::atomic<bool> done{false};
  int own_fd = -1;
  int rounds = 0;
  PoolFixture fixture(Limits(1, 2), false);
  const int other_fd = fixture.Add([&](PoolWorker&) {
    other_ran = true;
    return PoolTask::Outcome::kIdle;
  });
  own_fd = fixture.Add([&](PoolWorker&) {
    if (rounds++ == 0) FakeTask::Touch(other_fd);
    if (!other_ran && rounds < 100'000) return PoolTask::Outcome::kAgain;
    done = true;
    return PoolTask::Outcome::kIdle;
  });
  FakeTask::Touch(own_fd);
  while (!done) std::this_thread::yield();
  EXPECT_TRUE(other_ran);
}

TEST(Pool, ASilentTaskRunsWhenItsTimeHasCome) {
  std::atomic<int> served{0};
  FakeTask* task = nullptr;
  PoolFixture fixture(Limits(1, 2), false);
  const int fd = fixture.Add(
      [&](PoolWorker&) {
        task->set_wake_at(++served == 1 ? MonotonicNow() + 30 * kNanosecondsPerMillisecond
                                        : kNoDeadline);
        return PoolTask::Outcome::kIdle;
      },
      &task);
  const MonotonicNs began = MonotonicNow();
  FakeTask::Touch(fd);
  while (served < 2) std::this_thread::yield();
  EXPECT_GE(MonotonicNow() - began, 30 * kNanosecondsPerMillisecond);
}

TEST(Pool, SurplusWorkersEnd) {
  PoolLimits limits = Limits(1, 8);
  limits.surplus_life_ns = 20 * kNanosecondsPerMillisecond;
  Event released;
  std::atomic<int> blocked{0};
  PoolFixture fixture(limits);
  for (int i = 0; i < 4; ++i) {
    FakeTask::Touch(fixture.Add([&](PoolWorker& worker) {
      const BlockedScope scope(worker);
      ++blocked;
      released.Wait();
      return PoolTask::Outcome::kIdle;
    }));
  }
  while (blocked < 4) std::this_thread::yield();
  EXPECT_GE(fixture.pool().counters().threads, 4);
  released.Set();
  while (fixture.pool().counters().threads > 1) std::this_thread::yield();
}

TEST(Pool, LongQueuesWakeMoreWorkers) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  constexpr int kTasks = 64;
  std::vector<int> fds;
  fds.reserve(kTasks);
  PoolFixture fixture(Limits(4, 8), false);
  for (int i = 0; i < kTasks; ++i) {
    fds.push_back(fixture.Add([&](PoolWorker&) {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --running;
      ++served;
      return PoolTask::Outcome::kIdle;
    }));
  }
  for (int round = 1; round <= 3; ++round) {
    for (int fd : fds) FakeTask::Touch(fd);
    while (served < kTasks * round) std::this_thread::yield();
  }
  EXPECT_GT(most, 1);
  EXPECT_LE(most, 4);
}

TEST(Pool, StopEndsTasksAndWorkers) {
  auto fixture = std::make_unique<PoolFixture>(Limits(2, 4));
  std::atomic<int> served{0};
  for (int i = 0; i < 100; ++i) {
    FakeTask::Touch(fixture->Add([&](PoolWorker&) {
      ++served;
      return PoolTask::Outcome::kIdle;
    }));
  }
  fixture.reset();  // returns: everything has ended
}

// Many sessions on few workers, all the while blocking and timing out.
TEST(Pool, Stress) {
  constexpr int kTasks = 32;
  constexpr int kRounds = 100;
  std::atomic<int> served{0};
  std::mutex row;
  std::vector<int> fds(kTasks);
  PoolFixture fixture(Limits(3, 40));
  for (int i = 0; i < kTasks; ++i) {
    fds[i] = fixture.Add([&, i](PoolWorker& worker) {
      if (i % 2 == 0) {
        const BlockedScope scope(worker);
        const std::lock_guard lock(row);
      }
      ++served;
      return i % 5 == 0 && served % 7 == 0 ? PoolTask::Outcome::kAgain : PoolTask::Outcome::kIdle;
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
