// How a command says what is wrong: on stderr, the message first, then detail and hint on lines of
// their own. No SQLSTATE: that is for clients of a server.
//
// Called by the programs' commands. Safety: writes to stderr; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/exit_code.h"
#include "base/status.h"

namespace connbench {

// who: "connbench run". Returns the code, so that a command can end with it.
int PrintError(std::string_view who, const Status& status, ExitCode code);

// Status::ToString() with " [SQLSTATE]" behind it: what a server has told a client, for a record.
std::string WithSqlstate(const Status& status);

}  // namespace connbench
