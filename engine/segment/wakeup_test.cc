// Tests: a word in the segment on which one session waits and which anyone may ring.
#include "engine/segment/wakeup.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace connbench::engine {
namespace {

TEST(WakeupTest, ReturnsAtOnceIfItHasRungSince) {
  Wakeup wakeup;
  BlockingWaiter waiter;
  const uint32_t word = wakeup.word.load();
  wakeup.Ring();
  EXPECT_EQ(waiter.Wait(wakeup, word, kNoDeadline, WaitReason::kRowLock), WaitResult::kRung);
}

TEST(WakeupTest, TimesOut) {
  Wakeup wakeup;
  BlockingWaiter waiter;
  const MonotonicNs deadline = MonotonicNow() + 5 * kNanosecondsPerMillisecond;
  EXPECT_EQ(waiter.Wait(wakeup, wakeup.word.load(), deadline, WaitReason::kRowLock),
            WaitResult::kTimedOut);
  EXPECT_GE(MonotonicNow(), deadline);
  EXPECT_EQ(wakeup.waiting.load(), 0u);
}

TEST(WakeupTest, NoRingIsLost) {
  // Two threads hand a turn back and forth; a lost ring hangs the test.
  constexpr uint32_t kTurns = 20000;
  Wakeup ping;
  Wakeup pong;
  std::thread other([&] {
    BlockingWaiter waiter;
    for (uint32_t turn = 0; turn < kTurns; ++turn) {
      while (ping.word.load() == turn) waiter.Wait(ping, turn, kNoDeadline, WaitReason::kRowLock);
      pong.Ring();
    }
  });
  BlockingWaiter waiter;
  for (uint32_t turn = 0; turn < kTurns; ++turn) {
    ping.Ring();
    while (pong.word.load() == turn) waiter.Wait(pong, turn, kNoDeadline, WaitReason::kRowLock);
  }
  other.join();
  EXPECT_EQ(ping.word.load(), kTurns);
  EXPECT_EQ(pong.word.load(), kTurns);
}

TEST(WakeupTest, WakesAnotherProcess) {
  void* memory =
      mmap(nullptr, sizeof(Wakeup), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* wakeup = new (memory) Wakeup();
  const pid_t child = fork();
  if (child == 0) {
    BlockingWaiter waiter;
    while (wakeup->word.load() == 0) waiter.Wait(*wakeup, 0, kNoDeadline, WaitReason::kRowLock);
    _exit(7);
  }
  wakeup->Ring();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  munmap(memory, sizeof(Wakeup));
}

TEST(WakeupTest, RingsAnEventDescriptor) {
  Wakeup wakeup;
  wakeup.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  ASSERT_GT(wakeup.event_fd, 0);
  wakeup.Ring();
  wakeup.Ring();
  uint64_t rings = 0;
  ASSERT_EQ(read(wakeup.event_fd, &rings, sizeof rings), static_cast<ssize_t>(sizeof rings));
  EXPECT_EQ(rings, 2u);
  close(wakeup.event_fd);
}

}  // namespace
}  // namespace connbench::engine
