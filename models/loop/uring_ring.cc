// One io_uring.
#include "models/loop/uring_ring.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/io_uring_refusal.h"
#include "base/server_log.h"
#include "models/connection.h"

namespace connbench::models {
namespace {

// How often a submission that the kernel has put off (no memory, completions to be fetched first)
// is tried again; each time something of what it waits for has been done.
constexpr int kSubmitAttempts = 1000;

[[gnu::cold]] Status Unavailable(int error) {
  return Status::Error(sqlstate::kFeatureNotSupported,
                       fmt::format("io_uring cannot be used: {}", IoUringRefusal(error)))
      .WithHint("Use --model reactor, which does the same with epoll.");
}

[[noreturn, gnu::cold]] void Die(std::string_view call, int error) {
  LogLine(fmt::format("{}: {}", call, std::strerror(error)));
  std::abort();
}

void* Map(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

Status UringRing::Check() {
  UringRing ring;
  return ring.Open({.submission_entries = 8, .completion_entries = 16, .receive_buffers = 1});
}

Status UringRing::Open(const UringOptions& options) {
  options_ = options;
  const int error = SetUp();
  if (error != 0) return Unavailable(error);
  open_ = true;
  return OpenBuffers();
}

int UringRing::SetUp() {
  // The thread that submits is not this one: it enables the ring. One call that is refused must not
  // keep those behind it.
  constexpr unsigned kAlways =
      IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL;
  const auto try_flags = [this](unsigned flags) {
    io_uring_params params = {};
    params.flags = kAlways | flags;
    params.cq_entries = options_.completion_entries;
    return -io_uring_queue_init_params(options_.submission_entries, &ring_, &params);
  };
  int error = EINVAL;
  if (options_.defer_task_run) {
    error = try_flags(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
  }
  if (error == EINVAL) error = try_flags(IORING_SETUP_COOP_TASKRUN);
  return error;
}

Status UringRing::OpenBuffers() {
  const unsigned count = options_.receive_buffers;
  buffer_ring_ = static_cast<io_uring_buf_ring*>(Map(count * sizeof(io_uring_buf)));
  buffers_ = static_cast<char*>(Map(count * kReceiveBufferBytes));
  if (buffer_ring_ == nullptr || buffers_ == nullptr) {
    return Status::System("cannot map the receive buffers of io_uring", errno);
  }
  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uint64_t>(buffer_ring_);
  registration.ring_entries = count;
  registration.bgid = kBufferGroup;
  const int error = -io_uring_register_buf_ring(&ring_, &registration, 0);
  if (error != 0) return Unavailable(error);
  io_uring_buf_ring_init(buffer_ring_);
  buffers_taken_ = count;
  for (unsigned i = 0; i < count; ++i) GiveBack(static_cast<uint16_t>(i));
  return {};
}

void UringRing::Enable() {
  const int error = -io_uring_enable_rings(&ring_);
  if (error != 0) Die("io_uring_enable_rings", error);
  // Spares every system call the look into the table of descriptors; nothing depends on it.
  (void)io_uring_register_ring_fd(&ring_);
}

void UringRing::Close() {
  if (open_) io_uring_queue_exit(&ring_);
  open_ = false;
  if (buffer_ring_ != nullptr)
    munmap(buffer_ring_, options_.receive_buffers * sizeof(io_uring_buf));
  if (buffers_ != nullptr) munmap(buffers_, options_.receive_buffers * kReceiveBufferBytes);
  buffer_ring_ = nullptr;
  buffers_ = nullptr;
}

io_uring_sqe& UringRing::NextCall() {
  for (int attempt = 0; attempt < kSubmitAttempts; ++attempt) {
    if (io_uring_sqe* call = io_uring_get_sqe(&ring_)) return *call;
    Submit(0);
    Reap();
  }
  Die("io_uring_enter takes no more calls", EBUSY);
}

void UringRing::Submit(MonotonicNs deadline) {
  int result = 0;
  if (deadline == 0 || !reaped_.empty()) {
    result = io_uring_submit_and_get_events(&ring_);
  } else {
    __kernel_timespec timeout = {};
    if (deadline != kNoDeadline) {
      const MonotonicNs left = std::max<MonotonicNs>(deadline - MonotonicNow(), 0);
      timeout = {left / kNanosecondsPerSecond, left % kNanosecondsPerSecond};
    }
    io_uring_cqe* first = nullptr;
    result = io_uring_submit_and_wait_timeout(
        &ring_, &first, 1, deadline == kNoDeadline ? nullptr : &timeout, nullptr);
  }
  // EAGAIN, EBUSY: what was not taken stays in the ring for the next time.
  if (result < 0 && result != -ETIME && result != -EINTR && result != -EAGAIN && result != -EBUSY) {
    Die("io_uring_enter", -result);
  }
}

void UringRing::TakeCompletions(std::vector<UringCompletion>& completions) {
  completions.clear();
  Reap();
  completions.swap(reaped_);
}

void UringRing::Reap() {
  while (true) {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      reaped_.push_back({completion->user_data, completion->res, completion->flags});
      if ((completion->flags & IORING_CQE_F_BUFFER) != 0) ++buffers_taken_;
      ++count;
    }
    io_uring_cq_advance(&ring_, count);
    if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) == 0) return;
    ++overflows_;
    (void)io_uring_get_events(&ring_);
  }
}

std::string_view UringRing::Buffer(uint16_t buffer, size_t bytes) const {
  return {buffers_ + buffer * kReceiveBufferBytes, bytes};
}

void UringRing::GiveBack(uint16_t buffer) {
  io_uring_buf_ring_add(buffer_ring_, buffers_ + buffer * kReceiveBufferBytes, kReceiveBufferBytes,
                        buffer, io_uring_buf_ring_mask(options_.receive_buffers), 0);
  io_uring_buf_ring_advance(buffer_ring_, 1);
  --buffers_taken_;
}

}  // namespace connbench::models
