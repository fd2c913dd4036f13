// An error on its way from a worker to its leader.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace connbench::engine {

std::string WriteError(const ErrorInfo& error);
// With PostgreSQL's line of context: "parallel worker".
Status ReadError(std::string_view bytes);

}  // namespace connbench::engine
