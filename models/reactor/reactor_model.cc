// `reactor`: one event loop per core; every session lives on the loop that accepted it.
//
// Accepting    Each loop has a listening socket of its own on the same port (SO_REUSEPORT), and the
//              kernel chooses among them by a hash of the client's address. Nothing is handed over,
//              and nobody balances: with few clients some loops have more of them than others.
//              reactor_accept=shared lets all loops wait at one socket (EPOLLEXCLUSIVE).
// Dispatching  None: the loop that accepts serves. Messages are run to their end in the order in
//              which their sockets became ready.
// State        An idle session is heap memory, and has no stack: a fiber's stack is taken when its
//              socket has something, nearly always the same warm one, and kept only while the
//              session is parked in the middle of a statement.
// Waiting      A session that waits for a lock, or for a client that does not read, parks its fiber,
//              and the loop goes on: the statement that releases the lock runs, wherever it is
//              queued, however many sessions wait. A statement that computes for longer than
//              a millisecond lets the others run at the engine's next interrupt check. What blocks
//              otherwise (a page fault, a latch, a log flush) stops all sessions of its loop.
// Refusing     A connection past the limit is accepted, gets its session object, and is refused when
//              the engine's session starts (53300).
// Ending       SIGTERM: every loop asks its sessions to stop (57P01) and ends when they have. A crash
//              of one loop is a crash of the process.
// Must not     Nothing on a loop may block but its epoll_wait(); nothing may be shared by two loops but
//              the engine.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "models/model.h"
#include "models/reactor/event_descriptors.h"
#include "models/reactor/event_loop.h"
#include "models/reactor/loop_connection.h"
#include "models/server_process.h"

namespace connbench::models {
namespace {

class ReactorModel : public Model {
 public:
  explicit ReactorModel(const ModelContext& context)
      : context_(context),
        loop_count_(static_cast<int>(context.settings.reactor_loops != 0
                                         ? context.settings.reactor_loops
                                         : std::max(1u, std::thread::hardware_concurrency()))),
        reuse_port_(context.settings.reactor_accept ==
                    static_cast<int64_t>(ReactorAccept::kReusePort)) {}

  ResourceNeeds Needs() const override {
    const int64_t connections = context_.engine.config().max_connections;
    // Each session may be parked with a stack and its guard page.
    return {.descriptors = connections + 4 * int64_t{loop_count_},
            .tasks = loop_count_,
            .memory_mappings = 2 * connections};
  }

  Status Start(ProcessSpawner& spawner) override {
    if (reuse_port_) CONNBENCH_RETURN_IF_ERROR(context_.listeners.OpenReusePort(loop_count_));
    CONNBENCH_RETURN_IF_ERROR(event_descriptors_.Open(loop_count_));
    return spawner.Fork(ChildKind::kServer, [this] { return Run(); }).status();
  }

 private:
  // The server process: its main thread waits for SIGTERM.
  int Run() {
    const TerminationSignal termination;
    std::vector<std::unique_ptr<EventLoop>> loops;
    std::vector<std::thread> threads;
    Status status;
    for (int i = 0; i < loop_count_ && status.ok(); ++i) {
      loops.push_back(std::make_unique<EventLoop>(
          static_cast<size_t>(context_.settings.thread_stack_bytes), event_descriptors_[i]));
      status = loops.back()->Open();
      if (status.ok()) status = Listen(*loops.back(), i);
    }
    if (!status.ok()) {
      std::fprintf(stderr, "connbench: reactor: %s\n", status.error().message.c_str());
      return 1;
    }
    for (const auto& loop : loops) threads.emplace_back([&loop] { loop->Run(); });
    termination.WaitUntil(kNoDeadline);
    for (const auto& loop : loops) loop->RequestStop();
    for (std::thread& thread : threads) thread.join();
    return 0;
  }

  Status Listen(EventLoop& loop, int number) {
    const std::vector<Listener> listeners =
        reuse_port_ ? context_.listeners.ReusePortSet(number) : context_.listeners.listeners();
    for (const Listener& listener : listeners) {
      CONNBENCH_RETURN_IF_ERROR(loop.Add(std::make_unique<LoopAcceptor>(context_.engine, listener),
                                         listener.fd(),
                                         /*exclusive=*/true));
    }
    return {};
  }

  const ModelContext context_;
  const int loop_count_;
  const bool reuse_port_;
  EventDescriptors event_descriptors_;  // one for each loop
};

}  // namespace

std::unique_ptr<Model> MakeReactorModel(const ModelContext& context) {
  return std::make_unique<ReactorModel>(context);
}

}  // namespace connbench::models
