// What the golden file cannot show: columns, parameters, folding, index conditions, limits.
#include "engine/executor/expression/builder.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <optional>
#include <vector>

#include "engine/executor/expression/test_environment.h"

namespace connbench::engine {
namespace {

constexpr Type kInt4{type_oid::kInt4, -1};
constexpr Type kInt8{type_oid::kInt8, -1};
constexpr Type kBool{type_oid::kBool, -1};
constexpr Type kText{type_oid::kText, -1};
constexpr Type kVarchar10{type_oid::kVarchar, 14};
constexpr Type kChar5{type_oid::kBpchar, 9};

class BuilderTest : public ::testing::Test {
 protected:
  static Expression* Get(Result<Expression*> result) {
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? *result : nullptr;
  }
  Expression* Column(int index, Type type) { return Get(builder_.Column(index, type, -1)); }
  Expression* Integer(int64_t value) { return Get(builder_.Integer(value, -1)); }
  Expression* String(std::string_view text) { return Get(builder_.String(text, -1)); }
  Expression* Parameter(int number) { return Get(builder_.Parameter(number, -1)); }
  Expression* Operator(std::string_view name, Expression* left, Expression* right) {
    return Get(builder_.Operator(name, left, right, -1));
  }
  Expression* Function(std::string_view name, std::vector<Expression*> arguments) {
    return Get(builder_.Function(name, arguments, -1));
  }
  Value Run(const Expression* expression) {
    Value value;
    EXPECT_TRUE(Evaluate(*expression, context_, value)) << context_.status.ToString();
    return value;
  }
  Status RunToError(const Expression* expression) {
    Value value;
    EXPECT_FALSE(Evaluate(*expression, context_, value));
    return std::move(context_.status);
  }

  Arena arena_;
  Arena scratch_;
  ParameterTypes parameters_;
  TestEnvironment environment_;
  ExpressionBuilder builder_{arena_, parameters_, "0123456789"};
  std::vector<Value> columns_ = std::vector<Value>(8);
  std::vector<Value> values_ = std::vector<Value>(8);
  EvalContext context_{columns_.data(), values_.data(), &scratch_, &environment_, {}};
};

TEST_F(BuilderTest, DeducesAParametersTypeFromTheOtherOperand) {
  Operator("=", Column(0, kInt4), Parameter(1));
  Operator("+", Column(0, kInt8), Parameter(2));
  Operator("=", Column(1, kVarchar10), Parameter(3));
  Operator("=", Column(1, kChar5), Parameter(4));
  EXPECT_EQ(Get(builder_.CoerceToBigint(Parameter(5), "LIMIT"))->type, kInt8);
  Get(builder_.CoerceForColumn(Parameter(6), kVarchar10, "c", -1));
  Get(builder_.ResolveUnknown(Parameter(7)));
  Get(builder_.Cast(Parameter(8), {type_oid::kFloat8, -1}, -1));
  const std::vector<Oid> expected = {type_oid::kInt4,   type_oid::kInt8,  type_oid::kText,
                                     type_oid::kBpchar, type_oid::kInt8,  type_oid::kVarchar,
                                     type_oid::kText,   type_oid::kFloat8};
  EXPECT_EQ(std::vector<Oid>(parameters_.types().begin(), parameters_.types().end()), expected);
  EXPECT_TRUE(parameters_.CheckAllDetermined().ok());
}

TEST_F(BuilderTest, RefusesParametersWithoutOrWithTwoTypes) {
  Parameter(2);
  const Status open = parameters_.CheckAllDetermined();
  EXPECT_EQ(open.code(), sqlstate::kIndeterminateDatatype);
  EXPECT_EQ(open.error().message, "could not determine data type of parameter $1");

  Expression* early = Parameter(1);
  Operator("=", Column(0, kInt4), Parameter(1));
  const auto clash = builder_.Cast(early, kText, -1);
  ASSERT_FALSE(clash.ok());
  EXPECT_EQ(clash.status().code(), sqlstate::kAmbiguousParameter);
  EXPECT_EQ(clash.status().error().detail, "integer versus text");

  const auto zero = builder_.Parameter(0, 4);
  ASSERT_FALSE(zero.ok());
  EXPECT_EQ(zero.status().code(), sqlstate::kUndefinedParameter);
  EXPECT_EQ(zero.status().error().position, 5);
}

TEST_F(BuilderTest, KnowsTheLengthThatAllValuesHave) {
  Expression* column = Column(0, kVarchar10);
  Expression* same[] = {column, Column(1, kVarchar10)};
  Expression* other[] = {column, Column(1, {type_oid::kVarchar, 24})};
  Expression* literal[] = {column, String("x")};
  Expression* condition[] = {Operator("=", column, String("a"))};
  Expression* result[] = {column};
  constexpr Type kAnyLength{type_oid::kVarchar, -1};
  EXPECT_EQ(Get(builder_.Coalesce(same, -1))->type, kVarchar10);
  EXPECT_EQ(Get(builder_.Coalesce(other, -1))->type, kAnyLength);
  EXPECT_EQ(Get(builder_.Coalesce(literal, -1))->type, kAnyLength);
  EXPECT_EQ(Get(builder_.GreatestOrLeast(true, same, -1))->type, kVarchar10);
  EXPECT_EQ(Get(builder_.Case(condition, result, same[1], -1))->type, kVarchar10);
  EXPECT_EQ(Get(builder_.Case(condition, result, nullptr, -1))->type, kAnyLength);
}

TEST_F(BuilderTest, LeavesAParameterOpenWhereAnyTypeWillDo) {
  Get(builder_.NullTest(Parameter(1), false, -1));
  EXPECT_TRUE(builder_.CheckOpenParameters().ok());
  EXPECT_EQ(parameters_.CheckAllDetermined().code(), sqlstate::kIndeterminateDatatype);
  Operator("=", Column(0, kInt4), Parameter(1));
  EXPECT_TRUE(parameters_.CheckAllDetermined().ok());
  EXPECT_EQ(builder_.CheckOpenParameters().code(), sqlstate::kAmbiguousParameter);
}

TEST_F(BuilderTest, UsesTheTypeTheClientGave) {
  const Oid given[] = {type_oid::kInt8, type_oid::kVarchar};
  parameters_ = *ParameterTypes::From(given);
  const Expression* equal = Operator("=", Column(0, kInt4), Parameter(1));
  columns_[0] = Value::Integer(7);
  values_[0] = Value::Integer(int64_t{7} + (int64_t{1} << 32));
  EXPECT_EQ(Run(equal).integer, 0);
  values_[0] = Value::Integer(7);
  EXPECT_EQ(Run(equal).integer, 1);
  // sysbench: a bigint into an integer column, a varchar into a character one.
  const Expression* narrowed = Get(builder_.CoerceForColumn(Parameter(1), kInt4, "k", -1));
  values_[0] = Value::Integer(int64_t{1} << 40);
  EXPECT_EQ(RunToError(narrowed).code(), sqlstate::kNumericValueOutOfRange);
  const Expression* padded = Get(builder_.CoerceForColumn(Parameter(2), kChar5, "c", -1));
  values_[1] = Value::Text("abc");
  EXPECT_EQ(Run(padded).text(), "abc  ");
  values_[1] = Value::Text("abcdef");
  const Status too_long = RunToError(padded);
  EXPECT_EQ(too_long.code(), sqlstate::kStringDataRightTruncation);
  EXPECT_EQ(too_long.error().message, "value too long for type character(5)");
}

TEST_F(BuilderTest, NamesTheColumnThatCannotTakeAValue) {
  const auto result = builder_.CoerceForColumn(Get(builder_.Boolean(true, 3)), kInt4, "k", 3);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), sqlstate::kDatatypeMismatch);
  EXPECT_EQ(result.status().error().message,
            "column \"k\" is of type integer but expression is of type boolean");
  EXPECT_EQ(result.status().error().hint, "You will need to rewrite or cast the expression.");
  EXPECT_EQ(result.status().error().position, 4);
}

TEST_F(BuilderTest, ComparesIntegersInEveryShapeAlike) {
  Parameter(1);
  const Oid given[] = {type_oid::kInt4};
  parameters_ = *ParameterTypes::From(given);
  struct Case {
    const char* name;
    std::function<bool(int64_t, int64_t)> holds;
  };
  const Case cases[] = {{"=", std::equal_to<>()}, {"<>", std::not_equal_to<>()},
                        {"<", std::less<>()},     {"<=", std::less_equal<>()},
                        {">", std::greater<>()},  {">=", std::greater_equal<>()}};
  for (const Case& c : cases) {
    for (const std::optional<int64_t> left :
         {std::optional<int64_t>(-1), std::optional<int64_t>(5), std::optional<int64_t>()}) {
      for (const int64_t right : {-1, 4, 5, 6}) {
        columns_[0] = left ? Value::Integer(*left) : Value::Null();
        columns_[1] = values_[0] = Value::Integer(right);
        Expression* column = Column(0, kInt4);
        for (Expression* other : {Column(1, kInt8), Parameter(1), Integer(right),
                                  Operator("+", Column(1, kInt4), Integer(0))}) {
          const Value answer = Run(Operator(c.name, column, other));
          EXPECT_EQ(answer.null, !left.has_value()) << c.name;
          if (left) {
            EXPECT_EQ(answer.integer != 0, c.holds(*left, right)) << *left << c.name << right;
          }
        }
      }
    }
  }
  columns_[0] = Value::Integer(1);
  values_[0] = Value::Null();
  EXPECT_TRUE(Run(Operator("=", Column(0, kInt4), Parameter(1))).null);
}

TEST_F(BuilderTest, FollowsThreeValuedLogicAtRunTime) {
  Expression* both[] = {Column(0, kBool), Column(1, kBool)};
  const Expression* all = Get(builder_.And(both, -1));
  const Expression* any = Get(builder_.Or(both, -1));
  const Value truth[] = {Value::Bool(false), Value::Bool(true), Value::Null()};
  // 0 false, 1 true, 2 unknown
  const int expected_and[3][3] = {{0, 0, 0}, {0, 1, 2}, {0, 2, 2}};
  const int expected_or[3][3] = {{0, 1, 2}, {1, 1, 1}, {2, 1, 2}};
  const auto number = [](const Value& value) {
    return value.null ? 2 : static_cast<int>(value.integer);
  };
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      columns_[0] = truth[i];
      columns_[1] = truth[j];
      EXPECT_EQ(number(Run(all)), expected_and[i][j]) << i << j;
      EXPECT_EQ(number(Run(any)), expected_or[i][j]) << i << j;
    }
  }
}

TEST_F(BuilderTest, FoldsWhatCannotChange) {
  const Expression* sum = Operator("+", Integer(1), Integer(2));
  EXPECT_EQ(sum->kind, ExpressionKind::kConstant);
  EXPECT_EQ(sum->constant.integer, 3);
  EXPECT_NE(Function("random", {})->kind, ExpressionKind::kConstant);
  EXPECT_NE(Function("now", {})->kind, ExpressionKind::kConstant);
  // An error is the run's, not the plan's.
  const Expression* division = Operator("/", Integer(1), Integer(0));
  EXPECT_EQ(RunToError(division).code(), sqlstate::kDivisionByZero);
}

TEST_F(BuilderTest, ReadsSessionDependentLiteralsWhenTheStatementRuns) {
  const Expression* now = Get(builder_.Cast(String("now"), {type_oid::kTimestamptz, -1}, -1));
  environment_.transaction_timestamp = 123'456'789;
  EXPECT_EQ(Run(now).integer, 123'456'789);
  environment_.transaction_timestamp = 5;
  EXPECT_EQ(Run(now).integer, 5);
  const Expression* noon =
      Get(builder_.Cast(String("2000-01-01 12:00"), {type_oid::kTimestamptz, -1}, -1));
  environment_.zone = *TimeZone::FindSetting("+3");
  EXPECT_EQ(Run(noon).integer, int64_t{9} * 3600 * 1'000'000);
  // But its errors have a place in the statement.
  const auto bad = builder_.Cast(Get(builder_.String("noon", 6)), {type_oid::kTimestamptz, -1}, 0);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().error().position, 7);
}

TEST_F(BuilderTest, FindsConditionsAnIndexCanServe) {
  const auto match = MatchIndexCondition(*Operator("<", Integer(5), Column(3, kInt4)));
  EXPECT_TRUE(match.matches);
  EXPECT_EQ(match.comparison, Comparison::kGreater);  // mirrored
  EXPECT_EQ(match.column, 3);
  EXPECT_EQ(match.value->constant.integer, 5);

  const Oid given[] = {type_oid::kInt8};
  parameters_ = *ParameterTypes::From(given);
  const auto wide = MatchIndexCondition(*Operator("=", Column(0, kInt4), Parameter(1)));
  EXPECT_TRUE(wide.matches);
  EXPECT_EQ(wide.key_type, type_oid::kInt8);

  EXPECT_TRUE(MatchIndexCondition(*Operator("=", Column(0, kVarchar10), String("x"))).matches);
  EXPECT_TRUE(MatchIndexCondition(*Operator("=", Column(0, kChar5), String("x"))).matches);
  EXPECT_TRUE(MatchIndexCondition(
                  *Operator(">=", Column(0, {type_oid::kTimestamptz, -1}), Function("now", {})))
                  .matches);

  // Not these: another column, a volatile value, a computed or converted column, an inequality.
  EXPECT_FALSE(MatchIndexCondition(*Operator("=", Column(0, kInt4), Column(1, kInt4))).matches);
  EXPECT_FALSE(MatchIndexCondition(
                   *Operator("=", Column(0, {type_oid::kFloat8, -1}), Function("random", {})))
                   .matches);
  EXPECT_FALSE(
      MatchIndexCondition(*Operator("=", Operator("+", Column(0, kInt4), Integer(1)), Integer(2)))
          .matches);
  EXPECT_FALSE(
      MatchIndexCondition(*Operator("=", Column(0, kInt4), Get(builder_.Number("1.5", -1))))
          .matches);
  EXPECT_FALSE(MatchIndexCondition(
                   *Operator("=", Column(0, kChar5), Get(builder_.Cast(String("x"), kText, -1))))
                   .matches);
  EXPECT_FALSE(MatchIndexCondition(*Operator("<>", Column(0, kInt4), Integer(2))).matches);
}

TEST_F(BuilderTest, GivesBetweenAndInToIndexes) {
  const Expression* between =
      Get(builder_.Between(Column(0, kInt4), Integer(1), Integer(9), false, false, -1));
  ASSERT_EQ(between->kind, ExpressionKind::kAnd);
  EXPECT_EQ(MatchIndexCondition(*between->args()[0]).comparison, Comparison::kGreaterEqual);
  EXPECT_EQ(MatchIndexCondition(*between->args()[1]).comparison, Comparison::kLessEqual);

  Expression* const list[] = {Integer(3), Integer(int64_t{1} << 40), Integer(5)};
  const Expression* in = Get(builder_.In(Column(0, kInt4), list, false, -1));
  const IndexInList match = MatchIndexInList(*in);
  ASSERT_TRUE(match.matches);
  EXPECT_EQ(match.values.size(), 3u);
  EXPECT_EQ(match.key_type, type_oid::kInt8);
  columns_[0] = Value::Integer(5);
  EXPECT_EQ(Run(in).integer, 1);
  columns_[0] = Value::Integer(4);
  EXPECT_EQ(Run(in).integer, 0);
  columns_[0] = Value::Null();
  EXPECT_TRUE(Run(in).null);
  EXPECT_FALSE(MatchIndexInList(*Get(builder_.In(Column(0, kInt4), list, true, -1))).matches);

  // Columns on the right become ORs.
  Expression* const columns[] = {Column(1, kInt4), Integer(5)};
  const Expression* ors = Get(builder_.In(Column(0, kInt4), columns, false, -1));
  EXPECT_EQ(ors->kind, ExpressionKind::kOr);
  columns_[0] = columns_[1] = Value::Integer(8);
  EXPECT_EQ(Run(ors).integer, 1);
}

TEST_F(BuilderTest, KnowsTheSameExpressionAgain) {
  const auto sum = [&](int64_t addend) { return Operator("+", Column(0, kInt4), Integer(addend)); };
  EXPECT_TRUE(SameExpression(*sum(1), *sum(1)));
  EXPECT_FALSE(SameExpression(*sum(1), *sum(2)));
  EXPECT_FALSE(SameExpression(*sum(1), *Operator("-", Column(0, kInt4), Integer(1))));
  EXPECT_FALSE(SameExpression(*Column(0, kInt4), *Column(1, kInt4)));
}

// Adds a level until the limit is reached; the deepest tree must run on a small stack.
Expression* Deepest(ExpressionBuilder& builder, Expression* root, Status& limit) {
  for (int i = 0; i < 2 * kMaxExpressionDepth; ++i) {
    auto one = builder.Integer(1, -1);
    auto deeper = builder.Operator("+", root, *one, 2);
    if (!deeper.ok()) {
      limit = deeper.status();
      return root;
    }
    root = *deeper;
  }
  return root;
}

TEST_F(BuilderTest, LimitsDepthSoThatASmallStackSuffices) {
  Status limit;
  Expression* deep = Deepest(builder_, Column(0, kInt8), limit);
  EXPECT_EQ(limit.code(), sqlstate::kStatementTooComplex);
  EXPECT_EQ(limit.error().position, 3);
  EXPECT_NE(limit.error().detail.find("400"), std::string::npos);
  columns_[0] = Value::Integer(0);
  struct Job {
    const Expression* expression;
    EvalContext* context;
    Value value;
    bool ok;
  } job{deep, &context_, {}, false};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  auto* j = static_cast<Job*>(argument);
                  j->ok = Evaluate(*j->expression, *j->context, j->value);
                  return nullptr;
                },
                &job),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_TRUE(job.ok);
  EXPECT_EQ(job.value.integer, deep->depth - 1);
}

TEST_F(BuilderTest, FlattensChainsOfAndAndOr) {
  Expression* chain = Get(builder_.Boolean(true, -1));
  for (int i = 0; i < 3 * kMaxExpressionDepth; ++i) {
    Expression* const both[] = {chain, Column(0, kBool)};
    chain = Get(builder_.And(both, -1));
  }
  EXPECT_EQ(chain->depth, 2);
  columns_[0] = Value::Bool(true);
  EXPECT_EQ(Run(chain).integer, 1);
}

TEST_F(BuilderTest, AsksTheSessionForItsFacts) {
  EXPECT_EQ(Run(Function("current_user", {})).text(), "alice");
  EXPECT_EQ(Run(Function("current_database", {})).text(), "bench");
  EXPECT_EQ(Run(Function("pg_backend_pid", {})).integer, 77);
  EXPECT_EQ(Run(Function("random", {})).real, 0.25);
  EXPECT_EQ(Run(Function("nextval", {String("s")})).integer, 1);
  EXPECT_EQ(Run(Function("nextval", {String("s")})).integer, 2);
  EXPECT_EQ(Run(Function("setval", {String("s"), Integer(10)})).integer, 10);
  EXPECT_EQ(Run(Function("nextval", {String("s")})).integer, 11);
  const Expression* set =
      Function("set_config", {String("work_mem"), String("8MB"), Get(builder_.Boolean(false, -1))});
  EXPECT_EQ(Run(set).text(), "8MB");
  EXPECT_EQ(Run(Function("current_setting", {String("work_mem")})).text(), "8MB");
  EXPECT_EQ(RunToError(Function("current_setting", {String("nope")})).code(),
            sqlstate::kUndefinedObject);
  EXPECT_TRUE(
      Run(Function("current_setting", {String("nope"), Get(builder_.Boolean(true, -1))})).null);
  // Not offered by this session: a clear refusal.
  EXPECT_EQ(RunToError(Function("txid_current", {})).code(), sqlstate::kFeatureNotSupported);
}

TEST_F(BuilderTest, SleepsThroughTheSession) {
  const Expression* sleep = Function("pg_sleep", {Get(builder_.Number("0.25", -1))});
  EXPECT_EQ(sleep->volatility, Volatility::kVolatile);
  Run(sleep);
  EXPECT_EQ(environment_.slept_us, 250'000);
  environment_.interrupt = Status::Error(sqlstate::kQueryCanceled, "canceling statement");
  EXPECT_EQ(RunToError(sleep).code(), sqlstate::kQueryCanceled);
}

TEST_F(BuilderTest, StopsAtTheArenasLimit) {
  scratch_.set_limit_bytes(64 * 1024);
  const Expression* large = Function("repeat", {Column(0, kText), Integer(1'000'000)});
  columns_[0] = Value::Text("x");
  EXPECT_EQ(RunToError(large).code(), sqlstate::kOutOfMemory);
}

TEST_F(BuilderTest, CountsPositionsInCharacters) {
  ExpressionBuilder builder(arena_, parameters_, "s\xC3\xA4\xC3\xB6x + true");
  EXPECT_EQ(builder.PositionOf(-1), 0);
  EXPECT_EQ(builder.PositionOf(0), 1);
  EXPECT_EQ(builder.PositionOf(5), 4);
}

TEST_F(BuilderTest, TellsWhatPostgresqlHasFromWhatDoesNotExist) {
  Expression* const text[] = {String("a")};
  const auto code = [](const Result<Expression*>& result) { return result.status().code(); };
  EXPECT_EQ(code(builder_.Function("parse_ident", text, 3)), sqlstate::kFeatureNotSupported);
  EXPECT_EQ(builder_.Function("json_agg", text, 3).status().error().position, 4);
  EXPECT_EQ(code(builder_.Function("to_chart", text, 3)), sqlstate::kUndefinedFunction);
  EXPECT_EQ(code(builder_.Operator("@@", text[0], text[0], 3)), sqlstate::kFeatureNotSupported);
  EXPECT_EQ(code(builder_.Operator("<<>>", text[0], text[0], 3)), sqlstate::kUndefinedFunction);
  EXPECT_EQ(code(builder_.Operator("+", Integer(1), Get(builder_.Boolean(true, -1)), 3)),
            sqlstate::kUndefinedFunction);
}

}  // namespace
}  // namespace connbench::engine
