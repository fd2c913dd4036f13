// Scripts: what compiles, what is refused and where, and what it does when it runs.
#include "harness/script/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/script/script_parser.h"

namespace connbench::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ScriptSource Source(std::string text, int64_t weight = 1) {
  return {"test.sql", std::move(text), weight};
}

Result<ScriptSet> Compile(std::string text, const std::map<std::string, std::string>& define = {}) {
  return ScriptSet::Compile({Source(std::move(text))}, define);
}

// What a client would do in one transaction: its SQL, sleeps and errors.
std::vector<std::string> Trace(const ScriptSet& set, uint64_t seed = 1, int64_t client = 0) {
  std::vector<std::string> trace;
  ScriptRunner runner(set, client, seed);
  runner.Begin();
  while (true) {
    switch (runner.Next()) {
      case ScriptRunner::Step::kQuery: {
        std::string sql;
        runner.AppendSql(sql);
        trace.push_back(sql);
        break;
      }
      case ScriptRunner::Step::kSleep:
        trace.push_back("sleep " + std::to_string(runner.sleep_ns()));
        break;
      case ScriptRunner::Step::kSync:
        trace.push_back("sync");
        break;
      case ScriptRunner::Step::kError:
        trace.push_back("error " + runner.error().error().message);
        return trace;
      case ScriptRunner::Step::kDone:
        return trace;
    }
  }
}

std::vector<std::string> RunOnce(std::string text,
                                 const std::map<std::string, std::string>& define = {}) {
  const auto set = Compile(std::move(text), define);
  if (!set.ok()) return {"does not compile: " + set.status().ToString()};
  return Trace(*set);
}

std::vector<std::string> Parts(std::string_view text) {
  const auto parts = SplitScript("test.sql", text);
  if (!parts.ok()) return {"error: " + parts.status().error().message};
  std::vector<std::string> out;
  for (const ScriptPart& part : *parts) out.push_back((part.is_sql ? "" : "\\") + part.text);
  return out;
}

TEST(SplitScript, FindsStatementsAsPsqlDoes) {
  EXPECT_THAT(Parts("SELECT 1; SELECT 2;\nSELECT\n 3"),
              ElementsAre("SELECT 1;", "SELECT 2;", "SELECT\n 3"));
  EXPECT_THAT(Parts("-- a comment\n  \n;;SELECT 1 -- another\n + 1;"),
              ElementsAre(";", ";", "SELECT 1 \n + 1;"));
  EXPECT_THAT(Parts("SELECT ';', \";\", $$;$$, $x$;$$;$x$, E'\\';' /* ; /* ; */ */;"),
              ElementsAre("SELECT ';', \";\", $$;$$, $x$;$$;$x$, E'\\';' /* ; /* ; */ */;"));
  EXPECT_THAT(Parts("CREATE RULE r AS (SELECT 1; SELECT 2); SELECT 3;"),
              ElementsAre("CREATE RULE r AS (SELECT 1; SELECT 2);", "SELECT 3;"));
  EXPECT_THAT(Parts("SELECT 1\\; SELECT 2;"), ElementsAre("SELECT 1; SELECT 2;"));
  EXPECT_THAT(Parts("SELECT a$1, $1;"), ElementsAre("SELECT a$1, $1;"));
  EXPECT_THAT(Parts("SELECT 'it''s;';"), ElementsAre("SELECT 'it''s;';"));
  EXPECT_THAT(Parts("\\set a 1\nSELECT :a\\gset\nSELECT 2;"),
              ElementsAre("\\set a 1", "SELECT :a", "\\gset", "SELECT 2;"));
  EXPECT_THAT(Parts("\\set a \\\n  1 + \\\n 2\nSELECT 1;"),
              ElementsAre("\\set a     1 +    2", "SELECT 1;"));
  EXPECT_THAT(Parts(""), IsEmpty());
}

TEST(SplitScript, SaysWhatIsNotClosed) {
  EXPECT_THAT(Parts("SELECT 1;\nSELECT 'x;")[0],
              HasSubstr("test.sql:2:8: the quote ' is not closed"));
  EXPECT_THAT(Parts("SELECT $a$ x")[0], HasSubstr("test.sql:1:8: the quote $a$ is not closed"));
  EXPECT_THAT(Parts("SELECT /* x")[0], HasSubstr("this comment has no end"));
}

TEST(Script, ReplacesVariablesInSimpleMode) {
  EXPECT_THAT(RunOnce("\\set a 5 + 2\n\\set b -1725\nSELECT :a, x + :b, a::int, ':a' FROM t:a;"),
              ElementsAre("SELECT 7, x + -1725, a::int, '7' FROM t7;"));
  // What can never be a variable stays as it is: times, casts, slices.
  EXPECT_THAT(RunOnce("SELECT '12:30:15', a[1:2], b::text, ':nobody';"),
              ElementsAre("SELECT '12:30:15', a[1:2], b::text, ':nobody';"));
  EXPECT_THAT(RunOnce("SELECT :name, :x;", {{"name", "abc"}, {"x", "007"}}),
              ElementsAre("SELECT abc, 007;"));
  EXPECT_THAT(RunOnce("SELECT :client_id, :random_seed;"), ElementsAre("SELECT 0, 1;"));
}

TEST(Script, MakesParametersInExtendedMode) {
  const auto set = Compile("\\set a 1\n\\set b null\nSELECT :a, :b, :a, c::int, ':none';");
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  const ScriptCommand& command = set->scripts()[0].commands.back();
  EXPECT_EQ(command.parameterised, "SELECT $1, $2, $3, c::int, ':none';");
  ScriptRunner runner(*set, 0, 1);
  runner.Begin();
  ASSERT_EQ(runner.Next(), ScriptRunner::Step::kQuery);
  std::string text;
  EXPECT_TRUE(runner.AppendParameter(0, text));
  EXPECT_EQ(text, "1");
  EXPECT_FALSE(runner.AppendParameter(1, text));  // NULL
}

TEST(Script, BranchesAndSleeps) {
  const std::string script =
      "\\if :x = 1\nSELECT 'one';\n\\elif :x = 2\nSELECT 'two';\n\\if true\nSELECT 'inner';\n"
      "\\endif\n\\else\n\\sleep 5 ms\nSELECT 'many';\n\\endif\nSELECT 'end';";
  EXPECT_THAT(RunOnce(script, {{"x", "1"}}), ElementsAre("SELECT 'one';", "SELECT 'end';"));
  EXPECT_THAT(RunOnce(script, {{"x", "2"}}),
              ElementsAre("SELECT 'two';", "SELECT 'inner';", "SELECT 'end';"));
  EXPECT_THAT(RunOnce(script, {{"x", "3"}}),
              ElementsAre("sleep 5000000", "SELECT 'many';", "SELECT 'end';"));
  EXPECT_THAT(RunOnce("\\if false\nSELECT 1;\n\\endif\nSELECT 2;"), ElementsAre("SELECT 2;"));
  EXPECT_THAT(RunOnce("\\set s 3\n\\sleep :s us\n\\sleep 2\n\\sleep 7us\nSELECT 1;"),
              ElementsAre("sleep 3000", "sleep 2000000000", "sleep 7000", "SELECT 1;"));
  EXPECT_THAT(RunOnce("\\set s 1.5\n\\sleep :s\nSELECT 1;"),
              ElementsAre(HasSubstr("error test.sql:2: \\sleep needs a whole number")));
  EXPECT_THAT(RunOnce("\\set s -1\n\\sleep :s\n\\sleep -5 ms\n\\sleep -5ms\nSELECT 1;"),
              ElementsAre("sleep 0", "sleep 0", "sleep 0", "SELECT 1;"));
  EXPECT_THAT(RunOnce(";;\nSELECT 1;;"), ElementsAre(";", ";", "SELECT 1;", ";"));
}

TEST(Script, StopsAtARuntimeErrorWithItsLine) {
  EXPECT_THAT(RunOnce("SELECT 1;\n\\set a 1 / 0\nSELECT 2;"),
              ElementsAre("SELECT 1;", "error test.sql:2: division by zero"));
}

TEST(Script, GsetMakesVariables) {
  const auto set = Compile("SELECT 1 AS a\\gset p_\nSELECT :p_a, :p_b;");
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  ScriptRunner runner(*set, 0, 1);
  runner.Begin();
  ASSERT_EQ(runner.Next(), ScriptRunner::Step::kQuery);
  EXPECT_EQ(runner.command().capture, Capture::kGset);
  EXPECT_EQ(runner.command().capture_prefix, "p_");
  EXPECT_TRUE(runner.SetVariable("p_a", "42"));
  EXPECT_TRUE(runner.SetVariable("unused", "1"));
  EXPECT_FALSE(runner.SetVariable("?column?", "1"));
  EXPECT_FALSE(runner.SetVariable("", "1"));
  ASSERT_EQ(runner.Next(), ScriptRunner::Step::kQuery);
  std::string sql;
  runner.AppendSql(sql);
  EXPECT_EQ(sql, "SELECT 42, :p_b;");
}

TEST(Script, PipelinesSendWithoutWaitingAndSync) {
  const auto set = Compile("\\StartPipeline\nSELECT 1;\nSELECT 2;\n\\endpipeline\nSELECT 3;");
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_TRUE(set->uses_pipelines());
  ScriptRunner runner(*set, 0, 1);
  runner.Begin();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(runner.Next(), ScriptRunner::Step::kQuery);
    EXPECT_TRUE(runner.in_pipeline());
  }
  EXPECT_EQ(runner.Next(), ScriptRunner::Step::kSync);
  EXPECT_EQ(runner.Next(), ScriptRunner::Step::kQuery);
  EXPECT_FALSE(runner.in_pipeline());
  EXPECT_EQ(runner.Next(), ScriptRunner::Step::kDone);
}

TEST(Script, PipelinesThatDoNotFitFailWhereTheyAre) {
  const std::pair<const char*, const char*> cases[] = {
      {"\\startpipeline\n\\startpipeline\nSELECT 1;", "test.sql:2: \\startpipeline in a pipeline"},
      {"\\endpipeline\nSELECT 1;", "test.sql:1: \\endpipeline without"},
      {"\\startpipeline\nSELECT 1 AS a \\gset\n\\endpipeline", "test.sql:2: \\gset and \\aset"},
      {"\\startpipeline\n\\set a 1\n", "test.sql:2: the script ends in a pipeline"},
  };
  for (const auto& [script, message] : cases) {
    const auto set = Compile(script);
    ASSERT_TRUE(set.ok()) << set.status().ToString();
    ScriptRunner runner(*set, 0, 1);
    runner.Begin();
    ScriptRunner::Step step = runner.Next();
    while (step == ScriptRunner::Step::kQuery) step = runner.Next();
    ASSERT_EQ(step, ScriptRunner::Step::kError) << script;
    EXPECT_THAT(runner.error().ToString(), HasSubstr(message));
  }
}

TEST(Script, ErrorsNamePlaceAndRemedy) {
  struct Case {
    const char* script;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {"SELECT 1;\n\\set a 1 +\n", "test.sql:2:11: the expression ends", ""},
      {"\\set a rndom(1, 2)\nSELECT 1;", "test.sql:1:8: there is no function \"rndom\"",
       "Functions are abs"},
      {"\\set 1a 2\nSELECT 1;", "test.sql:1:1: \\set needs the name", "Write \\set NAME"},
      {"\\set a\nSELECT 1;", "\\set a has no expression", "Write \\set NAME"},
      {"\\slep 1\nSELECT 1;", "there is no command \\slep", "Commands are"},
      {"\\shell ls\nSELECT 1;", "\\shell of pgbench is not supported", "Commands are"},
      {"\\sleep 1 min\nSELECT 1;", "\"min\" is no unit", "Write \\sleep"},
      {"\\sleep\nSELECT 1;", "needs a number", "Write \\sleep"},
      {"\\if true\nSELECT 1;", "test.sql:1:1: this \\if has no \\endif", "End it"},
      {"SELECT 1;\n\\endif", "test.sql:2:1: \\endif without \\if", ""},
      {"\\else\nSELECT 1;", "\\else without \\if", ""},
      {"\\if true\n\\else\n\\else\n\\endif\nSELECT 1;", "test.sql:3:1: \\else after \\else", ""},
      {"\\gset\nSELECT 1;", "\\gset must follow", "It stores"},
      {"\\set a :b + 1\nSELECT 1;", "test.sql:1: variable \"b\" is never set", "-D b=VALUE"},
      {"-- nothing\n", "test.sql: the script is empty", "at least one"},
      {"\\set x 1e400\nSELECT :x;", "test.sql:1:8: 1e400 is out of range", ""},
      {"\\set x 1e-400\nSELECT :x;", "1e-400 is out of range", ""},
      {"SELECT 1;\n\\startpipeline x\n", "\\startpipeline takes no argument", ""},
      {"SELECT 1 AS a \\gset p q\n", "\\gset takes one argument", ""},
      {"\\if true\nSELECT 1;\n\\endif x", "\\endif takes no argument", ""},
  };
  for (const Case& each : cases) {
    const auto set = Compile(each.script);
    ASSERT_FALSE(set.ok()) << each.script;
    EXPECT_THAT(set.status().error().message, HasSubstr(each.message));
    EXPECT_THAT(set.status().error().hint, HasSubstr(each.hint)) << each.script;
  }
  EXPECT_FALSE(Compile("SELECT 1;", {{"no name", "1"}}).ok());
  EXPECT_FALSE(ScriptSet::Compile({}, {}).ok());
  EXPECT_FALSE(ScriptSet::Compile({Source("SELECT 1;", 0)}, {}).ok());
  EXPECT_FALSE(ScriptSet::Compile({Source("SELECT 1;", INT64_MAX)}, {}).ok());
}

TEST(Script, IsDeterministicPerClientAndSeed) {
  const auto set = Compile("\\set a random(1, 1000000000)\nSELECT :a;");
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(Trace(*set, 5, 3), Trace(*set, 5, 3));
  EXPECT_NE(Trace(*set, 5, 3), Trace(*set, 5, 4));
  EXPECT_NE(Trace(*set, 5, 3), Trace(*set, 6, 3));
  EXPECT_NE(Trace(*set, 5, 3), Trace(*set, 4, 4));  // not merely seed + client
}

TEST(Script, PicksByWeight) {
  const auto set = ScriptSet::Compile(
      {Source("SELECT 'a';", 1), Source("SELECT 'b';", 3), Source("SELECT 'c';", 0)}, {});
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->statement_count(), 3U);
  Random random(1);
  std::vector<int> picked(3);
  for (int i = 0; i < 4000; ++i) ++picked[set->Pick(random)];
  EXPECT_NEAR(picked[0], 1000, 150);
  EXPECT_NEAR(picked[1], 3000, 150);
  EXPECT_EQ(picked[2], 0);
}

}  // namespace
}  // namespace connbench::load
