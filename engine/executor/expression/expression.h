// An expression as it runs: a tree of nodes, types and functions resolved, ready to evaluate.
//
// Made by ExpressionBuilder (builder.h) in the arena of the statement that owns it; immutable
// afterwards, so that one plan may run many times.
//
// Safety: private memory of one session. Nothing here blocks, except functions that say so:
// pg_sleep. Stack: kMaxExpressionDepth bounds the recursion of building and of evaluating, so that
// a 256 kB thread stack suffices.
// Errors: Evaluate() returns false and leaves the Status in the context.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/environment.h"
#include "engine/executor/types/type.h"
#include "engine/executor/types/type_io.h"
#include "engine/executor/value.h"

namespace connbench::engine {

inline constexpr int kMaxExpressionDepth = 400;
// Of the whole tree, a node counted each time that it is an argument: BETWEEN and comparisons of
// rows repeat what they compare, so that a short text that nests them would never be done with.
inline constexpr uint32_t kMaxExpressionNodes = 1 << 22;

// What an expression is evaluated against.
struct EvalContext {
  const Value* columns = nullptr;     // the input row
  const Value* parameters = nullptr;  // $1 is parameters[0]; already of the deduced types
  Arena* arena = nullptr;             // scratch; results live here until it is reset
  EvalEnvironment* environment = nullptr;
  Status status;  // set when Evaluate() returned false

  // For functions: stores the error and returns false.
  bool Fail(Status error) {
    status = std::move(error);
    return false;
  }
  // Whether all went well; else as Fail().
  bool Check(Status outcome) { return outcome.ok() || Fail(std::move(outcome)); }
  // Null: past the arena's limit, and status says so.
  char* Allocate(size_t bytes) {
    char* at = arena->AllocateBytes(bytes);
    if (at == nullptr) status = arena->OutOfMemory();
    return at;
  }
  // For types whose text depends on the session; immutable functions have no environment.
  IoContext io() const {
    if (environment == nullptr) return {arena, nullptr, 0};
    return environment->io(*arena);
  }
};

enum class Volatility : uint8_t {
  kImmutable,  // same arguments, same result: folded when the expression is built
  kStable,     // the same throughout one statement: now(), current_setting()
  kVolatile,   // random(), nextval()
};

enum class ExpressionKind : uint8_t {
  kConstant,     // constant
  kColumn,       // index into EvalContext::columns
  kParameter,    // index into EvalContext::parameters
  kFunction,     // function or operator over arguments
  kRelabel,      // arguments[0] under another type with the same bytes
  kCoerce,       // arguments[0] made to fit type.modifier
  kTextInput,    // arguments[0], text, read as a value of type
  kTextOutput,   // arguments[0] printed as text
  kArrayCoerce,  // each element of arguments[0] cast; test: CastMethod
  kAnd,
  kOr,
  kNot,
  kNullTest,     // IS [NOT] NULL
  kBooleanTest,  // IS [NOT] TRUE, FALSE, UNKNOWN
  kDistinct,     // IS [NOT] DISTINCT FROM
  kIn,           // arguments[0] compared with each of the rest
  kAnyElement,   // arguments[0] compared with each element of arguments[1]; negated: ALL
  kArray,        // of the arguments' values
  kCase,         // condition, result, condition, result, ..., else
  kCoalesce,
  kNullIf,
  kGreatest,
  kLeast,
  kUnnest,    // the elements of arguments[0], a row each: only by UnnestTargetsNode
  kCell,      // what *cell holds: a value that a subquery reads of the query around it
  kSubquery,  // what subquery makes of the arguments
};

struct Expression;
struct FunctionDescription;  // functions.h
class SubqueryEvaluator;
using EvaluateFunction = bool (*)(const Expression& expression, EvalContext& context, Value& out);

struct Expression {
  EvaluateFunction evaluate = nullptr;
  ExpressionKind kind = ExpressionKind::kConstant;
  Volatility volatility = Volatility::kImmutable;
  bool has_columns = false;     // anywhere in the tree
  bool has_parameters = false;  // anywhere in the tree
  // kNullTest, kBooleanTest, kDistinct, kIn: the NOT form. kAnyElement: ALL. kCoerce: an explicit
  // cast.
  bool negated = false;
  uint8_t test = 0;  // kBooleanTest: which. kArrayCoerce: how.
  uint16_t depth = 1;
  Type type;
  int32_t location = -1;  // byte offset in the statement, as libpg_query gives it; -1: none
  int32_t index = 0;      // kColumn, kParameter: 0-based
  uint32_t argument_count = 0;
  uint32_t nodes = 1;  // of the tree, up to kMaxExpressionNodes
  Expression** arguments = nullptr;
  const FunctionDescription* function = nullptr;  // kFunction; kIn, kDistinct, ...: the comparison
  Value constant;                                 // kConstant; kCell: what EXPLAIN calls it
  union {
    Value* cell = nullptr;        // kCell
    SubqueryEvaluator* subquery;  // kSubquery
  };

  std::span<Expression* const> args() const { return {arguments, argument_count}; }
};

// A query inside an expression: runs it for the expression's arguments. It belongs to the plan.
class SubqueryEvaluator {
 public:
  virtual ~SubqueryEvaluator() = default;
  // As Evaluate(), for an expression of kind kSubquery.
  virtual bool Evaluate(const Expression& expression, EvalContext& context, Value& out) = 0;
  // How EXPLAIN refers to it: "(SubPlan 1)".
  virtual std::string Reference() const = 0;
  // How many of the arguments, from the first, stand before the subquery in the text: x IN (...).
  virtual size_t operands() const = 0;
};

// False: an error, in context.status. What out points to lives in the arena, the row, the
// parameters or the expression.
[[nodiscard]] inline bool Evaluate(const Expression& expression, EvalContext& context, Value& out) {
  return expression.evaluate(expression, context, out);
}

// For WHERE, HAVING, CHECK: null counts as false. False means an error.
[[nodiscard]] inline bool EvaluateCondition(const Expression& condition, EvalContext& context,
                                            bool& out) {
  Value value;
  if (!condition.evaluate(condition, context, value)) return false;
  out = !value.null && value.integer != 0;
  return true;
}

// `column <op> value`, or its mirror image, which an index on the column can serve. value contains
// nothing volatile and none of the columns in [first, end), which the scan reads: those of other
// relations stand still while it runs. So it is evaluated once per scan; its key is
// AppendKey(key_type, ...). column counts from first.
enum class Comparison : uint8_t { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
struct IndexCondition {
  bool matches = false;
  Comparison comparison = Comparison::kEqual;
  int column = 0;
  const Expression* value = nullptr;
  Oid key_type = type_oid::kInvalid;
};
IndexCondition MatchIndexCondition(const Expression& expression, int first = 0,
                                   int end = INT32_MAX);
// `column IN (values)`, none of which contains a column or anything volatile, or `column = ANY
// (array)`, whose array stands still while the scan runs.
struct IndexInList {
  bool matches = false;
  int column = 0;
  std::span<Expression* const> values;
  const Expression* array = nullptr;  // null: the values
  Oid key_type = type_oid::kInvalid;
};
IndexInList MatchIndexInList(const Expression& expression, int first = 0, int end = INT32_MAX);

// The same tree? For matching GROUP BY expressions with the select list.
bool SameExpression(const Expression& a, const Expression& b);

// Calls visit(const Expression&) for every column reference in the tree.
template <typename Visitor>
void ForEachColumn(const Expression& expression, Visitor&& visit) {
  if (expression.kind == ExpressionKind::kColumn) visit(expression);
  if (!expression.has_columns) return;
  for (const Expression* argument : expression.args()) ForEachColumn(*argument, visit);
}

}  // namespace connbench::engine
