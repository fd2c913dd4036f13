// Names of relations in texts, as nextval('"My"."Seq"') has them: PostgreSQL's regclass input.
//
// Safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {

// The parts of a qualified name: folded to lower case unless quoted, truncated. 42602 "invalid name
// syntax".
Result<std::vector<std::string>> SplitQualifiedName(std::string_view text);

// The relation's name without its schema. 3F000 for a schema other than public, 0A000 for another
// database, 42601 for more than three parts.
Result<std::string> RelationNameOf(std::string_view text, std::string_view database);

// In quotes, whether it needs them or not.
std::string QuoteIdentifier(std::string_view name);

}  // namespace connbench::engine
