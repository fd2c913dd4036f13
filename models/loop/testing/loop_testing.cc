// An event loop of each kind, and tasks that are functions.
#include "models/loop/testing/loop_testing.h"

#include <cstdlib>
#include <utility>

#include "models/loop/epoll_loop.h"
#include "models/loop/uring_loop.h"

namespace connbench::models::testing {
namespace {

constexpr size_t kStackBytes = 256 << 10;

std::unique_ptr<EventLoop> MakeLoop(LoopKind kind, int event_fd) {
  switch (kind) {
    case LoopKind::kEpoll:
      return std::make_unique<EpollLoop>(kStackBytes, event_fd);
    case LoopKind::kUring:
      return std::make_unique<UringLoop>(kStackBytes, event_fd);
    case LoopKind::kUringBefore61:
      return std::make_unique<UringLoop>(kStackBytes, event_fd,
                                         UringOptions{.defer_task_run = false});
    case LoopKind::kTightUring:
      return std::make_unique<UringLoop>(
          kStackBytes, event_fd,
          UringOptions{.submission_entries = 8, .completion_entries = 8, .receive_buffers = 4});
  }
  std::abort();
}

}  // namespace

std::vector<LoopKind> AllLoopKinds() {
  std::vector<LoopKind> kinds = {LoopKind::kEpoll};
  if (UringRing::Check().ok()) {
    kinds.insert(kinds.end(), {LoopKind::kUring, LoopKind::kUringBefore61, LoopKind::kTightUring});
  }
  return kinds;
}

std::string LoopKindName(const ::testing::TestParamInfo<LoopKind>& kind) {
  switch (kind.param) {
    case LoopKind::kEpoll:
      return "epoll";
    case LoopKind::kUring:
      return "uring";
    case LoopKind::kUringBefore61:
      return "uring_before_6_1";
    case LoopKind::kTightUring:
      return "tight_uring";
  }
  std::abort();
}

TestLoop::TestLoop(LoopKind kind) {
  if (!event_descriptor_.Open(1).ok()) std::abort();
  loop_ = MakeLoop(kind, event_descriptor_[0]);
  const Status opened = loop_->Open();
  EXPECT_TRUE(opened.ok()) << opened.ToString();
}

TestTask& TestLoop::Add(TestTask::Function function) {
  auto task = std::make_unique<TestTask>(std::move(function));
  TestTask& added = *task;
  loop_->Adopt(std::move(task));
  return added;
}

void TestLoop::Start(std::function<void(TestTask& self)> function) {
  loop_->Notify(Add([function = std::move(function)](TestTask& self) {
    function(self);
    return LoopTask::Outcome::kDone;
  }));
}

void TestLoop::Run(std::function<void(TestTask& self)> function) {
  Start(std::move(function));
  RunUntilDone();
}

void TestLoop::RunUntilDone() {
  // Looks every millisecond; it must not ask for the end, which would wake those who park.
  TestTask& last = Add([this](TestTask& self) {
    if (loop_->tasks() > 1) {
      self.set_wake_at(MonotonicNow() + kNanosecondsPerMillisecond);
      return LoopTask::Outcome::kIdle;
    }
    loop_->RequestStop();
    return LoopTask::Outcome::kDone;
  });
  loop_->Notify(last);
  loop_->Run();
}

}  // namespace connbench::models::testing
