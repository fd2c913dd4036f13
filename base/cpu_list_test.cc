// Tests: which CPUs a process may run on, as taskset and /proc/PID/status write it: "0", "0-3,8".
#include "base/cpu_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace connbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CpuList, ReadsNumbersAndRanges) {
  EXPECT_THAT(*ParseCpuList("0"), ElementsAre(0));
  EXPECT_THAT(*ParseCpuList("8,0-2,1"), ElementsAre(0, 1, 2, 8));
  EXPECT_EQ(FormatCpuList({0, 1, 2, 8, 10, 11}), "0-2,8,10-11");
}

TEST(CpuList, RefusesWhatIsNone) {
  for (const char* bad :
       {"", "x", "-1", "1-", "3-1", "0,", ",0", "0 1", "0-99999", "99999999999"}) {
    const auto parsed = ParseCpuList(bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.status().code(), sqlstate::kInvalidParameterValue) << bad;
  }
}

TEST(CpuList, PinsThisProcess) {
  const std::vector<int> before = AllowedCpus();
  ASSERT_FALSE(before.empty());
  const pid_t child = fork();
  if (child == 0) {
    const bool pinned = PinToCpus(std::to_string(before.back())).ok();
    _exit(pinned && AllowedCpus() == std::vector<int>{before.back()} ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(AllowedCpus(), before);
}

TEST(CpuList, NamesTheCpusThereAre) {
  const std::vector<int> before = AllowedCpus();
  if (before.back() == 1023) GTEST_SKIP() << "no CPU is missing here";
  const Status missing = PinToCpus("0-1023");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("may use " + FormatCpuList(before)));
  EXPECT_EQ(AllowedCpus(), before);
}

}  // namespace
}  // namespace connbench
