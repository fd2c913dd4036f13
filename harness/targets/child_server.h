// A server's program as a child of the harness, in a temporary folder of its own: from its start
// until nothing of it is left.
//
// Owns folder, child and log. Safety: one thread. Errors: how it ended, with its last words.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/status.h"
#include "harness/load/endpoint.h"
#include "harness/targets/server_folder.h"
#include "harness/targets/target.h"

namespace connbench::targets {

class ChildServer {
 public:
  struct Kind {
    std::string name;  // "PgBouncer"
    int64_t start_timeout_ns = 20 * kNanosecondsPerSecond;
    int64_t stop_timeout_ns = 10 * kNanosecondsPerSecond;
    int stop_signal = SIGTERM;
    std::vector<int> clean_exits = {0};
    int death_signal = SIGKILL;  // if the harness dies
    std::vector<std::pair<std::string, std::string>> env = {};
  };
  explicit ChildServer(Kind kind) : kind_(std::move(kind)) {}
  ChildServer(const ChildServer&) = delete;
  ChildServer& operator=(const ChildServer&) = delete;
  ~ChildServer();  // ends it

  // A new folder, which belongs to that user. place: where; "": with other temporary files.
  Status MakeFolder(const std::optional<UserIds>& user, const std::string& place = "");
  const ServerFolder& folder() const { return folder_; }
  // It stays when the server has ended in order.
  void KeepFolderAfterwards() { keeps_folder_ = true; }
  // A file in it, readable by the server alone.
  Status WriteFile(const std::string& name, const std::string& text) const;
  // Copies the files that settings of that part name into it, where the server's user may read
  // them, and names the copies instead. part: "" for plain settings.
  Status TakeFiles(std::string_view part, Settings& settings) const;

  // Runs the program in the folder and waits until is_ready says so.
  Status Start(const std::vector<std::string>& argv, const std::function<bool()>& is_ready);
  // Ok while it runs.
  Status CheckAlive();
  // Its end, by its signal; the folder is removed. What it used in its whole life.
  Result<rusage> Stop();

  bool started() const { return child_.pid() != 0; }
  pid_t pid() const { return child_.pid(); }
  int exit_descriptor() const { return child_.exit_descriptor(); }
  std::string LastWords() const { return ReadOutputTail(log_); }
  // The newest part of what it has said, at most this long.
  std::string Log(size_t max_bytes) const { return ReadOutputTail(log_, max_bytes); }

 private:
  Status Ended(const ChildExit& exit) const;

  const Kind kind_;
  std::string program_;
  std::optional<UserIds> user_;
  ServerFolder folder_;
  bool keeps_folder_ = false;
  ChildProcess child_;
  int log_ = -1;
};

// Whether somebody accepts connections there.
bool Accepts(const load::Endpoint& endpoint);

}  // namespace connbench::targets
