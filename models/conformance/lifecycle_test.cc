// How a server begins and ends: ready line, connection phases, shutdown, crashes, what it leaves.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/exit_code.h"
#include "engine/engine.h"
#include "models/conformance/conformance.h"

namespace connbench::models::testing {
namespace {

class Lifecycle : public Conformance {
 protected:
  static bool SegmentExists(const std::string& name) {
    return access(("/dev/shm/" + name).c_str(), F_OK) == 0;
  }
  static int CountOf(std::string_view word, std::string_view text) {
    int count = 0;
    for (size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; ++at) ++count;
    return count;
  }
};

TEST_P(Lifecycle, ServesAndStops) {
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

TEST_P(Lifecycle, StampsEveryPhaseOfAConnection) {
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

TEST_P(Lifecycle, ShutdownEndsSessionsWith57P01) {
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

TEST_P(Lifecycle, ShutdownEndsStatementsThatRunOrWait) {
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

TEST_P(Lifecycle, CrashEndsEverySessionAndServesAgain) {
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

TEST_P(Lifecycle, KilledSupervisorLeavesNoProcessAndTheNextStartNoSegment) {
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
  }
  // The dead server's segment goes with the next start of any server; with ours at the latest.
  TestServer next(Options());
  ASSERT_TRUE(next.ready()) << next.log();
  EXPECT_FALSE(SegmentExists(segment));
}

TEST_P(Lifecycle, ServesOnAUnixSocket) {
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
  EXPECT_NE(server.log().find("the settings do not fit on this machine"), std::string::npos)
      << server.log();
  EXPECT_NE(server.log().find("hint"), std::string::npos) << server.log();
}

INSTANTIATE_TEST_SUITE_P(Models, Lifecycle, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing
