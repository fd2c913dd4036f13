// Names of character encodings, compared as PostgreSQL compares them: letters and digits count, in
// any case; quotes and punctuation do not. asyncpg, for one, sends "'utf-8'" with its quotes.
//
// Safety: constant data and a pure function; any thread.
#pragma once

#include <string_view>

#include "base/status.h"

namespace connbench::engine {

// "UTF8" or "SQL_ASCII" for all of their names. 0A000 for an encoding that exists, but that there
// is no conversion for; 22023 for a name that PostgreSQL does not know either.
Result<std::string_view> CanonicalEncoding(std::string_view name);

}  // namespace connbench::engine
