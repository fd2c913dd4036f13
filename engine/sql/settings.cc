// A session's settings (PostgreSQL calls them GUCs).
#include "engine/sql/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/clock.h"
#include "engine/config.h"
#include "engine/executor/types/string_type.h"
#include "engine/sql/client_encoding.h"
#include "engine/sql/real_session.h"

namespace connbench::engine {
namespace {

// "15.0 (...)": must begin with the version whose dialect is spoken, which clients compare.
constexpr std::string_view kServerVersion = "15.0 (connbench " CONNBENCH_VERSION ")";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Status Unrecognized(std::string_view name) {
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("unrecognized configuration parameter \"{}\"", Excerpt(name)));
}

// Two or more identifiers with dots between them.
bool IsCustomName(std::string_view name) {
  bool first = true;  // in its identifier
  bool dotted = false;
  for (const char c : name) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
    if (c == '.' && !first) {
      first = dotted = true;
    } else if (letter || (!first && ((c >= '0' && c <= '9') || c == '$'))) {
      first = false;
    } else {
      return false;
    }
  }
  return dotted && !first;
}

// Of a name that no setting has.
Status BadName(std::string_view name) {
  if (name.find('.') == std::string_view::npos) return Unrecognized(name);
  return Status::Error(sqlstate::kInvalidName,
                       fmt::format("invalid configuration parameter name \"{}\"", Excerpt(name)))
      .WithDetail(
          "Custom parameter names must be two or more simple identifiers separated by dots.");
}

Status InvalidValue(std::string_view name, std::string_view value) {
  return Status::Error(
      sqlstate::kInvalidParameterValue,
      fmt::format("invalid value for parameter \"{}\": \"{}\"", name, Excerpt(value)));
}

// What is no printable ASCII becomes "?", and a long name is cut, as PostgreSQL does.
constexpr size_t kMaxApplicationNameBytes = 63;
std::string CanonicalApplicationName(std::string_view value) {
  std::string name(value.substr(0, kMaxApplicationNameBytes));
  for (char& c : name) {
    if (c < ' ' || c > '~') c = '?';
  }
  return name;
}

Result<std::string> CanonicalDateStyle(std::string_view value) {
  for (std::string_view rest = value; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::string word = AsciiLower(Trim(part));
    if (word == "iso" || word == "mdy" || word == "us" || word == "default") continue;
    for (std::string_view known :
         {"sql", "postgres", "german", "dmy", "ymd", "european", "noneuropean"}) {
      if (word == known) {
        return Status::Error(
            sqlstate::kFeatureNotSupported,
            fmt::format("DateStyle \"{}\" is not supported: only \"ISO, MDY\" is", Excerpt(value)));
      }
    }
    return InvalidValue("DateStyle", value);
  }
  return std::string("ISO, MDY");
}

// The default as SHOW prints it; empty for what comes from the connection.
std::string DefaultText(const SettingDefinition& setting, const EngineConfig& config,
                        bool huge_pages) {
  const std::string_view name = setting.name;
  if (!setting.default_value.empty() && setting.kind == SettingKind::kInteger) {
    return PrintWithUnit(IntegerValue(setting, setting.default_value), setting.unit);
  }
  if (!setting.default_value.empty()) return std::string(setting.default_value);
  if (name == "server_version") return std::string(kServerVersion);
  if (name == "work_mem") return PrintWithUnit(config.work_mem_bytes / 1024, "kB");
  if (name == "shared_buffers") return PrintWithUnit(config.shared_buffers_bytes / 8192, "8kB");
  if (name == "max_connections") return std::to_string(config.max_connections);
  if (name == "superuser_reserved_connections") {
    return std::to_string(config.superuser_reserved_connections);
  }
  if (name == "scram_iterations") return std::to_string(config.scram_iterations);
  if (name == "session_warmup_kb") return std::to_string(config.session_warmup_kb);
  if (name == "huge_pages") {
    return config.huge_pages == HugePages::kOff  ? "off"
           : config.huge_pages == HugePages::kOn ? "on"
                                                 : "try";
  }
  if (name == "huge_pages_status") return huge_pages ? "on" : "off";
  if (name == "fsync") return !config.data_directory.empty() && config.fsync ? "on" : "off";
  if (name == "synchronous_commit") return config.synchronous_commit ? "on" : "off";
  if (name == "data_directory") return config.data_directory;
  if (name == "wal_buffers") return PrintWithUnit(config.wal_buffers_bytes / 1024, "kB");
  if (name == "max_wal_size") return PrintWithUnit(config.max_wal_size_bytes / 1024, "kB");
  if (name == "checkpoint_timeout") return PrintWithUnit(config.checkpoint_timeout_s, "s");
  if (name == "wal_writer_delay") return PrintWithUnit(config.wal_writer_delay_ms, "ms");
  if (name == "io_method") return std::string(NameOf(config.io_method));
  if (name == "io_workers") return std::to_string(config.io_workers);
  if (name == "deadlock_timeout") return PrintWithUnit(config.deadlock_timeout_ms, "ms");
  if (name == "track_activity_query_size") {
    return PrintWithUnit(config.track_activity_query_size, "B");
  }
  if (name == "max_parallel_workers") return std::to_string(config.max_parallel_workers);
  if (name == "max_locks_per_transaction") return std::to_string(config.max_locks_per_transaction);
  return {};
}

// Sets the typed value of a setting that has one.
void ApplyTo(Settings::Current& current, const SettingDefinition& setting,
             const std::string& text) {
  const std::string_view name = setting.name;
  const auto nanoseconds = [&] { return IntegerValue(setting, text) * kNanosecondsPerMillisecond; };
  if (name == "statement_timeout") {
    current.statement_timeout_ns = nanoseconds();
  } else if (name == "lock_timeout") {
    current.lock_timeout_ns = nanoseconds();
  } else if (name == "idle_in_transaction_session_timeout") {
    current.idle_in_transaction_timeout_ns = nanoseconds();
  } else if (name == "idle_session_timeout") {
    current.idle_session_timeout_ns = nanoseconds();
  } else if (name == "work_mem") {
    current.work_mem_bytes = IntegerValue(setting, text) * 1024;
  } else if (name == "default_transaction_read_only") {
    current.default_read_only = text == "on";
  } else if (name == "default_transaction_isolation") {
    const Result<IsolationLevel> level = ParseIsolationLevel(name, text);
    if (level.ok()) current.default_isolation = *level;
  } else if (name == "synchronous_commit") {
    current.synchronous_commit = text != "off";
  } else if (name == "enable_seqscan") {
    current.enable_seqscan = text == "on";
  } else if (name == "enable_indexscan") {
    current.enable_indexscan = text == "on";
  } else if (name == "max_parallel_workers_per_gather") {
    current.parallel.workers_per_gather = static_cast<int16_t>(IntegerValue(setting, text));
  } else if (name == "min_parallel_table_scan_size") {
    current.parallel.min_scan_blocks = static_cast<int32_t>(IntegerValue(setting, text));
  } else if (name == "parallel_setup_cost") {
    current.parallel.setup_cost = static_cast<float>(RealValue(setting, text));
  } else if (name == "parallel_tuple_cost") {
    current.parallel.tuple_cost = static_cast<float>(RealValue(setting, text));
  } else if (name == "parallel_leader_participation") {
    current.parallel.leader_participation = text == "on";
  } else if (name == "force_parallel_mode") {
    current.parallel.force = text != "off";
  } else if (name == "client_min_messages") {
    current.client_min_messages = text == "error"     ? kError
                                  : text == "warning" ? kWarning
                                  : text == "notice"  ? kNotice
                                  : text == "log"     ? kLog
                                                      : kDebug;
  } else if (name == "IntervalStyle") {
    current.interval_style = text == "postgres_verbose" ? IntervalStyle::kPostgresVerbose
                             : text == "sql_standard"   ? IntervalStyle::kSqlStandard
                             : text == "iso_8601"       ? IntervalStyle::kIso8601
                                                        : IntervalStyle::kPostgres;
  } else if (name == "TimeZone") {
    auto zone = TimeZone::Find(text);
    if (zone.ok()) current.time_zone = std::move(*zone);
  }
}

}  // namespace

Result<IsolationLevel> ParseIsolationLevel(std::string_view setting, std::string_view value) {
  for (const IsolationLevel level :
       {IsolationLevel::kReadUncommitted, IsolationLevel::kReadCommitted,
        IsolationLevel::kRepeatableRead}) {
    if (value == IsolationLevelName(level)) return level;
  }
  if (value != "serializable") return InvalidValue(setting, value);
  return Status::Error(sqlstate::kFeatureNotSupported,
                       "isolation level \"serializable\" is not supported")
      .WithDetail("Nothing detects the read/write conflicts between transactions that it forbids.")
      .WithHint(
          "Use \"repeatable read\" (a snapshot for each transaction), and lock with SELECT ... FOR "
          "SHARE or FOR UPDATE the rows that a decision rests on.");
}

bool IsOfTransaction(std::string_view setting) {
  const std::string name = AsciiLower(setting);
  return name == "transaction_isolation" || name == "transaction_read_only";
}

std::string_view IsolationLevelName(IsolationLevel level) {
  switch (level) {
    case IsolationLevel::kReadUncommitted:
      return "read uncommitted";
    case IsolationLevel::kReadCommitted:
      return "read committed";
    case IsolationLevel::kRepeatableRead:
      return "repeatable read";
  }
  return "";
}

std::shared_ptr<const SettingDefaults> MakeSettingDefaults(const EngineConfig& config,
                                                           bool huge_pages) {
  auto defaults = std::make_shared<SettingDefaults>();
  for (const SettingDefinition& setting : SettingDefinitions()) {
    defaults->texts.push_back(DefaultText(setting, config, huge_pages));
    ApplyTo(defaults->values, setting, defaults->texts.back());
  }
  return defaults;
}

Settings::Settings(const SettingDefaults& defaults, const SessionOptions& options)
    : defaults_(defaults),
      user_(options.user),
      superuser_(options.superuser),
      current_(defaults.values) {}

Status Settings::ApplyStartup(const std::vector<StartupParameter>& parameters) {
  for (const StartupParameter& parameter : parameters) {
    const Status status = Set(parameter.name, parameter.value, false, false);
    if (status.ok()) continue;
    const ErrorInfo& error = status.error();
    return Status::Fatal(error.code, error.message).WithDetail(error.detail).WithHint(error.hint);
  }
  startup_ = overrides_;
  changed_.clear();  // ReportAll tells all of it
  return {};
}

Result<std::string> Settings::Canonicalize(const SettingDefinition& setting,
                                           std::string_view value) const {
  if (setting.context != SettingContext::kUser) {
    return Status::Error(
        sqlstate::kCantChangeRuntimeParam,
        setting.context == SettingContext::kInternal
            ? fmt::format("parameter \"{}\" cannot be changed", setting.name)
            : fmt::format("parameter \"{}\" cannot be changed without restarting the server",
                          setting.name));
  }
  if (setting.name == "client_encoding") {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string_view encoding, CanonicalEncoding(value));
    return std::string(encoding);
  }
  if (setting.name == "application_name") return CanonicalApplicationName(value);
  if (setting.name == "DateStyle") return CanonicalDateStyle(value);
  if (setting.name == "TimeZone") {
    CONNBENCH_ASSIGN_OR_RETURN(const auto zone, TimeZone::FindSetting(value));
    return zone->name();
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::string canonical, CanonicalValue(setting, value));
  if (setting.name == "default_transaction_isolation" || setting.name == "transaction_isolation") {
    CONNBENCH_RETURN_IF_ERROR(ParseIsolationLevel(setting.name, canonical).TakeStatus());
  }
  if (setting.name == "standard_conforming_strings" && canonical == "off") {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "standard_conforming_strings = off is not supported");
  }
  return canonical;
}

Status Settings::Set(std::string_view name, std::string_view value, bool local,
                     bool in_transaction) {
  const int index = FindSetting(name);
  if (index < 0) {
    if (!IsCustomName(name)) return BadName(name);
    AssignLogged(kCustom, AsciiLower(name), std::string(value), local, in_transaction);
    return {};
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::string canonical,
                             Canonicalize(SettingDefinitions()[static_cast<size_t>(index)], value));
  AssignLogged(index, {}, std::move(canonical), local, in_transaction);
  return {};
}

Status Settings::Reset(std::string_view name, bool local, bool in_transaction) {
  const int index = FindSetting(name);
  if (index < 0 && !IsCustomName(name)) return BadName(name);
  if (index >= 0) {
    const SettingDefinition& setting = SettingDefinitions()[static_cast<size_t>(index)];
    if (setting.context != SettingContext::kUser) return Canonicalize(setting, "").TakeStatus();
  }
  const std::string custom_name = index < 0 ? AsciiLower(name) : "";
  std::optional<std::string> value;
  for (const Override& startup : startup_) {
    if (startup.index == index && startup.custom_name == custom_name) value = startup.value;
  }
  AssignLogged(index, custom_name, std::move(value), local, in_transaction);
  return {};
}

void Settings::ResetAll(bool in_transaction) {
  std::vector<std::string> names;
  for (const Override& entry : overrides_) {
    names.push_back(entry.index >= 0
                        ? std::string(SettingDefinitions()[static_cast<size_t>(entry.index)].name)
                        : entry.custom_name);
  }
  // Every name in overrides_ is known and changeable.
  for (const std::string& name : names) static_cast<void>(Reset(name, false, in_transaction));
}

std::string Settings::Default(int index) const {
  const std::string_view name = SettingDefinitions()[static_cast<size_t>(index)].name;
  if (name == "session_authorization") return user_;
  if (name == "is_superuser") return superuser_ ? "on" : "off";
  return defaults_.texts[static_cast<size_t>(index)];
}

const Settings::Override* Settings::FindOverride(int index, std::string_view custom_name) const {
  for (const Override& entry : overrides_) {
    if (entry.index == index && entry.custom_name == custom_name) return &entry;
  }
  return nullptr;
}

std::string Settings::Value(int index) const {
  const Override* entry = FindOverride(index, {});
  return entry != nullptr ? entry->value : Default(index);
}

Result<std::string> Settings::Show(std::string_view name) const {
  const int index = FindSetting(name);
  if (index >= 0) return Value(index);
  const Override* entry = IsCustomName(name) ? FindOverride(kCustom, AsciiLower(name)) : nullptr;
  if (entry == nullptr) return Unrecognized(name);
  return entry->value;
}

Result<std::string> Settings::CanonicalName(std::string_view name) const {
  const int index = FindSetting(name);
  if (index >= 0) return std::string(SettingDefinitions()[static_cast<size_t>(index)].name);
  if (IsCustomName(name) && FindOverride(kCustom, AsciiLower(name)) != nullptr)
    return AsciiLower(name);
  return Unrecognized(name);
}

std::vector<Settings::Row> Settings::ShowAll() const {
  std::vector<Row> rows;
  for (size_t i = 0; i < SettingDefinitions().size(); ++i) {
    const SettingDefinition& setting = SettingDefinitions()[i];
    rows.push_back(
        {std::string(setting.name), Value(static_cast<int>(i)), std::string(setting.description)});
  }
  for (const Override& entry : overrides_) {
    if (entry.index == kCustom) rows.push_back({entry.custom_name, entry.value, ""});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return AsciiLower(a.name) < AsciiLower(b.name); });
  return rows;
}

void Settings::ReturnToDefaults() {
  overrides_.clear();
  startup_.clear();
  log_.clear();
  changed_.clear();
  current_ = defaults_.values;
  ++version_;
}

Status Settings::BeginClient(const std::vector<StartupParameter>& parameters) {
  ReturnToDefaults();
  Status status = ApplyStartup(parameters);
  if (!status.ok()) ReturnToDefaults();
  return status;
}

void Settings::ResumeClient(const ClientState& state) {
  ReturnToDefaults();
  for (const StartupParameter& parameter : state.startup) {
    const int index = FindSetting(parameter.name);
    startup_.push_back(
        {index < 0 ? kCustom : index, index < 0 ? parameter.name : std::string(), parameter.value});
  }
  for (const StartupParameter& setting : state.settings) {
    const int index = FindSetting(setting.name);
    Assign(index < 0 ? kCustom : index, index < 0 ? setting.name : std::string(), setting.value);
  }
  changed_.clear();  // the client knows them
}

void Settings::FillClientState(ClientState& state) const {
  const auto add = [](const std::vector<Override>& from, std::vector<StartupParameter>& to) {
    for (const Override& entry : from) {
      to.push_back({entry.index == kCustom
                        ? entry.custom_name
                        : std::string(SettingDefinitions()[static_cast<size_t>(entry.index)].name),
                    entry.value});
    }
    std::sort(to.begin(), to.end(),
              [](const StartupParameter& a, const StartupParameter& b) { return a.name < b.name; });
  };
  add(startup_, state.startup);
  add(overrides_, state.settings);
  state.idle_session_timeout_ms = current_.idle_session_timeout_ns / kNanosecondsPerMillisecond;
  state.time_zone = current_.time_zone->name();
}

void Settings::Assign(int index, std::string_view custom_name, std::optional<std::string> value) {
  ++version_;
  const std::string before = index == kCustom ? std::string() : Value(index);
  const auto at = std::find_if(overrides_.begin(), overrides_.end(), [&](const Override& entry) {
    return entry.index == index && entry.custom_name == custom_name;
  });
  if (!value) {
    if (at != overrides_.end()) overrides_.erase(at);
  } else if (at != overrides_.end()) {
    at->value = std::move(*value);
  } else {
    overrides_.push_back({index, std::string(custom_name), std::move(*value)});
  }
  if (index == kCustom) return;
  const SettingDefinition& setting = SettingDefinitions()[static_cast<size_t>(index)];
  ApplyTo(current_, setting, Value(index));
  const auto noted = [index](const Change& change) { return change.index == index; };
  if (setting.reported && Value(index) != before &&
      std::none_of(changed_.begin(), changed_.end(), noted)) {
    changed_.push_back({index, before});
  }
}

void Settings::AssignLogged(int index, const std::string& custom_name,
                            std::optional<std::string> value, bool local, bool in_transaction) {
  if (in_transaction) {
    const Override* entry = FindOverride(index, custom_name);
    log_.push_back({index, custom_name,
                    entry != nullptr ? std::optional<std::string>(entry->value) : std::nullopt,
                    value, local});
  }
  Assign(index, custom_name, std::move(value));
}

void Settings::RollBackTo(size_t mark) {
  while (log_.size() > mark) {
    LogEntry entry = std::move(log_.back());
    log_.pop_back();
    Assign(entry.index, entry.custom_name, std::move(entry.before));
  }
}

[[gnu::hot]] void Settings::AtEnd(bool committed) {
  if (log_.empty()) return;
  if (!committed) return RollBackTo(0);
  // A setting ends with what the last plain SET gave it, or with what it had before the first SET
  // LOCAL.
  for (size_t i = 0; i < log_.size(); ++i) {
    const auto same = [&](const LogEntry& other) {
      return other.index == log_[i].index && other.custom_name == log_[i].custom_name;
    };
    const auto first = std::find_if(log_.begin(), log_.end(), same);
    if (first != log_.begin() + static_cast<std::ptrdiff_t>(i)) continue;  // done already
    const auto last_plain = std::find_if(log_.rbegin(), log_.rend(), [&](const LogEntry& other) {
      return same(other) && !other.local;
    });
    Assign(log_[i].index, log_[i].custom_name,
           last_plain != log_.rend() ? last_plain->after : first->before);
  }
  log_.clear();
}

void Settings::ReportAll(ResultSink& sink) {
  for (size_t i = 0; i < SettingDefinitions().size(); ++i) {
    if (SettingDefinitions()[i].reported) {
      sink.ParameterStatus(SettingDefinitions()[i].name, Value(static_cast<int>(i)));
    }
  }
  changed_.clear();
}

void Settings::ReportChangesSlow(ResultSink& sink) {
  for (const Change& change : changed_) {
    const std::string value = Value(change.index);
    if (value == change.told) continue;  // changed, and changed back
    sink.ParameterStatus(SettingDefinitions()[static_cast<size_t>(change.index)].name, value);
  }
  changed_.clear();
}

}  // namespace connbench::engine
