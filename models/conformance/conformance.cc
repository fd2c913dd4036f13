// What the conformance tests have in common.
#include "models/conformance/conformance.h"

#include <algorithm>
#include <ostream>

#include "engine/engine.h"
#include "models/loop/uring_ring.h"

namespace connbench::models {

void PrintTo(const ModelDescription& model, std::ostream* out) { *out << model.name; }

namespace testing {

const std::vector<std::string> kFewWorkers = {"workers=2", "reactor_loops=2", "fdpass_workers=2",
                                              "pool_size=2"};

void Conformance::SetUp() {
  if (GetParam().name != "reactor-uring") return;
  const Status ring = UringRing::Check();
  if (!ring.ok()) GTEST_SKIP() << ring.error().message;
}

ServerOptions Conformance::Options(std::vector<std::string> settings) {
  ServerOptions options;
  options.model = GetParam().name;
  options.settings = std::move(settings);
  options.settings.emplace_back("engine=canned");
  return options;
}

ServerOptions Conformance::RealOptions(std::vector<std::string> settings) {
  ServerOptions options;
  options.model = GetParam().name;
  options.settings = std::move(settings);
  options.settings.emplace_back("shared_buffers=16MB");
  return options;
}

void Conformance::ExpectServes(const TestServer& server) {
  TestClient client(server.port());
  EXPECT_TRUE(client.Start()) << client.error_message() << "\n" << server.log();
  EXPECT_TRUE(client.Query("select 1")) << client.error_message();
  EXPECT_EQ(client.rows(), std::vector<std::string>{"1"});
}

void MakeCounter(int port) {
  TestClient client(port);
  ASSERT_TRUE(client.Start()) << client.error_message();
  ASSERT_TRUE(client.Query("create table counter (id int primary key, value int)"))
      << client.error_message();
  ASSERT_TRUE(client.Query("insert into counter values (1, 0)")) << client.error_message();
}

void MakeAndLockCounter(int port, TestClient& holder) {
  ASSERT_NO_FATAL_FAILURE(MakeCounter(port));
  ASSERT_TRUE(holder.Start()) << holder.error_message();
  ASSERT_TRUE(holder.Query("begin"));
  ASSERT_TRUE(holder.Query(kIncrement));
}

std::string BackendId(TestClient& client) {
  EXPECT_TRUE(client.Query("select pg_backend_pid()")) << client.error_message();
  return client.rows().empty() ? "0" : client.rows()[0];
}

void WaitForLockWaits(const TestServer& server, int sessions) {
  auto engine = engine::Engine::Attach(server.ready_line().segment, /*read_only=*/true);
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  EXPECT_TRUE(WaitUntil([&] { return (*engine)->session_states().waiting_for_lock == sessions; }));
}

std::string ModelName(const ::testing::TestParamInfo<ModelDescription>& tested) {
  std::string name(tested.param.name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace testing
}  // namespace connbench::models
