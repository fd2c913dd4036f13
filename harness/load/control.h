// Both ends of the control channel between a harness and a load process; what is said when is in
// load_result.h. The harness says the workload, then the load process tells of events, each of
// which the harness answers.
//
// Safety: one thread per end. Errors: a harness that is gone ends the run as if it were
// interrupted; 08P01 for what is no workload and no event.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "harness/workload/workload.h"

namespace connbench::load {

enum class EventKind : uint8_t {
#define CONNBENCH_EVENT(enumerator, name, meaning) enumerator,
#include "harness/load/events.def"
#undef CONNBENCH_EVENT
};
std::string_view Name(EventKind kind);

struct LoadEvent {
  EventKind kind = EventKind::kClosed;
  int64_t connections = 0;  // open
  MonotonicNs at_ns = 0;
};

inline constexpr size_t kMaxEventLine = 200;

// "EVENT held 200 123456789\n", and back.
std::string FormatEvent(const LoadEvent& event);
Result<LoadEvent> ParseEvent(std::string_view line);

// The workload: "WORKLOAD <bytes>\n" and so many bytes. Sending ends at the deadline; it blocks
// meanwhile, so fd must be a socket whose other end is read.
Status SendWorkload(int fd, const Workload& workload, int64_t timeout_ns);
Result<Workload> ReceiveWorkload(int fd);
// Whether the descriptor that a command line names can be a control channel; 22023 if it is closed
// or no socket, so that nobody waits for an answer that cannot come.
Status CheckControlSocket(int fd);

// The load process's end.
class Control {
 public:
  // fd -1: nobody listens, and Event returns at once. stop may be null.
  Control(int fd, const std::atomic<bool>* stop) : fd_(fd), stop_(stop) {}

  // Tells of the event and waits for leave to go on. False: the harness is gone, or stop was
  // raised.
  bool Event(EventKind kind, int64_t open_connections);
  bool present() const { return fd_ >= 0; }

 private:
  int fd_;
  const std::atomic<bool>* stop_;
};

}  // namespace connbench::load
