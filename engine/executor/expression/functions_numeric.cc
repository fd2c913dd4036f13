// Arithmetic on numeric.
#include <array>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

template <Status (*kFunction)(const Value&, const Value&, Arena&, Value&)>
bool Binary(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return context.Check(kFunction(a[0], a[1], *context.arena, out));
}
template <Status (*kFunction)(const Value&, Arena&, Value&)>
bool Unary(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return context.Check(kFunction(a[0], *context.arena, out));
}
template <int32_t (*kFunction)(const Value&)>
bool ScaleOf(EvalContext&, const Value* a, uint32_t, Value& out) {
  const int32_t scale = kFunction(a[0]);
  out = scale < 0 ? Value::Null() : Value::Integer(scale);
  return true;
}
bool Factorial(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return context.Check(FactorialNumeric(a[0].integer, *context.arena, out));
}
// With one argument: to a whole number.
template <NumericRounding kRounding>
bool Round(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const int32_t scale = count == 2 ? static_cast<int32_t>(a[1].integer) : 0;
  return context.Check(RoundNumeric(a[0], scale, kRounding, *context.arena, out));
}

constexpr std::array kNumericRows = {
    OperatorRow("+", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<AddNumeric>),
    OperatorRow("-", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<SubtractNumeric>),
    OperatorRow("*", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<MultiplyNumeric>),
    OperatorRow("/", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<DivideNumeric>),
    OperatorRow("%", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<ModuloNumeric>),
    OperatorRow("^", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<PowerNumeric>),
    OperatorRow("+", {oid::kNumeric}, oid::kNumeric, SameValue),
    OperatorRow("-", {oid::kNumeric}, oid::kNumeric, Unary<NegateNumeric>),
    OperatorRow("@", {oid::kNumeric}, oid::kNumeric, Unary<AbsoluteNumeric>),
    FunctionRow("abs", {oid::kNumeric}, oid::kNumeric, Unary<AbsoluteNumeric>),
    FunctionRow("sign", {oid::kNumeric}, oid::kNumeric, Unary<SignNumeric>),
    FunctionRow("sqrt", {oid::kNumeric}, oid::kNumeric, Unary<SquareRootNumeric>),
    FunctionRow("power", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<PowerNumeric>),
    FunctionRow("pow", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<PowerNumeric>),
    FunctionRow("exp", {oid::kNumeric}, oid::kNumeric, Unary<ExponentialNumeric>),
    FunctionRow("ln", {oid::kNumeric}, oid::kNumeric, Unary<NaturalLogarithmNumeric>),
    FunctionRow("log", {oid::kNumeric}, oid::kNumeric, Unary<CommonLogarithmNumeric>),
    FunctionRow("log10", {oid::kNumeric}, oid::kNumeric, Unary<CommonLogarithmNumeric>),
    FunctionRow("log", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<LogarithmNumeric>),
    FunctionRow("div", {oid::kNumeric, oid::kNumeric}, oid::kNumeric,
                Binary<DivideToIntegerNumeric>),
    FunctionRow("gcd", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<GcdNumeric>),
    FunctionRow("lcm", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<LcmNumeric>),
    FunctionRow("factorial", {oid::kInt8}, oid::kNumeric, Factorial),
    FunctionRow("scale", {oid::kNumeric}, oid::kInt4, ScaleOf<NumericDisplayScale>),
    FunctionRow("min_scale", {oid::kNumeric}, oid::kInt4, ScaleOf<NumericMinimalScale>),
    FunctionRow("trim_scale", {oid::kNumeric}, oid::kNumeric, Unary<TrimScaleNumeric>),
    FunctionRow("mod", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, Binary<ModuloNumeric>),
    FunctionRow("round", {oid::kNumeric}, oid::kNumeric, Round<NumericRounding::kHalfAwayFromZero>),
    FunctionRow("round", {oid::kNumeric, oid::kInt4}, oid::kNumeric,
                Round<NumericRounding::kHalfAwayFromZero>),
    FunctionRow("trunc", {oid::kNumeric}, oid::kNumeric, Round<NumericRounding::kTowardsZero>),
    FunctionRow("trunc", {oid::kNumeric, oid::kInt4}, oid::kNumeric,
                Round<NumericRounding::kTowardsZero>),
    FunctionRow("ceil", {oid::kNumeric}, oid::kNumeric, Round<NumericRounding::kUp>),
    FunctionRow("ceiling", {oid::kNumeric}, oid::kNumeric, Round<NumericRounding::kUp>),
    FunctionRow("floor", {oid::kNumeric}, oid::kNumeric, Round<NumericRounding::kDown>),
};

}  // namespace

std::span<const FunctionDescription> NumericFunctions() { return kNumericRows; }

}  // namespace connbench::engine
