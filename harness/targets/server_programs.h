// Where the programs of other servers are, and as whom they run.
//
// Safety: control plane; any thread. Errors: 58P01-like 42704 with the Debian package that has the
// program.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/child_process.h"
#include "base/status.h"

namespace connbench::targets {

// Looks in the folders of CONNBENCH_SERVER_PATH (separated by colons) if it is set, otherwise in
// those of PATH, then of Debian's PostgreSQL (/usr/lib/postgresql/N/bin, the highest N first), then
// in /usr/local/sbin and /usr/sbin.
Result<std::string> FindServerProgram(const std::string& name, std::string_view package);

// A file that can be run.
bool IsProgram(const std::string& path);

// PostgreSQL refuses to run as root and PgBouncer does: then "postgres", or "nobody" where there is
// no such user. Nothing if we are not root: they run as we do.
Result<std::optional<UserIds>> UnprivilegedUser();

// Runs a program to its end, as that user; what it printed. Errors: it failed or took longer than a
// minute, with its last words.
Result<std::string> RunProgram(ChildOptions options);

// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "PgBouncer 1.18.0\n...".
struct ProgramVersion {
  std::string text;  // that line
  int major = 0;
  int minor = 0;
};
Result<ProgramVersion> ParseProgramVersion(std::string_view text);

// A free port of 127.0.0.1, from below those that the kernel gives to outgoing connections, so that
// none of them takes it before the server does.
Result<int> FindFreePort();

}  // namespace connbench::targets
