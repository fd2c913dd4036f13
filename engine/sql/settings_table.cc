// The definitions of all settings a session knows: constant data, any thread.
#include "engine/sql/settings_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/ascii.h"
#include "base/bool_text.h"
#include "engine/config.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

using enum SettingKind;
using enum SettingContext;

constexpr double kMaxInt = INT32_MAX;
constexpr std::string_view kIsolationLevels =
    "read uncommitted|read committed|repeatable read|serializable";

// Sorted by name, as SHOW ALL prints them. Reported ones keep the spelling clients look for.
// clang-format off
constexpr SettingDefinition kDefinitions[] = {
    {"application_name", kString, "", "", 0, 0, kUser, true, "", "Sets the application name to be reported in statistics and logs."},
    {"backend_flush_after", kInteger, "8kB", "0", 0, 256, kUser, false, "", "Accepted; sessions write no data files."},
    {"block_size", kInteger, "", "8192", 8192, 8192, kInternal, false, "", "Shows the size of a disk block."},
    {"bytea_output", kEnum, "", "hex", 0, 0, kUser, false, "hex|escape", "Accepted; bytes are always printed in hexadecimal."},
    {"check_function_bodies", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; there are no user-defined functions."},
    {"checkpoint_timeout", kInteger, "s", "", 30, 86'400, kPostmaster, false, "", "Sets the maximum time between automatic checkpoints."},
    {"client_encoding", kString, "", "UTF8", 0, 0, kUser, true, "", "Sets the client's character set encoding: UTF8 or SQL_ASCII."},
    {"client_min_messages", kEnum, "", "notice", 0, 0, kUser, false, "debug5|debug4|debug3|debug2|debug1|log|notice|warning|error", "Sets the message levels that are sent to the client."},
    {"DateStyle", kString, "", "ISO, MDY", 0, 0, kUser, true, "", "Sets the display format for date and time values: ISO, MDY."},
    {"data_directory", kString, "", "", 0, 0, kPostmaster, false, "", "Shows where data are kept; empty: in memory only."},
    {"deadlock_timeout", kInteger, "ms", "", 1, kMaxInt, kPostmaster, false, "", "Sets the time to wait on a lock before checking for deadlock."},
    {"default_table_access_method", kString, "", "heap", 0, 0, kUser, false, "", "Accepted; every table is a heap."},
    {"default_tablespace", kString, "", "", 0, 0, kUser, false, "", "Accepted; there is one tablespace."},
    {"default_transaction_deferrable", kBool, "", "off", 0, 0, kUser, false, "", "Accepted; it matters to serializable transactions only."},
    {"default_transaction_isolation", kEnum, "", "read committed", 0, 0, kUser, false, kIsolationLevels, "Sets the transaction isolation level of each new transaction."},
    {"default_transaction_read_only", kBool, "", "off", 0, 0, kUser, true, "", "Sets the default read-only status of new transactions."},
    {"enable_bitmapscan", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; there are no bitmap scans."},
    {"enable_hashagg", kBool, "", "on", 0, 0, kUser, false, "", "Accepted."},
    {"enable_hashjoin", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; there are no joins."},
    {"enable_indexonlyscan", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; there are no index-only scans."},
    {"enable_indexscan", kBool, "", "on", 0, 0, kUser, false, "", "Enables the planner's use of index-scan plans."},
    {"enable_mergejoin", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; there are no joins."},
    {"enable_nestloop", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; there are no joins."},
    {"enable_seqscan", kBool, "", "on", 0, 0, kUser, false, "", "Enables the planner's use of sequential-scan plans where an index would do."},
    {"enable_sort", kBool, "", "on", 0, 0, kUser, false, "", "Accepted."},
    {"extra_float_digits", kInteger, "", "1", -15, 3, kUser, false, "", "Accepted; floating-point values are always printed in their shortest exact form."},
    {"force_parallel_mode", kEnum, "", "off", 0, 0, kUser, false, "off|on|regress", "Uses parallel workers wherever they are possible, whatever they cost."},
    {"fsync", kBool, "", "", 0, 0, kPostmaster, false, "", "Forces the log and checkpoints to disk; off also where data live in memory only."},
    {"full_page_writes", kBool, "", "off", 0, 0, kPostmaster, false, "", "Checkpoints write no page where it was before: none can be torn."},
    {"huge_pages", kEnum, "", "", 0, 0, kPostmaster, false, "off|on|try", "Use of huge pages for the shared segment."},
    {"huge_pages_status", kEnum, "", "", 0, 0, kInternal, false, "off|on", "Shows whether the shared segment lies in huge pages."},
    {"idle_in_transaction_session_timeout", kInteger, "ms", "0", 0, kMaxInt, kUser, false, "", "Sets the maximum allowed idle time between queries, when in a transaction."},
    {"idle_session_timeout", kInteger, "ms", "0", 0, kMaxInt, kUser, false, "", "Sets the maximum allowed idle time between queries, when not in a transaction."},
    {"in_hot_standby", kBool, "", "off", 0, 0, kInternal, true, "", "Shows whether hot standby is currently active."},
    {"integer_datetimes", kBool, "", "on", 0, 0, kInternal, true, "", "Shows whether datetimes are integer based."},
    {"IntervalStyle", kEnum, "", "postgres", 0, 0, kUser, true, "postgres|postgres_verbose|sql_standard|iso_8601", "Sets the display format for interval values."},
    {"io_method", kEnum, "", "", 0, 0, kPostmaster, false, "sync|worker|io_uring", "Selects who reads pages that are not in the buffer pool."},
    {"io_workers", kInteger, "", "", 1, kMostIoWorkers, kPostmaster, false, "", "Number of I/O workers, for io_method=worker."},
    {"is_superuser", kBool, "", "", 0, 0, kInternal, true, "", "Shows whether the current user is a superuser."},
    {"jit", kBool, "", "off", 0, 0, kUser, false, "", "Accepted; nothing is compiled just in time."},
    {"lc_collate", kString, "", "C", 0, 0, kInternal, false, "", "Shows the collation order locale."},
    {"lc_ctype", kString, "", "C", 0, 0, kInternal, false, "", "Shows the character classification and case conversion locale."},
    {"lc_messages", kString, "", "C", 0, 0, kUser, false, "", "Accepted; messages are in English."},
    {"lc_monetary", kString, "", "C", 0, 0, kUser, false, "", "Accepted; there is no money type."},
    {"lc_numeric", kString, "", "C", 0, 0, kUser, false, "", "Accepted; numbers are formatted as in C."},
    {"lc_time", kString, "", "C", 0, 0, kUser, false, "", "Accepted; times are formatted as in C."},
    {"listen_addresses", kString, "", "localhost", 0, 0, kPostmaster, false, "", "Shows where the server listens."},
    {"lock_timeout", kInteger, "ms", "0", 0, kMaxInt, kUser, false, "", "Sets the maximum allowed duration of any wait for a lock."},
    {"log_duration", kBool, "", "off", 0, 0, kUser, false, "", "Accepted; statements are not logged."},
    {"log_min_duration_statement", kInteger, "ms", "-1", -1, kMaxInt, kUser, false, "", "Accepted; statements are not logged."},
    {"log_min_messages", kEnum, "", "warning", 0, 0, kUser, false, "debug5|debug4|debug3|debug2|debug1|info|notice|warning|error|log|fatal|panic", "Accepted; sessions log nothing."},
    {"log_statement", kEnum, "", "none", 0, 0, kUser, false, "none|ddl|mod|all", "Accepted; statements are not logged."},
    {"maintenance_work_mem", kInteger, "kB", "65536", 1024, kMaxInt, kUser, false, "", "Accepted."},
    {"max_connections", kInteger, "", "", 1, 262143, kPostmaster, false, "", "Sets the maximum number of concurrent connections."},
    {"max_identifier_length", kInteger, "", "63", 63, 63, kInternal, false, "", "Shows the maximum identifier length."},
    {"max_index_keys", kInteger, "", "32", 32, 32, kInternal, false, "", "Shows the maximum number of index keys."},
    {"max_locks_per_transaction", kInteger, "", "", 10, kMaxInt, kPostmaster, false, "", "Sets the maximum number of locks per transaction."},
    {"max_parallel_workers", kInteger, "", "", 0, kMostParallelWorkers, kPostmaster, false, "", "Number of parallel workers, which start with the server; none by default."},
    {"max_parallel_workers_per_gather", kInteger, "", "2", 0, 1024, kUser, false, "", "Sets the maximum number of parallel workers for one Gather."},
    {"max_wal_size", kInteger, "kB", "", 2048, kMaxInt, kPostmaster, false, "", "Sets the log since a checkpoint after which the next one is made."},
    {"min_parallel_table_scan_size", kInteger, "8kB", "1024", 0, 715'827'882, kUser, false, "", "Sets the minimum amount of table data for a parallel scan."},
    {"parallel_leader_participation", kBool, "", "on", 0, 0, kUser, false, "", "Controls whether a Gather also runs its part of the plan in the session itself."},
    {"parallel_setup_cost", kReal, "", "1000", 0, 1.79769e308, kUser, false, "", "Sets the planner's estimate of the cost of starting up workers."},
    {"parallel_tuple_cost", kReal, "", "0.1", 0, 1.79769e308, kUser, false, "", "Sets the planner's estimate of the cost of passing a row from a worker to its leader."},
    {"plan_cache_mode", kEnum, "", "auto", 0, 0, kUser, false, "auto|force_generic_plan|force_custom_plan", "Accepted; prepared statements always use one generic plan."},
    {"password_encryption", kEnum, "", "scram-sha-256", 0, 0, kUser, false, "scram-sha-256", "Chooses the algorithm for encrypting passwords."},
    {"random_page_cost", kReal, "", "4", 0, 1.79769e308, kUser, false, "", "Accepted; the planner follows rules."},
    {"row_security", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; there is no row security."},
    {"scram_iterations", kInteger, "", "", 1, 10'000'000, kUser, false, "", "Sets the iteration count for SCRAM secret generation."},
    {"search_path", kString, "", "\"$user\", public", 0, 0, kUser, false, "", "Accepted; there is one schema, public."},
    {"seq_page_cost", kReal, "", "1", 0, 1.79769e308, kUser, false, "", "Accepted; the planner follows rules."},
    {"server_encoding", kString, "", "UTF8", 0, 0, kInternal, true, "", "Shows the server (database) character set encoding."},
    {"server_version", kString, "", "", 0, 0, kInternal, true, "", "Shows the server version: the PostgreSQL version whose dialect is spoken, and our own."},
    {"server_version_num", kInteger, "", "150000", 150000, 150000, kInternal, false, "", "Shows the server version as an integer."},
    {"session_authorization", kString, "", "", 0, 0, kInternal, true, "", "Shows the session user name."},
    {"session_warmup_kb", kInteger, "", "", 0, kMaxInt, kPostmaster, false, "", "Private memory every session touches at its start, in kB."},
    {"shared_buffers", kInteger, "8kB", "", 16, kMaxInt, kPostmaster, false, "", "Sets the number of shared memory buffers used by the server."},
    {"standard_conforming_strings", kBool, "", "on", 0, 0, kUser, true, "", "Causes '...' strings to treat backslashes literally; always on."},
    {"statement_timeout", kInteger, "ms", "0", 0, kMaxInt, kUser, false, "", "Sets the maximum allowed duration of any statement."},
    {"superuser_reserved_connections", kInteger, "", "", 0, 262143, kPostmaster, false, "", "Sets the number of connection slots reserved for superusers."},
    {"synchronous_commit", kEnum, "", "", 0, 0, kUser, false, "local|remote_write|remote_apply|on|off", "Whether a commit waits until the log is on disk; without a data directory there is none."},
    {"synchronize_seqscans", kBool, "", "on", 0, 0, kUser, false, "", "Accepted; scans are not synchronised."},
    {"TimeZone", kString, "", "UTC", 0, 0, kUser, true, "", "Sets the time zone for displaying and interpreting time stamps."},
    {"track_activity_query_size", kInteger, "B", "", 100, 1048576, kPostmaster, false, "", "Sets the size reserved for pg_stat_activity.query, in bytes."},
    {"track_io_timing", kBool, "", "on", 0, 0, kPostmaster, false, "", "Waits for pages that are read are always timed."},
    {"transaction_deferrable", kBool, "", "off", 0, 0, kUser, false, "", "Accepted; it matters to serializable transactions only."},
    {"transaction_isolation", kEnum, "", "read committed", 0, 0, kUser, false, kIsolationLevels, "Sets the current transaction's isolation level."},
    {"transaction_read_only", kBool, "", "off", 0, 0, kUser, false, "", "Sets the current transaction's read-only status."},
    {"wal_buffers", kInteger, "kB", "", 1024, 1 << 20, kPostmaster, false, "", "Sets the memory for log that is not on disk yet."},
    {"wal_level", kEnum, "", "minimal", 0, 0, kPostmaster, false, "minimal|replica|logical", "The log serves the recovery from a crash alone."},
    {"wal_writer_delay", kInteger, "ms", "", 1, 10'000, kPostmaster, false, "", "Sets how long commits gather that do not wait for the disk."},
    {"work_mem", kInteger, "kB", "", 64, kMaxInt, kUser, false, "", "Sets the maximum memory to be used for query workspaces."},
    {"xmloption", kEnum, "", "content", 0, 0, kUser, false, "content|document", "Accepted; there is no xml type."},
};
// clang-format on

struct Unit {
  std::string_view name;
  double size;  // in the smallest unit of its family
};
constexpr Unit kTimeUnits[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"min", 60'000'000},
                               {"s", 1'000'000},      {"ms", 1'000},        {"us", 1}};
constexpr Unit kMemoryUnits[] = {
    {"TB", 1099511627776.0}, {"GB", 1073741824.0}, {"MB", 1048576}, {"kB", 1024}, {"B", 1}};

bool IsMemory(std::string_view unit) { return unit == "B" || unit == "kB" || unit == "8kB"; }
double UnitSize(std::string_view unit) {
  if (unit == "8kB") return 8192;
  for (const Unit& candidate : kTimeUnits) {
    if (candidate.name == unit) return candidate.size;
  }
  for (const Unit& candidate : kMemoryUnits) {
    if (candidate.name == unit) return candidate.size;
  }
  return 0;
}

Status InvalidValue(const SettingDefinition& setting, std::string_view value) {
  return Status::Error(
      sqlstate::kInvalidParameterValue,
      fmt::format("invalid value for parameter \"{}\": \"{}\"", setting.name, Excerpt(value)));
}

// A number with an optional unit, in the setting's unit.
Result<double> ParseNumber(const SettingDefinition& setting, std::string_view value) {
  const size_t begin = value.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return InvalidValue(setting, value);
  std::string_view rest = value.substr(begin);
  double number = 0;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return InvalidValue(setting, value);
  std::string_view unit = rest.substr(static_cast<size_t>(end - rest.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  while (unit.ends_with(' ')) unit.remove_suffix(1);
  if (unit.empty()) return number;
  if (setting.unit.empty()) return InvalidValue(setting, value);
  const double size = UnitSize(unit);
  const bool memory = IsMemory(setting.unit);
  const bool family_matches = size > 0 && memory == (unit.ends_with('B') && unit != "8kB");
  if (!family_matches || unit == "8kB") {
    return InvalidValue(setting, value)
        .WithHint(memory ? "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and "
                           "\"TB\"."
                         : "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", "
                           "\"h\", and \"d\".");
  }
  return number * size / UnitSize(setting.unit);
}

Result<std::string> CanonicalBool(const SettingDefinition& setting, std::string_view value) {
  const std::optional<bool> on = ParseBool(value);
  if (on) return std::string(*on ? "on" : "off");
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("parameter \"{}\" requires a Boolean value", setting.name));
}

Result<std::string> CanonicalEnum(const SettingDefinition& setting, std::string_view value) {
  std::string names;
  for (std::string_view rest = setting.enum_values; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('|'));
    if (EqualIgnoringCase(name, value)) return std::string(name);
    names += (names.empty() ? "" : ", ") + std::string(name);
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  return InvalidValue(setting, value).WithHint("Available values: " + names + ".");
}

}  // namespace

std::span<const SettingDefinition> SettingDefinitions() { return kDefinitions; }

int FindSetting(std::string_view name) {
  for (size_t i = 0; i < std::size(kDefinitions); ++i) {
    if (EqualIgnoringCase(kDefinitions[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

std::string PrintWithUnit(int64_t number, std::string_view unit) {
  if (unit.empty() || number <= 0) return std::to_string(number);
  const double in_smallest = static_cast<double>(number) * UnitSize(unit);
  const auto print = [&](auto& units) {
    for (const Unit& candidate : units) {
      if (std::fmod(in_smallest, candidate.size) == 0) {
        return fmt::format("{}{}", static_cast<int64_t>(in_smallest / candidate.size),
                           candidate.name);
      }
    }
    return fmt::format("{}{}", number, unit);
  };
  return IsMemory(unit) ? print(kMemoryUnits) : print(kTimeUnits);
}

Result<std::string> CanonicalValue(const SettingDefinition& setting, std::string_view value) {
  switch (setting.kind) {
    case kBool:
      return CanonicalBool(setting, value);
    case kEnum:
      return CanonicalEnum(setting, value);
    case kString:
      return std::string(value);
    case kInteger:
    case kReal:
      break;
  }
  CONNBENCH_ASSIGN_OR_RETURN(double number, ParseNumber(setting, value));
  if (setting.kind == kInteger) number = std::nearbyint(number);
  if (number < setting.min || number > setting.max) {
    const std::string unit = setting.unit.empty() ? "" : " " + std::string(setting.unit);
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("{}{} is outside the valid range for parameter \"{}\" ({} .. {})", number, unit,
                    setting.name, setting.min, setting.max));
  }
  if (setting.kind == kReal) return fmt::format("{}", number);
  return PrintWithUnit(static_cast<int64_t>(number), setting.unit);
}

int64_t IntegerValue(const SettingDefinition& setting, std::string_view canonical) {
  Result<double> number = ParseNumber(setting, canonical);
  return number.ok() ? static_cast<int64_t>(std::llround(*number)) : 0;
}

double RealValue(const SettingDefinition& setting, std::string_view canonical) {
  Result<double> number = ParseNumber(setting, canonical);
  return number.ok() ? *number : 0;
}

}  // namespace connbench::engine
