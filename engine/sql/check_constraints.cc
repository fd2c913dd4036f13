// CHECK constraints.
#include "engine/sql/check_constraints.h"

#include <algorithm>

#include "engine/sql/expression_analyzer.h"
#include "engine/sql/stored_expression.h"

namespace connbench::engine {

Scope ScopeOfRow(std::string_view table, std::span<const ColumnInfo> columns) {
  Scope scope;
  ScopeItem item;
  item.table_name = item.alias = table;
  for (const ColumnInfo& column : columns) {
    item.columns.push_back({.name = column.name,
                            .type = {column.type_oid, column.type_modifier},
                            .slot = static_cast<int>(item.columns.size()),
                            .hidden = column.dropped});
  }
  scope.items.push_back(std::move(item));
  return scope;
}

namespace {

Result<Expression*> AnalyzeCheck(std::string_view sql, const PgQuery__Node& condition,
                                 std::string_view table, std::span<const ColumnInfo> columns,
                                 Arena& arena) {
  return AnalyzeRowCondition(sql, condition, table, columns, {kCheckClause, "CHECK"}, arena);
}

}  // namespace

Result<Expression*> AnalyzeRowCondition(std::string_view sql, const PgQuery__Node& condition,
                                        std::string_view table, std::span<const ColumnInfo> columns,
                                        RowCondition called, Arena& arena) {
  ParameterTypes none = ParameterTypes::None();
  ExpressionBuilder builder(arena, none, sql);
  const Scope scope = ScopeOfRow(table, columns);
  ExpressionAnalyzer analyzer(builder, sql, scope);
  CONNBENCH_ASSIGN_OR_RETURN(Expression * value, analyzer.Analyze(condition, called.clause));
  return builder.CoerceToBoolean(value, called.keyword);
}

Result<CheckInfo> MakeCheck(std::string_view sql, const PgQuery__Node& condition,
                            std::string_view table, std::span<const ColumnInfo> columns,
                            EvalEnvironment& environment) {
  Arena arena;
  arena.set_interrupts(&environment);
  CONNBENCH_ASSIGN_OR_RETURN(Expression * value,
                             AnalyzeCheck(sql, condition, table, columns, arena));
  CONNBENCH_RETURN_IF_ERROR(FixSessionLiterals(*value, arena, environment));
  CheckInfo check;
  ForEachColumn(*value, [&](const Expression& column) {
    const auto index = static_cast<int16_t>(column.index);
    if (!HasColumn(check.columns, static_cast<size_t>(index))) check.columns.push_back(index);
  });
  std::vector<std::string> names;
  for (const ColumnInfo& column : columns) names.push_back(column.name);
  CONNBENCH_ASSIGN_OR_RETURN(check.sql, PrintStoredExpression(*value, names));
  // A text that cannot be read back would fail every INSERT, so it fails here.
  RelationInfo read_back;
  read_back.name = table;
  read_back.columns.assign(columns.begin(), columns.end());
  CONNBENCH_RETURN_IF_ERROR(ReadStoredCheck(read_back, check, arena).TakeStatus());
  return check;
}

Result<Expression*> ReadStoredCheck(const RelationInfo& table, const CheckInfo& check,
                                    Arena& arena) {
  const std::string text = "SELECT " + check.sql;
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ParseTree::Parse(text, arena.interrupts()));
  const PgQuery__SelectStmt& select = *tree.statement(0).select_stmt;
  return AnalyzeCheck(text, *select.target_list[0]->res_target->val, table.name, table.columns,
                      arena);
}

Status LoadChecks(Table& table, Arena& arena) {
  std::vector<const Expression*> checks;
  for (const CheckInfo& check : table.info().checks) {
    CONNBENCH_ASSIGN_OR_RETURN(const Expression* condition,
                               ReadStoredCheck(table.info(), check, arena));
    checks.push_back(condition);
  }
  table.set_checks(std::move(checks));
  return {};
}

}  // namespace connbench::engine
