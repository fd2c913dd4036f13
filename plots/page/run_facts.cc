// What a page says of its runs beside figures.
#include "plots/page/run_facts.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "base/read_file.h"
#include "plots/page/html.h"

namespace connbench::plots {
namespace {

namespace fs = std::filesystem;
using Poco::JSON::Array;
using Poco::JSON::Object;
using results::Run;
using results::TrialRow;

constexpr std::string_view kContendersFile = "contenders.json";
constexpr std::string_view kInputsFolder = "inputs";

// "order" has a line for each trial; raw rows show it.
bool IsShown(const std::string& field) { return field != "order"; }

// Fields in the order of run.json, of each the values by run.
std::vector<std::pair<std::string, std::vector<std::string>>> Fields(std::span<const Run> runs) {
  std::vector<std::pair<std::string, std::vector<std::string>>> fields;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [name, value] : runs[i].InfoPairs()) {
      if (!IsShown(name)) continue;
      auto field = std::find_if(fields.begin(), fields.end(),
                                [&](const auto& known) { return known.first == name; });
      if (field == fields.end()) {
        field = fields.insert(field, {name, std::vector<std::string>(runs.size())});
      }
      field->second[i] = value;
    }
  }
  return fields;
}

HtmlTable FieldTable(std::span<const Run> runs, bool only_differing) {
  HtmlTable table;
  table.header = {"field"};
  table.style_class = "words";
  for (const Run& run : runs) table.header.push_back(runs.size() == 1 ? "value" : NameOf(run));
  table.text_columns = table.header.size();
  for (const auto& [name, values] : Fields(runs)) {
    const bool same = std::all_of(values.begin(), values.end(), [&](const std::string& value) {
      return value == values.front();
    });
    if (only_differing && same) continue;
    HtmlRow row;
    row.cells.push_back({name});
    for (const std::string& value : values) row.cells.push_back({value});
    table.rows.push_back(std::move(row));
  }
  return table;
}

Result<Array::Ptr> ReadContenders(const Run& run) {
  const std::string path = (fs::path(run.folder) / kContendersFile).string();
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("contenders", path));
  try {
    return Poco::JSON::Parser().parse(text).extract<Array::Ptr>();
  } catch (const Poco::Exception& error) {
    return Status::Error(sqlstate::kBadCopyFileFormat,
                         fmt::format("{}: {}", path, error.displayText()));
  }
}

std::string TextOf(const Object& object, const std::string& name) {
  return object.optValue<std::string>(name, "");
}

std::vector<std::pair<std::string, std::string>> PairsOf(const Object& object,
                                                         const std::string& name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const Object::Ptr inner = object.getObject(name);
  if (inner.isNull()) return pairs;
  for (const std::string& key : inner->getNames()) pairs.emplace_back(key, TextOf(*inner, key));
  return pairs;
}

// The objects of a list; what is no object is none of ours.
std::vector<Object::Ptr> ObjectsOf(const Array::Ptr& array) {
  std::vector<Object::Ptr> objects;
  for (unsigned i = 0; !array.isNull() && i < array->size(); ++i) {
    if (const Object::Ptr object = array->getObject(i); !object.isNull()) {
      objects.push_back(object);
    }
  }
  return objects;
}

// What servers said alike while tables were made.
struct NoticeGroup {
  std::string key;    // severity and message without the names in it
  std::string first;  // severity and message
  size_t count = 0;
  std::vector<std::string> contenders;
  std::vector<std::string> workloads;
};

// table "a" does not exist -> table "" does not exist
std::string WithoutNames(const std::string& message) {
  std::string out;
  bool inside = false;
  for (const char c : message) {
    if (c == '"') inside = !inside;
    if (!inside || c == '"') out += c;
  }
  return out;
}

std::vector<NoticeGroup> GroupNotices(const Array& contenders) {
  std::vector<NoticeGroup> groups;
  const auto note = [](std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (unsigned i = 0; i < contenders.size(); ++i) {
    const Object::Ptr contender = contenders.getObject(i);
    if (contender.isNull()) continue;
    for (const Object::Ptr& notice : ObjectsOf(contender->getArray("notices"))) {
      const std::string text =
          fmt::format("{}: {}", TextOf(*notice, "severity"), TextOf(*notice, "message"));
      const std::string key = WithoutNames(text);
      auto group = std::find_if(groups.begin(), groups.end(),
                                [&](const NoticeGroup& known) { return known.key == key; });
      if (group == groups.end()) group = groups.insert(group, {key, text, 0, {}, {}});
      ++group->count;
      note(group->contenders, TextOf(*contender, "contender"));
      note(group->workloads, TextOf(*notice, "workload"));
    }
  }
  return groups;
}

// "fork, thread, postgres and 4 more"
std::string SomeOf(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const size_t shown = std::min(names.size(), kShown);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

std::string InWords(const NoticeGroup& group) {
  const std::string where =
      fmt::format("{}, workload{} {}", SomeOf(group.contenders),
                  group.workloads.size() == 1 ? "" : "s", SomeOf(group.workloads));
  if (group.count == 1) return fmt::format("{}: {}", where, group.first);
  return fmt::format("{}: {} notices like this: {}", where, group.count, group.first);
}

bool Has(const Run& run, std::string_view name) {
  std::error_code ignored;
  return fs::exists(fs::path(run.folder) / name, ignored);
}

std::vector<fs::path> InputFiles(const Run& run, std::error_code& error) {
  std::vector<fs::path> files;
  const fs::path folder = fs::path(run.folder) / kInputsFolder;
  for (auto entry = fs::recursive_directory_iterator(folder, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->symlink_status(error).type() == fs::file_type::regular) {
      files.push_back(entry->path());
    }
    if (files.size() > kMaxInputFiles) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string NameOf(const Run& run) {
  return run.info.run_id.empty() ? run.folder : run.info.run_id;
}

std::string Differences(std::span<const Run> runs) {
  if (runs.size() < 2) return "";
  return RenderTable(FieldTable(runs, true));
}

std::string Environment(std::span<const Run> runs) { return RenderTable(FieldTable(runs, false)); }

std::string EffectiveSettings(const Run& run) {
  if (!Has(run, kContendersFile)) {
    return Paragraph(
        "This run has no contenders.json, which runs of an older connbench do not write: how each "
        "contender was really configured is not known.");
  }
  const auto contenders = ReadContenders(run);
  if (!contenders.ok()) return Paragraph(contenders.status().ToString());
  HtmlTable versions;
  versions.header = {"contender", "program or setting", "value"};
  versions.text_columns = 3;
  versions.style_class = "words";
  HtmlTable settings;
  settings.header = {"contender", "part", "parameter", "value", "default"};
  settings.text_columns = 5;
  settings.style_class = "words";
  for (const Object::Ptr& contender : ObjectsOf(*contenders)) {
    const std::string name = TextOf(*contender, "contender");
    for (const char* list : {"versions", "settings"}) {
      for (const auto& [key, value] : PairsOf(*contender, list)) {
        versions.rows.push_back({{{name}, {key}, {value}}});
      }
    }
    for (const Object::Ptr& setting : ObjectsOf(contender->getArray("configuration"))) {
      settings.rows.push_back({{{name},
                                {TextOf(*setting, "part")},
                                {TextOf(*setting, "name")},
                                {TextOf(*setting, "value")},
                                {TextOf(*setting, "default")}}});
    }
  }
  std::string html = Paragraph(
      "What each contender said of itself before the first trial: its version, what the suite set, "
      "and every parameter that is not its program's default.");
  if (!versions.rows.empty()) html += RenderTable(versions);
  if (!settings.rows.empty()) html += RenderTable(settings);
  return html;
}

std::string Inputs(const Run& run) {
  if (!Has(run, kInputsFolder)) {
    return Paragraph(
        "This run has no folder inputs/, which runs of an older connbench do not write: suite, "
        "workloads and SQL are those of the commit it was built from.");
  }
  std::error_code error;
  const std::vector<fs::path> files = InputFiles(run, error);
  std::string html;
  if (error) html += Paragraph(fmt::format("inputs/ cannot be read: {}.", error.message()));
  for (size_t i = 0; i < std::min(files.size(), kMaxInputFiles); ++i) {
    const auto text = ReadNamedFile("input", files[i].string(), kMaxInputBytes);
    html += Folded(files[i].lexically_relative(run.folder).string(),
                   text.ok() ? Code(*text) : Paragraph(text.status().ToString()));
  }
  if (files.size() > kMaxInputFiles) {
    html += Paragraph(
        fmt::format("More than {} files; the others are in the run's folder.", kMaxInputFiles));
  }
  return html;
}

std::string TrialsLeftOut(const Run& run) {
  HtmlTable table;
  table.header = {"cell", "repetition", "status", "reason"};
  table.text_columns = 4;
  table.style_class = "words";
  for (const TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk) continue;
    table.rows.push_back(
        {{{row.cell}, {fmt::format("{}", row.repetition)}, {row.status}, {row.status_reason}}});
  }
  if (table.rows.empty()) return Paragraph("No trial was left out: every one is valid.");
  return RenderTable(table);
}

std::vector<std::string> Warnings(const Run& run) {
  std::vector<std::string> warnings;
  const results::RunInfo& info = run.info;
  if (info.outcome != "complete") {
    warnings.push_back(fmt::format("The run is {}: {} of {} trials were made.", info.outcome,
                                   info.trials_written, info.trials_planned));
  }
  std::map<std::string, std::set<int64_t>> repetitions;
  size_t not_ok = 0;
  for (const TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk) {
      repetitions[row.cell].insert(row.repetition);
    } else {
      ++not_ok;
    }
  }
  if (not_ok > 0) {
    warnings.push_back(fmt::format("{} of {} trials are INVALID and in none of the figures.",
                                   not_ok, run.trials.size()));
  }
  const auto single = std::count_if(repetitions.begin(), repetitions.end(),
                                    [](const auto& cell) { return cell.second.size() == 1; });
  if (single > 0) {
    warnings.push_back(
        fmt::format("{} of {} cells have one valid repetition: nothing says how far they scatter.",
                    single, repetitions.size()));
  }
  if (run.rows_left_out > 0) {
    warnings.push_back(
        fmt::format("{} rows of incomplete trials are left out.", run.rows_left_out));
  }
  if (!info.build_kind.empty() && info.build_kind != "release") {
    warnings.push_back(
        fmt::format("The build is {}; only release is for measuring.", info.build_kind));
  }
  if (info.git_dirty) {
    warnings.emplace_back("The program was built from a tree with uncommitted changes.");
  }
  if (!info.waived_checks.empty()) {
    warnings.push_back(
        fmt::format("Checks that were waived: {}.", fmt::join(info.waived_checks, ", ")));
  }
  if (!info.unsteady_cells.empty()) {
    warnings.push_back(fmt::format(
        "Cells that reached their last repetition before their interval was narrow enough: {}.",
        fmt::join(info.unsteady_cells, ", ")));
  }
  if (!Has(run, kContendersFile)) return warnings;
  const auto contenders = ReadContenders(run);
  if (!contenders.ok()) {
    warnings.push_back(contenders.status().ToString());
    return warnings;
  }
  for (const NoticeGroup& group : GroupNotices(**contenders)) {
    warnings.push_back(InWords(group));
  }
  return warnings;
}

}  // namespace connbench::plots
