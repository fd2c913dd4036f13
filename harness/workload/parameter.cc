// What a suite can vary of a workload beside its connections.
#include "harness/workload/parameter.h"

#include <fmt/format.h>

#include <cctype>

#include "base/near_names.h"
#include "base/number.h"

namespace connbench::load {
namespace {

constexpr std::string_view kDefinePrefix = "define.";

struct Parameter {
  std::string_view name;
  int64_t min;
  int64_t max;
  void (*set)(Workload& workload, int64_t value);
  bool (*used)(const Workload& workload);
  std::string_view help;
};

bool Refers(const std::string& text, std::string_view variable) {
  for (size_t at = text.find(':'); at != std::string::npos; at = text.find(':', at + 1)) {
    const std::string_view rest = std::string_view(text).substr(at + 1);
    const bool ends = rest.size() == variable.size() ||
                      (rest.size() > variable.size() && rest[variable.size()] != '_' &&
                       std::isalnum(static_cast<unsigned char>(rest[variable.size()])) == 0);
    if (rest.starts_with(variable) && ends) return true;
  }
  return false;
}

// Whether a script, or what fills the tables, names the variable.
bool RefersTo(const Workload& workload, std::string_view variable) {
  if (Refers(workload.setup.text, variable)) return true;
  for (const ClientGroup& group : workload.AllGroups()) {
    for (const ScriptSource& script : group.scripts) {
      if (Refers(script.text, variable)) return true;
    }
  }
  return false;
}

// At the spacing that the workload gives.
void SetRate(ArrivalSpec& spec, int64_t value) {
  auto parsed = ParseArrivals(std::to_string(value), spec.arrival_text, "");
  if (parsed.ok()) spec = std::move(*parsed);
}

// An open loop: where things are due at a rate already, so that another rate is no other pattern.
bool HasRate(const ArrivalSpec& spec) {
  return spec.given() && spec.spacing != ArrivalSpec::Spacing::kAtOnce && spec.instants.empty();
}

constexpr int64_t kLargestRate = static_cast<int64_t>(kMaxRate);

constexpr Parameter kParameters[] = {
    {"transactions_per_connection", 1, 1'000'000'000,
     [](Workload& workload, int64_t value) { workload.transactions_per_connection = value; },
     [](const Workload& workload) { return RowOf(workload.pattern).Has(kSessionsComeAndGo); },
     "churn: length of a session, before its connection is closed"},
    {"active", 0, kMaxConnections,
     [](Workload& workload, int64_t value) { workload.active = static_cast<int>(value); },
     [](const Workload& workload) { return workload.pattern == Pattern::kIdle; },
     "idle: how many of the connections work"},
    {"rate", 1, kLargestRate,
     [](Workload& workload, int64_t value) { SetRate(workload.arrivals, value); },
     [](const Workload& workload) { return HasRate(workload.arrivals); },
     "open loop: transactions a second, of a workload that has a rate"},
    {"connect_rate", 1, kLargestRate,
     [](Workload& workload, int64_t value) { SetRate(workload.connect_arrivals, value); },
     [](const Workload& workload) { return HasRate(workload.connect_arrivals); },
     "connects a second, of a workload that has a connect_rate"},
    {"scale", 1, kMaxScale, [](Workload& workload, int64_t value) { workload.scale = value; },
     [](const Workload& workload) { return RefersTo(workload, "scale"); },
     ":scale of the tables and scripts"},
};

Status Bad(std::string message) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
}

}  // namespace

Status SetParameter(Workload& workload, std::string_view name, const std::string& value) {
  if (name.starts_with(kDefinePrefix) && name.size() > kDefinePrefix.size()) {
    workload.define[std::string(name.substr(kDefinePrefix.size()))] = value;
    return Status::Ok();
  }
  std::vector<std::string_view> known;
  for (const Parameter& parameter : kParameters) {
    known.push_back(parameter.name);
    if (parameter.name != name) continue;
    const auto number = ParseWholeNumber(value, parameter.min, parameter.max);
    if (!number.ok()) {
      return Bad(fmt::format("{} is \"{}\", must be a whole number from {} to {}", name, value,
                             parameter.min, parameter.max));
    }
    parameter.set(workload, *number);
    return Status::Ok();
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("a workload has no parameter \"{}\"", name))
      .WithHint(
          fmt::format("{} Variables of the scripts are define.NAME.", SuggestNames(name, known)));
}

Status CheckUsed(const Workload& workload, std::string_view name) {
  bool used = true;
  if (name.starts_with(kDefinePrefix)) {
    used = RefersTo(workload, name.substr(kDefinePrefix.size()));
  }
  for (const Parameter& parameter : kParameters) {
    if (parameter.name == name) used = parameter.used(workload);
  }
  if (used) return Status::Ok();
  return Bad(fmt::format("nothing in the workload {} uses {}", workload.name, name))
      .WithHint("Its cells would differ in their names alone: leave it out, or use it.");
}

std::vector<ParameterDescription> AllParameters() {
  std::vector<ParameterDescription> all;
  for (const Parameter& parameter : kParameters) all.push_back({parameter.name, parameter.help});
  all.push_back({"define.NAME", "a variable of the scripts"});
  return all;
}

}  // namespace connbench::load
