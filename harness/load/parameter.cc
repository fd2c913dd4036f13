#include "harness/load/parameter.h"

#include <fmt/format.h>

#include <charconv>

#include "base/near_names.h"
#include "harness/load/generator.h"

namespace connbench::load {
namespace {

constexpr std::string_view kDefinePrefix = "define.";

struct Parameter {
  std::string_view name;
  int64_t min;
  int64_t max;
  void (*set)(Workload& workload, int64_t value);
  std::string_view help;
};

constexpr Parameter kParameters[] = {
    {"transactions_per_connection", 1, 1'000'000'000,
     [](Workload& workload, int64_t value) { workload.transactions_per_connection = value; },
     "churn: length of a session, before its connection is closed"},
    {"active", 0, kMaxConnections,
     [](Workload& workload, int64_t value) { workload.active = static_cast<int>(value); },
     "idle: how many of the connections work"},
    {"scale", 1, 100'000, [](Workload& workload, int64_t value) { workload.scale = value; },
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
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < parameter.min ||
        number > parameter.max) {
      return Bad(fmt::format("{} is \"{}\", must be a whole number from {} to {}", name, value,
                             parameter.min, parameter.max));
    }
    parameter.set(workload, number);
    return Status::Ok();
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("a workload has no parameter \"{}\"", name))
      .WithHint(
          fmt::format("{} Variables of the scripts are define.NAME.", SuggestNames(name, known)));
}

std::vector<ParameterDescription> AllParameters() {
  std::vector<ParameterDescription> all;
  for (const Parameter& parameter : kParameters) all.push_back({parameter.name, parameter.help});
  all.push_back({"define.NAME", "a variable of the scripts"});
  return all;
}

}  // namespace connbench::load
