// A suite file: what to measure, as TOML.
#include "harness/suite/suite_file.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <map>
#include <span>

#include "base/near_names.h"
#include "base/read_file.h"
#include "base/units.h"
#include "harness/targets/target_list.h"
#include "harness/workload/file_key.h"
#include "harness/workload/name.h"
#include "harness/workload/parameter.h"
#include "harness/workload/workload.h"
#include "models/model_list.h"
#include "results/schema.h"

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;

constexpr load::FileKey kKeys[] = {
#define CONNBENCH_FILE_KEY(table, name, form, preset, help) {table, name, form, preset, help},
#include "harness/suite/suite_keys.def"
#undef CONNBENCH_FILE_KEY
};

bool IsPath(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(".toml");
}

// Walks the parsed file; the first error stops it.
class SuiteReader {
 public:
  explicit SuiteReader(const std::string& file_name) : file_name_(file_name) {}

  Result<Suite> Read(const toml::table& root) {
    Suite suite;
    CONNBENCH_RETURN_IF_ERROR(CheckKeys(root, "suite"));
    CONNBENCH_RETURN_IF_ERROR(ReadText(root, "name", suite.name));
    if (const toml::node* node = root.get("name"); node != nullptr) {
      const Status named = load::CheckName(suite.name, "suite");
      if (!named.ok()) return Bad(*node, named.error().message).WithHint(named.error().hint);
    }
    CONNBENCH_RETURN_IF_ERROR(ReadText(root, "description", suite.description));
    int64_t repetitions = suite.repetitions;
    CONNBENCH_RETURN_IF_ERROR(ReadInteger(root, "repetitions", 1, kMaxRepetitions, repetitions));
    suite.repetitions = static_cast<int>(repetitions);
    int64_t seed = 1;
    CONNBENCH_RETURN_IF_ERROR(ReadInteger(root, "seed", 0, INT64_MAX, seed));
    suite.seed = static_cast<uint64_t>(seed);
    CONNBENCH_RETURN_IF_ERROR(ReadModels(root, suite.models));
    CONNBENCH_RETURN_IF_ERROR(ReadTargets(root, suite.targets));
    CONNBENCH_RETURN_IF_ERROR(ReadNames(root, "needs", suite.needs));
    std::vector<SettingAxis> settings;
    CONNBENCH_RETURN_IF_ERROR(ReadSettings(root, settings));
    for (SettingAxis& setting : settings) {
      if (setting.values.size() != 1) {
        return Bad(*root.get("set"), fmt::format("{} of the suite takes one value; a list belongs "
                                                 "into [experiment.set]",
                                                 setting.name));
      }
      suite.settings.emplace_back(setting.name, setting.values[0]);
    }
    CONNBENCH_RETURN_IF_ERROR(ReadUntil(root, suite.until));
    CONNBENCH_RETURN_IF_ERROR(ReadCrossover(root, suite.crossover));
    if (!suite.crossover) CONNBENCH_RETURN_IF_ERROR(ReadExperiments(root, suite.experiments));
    return suite;
  }

  Status Bad(const toml::source_region& at, const std::string& what) const {
    return Status::Error(sqlstate::kSyntaxError, fmt::format("{}:{}:{}: {}", file_name_,
                                                             at.begin.line, at.begin.column, what));
  }

 private:
  Status Bad(const toml::node& node, const std::string& what) const {
    return Bad(node.source(), what);
  }

  // Keys that are no row of that table of suite_keys.def.
  Status CheckKeys(const toml::table& table, std::string_view what) const {
    const std::vector<std::string_view> known = load::NamesOfTable(kKeys, what);
    for (const auto& [key, value] : table) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      return Bad(key.source(), fmt::format("unknown key \"{}\" in the {}", key.str(), what))
          .WithHint(SuggestNames(key.str(), known));
    }
    return Status::Ok();
  }

  Status ReadText(const toml::table& table, std::string_view key, std::string& value) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return Status::Ok();
    if (!node->is_string()) return Bad(*node, fmt::format("{} must be a text in quotes", key));
    value = node->as_string()->get();
    return Status::Ok();
  }

  Status CheckInteger(const toml::node& node, std::string_view key, int64_t lowest, int64_t highest,
                      int64_t& value) const {
    if (!node.is_integer()) return Bad(node, fmt::format("{} must be a whole number", key));
    value = node.as_integer()->get();
    if (value < lowest || value > highest) {
      return Bad(node, fmt::format("{} is {}, must be from {} to {}", key, value, lowest, highest));
    }
    return Status::Ok();
  }

  Status ReadInteger(const toml::table& table, std::string_view key, int64_t lowest,
                     int64_t highest, int64_t& value) const {
    const toml::node* node = table.get(key);
    return node == nullptr ? Status::Ok() : CheckInteger(*node, key, lowest, highest, value);
  }

  Status ReadDuration(const toml::table& table, std::string_view key,
                      std::optional<int64_t>& value) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return Status::Ok();
    std::string text;
    CONNBENCH_RETURN_IF_ERROR(ReadText(table, key, text));
    const Result<int64_t> duration = ParseDurationNs(text);
    if (!duration.ok()) {
      return Bad(*node, fmt::format("{}: {}", key, duration.status().error().message));
    }
    value = *duration;
    return Status::Ok();
  }

  // A list of numbers or a single one.
  Status ReadCounts(const toml::table& table, std::string_view key,
                    std::vector<int>& values) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return Status::Ok();
    const auto add = [&](const toml::node& item) {
      int64_t value = 0;
      CONNBENCH_RETURN_IF_ERROR(CheckInteger(item, key, 1, kMaxConnections, value));
      values.push_back(static_cast<int>(value));
      return Status::Ok();
    };
    if (!node->is_array()) return add(*node);
    CONNBENCH_RETURN_IF_ERROR(CheckValues(*node->as_array(), key));
    for (const toml::node& item : *node->as_array()) CONNBENCH_RETURN_IF_ERROR(add(item));
    return Status::Ok();
  }

  Status CheckValues(const toml::array& array, std::string_view key) const {
    if (array.empty()) return Bad(array, fmt::format("{} is empty", key));
    if (array.size() > kMaxAxisValues) {
      return Bad(array, fmt::format("{} has more than {} values", key, kMaxAxisValues));
    }
    std::vector<std::string> seen;
    for (const toml::node& item : array) {
      const auto number = item.value_exact<int64_t>();
      const auto text = number ? fmt::format("{}", *number) : item.value_exact<std::string>();
      if (!text) continue;  // the reader of the values says what is wrong, or it is on or off
      if (std::ranges::find(seen, *text) != seen.end()) {
        return Bad(item, fmt::format("{} has {} twice", key, *text));
      }
      seen.push_back(*text);
    }
    return Status::Ok();
  }

  Status ReadNames(const toml::table& table, std::string_view key,
                   std::vector<std::string>& names) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return Status::Ok();
    if (!node->is_array()) return Bad(*node, fmt::format("{} must be a list of names", key));
    CONNBENCH_RETURN_IF_ERROR(CheckValues(*node->as_array(), key));
    for (const toml::node& item : *node->as_array()) {
      if (!item.is_string()) return Bad(item, fmt::format("{} are texts in quotes", key));
      names.push_back(item.as_string()->get());
    }
    return Status::Ok();
  }

  // Says which item of the list is wrong.
  Status BadItem(const toml::table& table, std::string_view key, size_t item,
                 const Status& status) const {
    return Bad(*table.get(key)->as_array()->get(item), status.error().message)
        .WithHint(status.error().hint);
  }

  Status ReadModels(const toml::table& table, std::vector<std::string>& models) const {
    CONNBENCH_RETURN_IF_ERROR(ReadNames(table, "models", models));
    for (size_t i = 0; i < models.size(); ++i) {
      const auto model = models::FindModel(models[i]);
      if (!model.ok()) return BadItem(table, "models", i, model.status());
    }
    return Status::Ok();
  }

  Status ReadTargets(const toml::table& table, std::vector<std::string>& targets) const {
    CONNBENCH_RETURN_IF_ERROR(ReadNames(table, "targets", targets));
    for (size_t i = 0; i < targets.size(); ++i) {
      const std::string file = targets::FileOfTarget(targets[i]);
      if (!file.empty()) targets[i] = targets::TargetWithFile(targets[i], BesideFile(file));
      const auto target = targets::FindTarget(targets[i]);
      if (!target.ok()) return BadItem(table, "targets", i, target.status());
    }
    return Status::Ok();
  }

  Status ReadProtocol(const toml::table& table, std::optional<load::ProtocolMode>& protocol) const {
    std::string name;
    CONNBENCH_RETURN_IF_ERROR(ReadText(table, "protocol", name));
    if (!table.contains("protocol")) return Status::Ok();
    protocol = load::ProtocolModeByName(name);
    if (protocol) return Status::Ok();
    return Bad(*table.get("protocol"), fmt::format("protocol cannot be \"{}\"", name))
        .WithHint("It is simple, extended or prepared.");
  }

  // A path relative to the suite's file.
  std::string BesideFile(const std::string& path) const {
    return fs::absolute(fs::path(file_name_).parent_path() / path).lexically_normal().string();
  }

  Status AddSettingValue(const toml::node& node, SettingAxis& setting) const {
    std::string value;
    if (node.is_string()) {
      value = node.as_string()->get();
      // The server does not know where the suite lies.
      if (targets::NamesFile(setting.name) && !value.empty()) value = BesideFile(value);
    } else if (node.is_integer()) {
      value = fmt::format("{}", node.as_integer()->get());
    } else if (node.is_boolean()) {
      value = node.as_boolean()->get() ? "on" : "off";
    } else {
      return Bad(node,
                 fmt::format("{} must be a text, a whole number, true or false", setting.name));
    }
    const Status status = targets::CheckSetting(setting.name, value);
    if (!status.ok()) return Bad(node, status.error().message).WithHint(status.error().hint);
    setting.values.push_back(std::move(value));
    return Status::Ok();
  }

  Status ReadSettings(const toml::table& table, std::vector<SettingAxis>& settings) const {
    const toml::node* node = table.get("set");
    return node == nullptr ? Status::Ok() : AddSettings(*node, "", settings);
  }

  // A table within the table holds the settings of one part of a target, one within that those of
  // PgBouncer's pools: [set.pgbouncer] pool.pool_size = 5.
  Status AddSettings(const toml::node& node, const std::string& prefix,
                     std::vector<SettingAxis>& settings) const {
    if (!node.is_table()) return Bad(node, "set must be a table: [set] with name = value lines");
    for (const auto& [key, value] : *node.as_table()) {
      SettingAxis setting{prefix + std::string(key.str()), {}};
      if (value.is_table() && (prefix.empty() || setting.name == "pgbouncer.pool")) {
        CONNBENCH_RETURN_IF_ERROR(AddSettings(value, setting.name + ".", settings));
        continue;
      }
      if (value.is_array()) {
        CONNBENCH_RETURN_IF_ERROR(CheckValues(*value.as_array(), setting.name));
        for (const toml::node& item : *value.as_array()) {
          CONNBENCH_RETURN_IF_ERROR(AddSettingValue(item, setting));
        }
      } else {
        CONNBENCH_RETURN_IF_ERROR(AddSettingValue(value, setting));
      }
      CONNBENCH_RETURN_IF_ERROR(CheckDifferent(value, setting));
      settings.push_back(std::move(setting));
    }
    return Status::Ok();
  }

  // Values that mean the same in other words ("1MB" and "1024kB") would be one cell measured twice.
  Status CheckDifferent(const toml::node& node, const SettingAxis& setting) const {
    std::map<std::string, std::string> written;  // by what the servers make of it
    for (const std::string& value : setting.values) {
      const auto [other, added] = written.emplace(targets::MeaningOf(setting.name, value), value);
      if (added) continue;
      return Bad(node, fmt::format("{}: {} and {} are the same value", setting.name, other->second,
                                   value));
    }
    return Status::Ok();
  }

  // A number, whole or not.
  Status ReadReal(const toml::table& table, std::string_view key, double lowest, double highest,
                  double& value) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return Status::Ok();
    const auto number = node->value<double>();
    if (!node->is_number() || !number || !(*number >= lowest && *number <= highest)) {
      return Bad(*node, fmt::format("{} must be a number from {} to {}", key, lowest, highest));
    }
    value = *number;
    return Status::Ok();
  }

  Status ReadMetric(const toml::table& table, std::string& metric) const {
    CONNBENCH_RETURN_IF_ERROR(ReadText(table, "metric", metric));
    if (!table.contains("metric")) return Status::Ok();
    const auto* field = results::FindField<results::TrialRow>(metric);
    if (field != nullptr && field->column.better() != results::Better::kNeither) {
      return Status::Ok();
    }
    std::vector<std::string_view> known;
    for (const auto& each : results::Fields<results::TrialRow>()) {
      if (each.column.better() != results::Better::kNeither) known.push_back(each.column.name);
    }
    return Bad(*table.get("metric"), fmt::format("there is no metric \"{}\"", metric))
        .WithHint(SuggestNames(metric, known));
  }

  Status ReadUntil(const toml::table& table, std::optional<Until>& until) const {
    const toml::node* node = table.get("until");
    if (node == nullptr) return Status::Ok();
    if (!node->is_table()) {
      return Bad(*node, "until must be { interval = 0.05, max_repetitions = 20 }");
    }
    const toml::table& values = *node->as_table();
    CONNBENCH_RETURN_IF_ERROR(CheckKeys(values, "until"));
    Until read;
    CONNBENCH_RETURN_IF_ERROR(ReadMetric(values, read.metric));
    CONNBENCH_RETURN_IF_ERROR(ReadReal(values, "interval", 0.001, 1, read.interval));
    int64_t most = read.max_repetitions;
    CONNBENCH_RETURN_IF_ERROR(ReadInteger(values, "max_repetitions", 1, kMaxRepetitions, most));
    read.max_repetitions = static_cast<int>(most);
    until = std::move(read);
    return Status::Ok();
  }

  Status AddParameter(std::string name, const toml::node& values,
                      std::vector<SettingAxis>& parameters) const {
    SettingAxis axis{std::move(name), {}};
    const auto add = [&](const toml::node& item) {
      std::string value;
      if (item.is_string()) {
        value = item.as_string()->get();
      } else if (item.is_integer()) {
        value = fmt::format("{}", item.as_integer()->get());
      } else {
        return Bad(item, fmt::format("{} must be a whole number or a text", axis.name));
      }
      load::Workload scratch;
      Status status = load::SetParameter(scratch, axis.name, value);
      if (!status.ok()) return Bad(item, status.error().message).WithHint(status.error().hint);
      axis.values.push_back(std::move(value));
      return Status::Ok();
    };
    if (values.is_array()) {
      CONNBENCH_RETURN_IF_ERROR(CheckValues(*values.as_array(), axis.name));
      for (const toml::node& item : *values.as_array()) CONNBENCH_RETURN_IF_ERROR(add(item));
    } else {
      CONNBENCH_RETURN_IF_ERROR(add(values));
    }
    parameters.push_back(std::move(axis));
    return Status::Ok();
  }

  Status ReadParameters(const toml::table& table, std::vector<SettingAxis>& parameters) const {
    const toml::node* node = table.get("vary");
    if (node == nullptr) return Status::Ok();
    if (!node->is_table()) {
      return Bad(*node, "vary must be a table: [experiment.vary] with name = [values] lines");
    }
    for (const auto& [key, value] : *node->as_table()) {
      CONNBENCH_RETURN_IF_ERROR(AddParameter(std::string(key.str()), value, parameters));
    }
    return Status::Ok();
  }

  Status ReadCrossover(const toml::table& root, std::optional<Crossover>& crossover) const {
    const toml::node* node = root.get("crossover");
    if (node == nullptr) return Status::Ok();
    if (!node->is_table()) return Bad(*node, "crossover must be a table");
    if (root.contains("experiment")) {
      return Bad(*node, "a suite has either a [crossover] or [[experiment]]s, not both");
    }
    const toml::table& table = *node->as_table();
    CONNBENCH_RETURN_IF_ERROR(CheckKeys(table, "crossover"));
    Crossover read;
    CONNBENCH_RETURN_IF_ERROR(ReadCommon(table, "crossover", read.experiment));
    if (read.experiment.connections.size() > 1) {
      return Bad(*table.get("connections"), "a crossover is looked for at one connection count");
    }
    std::vector<std::string> models;
    CONNBENCH_RETURN_IF_ERROR(ReadModels(table, models));
    if (models.size() != 2 || models[0] == models[1]) {
      return Bad(table, "a crossover is between two models: models = [\"base\", \"candidate\"]");
    }
    read.base = models[0];
    read.candidate = models[1];
    CONNBENCH_RETURN_IF_ERROR(ReadText(table, "parameter", read.parameter));
    CONNBENCH_RETURN_IF_ERROR(ReadMetric(table, read.metric));
    CONNBENCH_RETURN_IF_ERROR(ReadInteger(table, "from", 1, INT64_C(1'000'000'000), read.from));
    CONNBENCH_RETURN_IF_ERROR(ReadInteger(table, "to", 1, INT64_C(1'000'000'000), read.to));
    if (read.to <= read.from) return Bad(table, "to must be above from");
    int64_t repetitions = read.repetitions;
    CONNBENCH_RETURN_IF_ERROR(ReadInteger(table, "repetitions", 3, kMaxRepetitions, repetitions));
    read.repetitions = static_cast<int>(repetitions);
    int64_t most = std::max<int64_t>(read.max_repetitions, repetitions);
    CONNBENCH_RETURN_IF_ERROR(
        ReadInteger(table, "max_repetitions", repetitions, kMaxRepetitions, most));
    read.max_repetitions = static_cast<int>(most);
    CONNBENCH_RETURN_IF_ERROR(ReadReal(table, "resolution", 1.01, 10, read.resolution));
    load::Workload scratch;
    for (const int64_t end : {read.from, read.to}) {
      const Status status = load::SetParameter(scratch, read.parameter, fmt::format("{}", end));
      if (!status.ok()) return Bad(table, status.error().message).WithHint(status.error().hint);
    }
    crossover = std::move(read);
    return Status::Ok();
  }

  // A path that the suite names is relative to its file; a name stays what it is.
  std::string RelativeToFile(const std::string& name) const {
    if (!IsPath(name)) return name;
    return (fs::path(file_name_).parent_path() / name).lexically_normal().string();
  }

  // What an experiment and a crossover share.
  Status ReadCommon(const toml::table& table, const char* what, Experiment& experiment) const {
    experiment.where =
        fmt::format("{}:{}:{}", file_name_, table.source().begin.line, table.source().begin.column);
    CONNBENCH_RETURN_IF_ERROR(ReadText(table, "workload", experiment.workload));
    if (experiment.workload.empty()) {
      return Bad(table, fmt::format("{} needs a workload = \"name\"", what));
    }
    experiment.workload = RelativeToFile(experiment.workload);
    CONNBENCH_RETURN_IF_ERROR(ReadCounts(table, "connections", experiment.connections));
    CONNBENCH_RETURN_IF_ERROR(ReadDuration(table, "duration", experiment.duration_ns));
    if (experiment.duration_ns == 0) {
      return Bad(*table.get("duration"), "duration: a measured window of 0 s measures nothing");
    }
    CONNBENCH_RETURN_IF_ERROR(ReadDuration(table, "warmup", experiment.warmup_ns));
    return ReadSettings(table, experiment.settings);
  }

  Status ReadExperiments(const toml::table& root, std::vector<Experiment>& experiments) const {
    const toml::node* node = root.get("experiment");
    if (node == nullptr || !node->is_array_of_tables()) {
      return Bad(node == nullptr ? root : *node, "a suite needs at least one [[experiment]]");
    }
    const toml::array& tables = *node->as_array();
    if (tables.size() > kMaxExperiments) {
      return Bad(tables, fmt::format("more than {} experiments", kMaxExperiments));
    }
    for (const toml::node& item : tables) {
      const toml::table& table = *item.as_table();
      Experiment experiment;
      CONNBENCH_RETURN_IF_ERROR(CheckKeys(table, "experiment"));
      CONNBENCH_RETURN_IF_ERROR(ReadCommon(table, "an experiment", experiment));
      CONNBENCH_RETURN_IF_ERROR(ReadCounts(table, "ladder", experiment.ladder));
      CONNBENCH_RETURN_IF_ERROR(ReadModels(table, experiment.models));
      CONNBENCH_RETURN_IF_ERROR(ReadTargets(table, experiment.targets));
      CONNBENCH_RETURN_IF_ERROR(ReadProtocol(table, experiment.protocol));
      if (table.contains("repetitions")) {
        int64_t repetitions = 0;
        CONNBENCH_RETURN_IF_ERROR(
            ReadInteger(table, "repetitions", 1, kMaxRepetitions, repetitions));
        experiment.repetitions = static_cast<int>(repetitions);
      }
      CONNBENCH_RETURN_IF_ERROR(ReadUntil(table, experiment.until));
      CONNBENCH_RETURN_IF_ERROR(ReadParameters(table, experiment.parameters));
      experiments.push_back(std::move(experiment));
    }
    return Status::Ok();
  }

  const std::string& file_name_;
};

fs::path SuiteFolder() { return fs::path(load::WorkloadFolder()) / "suites"; }

bool IsShipped(const std::string& name) {
  std::error_code ignored;
  return fs::exists(SuiteFolder() / (name + ".toml"), ignored);
}

std::vector<std::string> SuiteNames() {
  std::vector<std::string> names;
  std::error_code ignored;
  // Those in a folder within it have its name before them: "claims/reconnect-per-request".
  const fs::path root = SuiteFolder();
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, ignored)) {
    if (entry.path().extension() != ".toml") continue;
    names.push_back(entry.path().lexically_relative(root).replace_extension().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::span<const load::FileKey> SuiteFileKeys() { return kKeys; }

Result<Suite> ParseSuite(std::string_view text, const std::string& file_name) {
  SuiteReader reader(file_name);
  toml::table root;
  try {
    root = toml::parse(text, std::string_view(file_name));
  } catch (const toml::parse_error& error) {
    return reader.Bad(error.source(), std::string(error.description()));
  }
  Result<Suite> suite = reader.Read(root);
  if (suite.ok() && suite->name.empty()) {
    suite->name = fs::path(file_name).stem().string();
    CONNBENCH_RETURN_IF_ERROR(load::CheckName(suite->name, "suite"));
  }
  return suite;
}

Result<Suite> LoadSuite(const std::string& path) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("suite file", path));
  Result<Suite> suite = ParseSuite(text, path);
  if (suite.ok()) {
    suite->path = path;
    suite->text = text;
  }
  return suite;
}

bool SuiteExists(const std::string& name) { return IsPath(name) || IsShipped(name); }

Result<Suite> FindSuite(const std::string& name) {
  std::error_code ignored;
  // A file of the user's own comes before one of ours in a folder of that name.
  if (IsPath(name) && (fs::exists(name, ignored) || !IsShipped(name))) return LoadSuite(name);
  if (IsShipped(name)) return LoadSuite((SuiteFolder() / (name + ".toml")).string());
  const std::vector<std::string> names = SuiteNames();
  const std::vector<std::string_view> known(names.begin(), names.end());
  return Status::Error(sqlstate::kUndefinedObject, fmt::format("there is no suite \"{}\"", name))
      .WithHint(SuggestNames(name, known));
}

SuiteList ListSuites() {
  SuiteList list;
  for (const std::string& name : SuiteNames()) {
    Result<Suite> suite = FindSuite(name);
    if (suite.ok()) {
      suite->found_as = name;
      list.suites.push_back(std::move(*suite));
    } else {
      list.errors.push_back(suite.TakeStatus());
    }
  }
  return list;
}

}  // namespace connbench::suite
