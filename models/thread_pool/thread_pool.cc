// All thread groups of `thread-pool`, and what they share.
#include "models/thread_pool/thread_pool.h"

#include <poll.h>
#include <unistd.h>

namespace connbench::models {

ThreadPool::ThreadPool(int groups, const GroupLimits& limits,
                       const std::function<engine::PoolAccount*(int group)>& accounts) {
  for (int i = 0; i < groups; ++i) {
    groups_.push_back(
        std::make_unique<ThreadGroup>(limits, accounts != nullptr ? accounts(i) : nullptr));
  }
}

Status ThreadPool::Start() {
  for (const auto& group : groups_) CONNBENCH_RETURN_IF_ERROR(group->Start());
  return {};
}

void ThreadPool::Watch(int until_fd, int news_fd, const std::function<void()>& on_news) {
  constexpr timespec kPeriod = {0, ThreadGroup::kMonitorPeriodNs};
  std::vector<pollfd> polled = {{until_fd, POLLIN, 0}, {news_fd, POLLIN, 0}};
  const size_t first_group = polled.size();
  for (const auto& group : groups_) polled.push_back({group->monitor_fd(), POLLIN, 0});
  bool busy = true;
  while (polled[0].revents == 0) {
    if (ppoll(polled.data(), polled.size(), busy ? &kPeriod : nullptr, nullptr) < 0) continue;
    if (polled[1].revents != 0) on_news();
    busy = false;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (polled[first_group + i].revents != 0) {
        uint64_t count = 0;
        (void)!read(polled[first_group + i].fd, &count, sizeof(count));
      }
      busy |= groups_[i]->Monitor();
    }
  }
}

void ThreadPool::RequestStopOf(const std::function<bool(uint32_t connection_id)>& chosen) {
  for (const auto& group : groups_) group->RequestStopOf(chosen);
}

void ThreadPool::Stop() {
  for (const auto& group : groups_) group->BeginStop();
  // A listener's task may have accepted for another group before it was asked to end: when all have
  // been awaited once there is no such task any more, and after the second time nothing else.
  for (int pass = 0; pass < 2; ++pass) {
    for (const auto& group : groups_) group->AwaitTasks();
  }
  for (const auto& group : groups_) group->EndWorkers();
}

}  // namespace connbench::models
