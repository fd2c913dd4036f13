// A client's connection on an event loop: the session and its socket, and how the session waits.
//
// Safety: as models/loop/loop_task.h.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"
#include "models/connection.h"
#include "models/loop/event_loop.h"
#include "protocol/server_session.h"

namespace connbench::models {

class LoopConnection : public LoopTask, public engine::Waiter, public protocol::OutputChannel {
 public:
  // relays: as ServerSession's.
  LoopConnection(EventLoop& loop, engine::Engine& engine, const AcceptedConnection& accepted,
                 protocol::RelayHost* relays = nullptr);
  ~LoopConnection() override;  // ends what Serve() has not

  // Before the loop takes it. After an error the socket is still the caller's.
  Status Open(int fd);
  Outcome Serve(EventLoop& loop, std::span<char> buffer) override;
  void Prefetch(int turns) const override {
    if (session_ != nullptr) session_->Prefetch(turns);
  }
  MonotonicNs wake_at() const override { return session_->InputDeadline(); }
  void RequestStop() override { stopping_ = true; }
  Peer LookAtPeer() const override { return socket_->LookAtPeer(); }
  bool MustEnd() const override { return session_ != nullptr && session_->termination_pending(); }

 private:
  engine::WaitResult Wait(engine::Wakeup& wakeup, uint32_t expected, MonotonicNs deadline,
                          engine::WaitReason reason) override;
  void Yield() override { loop_.YieldIfLong(); }
  engine::ThreadIoPlace* thread_io() override { return &loop_.thread_io(); }
  Status Flush(std::string& bytes) override { return socket_->Send(bytes); }
  Status FlushDownTo(std::string& bytes, size_t keep, int64_t patience_ns) override {
    return socket_->SendDownTo(bytes, keep, patience_ns);
  }
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
  // The engine, and the one who runs the clients' messages in its place, must outlive the loop's
  // Run(). takes_turns: other loops wait at that listener, and shall have as many of its clients,
  // also when they come one by one.
  static Status AddTo(EventLoop& loop, engine::Engine& engine, const Listener& listener,
                      protocol::RelayHost* relays = nullptr, bool takes_turns = false);

  LoopAcceptor(engine::Engine& engine, protocol::RelayHost* relays, bool takes_turns)
      : engine_(engine), relays_(relays), takes_turns_(takes_turns) {}

  Outcome Serve(EventLoop& loop, std::span<char> buffer) override;
  MonotonicNs wake_at() const override { return paused_until_; }
  void RequestStop() override { stopping_ = true; }

 private:
  engine::Engine& engine_;
  protocol::RelayHost* const relays_;
  const bool takes_turns_;
  LoopListenerHandle listener_;
  bool stopping_ = false;
  MonotonicNs paused_until_ = kNoDeadline;
};

// Whether the loop may have another client (MostClients()). If not, room is wanted.
bool HasRoomForClient(const EventLoop& loop, engine::Engine& engine);
// Gives the connection to the loop, or refuses it.
void AddConnection(EventLoop& loop, engine::Engine& engine, const AcceptedConnection& accepted,
                   protocol::RelayHost* relays = nullptr);

}  // namespace connbench::models
