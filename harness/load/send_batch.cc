// Several sends in one system call, through io_uring.
#include "harness/load/send_batch.h"

#include <liburing.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace connbench::load {
namespace {

// One thread submits and reaps, and the kernel's part of the work is done when that thread asks.
// Kernels before 6.1 do not know the two flags; Debian 12's headers of liburing do not name them.
constexpr unsigned kSingleIssuer = 1U << 12;
constexpr unsigned kDeferTaskrun = 1U << 13;

}  // namespace

struct SendBatch::Ring {
  io_uring ring{};
  bool ready = false;
  ~Ring() {
    if (ready) io_uring_queue_exit(&ring);
  }
};

SendBatch::SendBatch(std::unique_ptr<Ring> ring)
    : ring_(std::move(ring)), results_(std::make_unique<Sent[]>(kMaxSends)) {}

SendBatch::~SendBatch() = default;

std::unique_ptr<SendBatch> SendBatch::Make() {
  auto ring = std::make_unique<Ring>();
  for (const unsigned flags : {kSingleIssuer | kDeferTaskrun, 0U}) {
    if (io_uring_queue_init(kMaxSends, &ring->ring, flags) != 0) continue;
    ring->ready = true;
    return std::unique_ptr<SendBatch>(new SendBatch(std::move(ring)));
  }
  return nullptr;
}

bool SendBatch::Add(int fd, std::string_view bytes, uint32_t tag) {
  if (size_ == kMaxSends || broken_) return false;
  io_uring_sqe* entry = io_uring_get_sqe(&ring_->ring);
  if (entry == nullptr) return false;
  io_uring_prep_send(entry, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  entry->user_data = size_;
  results_[size_++] = {tag, -EAGAIN};  // until it is known
  return true;
}

std::span<const SendBatch::Sent> SendBatch::Submit() {
  const unsigned added = std::exchange(size_, 0);
  for (unsigned done = 0; done < added;) {
    // Sends that may not wait have ended when they have been submitted; waiting for a completion
    // lets the kernel post those that it has put off.
    const int status = io_uring_submit_and_wait(&ring_->ring, 1);
    if (status < 0 && status != -EINTR && status != -EAGAIN && status != -EBUSY) {
      broken_ = true;  // entries that were not taken must never be submitted later
      break;
    }
    io_uring_cqe* completion = nullptr;
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_for_each_cqe(&ring_->ring, head, completion) {
      results_[completion->user_data].result = completion->res;
      ++seen;
    }
    io_uring_cq_advance(&ring_->ring, seen);
    done += seen;
  }
  return {results_.get(), added};
}

}  // namespace connbench::load
