// What ends a statement or a session from outside: cancel requests, pg_cancel_backend,
// pg_terminate_backend, and the timeouts.
#include <sys/socket.h>

#include "models/conformance/conformance.h"

namespace connbench::models::testing {
namespace {

class Interrupts : public Conformance {
 protected:
  // Something is there to be read.
  static bool Answered(const TestClient& client) {
    char byte = 0;
    return recv(client.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }
  // The client's session is in a transaction, so that its number stays the same.
  static std::string BeginAndTellId(TestClient& client) {
    EXPECT_TRUE(client.Start()) << client.error_message();
    EXPECT_TRUE(client.Query("begin")) << client.error_message();
    return BackendId(client);
  }
  static void ExpectTerminated(TestClient& client) {
    EXPECT_TRUE(client.WaitForClose());
    EXPECT_EQ(client.error_code(), "57P01") << client.error_message();
  }
};

TEST_P(Interrupts, CancelsFromAnotherConnection) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  client.SendQuery(kLongQuery);
  // A cancel that comes before the statement has begun cancels nothing: one is sent until it hits.
  EXPECT_TRUE(WaitUntil([&] {
    EXPECT_TRUE(
        SendCancel(server.port(), client.session().connection_id(), client.session().cancel_key()));
    return Answered(client);
  }));
  EXPECT_FALSE(client.Finish());
  EXPECT_EQ(client.error_code(), "57014");
  EXPECT_TRUE(client.Query("select 1")) << client.error_message();
}

TEST_P(Interrupts, CancelNeedsTheKeyAndReachesWhoWaitsForALock) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_NO_FATAL_FAILURE(MakeAndLockCounter(server.port(), holder));
  TestClient waiting(server.port());
  ASSERT_TRUE(waiting.Start()) << waiting.error_message();
  waiting.SendQuery(kIncrement);
  WaitForLockWaits(server, 1);
  const uint32_t id = waiting.session().connection_id();
  const uint32_t key = waiting.session().cancel_key();
  EXPECT_TRUE(SendCancel(server.port(), id, key + 1));
  EXPECT_TRUE(SendCancel(server.port(), id + 1000, key));
  SleepMs(50);
  EXPECT_FALSE(Answered(waiting));
  EXPECT_TRUE(SendCancel(server.port(), id, key));
  EXPECT_FALSE(waiting.Finish());
  EXPECT_EQ(waiting.error_code(), "57014") << waiting.error_message();
  EXPECT_TRUE(holder.Query("commit"));
  EXPECT_TRUE(waiting.Query(kIncrement)) << waiting.error_message();
}

TEST_P(Interrupts, PgCancelBackendEndsStatementsThatRunOrWait) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_NO_FATAL_FAILURE(MakeAndLockCounter(server.port(), holder));
  for (const std::string_view sql : {kIncrement, kLongQuery}) {
    TestClient client(server.port());
    const std::string id = BeginAndTellId(client);
    client.SendQuery(sql);
    // A cancel that comes before the statement has begun cancels nothing: one is sent until it
    // hits.
    EXPECT_TRUE(WaitUntil([&] {
      EXPECT_TRUE(holder.Query("select pg_cancel_backend(" + id + ")")) << holder.error_message();
      EXPECT_EQ(holder.rows(), std::vector<std::string>{"t"});
      return Answered(client);
    }));
    EXPECT_FALSE(client.Finish());
    EXPECT_EQ(client.error_code(), "57014") << client.error_message();
    EXPECT_TRUE(client.Query("rollback")) << client.error_message();
  }
}

TEST_P(Interrupts, PgTerminateBackendEndsSessionsThatRunOrWait) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_NO_FATAL_FAILURE(MakeAndLockCounter(server.port(), holder));
  for (const std::string_view sql : {kIncrement, kLongQuery}) {
    TestClient client(server.port());
    const std::string id = BeginAndTellId(client);
    client.SendQuery(sql);
    if (sql == kIncrement) WaitForLockWaits(server, 1);
    ASSERT_TRUE(holder.Query("select pg_terminate_backend(" + id + ")")) << holder.error_message();
    EXPECT_EQ(holder.rows(), std::vector<std::string>{"t"});
    ExpectTerminated(client);
  }
  EXPECT_TRUE(holder.Query("commit"));
  ExpectServes(server);
}

// A session that waits for its client is woken: its client hears at once, and its locks are free.
TEST_P(Interrupts, PgTerminateBackendEndsSessionsThatAreSilent) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  MakeCounter(server.port());
  TestClient admin(server.port());
  ASSERT_TRUE(admin.Start()) << admin.error_message();
  TestClient bystander(server.port());
  ASSERT_TRUE(bystander.Start()) << bystander.error_message();
  for (int round = 0; round < 3; ++round) {
    TestClient silent(server.port());
    const std::string id = BeginAndTellId(silent);
    ASSERT_TRUE(silent.Query(kIncrement));
    ASSERT_TRUE(admin.Query("select pg_terminate_backend(" + id + ")")) << admin.error_message();
    EXPECT_EQ(admin.rows(), std::vector<std::string>{"t"});
    ExpectTerminated(silent);
    EXPECT_TRUE(admin.Query(kIncrement)) << admin.error_message();
  }
  ASSERT_TRUE(admin.Query("select value from counter"));
  EXPECT_EQ(admin.rows(), std::vector<std::string>{"3"});
  ASSERT_TRUE(admin.Query("select pg_terminate_backend(0)"));
  EXPECT_EQ(admin.rows(), std::vector<std::string>{"f"});
  EXPECT_TRUE(bystander.Query("select 1")) << bystander.error_message();
  // Outside of a transaction a pooler's client has no session: what ends is a backend's, and the
  // client gets another one.
  TestClient idle(server.port());
  ASSERT_TRUE(idle.Start()) << idle.error_message();
  const std::string id = BackendId(idle);
  ASSERT_TRUE(admin.Query("begin"));  // in a session of its own
  const std::string own_id = BackendId(admin);
  if (id == std::to_string(idle.session().connection_id())) {
    ASSERT_TRUE(admin.Query("select pg_terminate_backend(" + id + ")")) << admin.error_message();
    ExpectTerminated(idle);
  } else if (id != own_id) {
    ASSERT_TRUE(admin.Query("select pg_terminate_backend(" + id + ")")) << admin.error_message();
    // The client may be given that backend before it has ended: then it hears of it.
    if (!idle.Query("select 1")) {
      EXPECT_EQ(idle.error_code(), "57P01") << idle.error_message();
    }
  }
  ExpectServes(server);
}

TEST_P(Interrupts, StatementTimeoutEndsTheStatement) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  ASSERT_TRUE(client.Query("set statement_timeout = 100")) << client.error_message();
  EXPECT_FALSE(client.Query(kLongQuery));
  EXPECT_EQ(client.error_code(), "57014");
  EXPECT_TRUE(client.Query("select 1")) << client.error_message();
}

TEST_P(Interrupts, TimeoutsEndWaitsForLocks) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_NO_FATAL_FAILURE(MakeAndLockCounter(server.port(), holder));
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  for (const auto& [setting, code] :
       {std::pair("lock_timeout", "55P03"), std::pair("statement_timeout", "57014")}) {
    ASSERT_TRUE(client.Query("begin"));
    ASSERT_TRUE(client.Query(std::string("set local ") + setting + " = 100"));
    EXPECT_FALSE(client.Query(kIncrement));
    EXPECT_EQ(client.error_code(), code) << client.error_message();
    ASSERT_TRUE(client.Query("rollback"));
  }
  ASSERT_TRUE(holder.Query("commit"));
  EXPECT_TRUE(client.Query(kIncrement)) << client.error_message();
}

TEST_P(Interrupts, IdleInTransactionTimeoutEndsTheSession) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  ASSERT_TRUE(client.Query("set idle_in_transaction_session_timeout = 100"));
  ASSERT_TRUE(client.Query("begin"));
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(client.error_code(), "25P03");
}

TEST_P(Interrupts, IdleSessionTimeoutEndsTheSession) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  // A pooler holds its client to the client's setting, not the backend that others use as well.
  ASSERT_TRUE(client.Query("set idle_session_timeout = 100")) << client.error_message();
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(client.error_code(), "57P05") << client.error_message();
  ExpectServes(server);
}

INSTANTIATE_TEST_SUITE_P(Models, Interrupts, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing
