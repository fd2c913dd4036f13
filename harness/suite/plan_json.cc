// The resolved plan of a run as JSON.
#include "harness/suite/plan_json.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include "harness/workload/workload_json.h"

namespace connbench::suite {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Object::Ptr NewObject() { return new Object(Poco::JSON_PRESERVE_KEY_ORDER); }

template <typename T>
Array::Ptr ListOf(const std::vector<T>& values) {
  Array::Ptr array = new Array;
  for (const T& value : values) array->add(value);
  return array;
}

// A list, because their order decides and a name may come twice.
Array::Ptr PairsOf(const Pairs& pairs) {
  Array::Ptr array = new Array;
  for (const auto& [name, value] : pairs) array->add(ListOf<std::string>({name, value}));
  return array;
}

template <typename T>
std::vector<T> ReadList(const Object& object, const std::string& key) {
  std::vector<T> values;
  Array::Ptr array = object.getArray(key);
  if (array.isNull()) throw Poco::DataFormatException("no list " + key);
  for (size_t i = 0; i < array->size(); ++i) values.push_back(array->getElement<T>(i));
  return values;
}

Pairs ReadPairs(const Object& object, const std::string& key) {
  Pairs pairs;
  Array::Ptr array = object.getArray(key);
  if (array.isNull()) throw Poco::DataFormatException("no list " + key);
  for (size_t i = 0; i < array->size(); ++i) {
    Array::Ptr pair = array->getArray(i);
    if (pair.isNull() || pair->size() != 2) throw Poco::DataFormatException(key + ": no pair");
    pairs.emplace_back(pair->getElement<std::string>(0), pair->getElement<std::string>(1));
  }
  return pairs;
}

Object::Ptr ReadObject(const Object& object, const std::string& key) {
  Object::Ptr found = object.getObject(key);
  if (found.isNull()) throw Poco::DataFormatException("no object " + key);
  return found;
}

// For a Status within code that throws.
template <typename T>
T Take(Result<T> result) {
  if (!result.ok()) throw Poco::DataFormatException(result.status().ToString());
  return std::move(*result);
}

load::Workload ReadWorkload(const Object& object) {
  std::ostringstream text;
  object.stringify(text);
  return Take(load::ReadWorkloadJson(text.str()));
}

Object::Ptr WorkloadObject(const load::Workload& workload) {
  return Poco::JSON::Parser().parse(load::WriteWorkloadJson(workload)).extract<Object::Ptr>();
}

Object::Ptr UntilObject(const Until& until) {
  Object::Ptr object = NewObject();
  object->set("metric", until.metric);
  object->set("interval", until.interval);
  object->set("max_repetitions", until.max_repetitions);
  return object;
}

Object::Ptr CellObject(const Cell& cell) {
  Object::Ptr object = NewObject();
  object->set("name", cell.name);
  object->set("target", cell.target.text);
  object->set("settings", PairsOf(cell.settings));
  object->set("parameters", PairsOf(cell.parameters));
  object->set("repetitions", cell.repetitions);
  if (cell.until) object->set("until", UntilObject(*cell.until));
  object->set("workload", WorkloadObject(cell.workload));
  return object;
}

// folder: where files that it names by relative paths lie.
Cell ReadCell(const Object& object, const std::string& folder) {
  Cell cell;
  cell.name = object.getValue<std::string>("name");
  const auto target = object.getValue<std::string>("target");
  cell.files_folder = folder;
  cell.target.text = target;
  cell.target = Take(targets::FindTarget(cell.Request().name.text));
  cell.target.text = target;
  cell.settings = ReadPairs(object, "settings");
  cell.parameters = ReadPairs(object, "parameters");
  cell.repetitions = object.getValue<int>("repetitions");
  if (object.has("until")) {
    Object::Ptr until = ReadObject(object, "until");
    cell.until = Until{until->getValue<std::string>("metric"), until->getValue<double>("interval"),
                       until->getValue<int>("max_repetitions")};
  }
  cell.workload = ReadWorkload(*ReadObject(object, "workload"));
  return cell;
}

// A crossover goes on planning: with its experiment, and what the suite and the user have set.
Object::Ptr CrossoverObject(const RunPlanInputs& inputs) {
  const Crossover& crossover = *inputs.plan.crossover;
  Object::Ptr object = NewObject();
  object->set("base", crossover.base);
  object->set("candidate", crossover.candidate);
  object->set("parameter", crossover.parameter);
  object->set("metric", crossover.metric);
  object->set("from", crossover.from);
  object->set("to", crossover.to);
  object->set("repetitions", crossover.repetitions);
  object->set("max_repetitions", crossover.max_repetitions);
  object->set("resolution", crossover.resolution);
  const Experiment& experiment = crossover.experiment;
  object->set("connections", ListOf(experiment.connections));
  if (experiment.duration_ns) object->set("duration_ns", *experiment.duration_ns);
  if (experiment.warmup_ns) object->set("warmup_ns", *experiment.warmup_ns);
  Array::Ptr settings = new Array;
  for (const SettingAxis& axis : experiment.settings) {
    Object::Ptr one = NewObject();
    one->set("name", axis.name);
    one->set("values", ListOf(axis.values));
    settings->add(one);
  }
  object->set("settings", settings);
  object->set("suite_settings", PairsOf(inputs.suite.settings));
  object->set("override_settings", PairsOf(inputs.overrides.settings));
  object->set("override_connections", ListOf(inputs.overrides.connections));
  object->set("override_duration_ns", inputs.overrides.duration_ns);
  object->set("workload", WorkloadObject(*experiment.resolved));
  return object;
}

void ReadCrossover(const Object& object, RunPlanInputs& inputs) {
  Crossover crossover;
  crossover.base = object.getValue<std::string>("base");
  crossover.candidate = object.getValue<std::string>("candidate");
  crossover.parameter = object.getValue<std::string>("parameter");
  crossover.metric = object.getValue<std::string>("metric");
  crossover.from = object.getValue<int64_t>("from");
  crossover.to = object.getValue<int64_t>("to");
  crossover.repetitions = object.getValue<int>("repetitions");
  crossover.max_repetitions = object.getValue<int>("max_repetitions");
  crossover.resolution = object.getValue<double>("resolution");
  Experiment& experiment = crossover.experiment;
  experiment.connections = ReadList<int>(object, "connections");
  if (object.has("duration_ns")) experiment.duration_ns = object.getValue<int64_t>("duration_ns");
  if (object.has("warmup_ns")) experiment.warmup_ns = object.getValue<int64_t>("warmup_ns");
  Array::Ptr settings = object.getArray("settings");
  for (size_t i = 0; !settings.isNull() && i < settings->size(); ++i) {
    Object::Ptr axis = settings->getObject(static_cast<unsigned>(i));
    if (axis.isNull()) throw Poco::DataFormatException("settings: no object");
    experiment.settings.push_back(
        {axis->getValue<std::string>("name"), ReadList<std::string>(*axis, "values")});
  }
  experiment.resolved = ReadWorkload(*ReadObject(object, "workload"));
  experiment.workload = experiment.resolved->name;
  inputs.suite.settings = ReadPairs(object, "suite_settings");
  inputs.overrides.settings = ReadPairs(object, "override_settings");
  inputs.overrides.connections = ReadList<int>(object, "override_connections");
  inputs.overrides.duration_ns = object.getValue<int64_t>("override_duration_ns");
  inputs.suite.crossover = crossover;
  inputs.plan.crossover = std::move(crossover);
}

RunPlanInputs Read(const Object& root, const std::string& folder) {
  if (root.getValue<int>("version") != kPlanVersion) {
    throw Poco::DataFormatException(fmt::format("version {}, this program knows {}",
                                                root.getValue<int>("version"), kPlanVersion));
  }
  RunPlanInputs inputs;
  inputs.plan.suite = root.getValue<std::string>("suite");
  inputs.suite.name = inputs.plan.suite;
  inputs.suite.files_folder = folder;
  inputs.plan.seed = root.getValue<uint64_t>("seed");
  inputs.overrides.has_seed = true;
  inputs.overrides.seed = inputs.plan.seed;
  inputs.waived = ReadList<std::string>(root, "waived");
  Array::Ptr cells = root.getArray("cells");
  if (cells.isNull() || cells->size() == 0) throw Poco::DataFormatException("no cells");
  for (size_t i = 0; i < cells->size(); ++i) {
    Object::Ptr cell = cells->getObject(static_cast<unsigned>(i));
    if (cell.isNull()) throw Poco::DataFormatException("cells: no object");
    inputs.plan.cells.push_back(ReadCell(*cell, folder));
  }
  Array::Ptr trials = root.getArray("trials");
  if (trials.isNull()) throw Poco::DataFormatException("no trials");
  for (size_t i = 0; i < trials->size(); ++i) {
    Array::Ptr trial = trials->getArray(static_cast<unsigned>(i));
    if (trial.isNull() || trial->size() != 3) throw Poco::DataFormatException("trials: no triple");
    const Trial read{trial->getElement<size_t>(0), trial->getElement<int>(1),
                     trial->getElement<uint64_t>(2)};
    if (read.cell >= inputs.plan.cells.size() || read.repetition < 1) {
      throw Poco::DataFormatException(fmt::format("trial {} is of no cell", i + 1));
    }
    inputs.plan.trials.push_back(read);
  }
  if (root.has("crossover")) ReadCrossover(*ReadObject(root, "crossover"), inputs);
  return inputs;
}

}  // namespace

std::string WritePlanJson(const RunPlanInputs& inputs) {
  Object root(Poco::JSON_PRESERVE_KEY_ORDER);
  root.set("version", kPlanVersion);
  root.set("suite", inputs.plan.suite);
  root.set("seed", inputs.plan.seed);
  root.set("waived", ListOf(inputs.waived));
  Array::Ptr cells = new Array;
  for (const Cell& cell : inputs.plan.cells) cells->add(CellObject(cell));
  root.set("cells", cells);
  Array::Ptr trials = new Array;
  for (const Trial& trial : inputs.plan.trials) {
    Array::Ptr one = new Array;
    one->add(trial.cell);
    one->add(trial.repetition);
    one->add(trial.seed);
    trials->add(one);
  }
  root.set("trials", trials);
  if (inputs.plan.crossover) root.set("crossover", CrossoverObject(inputs));
  std::ostringstream text;
  root.stringify(text, 1);
  return text.str() + "\n";
}

Result<RunPlanInputs> ReadPlanJson(const std::string& text, const std::string& file_name) {
  std::string wrong;
  try {
    const auto root = Poco::JSON::Parser().parse(text).extract<Object::Ptr>();
    if (!root.isNull()) {
      return Read(*root, std::filesystem::absolute(file_name).parent_path().string());
    }
    wrong = "no JSON object";
  } catch (const Poco::Exception& error) {
    wrong = error.displayText();
  }
  return Status::Error(sqlstate::kBadCopyFileFormat, fmt::format("{}: {}", file_name, wrong))
      .WithHint("The plan cannot be read; begin a new run with connbench run.");
}

}  // namespace connbench::suite
