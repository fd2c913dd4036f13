// A workload file: what a client does, in TOML beside its SQL scripts. workloads/*.toml are the
// ones that come with connbench; each opens with a sentence on what it is for.
//
//   name = "steady"
//   description = "Closed loop of point selects over a fixed number of connections."
//   pattern = "steady"                  # storm, churn, steady, idle
//   protocol = "prepared"               # simple, extended, prepared
//   connections = 8                     # default; -c and the suite override
//   duration = "10s"
//   warmup = "1s"
//   transactions_per_connection = 1     # churn: before it closes
//   active = 4                          # idle: how many of the connections work
//   ladder = [50, 100, 200]             # idle: hold this many, step by step, then `connections`
//   scripts = [{ file = "select_only.sql", weight = 1 }]
//   setup = "pgbench_tables.sql"        # run once by --init, with :scale replaced
//   tables = ["pgbench_accounts"]       # what must exist
//   scale = 1                           # :scale
//   [define]                            # more :variables
//   hot_rows = 10
//
// Safety: plain values; control plane. Errors: unknown keys, wrong types and bad scripts name
// file:line:column and, for a misspelt key, the nearest one.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace connbench::load {

enum class Pattern : uint8_t { kStorm, kChurn, kSteady, kIdle };
enum class ProtocolMode : uint8_t { kSimple, kExtended, kPrepared };

// Their names, in the order of the enumerators.
inline constexpr std::array<std::string_view, 4> kPatternNames = {"storm", "churn", "steady",
                                                                  "idle"};
inline constexpr std::array<std::string_view, 3> kModeNames = {"simple", "extended", "prepared"};

std::string_view Name(Pattern pattern);
std::string_view Name(ProtocolMode mode);
std::optional<Pattern> PatternByName(std::string_view name);
std::optional<ProtocolMode> ProtocolModeByName(std::string_view name);

// One script's text; where it came from is for error messages.
struct ScriptSource {
  std::string path;
  std::string text;
  int64_t weight = 1;
};

struct Workload {
  std::string name;
  std::string description;
  std::string path;  // of the TOML file; empty: made up from flags
  Pattern pattern = Pattern::kSteady;
  ProtocolMode protocol = ProtocolMode::kSimple;
  int connections = 1;
  int64_t duration_ns = 10 * kNanosecondsPerSecond;
  int64_t warmup_ns = 0;
  int64_t transactions_per_connection = 1;
  int active = 0;
  std::vector<int> ladder;
  std::vector<ScriptSource> scripts;
  ScriptSource setup;  // empty text: none
  std::vector<std::string> tables;
  int64_t scale = 1;
  std::map<std::string, std::string> define;
};

// Loads and checks a file, and the scripts it names (relative to it).
Result<Workload> LoadWorkload(const std::string& path);
// name is a file, or the name of one in the workload folder.
Result<Workload> FindWorkload(const std::string& name);
// The folder that comes with the program: CONNBENCH_WORKLOADS, or the source tree's workloads/.
std::string WorkloadFolder();
// Every *.toml there, by name; files that do not load are in errors.
struct WorkloadList {
  std::vector<Workload> workloads;
  std::vector<Status> errors;
};
WorkloadList ListWorkloads();

class SqlClient;
enum class ExistingTables : uint8_t {
  kReplace,
  kKeep,  // no DROP statement is sent, so that a table that exists is an error instead of lost
};
// Runs the setup SQL, statement by statement. scale replaces the workload's if it is above 0.
Status SetUp(const Workload& workload, SqlClient& client, int64_t scale,
             ExistingTables existing = ExistingTables::kReplace);
// Which of the workload's tables the server lacks.
Result<std::vector<std::string>> MissingTables(const Workload& workload, SqlClient& client);

}  // namespace connbench::load
