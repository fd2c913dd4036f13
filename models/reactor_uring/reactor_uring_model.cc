// `reactor-uring`: `reactor` on io_uring. Sessions, fibers, slices, locks and the way it ends are
// the same code; how the bytes come and go is what differs.
//
// Accepting    Listeners as in `reactor`. One accept per listener is with the kernel all the time
//              and comes back with every client (multishot accept); the client's address costs a
//              system call of its own. Where the loops share a listener the kernel wakes one of
//              them (accept_strategy=shared cannot wake all), and that one takes all who wait.
// Dispatching  None: the loop that accepts serves, in the order in which the kernel came back.
// Receiving    Each idle session has a receive with the kernel, and no buffer: the kernel takes one
//              from the loop's ring of them when something has come. The bytes are copied to the
//              stack of the fiber that serves, and the buffer goes back before the session runs, so
//              that sessions which park hold none and cannot starve the others. A receive is for
//              one message and not for many (multishot): who waits for a lock, or does not read his
//              answers, is not read from, either, and the socket pushes back on the client; a
//              receive that goes on would need a second buffer for each session, with a limit, and
//              cancellations.
// Sending      A turn's answers are handed over together, by one system call, however many sessions
//              had something to do; the next call waits for the next messages. What a client
//              leaves no room for, the kernel sends when there is some; the session produces at
//              most one more buffer (kOutputFlushBytes) meanwhile, and parks then.
// State        As in `reactor`, and in the kernel a request for the receive.
// Waiting      As in `reactor`. A ring of the event descriptor completes a poll of the ring's:
//              other processes and the supervisor can ring it, for which a message between rings
//              (IORING_OP_MSG_RING) does not do. Deadlines are the timeout of the call that waits.
// Refusing     As in `reactor`. A kernel without io_uring, or one that does not let us, refuses the
//              start, and names `reactor`.
// Ending       As in `reactor`; a session's socket is closed when the kernel has come back with
//              what it had of it, cancelled if need be. Of a server that was killed the kernel
//              takes down the rings in its own time: its port is in use for a moment longer.
// Must not     As in `reactor`. No helper threads of the kernel's (io-wq, SQPOLL): they would be
//              cores that other models do not get.

#include <memory>

#include "models/loop/reactor_server.h"
#include "models/loop/uring_loop.h"

namespace connbench::models {
namespace {

class ReactorUringModel : public ReactorServer {
 public:
  explicit ReactorUringModel(const ModelContext& context)
      : ReactorServer(context, "reactor-uring",
                      [](size_t stack_bytes, int event_fd) -> std::unique_ptr<EventLoop> {
                        return std::make_unique<UringLoop>(stack_bytes, event_fd);
                      }) {}

  Status Start(ProcessSpawner& spawner) override {
    CONNBENCH_RETURN_IF_ERROR(UringRing::Check());
    return ReactorServer::Start(spawner);
  }
};

}  // namespace

std::unique_ptr<Model> MakeReactorUringModel(const ModelContext& context) {
  return std::make_unique<ReactorUringModel>(context);
}

}  // namespace connbench::models
