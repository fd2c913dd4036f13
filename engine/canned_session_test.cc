// The canned session answers like a session, without an engine.
#include "engine/canned_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace connbench::engine {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// Each answer as a short text.
class RecordingSink : public ResultSink {
 public:
  std::vector<std::string> Take() { return std::exchange(answers_, {}); }

  void ParameterDescription(std::span<const Oid> types) override {
    answers_.push_back("parameters " + std::to_string(types.size()));
  }
  void RowDescription(std::span<const ColumnDescription> columns,
                      std::span<const WireFormat> formats) override {
    answers_.push_back("columns " + std::to_string(columns.size()) +
                       (formats.empty() || formats[0] == WireFormat::kText ? "" : " binary"));
  }
  void NoData() override { answers_.push_back("no data"); }
  Status DataRow(std::span<const WireValue> values) override {
    answers_.push_back("row " + std::string(values[0].data, static_cast<size_t>(values[0].length)));
    return {};
  }
  void CommandComplete(std::string_view tag) override { answers_.push_back(std::string(tag)); }
  void EmptyQuery() override { answers_.push_back("empty"); }
  void PortalSuspended() override { answers_.push_back("suspended"); }
  void CopyInResponse(WireFormat, int) override { answers_.push_back("copy in"); }
  void CopyOutResponse(WireFormat, int) override { answers_.push_back("copy out"); }
  Status CopyData(std::string_view) override { return {}; }
  void CopyDone() override {}
  void Notice(std::string_view, const ErrorInfo&) override { answers_.push_back("notice"); }
  void ParameterStatus(std::string_view name, std::string_view value) override {
    answers_.push_back(std::string(name) + "=" + std::string(value));
  }

 private:
  std::vector<std::string> answers_;
};

class CannedSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    EngineConfig config;
    config.engine = EngineKind::kCanned;
    config.segment_backing = SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = 1 << 20;
    config.max_connections = 2;
    config.superuser_reserved_connections = 1;
    config.connection_log_entries = 16;
    auto created = Engine::Create(config);
    ASSERT_TRUE(created.ok()) << created.status().ToString();
    engine_ = std::move(*created);
    session_ = Start("alice");
    ASSERT_NE(session_, nullptr);
  }

  std::unique_ptr<Session> Start(const std::string& user) {
    SessionOptions options;
    options.connection_id = engine_->connection_log().Begin(MonotonicNow());
    options.user = user;
    options.superuser = user == "postgres";
    options.parameters = {{"application_name", "test"}};
    auto started = engine_->StartSession(std::move(options), waiter_);
    start_status_ = started.status();
    return started.ok() ? std::move(*started) : nullptr;
  }
  std::vector<std::string> Query(std::string_view sql) {
    const Result<Progress> result = session_->Query(sql, sink_);
    std::vector<std::string> answers = sink_.Take();
    if (!result.ok()) answers.push_back(std::string(result.status().code()));
    return answers;
  }

  std::unique_ptr<Engine> engine_;
  BlockingWaiter waiter_;
  std::unique_ptr<Session> session_;
  RecordingSink sink_;
  Status start_status_;
};

TEST_F(CannedSessionTest, AnswersAnyQueryWithTheSameRow) {
  for (const char* sql :
       {"select 1", "SELECT abalance FROM t WHERE aid = 5;", "show x", "values"}) {
    EXPECT_THAT(Query(sql), ElementsAre("columns 1", "row 1", "SELECT 1")) << sql;
  }
}

TEST_F(CannedSessionTest, AnswersCommandsWithoutRows) {
  EXPECT_THAT(Query("Update t set a = 1"), ElementsAre("UPDATE 1"));
  EXPECT_THAT(Query("\n\tvacuum t"), ElementsAre("VACUUM"));
  EXPECT_THAT(Query(" ; "), ElementsAre("empty"));
  EXPECT_THAT(Query(""), ElementsAre("empty"));
}

TEST_F(CannedSessionTest, KeepsTheStatusOfTransactions) {
  EXPECT_THAT(Query("begin"), ElementsAre("BEGIN"));
  EXPECT_EQ(session_->transaction_status(), TransactionStatus::kInTransaction);
  EXPECT_THAT(Query("select * from pg_class"), ElementsAre("0A000"));
  EXPECT_EQ(session_->transaction_status(), TransactionStatus::kFailed);
  EXPECT_THAT(Query("select 1"), ElementsAre("25P02"));
  EXPECT_THAT(Query("END"), ElementsAre("ROLLBACK"));
  EXPECT_EQ(session_->transaction_status(), TransactionStatus::kIdle);
  EXPECT_THAT(Query("commit"), ElementsAre("COMMIT"));
}

TEST_F(CannedSessionTest, RunsPreparedStatements) {
  ASSERT_TRUE(session_->Parse("s", "select $1, $3", std::vector<Oid>{20}, sink_).ok());
  ASSERT_TRUE(session_->DescribeStatement("s", sink_).ok());
  EXPECT_THAT(sink_.Take(), ElementsAre("parameters 3", "columns 1"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(session_->Bind("", "s", {}, {}, std::vector{WireFormat::kBinary}).ok());
    ASSERT_TRUE(session_->DescribePortal("", sink_).ok());
    ASSERT_TRUE(session_->Execute("", 0, sink_).ok());
    ASSERT_TRUE(session_->Sync(sink_).ok());
    EXPECT_THAT(sink_.Take(),
                ElementsAre("columns 1 binary", std::string("row \0\0\0\1", 8), "SELECT 1"));
  }
  EXPECT_EQ(session_->Parse("s", "select 1", {}, sink_).code(),
            sqlstate::kDuplicatePreparedStatement);
  ASSERT_TRUE(session_->CloseStatement("s").ok());
  EXPECT_EQ(session_->Bind("", "s", {}, {}, {}).code(), sqlstate::kInvalidSqlStatementName);
  EXPECT_EQ(session_->Execute("p", 0, sink_).status().code(), sqlstate::kInvalidCursorName);
}

TEST_F(CannedSessionTest, ReportsThirteenParameters) {
  session_->ReportParameters(sink_);
  const auto reported = sink_.Take();
  ASSERT_THAT(reported, SizeIs(13));
  EXPECT_EQ(reported.front(), "application_name=test");
  EXPECT_EQ(reported[10], "session_authorization=alice");
}

TEST_F(CannedSessionTest, HoldsABackendSlot) {
  EXPECT_EQ(Start("bob"), nullptr);
  EXPECT_EQ(start_status_.code(), sqlstate::kTooManyConnections);
  EXPECT_TRUE(start_status_.error().fatal);
  const auto reserved = Start("postgres");
  EXPECT_NE(reserved, nullptr);
  session_.reset();
  EXPECT_EQ(engine_->counters().sessions_active, 1);
}

TEST_F(CannedSessionTest, EndsWhenToldTo) {
  EXPECT_TRUE(session_->TerminationRequested().ok());
  engine_->RequestShutdown();
  EXPECT_EQ(session_->TerminationRequested().code(), sqlstate::kAdminShutdown);
}

TEST_F(CannedSessionTest, CountsWhatItAnswered) {
  Query("select 1");
  Query("begin");
  Query("select 1");
  Query("commit");
  Query("begin");
  Query("rollback");
  const EngineCounters counters = engine_->counters();
  EXPECT_EQ(counters.statements, 6);
  EXPECT_EQ(counters.transactions_committed, 2);
  EXPECT_EQ(counters.transactions_rolled_back, 1);
}

}  // namespace
}  // namespace connbench::engine
