// The definitions of all settings a session knows: constant data, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace connbench::engine {

enum class SettingKind : uint8_t { kBool, kInteger, kReal, kString, kEnum };
enum class SettingContext : uint8_t {
  kUser,        // SET works
  kPostmaster,  // fixed when the server starts
  kInternal,    // never changes
};

struct SettingDefinition {
  std::string_view name;
  SettingKind kind;
  std::string_view unit;  // "", "ms", "s", "kB", "8kB"
  // "" for those whose value comes from the engine's configuration or the connection.
  std::string_view default_value;
  double min;
  double max;
  SettingContext context;
  bool reported;                 // sent to the client as ParameterStatus
  std::string_view enum_values;  // "a|b|c"
  std::string_view description;
};

std::span<const SettingDefinition> SettingDefinitions();
// Index into SettingDefinitions(), in any case; -1: no such setting.
int FindSetting(std::string_view name);

// Checks a value of a bool, integer, real or enum setting and prints it as SHOW does.
Result<std::string> CanonicalValue(const SettingDefinition& setting, std::string_view value);
// A canonical integer setting's value in its unit ("1min" of a ms setting: 60000).
int64_t IntegerValue(const SettingDefinition& setting, std::string_view canonical);
double RealValue(const SettingDefinition& setting, std::string_view canonical);
// "65536" of a kB setting as "64MB".
std::string PrintWithUnit(int64_t number, std::string_view unit);

// The severities that client_min_messages compares, mildest first.
enum NoticeLevel : int { kDebug = 0, kLog, kNotice, kWarning, kError };

}  // namespace connbench::engine
