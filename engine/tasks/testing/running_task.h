// For tests: a task of an engine at work.
//
// Safety: one thread makes and destroys it.
#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <thread>

#include "engine/engine.h"

namespace connbench::engine {

// A task in a thread of the test, as models/task_staff.h runs it.
class RunningTask {
 public:
  RunningTask(Engine& engine, std::string_view name) {
    for (const Task& task : engine.tasks()) {
      if (task.name != name) continue;
      thread_ = std::thread([this, &engine, &task] {
        const Status ran = engine.RunTask(task, stop_);
        EXPECT_TRUE(ran.ok()) << ran.ToString();
      });
    }
    EXPECT_TRUE(thread_.joinable()) << name;
  }
  ~RunningTask() {
    stop_.Request();
    thread_.join();
  }
  RunningTask(const RunningTask&) = delete;
  RunningTask& operator=(const RunningTask&) = delete;

 private:
  TaskStop stop_;
  std::thread thread_;
};

}  // namespace connbench::engine
