// Column defaults.
#include "engine/sql/column_defaults.h"

#include "engine/executor/expression/functions.h"
#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/stored_expression.h"

namespace connbench::engine {
namespace {

// The constants that an expression gives to functions of sequences.
void CollectSequenceNames(const Expression& expression, std::vector<std::string>& names) {
  if (expression.kind == ExpressionKind::kFunction && expression.function != nullptr) {
    if (TakesSequence(*expression.function) && expression.argument_count > 0) {
      // 'sequence' or 'sequence'::regclass.
      const Expression* argument = expression.arguments[0];
      if (argument->kind == ExpressionKind::kTextInput) argument = argument->arguments[0];
      if (argument->kind == ExpressionKind::kConstant && !argument->constant.null) {
        names.push_back(argument->type.oid == type_oid::kRegclass
                            ? std::to_string(argument->constant.integer)
                            : std::string(argument->constant.text()));
      }
    }
  }
  for (const Expression* argument : expression.args()) CollectSequenceNames(*argument, names);
}

}  // namespace

Result<std::string> DefaultText(std::string_view sql, const PgQuery__Node& expression,
                                const ColumnInfo& column, EvalEnvironment& environment,
                                std::vector<std::string>& sequences) {
  Arena arena;
  arena.set_interrupts(&environment);
  ParameterTypes none = ParameterTypes::None();
  ExpressionBuilder builder(arena, none, sql);
  const Scope empty;
  ExpressionAnalyzer analyzer(builder, sql, empty);
  CONNBENCH_ASSIGN_OR_RETURN(Expression * value, analyzer.Analyze(expression, kDefaultClause));
  // Only to learn whether it fits.
  CONNBENCH_RETURN_IF_ERROR(builder
                                .CoerceForColumn(value, {column.type_oid, column.type_modifier},
                                                 column.name, ast::LocationOf(expression))
                                .TakeStatus());
  CollectSequenceNames(*value, sequences);
  if (value->type.oid == type_oid::kUnknown) {
    // A bare literal is read now, as the column's type. Its length is looked at when a row is made.
    CONNBENCH_ASSIGN_OR_RETURN(
        value, builder.CoerceForColumn(value, {column.type_oid, -1}, column.name, -1));
  }
  // A plain null is as good as no default. With a length it is a call in PostgreSQL, and stays.
  const bool is_null = value->kind == ExpressionKind::kConstant && value->constant.null;
  if (is_null && column.type_modifier < 0) return std::string();
  CONNBENCH_RETURN_IF_ERROR(FixSessionLiterals(*value, arena, environment));
  ColumnInfo stored = column;
  CONNBENCH_ASSIGN_OR_RETURN(stored.default_sql, PrintStoredExpression(*value));
  // A text that cannot be read back would fail every INSERT, so it fails here.
  CONNBENCH_RETURN_IF_ERROR(AnalyzeDefault(stored, arena).TakeStatus());
  return stored.default_sql;
}

Result<Expression*> ReadStoredDefault(const ColumnInfo& column, Arena& arena) {
  const std::string text = "SELECT " + column.default_sql;
  ParameterTypes none = ParameterTypes::None();
  ExpressionBuilder builder(arena, none, text);
  // The text was checked when the table was made: it refers to no column and no parameter.
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ParseTree::Parse(text, arena.interrupts()));
  const Scope empty;
  ExpressionAnalyzer analyzer(builder, text, empty);
  const PgQuery__SelectStmt& select = *tree.statement(0).select_stmt;
  return analyzer.Analyze(*select.target_list[0]->res_target->val, kDefaultClause);
}

Result<Expression*> AnalyzeDefault(const ColumnInfo& column, Arena& arena) {
  const Type type{column.type_oid, column.type_modifier};
  ParameterTypes none = ParameterTypes::None();
  ExpressionBuilder builder(arena, none, "");
  if (column.identity != Identity::kNone) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * value, builder.IdentityValue(column.owned_sequence));
    return builder.CoerceForColumn(value, type, column.name, -1);
  }
  if (column.default_sql.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * null, builder.Null(-1));
    return builder.CoerceForColumn(null, type, column.name, -1);
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression * value, ReadStoredDefault(column, arena));
  return builder.CoerceForColumn(value, type, column.name, -1);
}

}  // namespace connbench::engine
