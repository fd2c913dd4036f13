// Several sends in one system call, through io_uring. A round of an event loop that has read the
// answers of many connections has a statement for each of them; a send() for every one costs a
// system call each, and on a machine whose CPUs are busy the server process that it wakes may take
// the CPU away between two of them. Together they cost the client about a fifth less.
//
// Every send is attempted at once and without waiting, as with MSG_DONTWAIT: when Submit returns,
// all have been, and what a socket did not take is the caller's to send later.
//
// Safety: used by the thread that made it. Bounds: kMaxSends; Add says false beyond them.
// Errors: Make gives null where the kernel has no io_uring or a container forbids it
// (kernel.io_uring_disabled, seccomp); the caller then sends one by one. What goes wrong with one
// send is its result; should the kernel refuse the ring later, that is EAGAIN for all of them, and
// from then on Add says false.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace connbench::load {

class SendBatch {
 public:
  static constexpr unsigned kMaxSends = 256;
  struct Sent {
    uint32_t tag = 0;
    int result = 0;  // bytes that the socket has taken, or -errno
  };

  static std::unique_ptr<SendBatch> Make();
  ~SendBatch();
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  // The bytes stay where they are until Submit. False: there is no room, and nothing was added.
  bool Add(int fd, std::string_view bytes, uint32_t tag);
  unsigned size() const { return size_; }
  // Sends what was added; the results are valid until the next Add.
  std::span<const Sent> Submit();

 private:
  struct Ring;
  explicit SendBatch(std::unique_ptr<Ring> ring);

  std::unique_ptr<Ring> ring_;
  unsigned size_ = 0;
  bool broken_ = false;
  std::unique_ptr<Sent[]> results_;
};

}  // namespace connbench::load
