// Test support: runs a load in the test's own process, plays the harness's end of its control
// channel, and waits for what another thread brings about.
//
// Safety: FakeHarness has a thread of its own, which its end joins; the rest is for any thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "harness/load/generator.h"

namespace connbench::load {

// 100 ms of a small transaction.
inline LoadConfig TestConfig(const Endpoint& endpoint, Pattern pattern, int connections) {
  LoadConfig config;
  config.endpoint = endpoint;
  config.workload.name = "test";
  config.workload.pattern = pattern;
  config.workload.connections = connections;
  config.workload.duration_ns = 100 * kNanosecondsPerMillisecond;
  config.workload.scripts = {{"test.sql", "\\set a 1\nSELECT :a;", 1}};
  return config;
}

// Runs it, and has its accounts checked, whatever else the test looks at.
inline LoadResult MustRun(const LoadConfig& config) {
  auto result = RunLoad(config);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  if (!result.ok()) return {};
  EXPECT_TRUE(result->Check().ok()) << result->Check().ToString();
  return std::move(*result);
}

inline uint64_t Count(const LoadResult& result, ConnectOutcome outcome) {
  return result.connects_by_outcome[static_cast<size_t>(outcome)];
}

// Polls for what nothing announces; fails the test when it does not come within a minute, which is
// long enough for a busy machine.
template <typename Condition>
void AwaitThat(Condition condition) {
  constexpr MonotonicNs kPatience = 60 * kNanosecondsPerSecond;
  const MonotonicNs deadline = MonotonicNow() + kPatience;
  while (!condition()) {
    ASSERT_LT(MonotonicNow(), deadline) << "it did not come";
    usleep(1000);
  }
}

// Plays the harness: notes the events and answers each, after on_event has seen its name. Hangs up
// instead of answering the event number hang_up_after.
class FakeHarness {
 public:
  using OnEvent = std::function<void(const std::string& name)>;

  explicit FakeHarness(OnEvent on_event = {}, int hang_up_after = INT_MAX)
      : on_event_(std::move(on_event)), hang_up_after_(hang_up_after) {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds_), 0);
    thread_ = std::thread([this] { Answer(); });
  }
  ~FakeHarness() {
    Finish();
    close(fds_[0]);
    close(fds_[1]);
  }
  FakeHarness(const FakeHarness&) = delete;
  FakeHarness& operator=(const FakeHarness&) = delete;

  int fd() const { return fds_[1]; }

  // After the run: the names of its events, each with the number of connections that were open.
  const std::vector<std::string>& Finish() {
    shutdown(fds_[1], SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    return seen_;
  }

 private:
  void Answer() {
    std::string line;
    char byte = 0;
    while (read(fds_[0], &byte, 1) == 1) {
      if (byte != '\n') {
        line += byte;
        continue;
      }
      std::istringstream words(std::exchange(line, {}));
      std::string keyword;
      std::string name;
      std::string open;
      int64_t at = 0;
      words >> keyword >> name >> open >> at;
      EXPECT_EQ(keyword, "EVENT");
      EXPECT_GT(at, 0);
      seen_.push_back(name + " " + open);
      if (on_event_) on_event_(name);
      if (static_cast<int>(seen_.size()) == hang_up_after_) break;
      EXPECT_EQ(write(fds_[0], "g", 1), 1);
    }
    shutdown(fds_[0], SHUT_RDWR);
  }

  const OnEvent on_event_;
  const int hang_up_after_;
  int fds_[2] = {-1, -1};
  std::vector<std::string> seen_;
  std::thread thread_;
};

}  // namespace connbench::load
