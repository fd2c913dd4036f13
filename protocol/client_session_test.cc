// Tests: the client's side of one PostgreSQL connection (protocol 3.0) without any I/O.
#include "protocol/client_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace connbench::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using State = ClientSession::State;
using End = ClientSession::End;

std::string Hello(uint32_t connection_id = 7) {
  std::string bytes;
  AppendAuthenticationOk(bytes);
  AppendParameterStatus(bytes, "server_version", "15.0");
  AppendBackendKeyData(bytes, connection_id, 4711);
  AppendReadyForQuery(bytes, engine::TransactionStatus::kIdle);
  return bytes;
}

std::string Row(const std::vector<const char*>& values) {
  std::string bytes;
  MessageWriter row(bytes, backend::kDataRow);
  row.Int16(static_cast<int16_t>(values.size()));
  for (const char* value : values) {
    if (value == nullptr) {
      row.Null();
    } else {
      row.Value(value);
    }
  }
  row.Finish();
  return bytes;
}

std::string Description(const std::vector<const char*>& names) {
  std::string bytes;
  MessageWriter description(bytes, backend::kRowDescription);
  description.Int16(static_cast<int16_t>(names.size()));
  for (const char* name : names) {
    description.String(name).Int32(0).Int16(0).Int32(23).Int16(4).Int32(-1).Int16(0);
  }
  description.Finish();
  return bytes;
}

std::string Tag(std::string_view tag) {
  std::string bytes;
  MessageWriter writer(bytes, backend::kCommandComplete);
  writer.String(tag).Finish();
  return bytes;
}

std::string Ready(engine::TransactionStatus status = engine::TransactionStatus::kIdle) {
  std::string bytes;
  AppendReadyForQuery(bytes, status);
  return bytes;
}

std::string Error(const char* severity, const char* code, const char* message) {
  std::string bytes;
  ErrorInfo error;
  error.code = code;
  error.message = message;
  error.position = 8;
  AppendErrorResponse(bytes, severity, error);
  return bytes;
}

std::string Empty(char type) {
  std::string bytes;
  AppendEmptyMessage(bytes, type);
  return bytes;
}

class Sink final : public ClientRowSink {
 public:
  void Columns(std::span<const std::string_view> names) override {
    for (const auto name : names) seen.push_back("column " + std::string(name));
  }
  void Row(std::span<const WireValue> values) override {
    std::string text = "row";
    for (const WireValue& value : values) {
      text += value.is_null() ? " NULL"
                              : " " + std::string(value.data, static_cast<size_t>(value.length));
    }
    seen.push_back(text);
  }
  void Tag(std::string_view tag) override { seen.push_back("tag " + std::string(tag)); }
  std::vector<std::string> seen;
};

// A session that is ready.
class Connected : public ClientSession {
 public:
  Connected() {
    Start({.user = "u", .database = "d", .application_name = "a"});
    output().clear();
    Receive(Hello());
  }
};

// Types of the messages in bytes, in order.
std::string Types(std::string_view bytes) {
  std::string types;
  Message message;
  while (NextMessage(bytes, 1 << 20, message) == FrameResult::kMessage) types += message.type;
  EXPECT_TRUE(bytes.empty());
  return types;
}

TEST(ClientSession, StartsUp) {
  ClientSession session;
  EXPECT_EQ(session.state(), State::kNew);
  session.set_keep_parameters(true);
  session.Start({.user = "u", .database = "d", .application_name = "a"});
  EXPECT_EQ(session.state(), State::kAuthenticating);
  EXPECT_THAT(session.output(), HasSubstr(std::string("user\0u\0database\0d\0", 18)));
  EXPECT_EQ(session.Receive(Hello(99)), State::kIdle);
  EXPECT_TRUE(session.authenticated());
  EXPECT_EQ(session.connection_id(), 99U);
  EXPECT_EQ(session.cancel_key(), 4711U);
  EXPECT_EQ(session.ServerParameter("server_version"), "15.0");
  EXPECT_EQ(session.ServerParameter("none"), "");
}

TEST(ClientSession, EverySplitOfTheBytesMeansTheSame) {
  const std::string answer = Description({"a", "b"}) + Row({"1", nullptr}) + Row({"", "x"}) +
                             Tag("SELECT 2") + Ready(engine::TransactionStatus::kInTransaction);
  for (size_t step = 1; step <= answer.size(); ++step) {
    Connected session;
    Sink sink;
    session.set_sink(&sink);
    session.Query("SELECT");
    for (size_t at = 0; at < answer.size(); at += step) {
      EXPECT_EQ(session.state(), State::kBusy);
      session.Receive(std::string_view(answer).substr(at, step));
    }
    ASSERT_EQ(session.state(), State::kIdle) << step;
    EXPECT_THAT(sink.seen,
                ElementsAre("column a", "column b", "row 1 NULL", "row  x", "tag SELECT 2"));
    EXPECT_EQ(session.command().rows, 2U);
    EXPECT_EQ(session.transaction_status(), engine::TransactionStatus::kInTransaction);
  }
}

TEST(ClientSession, SendsWhatPgbenchSends) {
  Connected session;
  const WireValue parameter = {"5", 1};
  const std::string batch =
      Empty(backend::kBindComplete) + Description({"a"}) + Row({"1"}) + Tag("SELECT 1") + Ready();
  session.QueryExtended("SELECT $1", {&parameter, 1});
  EXPECT_EQ(Types(session.output()), "PBDES");
  session.output().clear();
  session.Receive(Empty(backend::kParseComplete) + batch);
  session.QueryPrepared(3, "SELECT $1", {&parameter, 1});
  EXPECT_EQ(Types(session.output()), "PBDES");
  EXPECT_THAT(session.output(), HasSubstr("P_3"));
  session.output().clear();
  session.Receive(Empty(backend::kParseComplete) + batch);
  session.QueryPrepared(3, "SELECT $1", {&parameter, 1});
  EXPECT_EQ(Types(session.output()), "BDES");
  session.output().clear();
  session.Receive(batch);
  EXPECT_EQ(session.state(), State::kIdle);
  // A Parse that failed is tried again.
  session.QueryPrepared(4, "SELEC", {});
  session.output().clear();
  session.Receive(Error("ERROR", "42601", "syntax error") + Ready());
  EXPECT_EQ(session.state(), State::kIdle);
  EXPECT_STREQ(session.command().sqlstate, "42601");
  session.QueryPrepared(4, "SELECT", {});
  EXPECT_EQ(Types(session.output()), "PBDES");
}

TEST(ClientSession, ErrorsEndTheCommandNotTheSession) {
  Connected session;
  session.Query("SELECT 1/0");
  EXPECT_EQ(session.Receive(Error("ERROR", "22012", "division by zero")), State::kBusy);
  EXPECT_EQ(session.Receive(Ready()), State::kIdle);
  EXPECT_TRUE(session.command().failed);
  EXPECT_STREQ(session.command().sqlstate, "22012");
  EXPECT_EQ(session.error().message, "division by zero");
  EXPECT_EQ(session.error().position, 8);
  session.Query("SELECT 1");
  EXPECT_FALSE(session.command().failed);
  session.Receive(Row({"1"}) + Tag("SELECT 1") + Ready());
  EXPECT_EQ(session.state(), State::kIdle);
}

TEST(ClientSession, FatalErrorsEndTheSession) {
  Connected session;
  session.Query("SELECT 1");
  EXPECT_EQ(session.Receive(Error("FATAL", "57P01", "terminating")), State::kClosed);
  EXPECT_EQ(session.end(), End::kFatalError);
  EXPECT_EQ(session.error().code, "57P01");
  // While idle, an error can only be a good-bye.
  Connected idle;
  EXPECT_EQ(idle.Receive(Error("ERROR", "57P05", "idle")), State::kClosed);
  // During startup any error is the end.
  ClientSession refused;
  refused.Start({.user = "u", .database = "d", .application_name = "a"});
  EXPECT_EQ(refused.Receive(Error("ERROR", "53300", "too many")), State::kClosed);
  EXPECT_EQ(refused.error().code, "53300");
}

TEST(ClientSession, RefusesMethodsItDoesNotKnow) {
  ClientSession session;
  session.Start({.user = "u", .database = "d", .application_name = "a"});
  std::string bytes;
  MessageWriter(bytes, backend::kAuthentication).Int32(7).Finish();  // GSSAPI
  EXPECT_EQ(session.Receive(bytes), State::kClosed);
  EXPECT_EQ(session.end(), End::kNoAuthentication);
  EXPECT_THAT(session.error().message, HasSubstr("method 7"));
}

TEST(ClientSession, NoticesAndParametersMayComeAtAnyTime) {
  Connected session;
  ErrorInfo notice;
  notice.code = "00000";
  notice.message = "hello";
  std::string bytes;
  AppendNoticeResponse(bytes, "NOTICE", notice);
  AppendParameterStatus(bytes, "TimeZone", "UTC");
  EXPECT_EQ(session.Receive(bytes), State::kIdle);
  session.Query("SELECT 1");
  EXPECT_EQ(session.Receive(bytes + Row({"1"}) + bytes + Tag("SELECT 1") + Ready()), State::kIdle);
  EXPECT_EQ(session.command().rows, 1U);
}

TEST(ClientSession, CopyInIsDeclined) {
  Connected session;
  session.Query("COPY t FROM STDIN");
  session.output().clear();
  std::string bytes;
  MessageWriter(bytes, backend::kCopyInResponse).Byte(0).Int16(0).Finish();
  EXPECT_EQ(session.Receive(bytes), State::kBusy);
  EXPECT_EQ(Types(session.output()), "f");
}

// A server that waits for data passes over the Sync that came with the statement.
TEST(ClientSession, CopyInIsDeclinedInTheExtendedProtocolToo) {
  std::string copy_in;
  MessageWriter(copy_in, backend::kCopyInResponse).Byte(0).Int16(0).Finish();
  const std::string answer = Empty(backend::kParseComplete) + Empty(backend::kBindComplete) +
                             Empty(backend::kNoData) + copy_in;
  Connected session;
  session.QueryExtended("COPY t FROM STDIN", {});
  session.output().clear();
  EXPECT_EQ(session.Receive(answer), State::kBusy);
  EXPECT_EQ(Types(session.output()), "fS");
  EXPECT_EQ(session.Receive(Error("ERROR", "57014", "COPY from stdin failed") + Ready()),
            State::kIdle);
  EXPECT_TRUE(session.command().wanted_copy_data);
  // In a pipeline the statement behind it, or its own Sync, is what the server finds.
  Connected pipeline;
  pipeline.BeginPipeline();
  pipeline.QueryExtended("COPY t FROM STDIN", {});
  pipeline.QueryExtended("SELECT 1", {});
  pipeline.EndPipeline();
  EXPECT_EQ(Types(pipeline.output()), "PBDEPBDES");
  pipeline.output().clear();
  pipeline.Receive(answer);
  EXPECT_EQ(Types(pipeline.output()), "f");
  EXPECT_EQ(pipeline.Receive(Error("ERROR", "08P01", "unexpected message") + Ready()),
            State::kIdle);
}

TEST(ClientSession, APipelineIsOneCommandOfSeveralStatements) {
  const std::string one =
      Empty(backend::kBindComplete) + Description({"a"}) + Row({"1"}) + Tag("SELECT 1");
  Connected session;
  session.BeginPipeline();
  EXPECT_EQ(session.state(), State::kBusy);
  session.QueryPrepared(1, "SELECT 1", {});
  session.QueryPrepared(1, "SELECT 1", {});
  session.QueryPrepared(2, "SELECT 2", {});
  EXPECT_EQ(Types(session.output()), "PBDEBDEPBDE");
  session.EndPipeline();
  session.output().clear();
  EXPECT_EQ(session.Receive(Empty(backend::kParseComplete) + one + one), State::kBusy);
  EXPECT_EQ(session.Receive(Empty(backend::kParseComplete) + one + Ready()), State::kIdle);
  EXPECT_EQ(session.command().rows, 3U);
  // An empty one is a Sync.
  session.BeginPipeline();
  session.EndPipeline();
  EXPECT_EQ(Types(session.output()), "S");
  EXPECT_EQ(session.Receive(Ready()), State::kIdle);
}

TEST(ClientSession, AfterAnErrorInAPipelineWhatWasNotParsedIsParsedAgain) {
  Connected session;
  session.BeginPipeline();
  session.QueryPrepared(1, "SELECT 1/0", {});
  session.QueryPrepared(2, "SELECT 2", {});
  session.EndPipeline();
  session.output().clear();
  session.Receive(Empty(backend::kParseComplete) + Empty(backend::kBindComplete) +
                  Error("ERROR", "22012", "division by zero") + Ready());
  EXPECT_EQ(session.state(), State::kIdle);
  EXPECT_STREQ(session.command().sqlstate, "22012");
  session.QueryPrepared(1, "SELECT 1/0", {});
  EXPECT_EQ(Types(session.output()), "BDES");
  session.output().clear();
  session.Receive(Error("ERROR", "22012", "division by zero") + Ready());
  session.QueryPrepared(2, "SELECT 2", {});
  EXPECT_EQ(Types(session.output()), "PBDES");
}

TEST(ClientSession, AReadyForQueryInsideAPipelineIsNoAnswer) {
  Connected session;
  session.BeginPipeline();
  session.QueryExtended("SELECT 1", {});
  EXPECT_EQ(session.Receive(Ready()), State::kClosed);
  EXPECT_EQ(session.end(), End::kProtocolError);
}

TEST(ClientSession, WordsOfAServerCannotSteerATerminal) {
  Connected session;
  session.set_keep_parameters(true);
  session.Query("SELECT 1");
  session.Receive(Error("ERROR", "\033[2JX", "\033]0;owned\007 you\n\xff") + Ready());
  EXPECT_EQ(session.error().message, "\\x1b]0;owned\\x07 you\\x0a\\xff");
  EXPECT_EQ(session.error().code, "\\x1b[2JX");
  EXPECT_STREQ(session.command().sqlstate, "\\x1b[");
  std::string status;
  AppendParameterStatus(status, "server_version", "15\033[31m");
  session.Receive(status);
  EXPECT_EQ(session.ServerParameter("server_version"), "15\\x1b[31m");
}

TEST(ClientSession, HostileServersEndInAProtocolError) {
  const auto short_row = [] {
    std::string bytes;
    MessageWriter(bytes, backend::kDataRow).Int16(3).Value("1").Finish();
    return bytes;
  };
  const auto negative = [] {
    std::string bytes;
    MessageWriter(bytes, backend::kDataRow).Int16(-5).Finish();
    return bytes;
  };
  const std::string busy_cases[] = {
      "HTTP/1.1 400 Bad Request\r\n",
      std::string("D\xff\xff\xff\xff", 5),
      std::string("D\0\0\0\3", 5),
      short_row(),
      negative(),
      Ready(),  // before the command is complete
      Empty(backend::kAuthentication),
      std::string("Z\0\0\0\5X", 6),
      std::string("E\0\0\0\6Sx", 7),
  };
  for (const std::string& bytes : busy_cases) {
    Connected session;
    Sink sink;
    session.set_sink(&sink);
    session.Query("SELECT 1");
    EXPECT_EQ(session.Receive(bytes), State::kClosed) << bytes;
    EXPECT_EQ(session.end(), End::kProtocolError);
    EXPECT_EQ(session.error().code, "08P01");
    EXPECT_EQ(session.Receive(Hello()), State::kClosed);  // and nothing wakes it up again
  }
  std::string ready_first;
  AppendReadyForQuery(ready_first, engine::TransactionStatus::kIdle);
  const std::string startup_cases[] = {"SSL?!", ready_first, Row({"1"}),
                                       std::string("E\0\1\0\0", 5),  // 64 kB before we know it
                                       Hello().substr(0, 9) + Hello()};
  for (const std::string& bytes : startup_cases) {
    ClientSession session;
    session.Start({.user = "u", .database = "d", .application_name = "a"});
    EXPECT_EQ(session.Receive(bytes), State::kClosed) << bytes;
    EXPECT_EQ(session.end(), End::kProtocolError);
  }
  Connected unasked;
  EXPECT_EQ(unasked.Receive(Row({"1"})), State::kClosed);
  EXPECT_EQ(unasked.end(), End::kProtocolError);
}

TEST(ClientSession, ResetServesTheNextConnection) {
  Connected session;
  session.QueryPrepared(0, "SELECT 1", {});
  session.Receive("D\0\0");
  session.Terminate();
  EXPECT_EQ(session.end(), End::kTerminated);
  session.Reset();
  EXPECT_EQ(session.state(), State::kNew);
  session.Start({.user = "u", .database = "d", .application_name = "a"});
  EXPECT_EQ(session.Receive(Hello(8)), State::kIdle);
  session.output().clear();
  session.QueryPrepared(0, "SELECT 1", {});
  EXPECT_EQ(Types(session.output()), "PBDES");  // a new connection knows no statement
}

}  // namespace
}  // namespace connbench::protocol
