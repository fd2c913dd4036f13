// A server's program as a child of the harness, in a temporary folder of its own.
#include "harness/targets/child_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "base/read_file.h"
#include "harness/targets/server_processes.h"
#include "harness/targets/target_list.h"

namespace connbench::targets {
namespace {

constexpr useconds_t kReadyPollUs = 5000;

}  // namespace

ChildServer::~ChildServer() {
  if (child_.running()) (void)Stop();
  if (log_ >= 0) ::close(log_);
}

Status ChildServer::MakeFolder(const std::optional<UserIds>& user, const std::string& place) {
  user_ = user;
  CONNBENCH_ASSIGN_OR_RETURN(folder_, ServerFolder::Make(place, user));
  return Status::Ok();
}

Status ChildServer::WriteFile(const std::string& name, const std::string& text) const {
  const std::string path = folder_.Path(name);
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file || ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
    return Status::System("cannot write " + path, errno);
  }
  if (user_ && ::chown(path.c_str(), user_->user, user_->group) != 0) {
    return Status::System(fmt::format("cannot give {} to the user of {}", path, kind_.name), errno);
  }
  return Status::Ok();
}

Status ChildServer::TakeFiles(std::string_view part, Settings& settings) const {
  for (auto& [name, value] : settings) {
    const std::string whole = part.empty() ? name : fmt::format("{}.{}", part, name);
    if (!NamesFile(whole) || value.empty()) continue;
    CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile(name, value));
    CONNBENCH_RETURN_IF_ERROR(WriteFile(name, text));
    value = folder_.Path(name);
  }
  return Status::Ok();
}

Status ChildServer::Start(const std::vector<std::string>& argv,
                          const std::function<bool()>& is_ready) {
  if (log_ >= 0) ::close(log_);
  log_ = MakeOutputFile("connbench-server-log");
  program_ = argv[0];
  ChildOptions options;
  options.argv = argv;
  options.run_as = user_;
  options.folder = folder_.path();
  options.raise_descriptor_limit = true;
  options.descriptors = {{log_, STDOUT_FILENO}, {log_, STDERR_FILENO}};
  options.death_signal = kind_.death_signal;
  options.env = kind_.env;
  CONNBENCH_ASSIGN_OR_RETURN(child_, ChildProcess::Start(options));
  const MonotonicNs deadline = MonotonicNow() + kind_.start_timeout_ns;
  while (!is_ready()) {
    if (const std::optional<ChildExit> ended = child_.Wait(0)) return Ended(*ended);
    if (MonotonicNow() > deadline) {
      return Status::Error(sqlstate::kCannotConnectNow,
                           fmt::format("{} was not ready within {} s", kind_.name,
                                       kind_.start_timeout_ns / kNanosecondsPerSecond))
          .WithDetail(LastWords());
    }
    ::usleep(kReadyPollUs);
  }
  return Status::Ok();
}

Status ChildServer::CheckAlive() {
  const std::optional<ChildExit> ended = child_.Wait(0);
  return ended ? Ended(*ended) : Status::Ok();
}

Result<rusage> ChildServer::Stop() {
  if (!started()) return rusage{};
  if (const std::optional<ChildExit> ended = child_.Wait(0)) {
    folder_.Remove();
    return Ended(*ended);
  }
  Result<ChildExit> exit =
      EndServer(child_, kind_.stop_signal, kind_.stop_timeout_ns, kind_.name, log_);
  if (keeps_folder_) CONNBENCH_RETURN_IF_ERROR(KeepFolder(folder_));
  folder_.Remove();
  if (!exit.ok()) return exit.TakeStatus();
  // A program without a handler ends by the signal itself.
  const bool by_signal =
      WIFSIGNALED(exit->wait_status) && WTERMSIG(exit->wait_status) == kind_.stop_signal;
  if (by_signal) return exit->usage;
  const auto& clean = kind_.clean_exits;
  if (std::find(clean.begin(), clean.end(), exit->exit_code()) == clean.end()) return Ended(*exit);
  return exit->usage;
}

Status ChildServer::Ended(const ChildExit& exit) const {
  return Status::Error(sqlstate::kCrashShutdown,
                       fmt::format("{} ({}) {}", kind_.name, program_, exit.Describe()))
      .WithDetail(LastWords());
}

bool Accepts(const load::Endpoint& endpoint) {
  const auto address = load::ResolveEndpoint(endpoint);
  if (!address.ok()) return false;
  const int socket = ::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = socket >= 0 && ::connect(socket, address->get(), address->length) == 0;
  if (socket >= 0) ::close(socket);
  return connected;
}

}  // namespace connbench::targets
