// Why the kernel refuses an io_uring, in words for an error.
#include "base/io_uring_refusal.h"

#include <cerrno>
#include <cstring>

namespace connbench {

std::string IoUringRefusal(int error) {
  switch (error) {
    case ENOSYS:
      return "this kernel has none";
    case EPERM:
    case EACCES:
      return "this process may not (sysctl kernel.io_uring_disabled, or the seccomp filter of a "
             "container)";
    case EINVAL:
      return "this kernel's is older than Linux 5.19";
    case ENOMEM:
      return "there is no memory for it (the cgroup's limit, or ulimit -l)";
    default:
      return std::strerror(error);
  }
}

}  // namespace connbench
