// Clients that are too many, silent, hostile, half open or gone: each costs only its own
// connection.
#include <sys/socket.h>

#include <memory>

#include "base/exit_code.h"
#include "models/conformance/conformance.h"
#include "protocol/codec.h"

namespace connbench::models::testing {
namespace {

class Clients : public Conformance {};

TEST_P(Clients, ManyQueriesInOneConnection) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.Query("select 1"));
    ASSERT_EQ(client.rows().size(), 1u);
  }
}

TEST_P(Clients, RefusesConnectionsPastTheLimit) {
  TestServer server(Options({"max_connections=5", "superuser_reserved_connections=2"}));
  ASSERT_TRUE(server.ready()) << server.log();
  std::vector<std::unique_ptr<TestClient>> clients;
  const auto start = [&](std::string_view user) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    return clients.back()->Start(user);
  };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(start("somebody"));
  EXPECT_FALSE(start("somebody"));
  EXPECT_EQ(clients.back()->error_code(), "53300");
  ASSERT_TRUE(start("postgres"));
  ASSERT_TRUE(start("postgres"));
  EXPECT_FALSE(start("postgres"));
  EXPECT_EQ(clients.back()->error_code(), "53300");
  // A place that is given back is free again.
  clients[0]->Close();
  EXPECT_TRUE(WaitUntil([&] { return start("postgres"); }));
}

TEST_P(Clients, EndsConnectionsThatNeverSpeak) {
  constexpr int kSilent = 20;
  // Long enough for a busy machine to let in whoever speaks at once.
  TestServer server(Options({"authentication_timeout=1s"}));
  ASSERT_TRUE(server.ready()) << server.log();
  // A session that is authenticated has no such limit: this one is older than all that meet it.
  TestClient session(server.port());
  ASSERT_TRUE(session.Start()) << session.error_message();
  std::vector<std::unique_ptr<TestClient>> silent;
  silent.reserve(kSilent);
  for (int i = 0; i < kSilent; ++i) {
    silent.push_back(std::make_unique<TestClient>(server.port()));
  }
  TestClient half(server.port());
  half.SendRaw(std::string("\0\0\0\x20\0\x03", 6));  // the beginning of a startup packet
  ExpectServes(server);
  for (const auto& client : silent) EXPECT_TRUE(client->WaitForClose());
  EXPECT_TRUE(half.WaitForClose());
  EXPECT_TRUE(session.Query("select 1"));
}

// A client that asks for much and reads nothing blocks whoever sends to it.
TEST_P(Clients, ClientThatDoesNotReadHindersNobody) {
  TestServer server(Options({"workers=1"}));
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient lazy(server.port());
  ASSERT_TRUE(lazy.Start());
  std::string queries;
  for (int i = 0; i < 1000; ++i) {
    protocol::MessageWriter message(queries, protocol::frontend::kQuery);
    message.String("select 1").Finish();
  }
  // Until neither side's buffers take any more.
  int unsent_ms = 0;
  std::string_view rest = queries;
  while (unsent_ms < 500) {
    const ssize_t sent = send(lazy.fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      unsent_ms = 0;
      rest.remove_prefix(static_cast<size_t>(sent));
      if (rest.empty()) rest = queries;
    } else {
      SleepMs(10);
      unsent_ms += 10;
    }
  }
  ExpectServes(server);
  EXPECT_EQ(server.Stop(), kExitOk) << server.log();
  EXPECT_EQ(server.log().find("killing"), std::string::npos) << server.log();
}

TEST_P(Clients, SurvivesHostileBytes) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  uint64_t state = 42;  // a fixed seed
  for (int round = 0; round < 30; ++round) {
    std::string bytes;
    for (int i = 0; i < 600; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bytes += static_cast<char>(state >> 56);
    }
    TestClient client(server.port());
    ASSERT_TRUE(client.connected());
    if (round % 2 == 0) {
      ASSERT_TRUE(client.Start());
    }
    client.SendRaw(bytes);
    shutdown(client.fd(), SHUT_WR);
    EXPECT_TRUE(client.WaitForClose()) << round;
  }
  TestClient huge(server.port());
  huge.SendRaw(std::string("\x7f\xff\xff\xff\0\x03\0\0", 8));
  EXPECT_TRUE(huge.WaitForClose());
  ExpectServes(server);
}

TEST_P(Clients, SurvivesClientsThatVanish) {
  TestServer server(Options({"max_connections=20"}));
  ASSERT_TRUE(server.ready()) << server.log();
  // More than there are places: each must be given back.
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(WaitUntil([&] {
      TestClient client(server.port());
      if (!client.Start()) return false;
      if (i % 3 == 0) client.SendQuery("select 1");
      if (i % 3 == 1) client.SendRaw("Q");
      // Without a word, or with an end that comes together with the last bytes.
      if (i % 2 == 0) {
        client.Reset();
      } else {
        client.Close();
      }
      return true;
    }));
  }
  ExpectServes(server);
}

TEST_P(Clients, HalfOpenClientEnds) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start());
  client.SendQuery("select 1");
  shutdown(client.fd(), SHUT_WR);
  EXPECT_TRUE(client.Finish());  // the answer still comes
  EXPECT_TRUE(client.WaitForClose());
}

INSTANTIATE_TEST_SUITE_P(Models, Clients, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing
