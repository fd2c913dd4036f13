// Test support: a server that misbehaves on purpose. Each accepted connection plays one script of
// behaviours in a thread of its own; connection i plays behaviours[min(i, last)].
//
// Safety: the constructor starts it, the destructor ends it and joins every thread. Loopback, a
// free port.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "harness/load/endpoint.h"

namespace connbench::load {

enum class Behaviour : uint8_t {
  kServe,        // trust, then every query gets one row "1" (ErrorResponse if it has "fail" in it)
  kServeSlowly,  // the same, but a query takes 20 ms
  kSilent,       // accepts, reads, never answers
  kReset,        // reads the startup packet and resets
  kClose,        // accepts and closes
  kGarbage,      // answers with what is not the protocol
  kTooMany,      // FATAL 53300
  kNotYet,       // FATAL 57P03
  kWantsPassword,  // AuthenticationCleartextPassword
  kBadPassword,    // FATAL 28P01
  kInternal,       // FATAL XX000
  kDiesInQuery,    // serves the startup, closes at the first query
  kHangsInQuery,   // serves the startup, never answers a query
  kConflict,       // in a transaction block every query fails with 40001
};

class FakeServer {
 public:
  // backlog: of the listen queue. Accepting begins at once, or with Accept() if hold is true.
  struct Queue {
    int backlog = 4096;
    bool hold = false;
  };
  explicit FakeServer(std::vector<Behaviour> behaviours, bool unix_socket = false);
  FakeServer(std::vector<Behaviour> behaviours, bool unix_socket, Queue queue);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }
  int accepted() const { return accepted_.load(); }
  // Whole messages of each type that clients have sent, after their startup packets.
  int Received(char type) const;
  // Begins to accept.
  void Accept() { hold_ = false; }
  // Resets every connection that is open now; later ones are served.
  void DropEveryone() { ++drops_; }
  struct ServedQuery {
    MonotonicNs asked = 0;     // read from the client
    MonotonicNs answered = 0;  // handed to the kernel right after
  };
  // Those that were answered, in this order.
  std::vector<ServedQuery> served() const;
  // Connections in the listen queue (TCP only).
  int waiting_to_be_accepted() const;
  // Until Resume no query is answered, as if the process had been stopped.
  void Pause() { paused_ = true; }
  void Resume() { paused_ = false; }
  // Waits until every accepted connection has ended: what clients sent last has then been read.
  void WaitUntilClosed() const;

 private:
  void AcceptLoop();
  bool ReadMore(int fd, std::string& input, int drops_at_accept) const;
  void Serve(int fd, Behaviour behaviour, uint32_t number);

  std::vector<Behaviour> behaviours_;
  Endpoint endpoint_;
  std::string folder_;
  int listen_fd_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<bool> hold_{false};
  std::atomic<int> drops_{0};
  std::atomic<bool> paused_{false};
  std::atomic<int> accepted_{0};
  std::atomic<int> ended_{0};
  mutable std::mutex mutex_;
  std::vector<int> received_;
  std::vector<ServedQuery> served_;
  std::thread acceptor_;
  std::vector<std::thread> threads_;
};

}  // namespace connbench::load
