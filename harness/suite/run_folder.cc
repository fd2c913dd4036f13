// Where a run's files go unless the user names a folder.
#include "harness/suite/run_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include "harness/observe/environment.h"

namespace connbench::suite {
namespace {

// Runs of one suite that begin within one second.
constexpr int kMaxRunsAtOnce = 1000;

}  // namespace

std::string MakeRunId(const std::string& name) {
  std::string stamp = observe::UtcNow();  // 2026-11-21T07:30:00Z
  std::erase_if(stamp, [](char c) { return c == ':' || c == '-' || c == 'Z'; });
  return fmt::format("{}-{}", stamp, name);
}

Result<std::string> MakeRunFolder(results::RunInfo& info) {
  const std::string name = info.run_id;
  std::error_code error;
  std::filesystem::create_directories("results", error);
  std::string folder;
  for (int i = 1; !error && i <= kMaxRunsAtOnce; ++i) {
    if (i > 1) info.run_id = fmt::format("{}-{}", name, i);
    folder = "results/" + info.run_id;
    if (std::filesystem::create_directory(folder, error)) return folder;
  }
  return Status::System("cannot create the folder " + folder, error ? error.value() : EEXIST)
      .WithHint("Choose a folder with -o DIR.");
}

}  // namespace connbench::suite
