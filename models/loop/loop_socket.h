// A client's socket, and a listener, as the tasks of an event loop see them, whichever way the loop
// moves the bytes.
//
// Safety: on the loop's thread. The task that a socket or listener was opened for must release it
// before it is destroyed; the handles do.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "engine/segment/connection_log.h"
#include "models/listener.h"
#include "models/loop/loop_task.h"

namespace connbench::models {

class LoopSocket {
 public:
  enum class Received : uint8_t {
    kBytes,    // count of them
    kNothing,  // nothing has come yet
    kEnded,    // and nothing will
  };
  // Never waits. The buffer has room for kReceiveBufferBytes; if count is less, all was taken.
  virtual Received Receive(std::span<char> buffer, size_t& count) = 0;
  // The last thing before the task goes idle: whatever comes from now on has it served.
  virtual void AwaitInput() = 0;

  // Sends all of the bytes, and leaves none of them here. Parks the task while the client leaves no
  // room; what has not gone out when it returns, the socket keeps and sends. 08006 (fatal): the
  // client is gone, or the task is to stop and the client does not read.
  virtual Status Send(std::string& bytes) = 0;
  // As protocol::OutputChannel::FlushDownTo().
  virtual Status SendDownTo(std::string& bytes, size_t /*keep*/, MonotonicNs /*patience_ns*/) {
    return Send(bytes);
  }
  // As LoopTask::LookAtPeer().
  virtual LoopTask::Peer LookAtPeer() const { return LoopTask::Peer::kReads; }
  // Parks the task until nothing that Send() took is left. Errors as Send().
  virtual Status Drain() = 0;

  // The task has done with it: closes the socket and gives up its memory.
  virtual void Release() = 0;

 protected:
  ~LoopSocket() = default;
};

class LoopListener {
 public:
  // As Listener::Accept(). After kNone a client's coming has the task served.
  virtual Listener::AcceptResult Accept(engine::ConnectionLog& log,
                                        AcceptedConnection& connection) = 0;
  // Loops that wait at the same listener have their turn first (AcceptWait::GoToTheEnd()).
  virtual void GoToTheEnd() {}
  // The task has done with it. The listening socket stays open.
  virtual void Release() = 0;

 protected:
  ~LoopListener() = default;
};

struct Releaser {
  template <typename T>
  void operator()(T* released) const {
    released->Release();
  }
};
using LoopSocketHandle = std::unique_ptr<LoopSocket, Releaser>;
using LoopListenerHandle = std::unique_ptr<LoopListener, Releaser>;

}  // namespace connbench::models
