// Tests: where the programs of other servers are, and as whom they run.
#include "harness/targets/server_programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace connbench::targets {
namespace {

using testing::HasSubstr;

TEST(ServerProgramsTest, VersionsAreRead) {
  const auto postgres =
      ParseProgramVersion("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n");
  ASSERT_TRUE(postgres.ok());
  EXPECT_EQ(postgres->major, 15);
  EXPECT_EQ(postgres->minor, 18);
  EXPECT_EQ(postgres->text, "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)");
  const auto pgbouncer = ParseProgramVersion("PgBouncer 1.21.0\nlibevent 2.1.12-stable\n");
  ASSERT_TRUE(pgbouncer.ok());
  EXPECT_EQ(pgbouncer->major, 1);
  EXPECT_EQ(pgbouncer->minor, 21);
  const auto devel = ParseProgramVersion("postgres (PostgreSQL) 19devel");
  ASSERT_TRUE(devel.ok());
  EXPECT_EQ(devel->major, 19);
  EXPECT_FALSE(ParseProgramVersion("command not found").ok());
  EXPECT_FALSE(ParseProgramVersion("").ok());
}

TEST(ServerProgramsTest, AMissingProgramNamesItsPackageAndWhereItWasLookedFor) {
  ::setenv("CONNBENCH_SERVER_PATH", "/nonexistent/bin:/also/not", 1);
  const auto found = FindServerProgram("initdb", "postgresql");
  ::unsetenv("CONNBENCH_SERVER_PATH");
  ASSERT_FALSE(found.ok());
  EXPECT_THAT(found.status().ToString(), HasSubstr("apt-get install postgresql"));
  EXPECT_THAT(found.status().ToString(), HasSubstr("/nonexistent/bin, /also/not"));
}

TEST(ServerProgramsTest, AProgramIsFoundWhereItReallyLies) {
  const auto found = FindServerProgram("sh", "dash");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(::access(found->c_str(), X_OK), 0);
  EXPECT_EQ(found->find("/bin/sh"), std::string::npos) << "a link: " << *found;
}

TEST(ServerProgramsTest, AFreePortIsOutsideThoseOfOutgoingConnections) {
  for (int i = 0; i < 20; ++i) {
    const auto port = FindFreePort();
    ASSERT_TRUE(port.ok());
    EXPECT_GE(*port, 10'000);
    EXPECT_LT(*port, 65'536);
  }
}

TEST(ServerProgramsTest, AProgramThatFailsIsQuoted) {
  ChildOptions options;
  options.argv = {"/bin/sh", "-c", "echo some words; exit 3"};
  const auto output = RunProgram(options);
  ASSERT_FALSE(output.ok());
  EXPECT_THAT(output.status().ToString(), HasSubstr("exited with 3"));
  EXPECT_THAT(output.status().ToString(), HasSubstr("some words"));
  options.argv = {"/bin/sh", "-c", "echo fine"};
  EXPECT_EQ(RunProgram(options).value(), "fine");
}

// What a server started by root must be: somebody else in everything, without root's groups.
TEST(ServerProgramsTest, AChildCanBeAnotherUser) {
  const auto user = UnprivilegedUser();
  ASSERT_TRUE(user.ok()) << user.status().ToString();
  if (!*user) GTEST_SKIP() << "not root: a server runs as we do";
  ChildOptions options;
  options.argv = {"/bin/sh", "-c", "id -u; id -ru; id -G; pwd"};
  options.run_as = *user;
  options.folder = "/usr";
  options.death_signal = SIGKILL;
  const auto output = RunProgram(options);
  ASSERT_TRUE(output.ok()) << output.status().ToString();
  const std::string uid = std::to_string((*user)->user);
  EXPECT_EQ(*output, uid + "\n" + uid + "\n" + std::to_string((*user)->group) + "\n/usr");
}

}  // namespace
}  // namespace connbench::targets
