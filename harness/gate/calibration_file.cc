// The file in which a machine keeps its calibration.
#include "harness/gate/calibration_file.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/read_file.h"
#include "harness/observe/environment.h"
#include "results/schema.h"

namespace connbench::gate {
namespace {

namespace fs = std::filesystem;

constexpr int kFileVersion = 2;

}  // namespace

std::string DefaultCalibrationFile() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') {
    return std::string(state) + "/connbench/gate-calibration.json";
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) +
         "/.local/state/connbench/gate-calibration.json";
}

std::string MachineOf() {
  results::RunInfo info;
  observe::DescribeMachine(info);
  return fmt::format("{}, {} x {}, Linux {}", info.hostname, info.cpus_online, info.cpu_model,
                     info.kernel);
}

Status WriteCalibration(const Calibration& calibration, const std::string& path) {
  Poco::JSON::Object root(Poco::JSON_PRESERVE_KEY_ORDER);
  root.set("version", kFileVersion);
  root.set("machine", calibration.machine);
  root.set("made_at", calibration.made_at);
  root.set("contender", calibration.contender);
  root.set("window_ns", calibration.window_ns);
  root.set("budget_ns", calibration.budget_ns);
  root.set("margin", calibration.margin);
  root.set("rounds", calibration.rounds);
  root.set("gates", calibration.gates);
  root.set("false_alarms", calibration.false_alarms);
  root.set("false_alarm_bound", calibration.false_alarm_bound);
  Poco::JSON::Array rows;
  for (const CalibratedRow& row : calibration.rows) {
    Poco::JSON::Object entry(Poco::JSON_PRESERVE_KEY_ORDER);
    entry.set("workload", row.workload);
    entry.set("metric", row.metric);
    entry.set("noise", row.noise);
    if (row.smallest_effect) entry.set("smallest_effect", *row.smallest_effect);
    rows.add(entry);
  }
  root.set("rows", rows);
  std::error_code error;
  if (fs::path(path).has_parent_path()) fs::create_directories(fs::path(path).parent_path(), error);
  std::ofstream file(path);
  root.stringify(file, 2);
  file << '\n';
  file.close();
  if (!file) return Status::System("cannot write the calibration " + path, errno);
  return Status::Ok();
}

Result<std::optional<Calibration>> ReadCalibration(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::optional<Calibration>();
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("calibration file", path));
  const auto bad = [&](const std::string& what) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("{} is no calibration: {}", path, what))
        .WithHint("Make a new one with connbench gate --calibrate.");
  };
  try {
    Poco::JSON::Parser parser;
    const auto root = parser.parse(text).extract<Poco::JSON::Object::Ptr>();
    if (root->getValue<int>("version") != kFileVersion) return bad("it has another version");
    Calibration calibration;
    calibration.machine = root->getValue<std::string>("machine");
    calibration.made_at = root->getValue<std::string>("made_at");
    calibration.contender = root->getValue<std::string>("contender");
    calibration.window_ns = root->getValue<int64_t>("window_ns");
    calibration.budget_ns = root->getValue<int64_t>("budget_ns");
    calibration.margin = root->getValue<double>("margin");
    calibration.rounds = root->getValue<int64_t>("rounds");
    calibration.gates = root->getValue<int64_t>("gates");
    calibration.false_alarms = root->getValue<int64_t>("false_alarms");
    calibration.false_alarm_bound = root->getValue<double>("false_alarm_bound");
    const auto rows = root->getArray("rows");
    if (rows.isNull()) return bad("it has no rows");
    for (size_t i = 0; i < rows->size(); ++i) {
      const auto entry = rows->getObject(static_cast<unsigned>(i));
      if (entry.isNull()) return bad("a row is no object");
      CalibratedRow row;
      row.workload = entry->getValue<std::string>("workload");
      row.metric = entry->getValue<std::string>("metric");
      row.noise = entry->getValue<double>("noise");
      if (entry->has("smallest_effect")) {
        row.smallest_effect = entry->getValue<double>("smallest_effect");
      }
      calibration.rows.push_back(std::move(row));
    }
    return std::optional<Calibration>(std::move(calibration));
  } catch (const Poco::Exception& exception) {
    return bad(exception.displayText());
  }
}

}  // namespace connbench::gate
