// The engine as a process sees it: slots, sessions, limits, shutdown.
#include "engine/engine.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace connbench::engine {
namespace {

// What both kinds of engine must do alike.
class EngineTest : public ::testing::TestWithParam<EngineKind> {
 protected:
  EngineTest() {
    config_.engine = GetParam();
    config_.max_connections = 5;
    config_.superuser_reserved_connections = 2;
    config_.shared_buffers_bytes = int64_t{4} << 20;
    config_.connection_log_entries = 64;
    config_.recent_transactions = 1024;
    auto created = Engine::Create(config_);
    EXPECT_TRUE(created.ok()) << created.status().ToString();
    engine_ = std::move(*created);
  }

  Result<std::unique_ptr<Session>> Start(bool superuser = false) {
    SessionOptions options;
    options.connection_id = engine_->connection_log().Begin(MonotonicNow());
    options.user = superuser ? "postgres" : "alice";
    options.database = "postgres";
    options.superuser = superuser;
    return engine_->StartSession(std::move(options), waiter_);
  }

  EngineConfig config_;
  BlockingWaiter waiter_;
  std::unique_ptr<Engine> engine_;
};

TEST_P(EngineTest, EnforcesConnectionLimits) {
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 3; ++i) {
    auto session = Start();
    ASSERT_TRUE(session.ok()) << session.status().ToString();
    sessions.push_back(std::move(*session));
  }
  auto refused = Start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), sqlstate::kTooManyConnections);
  EXPECT_TRUE(refused.status().error().fatal);
  auto superuser = Start(true);
  EXPECT_TRUE(superuser.ok()) << superuser.status().ToString();
  EXPECT_EQ(engine_->counters().sessions_active, 4);
  sessions.clear();
  EXPECT_TRUE(Start().ok());
}

TEST_P(EngineTest, ShutdownReachesTheSession) {
  auto session = Start();
  ASSERT_TRUE(session.ok());
  EXPECT_TRUE((*session)->TerminationRequested().ok());
  EXPECT_FALSE(engine_->ShutdownRequested());
  engine_->RequestShutdown();
  EXPECT_TRUE(engine_->ShutdownRequested());
  EXPECT_EQ((*session)->TerminationRequested().code(), sqlstate::kAdminShutdown);
  EXPECT_EQ(Start().status().code(), sqlstate::kCannotConnectNow);
}

TEST_P(EngineTest, ObserversAttachByName) {
  auto session = Start();
  ASSERT_TRUE(session.ok());
  auto observer = Engine::Attach(engine_->segment_name(), /*read_only=*/true);
  ASSERT_TRUE(observer.ok()) << observer.status().ToString();
  EXPECT_EQ((*observer)->config().max_connections, 5);
  EXPECT_EQ((*observer)->config().engine, GetParam());
  EXPECT_EQ((*observer)->counters().sessions_active, 1);
  EXPECT_EQ((*observer)->session_states().idle, 1);
  EXPECT_EQ((*observer)->session_states().active, 0);
  EXPECT_EQ((*observer)->connection_log().connections_begun(), 1u);
  EXPECT_EQ((*observer)->connection_log().Read(0).size(), 1u);
}

TEST_P(EngineTest, AChildUsesTheInheritedHandle) {
  const pid_t child = fork();
  if (child == 0) _exit(Start().ok() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(engine_->connection_log().connections_begun(), 1u);
}

TEST_P(EngineTest, SettingsThatDoNotGoTogetherAreRefused) {
  config_.superuser_reserved_connections = config_.max_connections;
  auto created = Engine::Create(config_);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.status().code(), sqlstate::kInvalidParameterValue);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EngineTest,
                         ::testing::Values(EngineKind::kReal, EngineKind::kCanned),
                         [](const auto& test) {
                           return test.param == EngineKind::kReal ? "Real" : "Canned";
                         });

}  // namespace
}  // namespace connbench::engine
