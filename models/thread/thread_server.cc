// A server process with a thread for every connection.
#include "models/thread/thread_server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "base/server_log.h"
#include "engine/segment/futex.h"
#include "models/server_process.h"

namespace connbench::models {

// A thread, with the slot in which it gets its connections. It parks at a futex: a condition
// variable would have to be notified under the mutex (the thread may be gone right after it), so
// that the thread that wakes would run into the mutex.
struct ThreadServer::Worker {
  explicit Worker(ThreadServer& its_server) : server(its_server) {}

  void Call() {
    const std::atomic<uint32_t>& word = called;
    called.store(1, std::memory_order_release);
    engine::FutexWake(word, 1, /*is_private=*/true);  // from here on *this may be gone
  }
  void Wait() {
    while (called.load(std::memory_order_acquire) == 0) {
      engine::FutexWait(called, 0, /*is_private=*/true);
    }
    called.store(0, std::memory_order_relaxed);  // nobody calls who does not find it parked again
  }

  ThreadServer& server;
  std::optional<Connection> connection;  // none when called: end
  std::atomic<uint32_t> called{0};
};

ThreadServer::ThreadServer(const ModelContext& context, const ThreadServerOptions& options)
    : context_(context), options_(options) {
  if (options_.max_threads == 0) {
    options_.max_threads = MostClients(context.engine.config().max_connections);
  }
}

ThreadServer::~ThreadServer() {
  if (wake_fd_ >= 0) close(wake_fd_);
}

int ThreadServer::Run() {
  for (int64_t i = 0; i < options_.first_threads; ++i) {
    auto worker = std::make_unique<Worker>(*this);
    const int error = StartThread(worker);
    if (error == 0) continue;
    LogLine(fmt::format("could not create thread {} of {}: {}", i + 1, options_.first_threads,
                        std::strerror(error)));
    return 1;
  }
  const bool served = AcceptUntilTermination();
  context_.listeners.Close();
  StopAll();
  return served ? 0 : 1;
}

bool ThreadServer::AcceptUntilTermination() {
  const TerminationSignal termination;
  context_.listeners.CloseOtherShares(options_.accepting_task);
  const SessionEndSignal session_end;
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  AcceptWait clients;
  const Status opened = wake_fd_ < 0
                            ? Status::System("eventfd", errno)
                            : clients.Open(context_.listeners.Share(options_.accepting_task),
                                           termination.fd(), wake_fd_, session_end.fd());
  if (!opened.ok()) {
    LogLine(opened.error().message);
    return false;
  }
  MonotonicNs pause_until = kNoDeadline;
  int looks = 0;  // in a row at which all threads were taken and somebody waited
  while (true) {
    bool waits = false;
    {
      const MutexLock lock(mutex_);
      waits = acceptor_waits_ = full();
    }
    clients.Pause(waits || pause_until != kNoDeadline);
    if (waits) {
      pause_until = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
    } else {
      looks = 0;
    }
    const Listener* listener = nullptr;
    switch (clients.Wait(listener, pause_until)) {
      case AcceptWait::Event::kTermination:
        return true;
      case AcceptWait::Event::kDeadline:
        pause_until = kNoDeadline;
        if (!waits) continue;
        looks = clients.SomebodyWaits() ? looks + 1 : 0;
        // At the first look another process may have been about to accept him.
        if (looks > 1) context_.engine.connection_log().admission().WantRoom(MonotonicNow());
        continue;
      case AcceptWait::Event::kWoken:
        pause_until = kNoDeadline;
        continue;
      case AcceptWait::Event::kSessionEnd:
        session_end.Clear();
        EndSessions();
        continue;
      case AcceptWait::Event::kClient:
        break;
    }
    // One for each return from the wait, as MySQL does: a second accept() would mostly hear that
    // nobody else is there, and on a busy CPU the thread that was just called waits for that.
    AcceptedConnection accepted;
    switch (listener->Accept(context_.engine.connection_log(), accepted)) {
      case Listener::AcceptResult::kAccepted:
        Dispatch(accepted);
        if (options_.accepting_tasks > 1) clients.GoToTheEnd();
        break;
      case Listener::AcceptResult::kNone:
        break;
      case Listener::AcceptResult::kExhausted:
        pause_until = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
    }
  }
}

void ThreadServer::Dispatch(const AcceptedConnection& accepted) {
  engine::ConnectionLog& log = context_.engine.connection_log();
  log.Stamp(accepted.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
  if (CallParked(accepted)) return;
  std::unique_ptr<Worker> worker(new (std::nothrow) Worker(*this));
  if (worker == nullptr) {
    RefuseWithoutMemory(log, accepted);
    return;
  }
  {
    const MutexLock lock(mutex_);
    Link(worker->connection.emplace(accepted));
  }
  const int error = StartThread(worker);
  if (error == 0) return;
  Unlink(*worker->connection);
  RefuseConnection(log, accepted,
                   Status::Fatal(sqlstate::kTooManyConnections,
                                 std::string("could not create a thread for connection: ") +
                                     std::strerror(error)));
}

bool ThreadServer::CallParked(const AcceptedConnection& accepted) {
  Worker* worker = nullptr;
  {
    const MutexLock lock(mutex_);
    if (parked_.empty()) return false;
    worker = parked_.back();
    parked_.pop_back();
    Link(worker->connection.emplace(accepted));
  }
  worker->Call();
  return true;
}

int ThreadServer::StartThread(std::unique_ptr<Worker>& worker) {
  {
    const MutexLock lock(mutex_);
    ++threads_;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, static_cast<size_t>(context_.settings.thread_stack_bytes));
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, &ThreadServer::Main, worker.get());
  pthread_attr_destroy(&attributes);
  if (error == 0) {
    (void)worker.release();  // the thread's now
    return 0;
  }
  const MutexLock lock(mutex_);
  --threads_;
  return error;
}

// noexcept: a library that ends the thread (pthread_exit) in the middle of a session ends the
// process.
void* ThreadServer::Main(void* argument) noexcept {
  const std::unique_ptr<Worker> self(static_cast<Worker*>(argument));
  self->server.Work(*self);
  return nullptr;
}

void ThreadServer::Work(Worker& self) {
  while (self.connection || Park(self)) {
    Serve(*self.connection);
    self.connection.reset();
  }
  const MutexLock lock(mutex_);
  --threads_;
  changed_.notify_one();  // under the mutex: the server is gone once the last thread has left it
}

void ThreadServer::Serve(Connection& connection) {
  ServeConnection(context_.engine, connection.accepted, connection.stop);
  Unlink(connection);
  close(connection.accepted.fd);
}

bool ThreadServer::Park(Worker& self) {
  {
    const MutexLock lock(mutex_);
    if (stopping_ || static_cast<int64_t>(parked_.size()) >= options_.cached_threads) return false;
    parked_.push_back(&self);
  }
  self.Wait();
  return self.connection.has_value();
}

void ThreadServer::Link(Connection& connection) {
  connection.next = first_;
  if (first_ != nullptr) first_->previous = &connection;
  first_ = &connection;
  ++connections_;
}

// Afterwards nobody can request a stop, so that the descriptor may be closed and used again.
void ThreadServer::Unlink(const Connection& connection) {
  const MutexLock lock(mutex_);
  (connection.previous != nullptr ? connection.previous->next : first_) = connection.next;
  if (connection.next != nullptr) connection.next->previous = connection.previous;
  --connections_;
  if (acceptor_waits_ && !full()) {
    acceptor_waits_ = false;
    const uint64_t one = 1;
    (void)!write(wake_fd_, &one, sizeof(one));
  }
}

void ThreadServer::EndSessions() {
  const std::vector<engine::EndingSession> ending = context_.engine.ending_sessions();
  const MutexLock lock(mutex_);
  for (Connection* connection = first_; connection != nullptr; connection = connection->next) {
    if (Contains(ending, connection->accepted.connection_id)) connection->stop.Request();
  }
}

void ThreadServer::StopAll() {
  context_.engine.RequestShutdown();
  MutexLock lock(mutex_);
  stopping_ = true;
  for (Connection* connection = first_; connection != nullptr; connection = connection->next) {
    connection->stop.Request();
  }
  for (Worker* worker : std::exchange(parked_, {})) worker->Call();
  // The supervisor bounds this wait.
  changed_.wait(lock.native(), [this]() CONNBENCH_REQUIRES(mutex_) { return threads_ == 0; });
}

}  // namespace connbench::models
