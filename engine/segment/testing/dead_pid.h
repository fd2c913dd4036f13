// A process id that was used a moment ago and is not any more.
//
// Safety: forks; for tests whose process has one thread.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace connbench::engine {

inline pid_t DeadPid() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return child;
}

}  // namespace connbench::engine
