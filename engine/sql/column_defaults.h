// Column defaults: kept in the catalog as SQL text, turned into expressions where rows are made.
//
// Safety: private memory, one thread.
#pragma once

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/expression.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// The default of a column, in its type; a null if it has none. Its memory is the arena's.
Result<Expression*> AnalyzeDefault(const ColumnInfo& column, Arena& arena);

}  // namespace connbench::engine
