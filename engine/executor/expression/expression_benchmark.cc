// What evaluating the usual conditions and targets costs, and building them.
#include <benchmark/benchmark.h>

#include <array>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/functions.h"

namespace connbench::engine {
namespace {

constexpr Type kInt4{type_oid::kInt4, -1};

struct Fixture {
  Arena arena;
  Arena scratch;
  ParameterTypes parameters = *ParameterTypes::From(std::array<Oid, 1>{type_oid::kInt4});
  ExpressionBuilder builder{arena, parameters, ""};
  Value columns[4] = {Value::Integer(4711), Value::Integer(1), Value::Integer(5), Value::Text("x")};
  Value values[1] = {Value::Integer(4711)};
  EvalContext context{columns, values, &scratch, nullptr, {}};

  Expression* Column(int index) { return *builder.Column(index, kInt4, -1); }
  Expression* Parameter() { return *builder.Parameter(1, -1); }
};

// aid = $1
void EvaluateEquality(benchmark::State& state) {
  Fixture f;
  const Expression* condition = *f.builder.Operator("=", f.Column(0), f.Parameter(), -1);
  for (auto _ : state) {
    bool holds = false;
    if (!EvaluateCondition(*condition, f.context, holds)) state.SkipWithError("failed");
    benchmark::DoNotOptimize(holds);
  }
}
BENCHMARK(EvaluateEquality);

// abalance + $1
void EvaluateAddition(benchmark::State& state) {
  Fixture f;
  const Expression* sum = *f.builder.Operator("+", f.Column(2), f.Parameter(), -1);
  for (auto _ : state) {
    Value value;
    if (!Evaluate(*sum, f.context, value)) state.SkipWithError("failed");
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(EvaluateAddition);

// aid BETWEEN 1 AND 9999 AND bid = 1
void EvaluateConjunction(benchmark::State& state) {
  Fixture f;
  Expression* const parts[] = {
      *f.builder.Between(f.Column(0), *f.builder.Integer(1, -1), *f.builder.Integer(9999, -1),
                         false, false, -1),
      *f.builder.Operator("=", f.Column(1), *f.builder.Integer(1, -1), -1)};
  const Expression* condition = *f.builder.And(parts, -1);
  for (auto _ : state) {
    bool holds = false;
    if (!EvaluateCondition(*condition, f.context, holds)) state.SkipWithError("failed");
    benchmark::DoNotOptimize(holds);
  }
}
BENCHMARK(EvaluateConjunction);

void BuildEquality(benchmark::State& state) {
  Arena arena;
  const std::array<Oid, 1> types = {type_oid::kInt4};
  ParameterTypes parameters = *ParameterTypes::From(types);
  for (auto _ : state) {
    arena.Reset();
    ExpressionBuilder builder(arena, parameters, "");
    Expression* column = *builder.Column(0, kInt4, -1);
    Expression* parameter = *builder.Parameter(1, -1);
    benchmark::DoNotOptimize(*builder.Operator("=", column, parameter, -1));
  }
}
BENCHMARK(BuildEquality);

}  // namespace
}  // namespace connbench::engine
