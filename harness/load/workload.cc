#include "harness/load/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "harness/load/script.h"
#include "harness/load/sql_client.h"

namespace connbench::load {

std::string_view Name(Pattern pattern) { return kPatternNames[static_cast<size_t>(pattern)]; }
std::string_view Name(ProtocolMode mode) { return kModeNames[static_cast<size_t>(mode)]; }

std::optional<Pattern> PatternByName(std::string_view name) {
  const auto* at = std::find(kPatternNames.begin(), kPatternNames.end(), name);
  if (at == kPatternNames.end()) return std::nullopt;
  return static_cast<Pattern>(at - kPatternNames.begin());
}

std::optional<ProtocolMode> ProtocolModeByName(std::string_view name) {
  const auto* at = std::find(kModeNames.begin(), kModeNames.end(), name);
  if (at == kModeNames.end()) return std::nullopt;
  return static_cast<ProtocolMode>(at - kModeNames.begin());
}

std::string WorkloadFolder() {
  const char* given = std::getenv("CONNBENCH_WORKLOADS");
  return given != nullptr && *given != '\0' ? given : CONNBENCH_WORKLOAD_FOLDER;
}

Result<Workload> FindWorkload(const std::string& name) {
  std::error_code ignored;
  if (name.find('/') != std::string::npos || name.ends_with(".toml")) return LoadWorkload(name);
  const std::string path = (std::filesystem::path(WorkloadFolder()) / (name + ".toml")).string();
  if (std::filesystem::is_regular_file(path, ignored)) return LoadWorkload(path);
  std::string known;
  for (const Workload& workload : ListWorkloads().workloads) {
    known += known.empty() ? "" : ", ";
    known += workload.name;
  }
  return Status::Error(sqlstate::kUndefinedObject, fmt::format("there is no workload \"{}\"", name))
      .WithHint(fmt::format("Known are {}; or give the path of a .toml file.", known));
}

WorkloadList ListWorkloads() {
  WorkloadList list;
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(WorkloadFolder(), error)) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path().string());
  }
  if (error) list.errors.push_back(Status::System(WorkloadFolder(), error.value()));
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    auto workload = LoadWorkload(path);
    if (workload.ok()) {
      list.workloads.push_back(std::move(*workload));
    } else {
      list.errors.push_back(workload.TakeStatus());
    }
  }
  return list;
}

Status SetUp(const Workload& workload, SqlClient& client, int64_t scale) {
  if (workload.setup.text.empty()) return Status::Ok();
  std::map<std::string, std::string> define = workload.define;
  define["scale"] = std::to_string(scale > 0 ? scale : workload.scale);
  CONNBENCH_ASSIGN_OR_RETURN(const ScriptSet scripts, ScriptSet::Compile({workload.setup}, define));
  ScriptRunner runner(scripts, 0, 0);
  runner.Begin();
  while (true) {
    switch (runner.Next()) {
      case ScriptRunner::Step::kDone:
        return Status::Ok();
      case ScriptRunner::Step::kSleep:
        break;
      case ScriptRunner::Step::kError:
        return runner.error();
      case ScriptRunner::Step::kQuery: {
        std::string sql;
        runner.AppendSql(sql);
        const auto result = client.Query(sql);
        if (result.ok()) break;
        const ErrorInfo& error = result.status().error();
        return std::move(
                   Status::Error(error.code, fmt::format("{}:{}: {}", workload.setup.path,
                                                         runner.command().line, error.message)))
            .WithDetail(error.detail)
            .WithHint(error.hint);
      }
    }
  }
}

Result<std::vector<std::string>> MissingTables(const Workload& workload, SqlClient& client) {
  std::vector<std::string> missing;
  for (const std::string& table : workload.tables) {
    const auto result = client.Query(fmt::format("SELECT 1 FROM {} LIMIT 1", table));
    if (result.ok()) continue;
    if (result.status().code() != sqlstate::kUndefinedTable) return result.status();
    missing.push_back(table);
  }
  return missing;
}

}  // namespace connbench::load
