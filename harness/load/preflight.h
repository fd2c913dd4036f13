// What is known before the first connection: whether what was asked for makes sense, which limits
// of this machine it needs, and whether the machine has them. Said beforehand rather than found out
// in the middle.
//
// Safety: raises this process's soft RLIMIT_NOFILE; otherwise pure. Errors name the limit and how
// to raise it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "harness/load/connection.h"
#include "harness/load/generator.h"
#include "harness/script/script.h"
#include "harness/workload/workload.h"

namespace connbench::load {

struct Preflight {
  std::vector<std::string> warnings;
  bool beyond_backlog = false;         // see LoadResult
  std::vector<SocketAddress> sources;  // to connect from; empty: the kernel's choice
};

// What needs no server. 22023 for numbers that are out of range and for parts of a workload that
// contradict each other, 53400 for more connections than descriptors, what is wrong in a script.
Status CheckConfig(const LoadConfig& config);

// The scripts of one of the workload's groups, with the variables it defines.
Result<ScriptSet> CompileScripts(const Workload& workload, const ClientGroup& group);

// source_addresses as in LoadConfig.
Result<Preflight> CheckLimits(const Workload& workload, const SocketAddress& server,
                              int source_addresses);

// Ports a client can use towards one server from one address.
int64_t EphemeralPorts();
// Upper bound of every listen queue on this machine.
int64_t SocketBacklogLimit();

}  // namespace connbench::load
