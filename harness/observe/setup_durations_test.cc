// Tests: how long a server of another make says that setting up each connection took.
#include "harness/observe/setup_durations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::observe {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(SetupDurationsTest, LinesOfPostgres18AreRead) {
  const auto found = ParseSetupDurations(
      "900 LOG:  database system is ready to accept connections\n"
      "4711 LOG:  connection received: host=127.0.0.1 port=49152\n"
      "4711 LOG:  connection authorized: user=postgres database=postgres\n"
      "4711 LOG:  connection ready: setup total=6.561 ms, fork=0.430 ms, authentication=0.260 ms\n"
      "4712 LOG:  connection ready: setup total=12.000 ms, fork=0.001 ms, authentication=0.000 "
      "ms\n");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].connection_id, 4711U);
  EXPECT_EQ(found[0].total_ns, 6'561'000);
  EXPECT_EQ(found[0].fork_ns, 430'000);
  EXPECT_EQ(found[0].authentication_ns, 260'000);
  EXPECT_EQ(found[1].connection_id, 4712U);
  EXPECT_EQ(found[1].total_ns, 12'000'000);
  EXPECT_EQ(found[1].fork_ns, 1000);
}

TEST(SetupDurationsTest, OtherLinesArePassedOver) {
  for (const char* line : {
           "",
           "\n",
           "LOG:  connection ready: setup total=1.0 ms, fork=1.0 ms, authentication=1.0 ms\n",
           "0 LOG:  connection ready: setup total=1.0 ms, fork=1.0 ms, authentication=1.0 ms\n",
           "7 LOG:  connection ready: setup total=x ms, fork=1.0 ms, authentication=1.0 ms\n",
           "7 LOG:  connection ready: setup total=-1.0 ms, fork=1.0 ms, authentication=1.0 ms\n",
           "7 LOG:  connection ready: setup total=nan ms, fork=1.0 ms, authentication=1.0 ms\n",
           "7 LOG:  connection ready: setup total=1e300 ms, fork=1 ms, authentication=1 ms\n",
           "7 LOG:  connection ready: setup total=1.0 ms, fork=1.0 ms\n",
           "7 LOG:  connection ready: setup total=1.0 ms, fork=1.0 ms, authentication=1.0 ms too\n",
           // Its end has not been written yet: the figure may go on.
           "7 LOG:  connection ready: setup total=1.0 ms, fork=1.0 ms, authentication=1.0 ms",
       }) {
    EXPECT_THAT(ParseSetupDurations(line), IsEmpty()) << line;
  }
}

// PostgreSQL 15, the one that Debian 12 has, tells nothing of the kind.
TEST(SetupDurationsTest, Postgres15HasNone) {
  EXPECT_THAT(
      ParseSetupDurations("812 LOG:  starting PostgreSQL 15.18 (Debian 15.18-0+deb12u1)\n"
                          "830 LOG:  connection authorized: user=postgres database=postgres\n"
                          "830 LOG:  disconnection: session time: 0:00:00.004 user=postgres\n"),
      IsEmpty());
}

}  // namespace
}  // namespace connbench::observe
