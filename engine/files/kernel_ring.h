// One io_uring for reads of files.
//
// A call is handed over at once, and what the kernel has in its page cache it has read by then.
// Signals to the event descriptor are kept off meanwhile, so that such a read costs one system call
// as pread() does.
//
// The kernel finishes the others when the thread that asked enters it for whatever else
// (IORING_SETUP_COOP_TASKRUN, Linux 5.19), and does not interrupt it. File systems that cannot read
// without blocking have a thread of the kernel's wait (io-wq).
//
// Safety: one thread at a time; the ring may pass from one to another when nothing is under way.
// Never across a fork().
#pragma once

#include <liburing.h>

#include <cstdint>

namespace connbench::engine {

class KernelRing {
 public:
  KernelRing() = default;
  ~KernelRing();
  KernelRing(const KernelRing&) = delete;
  KernelRing& operator=(const KernelRing&) = delete;

  // As Files::OpenRing().
  int Open(uint32_t reads, int event_fd);
  // As ReadRing's.
  int Begin(int fd, int64_t offset, char* to, int64_t bytes, uint64_t token);
  bool Next(bool wait, uint64_t& token, int64_t& result);

 private:
  int Submit();
  void SetSignals(bool on);

  io_uring ring_ = {};
  bool open_ = false;
  bool has_event_fd_ = false;
  bool signals_ = true;  // what ends writes to the event descriptor
};

}  // namespace connbench::engine
