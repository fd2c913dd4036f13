#include "engine/sql/column_defaults.h"

#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {

Result<Expression*> AnalyzeDefault(const ColumnInfo& column, Arena& arena) {
  const Type type{column.type_oid, column.type_modifier};
  const std::string text =
      "SELECT " + (column.default_sql.empty() ? std::string("NULL") : column.default_sql);
  ParameterTypes none;
  ExpressionBuilder builder(arena, none, text);
  if (column.default_sql.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * null, builder.Null(-1));
    return builder.CoerceForColumn(null, type, column.name, -1);
  }
  // The text was checked when the table was made: it refers to no column and no parameter.
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ParseTree::Parse(text));
  const Scope empty;
  ExpressionAnalyzer analyzer(builder, text, empty);
  const PgQuery__SelectStmt& select = *tree.statement(0).select_stmt;
  CONNBENCH_ASSIGN_OR_RETURN(
      Expression * value,
      analyzer.Analyze(*select.target_list[0]->res_target->val, "DEFAULT expressions"));
  return builder.CoerceForColumn(value, type, column.name, -1);
}

}  // namespace connbench::engine
