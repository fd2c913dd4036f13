// The sockets on which a server listens, and the one way in which every model accepts.
#include "models/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/server_log.h"
#include "protocol/codec.h"
#include "protocol/messages.h"

namespace connbench::models {
namespace {

// With port 0 every address must get the same free port: how often another one is tried.
constexpr int kFreePortAttempts = 16;

struct AddrinfoDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

int KernelBacklogLimit() {
  int limit = SOMAXCONN;
  if (std::FILE* file = std::fopen("/proc/sys/net/core/somaxconn", "re")) {
    if (std::fscanf(file, "%d", &limit) != 1) limit = SOMAXCONN;  // NOLINT(cert-err34-c)
    std::fclose(file);
  }
  return limit;
}

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

std::string NumericHost(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text,
              sizeof(text));
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text,
              sizeof(text));
  }
  return text;
}

int PortOf(const sockaddr* address) {
  return ntohs(address->sa_family == AF_INET
                   ? reinterpret_cast<const sockaddr_in*>(address)->sin_port
                   : reinterpret_cast<const sockaddr_in6*>(address)->sin6_port);
}

Status PortInUse(const std::string& host, int port) {
  return Status::Error(sqlstate::kSystemError, fmt::format("port {} on {} is in use", port, host))
      .WithHint(fmt::format("Another server listens there; stop it, or choose another port with -p "
                            "(-p 0 takes a free one). \"ss -ltnp sport = :{}\" shows who it is.",
                            port));
}

void SetOption(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof(on));
}

void SetTcpOptions(int fd, int family) {
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY);
  if (family == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

// Whether somebody listens on this Unix socket. One that was killed does not, although the kernel
// answers for a moment in its name, while it takes down the io_uring that waited there.
bool IsListenedOn(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool listened_on = false;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    listened_on = errno == EAGAIN;  // its backlog is full
  } else {
    ucred owner = {};
    socklen_t length = sizeof(owner);
    listened_on = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &owner, &length) != 0 ||
                  kill(owner.pid, 0) == 0 || errno != ESRCH;
  }
  close(fd);
  return listened_on;
}

// An empty text is no host at all; between commas there must be one.
Result<std::vector<std::string>> SplitHosts(const std::string& hosts) {
  std::vector<std::string> list;
  for (size_t at = 0; !hosts.empty() && at <= hosts.size();) {
    const size_t comma = std::min(hosts.find(',', at), hosts.size());
    list.push_back(hosts.substr(at, comma - at));
    if (list.back().empty()) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("an address is missing in the list \"{}\"", hosts))
          .WithHint("Write for example -h 127.0.0.1,::1.");
    }
    at = comma + 1;
  }
  return list;
}

}  // namespace

protocol::ClientOrigin AcceptedConnection::Origin() const {
  protocol::ClientOrigin origin{
      .name = "local", .address = std::nullopt, .security = security, .log = &LogLine};
  const auto* address = reinterpret_cast<const sockaddr*>(&peer);
  if (peer_length == 0 || (address->sa_family != AF_INET && address->sa_family != AF_INET6)) {
    return origin;
  }
  protocol::IpAddress& ip = origin.address.emplace();
  ip.v6 = address->sa_family == AF_INET6;
  if (ip.v6) {
    const in6_addr& bytes = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    std::memcpy(ip.bytes.data(), &bytes, sizeof(bytes));
    origin.name = fmt::format("[{}]:{}", NumericHost(address), PortOf(address));
    return origin;
  }
  // Without inet_ntop() and fmt, whose code nothing else in a connection's life touches: in a
  // forked backend that was ten page faults.
  const in_addr& bytes = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  std::memcpy(ip.bytes.data(), &bytes, sizeof(bytes));
  const uint32_t host = ntohl(bytes.s_addr);
  origin.name.clear();
  for (int shift = 24; shift >= 0; shift -= 8) {
    origin.name += std::to_string(host >> shift & 0xff);
    origin.name += shift > 0 ? '.' : ':';
  }
  origin.name += std::to_string(PortOf(address));
  return origin;
}

void RefuseConnection(engine::ConnectionLog& log, const AcceptedConnection& connection,
                      const Status& reason) {
  std::string message;
  protocol::AppendErrorResponse(message, "FATAL", reason.error());
  // A fresh socket's send buffer takes it whole; whoever is gone does not need it.
  (void)!send(connection.fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  CloseConnection(log, connection);
}

void CloseConnection(engine::ConnectionLog& log, const AcceptedConnection& connection) {
  log.Stamp(connection.connection_id, engine::ConnectionPhase::kClosed, MonotonicNow());
  close(connection.fd);
}

void SayOutOfMemory(int fd) noexcept {
  constexpr std::string_view kFields("SFATAL\0VFATAL\0C53200\0Mout of memory\0\0", 37);
  char message[protocol::kHeaderBytes + kFields.size()] = {protocol::backend::kErrorResponse};
  protocol::StoreUint32(message + 1, protocol::kLengthBytes + kFields.size());
  std::memcpy(message + protocol::kHeaderBytes, kFields.data(), kFields.size());
  (void)!send(fd, message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void RefuseWithoutMemory(engine::ConnectionLog& log,
                         const AcceptedConnection& connection) noexcept {
  log.SetOutcome(connection.connection_id, sqlstate::kOutOfMemory);
  SayOutOfMemory(connection.fd);
  CloseConnection(log, connection);
}

bool SomebodyWaits(const std::vector<Listener>& listeners) {
  for (const Listener& listener : listeners) {
    pollfd readable = {listener.fd(), POLLIN, 0};
    if (poll(&readable, 1, 0) > 0) return true;
  }
  return false;
}

Listener::Listener(int fd, std::string address, const protocol::ServerSecurity* security)
    : fd_(fd),
      wait_events_(EPOLLIN | EPOLLEXCLUSIVE),
      address_(std::move(address)),
      security_(security) {}

Listener::AcceptResult Listener::Accept(engine::ConnectionLog& log,
                                        AcceptedConnection& connection) const {
  connection.peer_length = sizeof(connection.peer);
  connection.fd = accept4(fd_, reinterpret_cast<sockaddr*>(&connection.peer),
                          &connection.peer_length, SOCK_CLOEXEC);
  if (connection.fd < 0) {
    const bool exhausted =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!exhausted) return AcceptResult::kNone;
    log.admission().WantRoom(MonotonicNow());
    return AcceptResult::kExhausted;
  }
  connection.connection_id = log.Begin(MonotonicNow());
  connection.security = security_;
  return AcceptResult::kAccepted;
}

bool Listener::Adopt(engine::ConnectionLog& log, int fd, AcceptedConnection& connection) const {
  connection.fd = fd;
  connection.peer_length = sizeof(connection.peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&connection.peer), &connection.peer_length) !=
      0) {
    close(fd);
    return false;
  }
  connection.connection_id = log.Begin(MonotonicNow());
  connection.security = security_;
  return true;
}

ListenerSet& ListenerSet::operator=(ListenerSet&& other) noexcept {
  if (this == &other) return *this;
  Close();
  listeners_ = std::exchange(other.listeners_, {});
  more_sets_ = std::exchange(other.more_sets_, {});
  security_ = other.security_;
  port_ = other.port_;
  backlog_ = other.backlog_;
  lock_fd_ = std::exchange(other.lock_fd_, -1);
  host_ = std::move(other.host_);
  socket_path_ = std::move(other.socket_path_);
  return *this;
}

Result<ListenerSet> ListenerSet::Open(const ListenOptions& options) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<std::string> hosts, SplitHosts(options.hosts));
  if (hosts.empty() && options.socket_directory.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue, "there is no address to listen on")
        .WithHint("Give -h an address or --socket-dir a folder.");
  }
  if (hosts.empty() && options.port == 0) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "port 0 (any free one) needs a TCP address, too");
  }
  const int backlog = std::min(options.backlog, KernelBacklogLimit());
  for (int attempt = 1;; ++attempt) {
    ListenerSet set;
    set.port_ = options.port;
    set.security_ = options.security;
    set.backlog_ = backlog;
    Status status;
    for (const std::string& host : hosts) {
      status = set.OpenTcp(host, backlog);
      if (!status.ok()) break;
    }
    if (status.ok() && !options.socket_directory.empty()) {
      status = set.OpenUnix(options.socket_directory, backlog);
    }
    if (status.ok()) return set;
    const bool other_port_may_do =
        options.port == 0 && !set.listeners_.empty() && attempt < kFreePortAttempts;
    if (!other_port_may_do) return status;
  }
}

Status ListenerSet::OpenTcp(const std::string& host, int backlog) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port_).c_str(), &hints, &found);
  if (error != 0) {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("cannot resolve the address \"{}\": {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, AddrinfoDeleter> addresses(found);
  int opened = 0;
  Status not_available;  // why an address of the name was skipped
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    sockaddr* address = entry->ai_addr;
    const std::string numeric = NumericHost(address);
    if (!IsLoopback(address)) {
      // There are no rules without a file.
      static const protocol::HbaRules kTrustAll = protocol::HbaRules::TrustAll();
      CONNBENCH_RETURN_IF_ERROR(protocol::CheckListenBeyondLoopback(
          security_ != nullptr ? security_->rules() : kTrustAll, numeric));
    }
    // The second address of a set takes the port that the kernel chose for the first.
    if (address->sa_family == AF_INET) {
      reinterpret_cast<sockaddr_in*>(address)->sin_port = htons(static_cast<uint16_t>(port_));
    } else {
      reinterpret_cast<sockaddr_in6*>(address)->sin6_port = htons(static_cast<uint16_t>(port_));
    }
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
      not_available = Status::System("cannot make a socket for " + numeric, errno);
      continue;  // a kernel without IPv6
    }
    SetTcpOptions(fd, address->sa_family);
    if (bind(fd, address, entry->ai_addrlen) != 0 || listen(fd, backlog) != 0) {
      const int bind_error = errno;
      close(fd);
      if (bind_error == EADDRINUSE) return PortInUse(numeric, port_);
      Status failure =
          Status::System(fmt::format("cannot listen on {} port {}", numeric, port_), bind_error);
      if (bind_error != EADDRNOTAVAIL && bind_error != EAFNOSUPPORT) return failure;
      not_available = std::move(failure);
      continue;
    }
    sockaddr_storage bound;
    socklen_t bound_length = sizeof(bound);
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &bound_length);
    port_ = PortOf(reinterpret_cast<sockaddr*>(&bound));
    if (host_.empty()) host_ = numeric;
    listeners_.push_back(Listener(fd, fmt::format("{} port {}", numeric, port_), security_));
    ++opened;
  }
  if (opened == 0) return not_available;
  return {};
}

Status ListenerSet::OpenUnix(const std::string& directory, int backlog) {
  const std::string path = fmt::format("{}/.s.PGSQL.{}", directory, port_);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("the Unix socket's path \"{}\" is too long ({} characters, at "
                                     "most {})",
                                     path, path.size(), sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);

  // Whoever holds the lock owns the path; the kernel gives it back when the holder dies.
  const std::string lock_path = path + ".lock";
  lock_fd_ = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (lock_fd_ < 0) return Status::System("cannot open the lock file " + lock_path, errno);
  // Where everybody may make files, the name alone says nothing.
  struct stat lock = {};
  if (fstat(lock_fd_, &lock) != 0 || !S_ISREG(lock.st_mode) || lock.st_uid != geteuid()) {
    return Status::Error(sqlstate::kSystemError,
                         fmt::format("the lock file {} is not a file of this user's", lock_path))
        .WithHint("Remove it, or choose another folder with --socket-dir.");
  }
  const auto in_use = [&] {
    return Status::Error(sqlstate::kSystemError, fmt::format("the Unix socket {} is in use", path))
        .WithHint(
            "Another server listens there; stop it, or choose another port with -p or another "
            "folder with --socket-dir.");
  };
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) return in_use();

  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Status::System("cannot make a Unix socket", errno);
  // Not every server locks as we do.
  if (IsListenedOn(address)) {
    close(fd);
    return in_use();
  }
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  unlink(path.c_str());
  const mode_t old_mask = umask(0077);
  const int bound = bind(fd, name, sizeof(address));
  const int bind_error = errno;
  umask(old_mask);
  if (bound != 0 || listen(fd, backlog) != 0) {
    const int error = bound != 0 ? bind_error : errno;
    close(fd);
    return Status::System("cannot listen on the Unix socket " + path, error);
  }
  // PostgreSQL reads the first line when it finds the file.
  const std::string owner = fmt::format("{}\n", getpid());
  (void)!ftruncate(lock_fd_, 0);
  (void)!pwrite(lock_fd_, owner.data(), owner.size(), 0);
  socket_path_ = path;
  listeners_.push_back(Listener(fd, "socket " + path, security_));
  return {};
}

Status ListenerSet::OpenReusePort(int64_t sets) {
  while (static_cast<int64_t>(more_sets_.size()) < sets - 1) {
    std::vector<Listener>& added = more_sets_.emplace_back();
    for (const Listener& first : listeners_) {
      sockaddr_storage address;
      socklen_t length = sizeof(address);
      if (getsockname(first.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        return Status::System("getsockname", errno);
      }
      if (address.ss_family == AF_UNIX) continue;
      const int on = 1;
      if (setsockopt(first.fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
        return Status::Error(
                   sqlstate::kFeatureNotSupported,
                   fmt::format("this kernel has no SO_REUSEPORT: {}", std::strerror(errno)))
            .WithHint("Let all share one listener (--set accept_strategy=exclusive).");
      }
      const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      if (fd < 0) return Status::System("cannot make a socket for " + first.address(), errno);
      added.push_back(Listener(fd, first.address(), security_));
      SetTcpOptions(fd, address.ss_family);
      SetOption(fd, SOL_SOCKET, SO_REUSEPORT);
      if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
          listen(fd, backlog_) != 0) {
        return Status::System("cannot listen once more on " + first.address(), errno);
      }
    }
  }
  return {};
}

void ListenerSet::WakeAll() {
  for (Listener& listener : listeners_) listener.wait_events_ = EPOLLIN;
}

std::vector<Listener> ListenerSet::Share(int64_t task) const {
  if (task == 0 || more_sets_.empty()) return listeners_;
  std::vector<Listener> all = more_sets_[static_cast<size_t>(task - 1)];
  if (!socket_path_.empty()) all.push_back(listeners_.back());  // the Unix socket is opened last
  return all;
}

void ListenerSet::CloseOtherShares(int64_t task) {
  if (more_sets_.empty()) return;
  for (size_t set = 0; set < more_sets_.size(); ++set) {
    if (static_cast<int64_t>(set) == task - 1) continue;
    for (const Listener& listener : more_sets_[set]) close(listener.fd());
    more_sets_[set].clear();
  }
  if (task == 0) return;
  const auto is_tcp = [&](const Listener& listener) {
    return socket_path_.empty() || listener.fd() != listeners_.back().fd();
  };
  for (const Listener& listener : listeners_) {
    if (is_tcp(listener)) close(listener.fd());
  }
  std::erase_if(listeners_, is_tcp);
}

void ListenerSet::Close() {
  for (const Listener& listener : listeners_) close(listener.fd());
  listeners_.clear();
  for (const std::vector<Listener>& set : more_sets_) {
    for (const Listener& listener : set) close(listener.fd());
  }
  more_sets_.clear();
  if (lock_fd_ >= 0) close(lock_fd_);
  lock_fd_ = -1;
}

void ListenerSet::CloseAndRemove() {
  if (!socket_path_.empty()) {
    unlink(socket_path_.c_str());
    unlink((socket_path_ + ".lock").c_str());
  }
  Close();
}

}  // namespace connbench::models
