// A workload file: what a client does, in TOML beside its SQL scripts. workloads/*.toml are the
// ones that come with connbench; each opens with a sentence on what it is for.
//
//   description = "Closed loop of point selects over a fixed number of connections."
//   pattern = "steady"
//   connections = 8
//   duration = "10s"
//   scripts = [{ file = "select_only.sql" }]
//   setup = "pgbench_tables.sql"
//
// docs/suite-reference.md has every key, from the rows of workload_keys.def. Paths are relative to
// the file that names them.
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
#include "harness/script/script.h"
#include "harness/workload/arrivals.h"
#include "harness/workload/backoff.h"
#include "harness/workload/pattern.h"

namespace connbench::load {

enum class ProtocolMode : uint8_t { kSimple, kExtended, kPrepared };
enum class SessionLength : uint8_t { kFixed, kGeometric };

// Their names, in the order of the enumerators.
inline constexpr std::array<std::string_view, 3> kModeNames = {"simple", "extended", "prepared"};
inline constexpr std::array<std::string_view, 2> kSessionLengthNames = {"fixed", "geometric"};

std::string_view Name(ProtocolMode mode);
std::optional<ProtocolMode> ProtocolModeByName(std::string_view name);
std::optional<SessionLength> SessionLengthByName(std::string_view name);

inline constexpr int kMaxConnections = 100'000;
inline constexpr int kMaxScale = 100'000;
// A warm-up that has not settled after this many times its shortest length ends unsettled.
inline constexpr int64_t kMaxWarmupFactor = 10;
// Open loop: so many arrivals may wait for a free connection, unless a workload says otherwise.
inline constexpr int64_t kDefaultQueueLimit = 1'000'000;

// What one group of clients does; a workload without groups is one itself.
struct ClientGroup {
  std::string name;
  Pattern pattern = Pattern::kSteady;
  int connections = 1;
  std::vector<ScriptSource> scripts;
  int64_t transactions_per_connection = 1;
  SessionLength session_length = SessionLength::kFixed;
  ArrivalSpec arrivals;  // of transactions; not given(): a closed loop
  int64_t latency_limit_ns = 0;
  int64_t queue_limit = kDefaultQueueLimit;
  ArrivalSpec connect_arrivals;    // not given(): as the pattern has it
  std::optional<Backoff> backoff;  // none: a storm does not try again, others have the default
  int64_t start_ns = 0;            // since the window opened; 0: it is up when the window opens
  int64_t stop_ns = 0;             // 0: with the window
};

struct Workload : ClientGroup {
  std::string description;
  std::string path;  // of the TOML file; empty: made up from flags
  std::string text;  // of that file, as it was read
  ProtocolMode protocol = ProtocolMode::kSimple;
  int64_t duration_ns = 10 * kNanosecondsPerSecond;
  int64_t warmup_ns = 0;  // at least; 0: none at all
  // At most; as long as warmup_ns: fixed; negative: kMaxWarmupFactor times it.
  int64_t warmup_max_ns = -1;
  int64_t longest_warmup_ns() const;
  int active = 0;
  std::vector<int> ladder;
  bool first_query = false;
  ScriptSource setup;  // empty text: none
  // Queries whose every row tells of data that contradict themselves; asked after each trial.
  std::optional<ScriptSource> check = {};
  std::vector<std::string> tables;
  int64_t scale = 1;
  std::map<std::string, std::string> define;
  // Pattern mixed. A group with connections = 0 has the workload's.
  std::vector<ClientGroup> groups;

  // Of all groups: what the server has to take.
  int total_connections() const;
  // The groups with what they take from the workload filled in; one where there are none.
  std::vector<ClientGroup> AllGroups() const;
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

}  // namespace connbench::load
