// A workload file: what a client does, in TOML beside its SQL scripts.
#include "harness/workload/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace connbench::load {
int64_t Workload::longest_warmup_ns() const {
  return std::max(warmup_ns, warmup_max_ns >= 0 ? warmup_max_ns : warmup_ns * kMaxWarmupFactor);
}

std::string_view Name(ProtocolMode mode) { return kModeNames[static_cast<size_t>(mode)]; }

std::optional<ProtocolMode> ProtocolModeByName(std::string_view name) {
  const auto* at = std::find(kModeNames.begin(), kModeNames.end(), name);
  if (at == kModeNames.end()) return std::nullopt;
  return static_cast<ProtocolMode>(at - kModeNames.begin());
}

std::optional<SessionLength> SessionLengthByName(std::string_view name) {
  const auto* at = std::find(kSessionLengthNames.begin(), kSessionLengthNames.end(), name);
  if (at == kSessionLengthNames.end()) return std::nullopt;
  return static_cast<SessionLength>(at - kSessionLengthNames.begin());
}

int Workload::total_connections() const {
  int total = 0;
  for (const ClientGroup& group : AllGroups()) total += group.connections;
  return total;
}

std::vector<ClientGroup> Workload::AllGroups() const {
  if (groups.empty()) return {*this};
  std::vector<ClientGroup> all = groups;
  for (ClientGroup& group : all) {
    if (group.connections == 0) group.connections = connections;
    if (group.scripts.empty()) group.scripts = scripts;
  }
  return all;
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

}  // namespace connbench::load
