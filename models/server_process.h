// What the main thread of a server process does, for models that serve many connections in one
// process: take the supervisor's requests to end, the process or one session.
//
// Safety: used by the main thread only, made before the process starts its other threads, which
// inherit the blocked signals.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/clock.h"
#include "engine/engine.h"

namespace connbench::models {

// A signal as a descriptor that can be polled.
class SignalDescriptor {
 public:
  explicit SignalDescriptor(int signal);
  ~SignalDescriptor();
  SignalDescriptor(const SignalDescriptor&) = delete;
  SignalDescriptor& operator=(const SignalDescriptor&) = delete;

  int fd() const { return fd_; }
  // Takes what has come: from now on another one makes the descriptor readable.
  void Clear() const;

 private:
  int fd_;
};

// SIGTERM: the process is to end. Never cleared.
class TerminationSignal : public SignalDescriptor {
 public:
  TerminationSignal();

  // Sleeps until SIGTERM (true), or until the deadline has passed (false).
  bool WaitUntil(MonotonicNs deadline) const;
};

// SIGUSR1: sessions were asked to end (Engine::ending_sessions()), perhaps some of this process.
class SessionEndSignal : public SignalDescriptor {
 public:
  SessionEndSignal();
};

// Sleeps until SIGTERM. end_sessions() is called whenever sessions were asked to end.
// on_tick, if given, about every kTickMs.
void WaitForTermination(const TerminationSignal& termination, const SessionEndSignal& session_end,
                        const std::function<void()>& end_sessions,
                        const std::function<void()>& on_tick = {});
inline constexpr int kTickMs = 100;

// Whether the connection is one of those.
bool Contains(std::span<const engine::EndingSession> sessions, uint32_t connection_id);

}  // namespace connbench::models
