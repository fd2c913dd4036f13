// `fdpass`: a dispatcher accepts and hands each socket to one of a few worker processes, which
// holds it from then on, with many others, after Postgres Pro's built-in pooler.
//
// Accepting    One process, the dispatcher, accepts and does nothing else.
// Dispatching  The socket is passed to the next worker in turn as SCM_RIGHTS; no byte of the client
//              goes through the dispatcher, before or after. (Postgres Pro reads the startup packet
//              first, to choose a worker by database and user; here there is one database.)
// State        A session lives in its worker's heap until it ends, and never moves. A worker is an
//              event loop, as in `reactor`: an idle session has no stack.
// Waiting      As in `reactor`: a session that waits for a lock parks, and its worker goes on, so
//              that the holder's next statement runs, whichever worker has it. The ring comes from
//              another process, through an event descriptor that all have inherited.
// Refusing     A connection past the limit is passed on and refused by the engine (53300). When a
//              worker's channel is full, the dispatcher waits, and clients wait in the listen
//              backlog.
// Ending       SIGTERM: the dispatcher stops accepting; the workers ask their sessions to end
//              (57P01) and end when those have, and when no socket is on its way to them. A crash
//              of a worker loses its sessions; the supervisor ends the others because the segment
//              may be damaged, without a word to their clients.
// Must not     The dispatcher must not read from a client or touch the engine's latches; a worker
//              must not accept.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/server_log.h"
#include "models/accept_wait.h"
#include "models/fdpass/socket_channel.h"
#include "models/loop/event_descriptors.h"
#include "models/loop/loop_connection.h"
#include "models/loop/loop_process.h"
#include "models/model.h"

namespace connbench::models {
namespace {

int FailToStart(const Status& status) {
  LogLine("fdpass: " + status.error().message);
  return 1;
}

// Where a worker receives its connections.
class ChannelTask : public LoopTask {
 public:
  ChannelTask(engine::Engine& engine, int fd) : engine_(engine), fd_(fd) {}

  Outcome Serve(EventLoop& loop, std::span<char> /*buffer*/) override {
    paused_until_ = kNoDeadline;
    for (int i = 0; i < kAcceptBatch; ++i) {
      if (!HasRoomForClient(loop, engine_)) {
        paused_until_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
        return Outcome::kIdle;
      }
      AcceptedConnection connection;
      switch (ReceiveConnection(fd_, connection)) {
        case ChannelResult::kPassed:
          AddConnection(loop, engine_, connection);
          break;
        case ChannelResult::kNotNow:
          return Outcome::kIdle;
        case ChannelResult::kClosed:
          return Outcome::kDone;
      }
    }
    return Outcome::kAgain;
  }
  // It ends when the dispatcher has: what is on its way is told that the server ends.
  void RequestStop() override {}
  MonotonicNs wake_at() const override { return paused_until_; }

 private:
  engine::Engine& engine_;
  const int fd_;
  MonotonicNs paused_until_ = kNoDeadline;
};

class FdpassModel : public Model {
 public:
  explicit FdpassModel(const ModelContext& context)
      : context_(context),
        workers_(static_cast<int>(context.settings.fdpass_workers != 0
                                      ? context.settings.fdpass_workers
                                      : std::max(1u, std::thread::hardware_concurrency()))) {}
  ~FdpassModel() override { CloseChannels(); }

  ResourceNeeds Needs() const override {
    // One worker may have all connections that live, if those of the others were the short ones.
    const int64_t connections = context_.engine.config().max_connections;
    return {.descriptors = connections + 3 * int64_t{workers_},
            .tasks = workers_ + 1,
            .memory_mappings = 2 * connections};
  }

  Status Start(ProcessSpawner& spawner) override {
    CONNBENCH_RETURN_IF_ERROR(event_descriptors_.Open(workers_));
    for (int i = 0; i < workers_; ++i) {
      CONNBENCH_ASSIGN_OR_RETURN(channels_.emplace_back(), SocketChannel::Open());
    }
    CONNBENCH_RETURN_IF_ERROR(
        spawner.Fork(ChildKind::kServer, [this] { return RunDispatcher(); }).status());
    for (int i = 0; i < workers_; ++i) {
      CONNBENCH_RETURN_IF_ERROR(
          spawner.Fork(ChildKind::kServer, [this, i] { return RunWorker(i); }).status());
    }
    CloseChannels();
    return {};
  }

 private:
  void CloseChannels() {
    for (SocketChannel& channel : channels_) {
      channel.CloseSending();
      channel.CloseReceiving();
    }
  }

  int RunDispatcher() {
    for (SocketChannel& channel : channels_) channel.CloseReceiving();
    const TerminationSignal termination;
    AcceptWait clients;
    const Status opened = clients.Open(context_.listeners.listeners(), termination.fd());
    if (!opened.ok()) return FailToStart(opened);
    engine::ConnectionLog& log = context_.engine.connection_log();
    MonotonicNs pause_until = kNoDeadline;
    while (true) {
      clients.Pause(pause_until != kNoDeadline);
      const Listener* listener = nullptr;
      const AcceptWait::Event event = clients.Wait(listener, pause_until);
      if (event == AcceptWait::Event::kTermination) return 0;
      pause_until = kNoDeadline;
      if (event != AcceptWait::Event::kClient) continue;
      for (int i = 0; i < kAcceptBatch; ++i) {
        AcceptedConnection connection;
        const Listener::AcceptResult result = listener->Accept(log, connection);
        if (result == Listener::AcceptResult::kExhausted) {
          pause_until = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
        }
        if (result != Listener::AcceptResult::kAccepted) break;
        log.Stamp(connection.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
        if (!Pass(connection, termination)) {
          CloseConnection(log, connection);
          return 0;
        }
        close(connection.fd);
      }
    }
  }

  // To the next worker that has room. False: asked to end while none had.
  bool Pass(const AcceptedConnection& connection, const TerminationSignal& termination) {
    while (true) {
      for (int tried = 0; tried < workers_; ++tried) {
        next_worker_ = (next_worker_ + 1) % workers_;
        if (SendConnection(channels_[next_worker_].sending_fd, connection) ==
            ChannelResult::kPassed) {
          return true;
        }
      }
      pollfd polled[2] = {{termination.fd(), POLLIN, 0},
                          {channels_[next_worker_].sending_fd, POLLOUT, 0}};
      if (poll(polled, 2, -1) > 0 && polled[0].revents != 0) return false;
    }
  }

  int RunWorker(int number) {
    context_.listeners.Close();
    for (int i = 0; i < workers_; ++i) {
      channels_[i].CloseSending();
      if (i != number) channels_[i].CloseReceiving();
    }
    const TerminationSignal termination;
    const SessionEndSignal session_end;
    EpollLoop loop(static_cast<size_t>(context_.settings.thread_stack_bytes),
                   event_descriptors_[number]);
    loop.set_account(context_.engine.OpenPoolAccount(number, /*workers=*/1));
    Status status = loop.Open();
    if (status.ok()) status = TerminationTask::AddTo(loop, termination);
    if (status.ok()) {
      status = SessionEndTask::AddTo(loop, session_end, [&loop] { loop.RequestSweep(); });
    }
    const int fd = channels_[number].receiving_fd;
    if (status.ok()) status = loop.Add(std::make_unique<ChannelTask>(context_.engine, fd), fd);
    if (!status.ok()) return FailToStart(status);
    loop.Run();
    return 0;
  }

  const ModelContext context_;
  const int workers_;
  EventDescriptors event_descriptors_;  // one for each worker
  std::vector<SocketChannel> channels_;
  int next_worker_ = 0;  // the dispatcher's
};

}  // namespace

std::unique_ptr<Model> MakeFdpassModel(const ModelContext& context) {
  return std::make_unique<FdpassModel>(context);
}

}  // namespace connbench::models
