// LIKE and regular expressions.
#include <algorithm>

#include "engine/executor/expression/expression.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/key_codec.h"

namespace connbench::engine {
namespace {

// The column behind relabels (varchar read as text); null if there is none.
const Expression* ColumnUnder(const Expression* expression) {
  while (expression->kind == ExpressionKind::kRelabel) expression = expression->arguments[0];
  return expression->kind == ExpressionKind::kColumn ? expression : nullptr;
}

bool IsScanConstant(const Expression& expression, int first, int end) {
  if (expression.volatility == Volatility::kVolatile) return false;
  bool stands_still = true;
  ForEachColumn(expression, [&](const Expression& column) {
    stands_still = stands_still && (column.index < first || column.index >= end);
  });
  return stands_still;
}

// All integers share one key form, and so do all strings but bpchar.
bool SameKeyForm(Oid a, Oid b) {
  if (a == b) return true;
  const auto integer = [](Oid oid) { return IsInteger(oid) || oid == type_oid::kOid; };
  const auto string = [](Oid oid) {
    return oid == type_oid::kText || oid == type_oid::kVarchar || oid == type_oid::kName;
  };
  return (integer(a) && integer(b)) || (string(a) && string(b));
}

bool ToComparison(OperatorMeaning meaning, bool mirrored, Comparison& out) {
  switch (meaning) {
    case OperatorMeaning::kEqual:
      out = Comparison::kEqual;
      return true;
    case OperatorMeaning::kLess:
      out = mirrored ? Comparison::kGreater : Comparison::kLess;
      return true;
    case OperatorMeaning::kLessEqual:
      out = mirrored ? Comparison::kGreaterEqual : Comparison::kLessEqual;
      return true;
    case OperatorMeaning::kGreater:
      out = mirrored ? Comparison::kLess : Comparison::kGreater;
      return true;
    case OperatorMeaning::kGreaterEqual:
      out = mirrored ? Comparison::kLessEqual : Comparison::kGreaterEqual;
      return true;
    default:
      return false;
  }
}

bool SameConstant(const Expression& a, const Expression& b) {
  if (a.constant.null || b.constant.null) return a.constant.null == b.constant.null;
  if (GetType(a.type.oid).form == ValueForm::kBytes) {
    return a.constant.text() == b.constant.text();
  }
  return a.constant.integer == b.constant.integer;  // or the same bits of a real
}

}  // namespace

IndexCondition MatchIndexCondition(const Expression& expression, int first, int end) {
  IndexCondition match;
  if (expression.kind != ExpressionKind::kFunction || expression.argument_count != 2) return match;
  for (const uint32_t side : {0u, 1u}) {
    const Expression* column = ColumnUnder(expression.arguments[side]);
    const Expression* value = expression.arguments[1 - side];
    if (column == nullptr || column->index < first || column->index >= end) continue;
    if (!IsScanConstant(*value, first, end)) continue;
    if (!SameKeyForm(column->type.oid, value->type.oid)) continue;
    if (!ToComparison(expression.function->meaning, side == 1, match.comparison)) continue;
    match.matches = true;
    match.column = column->index - first;
    match.value = value;
    match.key_type = value->type.oid;
    return match;
  }
  return match;
}

IndexInList MatchIndexInList(const Expression& expression, int first, int end) {
  IndexInList match;
  if (expression.negated) return match;
  if (expression.kind == ExpressionKind::kAnyElement) {
    const Expression* column = ColumnUnder(expression.arguments[0]);
    const Expression* array = expression.arguments[1];
    if (column == nullptr || column->index < first || column->index >= end) return match;
    match.key_type = ElementType(array->type.oid);
    match.matches = expression.function->meaning == OperatorMeaning::kEqual &&
                    SameKeyForm(column->type.oid, match.key_type) &&
                    IsScanConstant(*array, first, end);
    match.column = column->index - first;
    match.array = array;
    return match;
  }
  if (expression.kind != ExpressionKind::kIn) return match;
  const Expression* column = ColumnUnder(expression.arguments[0]);
  const std::span<Expression* const> values = expression.args().subspan(1);
  if (column == nullptr || column->index < first || column->index >= end) return match;
  const Oid key_type = values[0]->type.oid;
  if (!SameKeyForm(column->type.oid, key_type)) return match;
  if (!std::all_of(values.begin(), values.end(),
                   [](const Expression* v) { return IsScanConstant(*v, 0, INT32_MAX); })) {
    return match;
  }
  match.matches = true;
  match.column = column->index - first;
  match.values = values;
  match.key_type = key_type;
  return match;
}

bool SameExpression(const Expression& a, const Expression& b) {
  if (a.kind != b.kind || a.type != b.type || a.function != b.function || a.index != b.index ||
      a.negated != b.negated || a.test != b.test || a.argument_count != b.argument_count) {
    return false;
  }
  if (a.kind == ExpressionKind::kConstant && !SameConstant(a, b)) return false;
  if (a.kind == ExpressionKind::kCell && a.cell != b.cell) return false;
  if (a.kind == ExpressionKind::kSubquery && a.subquery != b.subquery) return false;
  for (uint32_t i = 0; i < a.argument_count; ++i) {
    if (!SameExpression(*a.arguments[i], *b.arguments[i])) return false;
  }
  return true;
}

}  // namespace connbench::engine
