// Which queries of a WITH RECURSIVE read which, and whether one that reads itself does it where a
// recursion has a meaning.
//
// Who may call: analysis, in engine/sql only.
// Safety: pure functions on a tree that the caller keeps alive.
// Errors: PostgreSQL's: 42P19 for a recursion of another form, 0A000 for queries that read each
// other, and for ORDER BY and its like on a recursion; with positions.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/sql/ast.h"

namespace connbench::engine {

struct WithQuery {
  const PgQuery__CommonTableExpr* expression = nullptr;
  bool reads_itself = false;
};

// The queries of a WITH RECURSIVE, each behind those that it reads.
Result<std::vector<WithQuery>> OrderWithQueries(std::string_view sql,
                                                const PgQuery__WithClause& with);

}  // namespace connbench::engine
