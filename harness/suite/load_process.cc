// `connbench load` as a child that keeps step with the harness.
#include "harness/suite/load_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/printable.h"
#include "harness/suite/scratch_folder.h"

namespace connbench::suite {
namespace {

constexpr int kControlInChild = 3;
constexpr int64_t kTellTimeoutNs = 30 * kNanosecondsPerSecond;
constexpr int64_t kExitTimeoutNs = 30 * kNanosecondsPerSecond;

}  // namespace

LoadProcess::LoadProcess() = default;

LoadProcess::~LoadProcess() {
  child_ = ChildProcess();
  for (const int descriptor : {control_, stderr_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Status LoadProcess::Start(const std::string& program, const load::Workload& workload,
                          const load::Endpoint& endpoint, const std::string& cpus, uint64_t seed) {
  CONNBENCH_ASSIGN_OR_RETURN(folder_, MakeScratchFolder());
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return Status::System("cannot make a socket pair", errno);
  }
  control_ = pair[0];
  stderr_ = MakeOutputFile("connbench-load-stderr");

  ChildOptions options;
  options.argv = {program,
                  "load",
                  "-h",
                  endpoint.host,
                  "-p",
                  std::to_string(endpoint.port),
                  "-U",
                  endpoint.user,
                  "--seed",
                  std::to_string(seed),
                  "--control-fd",
                  std::to_string(kControlInChild),
                  "--result-file",
                  folder_ + "/result.json"};
  if (!cpus.empty()) {
    options.argv.emplace_back("--cpu-affinity");
    options.argv.push_back(cpus);
  }
  if (!endpoint.database.empty()) {
    options.argv.emplace_back("-d");
    options.argv.push_back(endpoint.database);
  }
  // Not on the command line, which everybody on the machine can read.
  options.env = {{"PGPASSWORD", endpoint.password},
                 {"PGSSLMODE", endpoint.sslmode},
                 {"PGSSLROOTCERT", endpoint.sslrootcert},
                 {"PGCHANNELBINDING", endpoint.channel_binding}};
  options.descriptors = {
      {stderr_, STDOUT_FILENO}, {stderr_, STDERR_FILENO}, {pair[1], kControlInChild}};
  options.death_signal = SIGKILL;
  Result<ChildProcess> child = ChildProcess::Start(options);
  ::close(pair[1]);
  CONNBENCH_ASSIGN_OR_RETURN(child_, std::move(child));
  const Status told = load::SendWorkload(control_, workload, kTellTimeoutNs);
  return told.ok() ? Status::Ok() : Failed(told.error().message);
}

Status LoadProcess::Failed(const std::string& what) {
  return Status::Error(sqlstate::kSystemError, what).WithDetail(Printable(ReadOutputTail(stderr_)));
}

Result<std::optional<load::LoadEvent>> LoadProcess::NextEvent(
    MonotonicNs deadline, Interruption& interruption, const std::vector<int>& server_exits) {
  if (owes_answer_) {
    owes_answer_ = false;
    // A load that has died meanwhile shows below.
    (void)::send(control_, "", 1, MSG_NOSIGNAL);
  }
  while (true) {
    if (const size_t end = received_.find('\n'); end != std::string::npos) {
      const std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      owes_answer_ = true;
      CONNBENCH_ASSIGN_OR_RETURN(const load::LoadEvent event, load::ParseEvent(line));
      return std::optional(event);
    }
    if (received_.size() > load::kMaxEventLine) return load::ParseEvent(received_).TakeStatus();
    if (interruption.Requested() && !passed_on_) {
      passed_on_ = true;
      child_.Signal(SIGINT);
    }
    const int64_t left_ms = (deadline - MonotonicNow()) / kNanosecondsPerMillisecond;
    if (left_ms <= 0) return Failed("the load did not end before its deadline");
    // A negative descriptor is passed over.
    std::vector<pollfd> readable = {{control_, POLLIN, 0},
                                    {passed_on_ ? -1 : interruption.descriptor(), POLLIN, 0}};
    for (const int exit : server_exits) readable.push_back({exit, POLLIN, 0});
    if (::poll(readable.data(), readable.size(),
               static_cast<int>(std::min<int64_t>(left_ms, INT_MAX))) <= 0) {
      continue;
    }
    const bool server_ended = std::any_of(readable.begin() + 2, readable.end(),
                                          [](const pollfd& exit) { return exit.revents != 0; });
    if (server_ended) {
      return Status::Error(sqlstate::kConnectionFailure, "the server ended during the trial");
    }
    if (readable[0].revents == 0) continue;
    char chunk[256];
    const ssize_t received = ::recv(control_, chunk, sizeof chunk, 0);
    if (received > 0) {
      received_.append(chunk, static_cast<size_t>(received));
    } else if (received == 0 || errno != EINTR) {
      return std::optional<load::LoadEvent>();
    }
  }
}

Result<load::LoadResult> LoadProcess::TakeResult() {
  const std::optional<ChildExit> exit = child_.Wait(kExitTimeoutNs);
  if (!exit) return Failed("the load process did not exit");
  Result<load::LoadResult> result = load::ReadLoadResult(folder_ + "/result.json");
  if (!result.ok()) return Failed(fmt::format("the load process {}", exit->Describe()));
  return result;
}

}  // namespace connbench::suite
