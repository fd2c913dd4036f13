// Why the kernel refuses an io_uring, in words for an error.
//
// Safety: any thread.
#pragma once

#include <string>

namespace connbench {

// error: what io_uring_setup() or io_uring_register() has set errno to, for a ring of Linux 5.19.
std::string IoUringRefusal(int error);

}  // namespace connbench
