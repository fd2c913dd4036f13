// The program of a `fork-exec` backend, started anew for one connection, as PostgreSQL starts
// itself with --forkchild where there is no fork.
//
// Safety: called first thing in main(), before the program has started threads or opened anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/server_security.h"

namespace connbench::models {

// What a backend must be told: everything else it finds in the segment, or in the files that these
// settings name.
struct ExecBackendArguments {
  std::string segment;
  int fd = -1;
  uint32_t connection_id = 0;
  protocol::SecuritySettings security{};
};

// Replaces the process's program by this one, which calls RunExecBackend(). Returns only when that
// fails: an errno.
int ExecBackend(const std::string& program, const ExecBackendArguments& arguments);

// If these are the arguments of a backend: serves the connection and returns the exit code.
std::optional<int> RunExecBackend(int argc, char** argv);

}  // namespace connbench::models
