// Column defaults: kept in the catalog as SQL text, turned into expressions where rows are made.
//
// Safety: private memory, one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/expression.h"
#include "engine/sql/ast.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// The SQL text under which the catalog keeps a default, once it is known to fit the column and to
// be readable again; empty: it is none. sql: the statement's text; environment: for literals such
// as 'now'; sequences gets the names, as written, of those that the default calls nextval() and the
// like for.
Result<std::string> DefaultText(std::string_view sql, const PgQuery__Node& expression,
                                const ColumnInfo& column, EvalEnvironment& environment,
                                std::vector<std::string>& sequences);

// The expression that the column's text stands for, in its own type; there must be a text. Its
// memory is the arena's.
Result<Expression*> ReadStoredDefault(const ColumnInfo& column, Arena& arena);

// The default of a column, in its type; a null if it has none. Its memory is the arena's.
Result<Expression*> AnalyzeDefault(const ColumnInfo& column, Arena& arena);

}  // namespace connbench::engine
