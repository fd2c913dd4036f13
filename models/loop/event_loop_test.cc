// What every engine of an event loop must do, with tasks that are no connections: parking, waking,
// timers, turns, the end.
#include "models/loop/event_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "models/loop/testing/loop_testing.h"

namespace connbench::models::testing {
namespace {

class EventLoops : public ::testing::TestWithParam<LoopKind> {
 protected:
  EventLoops() : loop_(GetParam()) {}
  EventLoop& loop() { return *loop_; }

  TestLoop loop_;
};

TEST_P(EventLoops, ServesWhatIsNotified) {
  int served = 0;
  TestTask& task = loop_.Add([&](TestTask&) {
    loop().RequestStop();
    return ++served < 3 ? LoopTask::Outcome::kAgain : LoopTask::Outcome::kDone;
  });
  loop().Notify(task);
  loop().Run();
  EXPECT_EQ(served, 3);
  EXPECT_EQ(loop().tasks(), 0u);
  EXPECT_EQ(loop().counters().most_fibers, 1u);
}

TEST_P(EventLoops, TellsTheTwoTasksThatComeNext) {
  std::string events;
  for (const char name : {'a', 'b', 'c', 'd'}) {
    TestTask& task = loop_.Add([&events, name, this](TestTask&) {
      events += name;
      if (name == 'd') loop().RequestStop();
      return LoopTask::Outcome::kDone;
    });
    task.set_prefetch([&events, name](int turns) {
      events += std::to_string(turns);
      events += name;
      events += ' ';
    });
    loop().Notify(task);
  }
  loop().Run();
  EXPECT_EQ(events, "1b 2c a1c 2d b1d cd");
}

TEST_P(EventLoops, ParkEndsAtItsDeadline) {
  const MonotonicNs before = MonotonicNow();
  bool woken = true;
  loop_.Run([&](TestTask&) { woken = loop().Park(before + 20 * kNanosecondsPerMillisecond); });
  EXPECT_FALSE(woken);
  EXPECT_GE(MonotonicNow() - before, 20 * kNanosecondsPerMillisecond);
  EXPECT_EQ(loop().counters().parks, 1u);
}

TEST_P(EventLoops, WakeEndsAPark) {
  TestTask* sleeper = nullptr;
  bool woken = false;
  loop_.Start([&](TestTask& task) {
    sleeper = &task;
    woken = loop().Park(kNoDeadline);
  });
  loop_.Run([&](TestTask&) {
    loop().Wake(*sleeper);
    loop().Wake(*sleeper);  // queued by now: nothing
  });
  EXPECT_TRUE(woken);
}

// A ring that comes between the last look at the word and the sleep.
TEST_P(EventLoops, RingBeforeTheParkIsNotLost) {
  engine::Wakeup wakeup;
  engine::WaitResult result = engine::WaitResult::kTimedOut;
  loop_.Run([&](TestTask&) {
    wakeup.Ring();
    result = loop().WaitFor(wakeup, 0, kNoDeadline);
  });
  EXPECT_EQ(result, engine::WaitResult::kRung);
  EXPECT_EQ(loop().counters().parks, 0u);
}

TEST_P(EventLoops, RingsOfAnotherThreadAreNotLost) {
  constexpr uint32_t kRings = 2000;
  engine::Wakeup wakeup;
  std::atomic<uint32_t> seen{0};
  std::thread other([&] {
    for (uint32_t ring = 0; ring < kRings; ++ring) {
      while (seen.load(std::memory_order_acquire) != ring) std::this_thread::yield();
      wakeup.Ring();
    }
  });
  loop_.Run([&](TestTask&) {
    for (uint32_t expected = 0; expected < kRings; ++expected) {
      while (wakeup.word.load() == expected) {
        ASSERT_EQ(loop().WaitFor(wakeup, expected, kNoDeadline), engine::WaitResult::kRung);
      }
      seen.store(expected + 1, std::memory_order_release);
    }
  });
  other.join();
  EXPECT_EQ(seen.load(), kRings);
}

TEST_P(EventLoops, WaitForALockTimesOut) {
  engine::Wakeup wakeup;
  engine::WaitResult result = engine::WaitResult::kRung;
  loop_.Run([&](TestTask&) {
    result = loop().WaitFor(wakeup, 0, MonotonicNow() + 5 * kNanosecondsPerMillisecond);
  });
  EXPECT_EQ(result, engine::WaitResult::kTimedOut);
}

TEST_P(EventLoops, StopReachesParkedAndIdleTasks) {
  constexpr int kParked = 100;  // more than the loop keeps fibers for
  int ended = 0;
  for (int i = 0; i < kParked; ++i) {
    loop_.Start([&](TestTask& task) {
      while (!task.stopping()) loop().Park(kNoDeadline);
      ++ended;
    });
  }
  loop_.Add([&](TestTask& task) {
    ended += task.stopping() ? 1 : 0;
    return LoopTask::Outcome::kDone;
  });
  std::thread other;
  // Has its turn when the others are parked.
  loop_.Start([&](TestTask&) { other = std::thread([&] { loop().RequestStop(); }); });
  loop().Run();
  other.join();
  EXPECT_EQ(ended, kParked + 1);
  EXPECT_EQ(loop().counters().most_fibers, static_cast<size_t>(kParked) + 1);
}

TEST_P(EventLoops, TimersServeInTheirOrder) {
  std::string order;
  const MonotonicNs now = MonotonicNow();
  const auto at = [&](int ms, char name) {
    TestTask& task = loop_.Add([&order, name](TestTask&) {
      order += name;
      return LoopTask::Outcome::kDone;
    });
    return std::pair(&task, now + ms * kNanosecondsPerMillisecond);
  };
  for (const auto& [task, when] : {at(12, 'c'), at(4, 'a'), at(8, 'b'), at(-5, '0')}) {
    loop_.Start([this, task = task, when = when](TestTask&) {
      loop().Park(when);
      loop().Notify(*task);
    });
  }
  loop_.RunUntilDone();
  EXPECT_EQ(order, "0abc");
}

TEST_P(EventLoops, WakeAtServesATaskWhoseSocketIsSilent) {
  const MonotonicNs before = MonotonicNow();
  int served = 0;
  TestTask& task = loop_.Add([&](TestTask& self) {
    self.set_wake_at(MonotonicNow() + 5 * kNanosecondsPerMillisecond);
    return ++served < 3 ? LoopTask::Outcome::kIdle : LoopTask::Outcome::kDone;
  });
  loop().Notify(task);
  loop_.RunUntilDone();
  EXPECT_EQ(served, 3);
  EXPECT_GE(MonotonicNow() - before, 10 * kNanosecondsPerMillisecond);
}

// A statement that computes for long does not keep others from their turns.
TEST_P(EventLoops, LongTaskYields) {
  constexpr uint64_t kYields = 10;
  int turns = 0;
  int turns_at_end = 0;
  bool computing = true;
  loop_.Start([&](TestTask&) {
    while (loop().counters().yields < kYields) loop().YieldIfLong();
    turns_at_end = turns;
    computing = false;
  });
  TestTask& quick = loop_.Add([&](TestTask&) {
    ++turns;
    return computing ? LoopTask::Outcome::kAgain : LoopTask::Outcome::kDone;
  });
  loop().Notify(quick);
  loop_.RunUntilDone();
  EXPECT_EQ(loop().counters().yields, kYields);
  EXPECT_EQ(static_cast<uint64_t>(turns_at_end), kYields);  // one for each slice
}

// News that comes while a task is in the middle of something has it served once more.
TEST_P(EventLoops, NotifyOfARunningTaskIsNotLost) {
  int served = 0;
  TestTask& task = loop_.Add([&](TestTask& self) {
    if (++served == 1) loop().Notify(self);
    return served < 2 ? LoopTask::Outcome::kIdle : LoopTask::Outcome::kDone;
  });
  loop().Notify(task);
  loop_.RunUntilDone();
  EXPECT_EQ(served, 2);
}

INSTANTIATE_TEST_SUITE_P(Engines, EventLoops, ::testing::ValuesIn(AllLoopKinds()), LoopKindName);

}  // namespace
}  // namespace connbench::models::testing
