// The names of workloads, groups and suites stand in file names, tables and on terminals.
//
// Safety: pure; any thread. Errors: 42602 and what a name can be.
#pragma once

#include <string_view>

#include "base/status.h"

namespace connbench::load {

inline constexpr size_t kMaxNameBytes = 100;

// what: "suite", "workload", for the message.
Status CheckName(std::string_view name, std::string_view what);

}  // namespace connbench::load
