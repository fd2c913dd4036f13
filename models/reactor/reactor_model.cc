// `reactor`: one event loop per core; every session lives on the loop that accepted it.
//
// Accepting    Each loop has a listening socket of its own on the same port (SO_REUSEPORT), and the
//              kernel chooses among them by a hash of the client's address. Nothing is handed over,
//              and nobody balances: with few clients some loops have more of them than others.
//              accept_strategy=exclusive lets all loops wait at one socket.
// Dispatching  None: the loop that accepts serves. Messages are run to their end in the order in
//              which their sockets became ready.
// State        An idle session is heap memory, and has no stack: a fiber's stack is taken when its
//              socket has something, nearly always the same warm one, and kept only while the
//              session is parked in the middle of a statement.
// Waiting      A session that waits for a lock, or for a client that does not read, parks its
//              fiber, and the loop goes on: the statement that releases the lock runs, wherever it
//              is queued, however many sessions wait. A statement that computes for longer than
//              a millisecond lets the others run at the engine's next interrupt check. What blocks
//              otherwise (a page fault, a latch, flushing the log for all who wait) stops all
//              sessions of its loop.
// Refusing     A connection past the limit is accepted, gets its session object, and is refused
//              when the engine's session starts (53300).
// Ending       SIGTERM: every loop asks its sessions to stop (57P01) and ends when they have. A
//              crash of one loop is a crash of the process.
// Must not     Nothing on a loop may block but its epoll_wait(); nothing may be shared by two loops
//              but the engine.
#include "models/loop/epoll_loop.h"
#include "models/loop/reactor_server.h"

namespace connbench::models {

std::unique_ptr<Model> MakeReactorModel(const ModelContext& context) {
  return std::make_unique<ReactorServer>(
      context, "reactor", [](size_t stack_bytes, int event_fd) -> std::unique_ptr<EventLoop> {
        return std::make_unique<EpollLoop>(stack_bytes, event_fd);
      });
}

}  // namespace connbench::models
