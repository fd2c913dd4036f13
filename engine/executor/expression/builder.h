// Builds expressions: resolves operators and functions by PostgreSQL's rules, inserts casts,
// deduces the types of parameters, folds constants.
//
// Who uses it: the parse analysis (engine/sql), one builder per statement, from the leaves up.
// Locations are byte offsets into the statement as libpg_query gives them, -1 for none; errors
// carry them as character positions.
//
// Safety: private memory, one thread.
// Ownership: everything made lives in the arena. Texts and values passed in are copied there; only
// the statement's text must outlive the builder.
// Errors: PostgreSQL's messages and SQLSTATEs; 54001 for an expression nested too deep.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/expression.h"
#include "engine/executor/types/type.h"

namespace connbench::engine {

// The types of $1, $2, ...: given by the client, or deduced from their context (0: not yet).
class ParameterTypes {
 public:
  static constexpr int kMaxParameters = 65535;

  ParameterTypes() = default;
  // From what a client or PREPARE gives, 0 for "deduce it"; the only way in for oids. 42704, 0A000.
  static Result<ParameterTypes> From(std::span<const Oid> given);

  // Of a text that may have none: $1 is 42P02 there.
  static ParameterTypes None() {
    ParameterTypes none;
    none.limit_ = 0;
    return none;
  }

  std::span<const Oid> types() const { return types_; }
  // 42P18 "could not determine data type of parameter $n" if any is still open.
  Status CheckAllDetermined() const;

 private:
  friend class ExpressionBuilder;
  std::vector<Oid> types_;
  int limit_ = kMaxParameters;  // the highest number
};

enum class CoercionContext : uint8_t { kImplicit, kAssignment, kExplicit };
enum class BooleanTestKind : uint8_t { kTrue, kNotTrue, kFalse, kNotFalse, kUnknown, kNotUnknown };

class ExpressionBuilder {
 public:
  ExpressionBuilder(Arena& arena, ParameterTypes& parameters, std::string_view statement)
      : arena_(arena), parameters_(parameters), statement_(statement), meter_(arena.interrupts()) {}

  // Another text that locations count in; returns the one before.
  std::string_view ExchangeStatement(std::string_view statement) {
    return std::exchange(statement_, statement);
  }

  // Notes the literals that are read anew whenever the statement runs, because the session decides
  // what they mean ('now'). null: nothing is noted any more.
  void NoteLateLiterals(std::vector<Expression*>* literals) { late_literals_ = literals; }

  // ---- leaves ----
  Result<Expression*> Null(int location);
  Result<Expression*> Boolean(bool value, int location);
  // An Integer token: int4 if it fits, otherwise int8.
  Result<Expression*> Integer(int64_t value, int location);
  // A Float token ("1.5", "99999999999", "1e10"): int8 if it is an integer that fits, else numeric.
  Result<Expression*> Number(std::string_view digits, int location);
  // 'text', of type unknown until its context says more.
  Result<Expression*> String(std::string_view text, int location);
  Result<Expression*> Constant(Type type, const Value& value, int location);
  Result<Expression*> Column(int index, Type type, int location);
  // What *cell holds when it is evaluated; the cell is made with the expression. name: for EXPLAIN.
  Result<Expression*> Cell(Type type, std::string_view name, int location);
  // $number, 1-based: 42P02 for $0, above kMaxParameters, and where there are none.
  Result<Expression*> Parameter(int number, int location);

  // ---- operators and functions ----
  // left is null for a prefix operator. 42883 if there is none, 42725 if there are several.
  Result<Expression*> Operator(std::string_view name, Expression* left, Expression* right,
                               int location);
  // Scalar functions only; see FindAggregate (aggregates.h) for the others. written: the name as
  // errors have it, with its schema; empty: the name alone.
  Result<Expression*> Function(std::string_view name, std::span<Expression* const> arguments,
                               int location, std::string_view written = {});
  // The error that Function() has if there is no such function; ok if there is one to call.
  Status CheckFunction(std::string_view name, std::span<Expression* const> arguments, int location,
                       std::string_view written = {});
  // The default of an identity column: the next value of its sequence.
  Result<Expression*> IdentityValue(Oid sequence);
  // A query inside the expression. column: of its rows, for one that has a row as its value; depth:
  // what running it takes of the stack, in levels of expressions.
  Result<Expression*> Subquery(SubqueryEvaluator& evaluator, Type type,
                               std::span<Expression* const> arguments, int column, int depth,
                               int location);
  Result<Expression*> And(std::span<Expression* const> conditions, int location);
  Result<Expression*> Or(std::span<Expression* const> conditions, int location);
  Result<Expression*> Not(Expression* argument, int location);
  Result<Expression*> NullTest(Expression* argument, bool is_not, int location);
  Result<Expression*> BooleanTest(Expression* argument, BooleanTestKind test, int location);
  Result<Expression*> DistinctFrom(Expression* left, Expression* right, bool is_not, int location);
  // x BETWEEN low AND high, with NOT and SYMMETRIC.
  Result<Expression*> Between(Expression* value, Expression* low, Expression* high, bool is_not,
                              bool symmetric, int location);
  Result<Expression*> In(Expression* value, std::span<Expression* const> list, bool is_not,
                         int location);
  // ARRAY[elements]; element: what they are cast to, kInvalid: to what they have in common.
  Result<Expression*> Array(std::span<Expression* const> elements, Oid element, int location);
  // value operator ANY (array); all: ALL (array).
  Result<Expression*> AnyElement(std::string_view name, Expression* value, Expression* array,
                                 bool all, int location);
  // The elements of an array, a row each.
  Result<Expression*> Unnest(Expression* array);
  // array[subscript]
  Result<Expression*> ArrayElement(Expression* array, Expression* subscript, int location);
  // name is the operator libpg_query gives: "~~", "!~~", "~~*", "!~~*"; escape may be null.
  Result<Expression*> Like(std::string_view name, Expression* value, Expression* pattern,
                           Expression* escape, int location);
  // CASE [operand] WHEN condition THEN result ... [ELSE otherwise], in PostgreSQL's order: the
  // operand, if there is one; each condition, at its WHEN, before its result is built; then the
  // whole. operand and otherwise may be null.
  Result<Expression*> CaseOperand(Expression* operand, int location);
  Result<Expression*> CaseCondition(Expression* operand, Expression* condition, int location);
  Result<Expression*> Case(std::span<Expression* const> conditions,
                           std::span<Expression* const> results, Expression* otherwise,
                           int location);
  Result<Expression*> Coalesce(std::span<Expression* const> arguments, int location);
  Result<Expression*> NullIf(Expression* left, Expression* right, int location);
  Result<Expression*> GreatestOrLeast(bool greatest, std::span<Expression* const> arguments,
                                      int location);

  // ---- types ----
  // CAST(argument AS target), argument::target. 42846 if there is no such cast.
  Result<Expression*> Cast(Expression* argument, Type target, int location);
  // The value for a column in INSERT, UPDATE and DEFAULT: 42804 naming the column.
  Result<Expression*> CoerceForColumn(Expression* argument, Type column,
                                      std::string_view column_name, int location);
  // The argument of `construct` ("WHERE", "HAVING", "JOIN/ON", "CASE/WHEN", "AND", ...).
  Result<Expression*> CoerceToBoolean(Expression* argument, std::string_view construct);
  // LIMIT, OFFSET: to bigint.
  Result<Expression*> CoerceToBigint(Expression* argument, std::string_view construct);
  // The end of a select list, ORDER BY, GROUP BY, DISTINCT: what is still unknown becomes text.
  Result<Expression*> ResolveUnknown(Expression* argument);
  // Where any type will do: a literal becomes text, but a parameter stays open, since the place
  // does not say what it is.
  Result<Expression*> ResolveLiteral(Expression* argument);
  // One type for several expressions (VALUES columns, UNION); construct names them in errors. The
  // caller then coerces each with CoerceToCommon.
  Result<Oid> CommonType(std::span<Expression* const> arguments, std::string_view construct);
  Result<Expression*> CoerceToCommon(Expression* argument, Oid common, std::string_view construct);
  // What GROUP BY, DISTINCT and UNION, or ORDER BY, ask of a type: 42883.
  Status RequireEquality(Type type, int location) const;
  Status RequireOrder(Type type, int location) const;
  // As to_json() makes it, or, as_key, the key of an object. 42804 while the type is open.
  Result<Expression*> ToJson(Expression* argument, bool as_key);
  // For set-returning functions and aggregates: implicit coercion to a known argument type.
  Result<Expression*> CoerceImplicitly(Expression* argument, Type target);

  // PostgreSQL computes what needs no row and no parameter when it plans, whether the run would
  // reach it or not. What the first such part that fails fails with; ok: none does.
  Status ConstantError() const;
  // To be asked when the whole statement is built. 42P08 if a parameter was used where any type
  // would do before another place decided its type. One that no place decides is not judged here:
  // see ParameterTypes.
  Status CheckOpenParameters() const;

  // The part is never computed, whatever is in it: it may fail.
  Status Forget(const Expression& part);

  // The depth of the deepest expression that was made since the last call, which forgets it. A
  // query inside a query adds its own to that of the query around it: both are on the stack at
  // once.
  int TakeDepth() { return std::exchange(deepest_, 0); }
  // 54001 past kMaxExpressionDepth.
  Status NoteDepth(int depth, int location);

  // 1-based character position of a location; 0 for -1.
  int PositionOf(int location) const;
  Arena& arena() { return arena_; }

 private:
  Result<Expression*> NewNode(ExpressionKind kind, Type type,
                              std::span<Expression* const> arguments, int location,
                              Volatility volatility = Volatility::kImmutable,
                              const FunctionDescription* function = nullptr);
  // Sets the node's evaluation and, if everything below is constant, computes it.
  Result<Expression*> Finish(Expression* node);
  Result<Expression*> Coerce(Expression* argument, Type target, CoercionContext context,
                             int location);
  Result<Expression*> CoerceLiteral(Expression* literal, Type target);
  Result<Expression*> CoerceModifier(Expression* argument, Type target, CoercionContext context,
                                     int location);
  Status DetermineParameter(Expression* parameter, Oid type);
  // Coerces the arguments to what the function takes.
  Result<Expression*> Call(const FunctionDescription& function,
                           std::span<Expression* const> arguments, int location);
  Status CoerceArguments(const FunctionDescription& function, std::span<Expression*> arguments);
  Result<const FunctionDescription*> ResolveOperator(std::string_view name,
                                                     std::span<const Oid> types, int location);
  Result<const FunctionDescription*> ResolveOperator(std::string_view name,
                                                     std::span<Expression* const> arguments,
                                                     int location);
  Result<const FunctionDescription*> ResolveFunction(std::string_view name,
                                                     std::span<Expression* const> arguments,
                                                     int location, std::string_view written);
  Result<Expression*> Logic(ExpressionKind kind, std::span<Expression* const> conditions,
                            std::string_view construct, int location);
  Status Error(std::string_view code, std::string message, int location) const;

  Arena& arena_;
  ParameterTypes& parameters_;
  std::string_view statement_;
  std::vector<Expression*>* late_literals_ = nullptr;
  WorkMeter meter_;                                  // of nodes made: a statement may have millions
  std::vector<const Expression*> failed_constants_;  // in the order in which they were made
  std::unordered_set<const Expression*> forgotten_;
  std::vector<const Expression*> open_parameters_;  // had no type when they were made
  int deepest_ = 0;
};

}  // namespace connbench::engine
