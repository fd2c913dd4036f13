// Serving one connection on a thread of control of its own.
#include "models/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

namespace connbench::models {
namespace {

enum class Received : uint8_t { kBytes, kTimedOut, kEnded };

// Blocks in recv() itself when there is no deadline: one system call for a message. With one (until
// the client is authenticated) it first takes what is there already, as a startup packet mostly is.
[[gnu::hot]] Received ReceiveUntil(int fd, char* buffer, size_t size, MonotonicNs deadline,
                                   size_t& count) {
  const bool blocks = deadline == kNoDeadline;
  while (true) {
    MonotonicNs left = 0;
    if (!blocks && (left = deadline - MonotonicNow()) <= 0) return Received::kTimedOut;
    const ssize_t got = recv(fd, buffer, size, blocks ? 0 : MSG_DONTWAIT);
    if (got > 0) {
      count = static_cast<size_t>(got);
      return Received::kBytes;
    }
    if (got == 0 || (errno != EINTR && errno != EAGAIN)) return Received::kEnded;
    if (errno == EINTR) continue;
    const timespec timeout = {left / kNanosecondsPerSecond, left % kNanosecondsPerSecond};
    pollfd readable = {fd, POLLIN, 0};
    ppoll(&readable, 1, &timeout, nullptr);  // the clock decides
  }
}

}  // namespace

void ConnectionStop::Request() {
  requested_.store(true, std::memory_order_release);
  shutdown(fd_, SHUT_RD);
}

[[gnu::hot]] SendResult SendSome(int fd, std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      return SendResult::kWouldBlock;
    } else if (errno != EINTR) {
      return SendResult::kGone;
    }
  }
  return SendResult::kSent;
}

bool WaitWritable(const ConnectionStop& stop) {
  // A stop shuts the receiving side, which poll() reports as POLLRDHUP; so does a client that has
  // finished sending and still reads, and then only writability is left to wait for.
  short events = POLLOUT | POLLRDHUP;
  while (true) {
    if (stop.requested()) return false;
    pollfd writable = {stop.fd(), events, 0};
    if (poll(&writable, 1, -1) <= 0) continue;  // EINTR
    if ((writable.revents & (POLLOUT | POLLERR | POLLHUP)) != 0) return !stop.requested();
    if ((writable.revents & POLLRDHUP) != 0) events = POLLOUT;
  }
}

Status ClientGone() {
  return Status::Fatal(sqlstate::kConnectionFailure, "connection to client lost");
}

[[gnu::hot]] Status BlockingChannel::Send(std::string_view bytes) {
  stop_.set_sending(true);
  SendResult result = SendSome(stop_.fd(), bytes);
  while (result == SendResult::kWouldBlock) {
    if (!WaitWritable(stop_)) return ClientGone();
    result = SendSome(stop_.fd(), bytes);
  }
  if (result == SendResult::kGone) return ClientGone();
  stop_.set_sending(false);
  return {};
}

Status BlockingChannel::Flush(std::string& bytes) {
  Status status = Send(bytes);
  bytes.clear();
  return status;
}

namespace {

// True: the session ended, but not the connection.
[[gnu::hot]] bool RunSession(engine::Engine& engine, const AcceptedConnection& connection,
                             ConnectionStop& stop, protocol::Counterpart counterpart,
                             const std::function<bool()>& somebody_waits) {
  bool ended = false;
  {
    engine::BlockingWaiter waiter;
    BlockingChannel channel(stop);
    protocol::ServerSession session(engine, waiter, channel, connection.connection_id,
                                    connection.Origin(), /*relays=*/nullptr, counterpart);
    char buffer[kReceiveBufferBytes];
    protocol::Want want = protocol::Want::kInput;
    while (want != protocol::Want::kClose) {
      size_t count = 0;
      switch (ReceiveUntil(connection.fd, buffer, sizeof(buffer), session.InputDeadline(), count)) {
        case Received::kBytes:
          want = session.Receive({buffer, count});
          break;
        case Received::kTimedOut:
          if (somebody_waits && !session.authenticated() && somebody_waits()) {
            engine.connection_log().admission().WantRoom(MonotonicNow());
          }
          want = session.InputDeadlinePassed();
          break;
        case Received::kEnded:  // by the client, or by a stop: the session tells the client
          if (stop.requested()) want = session.CheckTermination();
          ended = true;
      }
      if (!session.output().empty()) {
        const Status sent = channel.Send(session.output());
        session.ClearOutput();
        ended |= !sent.ok();
      }
      if (ended) break;
    }
  }
  return !ended;
}

}  // namespace

[[gnu::hot]] bool ServeConnection(engine::Engine& engine, const AcceptedConnection& connection,
                                  ConnectionStop& stop, protocol::Counterpart counterpart,
                                  const std::function<bool()>& somebody_waits) {
  engine::ConnectionLog& log = engine.connection_log();
  log.Stamp(connection.connection_id, engine::ConnectionPhase::kStarted, MonotonicNow());
  bool open = true;
  try {
    open = RunSession(engine, connection, stop, counterpart, somebody_waits);
  } catch (const std::bad_alloc&) {  // not even for the session itself, which catches its own
    log.SetOutcome(connection.connection_id, sqlstate::kOutOfMemory);
    if (!stop.sending()) SayOutOfMemory(connection.fd);
  }
  log.Stamp(connection.connection_id, engine::ConnectionPhase::kClosed, MonotonicNow());
  return open;
}

}  // namespace connbench::models
