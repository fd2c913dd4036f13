// What PostgreSQL calls by name, so that what this engine lacks (0A000) is told from what does not
// exist (42883).
//
// Safety: constant data; any thread.
#pragma once

#include <string_view>

namespace connbench::engine {

bool PostgresHasFunction(std::string_view name);
bool PostgresHasOperator(std::string_view name);

}  // namespace connbench::engine
