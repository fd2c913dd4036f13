// Tests: what a workload needs in the server before it can run: its set-up SQL and its tables.
#include "harness/load/set_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/load/sql_client.h"
#include "harness/load/testing/fake_server.h"

namespace connbench::load {
namespace {

using ::testing::HasSubstr;

TEST(SetUpTest, RunsStatementByStatementAndNamesTheLineThatFails) {
  Workload workload;
  workload.setup = {"setup.sql", "CREATE TABLE t(a int);\nSELECT 'fail';\n"};
  FakeServer server({Behaviour::kServe});
  auto client = SqlClient::Connect(server.endpoint());
  ASSERT_TRUE(client.ok()) << client.status().ToString();
  const Status status = load::SetUp(workload, **client, 1);
  EXPECT_EQ(status.code(), "22012");
  EXPECT_THAT(status.ToString(), HasSubstr("setup.sql:2: it failed"));
  EXPECT_EQ(server.Received('Q'), 2);
}

TEST(SetUpTest, RowsOfACheckAreContradictionsWithTheirPlace) {
  Workload workload;
  FakeServer server({Behaviour::kServe});
  auto client = SqlClient::Connect(server.endpoint());
  ASSERT_TRUE(client.ok()) << client.status().ToString();
  const auto none = AskCheck(workload, **client, 0);
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
  workload.check = ScriptSource{"check.sql", "SELECT 1;\n\nSELECT 1;\n"};
  const auto found = AskCheck(workload, **client, 0);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_THAT(*found, ::testing::ElementsAre("check.sql:1: 1", "check.sql:3: 1"));
  workload.check->text = "SELECT 1;\nSELECT 'fail';\n";
  EXPECT_THAT(AskCheck(workload, **client, 0).status().ToString(), HasSubstr("check.sql:2: "));
  std::string many;
  for (size_t i = 0; i < 2 * kMaxContradictions; ++i) many += "SELECT 1;\n";
  workload.check->text = many;
  EXPECT_EQ(AskCheck(workload, **client, 0)->size(), kMaxContradictions);
}

TEST(SqlClientTest, AnswersAndErrors) {
  FakeServer server({Behaviour::kServe, Behaviour::kTooMany, Behaviour::kSilent,
                     Behaviour::kDiesInQuery, Behaviour::kGarbage});
  auto client = SqlClient::Connect(server.endpoint());
  ASSERT_TRUE(client.ok()) << client.status().ToString();
  EXPECT_EQ((*client)->ServerParameter("server_version"), "15.0 (fake)");
  EXPECT_EQ(*(*client)->QueryValue("SELECT 1"), "1");
  EXPECT_EQ((*client)->Query("SELECT 'fail'").status().code(), "22012");
  EXPECT_EQ(*(*client)->QueryValue("SELECT 1"), "1");  // an error is not the end
  EXPECT_EQ(SqlClient::Connect(server.endpoint()).status().code(), "53300");
  EXPECT_EQ(SqlClient::Connect(server.endpoint(), 100 * kNanosecondsPerMillisecond).status().code(),
            "08006");
  auto dying = SqlClient::Connect(server.endpoint());
  ASSERT_TRUE(dying.ok());
  EXPECT_EQ((*dying)->Query("SELECT 1").status().code(), "08006");
  EXPECT_EQ(SqlClient::Connect(server.endpoint()).status().code(), "08P01");
}

}  // namespace
}  // namespace connbench::load
