// All thread groups of `thread-pool`, and what they share: the monitor that looks after them, and
// the order in which they end.
//
// Safety: made, watched and stopped by one thread; GroupOf() by any.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/thread_pool/thread_group.h"

namespace connbench::models {

class ThreadPool {
 public:
  // accounts: that of each group, by its number; null: none.
  ThreadPool(int groups, const GroupLimits& limits,
             const std::function<engine::PoolAccount*(int group)>& accounts);

  Status Start();
  // Connections are dealt to the groups in turn, for as long as they live.
  ThreadGroup& GroupOf(uint32_t connection_id) { return *groups_[connection_id % groups_.size()]; }
  const std::vector<std::unique_ptr<ThreadGroup>>& groups() const { return groups_; }

  // Watches the groups until until_fd is readable, and calls on_news whenever news_fd is.
  void Watch(int until_fd, int news_fd, const std::function<void()>& on_news);
  // Any thread. Asks the tasks of those connections to end.
  void RequestStopOf(const std::function<bool(uint32_t connection_id)>& chosen);
  // Asks every task of every group to end, and returns when all tasks and workers have.
  void Stop();

 private:
  std::vector<std::unique_ptr<ThreadGroup>> groups_;
};

}  // namespace connbench::models
