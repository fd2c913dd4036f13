// connbench top: attaches, for reading only, to a running server's segment and shows what its
// connections do and cost. It takes no latch there, so a server that hangs can be looked at, too.
#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/print_error.h"
#include "base/units.h"
#include "engine/engine.h"
#include "engine/segment/leftovers.h"
#include "harness/cli/command.h"
#include "harness/observe/proc_files.h"
#include "harness/observe/process_tree.h"
#include "harness/stats/histogram.h"
#include "harness/suite/interruption.h"

namespace connbench::cli {
namespace {

using engine::ConnectionPhase;

constexpr int kRefreshMs = 1000;
// Phase times are those of the last so many connects, as far as the server's log still has them.
constexpr uint32_t kRecentConnects = 1000;

struct TopOptions {
  std::string server;  // pid or name of the segment
  bool once = false;
};

int FailTop(ExitCode code, const Status& status) {
  return PrintError("connbench top", status, code);
}

// The keys that the user presses, one by one and without an echo, for as long as this lives. Where
// stdin is no terminal, or belongs to another job, there are none.
class Keys {
 public:
  explicit Keys(bool wanted) {
    if (!wanted || isatty(STDIN_FILENO) == 0 || tcgetpgrp(STDIN_FILENO) != getpgrp()) return;
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    reads_ = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
  }
  ~Keys() {
    if (reads_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  // For poll(), which passes over a negative one.
  int descriptor() const { return reads_ ? STDIN_FILENO : -1; }
  // Whether one of the keys that wait is the one that leaves.
  bool Leave() {
    char keys[64];
    const ssize_t count = read(STDIN_FILENO, keys, sizeof keys);
    if (count <= 0) {  // the terminal is gone
      tcsetattr(STDIN_FILENO, TCSANOW, &before_);
      reads_ = false;
    }
    return count > 0 &&
           std::any_of(keys, keys + count, [](char key) { return key == 'q' || key == 'Q'; });
  }

 private:
  termios before_{};
  bool reads_ = false;
};

// /proc/PID/cmdline has a NUL behind each word.
std::string CommandLine(pid_t pid) {
  std::string text = observe::ReadSmallFile(fmt::format("/proc/{}/cmdline", pid));
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

// The segment that the user means; with nothing said, that of the only server.
Result<std::string> FindSegment(const std::string& server) {
  const std::vector<std::string> names = engine::ListLiveSegments();
  std::string list;
  for (const std::string& name : names) {
    const pid_t pid = engine::LiveCreator(name).value_or(0);
    if (name == server || (!server.empty() && std::to_string(pid) == server)) return name;
    list += fmt::format("\n  {:<8} {}", pid, CommandLine(pid));
  }
  if (server.empty() && names.size() == 1) return names.front();
  if (names.empty()) {
    return Status::Error(sqlstate::kUndefinedObject, "no server of connbench runs here")
        .WithHint("Start one with \"connbench serve\"; it must have segment_backing=named.");
  }
  if (!server.empty()) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("no server has the pid or segment \"{}\"", server))
        .WithHint("These run:" + list);
  }
  return Status::Error(sqlstate::kInvalidParameterValue, "several servers run here")
      .WithHint("Say which, by its pid:" + list);
}

// One look at the server. Each look attaches anew: a server that has rebuilt its segment after a
// crash is met again under the same name.
struct Look {
  MonotonicNs at_ns = 0;
  pid_t pid = 0;
  int64_t max_connections = 0;
  engine::EngineCounters counters;
  engine::SessionStates states;
  uint32_t connects = 0;
  std::vector<engine::ConnectionLogRecord> recent;
  observe::TreeSample tree;
};

Result<Look> TakeLook(const std::string& segment) {
  Look look;
  const std::optional<pid_t> pid = engine::LiveCreator(segment);
  if (!pid.has_value()) {
    return Status::Error(sqlstate::kUndefinedObject, "the server has ended");
  }
  look.pid = *pid;
  CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<engine::Engine> server,
                             engine::Engine::Attach(segment, /*read_only=*/true));
  look.at_ns = MonotonicNow();
  look.max_connections = server->config().max_connections;
  look.counters = server->counters();
  look.states = server->session_states();
  const engine::ConnectionLog& log = server->connection_log();
  look.connects = log.connections_begun();
  look.recent = log.Read(look.connects - std::min(look.connects, kRecentConnects));
  look.tree = observe::SampleTree(look.pid);
  return look;
}

double PerSecond(int64_t count, MonotonicNs nanoseconds) {
  return nanoseconds <= 0
             ? 0
             : static_cast<double>(count) * static_cast<double>(kNanosecondsPerSecond) /
                   static_cast<double>(nanoseconds);
}

std::string FormatPhases(const std::vector<engine::ConnectionLogRecord>& records) {
  struct Phase {
    const char* name;
    ConnectionPhase begin, end;
    stats::Histogram lengths = {};
  };
  Phase phases[] = {
      {"dispatch", ConnectionPhase::kAccepted, ConnectionPhase::kDispatched},
      {"start", ConnectionPhase::kDispatched, ConnectionPhase::kStarted},
      {"startup packet", ConnectionPhase::kStarted, ConnectionPhase::kAuthBegin},
      {"authentication", ConnectionPhase::kAuthBegin, ConnectionPhase::kAuthEnd},
      {"session", ConnectionPhase::kAuthEnd, ConnectionPhase::kReady},
      {"accepted to ready", ConnectionPhase::kAccepted, ConnectionPhase::kReady},
  };
  int64_t connects = 0;
  for (const engine::ConnectionLogRecord& record : records) {
    const auto at = [&](ConnectionPhase phase) { return record.phase_ns[static_cast<int>(phase)]; };
    if (at(ConnectionPhase::kReady) == 0) continue;  // refused, or on its way
    ++connects;
    for (Phase& phase : phases) {
      // A pool may have read the startup packet before a worker took the session: length 0.
      phase.lengths.Record(std::max<int64_t>(0, at(phase.end) - at(phase.begin)));
    }
  }
  if (connects == 0) return "no connect has become ready yet\n";
  std::string text = fmt::format("the last {} connects [us]\n  {:<20}{:>10}{:>10}{:>10}\n",
                                 connects, "phase", "p50", "p99", "max");
  for (const Phase& phase : phases) {
    const auto us = [](int64_t ns) {
      return static_cast<double>(ns) / static_cast<double>(kNanosecondsPerMicrosecond);
    };
    text += fmt::format("  {:<20}{:>10.0f}{:>10.0f}{:>10.0f}\n", phase.name,
                        us(phase.lengths.ValueAtPercentile(50)),
                        us(phase.lengths.ValueAtPercentile(99)), us(phase.lengths.max()));
  }
  return text;
}

std::string FormatLook(const std::string& segment, const Look& now, const Look& before) {
  // The counters of a rebuilt segment begin at zero: rates count from there.
  const bool rebuilt = now.connects < before.connects;
  const engine::EngineCounters then = rebuilt ? engine::EngineCounters{} : before.counters;
  const MonotonicNs lasted = now.at_ns - before.at_ns;
  int64_t refused = 0;
  int64_t starting = 0;
  for (const engine::ConnectionLogRecord& record : now.recent) {
    const bool closed = record.phase_ns[static_cast<int>(ConnectionPhase::kClosed)] != 0;
    const bool ready = record.phase_ns[static_cast<int>(ConnectionPhase::kReady)] != 0;
    refused += record.outcome.empty() ? 0 : 1;
    starting += !ready && !closed && record.outcome.empty() ? 1 : 0;
  }
  std::string text;
  const auto append = std::back_inserter(text);
  fmt::format_to(append, "server {} (segment {}): {}\n\n", now.pid, segment, CommandLine(now.pid));
  fmt::format_to(
      append,
      "connections   {} of {}: {} active, {} idle, {} idle in transaction, {} waiting for"
      " a lock; {} starting\n",
      now.counters.sessions_active, now.max_connections, now.states.active, now.states.idle,
      now.states.idle_in_transaction, now.states.waiting_for_lock, starting);
  fmt::format_to(append, "connects      {:.1f}/s, {} in all; of the last {}, {} refused\n",
                 PerSecond(now.connects - (rebuilt ? 0 : before.connects), lasted), now.connects,
                 now.recent.size(), refused);
  fmt::format_to(
      append, "transactions  {:.1f}/s committed, {:.1f}/s rolled back, {:.1f}/s statements\n",
      PerSecond(now.counters.transactions_committed - then.transactions_committed, lasted),
      PerSecond(now.counters.transactions_rolled_back - then.transactions_rolled_back, lasted),
      PerSecond(now.counters.statements - then.statements, lasted));
  fmt::format_to(append, "locks         {:.1f}/s waits, {} deadlocks in all\n",
                 PerSecond(now.counters.lock_waits - then.lock_waits, lasted),
                 now.counters.deadlocks);
  // The tree's CPU time shrinks when a process ends before its parent has waited for it.
  fmt::format_to(
      append,
      "machine       {} processes, {} threads, {:.1f} % of one CPU, RSS {} (shared memory"
      " counted once per process)\n\n",
      now.tree.processes, now.tree.threads,
      100 * static_cast<double>(std::max<int64_t>(0, now.tree.cpu_ns - before.tree.cpu_ns)) /
          static_cast<double>(std::max<int64_t>(1, now.tree.at_ns - before.tree.at_ns)),
      FormatBytes(now.tree.rss_kb * 1024));
  return text + FormatPhases(now.recent);
}

int Top(const TopOptions& options) {
  const Result<std::string> segment = FindSegment(options.server);
  if (!segment.ok()) return FailTop(kExitUsage, segment.status());
  suite::Interruption interruption;  // Ctrl-C is how a user leaves: no failure
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  Result<Look> before = TakeLook(*segment);
  if (!before.ok()) return FailTop(kExitErrors, before.status());
  Keys keys(terminal && !options.once);
  for (;;) {
    const MonotonicNs next_ns = MonotonicNow() + kRefreshMs * kNanosecondsPerMillisecond;
    for (MonotonicNs left_ns; (left_ns = next_ns - MonotonicNow()) > 0;) {
      pollfd waits[] = {{interruption.descriptor(), POLLIN, 0}, {keys.descriptor(), POLLIN, 0}};
      const auto left_ms = static_cast<int>(left_ns / kNanosecondsPerMillisecond + 1);
      if (poll(waits, std::size(waits), left_ms) <= 0) continue;
      if (interruption.Requested()) return options.once ? kExitInterrupted : kExitOk;
      if (waits[1].revents != 0 && keys.Leave()) return kExitOk;
    }
    Result<Look> now = TakeLook(*segment);
    if (!now.ok()) return FailTop(kExitErrors, now.status());
    const std::string text = FormatLook(*segment, *now, *before);
    // Home and clear, in one write with the text: no flicker.
    fmt::print("{}{}{}", terminal && !options.once ? "\033[H\033[2J" : "", text,
               terminal || options.once ? "" : "\n");
    std::fflush(stdout);
    if (options.once) return kExitOk;
    before = std::move(now);
  }
}

}  // namespace

CommandMain ConfigureTop(CLI::App& app) {
  auto options = std::make_shared<TopOptions>();
  app.add_option("SERVER", options->server,
                 "pid or segment of the server, as its ready line shows (default: the only one)");
  app.add_flag("--once", options->once, "watch for one second, print once and end");
  app.footer("Shows a new look each second, until q or Ctrl-C.");
  return [options] { return Top(*options); };
}

}  // namespace connbench::cli
