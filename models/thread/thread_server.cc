#include "models/thread/thread_server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "engine/segment/futex.h"
#include "models/server_process.h"

namespace connbench::models {

// A parked thread, on that thread's stack. Not a condition variable, which would have to be notified
// under the mutex (the thread may be gone right after it), so that the thread that wakes would run
// into the mutex: a wake of a futex needs nothing but its address.
struct ThreadServer::Worker {
  std::atomic<uint32_t> called{0};
  Connection* connection = nullptr;  // null: end

  void Call(Connection* next) {
    connection = next;
    const std::atomic<uint32_t>& word = called;
    called.store(1, std::memory_order_release);
    engine::FutexWake(word, 1, /*is_private=*/true);  // from here on *this may be gone
  }
  Connection* Wait() {
    while (called.load(std::memory_order_acquire) == 0) {
      engine::FutexWait(called, 0, /*is_private=*/true);
    }
    return connection;
  }
};

namespace {

struct ThreadStart {
  void* server;
  void* connection;
};

}  // namespace

ThreadServer::~ThreadServer() {
  if (wake_fd_ >= 0) close(wake_fd_);
}

int ThreadServer::Run() {
  for (int64_t i = 0; i < options_.first_threads; ++i) {
    const int error = StartThread(nullptr);
    if (error == 0) continue;
    fmt::print(stderr, "connbench: could not create thread {} of {}: {}\n", i + 1,
               options_.first_threads, std::strerror(error));
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
    std::fprintf(stderr, "connbench: %s\n", opened.error().message.c_str());
    return false;
  }
  MonotonicNs pause_until = kNoDeadline;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      acceptor_waits_ = full();
    }
    clients.Pause(acceptor_waits_ || pause_until != kNoDeadline);
    const Listener* listener = nullptr;
    switch (clients.Wait(listener, pause_until)) {
      case AcceptWait::Event::kTermination:
        return true;
      case AcceptWait::Event::kDeadline:
        pause_until = kNoDeadline;
        continue;
      case AcceptWait::Event::kWoken:
        continue;
      case AcceptWait::Event::kSessionEnd:
        session_end.Clear();
        EndSessions();
        continue;
      case AcceptWait::Event::kClient:
        break;
    }
    engine::ConnectionLog& log = context_.engine.connection_log();
    for (int i = 0; i < kAcceptBatch && !full(); ++i) {
      AcceptedConnection accepted;
      const Listener::AcceptResult result = listener->Accept(log, accepted);
      if (result == Listener::AcceptResult::kExhausted) {
        pause_until = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
      }
      if (result != Listener::AcceptResult::kAccepted) break;
      Dispatch(accepted);
    }
  }
}

void ThreadServer::Dispatch(const AcceptedConnection& accepted) {
  engine::ConnectionLog& log = context_.engine.connection_log();
  auto connection = std::make_unique<Connection>(accepted);
  Link(*connection);
  log.Stamp(accepted.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
  Worker* parked = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!parked_.empty()) {
      parked = parked_.back();
      parked_.pop_back();
    }
  }
  if (parked != nullptr) {
    parked->Call(connection.release());
    return;
  }
  const int error = StartThread(connection.get());
  if (error == 0) {
    (void)connection.release();  // the thread's now
    return;
  }
  Unlink(*connection);
  RefuseConnection(log, accepted,
                   Status::Fatal(sqlstate::kTooManyConnections,
                                 std::string("could not create a thread for connection: ") +
                                     std::strerror(error)));
}

int ThreadServer::StartThread(Connection* connection) {
  auto start = std::make_unique<ThreadStart>(ThreadStart{this, connection});
  {
    const std::lock_guard lock(mutex_);
    ++threads_;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, static_cast<size_t>(context_.settings.thread_stack_bytes));
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, &ThreadServer::Main, start.get());
  pthread_attr_destroy(&attributes);
  if (error == 0) {
    (void)start.release();
    return 0;
  }
  const std::lock_guard lock(mutex_);
  --threads_;
  return error;
}

void* ThreadServer::Main(void* argument) {
  const std::unique_ptr<ThreadStart> start(static_cast<ThreadStart*>(argument));
  static_cast<ThreadServer*>(start->server)->Work(static_cast<Connection*>(start->connection));
  return nullptr;
}

void ThreadServer::Work(Connection* connection) {
  if (connection == nullptr) connection = Park();
  while (connection != nullptr) {
    Serve(*connection);
    delete connection;
    connection = Park();
  }
  const std::lock_guard lock(mutex_);
  --threads_;
  changed_.notify_one();  // under the mutex: the server is gone once the last thread has left it
}

void ThreadServer::Serve(Connection& connection) {
  ServeConnection(context_.engine, connection.accepted, connection.stop);
  Unlink(connection);
  close(connection.accepted.fd);
}

ThreadServer::Connection* ThreadServer::Park() {
  Worker self;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || static_cast<int64_t>(parked_.size()) >= options_.cached_threads) {
      return nullptr;
    }
    parked_.push_back(&self);
  }
  return self.Wait();
}

void ThreadServer::Link(Connection& connection) {
  const std::lock_guard lock(mutex_);
  connection.next = first_;
  if (first_ != nullptr) first_->previous = &connection;
  first_ = &connection;
  ++connections_;
}

// Afterwards nobody can request a stop, so that the descriptor may be closed and used again.
void ThreadServer::Unlink(const Connection& connection) {
  const std::lock_guard lock(mutex_);
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
  const std::lock_guard lock(mutex_);
  for (Connection* connection = first_; connection != nullptr; connection = connection->next) {
    if (Contains(ending, connection->accepted.connection_id)) connection->stop.Request();
  }
}

void ThreadServer::StopAll() {
  context_.engine.RequestShutdown();
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (Connection* connection = first_; connection != nullptr; connection = connection->next) {
    connection->stop.Request();
  }
  for (Worker* worker : std::exchange(parked_, {})) worker->Call(nullptr);
  // The supervisor bounds this wait.
  changed_.wait(lock, [this] { return threads_ == 0; });
}

}  // namespace connbench::models
