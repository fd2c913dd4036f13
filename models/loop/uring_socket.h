// Sockets and listeners whose calls the kernel carries out (models/loop/uring_loop.h).
//
// Safety: on the loop's thread; owned by the loop. Released by its task, an endpoint waits for the
// calls that the kernel still has, and closes its socket then.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/loop/loop_socket.h"
#include "models/loop/uring_loop.h"

namespace connbench::models {

class UringSocket final : public LoopSocket, public UringEndpoint {
 public:
  UringSocket(UringLoop& loop, LoopTask& task, int fd) : loop_(loop), task_(&task), fd_(fd) {}
  ~UringSocket() override;

  // Starts to receive.
  void Begin() { StartReceive(/*expect_bytes=*/true); }

  Received Receive(std::span<char> buffer, size_t& count) override;
  void AwaitInput() override;
  Status Send(std::string& bytes) override;
  Status Drain() override;
  void Release() override;

  void OnCompletion(UringCall call, const UringCompletion& completion) override;

 private:
  void StartReceive(bool expect_bytes);
  void StartSend(bool wait);
  void OnReceived(const UringCompletion& completion);
  void OnSent(int32_t result);

  UringLoop& loop_;
  LoopTask* task_;  // null: released
  const int fd_;
  bool receiving_ = false;  // a receive is with the kernel, or waits for a buffer
  bool ended_ = false;      // nothing more will come
  bool has_buffer_ = false;
  uint16_t buffer_ = 0;        // with what came and was not taken yet
  uint32_t buffer_bytes_ = 0;  // of it
  bool sending_ = false;
  bool send_waits_ = false;  // the client has left no room: the kernel waits until it does
  bool gone_ = false;        // a send has failed
  size_t sent_bytes_ = 0;    // of unsent_
  std::string unsent_;       // until it has been sent
};

class UringListener final : public LoopListener, public UringEndpoint {
 public:
  UringListener(UringLoop& loop, LoopTask& task, const Listener& listener)
      : loop_(loop), task_(&task), listener_(listener) {}
  ~UringListener() override;

  // Starts to accept.
  void Begin();

  Listener::AcceptResult Accept(engine::ConnectionLog& log,
                                AcceptedConnection& connection) override;
  void Release() override;

  void OnCompletion(UringCall call, const UringCompletion& completion) override;

 private:
  UringLoop& loop_;
  LoopTask* task_;  // null: released
  const Listener listener_;
  bool accepting_ = false;
  bool exhausted_ = false;
  std::vector<int> accepted_;  // sockets, the first to be served at next_
  size_t next_ = 0;
};

}  // namespace connbench::models
