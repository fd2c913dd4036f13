// Prints expressions so that they can be read back.
#include "engine/sql/stored_expression.h"

#include <fmt/format.h>

#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/rewrite.h"
#include "engine/executor/types/type_io.h"

namespace connbench::engine {
namespace {

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (char c : text) {
    if (c == quote) quoted += c;
    quoted += c;
  }
  return quoted + quote;
}

// "character" alone would be read as character(1).
std::string TypeName(Type type) {
  if (type.oid == type_oid::kBpchar && type.modifier < 0) return "bpchar";
  return FormatType(type);
}

class Printer {
 public:
  explicit Printer(std::span<const std::string> columns) : columns_(columns) {}

  Result<std::string> Print(const Expression& e) {
    Append(e);
    if (status_.ok()) return std::move(text_);
    return std::move(status_);
  }

 private:
  void Append(const Expression& e);
  void AppendConstant(const Expression& e);
  void AppendFunction(const Expression& e);
  void AppendCase(const Expression& e);

  // before, arguments first ... with separator, after
  void AppendList(std::string_view before, const Expression& e, size_t first,
                  std::string_view separator, std::string_view after) {
    text_ += before;
    for (size_t i = first; i < e.argument_count; ++i) {
      if (i > first) text_ += separator;
      Append(*e.arguments[i]);
    }
    text_ += after;
  }
  void AppendCast(const Expression& argument, Type type) {
    text_ += "CAST(";
    Append(argument);
    text_ += " AS " + TypeName(type) + ")";
  }
  // (argument <test>)
  void AppendTest(const Expression& e, std::string_view test) {
    text_ += '(';
    Append(*e.arguments[0]);
    text_ += ' ';
    text_ += test;
    text_ += ')';
  }

  const std::span<const std::string> columns_;
  std::string text_;
  Status status_;
};

void Printer::AppendConstant(const Expression& e) {
  const Value& value = e.constant;
  const bool typed = e.type.oid != type_oid::kUnknown;
  if (value.null) {
    text_ += typed ? "CAST(NULL AS " + TypeName(e.type) + ")" : "NULL";
    return;
  }
  Arena arena;
  std::string_view text;
  Status status = FormatText(e.type.oid, value, {&arena, nullptr, 0}, text);
  if (!status.ok()) {
    status_ = std::move(status);
    return;
  }
  // Standard strings: a backslash is a backslash.
  text_ +=
      typed ? "CAST(" + Quoted(text, '\'') + " AS " + TypeName(e.type) + ")" : Quoted(text, '\'');
}

void Printer::AppendFunction(const Expression& e) {
  const FunctionDescription& function = *e.function;
  if (IsCastFunction(function)) return AppendCast(*e.arguments[0], e.type);
  if (function.is_operator) {
    text_ += '(';
    if (e.argument_count == 2) Append(*e.arguments[0]);
    text_ += fmt::format(" OPERATOR(pg_catalog.{}) ", function.name);
    Append(*e.arguments[e.argument_count - 1]);
    text_ += ')';
    return;
  }
  // Quoted, so that names with a grammar of their own (current_user, extract) are plain calls.
  text_ += Quoted(function.name, '"') + "(";
  for (uint32_t i = 0; i < e.argument_count; ++i) {
    if (i > 0) text_ += ", ";
    const Expression& argument = *e.arguments[i];
    // What turns an argument of any type into text or json is put in again when the call is read.
    const bool converted =
        function.argument_type(i) == type_oid::kAny &&
        (argument.kind == ExpressionKind::kTextOutput ||
         (argument.kind == ExpressionKind::kFunction && IsJsonConversion(*argument.function)));
    Append(converted ? *argument.arguments[0] : argument);
  }
  text_ += ')';
}

void Printer::AppendCase(const Expression& e) {
  text_ += "CASE";
  for (uint32_t i = 0; i + 1 < e.argument_count; i += 2) {
    text_ += " WHEN ";
    Append(*e.arguments[i]);
    text_ += " THEN ";
    Append(*e.arguments[i + 1]);
  }
  text_ += " ELSE ";
  Append(*e.arguments[e.argument_count - 1]);
  text_ += " END";
}

void Printer::Append(const Expression& e) {
  switch (e.kind) {
    case ExpressionKind::kConstant:
      return AppendConstant(e);
    case ExpressionKind::kColumn:
      if (static_cast<size_t>(e.index) < columns_.size()) {
        text_ += Quoted(columns_[static_cast<size_t>(e.index)], '"');
        return;
      }
      [[fallthrough]];
    case ExpressionKind::kParameter:
    case ExpressionKind::kCell:
    case ExpressionKind::kSubquery:
      status_ = Status::Error(sqlstate::kInternalError,
                              "a stored expression has a column, a parameter or a subquery");
      return;
    case ExpressionKind::kFunction:
      return AppendFunction(e);
    case ExpressionKind::kRelabel:
    case ExpressionKind::kArrayCoerce:
    case ExpressionKind::kCoerce:
    case ExpressionKind::kTextInput:
    case ExpressionKind::kTextOutput:
      return AppendCast(*e.arguments[0], e.type);
    case ExpressionKind::kAnd:
      return AppendList("(", e, 0, " AND ", ")");
    case ExpressionKind::kOr:
      return AppendList("(", e, 0, " OR ", ")");
    case ExpressionKind::kNot:
      return AppendList("(NOT ", e, 0, "", ")");
    case ExpressionKind::kNullTest:
      return AppendTest(e, e.negated ? "IS NOT NULL" : "IS NULL");
    case ExpressionKind::kBooleanTest: {
      constexpr std::string_view kTests[] = {"IS TRUE",      "IS NOT TRUE", "IS FALSE",
                                             "IS NOT FALSE", "IS UNKNOWN",  "IS NOT UNKNOWN"};
      return AppendTest(e, kTests[e.test % std::size(kTests)]);
    }
    case ExpressionKind::kDistinct:
      return AppendList("(", e, 0, e.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ",
                        ")");
    case ExpressionKind::kIn:
      text_ += '(';
      Append(*e.arguments[0]);
      return AppendList(e.negated ? " NOT IN (" : " IN (", e, 1, ", ", "))");
    case ExpressionKind::kAnyElement:
      text_ += '(';
      Append(*e.arguments[0]);
      text_ += fmt::format(" {} {}", e.function->name, e.negated ? "ALL" : "ANY");
      return AppendList(" (", e, 1, "", "))");
    case ExpressionKind::kArray:
      return AppendList("ARRAY[", e, 0, ", ", "]");
    case ExpressionKind::kUnnest:
      status_ = Status::Error(sqlstate::kInternalError, "a stored expression has several rows");
      return;
    case ExpressionKind::kCase:
      return AppendCase(e);
    case ExpressionKind::kCoalesce:
      return AppendList("COALESCE(", e, 0, ", ", ")");
    case ExpressionKind::kNullIf:
      return AppendList("NULLIF(", e, 0, ", ", ")");
    case ExpressionKind::kGreatest:
      return AppendList("GREATEST(", e, 0, ", ", ")");
    case ExpressionKind::kLeast:
      return AppendList("LEAST(", e, 0, ", ", ")");
  }
}

}  // namespace

Result<std::string> PrintStoredExpression(const Expression& expression,
                                          std::span<const std::string> columns) {
  return Printer(columns).Print(expression);
}

Status FixSessionLiterals(Expression& expression, Arena& arena, EvalEnvironment& environment) {
  for (Expression* argument : expression.args()) {
    CONNBENCH_RETURN_IF_ERROR(FixSessionLiterals(*argument, arena, environment));
  }
  // The name of a relation stays one.
  const bool reads_literal = expression.kind == ExpressionKind::kTextInput &&
                             expression.type.oid != type_oid::kRegclass &&
                             expression.arguments[0]->kind == ExpressionKind::kConstant &&
                             expression.arguments[0]->type.oid == type_oid::kUnknown;
  if (!reads_literal) return Status::Ok();
  EvalContext context;
  context.arena = &arena;
  context.environment = &environment;
  Value value;
  if (!Evaluate(expression, context, value)) return std::move(context.status);
  MakeConstant(expression, value);
  return Status::Ok();
}

}  // namespace connbench::engine
