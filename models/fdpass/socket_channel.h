// Hands accepted connections from one process to another: the socket as SCM_RIGHTS, and beside it
// what the acceptor knows of the client. One message is one connection.
//
// Safety: an end is used by one thread. Bounds: the socket pair's buffer holds some hundred
// connections on their way; then Send() says that there is no room.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "models/listener.h"

namespace connbench::models {

// The two ends; made by the supervisor, each closed by whoever does not use it.
struct SocketChannel {
  int sending_fd = -1;
  int receiving_fd = -1;

  static Result<SocketChannel> Open();
  void CloseSending();
  void CloseReceiving();
};

enum class ChannelResult : uint8_t {
  kPassed,
  kNotNow,  // no room, or nothing there
  kClosed,  // the other side is gone
};

// Never blocks. The socket stays open here: the caller closes its copy.
ChannelResult SendConnection(int sending_fd, const AcceptedConnection& connection);
// Never blocks.
ChannelResult ReceiveConnection(int receiving_fd, AcceptedConnection& connection);

}  // namespace connbench::models
