// What a suite can vary of a workload beside its connections: numbers that a workload file gives a
// default for, by name. One table row per parameter (parameter.cc); "define.NAME" is a variable of
// the scripts.
//
// Safety: pure functions of plain values; control plane. Errors: 42704 for a name that does not
// exist (with near names), 22023 for a value that it cannot have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "harness/workload/workload.h"

namespace connbench::load {

Status SetParameter(Workload& workload, std::string_view name, const std::string& value);

// 22023 if nothing in the workload uses the parameter: to vary it would repeat one cell.
Status CheckUsed(const Workload& workload, std::string_view name);

struct ParameterDescription {
  std::string_view name;
  std::string_view help;
};
std::vector<ParameterDescription> AllParameters();

}  // namespace connbench::load
