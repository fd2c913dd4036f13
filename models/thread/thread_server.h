// A server process with a thread for every connection: what `thread`, `thread-cached` and `hybrid`
// have in common. They differ in what becomes of a thread whose connection has ended, and in how
// many there may be.
//
// Safety: made and run by the main thread of a server process. The threads it starts are its own.
// Errors: a connection that gets no thread is refused with 53300; Run() returns 1 when the process
// cannot even begin (the reason is on stderr).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "models/accept_wait.h"
#include "models/connection.h"
#include "models/model.h"

namespace connbench::models {

struct ThreadServerOptions {
  // Threads without a connection that are kept for the next ones.
  int64_t cached_threads = 0;
  // Threads at most; while all have a connection nobody is accepted. 0: MostClients().
  int64_t max_threads = 0;
  // Threads that are there before the first connection.
  int64_t first_threads = 0;
  // Number of this process among those that accept, and how many there are.
  int64_t accepting_task = 0;
  int64_t accepting_tasks = 1;
};

class ThreadServer {
 public:
  ThreadServer(const ModelContext& context, const ThreadServerOptions& options);
  ~ThreadServer();
  ThreadServer(const ThreadServer&) = delete;
  ThreadServer& operator=(const ThreadServer&) = delete;

  // Accepts and serves until SIGTERM, then ends every session. Returns the process's exit code.
  int Run();

 private:
  // One connection, in the slot of the thread that serves it.
  struct Connection {
    explicit Connection(const AcceptedConnection& accepted_connection)
        : accepted(accepted_connection), stop(accepted_connection) {}
    const AcceptedConnection accepted;
    ConnectionStop stop;
    Connection* next = nullptr;  // both guarded by mutex_
    Connection* previous = nullptr;
  };
  struct Worker;

  // False: the machine refuses.
  bool AcceptUntilTermination();
  void Dispatch(const AcceptedConnection& accepted);
  // Gives the connection to the thread that parked last. False: none is parked.
  bool CallParked(const AcceptedConnection& accepted);
  // Starts a thread for the connection in its slot, or, without one, to be parked. 0, or an errno.
  int StartThread(std::unique_ptr<Worker>& worker);
  static void* Main(void* argument) noexcept;
  void Work(Worker& self);
  void Serve(Connection& connection);
  // Waits for the next connection. False: the thread must end.
  bool Park(Worker& self);
  bool full() const { return connections_ >= options_.max_threads; }

  void Link(Connection& connection) CONNBENCH_REQUIRES(mutex_);
  void Unlink(const Connection& connection);
  void StopAll();
  // Wakes those sessions that were asked to end.
  void EndSessions();

  const ModelContext context_;
  ThreadServerOptions options_;
  int wake_fd_ = -1;  // wakes the acceptor when there is room again

  Mutex mutex_;
  std::condition_variable changed_;  // a connection, or a thread, has ended
  Connection* first_ CONNBENCH_GUARDED_BY(mutex_) =
      nullptr;  // every connection that has, or is about to get, a thread
  std::atomic<int64_t> connections_{0};
  int64_t threads_ CONNBENCH_GUARDED_BY(mutex_) = 0;  // all of them, for those that park
  std::vector<Worker*> parked_
      CONNBENCH_GUARDED_BY(mutex_);  // the last to park is the first to get a connection
  bool stopping_ CONNBENCH_GUARDED_BY(mutex_) = false;
  bool acceptor_waits_ CONNBENCH_GUARDED_BY(mutex_) = false;
};

}  // namespace connbench::models
