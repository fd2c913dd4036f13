// Where one client's bytes end and another's begin: a backend changes hands at message boundaries
// only, wherever a client stops, and whatever fails on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "models/pool_tx/testing/pooled_client_test_base.h"
#include "protocol/codec.h"
#include "protocol/messages.h"

namespace connbench::models::testing {
namespace {

constexpr PoolMode kModes[] = {PoolMode::kSession, PoolMode::kTransaction, PoolMode::kStatement};

std::string CopyData(std::string_view bytes) {
  std::string message;
  protocol::AppendCopyData(message, bytes);
  return message;
}
std::string CopyDone() {
  std::string message;
  protocol::AppendCopyDone(message);
  return message;
}
std::string CopyFail() {
  std::string message;
  protocol::AppendCopyFail(message, "no more");
  return message;
}
std::string Terminate() {
  std::string message;
  protocol::AppendTerminate(message);
  return message;
}
std::string Flush() {
  std::string message;
  protocol::AppendFlush(message);
  return message;
}
std::string ExecuteCopy() { return Parse("", "copy t from stdin") + Bind("", "") + Execute(""); }

// A backend that has ended a session of itself, with a fatal error, and says that it is free only
// when the pooler has sent something more.
void RunLateBackend(engine::Engine& engine, const SessionMark& mark, ConnectionStop& stop) {
  std::string free_message;
  protocol::AppendEmptyMessage(free_message, kBackendFree);
  while (mark.ReceiveNext(stop)) {
    AcceptedConnection connection;
    connection.fd = stop.fd();
    connection.connection_id = engine.connection_log().Begin(MonotonicNow());
    if (!ServeConnection(engine, connection, stop, protocol::Counterpart::kPooler)) return;
    char next;
    if (recv(stop.fd(), &next, 1, MSG_PEEK) <= 0) return;
    if (!BlockingChannel(stop).Send(free_message).ok()) return;
  }
}

class PooledBoundaryTest : public PooledClientTest {
 protected:
  void OpenWithTable(PoolMode mode, int backends = 1) {
    Open(mode, backends);
    ASSERT_EQ(Run(*Client(), "create table t (a int)"), "CZ");
  }
  // Another client gets its own answers, by both protocols.
  void ExpectOwnAnswers() {
    const auto next = Client();
    next->Send(Parse("s", "select 40 + $1::int") + Bind("", "s", "2") + Execute("") + Sync());
    ASSERT_EQ(next->Until('Z'), "12DCZ") << next->error_code();
    ASSERT_EQ(next->first_value(), "42");
    ASSERT_EQ(Value(*next, "select 7"), "7");
  }
};

TEST_F(PooledBoundaryTest, AHeaderBehindAFailedCopyTakesNobodysBytes) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  a->Send(Query("copy t from stdin"));
  EXPECT_EQ(a->Until('G'), "G");
  a->Send(CopyData("nonsense\n"));
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "22P02");
  a->Send(std::string("d\0\0\x10\0", 5));  // 4,092 bytes will follow
  ExpectOwnAnswers();
  a->Send(std::string(4092, 'x'));
  EXPECT_EQ(Value(*a, "select 1"), "1");
  ExpectOwnAnswers();
}

TEST_F(PooledBoundaryTest, TheRestOfAFailedCopyIsDroppedToItsEnd) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  a->Send(Query("copy t from stdin"));
  EXPECT_EQ(a->Until('G'), "G");
  // As an ordinary client copies: large pieces, of which the first row is bad.
  const std::string piece = "bad\n" + std::string(480'000, '1') + "\n";
  a->Send(CopyData(piece) + CopyData(piece) + CopyDone());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(Value(*a, "select 1"), "1");
  EXPECT_EQ(Value(*a, "select count(*) from t"), "0");
}

TEST_F(PooledBoundaryTest, ACopyMayBeSentWithoutWaiting) {
  for (const PoolMode mode : kModes) {
    OpenWithTable(mode);
    auto a = Client();
    a->Send(Query("copy t from stdin") + CopyData("1\n2") + CopyData("3\n") + CopyDone() +
            Query("select count(*), sum(a) from t"));
    EXPECT_EQ(a->Until('Z'), "GCZ");
    EXPECT_EQ(a->Until('Z'), "TDCZ");
    EXPECT_EQ(a->first_value(), "2");
    a->Send(ExecuteCopy() + CopyData("4\n") + CopyDone() + Sync() +
            Query("select count(*) from t"));
    EXPECT_EQ(a->Until('Z'), "12GCZ");
    EXPECT_EQ(a->Until('Z'), "TDCZ");
    EXPECT_EQ(a->first_value(), "3");
    a.reset();
    ExpectOwnAnswers();
  }
}

TEST_F(PooledBoundaryTest, TwoCopiesInOneQuery) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  a->Send(Query("copy t from stdin; copy t from stdin; select 5") + CopyData("1\n") + CopyDone() +
          CopyData("2\n") + CopyDone());
  EXPECT_EQ(a->Until('Z'), "GCGCTDCZ");
  a->Send(Query("copy t from stdin; copy t from stdin") + CopyData("x\n") + CopyDone() +
          CopyData("2\n") + CopyDone());
  EXPECT_EQ(a->Until('Z'), "GEZ") << "what follows belongs to no COPY";
  EXPECT_EQ(Value(*a, "select count(*) from t"), "2");
}

TEST_F(PooledBoundaryTest, ASyncAmidACopyHasNoAnswerAndOneBehindItsFailureHas) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  a->Send(ExecuteCopy() + Sync());
  EXPECT_EQ(a->Until('G'), "12G");
  a->Send(Sync() + CopyData("1\n") + Flush() + Sync() + CopyDone());
  EXPECT_EQ(a->Until('C'), "C");
  // Its batch is still open: it has the backend.
  const auto b = Client();
  b->Send(Query("select 2"));
  a->Send(Parse("", "select 1") + Bind("", "") + Execute("") + Sync());
  EXPECT_EQ(a->Until('Z'), "12DCZ");
  EXPECT_EQ(b->Until('Z'), "TDCZ");
  EXPECT_EQ(b->first_value(), "2");

  a->Send(ExecuteCopy());
  EXPECT_EQ(a->Until('G'), "12G");
  a->Send(CopyData("bad\n") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  a->Send(ExecuteCopy() + CopyData("2\n") + Sync() + CopyFail() + CopyData("3\n"));
  EXPECT_EQ(a->Until('E'), "12GE");
  a->Send(Parse("", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "Z") << "what comes before the Sync is skipped";
  EXPECT_EQ(Value(*a, "select count(*) from t"), "1");
}

TEST_F(PooledBoundaryTest, ASilentClientIsToldThatItsCopyHasFailed) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  a->Send(Query("copy t from stdin"));
  EXPECT_EQ(a->Until('G'), "G");
  a->Send(CopyData("1\n"));
  a->Send(CopyData("bad\n"));
  EXPECT_EQ(a->Until('Z'), "EZ");
  ExpectOwnAnswers();
}

TEST_F(PooledBoundaryTest, AQueryAmidACopyEndsItsClientOnly) {
  OpenWithTable(PoolMode::kTransaction);
  for (const std::string& message :
       {Query("select 1"), Parse("", "select 1"), Execute(""), CloseStatement("s")}) {
    auto a = Client();
    a->Send(Query("copy t from stdin") + CopyData("1\n") + message);
    EXPECT_EQ(a->Until('Z'), "GEE");
    EXPECT_TRUE(a->UntilClosed());
    ExpectOwnAnswers();
  }
  EXPECT_EQ(Value(*Client(), "select count(*) from t"), "0");
  // The pooler puts nothing of its own before the message that is wrong.
  const auto a = Client();
  a->Send(Parse("s", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  a->Send(ExecuteCopy() + Parse("again", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "12GEE");
  EXPECT_EQ(a->error_message(), "unexpected message type 0x50 during COPY from stdin");
}

TEST_F(PooledBoundaryTest, AnErrorInAPipelineBeforeHalfAMessage) {
  for (const PoolMode mode : kModes) {
    OpenWithTable(mode);
    const std::string half = Bind("", "s").substr(0, 7);
    auto a = Client();
    a->Send(Parse("s", "select 1") + Bind("", "s") + Execute("") + Parse("", "select nope") +
            Bind("", "") + half);
    EXPECT_EQ(a->Until('E'), "12DCE");
    a->Send(Bind("", "s").substr(7) + Execute("") + Sync() + half);
    EXPECT_EQ(a->Until('Z'), "Z");
    if (mode != PoolMode::kSession) ExpectOwnAnswers();
    a->Send(Bind("", "s").substr(7) + Execute("") + Sync());
    EXPECT_EQ(a->Until('Z'), "2DCZ");
    a.reset();
    ExpectOwnAnswers();
  }
}

// Wherever a client stops, with or without an answer in between, the next one gets its own answers
// and the transaction is rolled back.
TEST_F(PooledBoundaryTest, AClientThatLeavesAtAnyByteLeavesNothing) {
  const std::string streams[] = {
      Query("copy t from stdin") + CopyData("1\n") + CopyData("x\n") + CopyData("2\n") +
          Query("select 1"),
      ExecuteCopy() + Sync() + CopyData("1\n") + Sync() + CopyFail() + Sync(),
      Parse("p", "insert into t values ($1::int)") + Bind("", "p", "1") + DescribeStatement("p") +
          Execute("") + Flush() + Parse("", "nope") + CloseStatement("p") + Query("select 1"),
      Query("begin; insert into t values (1)") + Parse("p", "select 1") + Bind("c", "p") +
          Execute("c") + Terminate() + Query("commit"),
  };
  for (const PoolMode mode : kModes) {
    OpenWithTable(mode);
    for (const std::string& stream : streams) {
      for (size_t cut = 0; cut < stream.size(); ++cut) {
        auto a = Client();
        a->Send(stream.substr(0, cut));
        if (cut % 2 == 0) a->EndSending();
        a.reset();
        ASSERT_NO_FATAL_FAILURE(ExpectOwnAnswers())
            << "mode " << static_cast<int>(mode) << ", " << cut
            << " bytes of a stream that begins with " << stream[0];
      }
    }
    EXPECT_EQ(Value(*Client(), "select count(*) from t"), "0");
  }
}

// The last word of a session is not the first answer to the next client.
TEST_F(PooledBoundaryTest, ABackendThatHasNotFinishedEndingIsNotHandedOn) {
  OpenWith(RunLateBackend);
  const auto a = Client();
  EXPECT_EQ(Run(*a, "set idle_in_transaction_session_timeout = 1"), "CZ");
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  EXPECT_EQ(a->Until('E'), "E");
  EXPECT_EQ(a->error_code(), "25P03");
  ExpectOwnAnswers();
  EXPECT_TRUE(a->UntilClosed());
}

// Half a message binds no backend, which others may have meanwhile.
TEST_F(PooledBoundaryTest, HalfAMessageHoldsNoBackend) {
  OpenWithTable(PoolMode::kTransaction);
  const std::string messages[] = {Query("select 1"), Parse("", "select 1"),
                                  Bind("", "", "1"), DescribeStatement("s"),
                                  Execute(""),       Sync(),
                                  Flush(),           Terminate(),
                                  CopyData("1\n")};
  for (const std::string& message : messages) {
    for (size_t cut = 0; cut < message.size(); ++cut) {
      const auto a = Client();
      a->Send(Query("select 5") + message.substr(0, cut));
      ASSERT_EQ(a->Until('Z'), "TDCZ");
      ASSERT_NO_FATAL_FAILURE(ExpectOwnAnswers()) << message[0] << " cut at " << cut;
    }
  }
}

// What is wrong with a message the backend says, also where the pooler could do without it; and
// what came before one that ends the connection is answered.
TEST_F(PooledBoundaryTest, AMalformedMessageIsAnsweredInItsTurn) {
  OpenWithTable(PoolMode::kTransaction);
  const auto malformed = [](std::string message) {
    message.back() = '\5';  // the length
    return message + '\0';
  };
  const auto a = Client();
  a->Send(malformed(Sync()));
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "08P01");
  a->Send(malformed(Flush()) + Parse("", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "08P01");
  a->Send(Parse("", "select 1") + "y");
  EXPECT_EQ(a->Until('E'), "1E");
  EXPECT_TRUE(a->UntilClosed());
  ExpectOwnAnswers();
}

// Also where the pooler knows the statement, and could answer alone.
TEST_F(PooledBoundaryTest, ANameThatIsNoTextIsRefused) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  a->Send(Parse("s", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  a->Send(Parse("\xff", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "22021");
  a->Send(Parse("t", "select 1") + DescribeStatement("\xff") + Sync());
  EXPECT_EQ(a->Until('Z'), "1EZ");
  EXPECT_EQ(a->error_code(), "22021");
  EXPECT_EQ(Value(*a, "select 1"), "1");
}

TEST_F(PooledBoundaryTest, AMessageOverTheLimitEndsItsClientOnly) {
  OpenWithTable(PoolMode::kTransaction);
  for (const char* header : {"Q\x7f\xff\xff\xff", "P\x20\0\0\0", "S\0\0\x40\0", "d\x7f\xff\xff\xff",
                             "c\0\0\0\3", "B\xff\xff\xff\xff"}) {
    auto a = Client();
    a->Send(Query("begin") + std::string(header, 5));
    EXPECT_EQ(a->Until('Z'), "CZ");
    EXPECT_EQ(a->Until('Z'), "E");
    EXPECT_EQ(a->error_code(), "08P01");
    EXPECT_TRUE(a->UntilClosed());
    ExpectOwnAnswers();
  }
}

// Statements have longer names on a backend than at the client.
TEST_F(PooledBoundaryTest, AMessageAsLongAsAllowedStaysAllowed) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  a->Send(Parse("s", "select 1") + DescribeStatement(std::string(9990, 'n')) + Sync());
  EXPECT_EQ(a->Until('Z'), "1EZ");
  EXPECT_EQ(a->error_code(), "26000");
  EXPECT_EQ(Value(*a, "select 1"), "1");
}

TEST_F(PooledBoundaryTest, ACopyOutThatIsCancelledEndsWhole) {
  OpenWithTable(PoolMode::kTransaction);
  const auto a = Client();
  EXPECT_EQ(Run(*a, "insert into t select g from generate_series(1, 1000) g"), "CZ");
  EXPECT_EQ(Run(*a, "set statement_timeout = '50ms'"), "CZ");
  a->Send(Query("copy (select a, pg_sleep(0.01) from t) to stdout"));
  EXPECT_THAT(a->Until('Z'),
              ::testing::AllOf(::testing::StartsWith("H"), ::testing::EndsWith("EZ")));
  EXPECT_EQ(a->error_code(), "57014");
  ExpectOwnAnswers();
}

}  // namespace
}  // namespace connbench::models::testing
