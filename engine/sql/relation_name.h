// Names of relations in texts, as nextval('"My"."Seq"') has them: PostgreSQL's regclass input.
//
// Safety: pure functions.
#pragma once

#include <functional>
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

// A name for what belongs to a table: "table_columns_label", or "table_label" where columns is
// empty; with a number if that is taken. As PostgreSQL's, the longer of the first two parts is cut
// until all of it has room.
Result<std::string> ChooseObjectName(
    std::string_view table, std::string_view columns, std::string_view label,
    const std::function<Result<bool>(std::string_view name)>& is_taken);

// In quotes, whether it needs them or not.
std::string QuoteIdentifier(std::string_view name);

}  // namespace connbench::engine
