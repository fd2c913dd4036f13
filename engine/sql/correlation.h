// What a query inside an expression reads of the queries around it.
//
// A column of an outer query becomes an argument of the subquery's expression, and inside it a cell
// that holds the argument's value (executor/nodes/subplan.h). From two levels out it passes through
// the query in between in the same way. Subqueries in FROM, WITH queries and the arms of set
// operations share the correlation of the query that they belong to.
//
// Who may call: analysis, in engine/sql only.
// Safety: private memory, one thread. Ownership: on the stack of the analysis of the subquery; its
// expressions live in the plan's arena.
// Errors: scope.h's.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/builder.h"
#include "engine/executor/nodes/subplan.h"
#include "engine/sql/scope.h"

namespace connbench::engine {

struct Correlation {
  struct Import {
    Expression* value;  // in the query around
    Expression* cell;   // in the subquery
  };

  const Scope* outer = nullptr;  // where the subquery stands
  std::vector<Import> imports;
  QueryParts parts;
  // Of a query around it, and so perhaps another one when that query runs again.
  bool reads_outer_common_table = false;
};

// The column that a reference means, in this scope or in one around it.
Result<Expression*> ResolveColumn(ExpressionBuilder& builder, std::string_view sql,
                                  const Scope& scope, const PgQuery__ColumnRef& reference);
// The item before ".*", and the scope that it was found in.
struct ResolvedItem {
  const Scope* scope = nullptr;
  const ScopeItem* item = nullptr;
};
Result<ResolvedItem> ResolveItem(std::string_view sql, const Scope& scope,
                                 const PgQuery__ColumnRef& reference);
// The column of owner, which is scope or one around it, as an expression in scope.
Result<Expression*> ReferToColumn(ExpressionBuilder& builder, const Scope& scope,
                                  const Scope& owner, const ScopeColumn& column, int location);

}  // namespace connbench::engine
