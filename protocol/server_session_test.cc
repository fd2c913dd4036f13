// A started session: simple and extended flow, errors, limits, deadlines, output.
#include "protocol/server_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"
#include "protocol/testing/fake_session.h"
#include "protocol/testing/server_session_fixture.h"

namespace connbench::protocol {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::string_literals;

TEST_F(ServerSessionTest, AnswersASimpleQuery) {
  EXPECT_THAT(Query("row"), ElementsAre(kRow, "D 1", "C SELECT 1", "Z I"));
}

TEST_F(ServerSessionTest, AnswersEachStatementOfAQueryString) {
  EXPECT_THAT(Query("begin;row;notice"),
              ElementsAre("C BEGIN", kRow, "D 1", "C SELECT 1", "N NOTICE 00000 take note",
                          "C NOTICE", "Z T"));
}

TEST_F(ServerSessionTest, AnswersAnEmptyQuery) { EXPECT_THAT(Query(""), ElementsAre("I", "Z I")); }

TEST_F(ServerSessionTest, ReportsEveryFieldOfAnError) {
  EXPECT_THAT(Query("row;fail;row"),
              ElementsAre(kRow, "D 1", "C SELECT 1",
                          "E ERROR 42601 syntax error D:some detail H:some hint P:8", "Z I"));
  EXPECT_EQ(connection_.want, Want::kInput);
}

TEST_F(ServerSessionTest, ShowsTheTransactionStatus) {
  EXPECT_THAT(Query("begin"), ElementsAre("C BEGIN", "Z T"));
  EXPECT_EQ(connection_.session.transaction_status(), engine::TransactionStatus::kInTransaction);
  EXPECT_THAT(Query("fail"), testing::Contains("Z E"));
  EXPECT_THAT(Query("commit"), ElementsAre("C ROLLBACK", "Z I"));
}

TEST_F(ServerSessionTest, PassesParameterChangesOn) {
  EXPECT_THAT(Query("set"), ElementsAre("S application_name=new", "C SET", "Z I"));
}

TEST_F(ServerSessionTest, EndsWithAFatalError) {
  EXPECT_THAT(Query("die"), ElementsAre("E FATAL 57P01 told to end"));
  EXPECT_EQ(connection_.want, Want::kClose);
  EXPECT_THAT(Query("row"), IsEmpty());
  EXPECT_EQ(connection_.want, Want::kClose);
}

TEST_F(ServerSessionTest, EndsSilentlyOnTerminate) {
  std::string bytes;
  AppendTerminate(bytes);
  AppendQuery(bytes, "row");
  EXPECT_THAT(connection_.Send(bytes), IsEmpty());
  EXPECT_EQ(connection_.want, Want::kClose);
}

TEST_F(ServerSessionTest, RunsPreparedStatements) {
  std::string bytes;
  const Oid types[] = {23, 0};
  AppendParse(bytes, "s", "row", types);
  AppendDescribeStatement(bytes, "s");
  AppendSync(bytes);
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("1", "t 25", kRow, "Z I"));

  bytes.clear();
  const WireValue parameters[] = {{"5", 1}, {}, {"", 0}};
  AppendBind(bytes, "", "s", parameters, WireFormat::kBinary);
  AppendDescribePortal(bytes, "");
  AppendExecute(bytes, "");
  AppendSync(bytes);
  EXPECT_THAT(connection_.Send(bytes),
              ElementsAre("2", "T n 25 -1 -1 1", "D 1", "C SELECT 1", "Z I"));

  bytes.clear();
  AppendClosePortal(bytes, "");
  AppendCloseStatement(bytes, "s");
  AppendSync(bytes);
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("3", "3", "Z I"));

  EXPECT_THAT(calls(),
              ElementsAre("Parse(s, row, [23, 0])", "DescribeStatement(s)", "Sync",
                          "Bind(, s, [], [\"5\", \"NULL\", \"\"], [1])", "DescribePortal()",
                          "Execute(, 0)", "Sync", "ClosePortal()", "CloseStatement(s)", "Sync"));
}

TEST_F(ServerSessionTest, DescribesStatementsWithoutRows) {
  std::string bytes;
  AppendParse(bytes, "s", "begin");
  AppendDescribeStatement(bytes, "s");
  AppendBind(bytes, "p", "s", {});
  AppendDescribePortal(bytes, "p");
  AppendSync(bytes);
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("1", "t 25", "n", "2", "n", "Z I"));
}

TEST_F(ServerSessionTest, FetchesAPortalInPieces) {
  std::string bytes;
  AppendParse(bytes, "", "rows 5");
  AppendBind(bytes, "p", "", {});
  AppendExecute(bytes, "p", 2);
  AppendExecute(bytes, "p", 2);
  AppendExecute(bytes, "p", -1);  // as 0: all that is left
  AppendSync(bytes);
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("1", "2", "D 1", "D 2", "s", "D 3", "D 4", "s",
                                                   "D 5", "C SELECT 1", "Z I"));
}

TEST_F(ServerSessionTest, SkipsToSyncAfterAnError) {
  std::string bytes;
  AppendParse(bytes, "", "fail");
  AppendBind(bytes, "", "", {});
  AppendQuery(bytes, "row");
  AppendFlush(bytes);
  AppendExecute(bytes, "");
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("E ERROR 42601 syntax error P:8"));
  bytes.clear();
  AppendSync(bytes);
  AppendQuery(bytes, "row");
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("Z I", kRow, "D 1", "C SELECT 1", "Z I"));
  EXPECT_THAT(calls(), ElementsAre("Parse(, fail, [])", "Sync", "Query(row)"));
}

TEST_F(ServerSessionTest, ServesAPipelineOfBatches) {
  std::string bytes;
  for (const char* sql : {"row", "fail", "begin"}) {
    AppendParse(bytes, "", sql);
    AppendBind(bytes, "", "", {});
    AppendExecute(bytes, "");
    AppendSync(bytes);
  }
  EXPECT_THAT(connection_.Send(bytes),
              ElementsAre("1", "2", "D 1", "C SELECT 1", "Z I", "E ERROR 42601 syntax error P:8",
                          "Z I", "1", "2", "C BEGIN", "Z T"));
}

TEST_F(ServerSessionTest, ReportsAFailedCommitAtSync) {
  connection_.engine.state.sync_error =
      Status::Error(sqlstate::kSerializationFailure, "could not serialize");
  std::string bytes;
  AppendSync(bytes);
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("E ERROR 40001 could not serialize", "Z I"));
}

TEST_F(ServerSessionTest, RefusesFunctionCalls) {
  Query("begin");
  std::string bytes;
  MessageWriter writer(bytes, frontend::kFunctionCall);
  writer.Int32(1).Int16(0).Int16(0).Int16(0).Finish();
  EXPECT_THAT(connection_.Send(bytes),
              ElementsAre("E ERROR 0A000 the function call protocol is not supported H:Call the "
                          "function in a SELECT.",
                          "Z E"));
}

TEST_F(ServerSessionTest, IgnoresWhatIsLeftOfAFailedCopy) {
  std::string bytes;
  AppendCopyData(bytes, "data");
  AppendCopyDone(bytes);
  AppendCopyFail(bytes, "reason");
  AppendFlush(bytes);
  EXPECT_THAT(connection_.Send(bytes), IsEmpty());
  EXPECT_THAT(calls(), IsEmpty());
  EXPECT_THAT(Query("row"), SizeIs(4));
}

// --- hostile input ---

std::string Raw(char type, std::string_view body) {
  std::string bytes;
  MessageWriter writer(bytes, type);
  writer.Bytes(body).Finish();
  return bytes;
}

TEST_F(ServerSessionTest, RefusesUnknownTypesAtTheFirstByte) {
  EXPECT_THAT(connection_.Send("y"),
              ElementsAre("E FATAL 08P01 invalid frontend message type 121"));
  EXPECT_EQ(connection_.want, Want::kClose);
}

TEST_F(ServerSessionTest, RefusesAPasswordNobodyAskedFor) {
  EXPECT_THAT(connection_.Send(Raw('p', "secret\0"s)),
              ElementsAre("E FATAL 08P01 invalid frontend message type 112"));
}

TEST_F(ServerSessionTest, RefusesLengthsThatCannotBe) {
  for (const std::string& header :
       {"Q\0\0\0\3"s, "Q\xff\xff\xff\xff"s, "Q\x7f\xff\xff\xff"s, "S\0\0\x27\x15"s, "d\0\0\0\0"s,
        "d\x40\0\0\4"s, "B\x10\0\0\5"s}) {
    FakeConnection connection;
    connection.Start();
    EXPECT_THAT(connection.Send(header), ElementsAre("E FATAL 08P01 invalid message length"));
    EXPECT_EQ(connection.want, Want::kClose);
  }
}

TEST_F(ServerSessionTest, AHugeLengthCostsNoMemoryByItself) {
  // 256 MB announced, the first kilobyte of it sent.
  EXPECT_THAT(connection_.Send("Q\x10\0\0\4"s + std::string(1024, ' ')), IsEmpty());
  EXPECT_EQ(connection_.want, Want::kInput);
  EXPECT_LT(connection_.session.retained_bytes(), 16u << 10);
}

struct Malformed {
  const char* what;
  std::string bytes;
  const char* error;
};

std::ostream& operator<<(std::ostream& out, const Malformed& param) { return out << param.what; }

class MalformedMessages : public testing::TestWithParam<Malformed> {};
class MalformedBinds : public testing::TestWithParam<Malformed> {};

// The message's end is known, so the session lives on: an error like that of any statement.
TEST_P(MalformedMessages, FailTheTransactionAndSkipToSync) {
  FakeConnection connection;
  connection.Start();
  std::string bytes;
  AppendQuery(bytes, "begin");
  connection.Send(bytes);
  bytes = GetParam().bytes;
  AppendExecute(bytes, "");
  AppendSync(bytes);
  EXPECT_THAT(connection.Send(bytes), ElementsAre("E ERROR "s + GetParam().error, "Z E"));
  EXPECT_THAT(connection.engine.state.calls,
              ElementsAre("Query(begin)", "FailTransaction", "Sync"));
  EXPECT_EQ(connection.want, Want::kInput);
}

constexpr const char* kTooShort = "08P01 insufficient data left in message";
constexpr const char* kEndlessString = "08P01 invalid string in message";
constexpr const char* kNoData = "08P01 no data left in message";
constexpr const char* kTooLong = "08P01 invalid message format";

INSTANTIATE_TEST_SUITE_P(
    All, MalformedMessages,
    testing::Values(Malformed{"Parse without end of name", Raw('P', "name"), kEndlessString},
                    Malformed{"Parse without types", Raw('P', "\0row\0"s), kTooShort},
                    Malformed{"Parse with fewer types than it says",
                              Raw('P', "\0row\0\0\2\0\0\0\1"s), kTooShort},
                    Malformed{"Parse with more", Raw('P', "\0row\0\0\0\0"s), kTooLong},
                    Malformed{"Parse with 65535 types", Raw('P', "\0row\0\xff\xff"s), kTooShort},
                    Malformed{"Bind of nothing", Raw('B', ""), kEndlessString},
                    Malformed{"Bind without end of the second name", Raw('B', "\0s"s),
                              kEndlessString},
                    Malformed{"Describe of nothing", Raw('D', ""), kNoData},
                    Malformed{"Describe of another kind", Raw('D', "X\0"s),
                              "08P01 invalid DESCRIBE message subtype 88"},
                    Malformed{"Close of another kind", Raw('C', "X\0"s),
                              "08P01 invalid CLOSE message subtype 88"},
                    Malformed{"Close of a kind that is no letter", Raw('C', "\xff\0"s),
                              "08P01 invalid CLOSE message subtype 255"},
                    Malformed{"Close with more", Raw('C', "S\0\0"s), kTooLong},
                    Malformed{"Execute without a count", Raw('E', "\0"s), kTooShort},
                    Malformed{"Execute with more", Raw('E', "\0\0\0\0\0\0"s), kTooLong}));

// The statement is looked up before what stands behind its name is read.
TEST_P(MalformedBinds, AreErrorsOfTheStatementFirst) {
  for (const bool known : {false, true}) {
    FakeConnection connection;
    connection.Start();
    std::string bytes;
    AppendQuery(bytes, "begin");
    if (known) AppendParse(bytes, "", "row");
    AppendSync(bytes);
    connection.Send(bytes);
    bytes = GetParam().bytes;
    AppendExecute(bytes, "");
    AppendSync(bytes);
    EXPECT_THAT(
        connection.Send(bytes),
        ElementsAre("E ERROR "s + (known ? GetParam().error : "26000 no such statement"), "Z E"));
    EXPECT_THAT(connection.engine.state.calls, testing::Contains("FailTransaction"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, MalformedBinds,
    testing::Values(
        Malformed{"a value longer than the message", Raw('B', "\0\0\0\0\0\1\0\0\0\x09x"s),
                  kTooShort},
        Malformed{"a huge value", Raw('B', "\0\0\0\0\0\1\x7f\xff\xff\xffx"s), kTooShort},
        Malformed{"a negative length", Raw('B', "\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"s), kTooShort},
        Malformed{"65535 parameters", Raw('B', "\0\0\0\0\xff\xff\0\0"s), kTooShort},
        Malformed{"more", Raw('B', "\0\0\0\0\0\0\0\0x"s), kTooLong}));

TEST_F(ServerSessionTest, AMalformedSyncIsAnErrorAndStillASync) {
  EXPECT_THAT(connection_.Send(Raw('S', "x")), ElementsAre("E ERROR "s + kTooLong, "Z I"));
  EXPECT_THAT(Query("row"), SizeIs(4));
  EXPECT_THAT(connection_.Send(Raw('H', "x")), ElementsAre("E ERROR "s + kTooLong));
  EXPECT_THAT(Query("row"), IsEmpty());  // up to the next Sync
  EXPECT_THAT(connection_.Send(Raw('S', "")), ElementsAre("Z I"));
}

TEST_F(ServerSessionTest, AMalformedQueryIsAnErrorAndNoMore) {
  EXPECT_THAT(connection_.Send(Raw('Q', "row")), ElementsAre("E ERROR "s + kEndlessString, "Z I"));
  EXPECT_THAT(connection_.Send(Raw('Q', "row\0row\0"s)),
              ElementsAre("E ERROR "s + kTooLong, "Z I"));
  EXPECT_THAT(Query("row"), SizeIs(4));
}

TEST_F(ServerSessionTest, TakesAsManyParametersAsTheProtocolCanCount) {
  std::string bytes;
  AppendParse(bytes, "s", "row");
  const std::vector<WireValue> parameters(65535, WireValue{"7", 1});
  AppendBind(bytes, "", "s", parameters);
  AppendSync(bytes);
  EXPECT_THAT(connection_.Send(bytes), ElementsAre("1", "2", "Z I"));
  EXPECT_LT(connection_.session.retained_bytes(), 16u << 10);  // and keeps none of it
}

// --- delivery ---

TEST_F(ServerSessionTest, AnySplitOfTheInputGivesTheSameAnswer) {
  std::string bytes = AliceStartup();
  AppendQuery(bytes, "begin;row");
  AppendParse(bytes, "s", "rows 3");
  const WireValue parameter{"a long parameter value", 22};
  AppendBind(bytes, "p", "s", {&parameter, 1});
  AppendDescribePortal(bytes, "p");
  AppendExecute(bytes, "p", 2);
  AppendSync(bytes);
  AppendQuery(bytes, "copyin;row");
  AppendCopyData(bytes, "1\tone\n2\t");
  AppendCopyData(bytes, "");
  AppendCopyData(bytes, "two\n");
  AppendCopyDone(bytes);
  AppendBind(bytes, "", "nothing", {});
  AppendExecute(bytes, "");
  AppendSync(bytes);
  AppendQuery(bytes, "commit");
  AppendTerminate(bytes);

  FakeConnection whole;
  const auto expected = whole.Send(bytes);
  ASSERT_THAT(expected, SizeIs(26));
  ASSERT_EQ(whole.want, Want::kClose);

  for (size_t piece = 1; piece < bytes.size(); ++piece) {
    FakeConnection split;
    std::string answer;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      const Want want = split.session.Receive(std::string_view(bytes).substr(at, piece));
      answer += split.session.output();
      split.session.ClearOutput();
      ASSERT_EQ(want == Want::kClose, at + piece >= bytes.size()) << piece;
    }
    ASSERT_EQ(DescribeMessages(answer), expected) << piece;
    ASSERT_EQ(split.engine.state.calls, whole.engine.state.calls) << piece;
  }
}

TEST_F(ServerSessionTest, TellsWhenItIsInTheMiddleOfSomething) {
  EXPECT_FALSE(connection_.session.mid_message());
  connection_.Send("Q");
  EXPECT_TRUE(connection_.session.mid_message());
  connection_.Send("\0\0\0\x08row\0"s);
  EXPECT_FALSE(connection_.session.mid_message());

  std::string bytes;
  AppendParse(bytes, "", "row");
  connection_.Send(bytes);
  EXPECT_TRUE(connection_.session.mid_message());
  bytes.clear();
  AppendSync(bytes);
  connection_.Send(bytes);
  EXPECT_FALSE(connection_.session.mid_message());

  Query("copyin");
  EXPECT_TRUE(connection_.session.mid_message());
}

TEST_F(ServerSessionTest, StreamsLargeAnswersWithBoundedMemory) {
  constexpr size_t kRows = 100'000;
  const auto answer = Query("rows " + std::to_string(kRows));
  EXPECT_THAT(answer, SizeIs(kRows + 3));
  EXPECT_GT(connection_.channel.flushes, 10u);
  EXPECT_LT(connection_.channel.largest, kOutputFlushBytes + 100);
  EXPECT_LT(connection_.session.retained_bytes(), 16u << 10);
}

TEST_F(ServerSessionTest, EndsWhenTheClientIsGoneInTheMiddleOfAnAnswer) {
  connection_.channel.accepts = 2;
  Query("rows 100000");
  EXPECT_EQ(connection_.want, Want::kClose);
  EXPECT_EQ(connection_.channel.flushes, 2u);
  EXPECT_EQ(connection_.session.output(), "");
}

TEST_F(ServerSessionTest, AnIdleSessionKeepsLittle) {
  std::string bytes;
  AppendQuery(bytes, "wide 60000");
  AppendQuery(bytes, std::string(100'000, ' '));
  for (const char byte : bytes) connection_.Send({&byte, 1});
  EXPECT_LT(connection_.session.retained_bytes(), 8u << 10);
}

// --- deadlines and termination ---

TEST_F(ServerSessionTest, LimitsOnlyTheTimeOfAnIdleClient) {
  connection_.engine.state.idle_deadline = 1000;
  Query("begin");
  EXPECT_EQ(connection_.session.InputDeadline(), 1000);

  std::string bytes;
  AppendParse(bytes, "", "row");
  connection_.Send(bytes);
  EXPECT_EQ(connection_.session.InputDeadline(), kNoDeadline);  // a batch is open
  bytes.clear();
  AppendSync(bytes);
  connection_.Send(bytes);
  EXPECT_EQ(connection_.session.InputDeadline(), 1000);

  Query("copyin");
  EXPECT_EQ(connection_.session.InputDeadline(), kNoDeadline);
}

TEST_F(ServerSessionTest, AHalfMessageDoesNotExtendTheDeadline) {
  connection_.engine.state.idle_deadline = 1000;
  Query("begin");
  ASSERT_EQ(connection_.session.InputDeadline(), 1000);
  connection_.engine.state.idle_deadline = 2000;
  connection_.Send("Q");
  EXPECT_EQ(connection_.session.InputDeadline(), 1000);
}

TEST_F(ServerSessionTest, EndsAnIdleClientAfterItsTime) {
  connection_.engine.state.idle_deadline = MonotonicNow() - 1;
  Query("begin");
  EXPECT_EQ(connection_.session.InputDeadlinePassed(), Want::kClose);
  EXPECT_THAT(connection_.TakeOutput(), ElementsAre("E FATAL 25P03 idle for too long"));
}

TEST_F(ServerSessionTest, EndsWhenToldTo) {
  EXPECT_EQ(connection_.session.CheckTermination(), Want::kInput);
  connection_.engine.state.terminate = true;
  EXPECT_EQ(connection_.session.CheckTermination(), Want::kClose);
  EXPECT_THAT(connection_.TakeOutput(), ElementsAre("E FATAL 57P01 told to end"));
}

TEST_F(ServerSessionTest, LooksForTerminationBeforeItRunsAnything) {
  connection_.engine.state.terminate = true;
  EXPECT_THAT(Query("row"), ElementsAre("E FATAL 57P01 told to end"));
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(ServerSessionTest, HandsAnotherWaiterToTheSession) {
  engine::BlockingWaiter other;
  connection_.session.SetWaiter(other);
  EXPECT_EQ(connection_.engine.state.waiter, &other);
}

}  // namespace
}  // namespace connbench::protocol
