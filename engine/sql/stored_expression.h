// Expressions as SQL text that the catalog keeps: printed so that reading the text gives the same
// expression again. EXPLAIN prints for people (engine/executor/nodes/explain.h); this is for
// reading.
//
// Safety: private memory, one thread.
#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "engine/executor/expression/expression.h"

namespace connbench::engine {

// An expression without parameters. columns: the names of the row's; empty: it has none.
// Every constant carries its type, every call its casts, so that analysis has nothing to choose. An
// error if the expression has a parameter, a subquery or another column.
Result<std::string> PrintStoredExpression(const Expression& expression,
                                          std::span<const std::string> columns = {});

// Literals whose value depends on the session ('now'::timestamp, a time without a zone) become the
// value that they have now, as in PostgreSQL, which reads a literal once: when it is written.
Status FixSessionLiterals(Expression& expression, Arena& arena, EvalEnvironment& environment);

}  // namespace connbench::engine
