// A storm: more clients connect at once than the listen backlog holds, and all are served. A
// program of its own, because it takes as much of the machine as it can get.
#include <memory>
#include <string>

#include "base/exit_code.h"
#include "models/conformance/conformance.h"
#include "models/machine_limits.h"

namespace connbench::models::testing {
namespace {

// A model that makes a process for each takes half a minute for so many on two CPUs.
constexpr int kStormConnections = kSanitized ? 60 : 1200;
constexpr int kListenBacklog = kStormConnections * 5 / 6;

class StormOfClients : public Conformance {};

TEST_P(StormOfClients, AllAreServed) {
  // The clients' descriptors are this process's; the most that any model takes is a process each.
  const Status limits =
      CheckMachineLimits({.descriptors = kStormConnections, .tasks = kStormConnections});
  if (!limits.ok()) GTEST_SKIP() << limits.ToString();
  TestServer server(Options({"max_connections=" + std::to_string(kStormConnections + 10),
                             "listen_backlog=" + std::to_string(kListenBacklog)}));
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

INSTANTIATE_TEST_SUITE_P(Models, StormOfClients, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing
