// Clients that say nothing: they cost a bounded share of the server, and keep nobody out who
// speaks.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/clock.h"
#include "base/exit_code.h"
#include "models/conformance/conformance.h"
#include "models/model.h"
#include "protocol/limits.h"

namespace connbench::models::testing {
namespace {

// Sockets that connect, whenever the server lets them, and never say a word.
class SilentSockets {
 public:
  SilentSockets(int port, int count) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
      fds_.push_back(fd);
    }
  }
  ~SilentSockets() {
    for (const int fd : fds_) close(fd);
  }
  SilentSockets(const SilentSockets&) = delete;
  SilentSockets& operator=(const SilentSockets&) = delete;

 private:
  std::vector<int> fds_;
};

// Processes and threads of the server.
int64_t TasksOfTree(pid_t pid) {
  int64_t tasks = 0;
  std::error_code gone;
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  for (auto it = std::filesystem::directory_iterator(folder, gone); !gone && it != end(it);
       it.increment(gone)) {
    ++tasks;
  }
  for (const pid_t child : ChildrenOf(pid)) tasks += TasksOfTree(child);
  return tasks;
}

bool HasAnswer(const TestClient& client) {
  pollfd readable = {client.fd(), POLLIN, 0};
  return poll(&readable, 1, 0) > 0;
}

class Silence : public Conformance {};

// One that is about to end, one that refuses, one that a sanitizer runs.
constexpr int kPassingTasks = 3;
// As it ends, a process that AddressSanitizer watches looks for leaks from a second task.
#if defined(__SANITIZE_ADDRESS__)
constexpr int kTasksOfAClient = 2;
#else
constexpr int kTasksOfAClient = 1;
#endif

TEST_P(Silence, KeepsNobodyOutAndCostsABoundedShare) {
  constexpr int kMaxConnections = 20;
  constexpr int kSilent = 300;
  TestServer server(Options({"max_connections=20", "superuser_reserved_connections=0"}));
  ASSERT_TRUE(server.ready()) << server.log();
  const int64_t tasks_at_rest = TasksOfTree(server.pid());
  const SilentSockets silent(server.port(), kSilent);
  // Who comes behind them is answered when all before him have been taken.
  TestClient first(server.port());
  first.SendStartup();
  int64_t most_tasks = 0;
  EXPECT_TRUE(WaitUntil([&] {
    most_tasks = std::max(most_tasks, TasksOfTree(server.pid()));
    return HasAnswer(first);
  }));
  const int64_t bound =
      tasks_at_rest + kTasksOfAClient * MostClients(kMaxConnections) + kPassingTasks;
  EXPECT_LE(most_tasks, bound);
  EXPECT_TRUE(first.Finish()) << first.error_message();
  for (int i = 0; i < 3; ++i) {
    // Loopback answers a SYN that finds no place in the listen queue only after a second or three.
    const MonotonicNs begun = MonotonicNow();
    TestClient speaks(server.port());
    ASSERT_TRUE(speaks.Start()) << speaks.error_message();
    EXPECT_LT(MonotonicNow() - begun, 20 * kNanosecondsPerSecond);
    EXPECT_TRUE(speaks.Query("select 1"));
  }
  EXPECT_LE(TasksOfTree(server.pid()), bound);
  EXPECT_EQ(server.Stop(), kExitOk) << server.log();
}

TEST_P(Silence, IsLeftAloneWhileThereIsRoom) {
  TestServer server(Options({"max_connections=20"}));
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient silent(server.port());
  for (int i = 0; i < 10; ++i) ExpectServes(server);
  SleepMs(3 * static_cast<int>(protocol::kSilentPatienceNs / kNanosecondsPerMillisecond));
  ExpectServes(server);
  EXPECT_TRUE(silent.Start()) << silent.error_message();
}

// Those who are in keep their places.
TEST_P(Silence, OfOthersDisturbsNoSession) {
  TestServer server(Options({"max_connections=20", "superuser_reserved_connections=0"}));
  ASSERT_TRUE(server.ready()) << server.log();
  std::vector<std::unique_ptr<TestClient>> sessions;
  for (int i = 0; i < 10; ++i) {
    sessions.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(sessions.back()->Start()) << sessions.back()->error_message();
  }
  const SilentSockets silent(server.port(), 200);
  // When one who comes behind them is served, all of them have been taken.
  ExpectServes(server);
  for (const auto& session : sessions) {
    EXPECT_TRUE(session->Query("select 1")) << session->error_message();
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Silence, EveryModel(), ModelName);

// Clients who come one after the other are dealt to all that accept.
TEST(Turns, HybridDealsClientsToItsProcesses) {
  ServerOptions options;
  options.model = "hybrid";
  options.settings = {"engine=canned", "hybrid_processes=2"};
  TestServer server(options);
  ASSERT_TRUE(server.ready()) << server.log();
  constexpr int kClients = 50;
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(clients.back()->Start()) << clients.back()->error_message();
  }
  for (const pid_t process : server.Children()) {
    int sockets = 0;
    std::error_code gone;
    const std::string folder = "/proc/" + std::to_string(process) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
      sockets += std::filesystem::read_symlink(entry, gone).string().starts_with("socket:") ? 1 : 0;
    }
    // Not a half each: whoever accepts sooner on a busy machine gets more. Without turns, one
    // process gets all.
    EXPECT_GE(sockets, kClients / 8);
  }
}

TEST(Turns, LoopsGetAsManyClients) {
  for (const char* model : {"reactor", "reactor-uring"}) {
    ServerOptions options;
    options.model = model;
    options.settings = {"engine=canned", "reactor_loops=2"};
    TestServer server(options);
    if (!server.ready()) continue;  // a kernel without io_uring
    auto engine = engine::Engine::Attach(server.ready_line().segment, /*read_only=*/true);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    constexpr int kClients = 50;
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<TestClient>(server.port()));
      ASSERT_TRUE(clients.back()->Start()) << clients.back()->error_message();
    }
    int64_t served[2] = {};
    for (const auto& client : clients) ASSERT_TRUE(client->Query("select 1"));
    for (const engine::PoolUsage& pool : (*engine)->pool_usage()) {
      served[pool.pool] = pool.service.count;
    }
    EXPECT_GT(served[0], kClients / 2) << model << " " << served[0] << ":" << served[1];
    EXPECT_GT(served[1], kClients / 2) << model << " " << served[0] << ":" << served[1];
  }
}

}  // namespace
}  // namespace connbench::models::testing
