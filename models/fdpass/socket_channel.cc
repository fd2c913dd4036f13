// Hands accepted connections from one process to another.
#include "models/fdpass/socket_channel.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

namespace connbench::models {
namespace {

// Processes forked from one supervisor: the bytes mean the same in all of them.
static_assert(std::is_trivially_copyable_v<AcceptedConnection>);

void CloseEnd(int& fd) {
  if (fd >= 0) close(std::exchange(fd, -1));
}

}  // namespace

Result<SocketChannel> SocketChannel::Open() {
  int ends[2];
  // A packet is a connection: nothing can be split or merged.
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return Status::System("cannot make a socket pair for each worker", errno);
  }
  return SocketChannel{.sending_fd = ends[0], .receiving_fd = ends[1]};
}

void SocketChannel::CloseSending() { CloseEnd(sending_fd); }
void SocketChannel::CloseReceiving() { CloseEnd(receiving_fd); }

ChannelResult SendConnection(int sending_fd, const AcceptedConnection& connection) {
  AcceptedConnection passed = connection;
  iovec bytes = {&passed, sizeof(passed)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &connection.fd, sizeof(int));
  while (true) {
    if (sendmsg(sending_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
      return ChannelResult::kPassed;
    }
    if (errno == EINTR) continue;
    // ETOOMANYREFS: more descriptors are on their way than the limit of open files allows.
    const bool full =
        errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS;
    return full ? ChannelResult::kNotNow : ChannelResult::kClosed;
  }
}

ChannelResult ReceiveConnection(int receiving_fd, AcceptedConnection& connection) {
  iovec bytes = {&connection, sizeof(connection)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  while (true) {
    msghdr message = {};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t got = recvmsg(receiving_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return ChannelResult::kNotNow;
    if (got <= 0) return ChannelResult::kClosed;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    // This process's table of descriptors is full: the kernel has closed the socket.
    if (header == nullptr) continue;
    std::memcpy(&connection.fd, CMSG_DATA(header), sizeof(int));
    return ChannelResult::kPassed;
  }
}

}  // namespace connbench::models
