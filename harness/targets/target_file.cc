// A target described in TOML: reads the file and fills in placeholders.
#include "harness/targets/target_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/near_names.h"
#include "base/read_file.h"
#include "harness/load/endpoint.h"
#include "harness/workload/workload.h"

namespace connbench::targets {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeys[] = {
    "description",    "needs",       "in_front",    "command",  "prepare",
    "files",          "settings",    "port",        "ready",    "start_timeout_s",
    "stop_timeout_s", "stop_signal", "clean_exits", "pid_file", "lacks",
    "user",           "database",    "tables"};
constexpr std::string_view kFeatures[] = {"simple", "extended", "prepared", "crash"};
constexpr std::string_view kTables[] = {"fresh", "keep", "none"};
constexpr int64_t kMaxTimeoutS = 600;
constexpr int64_t kMaxExitCode = 255;

class Reader {
 public:
  Reader(const toml::table& root, const std::string& path) : root_(root), path_(path) {}

  Result<TargetFile> Read() {
    for (const auto& [key, node] : root_) {
      if (Contains(kKeys, key.str())) continue;
      return Bad(node, fmt::format("there is no key \"{}\"", key.str()))
          .WithHint(SuggestNames(key.str(), kKeys));
    }
    TargetFile file;
    file.name = fs::path(path_).stem();
    CONNBENCH_RETURN_IF_ERROR(ReadText("description", file.description));
    CONNBENCH_RETURN_IF_ERROR(ReadTexts("needs", file.needs));
    CONNBENCH_RETURN_IF_ERROR(ReadTexts("command", file.command));
    if (file.command.empty()) {
      return Bad(root_, "command is missing: [\"PROGRAM\", \"ARGUMENT\", ...]");
    }
    if (const toml::node* node = root_.get("in_front"); node != nullptr) {
      if (!node->is_boolean()) return Bad(*node, "in_front is true or false");
      file.in_front = *node->value<bool>();
    }
    CONNBENCH_RETURN_IF_ERROR(ReadPrepare(file.prepare));
    CONNBENCH_RETURN_IF_ERROR(ReadTable("files", file.files));
    CONNBENCH_RETURN_IF_ERROR(ReadTable("settings", file.settings));
    CONNBENCH_RETURN_IF_ERROR(ReadInteger("port", 1, load::kMaxPort, file.port));
    CONNBENCH_RETURN_IF_ERROR(
        ReadInteger("start_timeout_s", 1, kMaxTimeoutS, file.start_timeout_s));
    CONNBENCH_RETURN_IF_ERROR(ReadInteger("stop_timeout_s", 1, kMaxTimeoutS, file.stop_timeout_s));
    CONNBENCH_RETURN_IF_ERROR(ReadExits(file.clean_exits));
    CONNBENCH_RETURN_IF_ERROR(ReadText("pid_file", file.pid_file));
    CONNBENCH_RETURN_IF_ERROR(ReadText("user", file.user));
    CONNBENCH_RETURN_IF_ERROR(ReadText("database", file.database));
    CONNBENCH_RETURN_IF_ERROR(ReadText("ready", file.ready));
    if (file.ready != "answers" && file.ready != "accepts" && !file.ready.starts_with(kLogPrefix)) {
      return Bad(*root_.get("ready"), "ready is \"answers\", \"accepts\" or \"log:TEXT\"");
    }
    CONNBENCH_RETURN_IF_ERROR(ReadText("tables", file.tables));
    if (!Contains(kTables, file.tables)) {
      return Bad(*root_.get("tables"), "tables is \"fresh\", \"keep\" or \"none\"");
    }
    CONNBENCH_RETURN_IF_ERROR(ReadText("stop_signal", file.stop_signal));
    if (SignalByName(file.stop_signal) == 0) {
      return Bad(*root_.get("stop_signal"),
                 "stop_signal is a signal's name without SIG: \"TERM\", \"INT\", \"QUIT\"");
    }
    CONNBENCH_RETURN_IF_ERROR(ReadTexts("lacks", file.lacks));
    for (const std::string& feature : file.lacks) {
      if (Contains(kFeatures, feature)) continue;
      return Bad(*root_.get("lacks"), fmt::format("there is no feature \"{}\"", feature))
          .WithHint(SuggestNames(feature, kFeatures));
    }
    return file;
  }

 private:
  Status Bad(const toml::node& node, const std::string& what) const {
    const toml::source_position& at = node.source().begin;
    return Status::Error(sqlstate::kSyntaxError,
                         fmt::format("{}:{}:{}: {}", path_, at.line, at.column, what));
  }

  Status ReadText(std::string_view key, std::string& text) const {
    const toml::node* node = root_.get(key);
    if (node == nullptr) return Status::Ok();
    if (!node->is_string()) return Bad(*node, fmt::format("{} must be a text", key));
    text = *node->value<std::string>();
    return Status::Ok();
  }

  Status ReadInteger(std::string_view key, int64_t low, int64_t high, int& number) const {
    const toml::node* node = root_.get(key);
    if (node == nullptr) return Status::Ok();
    const auto value = node->value<int64_t>();
    if (!node->is_integer() || *value < low || *value > high) {
      return Bad(*node, fmt::format("{} must be a whole number from {} to {}", key, low, high));
    }
    number = static_cast<int>(*value);
    return Status::Ok();
  }

  Status ReadTextsOf(const toml::node& node, std::string_view key,
                     std::vector<std::string>& texts) const {
    const toml::array* array = node.as_array();
    const std::string wrong = fmt::format("{} must be a list of texts", key);
    if (array == nullptr) return Bad(node, wrong);
    for (const toml::node& entry : *array) {
      if (!entry.is_string()) return Bad(entry, wrong);
      texts.push_back(*entry.value<std::string>());
    }
    return Status::Ok();
  }

  Status ReadTexts(std::string_view key, std::vector<std::string>& texts) const {
    const toml::node* node = root_.get(key);
    return node == nullptr ? Status::Ok() : ReadTextsOf(*node, key, texts);
  }

  Status ReadPrepare(std::vector<std::vector<std::string>>& commands) const {
    const toml::node* node = root_.get("prepare");
    if (node == nullptr) return Status::Ok();
    const toml::array* array = node->as_array();
    if (array == nullptr) return Bad(*node, "prepare must be a list of commands");
    for (const toml::node& entry : *array) {
      std::vector<std::string>& command = commands.emplace_back();
      CONNBENCH_RETURN_IF_ERROR(ReadTextsOf(entry, "each command of prepare", command));
      if (command.empty()) return Bad(entry, "a command of prepare is empty");
    }
    return Status::Ok();
  }

  Status ReadExits(std::vector<int>& exits) const {
    const toml::node* node = root_.get("clean_exits");
    if (node == nullptr) return Status::Ok();
    const toml::array* array = node->as_array();
    if (array == nullptr) return Bad(*node, "clean_exits must be a list of exit codes");
    exits.clear();
    for (const toml::node& entry : *array) {
      const auto value = entry.value<int64_t>();
      if (!entry.is_integer() || *value < 0 || *value > kMaxExitCode) {
        return Bad(entry, "an exit code is a number from 0 to 255");
      }
      exits.push_back(static_cast<int>(*value));
    }
    return Status::Ok();
  }

  // Names with texts or numbers.
  Status ReadTable(std::string_view key,
                   std::vector<std::pair<std::string, std::string>>& entries) const {
    const toml::node* node = root_.get(key);
    if (node == nullptr) return Status::Ok();
    const toml::table* table = node->as_table();
    if (table == nullptr) return Bad(*node, fmt::format("{} must be a table", key));
    for (const auto& [name, value] : *table) {
      const bool plain_name = name.str().find('/') == std::string_view::npos && !name.empty();
      if (!plain_name) return Bad(value, fmt::format("\"{}\" is no plain name", name.str()));
      if (value.is_string()) {
        entries.emplace_back(name.str(), *value.value<std::string>());
      } else if (value.is_integer()) {
        entries.emplace_back(name.str(), std::to_string(*value.value<int64_t>()));
      } else {
        return Bad(value, fmt::format("{} must be a text or a whole number", name.str()));
      }
    }
    return Status::Ok();
  }

  const toml::table& root_;
  const std::string& path_;
};

bool IsPlaceholderLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

int SignalByName(std::string_view name) {
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) return signal;
  }
  return 0;
}

Result<TargetFile> ParseTargetFile(std::string_view text, const std::string& path) {
  try {
    const toml::table root = toml::parse(text, path);
    return Reader(root, path).Read();
  } catch (const toml::parse_error& error) {
    const toml::source_position& at = error.source().begin;
    return Status::Error(sqlstate::kSyntaxError, fmt::format("{}:{}:{}: {}", path, at.line,
                                                             at.column, error.description()));
  }
}

Result<TargetFile> LoadTargetFile(const std::string& path) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("target file", path));
  return ParseTargetFile(text, path);
}

std::string TargetFolder() { return load::WorkloadFolder() + "/targets"; }

std::vector<std::string> TargetFileNames() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(TargetFolder(), ignored)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> FillIn(std::string_view text,
                           const std::map<std::string, std::string>& values) {
  std::string filled;
  for (size_t at = 0; at < text.size(); ++at) {
    size_t end = at + 1;
    if (text[at] == '{') {
      while (end < text.size() && IsPlaceholderLetter(text[end])) ++end;
    }
    // Braces around anything but a name are the text's own.
    if (text[at] != '{' || end >= text.size() || text[end] != '}' || end == at + 1) {
      filled += text[at];
      continue;
    }
    const std::string name(text.substr(at + 1, end - at - 1));
    const auto found = values.find(name);
    if (found == values.end()) {
      std::vector<std::string_view> known;
      for (const auto& [each, value] : values) known.push_back(each);
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("there is no placeholder {{{}}}", name))
          .WithHint(SuggestNames(name, known));
    }
    filled += found->second;
    at = end;
  }
  return filled;
}

}  // namespace connbench::targets
