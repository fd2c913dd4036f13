// For tests: an event loop of each kind, and tasks that are functions.
//
// Safety: one thread makes the loop, adds tasks and runs it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/loop/event_descriptors.h"
#include "models/loop/event_loop.h"

namespace connbench::models::testing {

enum class LoopKind : uint8_t {
  kEpoll,
  kUring,
  kUringBefore61,  // without DEFER_TASKRUN
  kTightUring,     // rings and buffers that are always too small
};
// Those that this kernel can run.
std::vector<LoopKind> AllLoopKinds();
std::string LoopKindName(const ::testing::TestParamInfo<LoopKind>& kind);

class TestTask : public LoopTask {
 public:
  using Function = std::function<Outcome(TestTask& self)>;
  explicit TestTask(Function function) : function_(std::move(function)) {}

  Outcome Serve(EventLoop& /*loop*/, std::span<char> buffer) override {
    buffer_ = buffer;
    return function_(*this);
  }
  void Prefetch(int turns) const override {
    if (prefetch_) prefetch_(turns);
  }
  MonotonicNs wake_at() const override { return wake_at_; }
  void RequestStop() override { stopping_ = true; }

  bool stopping() const { return stopping_; }
  void set_wake_at(MonotonicNs at) { wake_at_ = at; }
  void set_prefetch(std::function<void(int turns)> prefetch) { prefetch_ = std::move(prefetch); }
  // Of the fiber that serves.
  std::span<char> buffer() const { return buffer_; }
  LoopSocketHandle socket;
  LoopListenerHandle listener;

 private:
  Function function_;
  std::function<void(int turns)> prefetch_;
  bool stopping_ = false;
  MonotonicNs wake_at_ = kNoDeadline;
  std::span<char> buffer_;
};

class TestLoop {
 public:
  explicit TestLoop(LoopKind kind);
  EventLoop& operator*() { return *loop_; }
  EventLoop* operator->() { return loop_.get(); }

  // An idle task.
  TestTask& Add(TestTask::Function function);
  // One that is served once, when the loop runs.
  void Start(std::function<void(TestTask& self)> function);
  // Runs the loop until this task, and those before, have ended.
  void Run(std::function<void(TestTask& self)> function);
  // Runs the loop until every task has ended by itself.
  void RunUntilDone();

 private:
  EventDescriptors event_descriptor_;
  std::unique_ptr<EventLoop> loop_;
};

}  // namespace connbench::models::testing
