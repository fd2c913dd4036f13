// An event loop that hands the kernel the calls themselves (receive, send, accept) and goes on when
// they have been carried out: one io_uring_enter() a turn submits what the last turn's tasks want
// and waits for what comes next.
//
// Endpoints    Sockets and listeners are the loop's, not the tasks': the kernel may still work for
//              one whose task has gone. They are freed when their last call has come back.
// Waiting      One call hands over and waits for one completion. Sends that may not wait are
//              complete when they have been handed over, so that after a turn with answers the call
//              returns at once and the next one waits. To wait for one completion more than those
//              would save a call, but loses wake-ups: a session that sends much then slept for
//              ever.
//
// Safety, bounds: as models/loop/event_loop.h, and models/loop/uring_ring.h for the rings.
// An endpoint has at most one receive (or accept) and one send with the kernel, and one
// cancellation of each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/loop/event_loop.h"
#include "models/loop/uring_ring.h"

namespace connbench::models {

class UringLoop;

// What a call was, in the low bits of its user data; above them is the endpoint.
enum class UringCall : uint64_t { kReceive, kSend, kAccept, kRing, kCancel };

class alignas(16) UringEndpoint {
 public:
  virtual ~UringEndpoint() = default;
  virtual void OnCompletion(UringCall call, const UringCompletion& completion) = 0;

 private:
  friend class UringLoop;
  int calls_ = 0;          // that the kernel has not come back with
  bool released_ = false;  // to be freed when there are none
  size_t index_ = 0;       // in the loop's list of endpoints
};

class UringLoop : public EventLoop {
 public:
  UringLoop(size_t stack_bytes, int event_fd, const UringOptions& options = {});
  ~UringLoop() override;

  Status Open() override;
  Result<LoopSocketHandle> OpenSocket(LoopTask& task, int fd) override;
  Result<LoopListenerHandle> OpenListener(LoopTask& task, const Listener& listener) override;

  // For observers and tests.
  const UringRing& ring() const { return ring_; }
  uint64_t buffer_shortages() const { return buffer_shortages_; }
  size_t endpoints() const { return endpoints_.size(); }

  // --- for endpoints ---

  using EventLoop::IsStopping;
  using EventLoop::OnNews;

  UringRing& ring() { return ring_; }
  // Hands over what NextCall() gave and one of io_uring_prep_*() filled in.
  void Start(io_uring_sqe& call, UringEndpoint& endpoint, UringCall kind);
  // Asks the kernel to come back with a call of this kind soon.
  void Cancel(UringEndpoint& endpoint, UringCall kind);
  // Frees the endpoint, at once or when its last call has come back.
  void Release(UringEndpoint& endpoint);

  // Memory for what is being sent, so that a connection needs none while it is silent.
  std::string TakeSpare();
  void GiveSpare(std::string&& spare);

  // There was no buffer for what this endpoint was to receive: it is told again when there are
  // some.
  void WaitForBuffer(UringEndpoint& endpoint);

 private:
  void BeginRun() override;
  void Poll(MonotonicNs deadline) override;
  bool Settled() const override { return endpoints_.empty(); }
  void WatchEventDescriptor();
  void ServeThoseWithoutBuffer();
  void OnCompletion(const UringCompletion& completion);
  void Keep(UringEndpoint& endpoint);
  void Free(UringEndpoint& endpoint);

  const UringOptions options_;
  UringRing ring_;
  std::vector<std::unique_ptr<UringEndpoint>> endpoints_;
  std::vector<UringEndpoint*> without_buffer_;
  std::vector<UringEndpoint*> asked_again_;
  std::vector<UringCompletion> completions_;
  std::vector<std::string> spares_;
  uint64_t buffer_shortages_ = 0;
};

}  // namespace connbench::models
