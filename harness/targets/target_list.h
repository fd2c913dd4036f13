// The kinds of target there are, made from targets.def, and targets by their name:
//
//   fork                    one of connbench's own models
//   postgres                the installed PostgreSQL, in a temporary cluster
//   pgbouncer+postgres      the installed PgBouncer in front of it
//   pgbouncer+fork          PgBouncer in front of one of our models
//   dsn:host=db1 user=app   any server that speaks the protocol, by libpq's connection string or
//   URI
//   build:DIR/fork          a model of another build of connbench
//   postgres:BINDIR         the PostgreSQL whose programs lie there
//   pgbouncer:PROGRAM+fork  that PgBouncer
//   haproxy+postgres        a server or pooler described in TOML (target_file.h)
//
// Settings: a plain name ("shared_buffers") goes to every server of the target that has it, one
// with a prefix ("postgres.jit", "pgbouncer.pool_mode", "dsn.setup") to that part alone. A target
// without the part, or whose server lacks the name, is measured without it. Four plain names are
// the harness's own and work with any server that it starts: authentication (trial_security.h),
// transport (how the load reaches the server: "tcp" or "unix"), data (whether it has a data
// directory: "memory", "temporary" or a folder) and client_cpu_affinity (where the load runs; for
// servers of any kind).
//
// Safety: constants and plain values; one thread. Errors: 42704 with near names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "harness/targets/server_folder.h"
#include "harness/targets/target.h"
#include "harness/workload/workload.h"

namespace connbench::targets {

// What the targets of one run share.
struct TargetEnvironment {
  std::string program;  // connbench itself
  // PostgreSQL's, as initdb made them; by that program and place.
  std::map<std::pair<std::string, std::string>, ServerFolder> clusters;
  std::string password = {};  // of user postgres in them, once there is one
  // Our own servers run from a copy of their programs, made anew for each start: how a file came
  // into the page cache decides how many of its pages one fault maps, so two files of the same
  // program differ in page faults for as long as they lie there.
  bool copies_programs = false;
  // Data directories stay when their trial ends (setting data), and stderr tells where.
  bool keeps_data = false;
};

// How a target appears in results and which settings concern it.
struct TargetName {
  std::string text;                // as it was named
  std::string target;              // in trials.csv: builtin, postgres, pgbouncer, ...
  std::string model;               // where one of our models serves, behind whatever
  std::string cell;                // in names of cells: "model:fork", "target:postgres"
  std::vector<std::string> parts;  // builtin, postgres, pgbouncer, target, dsn
};

struct TargetRequest {
  TargetName name;
  Settings settings;  // those that concern it (ConcernedSettings)
  load::ProtocolMode protocol = load::ProtocolMode::kSimple;
  int connections = 0;  // of the load, at most
};

inline constexpr std::string_view kTransportSetting = "transport";
inline constexpr std::string_view kClientCpuSetting = "client_cpu_affinity";
// Where a server keeps its data: "memory", "temporary" (a fresh directory with other temporary
// files) or the path of a folder (a fresh directory in it).
inline constexpr std::string_view kDataSetting = "data";
// Of such a value.
bool KeepsData(std::string_view data);
std::string DataParent(std::string_view data);  // empty: with other temporary files

// A value as every server that has this setting understands it: "1024kB" is "1MB". Settings of one
// part alone are taken as they are written.
std::string MeaningOf(const std::string& name, const std::string& value);

// The value of a setting; empty if it is not there.
std::string ValueOf(const Settings& settings, std::string_view name);

struct TargetKind {
  std::string_view form;      // "pgbouncer+SERVER"
  std::string_view summary;   // one sentence
  std::string_view packages;  // Debian packages it needs, separated by blanks
  // Nothing when the name is of another kind; an error when it is of this one, but wrong.
  Result<std::optional<TargetName>> (*parse)(const std::string& text);
  std::unique_ptr<Target> (*make)(const TargetRequest& request, TargetEnvironment& environment);
};

std::span<const TargetKind> AllTargetKinds();

// A name as part of a cell's: without slashes, which separate the axes there.
std::string CellText(std::string text);

Result<TargetName> FindTarget(const std::string& text);
std::unique_ptr<Target> MakeTarget(const TargetRequest& request, TargetEnvironment& environment);

// Whether the setting's value is the path of a file: hba_file, pgbouncer.auth_file, ...
bool NamesFile(std::string_view setting);
// Calls move for the path of each file that the settings name.
void ForEachFile(Settings& settings, const std::function<void(std::string& path)>& move);
// The file that describes a target, PATH of "file:PATH+SERVER"; empty: none that it names.
std::string FileOfTarget(const std::string& text);
// The same target with its file at another place.
std::string TargetWithFile(const std::string& text, const std::string& path);

// 42704 or 22023 for a name or value that no target has.
Status CheckSetting(const std::string& name, const std::string& value);
// In their order, with their prefixes.
Settings ConcernedSettings(const std::vector<std::string>& parts, const Settings& settings);
// Those with the prefix, without it.
Settings SettingsOfPart(std::string_view part, const Settings& settings);
// Those without any prefix, as the server's target takes them.
Settings PlainSettings(const Settings& settings);

}  // namespace connbench::targets
