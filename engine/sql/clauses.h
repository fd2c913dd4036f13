// Refuses what the parser accepts and this engine would ignore.
//
// The parse tree of a statement has a field for every clause of PostgreSQL's grammar. This table
// names, for each kind of node that a statement or definition is made of, the fields that the
// engine reads, or whose meaning it has without reading them. Any other field that a statement sets
// is a clause that would be dropped in silence: 0A000. Expressions are not looked into: their
// analysis (expression_analyzer.cc) refuses by itself what it does not know, and checks subqueries.
//
// Safety: a constant table and pure functions; any thread.
#pragma once

#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/sql/ast.h"

namespace connbench::engine {

struct KnownFields {
  const ProtobufCMessageDescriptor* message;
  // Separated by blanks, as the grammar's tree names them.
  std::string_view read;
  // Have no meaning here: says why in clauses.cc.
  std::string_view harmless;
};
std::span<const KnownFields> KnownClauses();

// Else the first statement of each forked backend would do it.
void BuildClauseTable();

// sql: what locations count in; start: where the statement begins; database: the session's, which
// names of relations may mention.
Status CheckClauses(std::string_view sql, const ast::Node& statement, int start,
                    std::string_view database);

}  // namespace connbench::engine
