// How a running contender is really configured.
#include "harness/suite/effective_settings.h"

#include <map>
#include <optional>
#include <string_view>

#include "harness/load/sql_client.h"
#include "harness/suite/rehearsal.h"
#include "models/settings.h"

namespace connbench::suite {
namespace {

// In the units that SHOW prints.
constexpr std::string_view kPostgresSettings =
    "SELECT name, current_setting(name), coalesce(boot_val, '') || coalesce(' ' || unit, '') "
    "FROM pg_settings WHERE setting IS DISTINCT FROM boot_val "
    "AND context <> 'internal' ORDER BY name";

// Parameters that only say where the server's files and sockets were, which is another place in
// each trial.
bool IsPlace(std::string_view name) {
  static constexpr std::string_view kPlaces[] = {
      "data_directory", "listen_port", "port",    "unix_socket_directories",
      "conffile",       "pidfile",     "logfile", "unix_socket_dir"};
  for (const std::string_view place : kPlaces) {
    if (name == place) return true;
  }
  return name.ends_with("_file");
}

std::string Text(const std::vector<std::optional<std::string>>& row, size_t column) {
  return column < row.size() ? row[column].value_or("") : "";
}

// Rows of name, value and default.
std::vector<EffectiveSetting> Ask(const load::Endpoint& endpoint, std::string_view sql,
                                  const std::string& part,
                                  const std::map<std::string, std::string>* defaults) {
  std::vector<EffectiveSetting> settings;
  const auto client = load::SqlClient::Connect(endpoint);
  if (!client.ok()) return settings;
  const auto result = (*client)->Query(sql);
  if (!result.ok()) return settings;
  for (const auto& row : result->rows) {
    EffectiveSetting setting{part, Text(row, 0), Text(row, 1), Text(row, 2)};
    if (defaults != nullptr) {
      const auto known = defaults->find(setting.name);
      if (known == defaults->end()) continue;  // a session's own, as every session has it
      setting.preset = known->second;
    }
    if (setting.value == setting.preset || IsPlace(setting.name)) continue;
    settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace

std::vector<EffectiveSetting> ReadEffectiveSettings(const targets::Target& target, bool built_in,
                                                    bool pooled) {
  std::vector<EffectiveSetting> settings;
  if (built_in) {
    std::map<std::string, std::string> defaults;
    for (const engine::SettingDescription& setting : models::DescribeSettings({})) {
      defaults.emplace(setting.name, setting.value);
    }
    settings = Ask(target.setup_endpoint(), "SHOW ALL", "server", &defaults);
  } else {
    settings = Ask(target.setup_endpoint(), kPostgresSettings, "server", nullptr);
  }
  if (pooled) {
    load::Endpoint console = target.endpoint();
    console.database = "pgbouncer";
    const auto pooler = Ask(console, "SHOW CONFIG", "pgbouncer", nullptr);
    settings.insert(settings.end(), pooler.begin(), pooler.end());
  }
  return settings;
}

}  // namespace connbench::suite
