// A workload file: what a client does, in TOML beside its SQL scripts. workloads/*.toml are the
// ones that come with connbench; each opens with a sentence on what it is for.
//
//   name = "steady"
//   description = "Closed loop of point selects over a fixed number of connections."
//   pattern = "steady"                  # storm, churn, steady, idle, failover
//   protocol = "prepared"               # simple, extended, prepared
//   connections = 8                     # default; -c and the suite override
//   duration = "10s"
//   warmup = "1s"
//   warmup_max = "10s"                  # the warm-up goes on until throughput (open loop: latency)
//                                       # has settled, at most so long; as long as warmup: fixed
//   rate = 1000                         # steady, idle: open loop, so many transactions per second;
//                                       # or a shape of one, "ramp(100, 2000, 10s)": arrivals.h
//   arrival = "poisson"                 # constant, poisson, burst(50)
//   latency_limit = "100ms"             # what takes longer is late; with a rate, what would begin
//                                       # later than that is skipped
//   queue_limit = 1000000               # open loop: arrivals that may wait for a connection
//   transactions_per_connection = 1     # churn: a session's length
//   session_length = "fixed"            # or geometric: drawn, with the number above as the mean
//   connect_rate = "500"                # when connections arrive; see arrivals.h. Default: storm at
//   connect_arrival = "poisson"         #   once, churn as soon as the last session has ended
//   backoff = { initial = "10ms", max = "1s", multiplier = 2.0, jitter = 0.5 }
//                                       # failover, churn: the pause of a client that was dropped
//                                       #   or refused; storm: it tries again at all
//   active = 4                          # idle: how many of the connections work
//   ladder = [50, 100, 200]             # idle: hold this many, step by step, then `connections`
//   first_query = true                  # idle: each connection runs the script once when it is up
//   scripts = [{ file = "select_only.sql", weight = 1 }]
//   setup = "pgbench_tables.sql"        # run once by --init, with :scale replaced
//   tables = ["pgbench_accounts"]       # what must exist
//   scale = 1                           # :scale
//   [define]                            # more :variables
//   hot_rows = 10
//
//   [[group]]                           # pattern mixed: clients of different kinds in one window,
//   name = "victim"                     #   the first of which is what is measured, while the
//   pattern = "steady"                  #   others disturb it. A group may have of its own:
//   connections = 8                     #   connections, scripts, transactions_per_connection,
//   [[group]]                           #   session_length, connect_rate, connect_arrival, backoff;
//   name = "storm"                      #   else the workload's hold
//   pattern = "storm"
//   start = "1s"                        # since the window opened
//   stop = "2s"                         # steady, churn: when it ends; default: with the window
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
#include "harness/load/arrivals.h"
#include "harness/load/backoff.h"

namespace connbench::load {

enum class Pattern : uint8_t { kStorm, kChurn, kSteady, kIdle, kFailover, kMixed };
enum class ProtocolMode : uint8_t { kSimple, kExtended, kPrepared };
enum class SessionLength : uint8_t { kFixed, kGeometric };

// Their names, in the order of the enumerators.
inline constexpr std::array<std::string_view, 6> kPatternNames = {"storm", "churn",    "steady",
                                                                  "idle",  "failover", "mixed"};
inline constexpr std::array<std::string_view, 3> kModeNames = {"simple", "extended", "prepared"};
inline constexpr std::array<std::string_view, 2> kSessionLengthNames = {"fixed", "geometric"};

std::string_view Name(Pattern pattern);
std::string_view Name(ProtocolMode mode);
std::optional<Pattern> PatternByName(std::string_view name);
std::optional<ProtocolMode> ProtocolModeByName(std::string_view name);
std::optional<SessionLength> SessionLengthByName(std::string_view name);

// One script's text; where it came from is for error messages.
struct ScriptSource {
  std::string path;
  std::string text;
  int64_t weight = 1;
};

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
