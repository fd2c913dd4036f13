// Reads a workload file; its form is in workload.h.
#include <fmt/format.h>

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "base/near_names.h"
#include "base/read_file.h"
#include "base/units.h"
#include "harness/script/script.h"
#include "harness/workload/file_key.h"
#include "harness/workload/name.h"
#include "harness/workload/workload.h"

namespace connbench::load {
namespace {

constexpr FileKey kKeys[] = {
#define CONNBENCH_FILE_KEY(table, name, form, preset, help) {table, name, form, preset, help},
#include "harness/workload/workload_keys.def"
#undef CONNBENCH_FILE_KEY
};
constexpr size_t kMaxGroups = 16;
constexpr double kMaxMultiplier = 100;
constexpr int64_t kMaxQueueLimit = 1'000'000'000;

// Reads the table of one file; the first error is kept.
class Reader {
 public:
  Reader(std::string path, const toml::table& table) : path_(std::move(path)), table_(table) {}

  Result<Workload> Read();
  // A [[group]] of it.
  Result<ClientGroup> ReadGroup();

 private:
  Status Fail(const toml::node& node, std::string message, std::string hint = {}) const {
    const toml::source_position& at = node.source().begin;
    Status status = Status::Error(sqlstate::kInvalidParameterValue,
                                  fmt::format("{}:{}:{}: {}", path_, at.line, at.column, message));
    if (!hint.empty()) status = std::move(status).WithHint(std::move(hint));
    return status;
  }
  std::string Sibling(const std::string& file) const {
    return (std::filesystem::path(path_).parent_path() / file).string();
  }

  Status String(std::string_view key, std::string& value) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Status::Ok();
    const auto* text = node->as_string();
    if (text == nullptr) return Fail(*node, fmt::format("{} must be a text", key));
    value = text->get();
    return Status::Ok();
  }
  Status Integer(std::string_view key, int64_t low, int64_t high, int64_t& value) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Status::Ok();
    const auto* number = node->as_integer();
    if (number == nullptr || number->get() < low || number->get() > high) {
      return Fail(*node, fmt::format("{} must be a whole number from {} to {}", key, low, high));
    }
    value = number->get();
    return Status::Ok();
  }
  Status Duration(std::string_view key, int64_t& value) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Status::Ok();
    const auto* text = node->as_string();
    if (text == nullptr) {
      return Fail(*node, fmt::format("{} must be a duration", key), "For example \"10s\".");
    }
    auto parsed = ParseDurationNs(text->get());
    if (!parsed.ok()) {
      return Fail(*node, fmt::format("{}: {}", key, parsed.status().error().message),
                  parsed.status().error().hint);
    }
    value = *parsed;
    return Status::Ok();
  }
  Status Flag(std::string_view key, bool& value) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Status::Ok();
    if (!node->is_boolean()) return Fail(*node, fmt::format("{} must be true or false", key));
    value = node->as_boolean()->get();
    return Status::Ok();
  }
  // Which of the names the key has; index stays as it is where the key is not given.
  Status Choice(std::string_view key, std::span<const std::string_view> names, size_t& index) const;
  template <typename E>
  Status Choice(std::string_view key, std::span<const std::string_view> names, E& value) const {
    auto index = static_cast<size_t>(value);
    CONNBENCH_RETURN_IF_ERROR(Choice(key, names, index));
    value = static_cast<E>(index);
    return Status::Ok();
  }
  Status Real(std::string_view key, double low, double high, double& value) const;
  // Keys that are no row of that table of workload_keys.def.
  Status CheckKeys(std::string_view kind) const;
  // The keys that a group and a workload have alike.
  Status Clients(ClientGroup& group) const;
  Status ReadBackoff(std::optional<Backoff>& backoff) const;
  Status Groups(std::vector<ClientGroup>& groups) const;
  Status Schedule(std::string_view rate_key, std::string_view arrival_key, ArrivalSpec& spec) const;
  Status Ladder(std::vector<int>& ladder) const;
  Status Strings(std::string_view key, std::vector<std::string>& values) const;
  Status Scripts(std::vector<ScriptSource>& scripts) const;
  Status Define(std::map<std::string, std::string>& define) const;

  std::string path_;
  const toml::table& table_;
};

Status Reader::Choice(std::string_view key, std::span<const std::string_view> names,
                      size_t& index) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return Status::Ok();
  const auto* text = node->as_string();
  const std::string given = text == nullptr ? std::string() : text->get();
  const auto chosen = std::find(names.begin(), names.end(), given);
  if (text == nullptr || chosen == names.end()) {
    return Fail(*node,
                text == nullptr ? fmt::format("{} cannot be that", key)
                                : fmt::format("{} cannot be \"{}\"", key, given),
                SuggestNames(given, names));
  }
  index = static_cast<size_t>(chosen - names.begin());
  return Status::Ok();
}

// A schedule in two keys; what is wrong inside a text is found there, to the character.
Status Reader::Schedule(std::string_view rate_key, std::string_view arrival_key,
                        ArrivalSpec& spec) const {
  const toml::node* rate = table_.get(rate_key);
  const toml::node* arrival = table_.get(arrival_key);
  if (rate == nullptr && arrival == nullptr) return Status::Ok();  // spec stays a closed loop
  std::string rate_text;
  std::string arrival_text;
  if (rate != nullptr) {
    if (const auto* whole = rate->as_integer()) {
      rate_text = std::to_string(whole->get());
    } else if (const auto* real = rate->as_floating_point()) {
      rate_text = fmt::format("{}", real->get());
    } else if (const auto* text = rate->as_string()) {
      rate_text = text->get();
    } else {
      return Fail(*rate, fmt::format("{} must be a number or a text", rate_key),
                  "For example 1000, or \"ramp(100, 2000, 10s)\".");
    }
  }
  CONNBENCH_RETURN_IF_ERROR(String(arrival_key, arrival_text));
  auto parsed =
      ParseArrivals(rate_text, arrival_text, std::filesystem::path(path_).parent_path().string());
  if (parsed.ok()) {
    spec = std::move(*parsed);
    return Status::Ok();
  }
  // The arrival alone tells whose mistake it is.
  const bool in_rate =
      rate != nullptr && (arrival == nullptr || ParseArrivals("1", arrival_text, "").ok());
  const toml::node& node = in_rate ? *rate : *arrival;
  const ErrorInfo& error = parsed.status().error();
  const toml::source_position& at = node.source().begin;
  // Behind the quotation mark, if there is one; a position of 0 has a place of its own already.
  const int column = static_cast<int>(at.column) + (node.is_string() ? error.position : 0);
  Status status = Status::Error(sqlstate::kInvalidParameterValue,
                                fmt::format("{}:{}:{}: {}", path_, at.line, column, error.message));
  return error.hint.empty() ? std::move(status) : Status(std::move(status).WithHint(error.hint));
}

Status Reader::Ladder(std::vector<int>& ladder) const {
  const toml::node* node = table_.get("ladder");
  if (node == nullptr) return Status::Ok();
  const auto* array = node->as_array();
  if (array == nullptr) return Fail(*node, "ladder must be a list of connection counts");
  for (const toml::node& entry : *array) {
    const auto* number = entry.as_integer();
    if (number == nullptr || number->get() < 1 || number->get() > kMaxConnections) {
      return Fail(entry, fmt::format("a step of ladder is a number from 1 to {}", kMaxConnections));
    }
    ladder.push_back(static_cast<int>(number->get()));
  }
  return Status::Ok();
}

Status Reader::Strings(std::string_view key, std::vector<std::string>& values) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return Status::Ok();
  const auto* array = node->as_array();
  if (array == nullptr) return Fail(*node, fmt::format("{} must be a list of texts", key));
  for (const toml::node& entry : *array) {
    const auto* text = entry.as_string();
    if (text == nullptr) return Fail(entry, fmt::format("{} must be a list of texts", key));
    values.push_back(text->get());
  }
  return Status::Ok();
}

Status Reader::Scripts(std::vector<ScriptSource>& scripts) const {
  const toml::node* node = table_.get("scripts");
  if (node == nullptr) return Status::Ok();
  const auto* array = node->as_array();
  if (array == nullptr || array->empty()) return Fail(*node, "scripts must be a list");
  for (const toml::node& entry : *array) {
    const auto* table = entry.as_table();
    if (table == nullptr) return Fail(entry, "a script is { file = \"...\", weight = 1 }");
    CONNBENCH_RETURN_IF_ERROR(Reader(path_, *table).CheckKeys("script"));
    ScriptSource source;
    const auto file = table->get_as<std::string>("file");
    if (file == nullptr) return Fail(entry, "a script needs its file");
    source.path = Sibling(file->get());
    if (const toml::node* weight = table->get("weight"); weight != nullptr) {
      const auto* number = weight->as_integer();
      if (number == nullptr || number->get() < 0 || number->get() > kMaxScriptWeight) {
        return Fail(*weight,
                    fmt::format("weight must be a whole number from 0 to {}", kMaxScriptWeight));
      }
      source.weight = number->get();
    }
    auto text = ReadNamedFile("script", source.path);
    if (!text.ok()) return Fail(*file, text.status().error().message);
    source.text = std::move(*text);
    scripts.push_back(std::move(source));
  }
  return Status::Ok();
}

Status Reader::Define(std::map<std::string, std::string>& define) const {
  const toml::node* node = table_.get("define");
  if (node == nullptr) return Status::Ok();
  const auto* table = node->as_table();
  if (table == nullptr) return Fail(*node, "define must be a table of variables");
  for (const auto& [key, value] : *table) {
    std::string text;
    if (const auto* string = value.as_string()) {
      text = string->get();
    } else if (const auto* integer = value.as_integer()) {
      text = std::to_string(integer->get());
    } else if (const auto* real = value.as_floating_point()) {
      text = fmt::format("{:.17g}", real->get());
    } else if (const auto* boolean = value.as_boolean()) {
      text = boolean->get() ? "true" : "false";
    } else {
      return Fail(value,
                  fmt::format("variable {} must be a number, a text or a boolean", key.str()));
    }
    define.emplace(key.str(), std::move(text));
  }
  return Status::Ok();
}

Status Reader::CheckKeys(std::string_view kind) const {
  const std::vector<std::string_view> known = NamesOfTable(kKeys, kind);
  for (const auto& [key, value] : table_) {
    if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
      return Fail(value, fmt::format("unknown key \"{}\" in the {}", key.str(), kind),
                  SuggestNames(key.str(), known));
    }
  }
  return Status::Ok();
}

Status Reader::Real(std::string_view key, double low, double high, double& value) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return Status::Ok();
  const auto number = node->value<double>();
  if (!node->is_number() || !number || !(*number >= low && *number <= high)) {
    return Fail(*node, fmt::format("{} must be a number from {} to {}", key, low, high));
  }
  value = *number;
  return Status::Ok();
}

Status Reader::ReadBackoff(std::optional<Backoff>& backoff) const {
  const toml::node* node = table_.get("backoff");
  if (node == nullptr) return Status::Ok();
  const auto* table = node->as_table();
  if (table == nullptr) {
    return Fail(
        *node, "backoff must be a table",
        "For example { initial = \"10ms\", max = \"1s\", multiplier = 2.0, jitter = 0.5 }.");
  }
  const Reader reader(path_, *table);
  Backoff read;
  CONNBENCH_RETURN_IF_ERROR(reader.CheckKeys("backoff"));
  CONNBENCH_RETURN_IF_ERROR(reader.Duration("initial", read.initial_ns));
  CONNBENCH_RETURN_IF_ERROR(reader.Duration("max", read.max_ns));
  CONNBENCH_RETURN_IF_ERROR(reader.Real("multiplier", 1, kMaxMultiplier, read.multiplier));
  CONNBENCH_RETURN_IF_ERROR(reader.Real("jitter", 0, 1, read.jitter));
  if (read.initial_ns < 0 || read.max_ns < read.initial_ns) {
    return Fail(*node, "backoff: initial must not be longer than max");
  }
  backoff = read;
  return Status::Ok();
}

Status Reader::Clients(ClientGroup& group) const {
  CONNBENCH_RETURN_IF_ERROR(String("name", group.name));
  if (const toml::node* node = table_.get("name"); node != nullptr) {
    const Status named = CheckName(group.name, "workload or group");
    if (!named.ok()) return Fail(*node, named.error().message, named.error().hint);
  }
  CONNBENCH_RETURN_IF_ERROR(Choice("pattern", PatternNames(), group.pattern));
  int64_t connections = group.connections;
  CONNBENCH_RETURN_IF_ERROR(Integer("connections", 1, kMaxConnections, connections));
  group.connections = static_cast<int>(connections);
  CONNBENCH_RETURN_IF_ERROR(
      Integer("transactions_per_connection", 1, INT64_MAX, group.transactions_per_connection));
  CONNBENCH_RETURN_IF_ERROR(Choice("session_length", kSessionLengthNames, group.session_length));
  CONNBENCH_RETURN_IF_ERROR(Schedule("rate", "arrival", group.arrivals));
  CONNBENCH_RETURN_IF_ERROR(Duration("latency_limit", group.latency_limit_ns));
  CONNBENCH_RETURN_IF_ERROR(Integer("queue_limit", 1, kMaxQueueLimit, group.queue_limit));
  CONNBENCH_RETURN_IF_ERROR(Schedule("connect_rate", "connect_arrival", group.connect_arrivals));
  CONNBENCH_RETURN_IF_ERROR(ReadBackoff(group.backoff));
  return Scripts(group.scripts);
}

Result<ClientGroup> Reader::ReadGroup() {
  CONNBENCH_RETURN_IF_ERROR(CheckKeys("group"));
  ClientGroup group;
  group.connections = 0;
  CONNBENCH_RETURN_IF_ERROR(Clients(group));
  CONNBENCH_RETURN_IF_ERROR(Duration("start", group.start_ns));
  CONNBENCH_RETURN_IF_ERROR(Duration("stop", group.stop_ns));
  const auto fail = [&](const char* key, std::string message, std::string hint = {}) {
    const toml::node* node = table_.get(key);
    return Fail(node != nullptr ? *node : table_, std::move(message), std::move(hint));
  };
  if (group.name.empty()) return fail("name", "a group needs its name");
  if (!RowOf(group.pattern).Has(kInGroups)) {
    return fail("pattern", fmt::format("a group cannot be {}", Name(group.pattern)),
                fmt::format("Possible are {}.", fmt::join(PatternNames(kInGroups), ", ")));
  }
  if (group.stop_ns != 0 && group.stop_ns <= group.start_ns) {
    return fail("stop", "stop must be later than start");
  }
  return group;
}

Status Reader::Groups(std::vector<ClientGroup>& groups) const {
  const toml::node* node = table_.get("group");
  if (node == nullptr) return Status::Ok();
  const auto* array = node->as_array();
  if (array == nullptr || !array->is_array_of_tables()) {
    return Fail(*node, "groups are written as [[group]] tables");
  }
  if (array->size() < 2 || array->size() > kMaxGroups) {
    return Fail(*node, fmt::format("a mixed workload has from 2 to {} groups", kMaxGroups));
  }
  for (const toml::node& entry : *array) {
    CONNBENCH_ASSIGN_OR_RETURN(ClientGroup group, Reader(path_, *entry.as_table()).ReadGroup());
    const bool known = std::any_of(groups.begin(), groups.end(), [&](const ClientGroup& other) {
      return other.name == group.name;
    });
    if (known) return Fail(entry, fmt::format("there are two groups \"{}\"", group.name));
    groups.push_back(std::move(group));
  }
  const ClientGroup& first = groups.front();
  if (first.pattern != Pattern::kSteady || first.start_ns != 0 || first.stop_ns != 0) {
    return Fail(array->front(), "the first group is what is measured: steady, all the time",
                "Give it pattern = \"steady\" and neither start nor stop.");
  }
  return Status::Ok();
}

Result<Workload> Reader::Read() {
  CONNBENCH_RETURN_IF_ERROR(CheckKeys("workload"));
  Workload workload;
  workload.path = path_;
  workload.name = std::filesystem::path(path_).stem().string();
  CONNBENCH_RETURN_IF_ERROR(CheckName(workload.name, "workload"));
  int64_t active = workload.active;
  std::string setup;
  std::string check;
  CONNBENCH_RETURN_IF_ERROR(Groups(workload.groups));
  if (!workload.groups.empty()) workload.pattern = Pattern::kMixed;
  CONNBENCH_RETURN_IF_ERROR(Clients(workload));
  CONNBENCH_RETURN_IF_ERROR(String("description", workload.description));
  CONNBENCH_RETURN_IF_ERROR(Choice("protocol", kModeNames, workload.protocol));
  CONNBENCH_RETURN_IF_ERROR(Duration("duration", workload.duration_ns));
  if (workload.duration_ns == 0) {
    return Fail(*table_.get("duration"), "a measured window of 0 s measures nothing");
  }
  CONNBENCH_RETURN_IF_ERROR(Duration("warmup", workload.warmup_ns));
  CONNBENCH_RETURN_IF_ERROR(Duration("warmup_max", workload.warmup_max_ns));
  CONNBENCH_RETURN_IF_ERROR(Integer("active", 0, kMaxConnections, active));
  CONNBENCH_RETURN_IF_ERROR(Ladder(workload.ladder));
  CONNBENCH_RETURN_IF_ERROR(Strings("tables", workload.tables));
  CONNBENCH_RETURN_IF_ERROR(Integer("scale", 1, kMaxScale, workload.scale));
  CONNBENCH_RETURN_IF_ERROR(Define(workload.define));
  CONNBENCH_RETURN_IF_ERROR(Flag("first_query", workload.first_query));
  CONNBENCH_RETURN_IF_ERROR(String("setup", setup));
  CONNBENCH_RETURN_IF_ERROR(String("check", check));
  workload.active = static_cast<int>(active);
  if (!setup.empty()) {
    workload.setup.path = Sibling(setup);
    auto text = ReadNamedFile("setup file", workload.setup.path);
    if (!text.ok()) return Fail(*table_.get("setup"), text.status().error().message);
    workload.setup.text = std::move(*text);
  }
  if (!check.empty()) {
    auto text = ReadNamedFile("check file", Sibling(check));
    if (!text.ok()) return Fail(*table_.get("check"), text.status().error().message);
    workload.check = ScriptSource{Sibling(check), std::move(*text)};
  }
  // A script that does not compile is this file's error, not that of a later run.
  std::map<std::string, std::string> define = workload.define;
  define.try_emplace("scale", std::to_string(workload.scale));
  for (const ClientGroup& group : workload.AllGroups()) {
    if (group.scripts.empty()) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           group.name == workload.name
                               ? fmt::format("{}: it has no scripts", path_)
                               : fmt::format("{}: group {} has no scripts", path_, group.name))
          .WithHint("Add: scripts = [{ file = \"select_only.sql\" }]");
    }
    auto compiled = ScriptSet::Compile(group.scripts, define);
    if (!compiled.ok()) return compiled.TakeStatus();
  }
  if (workload.check) {
    auto compiled = ScriptSet::Compile({*workload.check}, define);
    if (!compiled.ok()) return compiled.TakeStatus();
  }
  if (RowOf(workload.pattern).Has(kMadeOfGroups) == workload.groups.empty()) {
    return Fail(*table_.get("pattern"), "pattern mixed and [[group]] tables belong together");
  }
  return workload;
}

}  // namespace

std::span<const FileKey> WorkloadFileKeys() { return kKeys; }

Result<Workload> LoadWorkload(const std::string& path) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("workload file", path));
  try {
    const toml::table table = toml::parse(text, path);
    Result<Workload> workload = Reader(path, table).Read();
    if (workload.ok()) workload->text = text;
    return workload;
  } catch (const toml::parse_error& error) {
    return Status::Error(sqlstate::kSyntaxError,
                         fmt::format("{}:{}:{}: {}", path, error.source().begin.line,
                                     error.source().begin.column, error.description()));
  }
}

}  // namespace connbench::load
