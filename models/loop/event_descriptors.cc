// The event descriptors by which sessions that live in event loops are rung.
#include "models/loop/event_descriptors.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace connbench::models {

EventDescriptors::~EventDescriptors() {
  for (int fd : fds_) close(fd);
}

Status EventDescriptors::Open(int count) {
  while (static_cast<int>(fds_.size()) < count) {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return Status::System("cannot make an event descriptor for each loop", errno);
    fds_.push_back(fd);
  }
  return {};
}

}  // namespace connbench::models
