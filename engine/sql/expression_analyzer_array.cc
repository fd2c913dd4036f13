// Expressions of arrays: ARRAY[...], array[subscript].
#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {

using ast::LocationOf;
using ast::Node;

Result<Expression*> ExpressionAnalyzer::VisitArray(const Node& node, Oid element) {
  const PgQuery__AArrayExpr& array = *node.a_array_expr;
  CONNBENCH_ASSIGN_OR_RETURN(const auto elements, VisitList(array.elements, array.n_elements));
  return builder_.Array(elements, element, array.location);
}

// array[subscript]
Result<Expression*> ExpressionAnalyzer::VisitSubscript(const Node& node) {
  const PgQuery__AIndirection& indirection = *node.a_indirection;
  const bool one = indirection.n_indirection == 1 &&
                   indirection.indirection[0]->node_case == PG_QUERY__NODE__NODE_A_INDICES &&
                   !indirection.indirection[0]->a_indices->is_slice;
  if (!one) return NotSupported("selecting a field or part of an expression", LocationOf(node));
  CONNBENCH_ASSIGN_OR_RETURN(Expression * array, Visit(*indirection.arg));
  CONNBENCH_ASSIGN_OR_RETURN(Expression * subscript,
                             Visit(*indirection.indirection[0]->a_indices->uidx));
  return builder_.ArrayElement(array, subscript, LocationOf(*indirection.arg));
}

}  // namespace connbench::engine
