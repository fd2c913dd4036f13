// Builds expressions.
#include "engine/executor/expression/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/evaluate.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/postgres_names.h"
#include "engine/executor/expression/resolve.h"
#include "engine/executor/expression/rewrite.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr const char* kAddCasts = "You might need to add explicit type casts.";

// float8(x) is a cast written as a function; null: this is none.
const TypeInfo* TypeCalledAsFunction(std::string_view name,
                                     std::span<Expression* const> arguments) {
  const TypeInfo* type = arguments.size() == 1 ? FindTypeByName(name) : nullptr;
  const bool is_cast = type != nullptr && type->category != 'P' &&
                       CanCoerce(arguments[0]->type.oid, type->oid, CoercionContext::kExplicit);
  return is_cast ? type : nullptr;
}

// Under sql_standard, one sign in front is the sign of all parts. Parts stand apart.
bool DependsOnIntervalStyle(std::string_view text) {
  return text.find('-') != std::string_view::npos && text.find(' ') != std::string_view::npos;
}

}  // namespace

Result<ParameterTypes> ParameterTypes::From(std::span<const Oid> given) {
  for (Oid oid : given) {
    if (oid != type_oid::kInvalid) CONNBENCH_RETURN_IF_ERROR(CheckTypeOid(oid));
  }
  ParameterTypes parameters;
  parameters.types_.assign(given.begin(), given.end());
  return parameters;
}

Status ParameterTypes::CheckAllDetermined() const {
  for (size_t i = 0; i < types_.size(); ++i) {
    if (types_[i] == type_oid::kInvalid || types_[i] == type_oid::kUnknown) {
      return Status::Error(sqlstate::kIndeterminateDatatype,
                           fmt::format("could not determine data type of parameter ${}", i + 1));
    }
  }
  return Status::Ok();
}

int ExpressionBuilder::PositionOf(int location) const {
  if (location < 0) return 0;
  const auto bytes = std::min(static_cast<size_t>(location), statement_.size());
  return static_cast<int>(CountCharacters(statement_.substr(0, bytes))) + 1;
}

Status ExpressionBuilder::Error(std::string_view code, std::string message, int location) const {
  return Status::Error(code, std::move(message), PositionOf(location));
}

Result<Expression*> ExpressionBuilder::NewNode(ExpressionKind kind, Type type,
                                               std::span<Expression* const> arguments, int location,
                                               Volatility volatility,
                                               const FunctionDescription* function) {
  constexpr int64_t kStepsPerNode = 100;
  CONNBENCH_RETURN_IF_ERROR(meter_.Spend(kStepsPerNode + static_cast<int64_t>(arguments.size())));
  auto* node = arena_.New<Expression>();
  if (node == nullptr) return arena_.OutOfMemory();
  node->kind = kind;
  node->type = type;
  node->location = location;
  node->volatility = volatility;
  node->function = function;
  if (!arguments.empty()) {
    const std::span<Expression*> copy = arena_.NewArray<Expression*>(arguments.size());
    if (copy.data() == nullptr) return arena_.OutOfMemory();
    std::copy(arguments.begin(), arguments.end(), copy.begin());
    node->arguments = copy.data();
    node->argument_count = static_cast<uint32_t>(copy.size());
  }
  int depth = 0;
  uint64_t nodes = 1;
  for (const Expression* argument : arguments) {
    depth = std::max<int>(depth, argument->depth);
    nodes += argument->nodes;
    node->volatility = std::max(node->volatility, argument->volatility);
    node->has_columns = node->has_columns || argument->has_columns;
    node->has_parameters = node->has_parameters || argument->has_parameters;
  }
  CONNBENCH_RETURN_IF_ERROR(NoteDepth(depth + 1, location));
  node->depth = static_cast<uint16_t>(depth + 1);
  if (nodes > kMaxExpressionNodes) [[unlikely]] {
    return Error(sqlstate::kStatementTooComplex, "expression is too large", location)
        .WithDetail("What it compares with BETWEEN or in rows counts each time it is compared.")
        .WithHint("Compute parts of it in a subquery.");
  }
  node->nodes = static_cast<uint32_t>(nodes);
  return node;
}

Status ExpressionBuilder::NoteDepth(int depth, int location) {
  if (depth > kMaxExpressionDepth) [[unlikely]] {
    return Error(sqlstate::kStatementTooComplex, "expression is nested too deep", location)
        .WithDetail(fmt::format("The limit is {} levels.", kMaxExpressionDepth))
        .WithHint("Simplify the expression; IN, AND and OR take lists of any length.");
  }
  deepest_ = std::max(deepest_, depth);
  return {};
}

Result<Expression*> ExpressionBuilder::Finish(Expression* node) {
  node->evaluate = ChooseEvaluation(*node);
  const bool foldable = node->kind != ExpressionKind::kConstant && node->argument_count > 0 &&
                        node->volatility == Volatility::kImmutable && !node->has_columns &&
                        !node->has_parameters;
  if (!foldable) return node;
  EvalContext context;
  context.arena = &arena_;
  Value value;
  if (!Evaluate(*node, context, value)) {
    if (IsInterrupt(context.status)) return std::move(context.status);
    failed_constants_.push_back(node);  // no error yet: the node may be part of a CASE
    return node;
  }
  // What the value points to is in this arena already.
  MakeConstant(*node, value);
  return node;
}

Status ExpressionBuilder::Forget(const Expression& part) {
  constexpr int64_t kStepsPerNode = 100;
  if (failed_constants_.empty()) return {};
  CONNBENCH_RETURN_IF_ERROR(meter_.Spend(kStepsPerNode));
  forgotten_.insert(&part);
  for (const Expression* argument : part.args()) CONNBENCH_RETURN_IF_ERROR(Forget(*argument));
  return {};
}

Status ExpressionBuilder::ConstantError() const {
  for (const Expression* node : failed_constants_) {
    if (forgotten_.contains(node)) continue;
    EvalContext context;
    context.arena = &arena_;
    Value value;
    if (!Evaluate(*node, context, value)) return std::move(context.status);
  }
  return {};
}

// ---- leaves ----

Result<Expression*> ExpressionBuilder::Constant(Type type, const Value& value, int location) {
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kConstant, type, {}, location));
  node->constant = value;
  if (!value.null && GetType(type.oid).form == ValueForm::kBytes) {
    const std::string_view copy = arena_.Copy(value.text());
    if (copy.data() == nullptr) return arena_.OutOfMemory();
    node->constant = Value::Text(copy);
  }
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::Null(int location) {
  return Constant({type_oid::kUnknown, -1}, Value::Null(), location);
}

Result<Expression*> ExpressionBuilder::Boolean(bool value, int location) {
  return Constant({type_oid::kBool, -1}, Value::Bool(value), location);
}

Result<Expression*> ExpressionBuilder::Integer(int64_t value, int location) {
  const bool narrow =
      value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
  return Constant({narrow ? type_oid::kInt4 : type_oid::kInt8, -1}, Value::Integer(value),
                  location);
}

Result<Expression*> ExpressionBuilder::Number(std::string_view digits, int location) {
  int64_t integer = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), integer);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    return Integer(integer, location);
  }
  Value value;
  if (Status status = ParseNumeric(digits, arena_, value); !status.ok()) {
    return std::move(status).WithPosition(PositionOf(location));
  }
  return Constant({type_oid::kNumeric, -1}, value, location);
}

Result<Expression*> ExpressionBuilder::String(std::string_view text, int location) {
  return Constant({type_oid::kUnknown, -1}, Value::Text(text), location);
}

Result<Expression*> ExpressionBuilder::Column(int index, Type type, int location) {
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kColumn, type, {}, location));
  node->index = index;
  node->has_columns = true;
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::Cell(Type type, std::string_view name, int location) {
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node, NewNode(ExpressionKind::kCell, type, {}, location));
  node->cell = arena_.New<Value>();
  const std::string_view copy = arena_.Copy(name);
  if (node->cell == nullptr || copy.data() == nullptr) return arena_.OutOfMemory();
  node->constant = Value::Text(copy);
  node->has_parameters = true;  // it differs from run to run
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::Parameter(int number, int location) {
  if (number < 1 || number > parameters_.limit_) {
    return Error(sqlstate::kUndefinedParameter, fmt::format("there is no parameter ${}", number),
                 location);
  }
  auto& types = parameters_.types_;
  if (types.size() < static_cast<size_t>(number)) types.resize(static_cast<size_t>(number));
  Oid type = types[static_cast<size_t>(number - 1)];
  if (type == type_oid::kInvalid) type = type_oid::kUnknown;
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kParameter, {type, -1}, {}, location));
  node->index = number - 1;
  node->has_parameters = true;
  if (type == type_oid::kUnknown) open_parameters_.push_back(node);
  return Finish(node);
}

Status ExpressionBuilder::CheckOpenParameters() const {
  for (const Expression* node : open_parameters_) {
    const Oid decided = parameters_.types_[static_cast<size_t>(node->index)];
    const bool open = decided == type_oid::kInvalid || decided == type_oid::kUnknown;
    if (open || node->type.oid == decided) continue;
    return Error(sqlstate::kAmbiguousParameter,
                 fmt::format("could not determine data type of parameter ${}", node->index + 1),
                 node->location);
  }
  return {};
}

Status ExpressionBuilder::DetermineParameter(Expression* parameter, Oid type) {
  Oid& known = parameters_.types_[static_cast<size_t>(parameter->index)];
  if (known == type_oid::kInvalid || known == type_oid::kUnknown) known = type;
  if (known != type) {
    return Error(sqlstate::kAmbiguousParameter,
                 fmt::format("inconsistent types deduced for parameter ${}", parameter->index + 1),
                 parameter->location)
        .WithDetail(fmt::format("{} versus {}", FormatType({known, -1}), FormatType({type, -1})));
  }
  parameter->type = {type, -1};
  return Status::Ok();
}

// ---- coercion ----

Result<Expression*> ExpressionBuilder::CoerceLiteral(Expression* literal, Type type) {
  const Oid target = type.oid;
  // Only an interval's modifier says how to read it.
  if (target != type_oid::kInterval) type.modifier = -1;
  if (literal->constant.null) return Constant(type, Value::Null(), literal->location);
  const std::string_view text = literal->constant.text();
  Value value;
  const IoContext io{&arena_, nullptr, 0};
  // Only the session knows the names of relations.
  const bool is_number =
      !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  const bool is_name = target == type_oid::kRegclassArray ||
                       (target == type_oid::kRegclass && text != "-" && !is_number);
  if (!is_name) {
    if (Status status = ParseText(type, text, io, value); !status.ok()) {
      return std::move(status).WithPosition(PositionOf(literal->location));
    }
  }
  // What depends on the session ('now', its time zone) is read again when the statement runs.
  const bool has_words =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  const Oid read = IsArray(target) ? ElementType(target) : target;
  const bool has_day = read == type_oid::kTimestamp || read == type_oid::kDate;
  const bool has_clock = has_day || read == type_oid::kTime;
  if (is_name || read == type_oid::kTimestamptz || (has_clock && has_words) ||
      (read == type_oid::kInterval && DependsOnIntervalStyle(text))) {
    Expression* const argument[] = {literal};
    CONNBENCH_ASSIGN_OR_RETURN(
        Expression * node, NewNode(ExpressionKind::kTextInput, type, argument, literal->location,
                                   Volatility::kStable));
    if (!is_name && late_literals_ != nullptr) late_literals_->push_back(node);
    return Finish(node);
  }
  return Constant(type, value, literal->location);
}

Result<Expression*> ExpressionBuilder::CoerceModifier(Expression* argument, Type target,
                                                      CoercionContext context, int location) {
  if (target.modifier < 0 || argument->type.modifier == target.modifier) return argument;
  Expression* const arguments[] = {argument};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                             NewNode(ExpressionKind::kCoerce, target, arguments, location));
  node->negated = context == CoercionContext::kExplicit;
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::Coerce(Expression* argument, Type target,
                                              CoercionContext context, int location) {
  constexpr int64_t kStepsPerCoercion = 20;
  CONNBENCH_RETURN_IF_ERROR(meter_.Spend(kStepsPerCoercion));
  const Oid source = argument->type.oid;
  if (source == type_oid::kUnknown && target.oid != type_oid::kUnknown) {
    if (argument->kind == ExpressionKind::kConstant) {
      CONNBENCH_ASSIGN_OR_RETURN(argument, CoerceLiteral(argument, target));
      return CoerceModifier(argument, target, context, location);
    }
    if (argument->kind == ExpressionKind::kParameter) {
      CONNBENCH_RETURN_IF_ERROR(DetermineParameter(argument, target.oid));
      return CoerceModifier(argument, target, context, location);
    }
  }
  if (source == target.oid) return CoerceModifier(argument, target, context, location);
  const CastPath path =
      FindCast(source == type_oid::kUnknown ? type_oid::kText : source, target.oid, context);
  ExpressionKind kind = ExpressionKind::kRelabel;
  auto volatility = Volatility::kImmutable;
  switch (path.method) {
    case CastMethod::kNone:
      return Error(sqlstate::kCannotCoerce,
                   fmt::format("cannot cast type {} to {}", FormatType({source, -1}),
                               FormatType({target.oid, -1})),
                   location);
    case CastMethod::kRelabel:
      break;
    case CastMethod::kFunction:
      kind = ExpressionKind::kFunction;
      volatility = path.function->volatility;
      break;
    case CastMethod::kTextInput:
    case CastMethod::kTextOutput: {
      kind = path.method == CastMethod::kTextInput ? ExpressionKind::kTextInput
                                                   : ExpressionKind::kTextOutput;
      const Oid other = kind == ExpressionKind::kTextInput ? target.oid : source;
      if (TextDependsOnSession(other)) volatility = Volatility::kStable;
      break;
    }
  }
  if (path.of_elements) kind = ExpressionKind::kArrayCoerce;
  Expression* const arguments[] = {argument};
  CONNBENCH_ASSIGN_OR_RETURN(Expression * node, NewNode(kind, {target.oid, -1}, arguments, location,
                                                        volatility, path.function));
  if (path.of_elements) node->test = static_cast<uint8_t>(path.method);
  CONNBENCH_ASSIGN_OR_RETURN(node, Finish(node));
  return CoerceModifier(node, target, context, location);
}

// ---- operators and functions ----

Status ExpressionBuilder::CoerceArguments(const FunctionDescription& function,
                                          std::span<Expression*> arguments) {
  for (uint32_t i = 0; i < arguments.size(); ++i) {
    Expression*& argument = arguments[i];
    const Oid wanted = function.argument_type(i);
    if (wanted != type_oid::kAny) {
      CONNBENCH_ASSIGN_OR_RETURN(
          argument, Coerce(argument, {wanted, -1}, CoercionContext::kImplicit, argument->location));
      continue;
    }
    CONNBENCH_ASSIGN_OR_RETURN(argument, ResolveLiteral(argument));
    if (argument->type.oid == type_oid::kUnknown) continue;  // the statement will not run
    const bool pairs = function.any_argument == AnyArgument::kAsJsonPairs;
    if (pairs || function.any_argument == AnyArgument::kAsJson) {
      CONNBENCH_ASSIGN_OR_RETURN(argument, ToJson(argument, pairs && i % 2 == 0));
      continue;
    }
    if (function.any_argument == AnyArgument::kAsIs) continue;
    if (function.any_argument == AnyArgument::kCastToText) {
      CONNBENCH_ASSIGN_OR_RETURN(argument, Coerce(argument, {type_oid::kText, -1},
                                                  CoercionContext::kExplicit, argument->location));
      continue;
    }
    if (argument->type.oid == type_oid::kText) continue;
    const auto volatility =
        TextDependsOnSession(argument->type.oid) ? Volatility::kStable : Volatility::kImmutable;
    Expression* const only[] = {argument};
    CONNBENCH_ASSIGN_OR_RETURN(Expression * node,
                               NewNode(ExpressionKind::kTextOutput, {type_oid::kText, -1}, only,
                                       argument->location, volatility));
    CONNBENCH_ASSIGN_OR_RETURN(argument, Finish(node));
  }
  return Status::Ok();
}

Result<Expression*> ExpressionBuilder::ToJson(Expression* argument, bool as_key) {
  const Oid type = argument->type.oid;
  if (type == type_oid::kUnknown) {
    return Error(sqlstate::kDatatypeMismatch,
                 "could not determine polymorphic type because input has type unknown", -1);
  }
  if (type == type_oid::kJson && !as_key) return argument;
  const FunctionDescription* const conversion = JsonConversion(type, as_key);
  if (conversion == nullptr) {
    return Error(sqlstate::kFeatureNotSupported,
                 fmt::format("json of type {} is not supported", FormatType({type, -1})),
                 argument->location);
  }
  return Call(*conversion, {&argument, 1}, argument->location);
}

Result<Expression*> ExpressionBuilder::Call(const FunctionDescription& function,
                                            std::span<Expression* const> arguments, int location) {
  CONNBENCH_ASSIGN_OR_RETURN(
      Expression * node, NewNode(ExpressionKind::kFunction, {function.result_type, -1}, arguments,
                                 location, function.volatility, &function));
  // The coerced arguments may be deeper or more volatile: made anew from them below.
  CONNBENCH_RETURN_IF_ERROR(CoerceArguments(function, {node->arguments, node->argument_count}));
  CONNBENCH_ASSIGN_OR_RETURN(node, NewNode(ExpressionKind::kFunction, {function.result_type, -1},
                                           node->args(), location, function.volatility, &function));
  return Finish(node);
}

Result<Expression*> ExpressionBuilder::IdentityValue(Oid sequence) {
  CONNBENCH_ASSIGN_OR_RETURN(Expression * oid,
                             Constant({type_oid::kOid, -1}, Value::Integer(sequence), -1));
  return Call(IdentityValueFunction(), {&oid, 1}, -1);
}

Result<const FunctionDescription*> ExpressionBuilder::ResolveOperator(
    std::string_view name, std::span<Expression* const> arguments, int location) {
  Oid types[2] = {};
  for (size_t i = 0; i < arguments.size(); ++i) types[i] = arguments[i]->type.oid;
  return ResolveOperator(name, std::span<const Oid>(types, arguments.size()), location);
}

Result<const FunctionDescription*> ExpressionBuilder::ResolveOperator(std::string_view name,
                                                                      std::span<const Oid> types,
                                                                      int location) {
  const Resolution resolution = ResolveOverload(FindOperators(name), types, true);
  if (resolution.function != nullptr) {
    if (resolution.function->implementation != nullptr) return resolution.function;
    const auto operand = [&](uint32_t i) {
      return FormatType({resolution.function->argument_type(i), -1});
    };
    return Error(sqlstate::kFeatureNotSupported,
                 fmt::format("operator {} {} {} is not supported", operand(0), name, operand(1)),
                 location);
  }
  const auto rows = FindOperators(name);
  const bool missing = std::none_of(rows.begin(), rows.end(), [&](const FunctionDescription* row) {
    return row->takes(types.size());
  });
  if (missing && PostgresHasOperator(name)) {
    return Error(sqlstate::kFeatureNotSupported, fmt::format("operator {} is not supported", name),
                 location);
  }
  std::string described(name);
  described += ' ';
  described += FormatType({types.back(), -1});
  if (types.size() == 2) described.insert(0, FormatType({types[0], -1}) + ' ');
  if (resolution.ambiguous) {
    return Error(sqlstate::kAmbiguousFunction, "operator is not unique: " + described, location)
        .WithHint(fmt::format("Could not choose a best candidate operator. {}", kAddCasts));
  }
  return Error(sqlstate::kUndefinedFunction, "operator does not exist: " + described, location)
      .WithHint(
          types.size() == 2
              ? fmt::format("No operator matches the given name and argument types. {}", kAddCasts)
              : "No operator matches the given name and argument type. You might need to "
                "add an explicit type cast.");
}

Result<Expression*> ExpressionBuilder::Operator(std::string_view name, Expression* left,
                                                Expression* right, int location) {
  Expression* const both[] = {left, right};
  const auto arguments = left == nullptr ? std::span(both).subspan(1) : std::span(both);
  CONNBENCH_ASSIGN_OR_RETURN(const FunctionDescription* function,
                             ResolveOperator(name, arguments, location));
  return Call(*function, arguments, location);
}

Result<const FunctionDescription*> ExpressionBuilder::ResolveFunction(
    std::string_view name, std::span<Expression* const> arguments, int location,
    std::string_view written) {
  std::vector<Oid> types;
  for (const Expression* argument : arguments) types.push_back(argument->type.oid);
  const Resolution resolution = ResolveOverload(FindFunctions(name), types, false);
  if (resolution.function != nullptr) {
    if (resolution.function->implementation != nullptr) return resolution.function;
    return Error(sqlstate::kFeatureNotSupported, NotSupportedMessage(*resolution.function),
                 location);
  }
  if (FindFunctions(name).empty() && PostgresHasFunction(name)) {
    return Error(sqlstate::kFeatureNotSupported,
                 fmt::format("function {}() is not supported", name), location);
  }
  const std::string described =
      fmt::format("function {}({})", written.empty() ? name : written, DescribeTypes(arguments));
  // Where one function takes any array, PostgreSQL has found it.
  if (resolution.ambiguous && name != "unnest" &&
      IsArray(FindFunctions(name).front()->argument_type(0))) {
    return Error(sqlstate::kDatatypeMismatch,
                 "could not determine polymorphic type because input has type unknown", -1);
  }
  if (resolution.ambiguous) {
    return Error(sqlstate::kAmbiguousFunction, described + " is not unique", location)
        .WithHint(fmt::format("Could not choose a best candidate function. {}", kAddCasts));
  }
  return Error(sqlstate::kUndefinedFunction, described + " does not exist", location)
      .WithHint(
          fmt::format("No function matches the given name and argument types. {}", kAddCasts));
}

Result<Expression*> ExpressionBuilder::Function(std::string_view name,
                                                std::span<Expression* const> arguments,
                                                int location, std::string_view written) {
  if (name == "pg_typeof" && arguments.size() == 1) {
    return Constant({type_oid::kRegtype, -1}, Value::Integer(arguments[0]->type.oid), location);
  }
  if (name == "to_json" && arguments.size() == 1) return ToJson(arguments[0], false);
  auto function = ResolveFunction(name, arguments, location, written);
  if (function.ok()) return Call(**function, arguments, location);
  if (const TypeInfo* type = TypeCalledAsFunction(name, arguments)) {
    return Coerce(arguments[0], {type->oid, -1}, CoercionContext::kExplicit, location);
  }
  return function.TakeStatus();
}

Status ExpressionBuilder::CheckFunction(std::string_view name,
                                        std::span<Expression* const> arguments, int location,
                                        std::string_view written) {
  if ((name == "pg_typeof" || name == "to_json") && arguments.size() == 1) return {};
  const auto function = ResolveFunction(name, arguments, location, written);
  if (function.ok() || TypeCalledAsFunction(name, arguments) != nullptr) return {};
  return function.status();
}

}  // namespace connbench::engine
