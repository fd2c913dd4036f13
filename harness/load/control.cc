// What goes over the control channel.
#include "harness/load/control.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <string>

#include "base/number.h"
#include "base/printable.h"
#include "harness/workload/workload_json.h"

namespace connbench::load {
namespace {

constexpr int kPollMs = 100;  // how soon a raised stop flag is seen

// The descriptor is a socket, or a pipe in tests; neither may end us with SIGPIPE.
ssize_t WriteSome(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return write(fd, bytes.data(), bytes.size());
}

constexpr auto kEventNames = std::to_array<std::string_view>({
#define CONNBENCH_EVENT(enumerator, name, meaning) name,
#include "harness/load/events.def"
#undef CONNBENCH_EVENT
});
constexpr std::string_view kWorkloadKeyword = "WORKLOAD ";
constexpr size_t kMaxHeaderBytes = 40;

Status Violation(std::string message) {
  return Status::Error(sqlstate::kProtocolViolation, std::move(message));
}

// Exactly so many bytes.
Status ReadAll(int fd, size_t bytes, std::string& text) {
  text.resize(bytes);
  for (size_t at = 0; at < bytes;) {
    const ssize_t got = read(fd, text.data() + at, bytes - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status::System("cannot read from the harness", errno);
    if (got == 0) return Violation("the harness went away before it had said the workload");
    at += static_cast<size_t>(got);
  }
  return Status::Ok();
}

}  // namespace

Status CheckControlSocket(int fd) {
  struct stat status = {};
  const bool open = fstat(fd, &status) == 0;
  if (open && S_ISSOCK(status.st_mode)) return Status::Ok();
  return Status::Error(
             sqlstate::kInvalidParameterValue,
             fmt::format("--control-fd: descriptor {} is {}", fd, open ? "no socket" : "not open"))
      .WithHint("It is for programs that drive the load: one end of a socket pair.");
}

std::string_view Name(EventKind kind) { return kEventNames[static_cast<size_t>(kind)]; }

std::string FormatEvent(const LoadEvent& event) {
  return fmt::format("EVENT {} {} {}\n", Name(event.kind), event.connections, event.at_ns);
}

Result<LoadEvent> ParseEvent(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string keyword;
  std::string name;
  LoadEvent event;
  const bool whole =
      static_cast<bool>(words >> keyword >> name >> event.connections >> event.at_ns);
  for (size_t i = 0; i < kEventNames.size(); ++i) {
    if (kEventNames[i] == name) event.kind = static_cast<EventKind>(i);
  }
  if (whole && keyword == "EVENT" && Name(event.kind) == name) return event;
  return Violation(
      fmt::format("the load process sent \"{}\" instead of an event", Printable(line)));
}

Status SendWorkload(int fd, const Workload& workload, int64_t timeout_ns) {
  const std::string json = WriteWorkloadJson(workload);
  const std::string text = fmt::format("{}{}\n{}", kWorkloadKeyword, json.size(), json);
  const MonotonicNs deadline = MonotonicNow() + timeout_ns;
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t sent = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      rest.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Status::System("cannot tell the load process its workload", errno);
    if (MonotonicNow() >= deadline) return Violation("the load process does not take its workload");
    pollfd writable = {fd, POLLOUT, 0};
    poll(&writable, 1, kPollMs);
  }
  return Status::Ok();
}

Result<Workload> ReceiveWorkload(int fd) {
  std::string header;
  for (std::string byte; header.size() < kMaxHeaderBytes; header += byte) {
    CONNBENCH_RETURN_IF_ERROR(ReadAll(fd, 1, byte));
    if (byte == "\n") break;
  }
  if (!header.starts_with(kWorkloadKeyword)) return Violation("the harness said no workload");
  CONNBENCH_ASSIGN_OR_RETURN(
      const int64_t bytes,
      ParseWholeNumber(std::string_view(header).substr(kWorkloadKeyword.size()), 1,
                       static_cast<int64_t>(kMaxWorkloadJsonBytes)));
  std::string json;
  CONNBENCH_RETURN_IF_ERROR(ReadAll(fd, static_cast<size_t>(bytes), json));
  return ReadWorkloadJson(json);
}

bool Control::Event(EventKind kind, int64_t open_connections) {
  if (fd_ < 0) return true;
  const std::string line = FormatEvent({kind, open_connections, MonotonicNow()});
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = WriteSome(fd_, rest);
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  while (stop_ == nullptr || !stop_->load(std::memory_order_relaxed)) {
    pollfd waiting = {fd_, POLLIN, 0};
    const int ready = poll(&waiting, 1, kPollMs);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    char byte = 0;
    const ssize_t got = read(fd_, &byte, 1);
    if (got == 1) return true;
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return false;
  }
  return false;
}

}  // namespace connbench::load
