// A client's connection on an event loop: the session and its socket, and how the session waits.
//
// Safety: as models/reactor/loop_task.h.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"
#include "models/connection.h"
#include "models/reactor/event_loop.h"
#include "protocol/server_session.h"

namespace connbench::models {

class LoopConnection : public LoopTask, public engine::Waiter, public protocol::OutputChannel {
 public:
  LoopConnection(EventLoop& loop, engine::Engine& engine, const AcceptedConnection& accepted);
  ~LoopConnection() override;  // ends what Serve() has not

  // Before the loop takes it. After an error the socket is still the caller's.
  Status Open(int fd);
  Outcome Serve(EventLoop& loop, std::span<char> buffer) override;
  void Prefetch(int turns) const override {
    if (session_ != nullptr) session_->Prefetch(turns);
  }
  MonotonicNs wake_at() const override { return session_->InputDeadline(); }
  void RequestStop() override { stopping_ = true; }
  bool MustEnd() const override { return session_ != nullptr && session_->termination_pending(); }

 private:
  engine::WaitResult Wait(engine::Wakeup& wakeup, uint32_t expected, MonotonicNs deadline,
                          engine::WaitReason reason) override;
  void Yield() override { loop_.YieldIfLong(); }
  Status Flush(std::string& bytes) override { return socket_->Send(bytes); }
  // Sends what the session has said. True: it goes on.
  bool Answer(protocol::Want want);
  void Close();

  EventLoop& loop_;
  engine::Engine& engine_;
  const uint32_t connection_id_;
  bool started_ = false;
  bool stopping_ = false;
  LoopSocketHandle socket_;
  std::unique_ptr<protocol::ServerSession> session_;
};

// A listener whose clients the loop serves itself.
class LoopAcceptor : public LoopTask {
 public:
  // The engine must outlive the loop's Run().
  static Status AddTo(EventLoop& loop, engine::Engine& engine, const Listener& listener);

  explicit LoopAcceptor(engine::Engine& engine) : engine_(engine) {}

  Outcome Serve(EventLoop& loop, std::span<char> buffer) override;
  MonotonicNs wake_at() const override { return paused_until_; }
  void RequestStop() override { stopping_ = true; }

 private:
  engine::Engine& engine_;
  LoopListenerHandle listener_;
  bool stopping_ = false;
  MonotonicNs paused_until_ = kNoDeadline;
};

// Gives the connection to the loop, or refuses it.
void AddConnection(EventLoop& loop, engine::Engine& engine, const AcceptedConnection& accepted);

}  // namespace connbench::models
