// The event descriptors by which sessions that live in event loops are rung. The supervisor makes
// them before it forks, so that each has the same number in every process that may ring: the server
// processes, and the supervisor itself, which asks sessions to end.
//
// Safety: opened by the supervisor; inherited by its children.
#pragma once

#include <vector>

#include "base/status.h"

namespace connbench::models {

class EventDescriptors {
 public:
  EventDescriptors() = default;
  ~EventDescriptors();
  EventDescriptors(const EventDescriptors&) = delete;
  EventDescriptors& operator=(const EventDescriptors&) = delete;

  Status Open(int count);
  int operator[](int number) const { return fds_[number]; }

 private:
  std::vector<int> fds_;
};

}  // namespace connbench::models
