// Every function that may run for long looks for interrupts on the way, and stops at the first one.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/test_environment.h"

namespace connbench::engine {
namespace {

class Interrupting : public TestEnvironment {
 public:
  explicit Interrupting(int at) : at_(at) {}
  Status PollInterrupts() override {
    return ++looks == at_ ? Status::Error(sqlstate::kQueryCanceled, "interrupted") : Status::Ok();
  }
  int looks = 0;

 private:
  int at_;
};

// One million bytes and more of text: at least two looks in each family.
struct Case {
  std::string_view function;
  bool is_operator;
  std::vector<std::string> texts;
  std::vector<int64_t> integers;  // after the texts
};

bool RunCase(const Case& c, Interrupting& environment, Status& status) {
  Arena arena;
  arena.set_interrupts(&environment);
  EvalContext context;
  context.arena = &arena;
  context.environment = &environment;
  std::vector<Value> arguments;
  for (const std::string& text : c.texts) arguments.push_back(Value::Text(text));
  for (int64_t integer : c.integers) arguments.push_back(Value::Integer(integer));
  const auto rows = c.is_operator ? FindOperators(c.function) : FindFunctions(c.function);
  for (const FunctionDescription* row : rows) {
    if (!row->takes(arguments.size()) || row->argument_type(0) == type_oid::kBpchar) continue;
    Value out;
    const bool done = row->implementation(context, arguments.data(),
                                          static_cast<uint32_t>(arguments.size()), out);
    status = std::move(context.status);
    return done;
  }
  ADD_FAILURE() << "no function " << c.function;
  return false;
}

TEST(Interrupts, ReachEveryLongFunction) {
  const std::string a(3'000'000, 'a');
  const std::string half(1'500'000, 'a');
  const std::string few(10'000, 'a');
  const std::string few20(200'000, 'a');
  const Case cases[] = {
      {"strpos", false, {a, half + "b"}, {}},
      {"position", false, {a, "b"}, {}},
      {"replace", false, {a, "a", "bc"}, {}},
      {"split_part", false, {a, "b"}, {-2}},
      {"md5", false, {a}, {}},
      {"repeat", false, {"ab"}, {10'000'000}},
      {"lpad", false, {"x"}, {10'000'000}},
      {"rpad", false, {"x"}, {10'000'000}},
      {"reverse", false, {a}, {}},
      {"btrim", false, {half, std::string(10, 'b') + "a"}, {}},
      {"concat", false, {a, a}, {}},
      {"~~", true, {few, "%" + few.substr(0, 1000) + "b"}, {}},
      {"translate", false, {a, "a", "b"}, {}},
      {"quote_literal", false, {std::string(1'000'000, '\'')}, {}},
      {"unistr", false, {std::string(1'000'000, '\\')}, {}},
      {"regexp_replace", false, {few20, "(a)b|a", "x\\1", "g"}, {}},
      {"regexp_match", false, {few, "(a*)(a*)b?c|(a*)(a*)"}, {}},
      {"regexp_count", false, {few20, "a"}, {}},
      {"regexp_split_to_array", false, {few20, "b|a"}, {}},
      {"regexp_split_to_table", false, {few20, "b|a"}, {}},
      {"regexp_like", false, {half, "b"}, {}},
      {"regexp_substr", false, {half, "b"}, {}},
      {"sha256", false, {a}, {}},
      {"to_date", false, {a, std::string(200'000, 'x')}, {}},
      {"to_number", false, {few20 + "1", std::string(few20.size(), 'x') + "9"}, {}},
      {"~~*", true, {few, "%" + few.substr(0, 1000) + "b"}, {}},
  };
  for (const Case& c : cases) {
    Interrupting never(-1);
    Status status;
    EXPECT_TRUE(RunCase(c, never, status)) << c.function << ": " << status.ToString();
    EXPECT_GE(never.looks, 1) << c.function;
    Interrupting first(1);
    EXPECT_FALSE(RunCase(c, first, status)) << c.function;
    EXPECT_EQ(status.code(), sqlstate::kQueryCanceled) << c.function;
    EXPECT_EQ(first.looks, 1) << c.function;
  }
}

// What is constant is computed while the statement is analysed: an interrupt must end it there, and
// not be taken for an error that the run will meet again.
TEST(Interrupts, EndAnalysis) {
  Interrupting first(1);
  Arena arena;
  arena.set_interrupts(&first);
  ParameterTypes parameters;
  ExpressionBuilder builder(arena, parameters, "");
  Expression* const arguments[] = {*builder.String("ab", -1), *builder.Integer(10'000'000, -1)};
  const Result<Expression*> repeated = builder.Function("repeat", arguments, -1);
  ASSERT_FALSE(repeated.ok());
  EXPECT_EQ(repeated.status().code(), sqlstate::kQueryCanceled);
}

TEST(Interrupts, EndTheAnalysisOfLongLists) {
  Interrupting second(2);
  Arena arena;
  arena.set_interrupts(&second);
  ParameterTypes parameters;
  ExpressionBuilder builder(arena, parameters, "");
  Status status;
  for (int i = 0; i < 1'000'000 && status.ok(); ++i) status = builder.Integer(i, -1).TakeStatus();
  EXPECT_EQ(status.code(), sqlstate::kQueryCanceled);
}

}  // namespace
}  // namespace connbench::engine
