// Everything that sizes or steers the engine, fixed when the segment is made.
#include "engine/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/near_names.h"
#include "base/units.h"

namespace connbench::engine {
namespace {

using Member = std::variant<int64_t EngineConfig::*, int EngineConfig::*, bool EngineConfig::*,
                            std::string EngineConfig::*, EngineKind EngineConfig::*,
                            SegmentBacking EngineConfig::*, HugePages EngineConfig::*,
                            IoMethod EngineConfig::*>;

// One setting: its name, the unit in which a bare number is read and values are shown ("" counts
// things), the member it fills, and the range in that unit.
struct Setting {
  std::string_view name;
  std::string_view unit;
  Member member;
  int64_t min;
  int64_t max;
  std::string_view help;
};

// Not a unit but a kind: the text may hold "/".
constexpr std::string_view kPathUnit = "path";
constexpr size_t kMaxPathBytes = 1024;  // what the segment's header has room for

constexpr int64_t kMaxKilobytes = int64_t{1} << 31;  // 2 TB
constexpr int64_t kMaxCount = INT32_MAX;

// Members hold bytes when the name of the member says so; the unit here is PostgreSQL's.
constexpr Setting kSettings[] = {
    {"engine", "", &EngineConfig::engine, 0, 0,
     "real: the query engine; canned: one fixed answer to everything, the floor of a model"},
    {"segment_backing", "", &EngineConfig::segment_backing, 0, 0,
     "named: shared memory others can attach to; anonymous"},
    {"huge_pages", "", &EngineConfig::huge_pages, 0, 0,
     "2 MB pages for the segment: on, off or try; named: transparent ones, anonymous: reserved "
     "ones "
     "(vm.nr_hugepages)"},
    {"segment_name", "", &EngineConfig::segment_name, 0, 0,
     "name under /dev/shm; empty: connbench.<pid>"},
    {"private_futexes", "", &EngineConfig::private_futexes, 0, 0,
     "latches and lock waits use process-private futexes: only for models with one server process"},
    {"shared_buffers", "kB", &EngineConfig::shared_buffers_bytes, 128, kMaxKilobytes,
     "size of the buffer pool"},
    {"work_mem", "kB", &EngineConfig::work_mem_bytes, 64, kMaxKilobytes,
     "private memory one operation of a statement may use"},
    {"max_connections", "", &EngineConfig::max_connections, 1, 262143, "sessions at the same time"},
    {"superuser_reserved_connections", "", &EngineConfig::superuser_reserved_connections, 0, 262143,
     "how many of max_connections are kept for superusers"},
    {"session_warmup_kb", "kB", &EngineConfig::session_warmup_kb, 0, kMaxKilobytes,
     "private memory every session touches at its start; PostgreSQL's caches take about 1 MB"},
    {"connection_log_entries", "", &EngineConfig::connection_log_entries, 1, int64_t{1} << 26,
     "connections whose phases are remembered"},
    {"connection_phase_cpu", "", &EngineConfig::connection_phase_cpu, 0, 0,
     "the phases of a connection are remembered with CPU clocks too, a system call for each phase"},
    {"deadlock_timeout", "ms", &EngineConfig::deadlock_timeout_ms, 1, kMaxCount,
     "how long a lock wait lasts before it is checked for a deadlock"},
    {"authentication_timeout", "ms", &EngineConfig::authentication_timeout_ms, 1, kMaxCount,
     "how long a client may take from connecting to being authenticated"},
    {"scram_iterations", "", &EngineConfig::scram_iterations, 1, 10'000'000,
     "how often a password is hashed when it is stored, and by the client at every login"},
    {"pwfile", kPathUnit, &EngineConfig::pwfile, 0, 0,
     "file whose first line is the password of user postgres, as initdb's --pwfile"},
    {"data_directory", kPathUnit, &EngineConfig::data_directory, 0, 0,
     "folder in which data are kept, made on first use; empty: in memory only (--data sets it)"},
    {"fsync", "", &EngineConfig::fsync, 0, 0,
     "the log and checkpoints are synced to disk; off: a crash of the machine may lose all data"},
    {"synchronous_commit", "", &EngineConfig::synchronous_commit, 0, 0,
     "a commit is answered when it is on disk; off: a crash may lose the last commits"},
    {"wal_buffers", "kB", &EngineConfig::wal_buffers_bytes, 1024, 1 << 20,
     "log that is kept in memory until somebody needs it on disk"},
    {"max_wal_size", "kB", &EngineConfig::max_wal_size_bytes, 2048, kMaxKilobytes,
     "log since the last checkpoint after which the next one is made"},
    {"checkpoint_timeout", "s", &EngineConfig::checkpoint_timeout_s, 30, 86'400,
     "time after which the next checkpoint is made, if anything was logged"},
    {"wal_writer_delay", "ms", &EngineConfig::wal_writer_delay_ms, 1, 10'000,
     "how long commits with synchronous_commit=off gather before they are written to disk"},
    {"io_method", "", &EngineConfig::io_method, 0, 0,
     "who reads pages that are not in the buffer pool; sync: the session itself, worker: I/O "
     "workers, io_uring: the kernel, while the session waits as its model does"},
    {"io_workers", "", &EngineConfig::io_workers, 1, kMostIoWorkers,
     "how many I/O workers there are with io_method=worker"},
    {"max_parallel_workers", "", &EngineConfig::max_parallel_workers, 0, kMostParallelWorkers,
     "workers, started with the server, that help sessions to run queries; 0: none"},
    {"max_relations", "", &EngineConfig::max_relations, 16, 1 << 20,
     "tables, indexes and sequences together"},
    {"track_activity_query_size", "B", &EngineConfig::track_activity_query_size, 100, 1 << 20,
     "bytes of each session's statement that pg_stat_activity shows"},
    {"max_locks_per_transaction", "", &EngineConfig::max_locks_per_transaction, 10, kMaxCount,
     "sizes the shared lock table: this times max_connections"},
    {"max_shared_row_locks", "", &EngineConfig::max_shared_row_locks, 1 << 15, int64_t{1} << 30,
     "rows that a second transaction or savepoint may hold locked; rounded up to a power of two"},
    {"recent_transactions", "", &EngineConfig::recent_transactions, 1024, int64_t{1} << 30,
     "writing transactions that may begin while one stays open; rounded up to a power of two"},
    {"remembered_transactions", "", &EngineConfig::remembered_transactions, 1 << 20,
     int64_t{1} << 40, "ended transactions whose fate is kept; rounded up to a power of two"},
};

struct EngineKindName {
  std::string_view name;
  EngineKind value;
};
constexpr EngineKindName kEngineKinds[] = {{"real", EngineKind::kReal},
                                           {"canned", EngineKind::kCanned}};
struct BackingName {
  std::string_view name;
  SegmentBacking value;
};
constexpr BackingName kBackings[] = {{"named", SegmentBacking::kNamed},
                                     {"anonymous", SegmentBacking::kAnonymous}};
struct HugePagesName {
  std::string_view name;
  HugePages value;
};
constexpr HugePagesName kHugePages[] = {
    {"off", HugePages::kOff}, {"on", HugePages::kOn}, {"try", HugePages::kTry}};

struct IoMethodName {
  std::string_view name;
  IoMethod value;
};
constexpr IoMethodName kIoMethods[] = {
    {"sync", IoMethod::kSync}, {"worker", IoMethod::kWorker}, {"io_uring", IoMethod::kIoUring}};

// kBytesMember: settings whose member counts bytes while their unit is kB.
bool HoldsBytes(const Setting& setting) {
  const auto* member = std::get_if<int64_t EngineConfig::*>(&setting.member);
  return member != nullptr &&
         (*member == &EngineConfig::shared_buffers_bytes ||
          *member == &EngineConfig::work_mem_bytes || *member == &EngineConfig::wal_buffers_bytes ||
          *member == &EngineConfig::max_wal_size_bytes);
}

Status UnknownSetting(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Setting& setting : kSettings) names.push_back(setting.name);
  Status status = Status::Error(sqlstate::kUndefinedObject,
                                fmt::format("unrecognized configuration parameter \"{}\"", name));
  const std::vector<std::string_view> near = NearNames(name, names);
  if (near.empty()) return status;
  return std::move(status).WithHint(fmt::format("Near names: \"{}\".", fmt::join(near, "\", \"")));
}

Status BadValue(const Setting& setting, std::string_view value, std::string_view expected) {
  return Status::Error(
             sqlstate::kInvalidParameterValue,
             fmt::format("invalid value for parameter \"{}\": \"{}\"", setting.name, value))
      .WithHint(fmt::format("Expected {}.", expected));
}

template <typename Names>
std::string NameList(const Names& names) {
  std::string list;
  for (const auto& entry : names) {
    if (!list.empty()) list += ", ";
    list += entry.name;
  }
  return list;
}

template <typename Names, typename Value>
Status ParseName(const Setting& setting, const Names& names, std::string_view value,
                 Value& member) {
  for (const auto& entry : names) {
    if (entry.name != value) continue;
    member = entry.value;
    return {};
  }
  return BadValue(setting, value, "one of " + NameList(names));
}

Result<bool> ParseBool(const Setting& setting, std::string_view value) {
  for (std::string_view yes : {"on", "true", "yes", "1"}) {
    if (value == yes) return true;
  }
  for (std::string_view no : {"off", "false", "no", "0"}) {
    if (value == no) return false;
  }
  return BadValue(setting, value, "on or off");
}

// The number in the setting's own unit, range-checked.
Result<int64_t> ParseNumber(const Setting& setting, std::string_view value) {
  int64_t number = 0;
  if (setting.unit == "kB") {
    const Result<int64_t> bytes = ParseBytes(value, "kB");
    if (!bytes.ok()) return BadValue(setting, value, "a size, as \"256MB\"");
    number = *bytes / 1024;
  } else if (setting.unit == "B") {
    const Result<int64_t> bytes = ParseBytes(value, "B");
    if (!bytes.ok()) return BadValue(setting, value, "a size, as \"1kB\"");
    number = *bytes;
  } else if (setting.unit == "ms") {
    const Result<int64_t> ns = ParseDurationNs(value, "ms");
    if (!ns.ok()) return BadValue(setting, value, "a duration, as \"10s\"");
    number = *ns / kNanosecondsPerMillisecond;
  } else if (setting.unit == "s") {
    const Result<int64_t> ns = ParseDurationNs(value, "s");
    if (!ns.ok()) return BadValue(setting, value, "a duration, as \"10s\"");
    number = *ns / kNanosecondsPerSecond;
  } else {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) {
      return BadValue(setting, value, "an integer");
    }
  }
  if (number < setting.min || number > setting.max) {
    const std::string_view space = setting.unit.empty() ? "" : " ";
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("{}{}{} is outside the valid range for parameter \"{}\" "
                    "({} .. {})",
                    number, space, setting.unit, setting.name, setting.min, setting.max));
  }
  return number;
}

}  // namespace

Status ApplySetting(EngineConfig& config, std::string_view name, std::string_view value) {
  const auto* setting = std::find_if(std::begin(kSettings), std::end(kSettings),
                                     [&](const Setting& s) { return s.name == name; });
  if (setting == std::end(kSettings)) return UnknownSetting(name);

  if (const auto* number = std::get_if<int64_t EngineConfig::*>(&setting->member)) {
    CONNBENCH_ASSIGN_OR_RETURN(const int64_t parsed, ParseNumber(*setting, value));
    config.** number = HoldsBytes(*setting) ? parsed * 1024 : parsed;
  } else if (const auto* count = std::get_if<int EngineConfig::*>(&setting->member)) {
    CONNBENCH_ASSIGN_OR_RETURN(const int64_t parsed, ParseNumber(*setting, value));
    config.** count = static_cast<int>(parsed);
  } else if (const auto* flag = std::get_if<bool EngineConfig::*>(&setting->member)) {
    CONNBENCH_ASSIGN_OR_RETURN(config.**flag, ParseBool(*setting, value));
  } else if (const auto* text = std::get_if<std::string EngineConfig::*>(&setting->member)) {
    if (setting->unit == kPathUnit) {
      if (value.size() > kMaxPathBytes || value.find('\n') != std::string_view::npos) {
        return BadValue(*setting, value, "a path of one line and at most 1024 bytes");
      }
    } else if (value.find('/') != std::string_view::npos) {
      return BadValue(*setting, value, "a name without \"/\"");
    }
    config.** text = std::string(value);
  } else if (const auto* kind = std::get_if<EngineKind EngineConfig::*>(&setting->member)) {
    return ParseName(*setting, kEngineKinds, value, config.**kind);
  } else if (const auto* backing = std::get_if<SegmentBacking EngineConfig::*>(&setting->member)) {
    return ParseName(*setting, kBackings, value, config.**backing);
  } else if (const auto* pages = std::get_if<HugePages EngineConfig::*>(&setting->member)) {
    return ParseName(*setting, kHugePages, value, config.**pages);
  } else if (const auto* method = std::get_if<IoMethod EngineConfig::*>(&setting->member)) {
    return ParseName(*setting, kIoMethods, value, config.**method);
  }
  return {};
}

namespace {

// As PostgreSQL's SHOW prints it: the largest unit that divides the value.
std::string ShowNumber(const Setting& setting, int64_t number) {
  struct Unit {
    std::string_view name;
    int64_t factor;
  };
  constexpr Unit kMemory[] = {
      {"TB", int64_t{1} << 30}, {"GB", 1 << 20}, {"MB", 1 << 10}, {"kB", 1}};
  constexpr Unit kTime[] = {
      {"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}};
  if (number == 0 || setting.unit.empty()) return std::to_string(number);
  const auto show = [&](const auto& units) {
    for (const Unit& unit : units) {
      if (number % unit.factor == 0) return fmt::format("{}{}", number / unit.factor, unit.name);
    }
    return std::to_string(number);
  };
  if (setting.unit == "s") number *= 1000;
  if (setting.unit == "B") {
    return number % 1024 == 0 ? fmt::format("{}kB", number / 1024) : fmt::format("{}B", number);
  }
  return setting.unit == "kB" ? show(kMemory) : show(kTime);
}

std::string ShowValue(const EngineConfig& config, const Setting& setting) {
  struct Visitor {
    const EngineConfig& config;
    const Setting& setting;
    std::string operator()(int64_t EngineConfig::*member) const {
      const int64_t number = config.*member;
      return ShowNumber(setting, HoldsBytes(setting) ? number / 1024 : number);
    }
    std::string operator()(int EngineConfig::*member) const {
      return ShowNumber(setting, config.*member);
    }
    std::string operator()(bool EngineConfig::*member) const {
      return config.*member ? "on" : "off";
    }
    std::string operator()(std::string EngineConfig::*member) const { return config.*member; }
    std::string operator()(EngineKind EngineConfig::*member) const {
      return std::string(kEngineKinds[static_cast<size_t>(config.*member)].name);
    }
    std::string operator()(SegmentBacking EngineConfig::*member) const {
      return std::string(kBackings[static_cast<size_t>(config.*member)].name);
    }
    std::string operator()(HugePages EngineConfig::*member) const {
      return std::string(kHugePages[static_cast<size_t>(config.*member)].name);
    }
    std::string operator()(IoMethod EngineConfig::*member) const {
      return std::string(NameOf(config.*member));
    }
  };
  return std::visit(Visitor{config, setting}, setting.member);
}

}  // namespace

std::string_view NameOf(IoMethod method) { return kIoMethods[static_cast<size_t>(method)].name; }

std::vector<SettingDescription> DescribeSettings(const EngineConfig& config) {
  std::vector<SettingDescription> descriptions;
  for (const Setting& setting : kSettings) {
    descriptions.push_back({setting.name, setting.unit, setting.help, ShowValue(config, setting)});
  }
  return descriptions;
}

}  // namespace connbench::engine
