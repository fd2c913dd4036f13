// Models that need something of the machine which is not there: said at the start, with what to use
// instead.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "base/exit_code.h"
#include "models/conformance/conformance.h"
#include "models/loop/uring_ring.h"
#include "models/testing/denied_call.h"
#include "models/testing/test_client.h"
#include "models/testing/test_server.h"

namespace connbench::models::testing {
namespace {

ServerOptions Options(const std::string& model, void (*confine)()) {
  ServerOptions options;
  options.model = model;
  options.settings = {"engine=canned", "reactor_loops=2"};
  options.confine = confine;
  return options;
}

void ExpectRefuses(const ServerOptions& options, const std::string& reason,
                   const std::string& alternative) {
  TestServer server(options);
  EXPECT_FALSE(server.ready());
  EXPECT_EQ(server.WaitForExit(), kExitErrors) << server.log();
  EXPECT_NE(server.log().find(reason), std::string::npos) << server.log();
  EXPECT_NE(server.log().find(alternative), std::string::npos) << server.log();
}

TEST(MissingFeatures, KernelWithoutIoUring) {
  ExpectRefuses(Options("reactor-uring", [] { DenyCall(SYS_io_uring_setup, ENOSYS); }),
                "this kernel has none", "--model reactor");
}

TEST(MissingFeatures, IoUringThatIsForbidden) {
  ExpectRefuses(Options("reactor-uring", [] { DenyCall(SYS_io_uring_setup, EPERM); }),
                "kernel.io_uring_disabled", "--model reactor");
}

TEST(MissingFeatures, IoUringThatIsTooOld) {
  if (!UringRing::Check().ok()) GTEST_SKIP() << "here there is none at all";
  ExpectRefuses(Options("reactor-uring", [] { DenyCall(SYS_io_uring_register, EINVAL); }),
                "older than Linux 5.19", "--model reactor");
}

// Said before anything is made, and nobody reads in another way instead.
TEST(MissingFeatures, IoUringForPages) {
  const std::string folder = ::testing::TempDir() + "missing_features." + std::to_string(getpid());
  ServerOptions options = Options("thread", [] { DenyCall(SYS_io_uring_setup, ENOSYS); });
  options.settings = {"io_method=io_uring", "data_directory=" + folder};
  ExpectRefuses(options, "this kernel has none", "io_method=worker");
  options.confine = [] { DenyCall(SYS_io_uring_setup, EPERM); };
  ExpectRefuses(options, "kernel.io_uring_disabled", "io_method=worker");
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(MissingFeatures, KernelWithoutReusePort) {
  for (const std::string model : {"reactor", "reactor-uring", "prefork", "hybrid"}) {
    if (model == "reactor-uring" && !UringRing::Check().ok()) continue;
    ServerOptions options =
        Options(model, [] { DenySocketOption(SOL_SOCKET, SO_REUSEPORT, ENOPROTOOPT); });
    options.settings.emplace_back("accept_strategy=reuseport");  // the loops' own
    ExpectRefuses(options, "no SO_REUSEPORT", "accept_strategy=exclusive");
    // What the hint says helps.
    options.settings.emplace_back("accept_strategy=exclusive");
    TestServer server(options);
    ASSERT_TRUE(server.ready()) << server.log();
    TestClient client(server.port());
    EXPECT_TRUE(client.Start()) << client.error_message();
    EXPECT_EQ(server.Stop(), kExitOk) << server.log();
  }
}

class MissingDescriptors : public Conformance {};

TEST_P(MissingDescriptors, AreNamedAtTheStart) {
  ServerOptions options = Options();
  options.confine = [] {
    const rlimit few = {.rlim_cur = 60, .rlim_max = 60};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) _exit(97);
  };
  ExpectRefuses(options, "RLIMIT_NOFILE", "max_connections");
}

INSTANTIATE_TEST_SUITE_P(Models, MissingDescriptors, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing
