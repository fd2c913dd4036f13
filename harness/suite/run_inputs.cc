// What a run's folder holds of its inputs.
#include "harness/suite/run_inputs.h"

#include <Poco/DigestStream.h>
#include <Poco/SHA2Engine.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/read_file.h"
#include "harness/suite/plan_json.h"

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlanFile = "plan.json";
constexpr std::string_view kSumsFile = "inputs.sha256";
constexpr std::string_view kInputsFolder = "inputs";

std::string Sha256(const std::string& text) {
  Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
  engine.update(text);
  return Poco::DigestEngine::digestToHex(engine.digest());
}

std::optional<std::string> ReadText(const fs::path& path) {
  Result<std::string> text = ReadNamedFile("input", path.string());
  if (!text.ok()) return std::nullopt;
  return std::move(*text);
}

Status WriteText(const fs::path& path, const std::string& text) {
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  return out ? Status::Ok() : Status::System("cannot write " + path.string(), errno);
}

// The files that were read, by their whole path.
using Files = std::map<fs::path, std::string>;

void Add(Files& files, const std::string& path, const std::string& text) {
  if (!path.empty()) files.emplace(fs::absolute(path).lexically_normal(), text);
}

void AddSchedule(Files& files, const load::ArrivalSpec& arrivals) {
  if (arrivals.file.empty()) return;
  // As it is now: its instants, as they were read, are in the plan.
  if (const auto text = ReadText(arrivals.file)) Add(files, arrivals.file, *text);
}

void AddWorkload(Files& files, const load::Workload& workload) {
  Add(files, workload.path, workload.text);
  Add(files, workload.setup.path, workload.setup.text);
  if (workload.check) Add(files, workload.check->path, workload.check->text);
  for (const load::ClientGroup& group : workload.AllGroups()) {
    for (const load::ScriptSource& script : group.scripts) Add(files, script.path, script.text);
    AddSchedule(files, group.arrivals);
    AddSchedule(files, group.connect_arrivals);
  }
}

// The settings beside those of cells in which a path may stand.
void ForEachSharedFile(RunPlanInputs& inputs, const std::function<void(std::string&)>& move) {
  targets::ForEachFile(inputs.suite.settings, move);
  targets::ForEachFile(inputs.overrides.settings, move);
  for (std::optional<Crossover>* crossover : {&inputs.plan.crossover, &inputs.suite.crossover}) {
    if (!*crossover) continue;
    for (SettingAxis& axis : (*crossover)->experiment.settings) {
      if (!targets::NamesFile(axis.name)) continue;
      for (std::string& value : axis.values) {
        if (!value.empty()) move(value);
      }
    }
  }
}

// Whether files are named as they lie in a run's folder.
bool ArePlaced(const RunPlanInputs& inputs) { return !inputs.suite.files_folder.empty(); }

// What settings and targets name, until they are placed.
std::set<fs::path> NamedFiles(RunPlanInputs inputs) {
  std::set<fs::path> paths;
  if (ArePlaced(inputs)) return paths;
  const auto add = [&](std::string& path) { paths.insert(fs::absolute(path).lexically_normal()); };
  for (Cell& cell : inputs.plan.cells) cell.ForEachFile(add);
  // A setting that concerns no cell names nothing that is read.
  if (inputs.plan.crossover) ForEachSharedFile(inputs, add);
  return paths;
}

Files CollectFiles(const RunPlanInputs& inputs) {
  Files files;
  Add(files, inputs.suite.path, inputs.suite.text);
  for (const Cell& cell : inputs.plan.cells) AddWorkload(files, cell.workload);
  if (inputs.plan.crossover) AddWorkload(files, *inputs.plan.crossover->experiment.resolved);
  return files;
}

// The folder that all of them lie in, so that their paths relative to each other stay.
fs::path CommonFolder(const std::set<fs::path>& files) {
  fs::path common = files.begin()->parent_path();
  for (const fs::path& path : files) {
    fs::path shared;
    auto mine = common.begin();
    for (auto other = path.begin(); mine != common.end() && other != path.end() && *mine == *other;
         ++mine, ++other) {
      shared /= *mine;
    }
    common = shared;
  }
  return common;
}

// From the path that was read to that within the run's folder.
class Places {
 public:
  explicit Places(const RunPlanInputs& inputs) {
    std::set<fs::path> all = NamedFiles(inputs);
    for (const auto& [path, text] : CollectFiles(inputs)) all.insert(path);
    if (!all.empty()) common_ = CommonFolder(all);
  }

  std::string Of(const fs::path& path) const {
    return (fs::path(kInputsFolder) /
            fs::absolute(path).lexically_normal().lexically_relative(common_))
        .string();
  }
  void Move(std::string& path) const {
    if (!path.empty()) path = Of(path);
  }
  // In errors and in the plan, files are named as they lie in the folder.
  void MoveAll(load::Workload& workload) const {
    Move(workload.path);
    Move(workload.setup.path);
    if (workload.check) Move(workload.check->path);
    MoveGroup(workload);
    for (load::ClientGroup& group : workload.groups) MoveGroup(group);
  }

 private:
  void MoveGroup(load::ClientGroup& group) const {
    for (load::ScriptSource& script : group.scripts) Move(script.path);
    Move(group.arrivals.file);
    Move(group.connect_arrivals.file);
  }

  fs::path common_ = "/";
};

// With its mode, which a server asks of a key.
Status CopyNamedFile(const fs::path& path, const fs::path& copy, const std::string& text) {
  CONNBENCH_RETURN_IF_ERROR(WriteText(copy, ""));
  std::error_code error;
  fs::permissions(copy, fs::status(path, error).permissions() | fs::perms::owner_write, error);
  if (error) return Status::System("cannot protect " + copy.string(), error.value());
  return WriteText(copy, text);
}

Status Changed(const fs::path& path, const char* how, const std::string& folder) {
  return Status::Error(sqlstate::kBadCopyFileFormat,
                       fmt::format("{} {} since the run began", path.string(), how))
      .WithHint(fmt::format("A run goes on only as it began. Put the file back, or begin a new run "
                            "from {}/{} with connbench run.",
                            folder, kInputsFolder));
}

}  // namespace

RunPlanInputs PlaceInputs(RunPlanInputs inputs, const std::string& folder) {
  const Places places(inputs);
  const bool placed = ArePlaced(inputs);
  const auto move = [&](std::string& path) {
    if (!placed) places.Move(path);
  };
  for (Cell& cell : inputs.plan.cells) {
    cell.ForEachFile([&](std::string& path) {
      const std::string before = path;
      move(path);
      // An axis of files is in the cell's name.
      const size_t at = cell.name.find(":" + before);
      if (at != std::string::npos) cell.name.replace(at + 1, before.size(), path);
    });
    cell.files_folder = folder;
  }
  ForEachSharedFile(inputs, move);
  inputs.suite.files_folder = folder;
  return inputs;
}

Status WriteRunInputs(const std::string& folder, const RunPlanInputs& inputs) {
  const Places places(inputs);
  std::string sums;
  const auto add_sum = [&](const std::string& name, const std::string& text) {
    sums += fmt::format("{}  {}\n", Sha256(text), name);
  };
  const auto write = [&](const std::string& name, const std::string& text) {
    add_sum(name, text);
    return WriteText(fs::path(folder) / name, text);
  };
  RunPlanInputs moved = PlaceInputs(inputs, folder);
  for (Cell& cell : moved.plan.cells) places.MoveAll(cell.workload);
  if (moved.plan.crossover) places.MoveAll(*moved.plan.crossover->experiment.resolved);
  CONNBENCH_RETURN_IF_ERROR(write(std::string(kPlanFile), WritePlanJson(moved)));
  for (const auto& [path, text] : CollectFiles(inputs)) {
    CONNBENCH_RETURN_IF_ERROR(write(places.Of(path), text));
  }
  for (const fs::path& path : NamedFiles(inputs)) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string text,
                               ReadNamedFile("file of a setting", path.string()));
    const std::string name = places.Of(path);
    add_sum(name, text);
    CONNBENCH_RETURN_IF_ERROR(CopyNamedFile(path, fs::path(folder) / name, text));
  }
  return WriteText(fs::path(folder) / kSumsFile, sums);
}

Status CopyRunInputs(const std::string& from, const std::string& folder) {
  for (const std::string_view name : {kPlanFile, kSumsFile, kInputsFolder}) {
    std::error_code error;
    fs::copy(fs::path(from) / name, fs::path(folder) / name,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing, error);
    if (!error) continue;
    // A workload made up from flags has no files.
    if (name == kInputsFolder && error == std::errc::no_such_file_or_directory) continue;
    return Status::System(fmt::format("cannot copy {}/{} to {}", from, name, folder),
                          error.value());
  }
  return Status::Ok();
}

std::string PlaceInRun(const RunPlanInputs& inputs, const std::string& where) {
  const std::string whole = fs::absolute(where).lexically_normal().string();
  for (const auto& [path, text] : CollectFiles(inputs)) {
    if (!whole.starts_with(path.string() + ":")) continue;
    return Places(inputs).Of(path) + whole.substr(path.string().size());
  }
  return where;
}

void PlaceSettings(const RunPlanInputs& inputs, targets::Settings& settings) {
  if (ArePlaced(inputs)) return;
  const Places places(inputs);
  targets::ForEachFile(settings, [&](std::string& path) { places.Move(path); });
}

Result<RunPlanInputs> ReadRunInputs(const std::string& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored) || !fs::exists(fs::path(folder) / "run.json", ignored)) {
    return Status::Error(sqlstate::kUndefinedObject, fmt::format("{} holds no run", folder))
        .WithHint("Name a folder that \"connbench run\" wrote; the newest is results/latest.");
  }
  const auto sums = ReadText(fs::path(folder) / kSumsFile);
  if (!sums) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("{}/{} cannot be read: {}", folder, kSumsFile,
                                     "the folder does not say what was run"))
        .WithHint(fmt::format("Runs of older versions have none; go on with connbench run SUITE "
                              "--resume -o {}.",
                              folder));
  }
  std::istringstream lines(*sums);
  std::optional<std::string> plan;
  for (std::string line; std::getline(lines, line);) {
    const size_t blank = line.find("  ");
    const std::string name = blank == std::string::npos ? "" : line.substr(blank + 2);
    const fs::path path = fs::path(folder) / name;
    const auto text = ReadText(path);
    if (name.empty() || !text) {
      return name.empty() ? Changed(fs::path(folder) / kSumsFile, "was damaged", folder)
                          : Changed(path, "was lost", folder);
    }
    if (Sha256(*text) != line.substr(0, blank)) return Changed(path, "was changed", folder);
    if (name == kPlanFile) plan = text;
  }
  if (!plan) return Changed(fs::path(folder) / kSumsFile, "was damaged", folder);
  CONNBENCH_ASSIGN_OR_RETURN(RunPlanInputs inputs,
                             ReadPlanJson(*plan, (fs::path(folder) / kPlanFile).string()));
  return inputs;
}

}  // namespace connbench::suite
