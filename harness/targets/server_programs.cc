// Where the programs of other servers are, and as whom they run.
#include "harness/targets/server_programs.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>
#include <vector>

#include "base/clock.h"
#include "harness/observe/proc_files.h"

namespace connbench::targets {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRunTimeoutNs = 60 * kNanosecondsPerSecond;
constexpr int kLowestPort = 10'000;
constexpr int kPortTries = 1000;

void AddList(std::vector<std::string>& folders, const char* list) {
  if (list == nullptr) return;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ':');) {
    if (!part.empty()) folders.push_back(part);
  }
}

std::vector<std::string> SearchFolders() {
  std::vector<std::string> folders;
  if (const char* only = std::getenv("CONNBENCH_SERVER_PATH"); only != nullptr) {
    AddList(folders, only);
    return folders;
  }
  AddList(folders, std::getenv("PATH"));
  std::vector<std::pair<int, std::string>> versions;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    versions.emplace_back(std::atoi(entry.path().filename().c_str()), entry.path() / "bin");
  }
  std::sort(versions.rbegin(), versions.rend());
  for (const auto& [version, folder] : versions) folders.push_back(folder);
  folders.insert(folders.end(), {"/usr/local/sbin", "/usr/sbin"});
  return folders;
}

}  // namespace

bool IsProgram(const std::string& path) {
  std::error_code error;
  return ::access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path, error);
}

Result<std::string> FindServerProgram(const std::string& name, std::string_view package) {
  const std::vector<std::string> folders = SearchFolders();
  for (const std::string& folder : folders) {
    const fs::path path = fs::path(folder) / name;
    // PostgreSQL finds its own files from where it really lies.
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (!error && IsProgram(real)) return real.string();
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("the program {} is not installed", name))
      .WithDetail(fmt::format("looked in {}", fmt::join(folders, ", ")))
      .WithHint(fmt::format("Install the Debian package {}: apt-get install {}", package, package));
}

Result<std::optional<UserIds>> UnprivilegedUser() {
  if (::geteuid() != 0) return std::optional<UserIds>();
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* entry = ::getpwnam(name); entry != nullptr && entry->pw_uid != 0) {
      return std::optional<UserIds>(UserIds{entry->pw_uid, entry->pw_gid});
    }
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       "there is neither a user \"postgres\" nor \"nobody\" to run the server as")
      .WithHint("Run connbench as an unprivileged user, or add the user postgres.");
}

Result<std::string> RunProgram(ChildOptions options) {
  const int output = MakeOutputFile("connbench-program-output");
  options.descriptors = {{output, STDOUT_FILENO}, {output, STDERR_FILENO}};
  options.death_signal = SIGKILL;
  Result<ChildProcess> child = ChildProcess::Start(options);
  std::string text;
  std::optional<ChildExit> exit;
  if (child.ok()) {
    exit = child->Wait(kRunTimeoutNs);
    text = ReadOutputTail(output);
  }
  ::close(output);
  if (!child.ok()) return child.TakeStatus();
  if (exit && exit->Clean()) return text;
  return Status::Error(sqlstate::kSystemError,
                       fmt::format("{} {}", options.argv[0],
                                   exit ? exit->Describe() : "did not end within a minute"))
      .WithDetail(text);
}

Result<ProgramVersion> ParseProgramVersion(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  for (size_t at = line.find(' '); at != std::string_view::npos; at = line.find(' ', at + 1)) {
    std::string_view word = line.substr(at + 1);
    ProgramVersion version{std::string(line), 0, 0};
    const auto [end, error] = std::from_chars(word.begin(), word.end(), version.major);
    if (error != std::errc()) continue;
    // A minor version may be lacking: "19devel".
    if (end != word.end() && *end == '.') std::from_chars(end + 1, word.end(), version.minor);
    return version;
  }
  return Status::Error(sqlstate::kSystemError,
                       fmt::format("\"{}\" does not say its version", line));
}

Result<int> FindFreePort() {
  const int lowest_given = static_cast<int>(
      observe::ReadInteger("/proc/sys/net/ipv4/ip_local_port_range", kLowestPort * 2));
  // A machine that gives away all ports leaves no place of our own: then one of those.
  const int above = lowest_given > kLowestPort ? lowest_given : 65'536;
  std::random_device random;
  for (int i = 0; i < kPortTries; ++i) {
    const int port = kLowestPort + static_cast<int>(random() % (above - kLowestPort));
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return Status::System("cannot make a socket", errno);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free =
        ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    if (free) return port;
  }
  return Status::Error(sqlstate::kConfigurationLimitExceeded,
                       fmt::format("found no free port from {} to {}", kLowestPort, above - 1));
}

}  // namespace connbench::targets
