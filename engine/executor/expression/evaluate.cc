// The code behind the nodes: which EvaluateFunction a node gets.
#include "engine/executor/expression/evaluate.h"

#include <algorithm>
#include <array>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/array.h"

namespace connbench::engine {
namespace {

using E = Expression;

[[gnu::hot]] bool EvaluateConstant(const E& e, EvalContext&, Value& out) {
  out = e.constant;
  return true;
}

[[gnu::hot]] bool EvaluateColumn(const E& e, EvalContext& context, Value& out) {
  out = context.columns[e.index];
  return true;
}

[[gnu::hot]] bool EvaluateParameter(const E& e, EvalContext& context, Value& out) {
  out = context.parameters[e.index];
  return true;
}

bool EvaluateCell(const E& e, EvalContext&, Value& out) {
  out = *e.cell;
  return true;
}

bool EvaluateSubquery(const E& e, EvalContext& context, Value& out) {
  return e.subquery->Evaluate(e, context, out);
}

bool EvaluateRelabel(const E& e, EvalContext& context, Value& out) {
  return Evaluate(*e.arguments[0], context, out);
}

// A strict function of a known number of arguments, whose values fit the frame.
template <uint32_t kCount>
bool EvaluateStrict(const E& e, EvalContext& context, Value& out) {
  Value arguments[kCount == 0 ? 1 : kCount];
  for (uint32_t i = 0; i < kCount; ++i) {
    if (!Evaluate(*e.arguments[i], context, arguments[i])) return false;
    if (arguments[i].null) {
      out = Value::Null();
      return true;
    }
  }
  return e.function->implementation(context, arguments, kCount, out);
}

bool EvaluateAnyFunction(const E& e, EvalContext& context, Value& out) {
  const std::span<Value> arguments = context.arena->NewArray<Value>(e.argument_count);
  if (arguments.size() != e.argument_count) return context.Fail(context.arena->OutOfMemory());
  const bool strict = e.function->nulls == NullHandling::kStrict;
  for (uint32_t i = 0; i < e.argument_count; ++i) {
    if (!Evaluate(*e.arguments[i], context, arguments[i])) return false;
    if (strict && arguments[i].null) {
      out = Value::Null();
      return true;
    }
  }
  return e.function->implementation(context, arguments.data(), e.argument_count, out);
}

// `column <op> leaf` over integers, the shape of nearly every WHERE.
enum class Leaf : uint8_t { kColumn, kParameter, kConstant };

template <OperatorMeaning kMeaning>
bool Holds(int64_t a, int64_t b) {
  switch (kMeaning) {
    case OperatorMeaning::kEqual:
      return a == b;
    case OperatorMeaning::kNotEqual:
      return a != b;
    case OperatorMeaning::kLess:
      return a < b;
    case OperatorMeaning::kLessEqual:
      return a <= b;
    case OperatorMeaning::kGreater:
      return a > b;
    case OperatorMeaning::kGreaterEqual:
      return a >= b;
    case OperatorMeaning::kOther:
      break;
  }
  return false;
}

template <OperatorMeaning kMeaning, Leaf kRight>
bool EvaluateIntegerComparison(const E& e, EvalContext& context, Value& out) {
  const Value& left = context.columns[e.arguments[0]->index];
  const E& other = *e.arguments[1];
  const Value& right = kRight == Leaf::kColumn      ? context.columns[other.index]
                       : kRight == Leaf::kParameter ? context.parameters[other.index]
                                                    : other.constant;
  out.integer = Holds<kMeaning>(left.integer, right.integer) ? 1 : 0;
  out.null = left.null || right.null;
  return true;
}

template <Leaf kRight>
EvaluateFunction IntegerComparison(OperatorMeaning meaning) {
  switch (meaning) {
    case OperatorMeaning::kEqual:
      return EvaluateIntegerComparison<OperatorMeaning::kEqual, kRight>;
    case OperatorMeaning::kNotEqual:
      return EvaluateIntegerComparison<OperatorMeaning::kNotEqual, kRight>;
    case OperatorMeaning::kLess:
      return EvaluateIntegerComparison<OperatorMeaning::kLess, kRight>;
    case OperatorMeaning::kLessEqual:
      return EvaluateIntegerComparison<OperatorMeaning::kLessEqual, kRight>;
    case OperatorMeaning::kGreater:
      return EvaluateIntegerComparison<OperatorMeaning::kGreater, kRight>;
    case OperatorMeaning::kGreaterEqual:
      return EvaluateIntegerComparison<OperatorMeaning::kGreaterEqual, kRight>;
    case OperatorMeaning::kOther:
      break;
  }
  return nullptr;
}

bool ComparesIntegers(const FunctionDescription& function) {
  // Stable: a comparison that reads a time in the session's zone.
  return function.meaning != OperatorMeaning::kOther &&
         function.volatility == Volatility::kImmutable &&
         GetType(function.argument_types[0]).form == ValueForm::kInteger &&
         GetType(function.argument_types[1]).form == ValueForm::kInteger;
}

EvaluateFunction ChooseFunctionEvaluation(const E& e) {
  const FunctionDescription& function = *e.function;
  if (e.argument_count == 2 && e.arguments[0]->kind == ExpressionKind::kColumn &&
      ComparesIntegers(function)) {
    switch (e.arguments[1]->kind) {
      case ExpressionKind::kColumn:
        return IntegerComparison<Leaf::kColumn>(function.meaning);
      case ExpressionKind::kParameter:
        return IntegerComparison<Leaf::kParameter>(function.meaning);
      case ExpressionKind::kConstant:
        return IntegerComparison<Leaf::kConstant>(function.meaning);
      default:
        break;
    }
  }
  if (function.nulls == NullHandling::kStrict) {
    switch (e.argument_count) {
      case 0:
        return EvaluateStrict<0>;
      case 1:
        return EvaluateStrict<1>;
      case 2:
        return EvaluateStrict<2>;
      case 3:
        return EvaluateStrict<3>;
      default:
        break;
    }
  }
  return EvaluateAnyFunction;
}

bool EvaluateCoerce(const E& e, EvalContext& context, Value& out) {
  if (!Evaluate(*e.arguments[0], context, out)) return false;
  Status status = ApplyTypeModifier(e.type, e.negated, context.io(), out);
  return status.ok() || context.Fail(std::move(status));
}

bool EvaluateTextInput(const E& e, EvalContext& context, Value& out) {
  Value text;
  if (!Evaluate(*e.arguments[0], context, text)) return false;
  if (text.null) {
    out = Value::Null();
    return true;
  }
  Status status = ParseText(e.type, text.text(), context.io(), out);
  return status.ok() || context.Fail(std::move(status));
}

bool EvaluateTextOutput(const E& e, EvalContext& context, Value& out) {
  Value value;
  if (!Evaluate(*e.arguments[0], context, value)) return false;
  if (value.null) {
    out = Value::Null();
    return true;
  }
  std::string_view text;
  Status status = FormatText(e.arguments[0]->type.oid, value, context.io(), text);
  if (!status.ok()) return context.Fail(std::move(status));
  out = Value::Text(text);
  return true;
}

// AND looks for false, OR for true; a null keeps the answer open.
template <bool kDecisive>
bool EvaluateLogic(const E& e, EvalContext& context, Value& out) {
  bool open = false;
  for (uint32_t i = 0; i < e.argument_count; ++i) {
    Value value;
    if (!Evaluate(*e.arguments[i], context, value)) return false;
    if (value.null) {
      open = true;
    } else if ((value.integer != 0) == kDecisive) {
      out = Value::Bool(kDecisive);
      return true;
    }
  }
  out = open ? Value::Null() : Value::Bool(!kDecisive);
  return true;
}

bool EvaluateNot(const E& e, EvalContext& context, Value& out) {
  if (!Evaluate(*e.arguments[0], context, out)) return false;
  if (!out.null) out.integer = out.integer == 0 ? 1 : 0;
  return true;
}

bool EvaluateNullTest(const E& e, EvalContext& context, Value& out) {
  Value value;
  if (!Evaluate(*e.arguments[0], context, value)) return false;
  out = Value::Bool(value.null != e.negated);
  return true;
}

bool EvaluateBooleanTest(const E& e, EvalContext& context, Value& out) {
  Value value;
  if (!Evaluate(*e.arguments[0], context, value)) return false;
  const bool is_true = !value.null && value.integer != 0;
  const bool is_false = !value.null && value.integer == 0;
  switch (static_cast<BooleanTestKind>(e.test)) {
    case BooleanTestKind::kTrue:
      out = Value::Bool(is_true);
      break;
    case BooleanTestKind::kNotTrue:
      out = Value::Bool(!is_true);
      break;
    case BooleanTestKind::kFalse:
      out = Value::Bool(is_false);
      break;
    case BooleanTestKind::kNotFalse:
      out = Value::Bool(!is_false);
      break;
    case BooleanTestKind::kUnknown:
      out = Value::Bool(value.null);
      break;
    case BooleanTestKind::kNotUnknown:
      out = Value::Bool(!value.null);
      break;
  }
  return true;
}

bool EvaluateDistinct(const E& e, EvalContext& context, Value& out) {
  Value arguments[2];
  for (int i = 0; i < 2; ++i) {
    if (!Evaluate(*e.arguments[i], context, arguments[i])) return false;
  }
  bool distinct = arguments[0].null != arguments[1].null;
  if (!arguments[0].null && !arguments[1].null) {
    Value equal;
    if (!e.function->implementation(context, arguments, 2, equal)) return false;
    distinct = equal.integer == 0;
  }
  out = Value::Bool(distinct != e.negated);
  return true;
}

bool EvaluateIn(const E& e, EvalContext& context, Value& out) {
  Value arguments[2];
  if (!Evaluate(*e.arguments[0], context, arguments[0])) return false;
  if (arguments[0].null) {
    out = Value::Null();
    return true;
  }
  bool open = false;
  WorkMeter meter = context.arena->Meter();
  constexpr int64_t kStepsPerItem = 10;
  for (uint32_t i = 1; i < e.argument_count; ++i) {
    Status status = meter.Spend(kStepsPerItem);
    if (!status.ok()) [[unlikely]]
      return context.Fail(std::move(status));
    if (!Evaluate(*e.arguments[i], context, arguments[1])) return false;
    if (arguments[1].null) {
      open = true;
      continue;
    }
    Value equal;
    if (!e.function->implementation(context, arguments, 2, equal)) return false;
    if (equal.integer != 0) {
      out = Value::Bool(!e.negated);
      return true;
    }
  }
  out = open ? Value::Null() : Value::Bool(e.negated);
  return true;
}

bool EvaluateAnyElement(const E& e, EvalContext& context, Value& out) {
  Value arguments[2];
  Value array;
  if (!Evaluate(*e.arguments[0], context, arguments[0])) return false;
  if (!Evaluate(*e.arguments[1], context, array)) return false;
  out = Value::Null();
  if (array.null) return true;
  ArrayReader reader(ElementType(e.arguments[1]->type.oid), array.text());
  // ANY looks for true, ALL for false. Of no elements the answer does not depend on the value.
  const bool decisive = !e.negated;
  if (reader.size() > 0 && arguments[0].null) return true;
  bool open = false;
  WorkMeter meter = context.arena->Meter();
  constexpr int64_t kStepsPerElement = 10;
  while (reader.Next(arguments[1])) {
    Status status = meter.Spend(kStepsPerElement);
    if (!status.ok()) [[unlikely]]
      return context.Fail(std::move(status));
    Value holds = Value::Null();
    if (!arguments[1].null && !e.function->implementation(context, arguments, 2, holds)) {
      return false;
    }
    open = open || holds.null;
    if (holds.null || (holds.integer != 0) != decisive) continue;
    out = Value::Bool(decisive);
    return true;
  }
  out = open ? Value::Null() : Value::Bool(!decisive);
  return true;
}

bool EvaluateArray(const E& e, EvalContext& context, Value& out) {
  ArrayWriter writer(ElementType(e.type.oid), *context.arena);
  for (uint32_t i = 0; i < e.argument_count; ++i) {
    Value element;
    if (!Evaluate(*e.arguments[i], context, element)) return false;
    writer.Add(element);
  }
  return context.Check(writer.Finish(out));
}

bool CastElement(const E& e, EvalContext& context, const Value& element, Value& out) {
  switch (static_cast<CastMethod>(e.test)) {
    case CastMethod::kFunction:
      return e.function->implementation(context, &element, 1, out);
    case CastMethod::kTextInput:
      return context.Check(
          ParseText({ElementType(e.type.oid), -1}, element.text(), context.io(), out));
    case CastMethod::kTextOutput: {
      std::string_view text;
      const Oid source = ElementType(e.arguments[0]->type.oid);
      if (!context.Check(FormatText(source, element, context.io(), text))) return false;
      out = Value::Text(text);
      return true;
    }
    case CastMethod::kNone:
    case CastMethod::kRelabel:
      break;
  }
  out = element;
  return true;
}

bool EvaluateArrayCoerce(const E& e, EvalContext& context, Value& out) {
  if (!Evaluate(*e.arguments[0], context, out)) return false;
  if (out.null) return true;
  ArrayReader reader(ElementType(e.arguments[0]->type.oid), out.text());
  ArrayWriter writer(ElementType(e.type.oid), *context.arena, reader.first());
  Value element;
  while (reader.Next(element)) {
    Value cast = Value::Null();
    if (!element.null && !CastElement(e, context, element, cast)) return false;
    writer.Add(cast);
  }
  return context.Check(writer.Finish(out));
}

// Of no value: what makes rows of it looks at the array.
bool EvaluateUnnest(const E&, EvalContext& context, Value&) {
  return context.Fail(Status::Error(sqlstate::kInternalError,
                                    "a set-returning function was called in place of a value"));
}

bool EvaluateCase(const E& e, EvalContext& context, Value& out) {
  for (uint32_t i = 0; i + 1 < e.argument_count; i += 2) {
    bool holds = false;
    if (!EvaluateCondition(*e.arguments[i], context, holds)) return false;
    if (holds) return Evaluate(*e.arguments[i + 1], context, out);
  }
  return Evaluate(*e.arguments[e.argument_count - 1], context, out);
}

bool EvaluateCoalesce(const E& e, EvalContext& context, Value& out) {
  for (uint32_t i = 0; i < e.argument_count; ++i) {
    if (!Evaluate(*e.arguments[i], context, out)) return false;
    if (!out.null) return true;
  }
  return true;
}

bool EvaluateNullIf(const E& e, EvalContext& context, Value& out) {
  Value arguments[2];
  for (int i = 0; i < 2; ++i) {
    if (!Evaluate(*e.arguments[i], context, arguments[i])) return false;
  }
  if (!arguments[0].null && !arguments[1].null) {
    Value equal;
    if (!e.function->implementation(context, arguments, 2, equal)) return false;
    if (equal.integer != 0) {
      out = Value::Null();
      return true;
    }
  }
  out = arguments[0];
  return true;
}

template <bool kGreatest>
bool EvaluateExtreme(const E& e, EvalContext& context, Value& out) {
  out = Value::Null();
  for (uint32_t i = 0; i < e.argument_count; ++i) {
    Value value;
    if (!Evaluate(*e.arguments[i], context, value)) return false;
    if (value.null) continue;
    const int order = out.null ? 0 : CompareValues(e.type.oid, value, out);
    if (out.null || (kGreatest ? order > 0 : order < 0)) out = value;
  }
  return true;
}

}  // namespace

EvaluateFunction ChooseEvaluation(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kConstant:
      return EvaluateConstant;
    case ExpressionKind::kColumn:
      return EvaluateColumn;
    case ExpressionKind::kParameter:
      return EvaluateParameter;
    case ExpressionKind::kFunction:
      return ChooseFunctionEvaluation(expression);
    case ExpressionKind::kRelabel:
      return EvaluateRelabel;
    case ExpressionKind::kCoerce:
      return EvaluateCoerce;
    case ExpressionKind::kTextInput:
      return EvaluateTextInput;
    case ExpressionKind::kTextOutput:
      return EvaluateTextOutput;
    case ExpressionKind::kAnd:
      return EvaluateLogic<false>;
    case ExpressionKind::kOr:
      return EvaluateLogic<true>;
    case ExpressionKind::kNot:
      return EvaluateNot;
    case ExpressionKind::kNullTest:
      return EvaluateNullTest;
    case ExpressionKind::kBooleanTest:
      return EvaluateBooleanTest;
    case ExpressionKind::kDistinct:
      return EvaluateDistinct;
    case ExpressionKind::kIn:
      return EvaluateIn;
    case ExpressionKind::kAnyElement:
      return EvaluateAnyElement;
    case ExpressionKind::kArray:
      return EvaluateArray;
    case ExpressionKind::kArrayCoerce:
      return EvaluateArrayCoerce;
    case ExpressionKind::kUnnest:
      return EvaluateUnnest;
    case ExpressionKind::kCase:
      return EvaluateCase;
    case ExpressionKind::kCoalesce:
      return EvaluateCoalesce;
    case ExpressionKind::kNullIf:
      return EvaluateNullIf;
    case ExpressionKind::kGreatest:
      return EvaluateExtreme<true>;
    case ExpressionKind::kLeast:
      return EvaluateExtreme<false>;
    case ExpressionKind::kCell:
      return EvaluateCell;
    case ExpressionKind::kSubquery:
      return EvaluateSubquery;
  }
  return nullptr;
}

}  // namespace connbench::engine
