// The kinds of target there are, made from targets.def, and targets by their name.
#include "harness/targets/target_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/cpu_list.h"
#include "base/near_names.h"
#include "harness/targets/target_file.h"
#include "harness/targets/target_kinds.h"
#include "harness/targets/trial_security.h"
#include "models/model_list.h"
#include "models/settings.h"

namespace connbench::targets {
namespace {

constexpr TargetKind kKinds[] = {
#define CONNBENCH_TARGET(name, form, summary, packages) \
  {form, summary, packages, Parse##name##Target, Make##name##Target},
#include "harness/targets/targets.def"
#undef CONNBENCH_TARGET
};

constexpr std::string_view kParts[] = {"postgres", "pgbouncer", "target", "dsn"};

// "pgbouncer" of "pgbouncer.pool_mode"; empty for a plain name.
std::string_view PartOf(std::string_view name) {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

// Of our servers; those of other servers end in this.
constexpr std::string_view kFileSettings[] = {"hba_file", "pwfile", "ssl_cert_file",
                                              "ssl_key_file"};
constexpr std::string_view kFileEnding = "_file";

// Of PostgreSQL: the way of the load to it, and what follows from the load.
constexpr std::string_view kHarnessSettings[] = {
    "port",        "listen_addresses",  "unix_socket_directories", "data_directory",
    "config_file", "external_pid_file", "max_connections",
};

Status CheckTransport(std::string_view value) {
  if (value == "tcp" || value == "unix") return Status::Ok();
  return Status::Error(
             sqlstate::kInvalidParameterValue,
             fmt::format("invalid value for parameter \"{}\": \"{}\"", kTransportSetting, value))
      .WithHint("Expected tcp or unix.");
}

Status CheckData(const std::string& value) {
  if (!KeepsData(value) || DataParent(value).empty()) return Status::Ok();
  std::error_code error;
  if (value.front() == '/' && std::filesystem::is_directory(value, error)) return Status::Ok();
  return Status::Error(
             sqlstate::kInvalidParameterValue,
             fmt::format("invalid value for parameter \"{}\": \"{}\"", kDataSetting, value))
      .WithHint("Expected memory, temporary, or the whole path of a folder that exists.");
}

// The load is pinned when it starts; what would fail there is said before the first trial.
Status CheckClientCpus(std::string_view value) {
  if (value.empty()) return Status::Ok();
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<int> cpus, ParseCpuList(value));
  const std::vector<int> allowed = AllowedCpus();
  if (std::includes(allowed.begin(), allowed.end(), cpus.begin(), cpus.end())) return Status::Ok();
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("{}: the load may run on CPUs {} here, not on {}",
                                   kClientCpuSetting, FormatCpuList(allowed), value));
}

// As a PostgreSQL parameter may be called, an extension's prefix included. The server itself says
// whether it knows it, before the first trial.
bool IsParameterName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  });
}

}  // namespace

bool KeepsData(std::string_view data) { return !data.empty() && data != "memory"; }

std::string DataParent(std::string_view data) {
  return data == "temporary" ? std::string() : std::string(data);
}

std::span<const TargetKind> AllTargetKinds() { return kKinds; }

std::string CellText(std::string text) {
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

Result<TargetName> FindTarget(const std::string& text) {
  for (const TargetKind& kind : kKinds) {
    CONNBENCH_ASSIGN_OR_RETURN(std::optional<TargetName> name, kind.parse(text));
    if (name) return std::move(*name);
  }
  std::vector<std::string_view> known = {"postgres", "pgbouncer+postgres", "dsn:CONNINFO"};
  const std::vector<std::string> described = TargetFileNames();
  known.insert(known.end(), described.begin(), described.end());
  for (const models::ModelDescription& model : models::AllModels()) known.push_back(model.name);
  return Status::Error(sqlstate::kUndefinedObject, fmt::format("there is no target \"{}\"", text))
      .WithHint(SuggestNames(text, known));
}

std::unique_ptr<Target> MakeTarget(const TargetRequest& request, TargetEnvironment& environment) {
  for (const TargetKind& kind : kKinds) {
    const auto name = kind.parse(request.name.text);
    if (name.ok() && *name) return kind.make(request, environment);
  }
  return nullptr;  // not a name that FindTarget() returns
}

bool NamesFile(std::string_view setting) {
  const std::string_view part = PartOf(setting);
  return part.empty() ? Contains(kFileSettings, setting) : setting.ends_with(kFileEnding);
}

void ForEachFile(Settings& settings, const std::function<void(std::string& path)>& move) {
  for (auto& [name, value] : settings) {
    if (NamesFile(name) && !value.empty()) move(value);
  }
}

Status CheckSetting(const std::string& name, const std::string& value) {
  const std::string_view part = PartOf(name);
  if (part.empty()) {
    if (name == kAuthenticationSetting) return CheckAuthentication(value);
    if (name == kTransportSetting) return CheckTransport(value);
    if (name == kDataSetting) return CheckData(value);
    if (name == kClientCpuSetting) return CheckClientCpus(value);
    models::ServerSettings scratch;
    return models::ApplySetting(scratch, name, value);
  }
  const std::string_view rest = std::string_view(name).substr(part.size() + 1);
  if (part == "pgbouncer") return CheckPgbouncerSetting(rest, value);
  // What a target's file has is known when the target is.
  if (part == "target") return Status::Ok();
  if (part == "dsn") return CheckDsnSetting(rest, value);
  if (part == "postgres" && Contains(kHarnessSettings, rest)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("postgres.{} is set by the harness", rest))
        .WithHint(rest == "max_connections"
                      ? "max_connections, without a prefix, sets it for every server."
                      : "Where PostgreSQL listens and keeps its files is decided for each trial.");
  }
  if (part == "postgres" && IsParameterName(rest)) return Status::Ok();
  if (part == "postgres") {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("\"{}\" is no name of a PostgreSQL parameter", rest));
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("no part of a target is called \"{}\"", part))
      .WithHint(SuggestNames(part, kParts));
}

Settings ConcernedSettings(const std::vector<std::string>& parts, const Settings& settings) {
  Settings concerned;
  for (const auto& setting : settings) {
    const std::string_view part = PartOf(setting.first);
    // What a client's way to the server is made of. A pooler has its own ways to authenticate and
    // encrypt, on both of its sides.
    const bool way = setting.first == kAuthenticationSetting || setting.first == "ssl" ||
                     setting.first == kTransportSetting;
    if (way && (Contains(parts, "pgbouncer") || Contains(parts, "target"))) continue;
    const bool concerns =
        setting.first == kClientCpuSetting ? true
        : part.empty()                     ? Contains(parts, "builtin") ||
                             (Contains(parts, "postgres") && PostgresHasSetting(setting.first))
                       : Contains(parts, part);
    if (concerns) concerned.push_back(setting);
  }
  return concerned;
}

std::string MeaningOf(const std::string& name, const std::string& value) {
  if (!PartOf(name).empty()) return value;
  models::ServerSettings applied;
  if (!models::ApplySetting(applied, name, value).ok()) return value;
  for (const engine::SettingDescription& row : models::DescribeSettings(applied)) {
    if (row.name == name) return row.value;
  }
  return value;
}

std::string ValueOf(const Settings& settings, std::string_view name) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const auto& setting) { return setting.first == name; });
  return found == settings.end() ? std::string() : found->second;
}

Settings SettingsOfPart(std::string_view part, const Settings& settings) {
  Settings found;
  for (const auto& [name, value] : settings) {
    if (PartOf(name) == part) found.emplace_back(name.substr(part.size() + 1), value);
  }
  return found;
}

Settings PlainSettings(const Settings& settings) {
  Settings found;
  for (const auto& setting : settings) {
    if (setting.first == kClientCpuSetting) continue;
    if (PartOf(setting.first).empty()) found.push_back(setting);
  }
  return found;
}

}  // namespace connbench::targets
