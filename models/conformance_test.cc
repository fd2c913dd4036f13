// What every model must do, whatever it is made of: one suite, run for each row of models.def,
// against real servers (supervisor, processes, sockets) with the canned engine behind them.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "engine/engine.h"
#include "models/fork_exec/exec_backend.h"
#include "models/model_list.h"
#include "models/testing/test_client.h"
#include "models/testing/test_server.h"
#include "protocol/codec.h"

namespace connbench::models {

void PrintTo(const ModelDescription& model, std::ostream* out) { *out << model.name; }

namespace testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kStormConnections = 60;  // every process carries the sanitizer's shadow memory
#else
constexpr int kStormConnections = 1000;
#endif

// Two of whatever a model has to serve sessions with, if that is less than one for each of them.
const std::vector<std::string> kFewWorkers = {"workers=2", "reactor_loops=2", "fdpass_workers=2",
                                              "pool_size=2"};

class Conformance : public ::testing::TestWithParam<ModelDescription> {
 protected:
  static ServerOptions Options(std::vector<std::string> settings = {}) {
    ServerOptions options;
    options.model = GetParam().name;
    options.settings = std::move(settings);
    options.settings.emplace_back("engine=canned");
    return options;
  }
  static bool SegmentExists(const std::string& name) {
    return access(("/dev/shm/" + name).c_str(), F_OK) == 0;
  }
  static int CountOf(std::string_view word, std::string_view text) {
    int count = 0;
    for (size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; ++at) ++count;
    return count;
  }
  // A server that cannot serve a new client is broken, whatever else it did.
  static void ExpectServes(const TestServer& server) {
    TestClient client(server.port());
    EXPECT_TRUE(client.Start()) << client.error_message() << "\n" << server.log();
    EXPECT_TRUE(client.Query("select 1")) << client.error_message();
    EXPECT_EQ(client.rows(), std::vector<std::string>{"1"});
  }
};

TEST_P(Conformance, ServesAndStops) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  EXPECT_EQ(server.ready_line().model, GetParam().name);
  EXPECT_EQ(server.ready_line().host, "127.0.0.1");
  const std::string segment = server.ready_line().segment;
  EXPECT_TRUE(SegmentExists(segment)) << segment;
  ExpectServes(server);
  const std::vector<pid_t> children = server.Children();
  EXPECT_EQ(server.Stop(), kExitOk) << server.log();
  EXPECT_FALSE(SegmentExists(segment)) << segment;
  for (pid_t child : children) EXPECT_FALSE(ProcessExists(child));
}

TEST_P(Conformance, StampsEveryPhaseOfAConnection) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  auto engine = engine::Engine::Attach(server.ready_line().segment, true);
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start());
  const uint32_t id = client.session().connection_id();
  client.Close();
  engine::ConnectionLogRecord record;
  ASSERT_TRUE(WaitUntil([&] {
    for (const engine::ConnectionLogRecord& read : (*engine)->connection_log().Read(0)) {
      if (read.connection_id == id) record = read;
    }
    return record.phase_ns[static_cast<int>(engine::ConnectionPhase::kClosed)] != 0;
  }));
  for (int phase = 0; phase < engine::kConnectionPhases; ++phase) {
    EXPECT_NE(record.phase_ns[phase], 0) << phase;
    if (phase > 0) {
      EXPECT_LE(record.phase_ns[phase - 1], record.phase_ns[phase]) << phase;
    }
  }
}

TEST_P(Conformance, ManyQueriesInOneConnection) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.Query("select 1"));
    ASSERT_EQ(client.rows().size(), 1u);
  }
}

TEST_P(Conformance, RefusesConnectionsPastTheLimit) {
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

TEST_P(Conformance, EndsConnectionsThatNeverSpeak) {
  TestServer server(Options({"authentication_timeout=300ms"}));
  ASSERT_TRUE(server.ready()) << server.log();
  std::vector<std::unique_ptr<TestClient>> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(std::make_unique<TestClient>(server.port()));
  TestClient half(server.port());
  half.SendRaw(std::string("\0\0\0\x20\0\x03", 6));  // the beginning of a startup packet
  ExpectServes(server);
  for (const auto& client : silent) EXPECT_TRUE(client->WaitForClose());
  EXPECT_TRUE(half.WaitForClose());
  // A session that is authenticated has no such limit.
  TestClient client(server.port());
  ASSERT_TRUE(client.Start());
  SleepMs(500);
  EXPECT_TRUE(client.Query("select 1"));
}

TEST_P(Conformance, ShutdownEndsSessionsWith57P01) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient idle(server.port());
  ASSERT_TRUE(idle.Start());
  TestClient in_transaction(server.port());
  ASSERT_TRUE(in_transaction.Start());
  ASSERT_TRUE(in_transaction.Query("begin"));
  TestClient silent(server.port());
  ASSERT_TRUE(silent.connected());
  server.Signal(SIGTERM);
  EXPECT_TRUE(idle.WaitForClose());
  EXPECT_EQ(idle.error_code(), "57P01");
  EXPECT_TRUE(in_transaction.WaitForClose());
  EXPECT_EQ(in_transaction.error_code(), "57P01");
  EXPECT_TRUE(silent.WaitForClose());
  EXPECT_EQ(server.WaitForExit(), kExitOk) << server.log();
  EXPECT_EQ(server.log().find("killing"), std::string::npos) << server.log();
}

// A client that asks for much and reads nothing blocks whoever sends to it.
TEST_P(Conformance, ClientThatDoesNotReadHindersNobody) {
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

TEST_P(Conformance, SurvivesHostileBytes) {
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

TEST_P(Conformance, SurvivesClientsThatVanish) {
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

TEST_P(Conformance, HalfOpenClientEnds) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start());
  client.SendQuery("select 1");
  shutdown(client.fd(), SHUT_WR);
  EXPECT_TRUE(client.Finish());  // the answer still comes
  EXPECT_TRUE(client.WaitForClose());
}

TEST_P(Conformance, Storm) {
  TestServer server(Options({"max_connections=" + std::to_string(kStormConnections + 10)}));
  ASSERT_TRUE(server.ready()) << server.log();
  std::vector<std::unique_ptr<TestClient>> clients;
  clients.reserve(kStormConnections);
  for (int i = 0; i < kStormConnections; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(clients.back()->connected()) << i;
    clients.back()->SendStartup();
  }
  for (const auto& client : clients) ASSERT_TRUE(client->Finish()) << client->error_message();
  for (const auto& client : clients) client->SendQuery("select 1");
  for (const auto& client : clients) ASSERT_TRUE(client->Finish()) << client->error_message();
  EXPECT_EQ(server.Stop(), kExitOk) << server.log();
}

TEST_P(Conformance, CrashEndsEverySessionAndServesAgain) {
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  const size_t children_at_rest = server.Children().size();
  for (int round = 0; round < 2; ++round) {
    // The backend of the last round's client may still be ending, and killing that one is no crash.
    ASSERT_TRUE(WaitUntil([&] { return server.Children().size() == children_at_rest; }));
    TestClient first(server.port());
    ASSERT_TRUE(first.Start()) << first.error_message();
    TestClient second(server.port());
    ASSERT_TRUE(second.Start()) << second.error_message();
    const std::vector<pid_t> children = server.Children();
    ASSERT_FALSE(children.empty());
    // One that is still sending would not dare to add a word.
    ASSERT_TRUE(
        WaitUntil([&] { return std::all_of(children.begin(), children.end(), ProcessSleeps); }));
    kill(children[0], SIGKILL);
    EXPECT_TRUE(first.WaitForClose());
    EXPECT_TRUE(second.WaitForClose());
    // Backends that did not crash themselves say why they end.
    if (children.size() > std::max<size_t>(children_at_rest, 1)) {
      EXPECT_TRUE(first.error_code() == "57P02" || second.error_code() == "57P02");
    }
    // Until the supervisor has noticed, a process that did not crash may still serve.
    ASSERT_TRUE(WaitUntil([&] { return CountOf("ready again", server.log()) == round + 1; }))
        << server.log();
    ExpectServes(server);
  }
  EXPECT_NE(server.log().find("terminated by signal 9"), std::string::npos) << server.log();
  EXPECT_EQ(server.Stop(), kExitOk) << server.log();
}

TEST_P(Conformance, KilledSupervisorLeavesNoProcessAndTheNextStartNoSegment) {
  std::string segment;
  {
    TestServer server(Options());
    ASSERT_TRUE(server.ready()) << server.log();
    segment = server.ready_line().segment;
    TestClient client(server.port());
    ASSERT_TRUE(client.Start());
    const std::vector<pid_t> children = server.Children();
    ASSERT_FALSE(children.empty());
    server.Signal(SIGKILL);
    EXPECT_EQ(server.WaitForExit(), -SIGKILL);
    EXPECT_TRUE(client.WaitForClose());
    for (pid_t child : children) EXPECT_TRUE(WaitUntil([&] { return !ProcessExists(child); }));
    EXPECT_TRUE(SegmentExists(segment));
  }
  TestServer next(Options());
  ASSERT_TRUE(next.ready()) << next.log();
  EXPECT_FALSE(SegmentExists(segment));
}

TEST_P(Conformance, ServesOnAUnixSocket) {
  const TestFolder folder;
  ServerOptions options = Options();
  options.socket_directory = folder.path();
  const auto serves = [](const std::string& path) {
    TestClient client(path);
    return client.Start() && client.Query("select 1");
  };
  std::string path;
  {
    TestServer server(options);
    ASSERT_TRUE(server.ready()) << server.log();
    path = server.ready_line().socket_path;
    EXPECT_EQ(path, folder.path() + "/.s.PGSQL." + std::to_string(server.port()));
    struct stat file = {};
    ASSERT_EQ(stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0700u);  // trust: the server's own user only
    EXPECT_TRUE(serves(path));
    ServerOptions second = options;
    second.hosts = "";
    second.port = server.port();
    TestServer refused(second);
    EXPECT_FALSE(refused.ready());
    EXPECT_EQ(refused.WaitForExit(), kExitErrors);
    EXPECT_NE(refused.log().find("in use"), std::string::npos) << refused.log();
    EXPECT_TRUE(serves(path));
    const std::vector<pid_t> children = server.Children();
    server.Signal(SIGKILL);  // leaves its socket behind
    server.WaitForExit();
    for (pid_t child : children) EXPECT_TRUE(WaitUntil([&] { return !ProcessExists(child); }));
  }
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  options.hosts = "";
  options.port = std::stoi(path.substr(path.rfind('.') + 1));
  TestServer next(options);
  ASSERT_TRUE(next.ready()) << next.log();
  EXPECT_TRUE(serves(path));
  EXPECT_EQ(next.Stop(), kExitOk);
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

// Nobody polls in vain: a server with nothing but idle sessions takes no CPU time.
TEST_P(Conformance, IdleSessionsTakeNoCpuTime) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer wakes a thread of its own in every process ten times a second";
#endif
  constexpr int kIdle = 50;
  constexpr int kWatchMs = 300;
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < kIdle; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(clients.back()->Start()) << clients.back()->error_message();
  }
  // Whatever was begun by the last client comes to its end first.
  int64_t spent_ns = 0;
  EXPECT_TRUE(WaitUntil([&] {
    const int64_t before_ns = CpuTimeOfTree(server.pid());
    SleepMs(kWatchMs);
    spent_ns = CpuTimeOfTree(server.pid()) - before_ns;
    return spent_ns < kWatchMs * int64_t{1'000'000} / 100;
  })) << spent_ns;
  for (const auto& client : clients) EXPECT_TRUE(client->Query("select 1"));
}

// The same models with the query engine behind them: what needs statements that take time.
class WithEngine : public Conformance {
 protected:
  static ServerOptions RealOptions(std::vector<std::string> settings = {}) {
    ServerOptions options;
    options.model = GetParam().name;
    options.settings = std::move(settings);
    options.settings.emplace_back("shared_buffers=16MB");
    return options;
  }
  static constexpr std::string_view kLongQuery =
      "select count(*) from generate_series(1, 2000000000)";
};

TEST_P(WithEngine, CancelsFromAnotherConnection) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  client.SendQuery(kLongQuery);
  // A cancel that comes before the statement has begun cancels nothing: one is sent until it hits.
  EXPECT_TRUE(WaitUntil([&] {
    EXPECT_TRUE(
        SendCancel(server.port(), client.session().connection_id(), client.session().cancel_key()));
    char byte = 0;
    return recv(client.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }));
  EXPECT_FALSE(client.Finish());
  EXPECT_EQ(client.error_code(), "57014");
  EXPECT_TRUE(client.Query("select 1")) << client.error_message();
}

TEST_P(WithEngine, StatementTimeoutEndsTheStatement) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  ASSERT_TRUE(client.Query("set statement_timeout = 100")) << client.error_message();
  EXPECT_FALSE(client.Query(kLongQuery));
  EXPECT_EQ(client.error_code(), "57014");
  EXPECT_TRUE(client.Query("select 1")) << client.error_message();
}

TEST_P(WithEngine, IdleInTransactionTimeoutEndsTheSession) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  ASSERT_TRUE(client.Query("set idle_in_transaction_session_timeout = 100"));
  ASSERT_TRUE(client.Query("begin"));
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(client.error_code(), "25P03");
}

// All workers of a pool wait for a row whose holder is idle in its transaction; its next statement
// must find a worker.
TEST_P(WithEngine, SessionsThatWaitForARowDoNotStarveItsHolder) {
  constexpr int kWaiting = 16;
  TestServer server(RealOptions(kFewWorkers));
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_TRUE(holder.Start()) << holder.error_message();
  ASSERT_TRUE(holder.Query("create table counter (id int primary key, value int)"))
      << holder.error_message();
  ASSERT_TRUE(holder.Query("insert into counter values (1, 0)")) << holder.error_message();
  ASSERT_TRUE(holder.Query("begin"));
  ASSERT_TRUE(holder.Query("update counter set value = value + 1 where id = 1"));
  std::vector<std::unique_ptr<TestClient>> waiting;
  for (int i = 0; i < kWaiting; ++i) {
    waiting.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(waiting.back()->Start()) << waiting.back()->error_message();
    waiting.back()->SendQuery("update counter set value = value + 1 where id = 1");
  }
  EXPECT_TRUE(holder.Query("select 1"));
  EXPECT_TRUE(holder.Query("commit"));
  for (const auto& client : waiting) EXPECT_TRUE(client->Finish()) << client->error_message();
  ASSERT_TRUE(holder.Query("select value from counter"));
  EXPECT_EQ(holder.rows(), std::vector<std::string>{std::to_string(kWaiting + 1)});
}

TEST_P(WithEngine, ShutdownEndsStatementsThatRunOrWait) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_TRUE(holder.Start()) << holder.error_message();
  ASSERT_TRUE(holder.Query("create table counter (id int primary key)"));
  ASSERT_TRUE(holder.Query("begin"));
  ASSERT_TRUE(holder.Query("insert into counter values (1)"));
  TestClient waiting(server.port());
  ASSERT_TRUE(waiting.Start());
  waiting.SendQuery("insert into counter values (1)");
  TestClient running(server.port());
  ASSERT_TRUE(running.Start());
  running.SendQuery(kLongQuery);
  EXPECT_EQ(server.Stop(), kExitOk) << server.log();
  for (TestClient* client : {&holder, &waiting, &running}) {
    EXPECT_TRUE(client->WaitForClose());
    EXPECT_EQ(client->error_code(), "57P01") << client->error_message() << server.log();
  }
  EXPECT_EQ(server.log().find("killing"), std::string::npos) << server.log();
}

std::string ModelName(const ::testing::TestParamInfo<ModelDescription>& tested) {
  std::string name(tested.param.name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Models, Conformance,
                         ::testing::ValuesIn(AllModels().begin(), AllModels().end()), ModelName);
INSTANTIATE_TEST_SUITE_P(Models, WithEngine,
                         ::testing::ValuesIn(AllModels().begin(), AllModels().end()), ModelName);

TEST(Serve, PortInUseIsNamedWithItsRemedy) {
  ServerOptions options;
  options.settings = {"engine=canned"};
  TestServer first(options);
  ASSERT_TRUE(first.ready()) << first.log();
  options.port = first.port();
  TestServer second(options);
  EXPECT_FALSE(second.ready());
  EXPECT_EQ(second.WaitForExit(), kExitErrors);
  EXPECT_NE(second.log().find("port " + std::to_string(first.port())), std::string::npos);
  EXPECT_NE(second.log().find("choose another port"), std::string::npos) << second.log();
}

TEST(Serve, RefusesToListenBeyondLoopback) {
  ServerOptions options;
  options.settings = {"engine=canned"};
  for (const char* hosts : {"0.0.0.0", "::", "127.0.0.1,0.0.0.0"}) {
    options.hosts = hosts;
    TestServer server(options);
    EXPECT_FALSE(server.ready()) << hosts;
    EXPECT_EQ(server.WaitForExit(), kExitErrors);
    EXPECT_NE(server.log().find("trust"), std::string::npos) << server.log();
  }
}

TEST(Serve, ListensOnSeveralAddressesWithOneFreePort) {
  ServerOptions options;
  options.settings = {"engine=canned"};
  options.hosts = "127.0.0.1,127.0.0.2";
  TestServer server(options);
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  EXPECT_TRUE(client.Start());
}

TEST(Serve, NamesTheLimitThatMaxConnectionsExceeds) {
  ServerOptions options;
  options.model = "thread";
  options.settings = {"engine=canned", "max_connections=250000"};
  TestServer server(options);
  EXPECT_FALSE(server.ready());
  EXPECT_EQ(server.WaitForExit(), kExitErrors);
  EXPECT_NE(server.log().find("max_connections does not fit"), std::string::npos) << server.log();
  EXPECT_NE(server.log().find("hint"), std::string::npos) << server.log();
}

}  // namespace
}  // namespace testing
}  // namespace connbench::models

// fork-exec executes the program it runs in, and here that is this one.
int main(int argc, char** argv) {
  if (const std::optional<int> exit_code = connbench::models::RunExecBackend(argc, argv)) {
    return *exit_code;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
