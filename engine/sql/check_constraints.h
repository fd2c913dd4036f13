// CHECK constraints: kept in the catalog as SQL text, turned into conditions where rows are made.
//
// Safety: private memory, one thread. Errors: PostgreSQL's, with positions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/nodes/table.h"
#include "engine/sql/ast.h"
#include "engine/sql/scope.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// What errors call a condition: "... not allowed in CLAUSE", "argument of KEYWORD must be ...".
struct RowCondition {
  std::string_view clause;
  std::string_view keyword;
};
// A condition over a row of a table, without subqueries. sql: the statement's text, which must
// outlive it like the arena.
Result<Expression*> AnalyzeRowCondition(std::string_view sql, const PgQuery__Node& condition,
                                        std::string_view table, std::span<const ColumnInfo> columns,
                                        RowCondition called, Arena& arena);

// The text under which the catalog keeps the condition of a constraint, and the columns that it
// reads; oid and name are left to the caller. sql: the statement's text; environment: for literals
// such as 'now'.
Result<CheckInfo> MakeCheck(std::string_view sql, const PgQuery__Node& condition,
                            std::string_view table, std::span<const ColumnInfo> columns,
                            EvalEnvironment& environment);

// The condition over a row of the table. Its memory is the arena's.
Result<Expression*> ReadStoredCheck(const RelationInfo& table, const CheckInfo& check,
                                    Arena& arena);

// The names that an expression over a row of the table may use.
Scope ScopeOfRow(std::string_view table, std::span<const ColumnInfo> columns);

// Lets the table test its rows. The conditions' memory is the arena's, which must outlive it.
Status LoadChecks(Table& table, Arena& arena);

}  // namespace connbench::engine
