// The sockets on which a server listens, and the one way in which every model accepts: the same
// options, backlog and flags, so that models differ in nothing but what they do afterwards.
//
// TCP sockets get SO_REUSEADDR, and TCP_NODELAY and SO_KEEPALIVE, which Linux lets accepted sockets
// inherit, so that no connection pays for them. Accepted sockets are blocking; who must not block
// says so per call (MSG_DONTWAIT). Listening sockets do not block.
//
// Safety: opened and closed by the supervisor; accepting is safe from any thread and process that
// inherited them. Close() in a child closes the child's copy only.
//
// Errors: SQLSTATE 58000 and what to do about it: a port in use names the port.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/segment/connection_log.h"
#include "protocol/server_security.h"

namespace connbench::models {

struct ListenOptions {
  std::string hosts = "127.0.0.1";  // comma-separated names or addresses; empty: no TCP
  int port = 5433;                  // 0: a free one
  std::string socket_directory;     // of .s.PGSQL.<port>; empty: no Unix socket
  int backlog = 0;
  // What clients must prove; outlives the listeners. Null: trust.
  const protocol::ServerSecurity* security = nullptr;
};

// A connection that was accepted and belongs to whoever holds this: it owns no socket by itself,
// so that it can cross fork() and thread starts. Closed by CloseConnection().
struct AcceptedConnection {
  int fd = -1;
  uint32_t connection_id = 0;
  sockaddr_storage peer = {};
  socklen_t peer_length = 0;
  // The listener's: valid in every process forked by the supervisor that loaded it.
  const protocol::ServerSecurity* security = nullptr;

  // For the session. Its name is "127.0.0.1:40000", "[::1]:40000" or "local".
  protocol::ClientOrigin Origin() const;
};

// Ends a connection that nobody can serve: tells the client why, if that can be done without
// blocking, stamps kClosed, and closes the socket.
void RefuseConnection(engine::ConnectionLog& log, const AcceptedConnection& connection,
                      const Status& reason);
// The same with 53200 when there is no memory, not even for saying it as above.
void RefuseWithoutMemory(engine::ConnectionLog& log, const AcceptedConnection& connection) noexcept;
// Only tells the client that.
void SayOutOfMemory(int fd) noexcept;

class Listener;
// Whether a client waits to be accepted, at this moment. Does not block.
bool SomebodyWaits(const std::vector<Listener>& listeners);

// Stamps kClosed and closes the socket.
void CloseConnection(engine::ConnectionLog& log, const AcceptedConnection& connection);

class Listener {
 public:
  int fd() const { return fd_; }
  const std::string& address() const { return address_; }
  // How to wait at it with epoll: EPOLLIN, with EPOLLEXCLUSIVE unless a client is to wake all.
  uint32_t wait_events() const { return wait_events_; }

  enum class AcceptResult : uint8_t {
    kAccepted,
    kNone,       // nobody is waiting any more, or that client has gone again
    kExhausted,  // out of descriptors or memory: let others finish before the next try
  };
  // Takes the next waiting connection, gives it its id and stamps kAccepted.
  AcceptResult Accept(engine::ConnectionLog& log, AcceptedConnection& connection) const;
  // The same for a socket that was accepted from this listener in another way (io_uring). False:
  // the client has gone again, and the socket is closed.
  bool Adopt(engine::ConnectionLog& log, int fd, AcceptedConnection& connection) const;

 private:
  friend class ListenerSet;
  Listener(int fd, std::string address, const protocol::ServerSecurity* security);

  int fd_;
  uint32_t wait_events_;
  std::string address_;
  const protocol::ServerSecurity* security_;
};

class ListenerSet {
 public:
  ListenerSet() = default;
  ~ListenerSet() { Close(); }
  ListenerSet(ListenerSet&& other) noexcept { *this = std::move(other); }
  ListenerSet& operator=(ListenerSet&& other) noexcept;

  // All addresses or none. Refuses addresses that other machines can reach (28000) while a rule
  // trusts whoever comes from there. The Unix socket is open to the server's own user only.
  static Result<ListenerSet> Open(const ListenOptions& options);

  std::vector<Listener>& listeners() { return listeners_; }
  const std::vector<Listener>& listeners() const { return listeners_; }
  int port() const { return port_; }
  int backlog() const { return backlog_; }           // as the kernel grants it
  const std::string& host() const { return host_; }  // of the first TCP socket; "" if none
  const std::string& socket_path() const { return socket_path_; }

  // Opens further sockets with SO_REUSEPORT on the addresses of the TCP listeners, so that there
  // are `sets` listeners for each, between which the kernel shares the clients out by their
  // addresses. Done once; later calls change nothing. The first socket was bound without the
  // option: a port that is in use has been noticed, and stays noticed for others. 0A000 when the
  // kernel cannot.
  Status OpenReusePort(int64_t sets);
  // A client wakes all that wait at a listener, not one of them.
  void WakeAll();
  // What task number `task` accepts from: after OpenReusePort() a TCP socket of its own for each
  // address, and the one Unix socket, which all share; otherwise the listeners that all share.
  std::vector<Listener> Share(int64_t task) const;
  // Closes this process's copies of what Share() gives to others.
  void CloseOtherShares(int64_t task);

  // Closes this process's copies.
  void Close();
  // Closes them and removes the Unix socket: the server is over.
  void CloseAndRemove();

 private:
  Status OpenTcp(const std::string& host, int backlog);
  Status OpenUnix(const std::string& directory, int backlog);

  std::vector<Listener> listeners_;
  std::vector<std::vector<Listener>> more_sets_;  // of TCP sockets, by OpenReusePort()
  const protocol::ServerSecurity* security_ = nullptr;
  int port_ = 0;
  int backlog_ = 0;
  int lock_fd_ = -1;  // holds the lock file beside the Unix socket
  std::string host_;
  std::string socket_path_;
};

}  // namespace connbench::models
