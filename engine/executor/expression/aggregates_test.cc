// Aggregates give PostgreSQL's types and digits; expected values were taken from PostgreSQL 15.
#include "engine/executor/expression/aggregates.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/executor/expression/test_environment.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

class AggregatesTest : public ::testing::Test {
 protected:
  // "name(x)" over texts read as type; "NULL" is null. The result as "type: text".
  // DISTINCT and ORDER BY are the node's: engine/sql/aggregate_test.cc.
  std::string Run(std::string_view name, Oid type, const std::vector<std::string>& inputs,
                  Expression* second = nullptr, Expression* filter = nullptr) {
    std::vector<Expression*> arguments = {*builder_.Column(0, {type, -1}, -1)};
    if (second != nullptr) arguments.push_back(second);
    auto call = FindAggregate(builder_, name, arguments, false, false, 0);
    if (!call.ok()) return call.status().error().message;
    call->filter = filter;
    AggregateState* state = NewState(*call, states_);
    Arena scratch;
    TestEnvironment environment;
    EvalContext context;
    Value column;
    context.columns = &column;
    context.arena = &scratch;
    context.environment = &environment;
    for (const std::string& input : inputs) {
      scratch.Reset();
      column = Value::Null();
      if (input != "NULL" && !ParseText({type, -1}, input, {&scratch}, column).ok()) return input;
      if (!TakeRow(*call, *state, context)) return context.status.error().message;
    }
    scratch.Reset();
    Value value;
    if (!Finish(*call, *state, context, value)) return context.status.error().message;
    std::string_view text = "NULL";
    if (!value.null && !FormatText(call->type.oid, value, {&scratch}, text).ok())
      return "(no text)";
    return FormatType({call->type.oid, -1}) + ": " + std::string(text);
  }

  bool TakeRow(const AggregateCall& call, AggregateState& state, EvalContext& context) {
    std::vector<Value> values(call.inputs() + 1);
    bool taken = false;
    return EvaluateInputs(call, context, values.data(), taken) &&
           (!taken || TakeIn(call, values.data(), state, states_, context));
  }

  Arena plan_;
  Arena states_;
  ParameterTypes parameters_;
  ExpressionBuilder builder_{plan_, parameters_, "select"};
};

TEST_F(AggregatesTest, CountsValuesNotNulls) {
  EXPECT_EQ(Run("count", type_oid::kInt4, {"1", "NULL", "1", "2"}), "bigint: 3");
  EXPECT_EQ(Run("count", type_oid::kText, {}), "bigint: 0");
}

TEST_F(AggregatesTest, CountsRows) {
  auto call = FindAggregate(builder_, "count", {}, true, false, 0);
  ASSERT_TRUE(call.ok());
  AggregateState* state = NewState(*call, states_);
  EvalContext context;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(TakeRow(*call, *state, context));
  Value value;
  ASSERT_TRUE(Finish(*call, *state, context, value));
  EXPECT_EQ(value.integer, 5);
}

TEST_F(AggregatesTest, SumsIntoTheWiderType) {
  EXPECT_EQ(Run("sum", type_oid::kInt2, {"32767", "32767"}), "bigint: 65534");
  EXPECT_EQ(Run("sum", type_oid::kInt4, {"2147483647", "2147483647", "NULL"}),
            "bigint: 4294967294");
  EXPECT_EQ(Run("sum", type_oid::kInt8, {"9223372036854775807", "9223372036854775807"}),
            "numeric: 18446744073709551614");
  EXPECT_EQ(Run("sum", type_oid::kNumeric, {"1.5", "2.25", "-0.750"}), "numeric: 3.000");
  EXPECT_EQ(Run("sum", type_oid::kNumeric, {"1.5", "NaN"}), "numeric: NaN");
  EXPECT_EQ(Run("sum", type_oid::kFloat8, {"0.1", "0.2"}), "double precision: 0.30000000000000004");
  EXPECT_EQ(Run("sum", type_oid::kFloat4, {"0.5", "0.25"}), "real: 0.75");
  EXPECT_EQ(Run("sum", type_oid::kInt4, {}), "bigint: NULL");
  EXPECT_EQ(Run("sum", type_oid::kInt4, {"NULL"}), "bigint: NULL");
  EXPECT_EQ(Run("sum", type_oid::kFloat8, {"1e308", "1e308"}), "value out of range: overflow");
}

TEST_F(AggregatesTest, AveragesWithPostgresqlsDigits) {
  EXPECT_EQ(Run("avg", type_oid::kInt4, {"2", "3"}), "numeric: 2.5000000000000000");
  EXPECT_EQ(Run("avg", type_oid::kInt4, {"1", "2", "2"}), "numeric: 1.6666666666666667");
  EXPECT_EQ(Run("avg", type_oid::kInt8, {"9223372036854775807", "9223372036854775806"}),
            "numeric: 9223372036854775807");
  EXPECT_EQ(Run("avg", type_oid::kInt2, {"0"}), "numeric: 0.00000000000000000000");
  EXPECT_EQ(Run("avg", type_oid::kNumeric, {"1.00", "2"}), "numeric: 1.5000000000000000");
  EXPECT_EQ(Run("avg", type_oid::kFloat8, {"1", "2"}), "double precision: 1.5");
  EXPECT_EQ(Run("avg", type_oid::kInt4, {"100000", "200001"}), "numeric: 150000.500000000000");
  EXPECT_EQ(Run("avg", type_oid::kInt4, {}), "numeric: NULL");
}

TEST_F(AggregatesTest, FindsExtremes) {
  EXPECT_EQ(Run("min", type_oid::kInt4, {"5", "NULL", "-3", "4"}), "integer: -3");
  EXPECT_EQ(Run("max", type_oid::kInt4, {"5", "NULL", "-3", "4"}), "integer: 5");
  EXPECT_EQ(Run("max", type_oid::kText, {"b", "abc", "", "bb"}), "text: bb");
  EXPECT_EQ(Run("min", type_oid::kVarchar, {"b", "abc"}), "text: abc");
  EXPECT_EQ(Run("max", type_oid::kNumeric, {"1.5", "NaN", "Infinity"}), "numeric: NaN");
  EXPECT_EQ(Run("min", type_oid::kNumeric, {"1.50", "1.5", "1.500"}), "numeric: 1.500");
  EXPECT_EQ(Run("max", type_oid::kFloat8, {"1", "NaN", "-1"}), "double precision: NaN");
  EXPECT_EQ(Run("min", type_oid::kTimestamp, {"2024-01-01", "1999-01-01"}),
            "timestamp without time zone: 1999-01-01 00:00:00");
  EXPECT_EQ(Run("max", type_oid::kInt4, {"NULL"}), "integer: NULL");
}

TEST_F(AggregatesTest, JoinsBooleansAndStrings) {
  EXPECT_EQ(Run("bool_and", type_oid::kBool, {"t", "f", "t"}), "boolean: f");
  EXPECT_EQ(Run("every", type_oid::kBool, {"t", "NULL"}), "boolean: t");
  EXPECT_EQ(Run("bool_or", type_oid::kBool, {"f", "f"}), "boolean: f");
  EXPECT_EQ(Run("bool_or", type_oid::kBool, {"NULL"}), "boolean: NULL");
  Expression* comma = *builder_.String(", ", -1);
  EXPECT_EQ(Run("string_agg", type_oid::kText, {"a", "NULL", "b", "b"}, comma), "text: a, b, b");
  EXPECT_EQ(Run("array_agg", type_oid::kText, {"a", "NULL", "b c"}), "text[]: {a,NULL,\"b c\"}");
  EXPECT_EQ(Run("array_agg", type_oid::kInt4, {}), "integer[]: NULL");
}

TEST_F(AggregatesTest, AppliesItsFilter) {
  Expression* column = *builder_.Column(0, {type_oid::kInt4, -1}, -1);
  Expression* filter = *builder_.Operator(">", column, *builder_.Integer(2, -1), -1);
  EXPECT_EQ(Run("sum", type_oid::kInt4, {"1", "2", "3", "4", "NULL"}, nullptr, filter),
            "bigint: 7");
}

TEST_F(AggregatesTest, RefusesWhatIsNotDefined) {
  EXPECT_EQ(Run("sum", type_oid::kText, {}), "function sum(text) does not exist");
  EXPECT_EQ(Run("bool_and", type_oid::kInt4, {}), "function bool_and(integer) does not exist");
  EXPECT_TRUE(IsAggregate("string_agg"));
  EXPECT_FALSE(IsAggregate("abs"));
}

TEST_F(AggregatesTest, StopsAtTheArenasLimit) {
  states_.set_limit_bytes(32 * 1024);
  std::vector<std::string> inputs;
  for (int i = 0; i < 5000; ++i) inputs.push_back(std::to_string(i));
  EXPECT_EQ(Run("array_agg", type_oid::kInt4, inputs), "out of memory");
}

}  // namespace
}  // namespace connbench::engine
