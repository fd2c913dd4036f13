// One io_uring for reads of files.
#include "engine/files/kernel_ring.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/server_log.h"

namespace connbench::engine {
namespace {

// Calls are submitted one by one; more than one is there only after some that the kernel refused.
constexpr uint32_t kSubmissionEntries = 4;
// How often a submission is tried for which the kernel has no memory at the moment.
constexpr int kSubmitAttempts = 1000;
// Of a call that was withdrawn. (liburing has UINT64_MAX for itself.)
constexpr uint64_t kWithdrawn = UINT64_MAX - 1;

}  // namespace

KernelRing::~KernelRing() {
  if (open_) io_uring_queue_exit(&ring_);
}

int KernelRing::Open(uint32_t reads, int event_fd) {
  io_uring_params params = {};
  params.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_CQSIZE;
  params.cq_entries = std::max(reads, kSubmissionEntries);
  if (const int made = io_uring_queue_init_params(kSubmissionEntries, &ring_, &params); made < 0) {
    return made;
  }
  open_ = true;
  if (event_fd < 0) return 0;
  has_event_fd_ = true;
  return io_uring_register_eventfd(&ring_, event_fd);
}

int KernelRing::Begin(int fd, int64_t offset, char* to, int64_t bytes, uint64_t token) {
  io_uring_sqe* call = io_uring_get_sqe(&ring_);
  if (call == nullptr) {  // all withdrawn
    if (const int submitted = Submit(); submitted < 0) return submitted;
    call = io_uring_get_sqe(&ring_);
  }
  io_uring_prep_read(call, fd, to, static_cast<unsigned>(bytes), static_cast<uint64_t>(offset));
  io_uring_sqe_set_data64(call, token);
  SetSignals(false);
  const int submitted = Submit();
  if (submitted < 0) {
    // It goes with the next submission, and must not write into memory that is another's by then.
    io_uring_prep_nop(call);
    io_uring_sqe_set_data64(call, kWithdrawn);
  }
  return submitted;
}

// 0 if the kernel has taken all, also the last one.
int KernelRing::Submit() {
  int result = 0;
  for (int attempt = 0; attempt < kSubmitAttempts; ++attempt) {
    result = io_uring_submit(&ring_);
    if (io_uring_sq_ready(&ring_) == 0) return 0;
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) break;
    sched_yield();
  }
  return result < 0 ? result : -EAGAIN;
}

bool KernelRing::Next(bool wait, uint64_t& token, int64_t& result) {
  while (true) {
    io_uring_cqe* ended = nullptr;
    const int found = wait ? io_uring_wait_cqe(&ring_, &ended) : io_uring_peek_cqe(&ring_, &ended);
    if (found == 0) {
      token = ended->user_data;
      // A read that would have to wait, where the kernel has found no way to: to be tried again.
      result = ended->res == -EAGAIN ? -EINTR : ended->res;
      io_uring_cqe_seen(&ring_, ended);
      if (token != kWithdrawn) return true;
    } else if (found != -EINTR && found != -EAGAIN) {
      // Reads are under way into pages of the pool, and nobody can tell any more when they end.
      LogLine(fmt::format("io_uring_enter: {}", std::strerror(-found)));
      std::abort();
    } else if (!wait) {
      if (signals_) return false;
      SetSignals(true);  // and looks once more, for what has ended before
    }
  }
}

void KernelRing::SetSignals(bool on) {
  if (!has_event_fd_ || signals_ == on || ring_.cq.kflags == nullptr) return;
  // As io_uring_cq_eventfd_toggle(), but ordered: the kernel tells the end of a read, then looks at
  // this flag; here it is the other way round. At least one sees the other.
  const std::atomic_ref<unsigned> flags(*ring_.cq.kflags);
  if (on) {
    flags.fetch_and(~IORING_CQ_EVENTFD_DISABLED, std::memory_order_seq_cst);
  } else {
    flags.fetch_or(IORING_CQ_EVENTFD_DISABLED, std::memory_order_seq_cst);
  }
  static_cast<void>(std::atomic_ref(*ring_.cq.ktail).load(std::memory_order_seq_cst));
  signals_ = on;
}

}  // namespace connbench::engine
