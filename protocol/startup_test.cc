// The start of a connection: the packet by itself, and what a session makes of it.
#include "protocol/startup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/limits.h"
#include "protocol/messages.h"
#include "protocol/testing/fake_session.h"

namespace connbench::protocol {
namespace {

using engine::ConnectionPhase;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

std::string Startup(std::initializer_list<NameValue> parameters,
                    uint32_t version = kProtocolVersion3) {
  std::string bytes;
  AppendStartup(bytes, {parameters.begin(), parameters.size()}, version);
  return bytes;
}

Result<StartupPacket> Read(const std::string& bytes) {
  return ReadStartupPacket(std::string_view(bytes).substr(kLengthBytes), false, false);
}

std::vector<std::string> Settings(const StartupPacket& packet) {
  std::vector<std::string> settings;
  for (const auto& setting : packet.settings)
    settings.push_back(setting.name + "=" + setting.value);
  return settings;
}

TEST(StartupPacket, TakesUserDatabaseAndSettings) {
  const auto packet =
      Read(Startup({{"user", "alice"}, {"database", "shop"}, {"application_name", "psql"}}));
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->user, "alice");
  EXPECT_EQ(packet->database, "shop");
  EXPECT_THAT(Settings(*packet), ElementsAre("application_name=psql"));
  EXPECT_FALSE(packet->needs_negotiation());
}

TEST(StartupPacket, TakesTheUserForTheDatabase) {
  EXPECT_EQ(Read(Startup({{"user", "alice"}}))->database, "alice");
  EXPECT_EQ(Read(Startup({{"user", "alice"}, {"database", ""}}))->database, "alice");
}

TEST(StartupPacket, CutsLongNamesAsPostgresqlDoes) {
  const std::string name(100, 'n');
  const auto packet = Read(Startup({{"user", name}, {"database", name}}));
  EXPECT_EQ(packet->user, std::string(63, 'n'));
  EXPECT_EQ(packet->database, std::string(63, 'n'));
}

TEST(StartupPacket, CutsLongNamesBetweenCharacters) {
  const std::string name = std::string(62, 'n') + "\xc3\xa9";
  EXPECT_EQ(Read(Startup({{"user", name}}))->user, std::string(62, 'n'));
}

TEST(StartupPacket, RefusesWhatIsNoText) {
  const std::vector<std::vector<NameValue>> cases = {
      {{"user", "\xff\xfe"}},
      {{"user", "a"}, {"database", "\xff"}},
      {{"user", "a"}, {"options", "-c datestyle=\xff"}},
      {{"user", "a"}, {"\xff", "b"}},
      {{"user", "a"}, {"datestyle", "\xff"}}};
  for (const auto& parameters : cases) {
    std::string bytes;
    AppendStartup(bytes, parameters, kProtocolVersion3);
    const auto packet = Read(bytes);
    ASSERT_FALSE(packet.ok());
    EXPECT_TRUE(packet.status().error().fatal);
    EXPECT_EQ(packet.status().code(), "22021");
    EXPECT_THAT(packet.status().error().message,
                testing::HasSubstr("invalid byte sequence for encoding \"UTF8\": 0xff"));
  }
  EXPECT_TRUE(Read(Startup({{"user", "a"}, {"application_name", "\xff"}})).ok());
}

TEST(StartupPacket, ReadsOptionsBeforeOtherSettings) {
  const auto packet = Read(
      Startup({{"TimeZone", "UTC"}, {"options", "-c a=1  --b-c=x\\ y -cd=2"}, {"user", "alice"}}));
  ASSERT_TRUE(packet.ok());
  EXPECT_THAT(Settings(*packet), ElementsAre("a=1", "b_c=x y", "d=2", "TimeZone=UTC"));
}

TEST(StartupPacket, RefusesOptionsThatSetNothing) {
  const std::pair<const char*, const char*> cases[] = {
      {"-x", "invalid command-line argument for server process: -x"},
      {"-c", "invalid command-line argument for server process: -c"},
      {"-", "invalid command-line argument for server process: -"},
      {"a=1", "invalid command-line argument for server process: a=1"},
      {"a=1 b=2 -c c=3", "invalid command-line argument for server process: a=1"},
      {"-c c=3 -- -c d=4", "invalid command-line argument for server process: -c"},
      {"-c a", "-c a requires a value"},
      {"--a-b", "--a-b requires a value"},
  };
  for (const auto& [options, message] : cases) {
    const auto packet = Read(Startup({{"user", "a"}, {"options", options}}));
    ASSERT_TRUE(packet.ok()) << options;
    ASSERT_FALSE(packet->options_error.ok()) << options;
    EXPECT_EQ(packet->options_error.error().message, message);
    EXPECT_EQ(packet->options_error.code(), "42601");
    EXPECT_TRUE(packet->options_error.error().fatal);
  }
}

TEST(StartupPacket, KeepsNothingBehindABadOption) {
  const auto packet = Read(Startup({{"user", "a"}, {"b", "2"}, {"options", "-c a=1 --c -c d=4"}}));
  ASSERT_TRUE(packet.ok());
  EXPECT_THAT(Settings(*packet), ElementsAre("a=1"));
}

TEST(StartupPacket, TakesOptionsThatGetoptTakes) {
  const std::pair<const char*, const char*> cases[] = {
      {"\t-c\ta=1\n", "a=1"}, {"-c a=b\\", "a=b"},      {"-c a=", "a="},
      {"-c =b", "=b"},        {"-c a=b=c --", "a=b=c"}, {"--a=\\-\\\\", "a=-\\"},
  };
  for (const auto& [options, setting] : cases) {
    const auto packet = Read(Startup({{"user", "a"}, {"options", options}}));
    ASSERT_TRUE(packet.ok() && packet->options_error.ok()) << options;
    EXPECT_THAT(Settings(*packet), ElementsAre(setting)) << options;
  }
}

TEST(StartupPacket, OfRepeatedNamesTakesTheLast) {
  const auto packet = Read(Startup({{"user", "a"},
                                    {"options", "-c a=1"},
                                    {"database", "x"},
                                    {"b", "1"},
                                    {"user", "c"},
                                    {"options", "-c a=2"},
                                    {"database", "y"},
                                    {"b", "2"}}));
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->user, "c");
  EXPECT_EQ(packet->database, "y");
  EXPECT_THAT(Settings(*packet), ElementsAre("a=2", "b=1", "b=2"));
}

TEST(StartupPacket, ServesNoReplication) {
  const auto code = [](const char* value) {
    return std::string(Read(Startup({{"user", "a"}, {"replication", value}})).status().code());
  };
  for (const char* off : {"false", "FALSE", "of", "n", "0"}) EXPECT_EQ(code(off), "00000") << off;
  for (const char* on : {"true", "on", "1", "database"}) EXPECT_EQ(code(on), "0A000") << on;
  for (const char* bad : {"", "o", "maybe", "Database"}) EXPECT_EQ(code(bad), "22023") << bad;
}

struct Refusal {
  const char* what;
  std::string packet;
  const char* code;
  const char* message;
};

std::ostream& operator<<(std::ostream& out, const Refusal& param) { return out << param.what; }

class RefusedStartup : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedStartup, EndsWithAFatalError) {
  FakeConnection connection;
  const auto answer = connection.Send(GetParam().packet);
  EXPECT_THAT(answer, ElementsAre("E FATAL "s + GetParam().code + " " + GetParam().message));
  EXPECT_EQ(connection.want, Want::kClose);
  const auto log = connection.engine.connection_log().Read(0);
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].outcome, GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedStartup,
    testing::Values(
        Refusal{"no user", Startup({{"database", "shop"}}), "28000",
                "no PostgreSQL user name specified in startup packet"},
        Refusal{"empty user", Startup({{"user", ""}, {"database", "shop"}}), "28000",
                "no PostgreSQL user name specified in startup packet"},
        Refusal{"protocol 2.0", Startup({{"user", "a"}}, ProtocolVersion(2, 0)), "0A000",
                "unsupported frontend protocol 2.0: server supports 3.0 to 3.0"},
        Refusal{"protocol 4.1", Startup({{"user", "a"}}, ProtocolVersion(4, 1)), "0A000",
                "unsupported frontend protocol 4.1: server supports 3.0 to 3.0"},
        Refusal{"no terminator", "\0\0\0\x10\0\3\0\0user\0a\0b"s, "08P01",
                "invalid startup packet layout: expected terminator as last byte"},
        Refusal{"bytes behind the terminator", "\0\0\0\x12\0\3\0\0user\0a\0\0xx"s, "08P01",
                "invalid startup packet layout: expected terminator as last byte"},
        Refusal{"length below itself", "\0\0\0\3"s, "08P01", "invalid length of startup packet"},
        Refusal{"nothing but a length", "\0\0\0\4"s, "08P01", "invalid length of startup packet"},
        Refusal{"too long", "\0\0\x27\x15"s, "08P01", "invalid length of startup packet"},
        Refusal{"huge", "\xff\xff\xff\xff"s, "08P01", "invalid length of startup packet"},
        Refusal{"HTTP", "GET / HTTP/1.1\r\n\r\n", "08P01", "invalid length of startup packet"},
        Refusal{"cancel of wrong length", "\0\0\0\x0c\x04\xd2\x16\x2e\0\0\0\1"s, "08P01",
                "invalid length of startup packet"}));

TEST(Startup, GreetsInPostgresqlsOrder) {
  FakeConnection connection;
  EXPECT_THAT(connection.Send(AliceStartup()),
              ElementsAre("R 0", "S server_version=15.0", "K 1 deadbeef", "Z I"));
  EXPECT_EQ(connection.want, Want::kInput);
  EXPECT_TRUE(connection.session.authenticated());
  EXPECT_EQ(connection.engine.state.options.user, "alice");
  EXPECT_EQ(connection.engine.state.options.database, "shop");
  EXPECT_FALSE(connection.engine.state.options.superuser);
  EXPECT_EQ(connection.engine.state.options.client_address, "127.0.0.1:40000");
  EXPECT_EQ(connection.engine.state.options.connection_id, 1u);
}

TEST(Startup, KnowsTheSuperuserByName) {
  FakeConnection connection;
  connection.Send(Startup({{"user", "postgres"}}));
  EXPECT_TRUE(connection.engine.state.options.superuser);
}

TEST(Startup, AnswersEncryptionRequestsOnceEachInAnyOrder) {
  std::string ssl;
  AppendSslRequest(ssl);
  std::string gss;
  MessageWriter writer(gss);
  writer.Int32(kGssEncRequestCode).Finish();
  for (const bool ssl_first : {true, false}) {
    FakeConnection connection;
    EXPECT_THAT(connection.Send(ssl_first ? ssl : gss), ElementsAre("N"));
    EXPECT_THAT(connection.Send(ssl_first ? gss : ssl), ElementsAre("N"));
    EXPECT_THAT(connection.Send(AliceStartup()), ElementsAre("R 0", testing::_, testing::_, "Z I"));
  }
  FakeConnection connection;
  connection.Send(ssl);
  EXPECT_THAT(connection.Send(ssl),
              ElementsAre("E FATAL 0A000 unsupported frontend protocol 1234.5679: server supports "
                          "3.0 to 3.0"));
}

TEST(Startup, RefusesWhatComesBehindAnEncryptionRequestUnasked) {
  std::string gss;
  MessageWriter writer(gss);
  writer.Int32(kGssEncRequestCode).Finish();
  std::string ssl;
  AppendSslRequest(ssl);
  for (const std::string& request : {ssl, gss}) {
    FakeConnection connection;
    EXPECT_THAT(
        connection.Send(request + AliceStartup()),
        ElementsAre("N", testing::StartsWith("E FATAL 08P01 received unencrypted data after")));
    EXPECT_EQ(connection.want, Want::kClose);
  }
}

TEST(Startup, TellsAfterAuthenticationWhatIsWrongWithOptions) {
  FakeConnection connection;
  EXPECT_THAT(
      connection.Send(Startup({{"user", "alice"}, {"options", "-x"}})),
      ElementsAre("R 0", testing::StartsWith("E FATAL 42601 invalid command-line argument")));
  EXPECT_EQ(connection.want, Want::kClose);
  EXPECT_EQ(connection.engine.connection_log().Read(0)[0].outcome, "42601");
}

TEST(Startup, NegotiatesBeforeItRefuses) {
  FakeConnection connection;
  EXPECT_THAT(
      connection.Send(Startup({{"database", "shop"}}, ProtocolVersion(3, 2))),
      ElementsAre("v 3.0", "E FATAL 28000 no PostgreSQL user name specified in startup packet"));
}

TEST(Startup, TakesTheLongestPacketThatPostgresqlTakes) {
  std::string packet = Startup({{"user", "alice"}, {"application_name", ""}});
  const size_t longest = kLengthBytes + kMaxStartupPacketBytes;
  packet.insert(packet.size() - 2, longest - packet.size(), 'a');
  StoreUint32(packet.data(), static_cast<uint32_t>(packet.size()));
  FakeConnection connection;
  EXPECT_EQ(connection.Send(packet).back(), "Z I");
  packet.insert(packet.size() - 2, 1, 'a');
  StoreUint32(packet.data(), static_cast<uint32_t>(packet.size()));
  FakeConnection other;
  EXPECT_THAT(other.Send(packet), ElementsAre("E FATAL 08P01 invalid length of startup packet"));
}

TEST(Startup, NegotiatesNewerMinorVersionsAndUnknownOptions) {
  FakeConnection connection;
  const auto answer = connection.Send(
      Startup({{"user", "alice"}, {"_pq_.test_protocol_negotiation", ""}, {"_pq_.other", "on"}},
              ProtocolVersion(3, 9999)));
  EXPECT_THAT(answer, ElementsAre("v 3.0 _pq_.test_protocol_negotiation _pq_.other", "R 0",
                                  "S server_version=15.0", "K 1 deadbeef", "Z I"));

  FakeConnection newer;
  EXPECT_EQ(newer.Send(Startup({{"user", "alice"}}, ProtocolVersion(3, 2)))[0], "v 3.0");
}

TEST(Startup, PassesCancelRequestsOnAndClosesSilently) {
  FakeConnection connection;
  std::string bytes;
  AppendCancelRequest(bytes, 77, 0xcafe);
  EXPECT_THAT(connection.Send(bytes), IsEmpty());
  EXPECT_EQ(connection.want, Want::kClose);
  EXPECT_THAT(connection.engine.cancelled, ElementsAre(std::pair<uint32_t, uint32_t>(77, 0xcafe)));
}

TEST(Startup, ClosesOnADirectTlsHandshake) {
  FakeConnection connection;
  EXPECT_THAT(connection.Send("\x16\x03\x01\x02"), IsEmpty());
  EXPECT_EQ(connection.want, Want::kClose);
}

TEST(Startup, TellsWhyTheEngineRefuses) {
  FakeConnection connection;
  connection.engine.start_error =
      Status::Fatal(sqlstate::kTooManyConnections, "sorry, too many clients already");
  const auto answer = connection.Send(AliceStartup());
  EXPECT_THAT(answer, ElementsAre("R 0", "E FATAL 53300 sorry, too many clients already"));
  EXPECT_EQ(connection.want, Want::kClose);
  EXPECT_FALSE(connection.session.authenticated());
  EXPECT_EQ(connection.engine.connection_log().Read(0)[0].outcome, "53300");
}

TEST(Startup, StampsItsPhasesInOrder) {
  FakeConnection connection;
  const MonotonicNs before = MonotonicNow();
  connection.Send(AliceStartup());
  const auto log = connection.engine.connection_log().Read(0);
  ASSERT_EQ(log.size(), 1u);
  const auto phase = [&](ConnectionPhase p) { return log[0].phase_ns[static_cast<int>(p)]; };
  EXPECT_GE(phase(ConnectionPhase::kAuthBegin), before);
  EXPECT_GE(phase(ConnectionPhase::kAuthEnd), phase(ConnectionPhase::kAuthBegin));
  EXPECT_GE(phase(ConnectionPhase::kReady), phase(ConnectionPhase::kAuthEnd));
  EXPECT_LE(phase(ConnectionPhase::kReady), MonotonicNow());
  EXPECT_EQ(log[0].outcome, "");
}

TEST(Startup, GivesASilentClientItsTimeAndNoMore) {
  FakeEngine engine;
  constexpr MonotonicNs kTimeout = 3 * kSilentPatienceNs;
  engine.engine_config.authentication_timeout_ms = kTimeout / kNanosecondsPerMillisecond;
  engine::BlockingWaiter waiter;
  FakeChannel channel;
  const MonotonicNs before = MonotonicNow();
  ServerSession session(engine, waiter, channel, engine.connection_log().Begin(before),
                        {.name = "peer"});
  EXPECT_EQ(session.InputDeadlinePassed(), Want::kInput);  // called too early
  // Now and then it looks whether others want its place, and nobody does.
  Want want = Want::kInput;
  while (want == Want::kInput) {
    EXPECT_EQ(session.output(), "");
    EXPECT_LE(session.InputDeadline(), MonotonicNow() + kTimeout);
    while (MonotonicNow() < session.InputDeadline()) {
    }
    want = session.InputDeadlinePassed();
  }
  EXPECT_GE(MonotonicNow(), before + kTimeout);
}

TEST(Startup, EndsAClientThatDidNotAuthenticateInTime) {
  FakeEngine engine;
  engine.engine_config.authentication_timeout_ms = 0;
  engine::BlockingWaiter waiter;
  FakeChannel channel;
  ServerSession session(engine, waiter, channel, engine.connection_log().Begin(1),
                        {.name = "peer"});
  EXPECT_EQ(session.InputDeadlinePassed(), Want::kClose);
  EXPECT_THAT(DescribeMessages(session.output()),
              ElementsAre("E FATAL 57014 canceling authentication due to timeout"));
  EXPECT_EQ(engine.connection_log().Read(0)[0].outcome, "57014");
  EXPECT_EQ(session.Receive(AliceStartup()), Want::kClose);  // too late
  EXPECT_FALSE(session.authenticated());
}

TEST(Startup, RefusesWhileShuttingDown) {
  FakeConnection connection;
  connection.engine.shutdown = true;
  EXPECT_EQ(connection.session.CheckTermination(), Want::kClose);
  EXPECT_THAT(connection.TakeOutput(),
              ElementsAre("E FATAL 57P01 terminating connection due to administrator command"));
}

}  // namespace
}  // namespace connbench::protocol
