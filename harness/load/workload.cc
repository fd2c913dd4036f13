#include "harness/load/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "harness/load/script.h"
#include "harness/load/sql_client.h"
#include "harness/load/warmup_watch.h"

namespace connbench::load {
namespace {

// The statement's first word in lower case, past white space and comments.
std::string FirstWord(std::string_view sql) {
  while (true) {
    const size_t begin = sql.find_first_not_of(" \t\r\n");
    sql.remove_prefix(std::min(begin, sql.size()));
    std::string_view end;
    if (sql.starts_with("--")) {
      end = "\n";
    } else if (sql.starts_with("/*")) {
      end = "*/";
    } else {
      break;
    }
    const size_t at = sql.find(end);
    sql.remove_prefix(at == std::string_view::npos ? sql.size() : at + end.size());
  }
  std::string word;
  for (const char c : sql) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word;
}

// Runs the statements of a set-up. Where tables are to be kept, what destroys is left out, and the
// others are one transaction up to the first VACUUM (which cannot be part of one), so that a table
// that exists already fails the set-up as a whole.
class SetUpRun {
 public:
  SetUpRun(SqlClient& client, ExistingTables existing) : client_(client), existing_(existing) {}

  Status Send(const std::string& sql) {
    if (existing_ == ExistingTables::kKeep) {
      const std::string word = FirstWord(sql);
      if (word == "drop" || word == "truncate" || word == "delete") return Status::Ok();
      if (word == "vacuum") CONNBENCH_RETURN_IF_ERROR(End());
      if (state_ == State::kBefore) CONNBENCH_RETURN_IF_ERROR(Change("BEGIN", State::kInside));
    }
    return client_.Query(sql).status();
  }
  Status End() { return state_ == State::kInside ? Change("COMMIT", State::kAfter) : Status::Ok(); }

 private:
  enum class State : uint8_t { kBefore, kInside, kAfter };

  Status Change(const char* sql, State state) {
    state_ = state;
    return client_.Query(sql).status();
  }

  SqlClient& client_;
  const ExistingTables existing_;
  State state_ = State::kBefore;
};

}  // namespace

int64_t Workload::longest_warmup_ns() const {
  return std::max(warmup_ns, warmup_max_ns >= 0 ? warmup_max_ns : warmup_ns * kMaxWarmupFactor);
}

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

Status SetUp(const Workload& workload, SqlClient& client, int64_t scale, ExistingTables existing) {
  if (workload.setup.text.empty()) return Status::Ok();
  std::map<std::string, std::string> define = workload.define;
  define["scale"] = std::to_string(scale > 0 ? scale : workload.scale);
  CONNBENCH_ASSIGN_OR_RETURN(const ScriptSet scripts, ScriptSet::Compile({workload.setup}, define));
  ScriptRunner runner(scripts, 0, 0);
  SetUpRun run(client, existing);
  runner.Begin();
  while (true) {
    switch (runner.Next()) {
      case ScriptRunner::Step::kDone:
        return run.End();
      case ScriptRunner::Step::kSleep:
        break;
      case ScriptRunner::Step::kError:
        return runner.error();
      case ScriptRunner::Step::kQuery: {
        std::string sql;
        runner.AppendSql(sql);
        const Status status = run.Send(sql);
        if (status.ok()) break;
        const ErrorInfo& error = status.error();
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
