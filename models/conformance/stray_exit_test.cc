// A library that ends the process, or the thread, in the middle of a statement: libpg_query calls
// exit(1) when memory runs out. Whatever the exit code says, the session's locks must not outlive
// it.
//
// An allocation of a size that nothing else asks for stands for the library.
#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

#include "base/exit_code.h"
#include "base/testing/failing_malloc.h"
#include "models/conformance/conformance.h"
#include "models/fork_exec/exec_backend.h"

namespace connbench::models::testing {
namespace {

constexpr const char* kVariable = "CONNBENCH_TEST_STRAY_END";
constexpr size_t kFatalBytes = 1'234'567;
constexpr size_t kHeader = 4096;  // of whoever allocates for a text of that length

void EndHere() {
  const std::string_view way = std::getenv(kVariable);
  if (way == "_exit(0)") _exit(0);
  if (way == "_exit(1)") _exit(1);
  if (way == "exit(0)") std::exit(0);
  if (way == "exit(1)") std::exit(1);
  if (way == "pthread_exit") pthread_exit(nullptr);
  std::abort();
}

bool OnAllocation(size_t bytes) {
  if (bytes >= kFatalBytes && bytes < kFatalBytes + kHeader) EndHere();
  return false;
}

// Also for programs that the server executes.
void InstallHook() {
  if (std::getenv(kVariable) != nullptr) connbench::testing::SetAllocationHook(&OnAllocation);
}

class StrayExit : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (!connbench::testing::kAllocationsCanFail) GTEST_SKIP() << "a sanitizer's malloc";
  }
  void TearDown() override { unsetenv(kVariable); }
};

TEST_P(StrayExit, IsACrashWhateverTheExitCode) {
  for (const char* way : {"_exit(0)", "_exit(1)", "exit(0)", "exit(1)", "pthread_exit"}) {
    SCOPED_TRACE(way);
    setenv(kVariable, way, 1);
    ServerOptions options = RealOptions();
    options.confine = &InstallHook;
    TestServer server(options);
    ASSERT_TRUE(server.ready()) << server.log();
    TestClient holder(server.port());
    ASSERT_NO_FATAL_FAILURE(MakeAndLockCounter(server.port(), holder));
    TestClient other(server.port());
    ASSERT_TRUE(other.Start()) << other.error_message();
    // A select list that is computed when the statement runs.
    holder.SendQuery(
        fmt::format("select length(repeat('x', {} + id - id)) from counter", kFatalBytes));
    EXPECT_FALSE(holder.Finish());
    EXPECT_TRUE(WaitUntil([&] { return server.log().find("ready again") != std::string::npos; }))
        << server.log();
    EXPECT_TRUE(other.WaitForClose());
    // Nothing is locked, and every slot is free.
    ASSERT_NO_FATAL_FAILURE(MakeCounter(server.port()));
    TestClient after(server.port());
    ASSERT_TRUE(after.Start()) << after.error_message();
    EXPECT_TRUE(after.Query(kIncrement)) << after.error_message();
    EXPECT_EQ(server.Stop(), kExitOk) << server.log();
  }
}

// Without anything to give back an ordinary exit is none: a client that leaves before it has begun.
TEST_P(StrayExit, AnOrdinaryEndIsNoCrash) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  for (int i = 0; i < 5; ++i) {
    const TestClient silent(server.port());
    TestClient client(server.port());
    ASSERT_TRUE(client.Start()) << client.error_message();
    ASSERT_TRUE(client.Query("select 1"));
  }
  ExpectServes(server);
  EXPECT_EQ(server.Stop(), kExitOk) << server.log();
  EXPECT_EQ(server.log().find("exited"), std::string::npos) << server.log();
}

INSTANTIATE_TEST_SUITE_P(Models, StrayExit, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing

int main(int argc, char** argv) {
  connbench::models::testing::InstallHook();
  if (const std::optional<int> exit_code = connbench::models::RunExecBackend(argc, argv)) {
    return *exit_code;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
