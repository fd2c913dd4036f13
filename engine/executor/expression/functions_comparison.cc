// = <> < <= > >= for every type that has an order.
#include <array>
#include <vector>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/calendar.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;
using M = OperatorMeaning;

template <M kMeaning>
bool CompareIntegers(EvalContext&, const Value* a, uint32_t, Value& out) {
  const int order =
      static_cast<int>(a[0].integer > a[1].integer) - static_cast<int>(a[0].integer < a[1].integer);
  out = Value::Bool(MeansTrue(kMeaning, order));
  return true;
}

// float4 and float8 in either order: a float4 is held as the double it equals.
template <M kMeaning>
bool CompareReals(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool(MeansTrue(kMeaning, CompareValues(oid::kFloat8, a[0], a[1])));
  return true;
}

// timestamp with timestamptz in either order: the one without a zone is read in the session's.
template <M kMeaning, Oid kLeft>
bool CompareTimes(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Value times[2] = {a[0], a[1]};
  Value& local = times[kLeft == oid::kTimestamp ? 0 : 1];
  if (IsFinite(local.integer)) {
    local.integer -=
        int64_t{context.environment->time_zone().OffsetForLocal(local.integer)} * kUsPerSecond;
  }
  out = Value::Bool(MeansTrue(kMeaning, CompareValues(oid::kTimestamptz, times[0], times[1])));
  return true;
}

template <M kMeaning, Oid kType>
bool CompareOther(EvalContext&, const Value* a, uint32_t, Value& out) {
  // Equality of byte strings needs no order: different lengths differ.
  if constexpr (kType == oid::kText && (kMeaning == M::kEqual || kMeaning == M::kNotEqual)) {
    out = Value::Bool((a[0].text() == a[1].text()) == (kMeaning == M::kEqual));
  } else {
    out = Value::Bool(MeansTrue(kMeaning, CompareValues(kType, a[0], a[1])));
  }
  return true;
}

template <Oid kLeft, Oid kRight = kLeft>
constexpr std::array<FunctionDescription, 6> Integers() {
  return {
      OperatorRow("=", {kLeft, kRight}, oid::kBool, CompareIntegers<M::kEqual>, M::kEqual),
      OperatorRow("<>", {kLeft, kRight}, oid::kBool, CompareIntegers<M::kNotEqual>, M::kNotEqual),
      OperatorRow("<", {kLeft, kRight}, oid::kBool, CompareIntegers<M::kLess>, M::kLess),
      OperatorRow("<=", {kLeft, kRight}, oid::kBool, CompareIntegers<M::kLessEqual>, M::kLessEqual),
      OperatorRow(">", {kLeft, kRight}, oid::kBool, CompareIntegers<M::kGreater>, M::kGreater),
      OperatorRow(">=", {kLeft, kRight}, oid::kBool, CompareIntegers<M::kGreaterEqual>,
                  M::kGreaterEqual)};
}

template <Oid kLeft, Oid kRight>
constexpr std::array<FunctionDescription, 6> Reals() {
  return {
      OperatorRow("=", {kLeft, kRight}, oid::kBool, CompareReals<M::kEqual>, M::kEqual),
      OperatorRow("<>", {kLeft, kRight}, oid::kBool, CompareReals<M::kNotEqual>, M::kNotEqual),
      OperatorRow("<", {kLeft, kRight}, oid::kBool, CompareReals<M::kLess>, M::kLess),
      OperatorRow("<=", {kLeft, kRight}, oid::kBool, CompareReals<M::kLessEqual>, M::kLessEqual),
      OperatorRow(">", {kLeft, kRight}, oid::kBool, CompareReals<M::kGreater>, M::kGreater),
      OperatorRow(">=", {kLeft, kRight}, oid::kBool, CompareReals<M::kGreaterEqual>,
                  M::kGreaterEqual)};
}

template <Oid kLeft, Oid kRight>
constexpr std::array<FunctionDescription, 6> Times() {
  std::array<FunctionDescription, 6> rows = {
      OperatorRow("=", {kLeft, kRight}, oid::kBool, CompareTimes<M::kEqual, kLeft>, M::kEqual),
      OperatorRow("<>", {kLeft, kRight}, oid::kBool, CompareTimes<M::kNotEqual, kLeft>,
                  M::kNotEqual),
      OperatorRow("<", {kLeft, kRight}, oid::kBool, CompareTimes<M::kLess, kLeft>, M::kLess),
      OperatorRow("<=", {kLeft, kRight}, oid::kBool, CompareTimes<M::kLessEqual, kLeft>,
                  M::kLessEqual),
      OperatorRow(">", {kLeft, kRight}, oid::kBool, CompareTimes<M::kGreater, kLeft>, M::kGreater),
      OperatorRow(">=", {kLeft, kRight}, oid::kBool, CompareTimes<M::kGreaterEqual, kLeft>,
                  M::kGreaterEqual)};
  for (FunctionDescription& row : rows) row.volatility = Volatility::kStable;
  return rows;
}

template <Oid kType, Oid kRight = kType>
constexpr std::array<FunctionDescription, 6> Others() {
  return {
      OperatorRow("=", {kType, kRight}, oid::kBool, CompareOther<M::kEqual, kType>, M::kEqual),
      OperatorRow("<>", {kType, kRight}, oid::kBool, CompareOther<M::kNotEqual, kType>,
                  M::kNotEqual),
      OperatorRow("<", {kType, kRight}, oid::kBool, CompareOther<M::kLess, kType>, M::kLess),
      OperatorRow("<=", {kType, kRight}, oid::kBool, CompareOther<M::kLessEqual, kType>,
                  M::kLessEqual),
      OperatorRow(">", {kType, kRight}, oid::kBool, CompareOther<M::kGreater, kType>, M::kGreater),
      OperatorRow(">=", {kType, kRight}, oid::kBool, CompareOther<M::kGreaterEqual, kType>,
                  M::kGreaterEqual)};
}

// One row per pair of types, six operators each.
constexpr std::array kFamilies = {
    Integers<oid::kInt2>(),
    Integers<oid::kInt4>(),
    Integers<oid::kInt8>(),
    Integers<oid::kInt2, oid::kInt4>(),
    Integers<oid::kInt2, oid::kInt8>(),
    Integers<oid::kInt4, oid::kInt2>(),
    Integers<oid::kInt4, oid::kInt8>(),
    Integers<oid::kInt8, oid::kInt2>(),
    Integers<oid::kInt8, oid::kInt4>(),
    Integers<oid::kOid>(),
    Integers<oid::kBool>(),
    Integers<oid::kDate>(),
    Integers<oid::kTime>(),
    Integers<oid::kTimestamp>(),
    Integers<oid::kTimestamptz>(),
    Others<oid::kFloat4>(),
    Others<oid::kFloat8>(),
    Reals<oid::kFloat4, oid::kFloat8>(),
    Reals<oid::kFloat8, oid::kFloat4>(),
    Others<oid::kNumeric>(),
    Others<oid::kText>(),
    Others<oid::kBpchar>(),
    Others<oid::kName>(),
    Others<oid::kName, oid::kText>(),
    Others<oid::kText, oid::kName>(),
    Others<oid::kChar>(),
    Others<oid::kBytea>(),
    Others<oid::kUuid>(),
    Others<oid::kInterval>(),
    Times<oid::kTimestamp, oid::kTimestamptz>(),
    Times<oid::kTimestamptz, oid::kTimestamp>(),
};

}  // namespace

std::span<const FunctionDescription> ComparisonFunctions() {
  static const std::vector<FunctionDescription> kComparisonRows = [] {
    std::vector<FunctionDescription> rows;
    for (const auto& family : kFamilies) rows.insert(rows.end(), family.begin(), family.end());
    return rows;
  }();
  return kComparisonRows;
}

}  // namespace connbench::engine
