// From libpg_query's expression nodes to typed expressions: names resolved against the columns of
// the FROM clause, aggregates and window functions set aside.
//
// Safety: private memory, one thread. Errors: PostgreSQL's, with positions; 0A000 for what is not
// supported.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/aggregates.h"
#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/window_functions.h"
#include "engine/sql/parse_tree.h"
#include "engine/sql/scope.h"

namespace connbench::engine {

// Names may be qualified by a schema: 3F000, or 42P01 for a column, if it is not the right one.
Status CheckOperatorSchema(std::string_view sql, const PgQuery__AExpr& expression);
Status CheckColumnQualifiers(std::string_view sql, const PgQuery__ColumnRef& reference,
                             const ScopeItem& item);
// A type as SQL text names it; 42704 for an unknown one.
Result<Type> ResolveTypeName(std::string_view sql, const PgQuery__TypeName& type);

// The clause of an expression that belongs to no row, and so has no columns.
inline constexpr std::string_view kDefaultClause = "DEFAULT expressions";
// The clause of the condition of a CHECK constraint.
inline constexpr std::string_view kCheckClause = "check constraints";
// The clause of USING in ALTER COLUMN ... TYPE.
inline constexpr std::string_view kTransformClause = "transform expressions";

// Plans the queries in expressions: the planner.
class SubqueryPlanner {
 public:
  virtual ~SubqueryPlanner() = default;
  // Analyses what the subquery is compared with, in the text before it; empty: nothing.
  using Operands = std::function<Result<std::vector<Expression*>>()>;
  // scope: of the expression that the subquery is part of.
  virtual Result<Expression*> PlanSubLink(const PgQuery__SubLink& link, const Scope& scope,
                                          const Operands& operands) = 0;
};

class ExpressionAnalyzer {
 public:
  // An aggregate's result is a column reference with an index of at least this, plus the
  // aggregate's position in aggregates(), until the grouping query renumbers its columns.
  static constexpr int kFirstAggregateColumn = 1 << 20;
  // The same of the results of window functions: the position in window_calls().
  static constexpr int kFirstWindowColumn = 1 << 24;

  // subqueries: null where there may be none.
  ExpressionAnalyzer(ExpressionBuilder& builder, std::string_view sql, const Scope& scope,
                     SubqueryPlanner* subqueries = nullptr)
      : builder_(builder), sql_(sql), scope_(scope), subqueries_(subqueries) {}

  // clause: "WHERE", "LIMIT", ... for "aggregate functions are not allowed in ...". With
  // allow_aggregates they are collected instead.
  Result<Expression*> Analyze(const PgQuery__Node& node, std::string_view clause,
                              bool allow_aggregates = false);
  // The same for a whole column of a select list, which may also be a set: kUnnest.
  Result<Expression*> AnalyzeTarget(const PgQuery__Node& node);
  // The same, then to boolean.
  Result<Expression*> AnalyzeCondition(const PgQuery__Node& node, std::string_view clause,
                                       bool allow_aggregates = false);

  std::span<const AggregateCall> aggregates() const { return aggregates_; }

  // For a query: its select list, ORDER BY and DISTINCT ON may have window functions. windows: of
  // its clause WINDOW.
  void AllowWindows(std::span<PgQuery__Node* const> windows);
  std::span<WindowCall> window_calls() { return window_calls_; }
  bool has_window_calls() const { return !window_calls_.empty(); }
  // Those of WINDOW, then those that OVER has defined.
  std::span<const PgQuery__WindowDef* const> windows() const { return windows_; }
  // The result of a window function in the expression; null: there is none.
  static const Expression* FindWindowResult(const Expression& expression);

 private:
  Result<Expression*> Visit(const PgQuery__Node& node);
  Result<Expression*> VisitConstant(const PgQuery__Node& node);
  Result<Expression*> VisitColumn(const PgQuery__Node& node);
  // element: what the elements are cast to; kInvalid: to what they have in common.
  Result<Expression*> VisitArray(const PgQuery__Node& node, Oid element);
  Result<Expression*> VisitSubscript(const PgQuery__Node& node);
  Result<Expression*> VisitOperator(const PgQuery__Node& node);
  // Of rows that are written out: their columns are compared.
  static bool ComparesRows(const PgQuery__AExpr& expression);
  Result<Expression*> VisitRowComparison(const PgQuery__AExpr& expression);
  Result<std::vector<Expression*>> VisitRow(const PgQuery__Node& node);
  Status CheckRows(std::span<Expression* const> left, std::span<Expression* const> right,
                   int location) const;
  Result<Expression*> CompareRows(std::string_view name, std::span<Expression* const> left,
                                  std::span<Expression* const> right, int location);
  Result<Expression*> DistinguishRows(std::span<Expression* const> left,
                                      std::span<Expression* const> right, bool is_not,
                                      int location);
  Result<Expression*> TestRowForNull(const PgQuery__NullTest& test);
  Result<Expression*> VisitBoolean(const PgQuery__Node& node);
  Result<Expression*> VisitFunction(const PgQuery__Node& node);
  Result<Expression*> VisitAggregate(const PgQuery__Node& node, std::string_view name);
  // Of a call that may have WITHIN GROUP.
  Result<std::vector<Expression*>> VisitArguments(const PgQuery__FuncCall& call);
  // The call's FILTER; null: it has none.
  Result<Expression*> VisitFilter(const PgQuery__FuncCall& call);
  // A call of a window function without OVER: 42809.
  Status RefuseWithoutOver(const PgQuery__FuncCall& call, std::string_view name);
  // A call with OVER.
  Result<Expression*> VisitWindowFunction(const PgQuery__Node& node, std::string_view name);
  // 42803 if the aggregate is about the result of a window function.
  Status CheckHasNoWindow(const AggregateCall& aggregate) const;
  Status CheckWindowSyntax(const PgQuery__FuncCall& call, bool is_aggregate) const;
  Status CheckWindowPlace(const WindowCall& window, int location) const;
  // The position in windows() of what the call is over.
  Result<size_t> FindWindow(const PgQuery__WindowDef& over);
  // Of what the call's ORDER BY says; arguments: as they are written.
  Result<std::span<AggregateOrder>> VisitAggregateOrder(const PgQuery__FuncCall& call,
                                                        std::span<Expression* const> arguments);
  // What is said of an aggregate or a window function in a call of another one: 42809.
  Status RefuseAggregateSyntax(const PgQuery__Node& node, std::string_view name);
  Result<Expression*> VisitSubLink(const PgQuery__SubLink& link);
  Result<Expression*> VisitCase(const PgQuery__Node& node);
  Result<Expression*> VisitValueFunction(const PgQuery__Node& node);
  Result<std::vector<Expression*>> VisitList(PgQuery__Node* const* items, size_t count);
  // The arguments of a call, those that have names in the function's order.
  Result<std::vector<Expression*>> VisitNamedArguments(const PgQuery__FuncCall& call,
                                                       std::string_view function);
  Status NotSupported(std::string_view what, int location) const;
  Status CheckArgumentCount(size_t count, int location) const;

  ExpressionBuilder& builder_;
  std::string_view sql_;
  const Scope& scope_;
  SubqueryPlanner* subqueries_;
  std::string_view clause_;
  bool allow_aggregates_ = false;
  bool inside_aggregate_ = false;
  const PgQuery__Node* set_allowed_ = nullptr;  // where a set may stand
  std::vector<AggregateCall> aggregates_;
  bool windows_allowed_ = false;
  std::vector<WindowCall> window_calls_;
  std::vector<const PgQuery__WindowDef*> windows_;
};

// Whether two calls of aggregates have the same result.
bool SameCall(const AggregateCall& a, const AggregateCall& b);
// A function's name as errors have it: with its schema, which the grammar gives to functions with a
// syntax of their own.
std::string WrittenName(const PgQuery__FuncCall& call);

// The names of the subqueries that give one to the column that they are in.
using SubqueryNames = std::map<const PgQuery__SubLink*, std::string>;
// The name of a select-list column without AS, as PostgreSQL makes it up.
std::string OutputColumnName(const PgQuery__Node& node, const SubqueryNames& subqueries);

}  // namespace connbench::engine
