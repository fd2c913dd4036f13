// One io_uring: how it is set up, calls handed to the kernel, completions taken back, and the
// buffers from which the kernel takes one when something has been received.
//
// Set-up       The kernel is to finish its part of a call (the copy of what was received, above
//              all) when the loop asks for completions, and never by interrupting it
//              (IORING_SETUP_DEFER_TASKRUN, with SINGLE_ISSUER: Linux 6.1). A kernel that lacks
//              these does it at the next system call (COOP_TASKRUN). Older than Linux 5.19, without
//              rings of buffers and accepts that repeat, is not enough.
// Bounds       UringOptions. A full submission ring is submitted; what does not fit into the
//              completion ring the kernel keeps (IORING_FEAT_NODROP), and it is fetched in the same
//              turn. With no buffer left a receive ends with ENOBUFS.
//
// Safety: Open() by any thread, everything else by the one that called Enable(). Check() opens and
// closes a ring: for the supervisor, too.
//
// Errors: 0A000 with the model to use instead when this kernel, or whoever confines this process,
// has no io_uring for us. A ring that cannot submit later on is a crash.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace connbench::models {

struct UringOptions {
  unsigned submission_entries = 256;
  // A turn's sends and receives of every connection of a loop.
  unsigned completion_entries = 4096;
  // A power of two. As many sessions may have something to read at the same time; the others' bytes
  // stay in their sockets for a turn. Of each, only pages that some message filled are ever
  // touched.
  unsigned receive_buffers = 256;
  // False: as on a kernel before 6.1.
  bool defer_task_run = true;
};

struct UringCompletion {
  uint64_t user_data;
  int32_t result;
  uint32_t flags;

  bool last() const { return (flags & IORING_CQE_F_MORE) == 0; }
  bool has_buffer() const { return (flags & IORING_CQE_F_BUFFER) != 0; }
  uint16_t buffer() const { return static_cast<uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT); }
};

class UringRing {
 public:
  // The group of buffers that a receive names.
  static constexpr uint16_t kBufferGroup = 0;

  UringRing() = default;
  ~UringRing() { Close(); }
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  static Status Check();

  Status Open(const UringOptions& options);
  // The calling thread is the one that submits from now on.
  void Enable();
  // The kernel has forgotten every call afterwards.
  void Close();

  // A place for the next call, to be filled in by one of liburing's io_uring_prep_*(). Before
  // Enable(), which nothing is submitted before, at most submission_entries of them.
  io_uring_sqe& NextCall();
  // Hands over what was filled in and waits until there is a completion or the deadline has passed.
  // 0: only looks.
  void Submit(MonotonicNs deadline);
  // All completions there are, in their order.
  void TakeCompletions(std::vector<UringCompletion>& completions);

  std::string_view Buffer(uint16_t buffer, size_t bytes) const;
  void GiveBack(uint16_t buffer);
  bool has_free_buffers() const { return buffers_taken_ < options_.receive_buffers; }

  uint64_t overflows() const { return overflows_; }
  bool defers_task_run() const { return (ring_.flags & IORING_SETUP_DEFER_TASKRUN) != 0; }

 private:
  int SetUp();
  Status OpenBuffers();
  void Reap();

  UringOptions options_;
  bool open_ = false;
  io_uring ring_ = {};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* buffers_ = nullptr;
  unsigned buffers_taken_ = 0;
  std::vector<UringCompletion> reaped_;
  uint64_t overflows_ = 0;
};

}  // namespace connbench::models
