// What an event loop serves: a client's connection, a listener, or a link to another process.
//
// Safety: everything happens on the loop's thread. A task is owned by its loop from
// EventLoop::Add() until it is done.
#pragma once

#include <boost/intrusive/set_hook.hpp>

#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.h"

namespace connbench::models {

class EventLoop;
class LoopFiber;

class LoopTask {
 public:
  enum class Outcome : uint8_t {
    kIdle,   // nothing left to do until the socket says so, or wake_at() has come
    kAgain,  // there is more to do: to the end of the queue, so that others have their turn
    kDone,   // over: the loop forgets the task and destroys it
  };

  virtual ~LoopTask() = default;

  // Runs on a fiber of the loop: it may park (EventLoop::Park) and go on later. The buffer is the
  // fiber's.
  virtual Outcome Serve(EventLoop& loop, std::span<char> buffer) = 0;
  // The task will be served after `turns` others, 2 and then 1: a chance to ask for its memory. May
  // not change anything.
  virtual void Prefetch(int /*turns*/) const {}
  // When the task wants to run although its socket is silent; asked after Serve().
  virtual MonotonicNs wake_at() const { return kNoDeadline; }
  // Asks the task to end, as soon as it can: it will be served at least once more.
  virtual void RequestStop() = 0;
  // Whether somebody else has asked for its end: looked at by EventLoop::RequestSweep().
  virtual bool MustEnd() const { return false; }

  // Whether the other side has closed its socket, or has finished sending.
  bool peer_ended() const { return peer_ended_; }
  // Whether the other side is still there to read; after peer_ended().
  enum class Peer : uint8_t {
    kReads,    // it may have finished sending
    kUnknown,  // it has finished sending, and may have gone; what it is sent will tell
    kGone,
  };
  virtual Peer LookAtPeer() const { return Peer::kReads; }

  // While set: news of this task's socket ends the other's Park() instead of having this one
  // served.
  void set_listener(LoopTask* task) { listener_ = task; }

 private:
  friend class EventLoop;
  enum class State : uint8_t {
    kIdle,     // waits for its socket or its time
    kQueued,   // in the run queue, to be served or, if it has a fiber, to go on
    kRunning,  // it is the loop's current one
    kParked,   // sleeps in the middle of Serve()
  };

  State state_ = State::kIdle;
  uint8_t looks_ = 0;      // how often it is to be served again: its socket had news meanwhile
  bool stopping_ = false;  // RequestStop() was called
  bool peer_ended_ = false;
  int watched_fd_ = -1;  // a descriptor that outlives the task, if the loop watches one for it
  MonotonicNs park_until_ = 0;
  bool expired_ = false;  // what ended the last Park() was its deadline
  LoopTask* listener_ = nullptr;
  LoopFiber* fiber_ = nullptr;  // while it is in the middle of Serve()
  MonotonicNs ready_at_ = 0;    // EventLoop::now_ when it was queued
  MonotonicNs timer_at_ = 0;    // when its timer, if it is linked, is due
  boost::intrusive::set_member_hook<> timer_hook_;
  LoopTask* next_ = nullptr;  // in the run queue
  size_t index_ = 0;          // in the loop's list of tasks
};

}  // namespace connbench::models
