// Tests: temporary folders that name their owner.
#include "harness/suite/scratch_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;

TEST(ScratchFolderTest, WhatAKilledOwnerLeftIsRemovedAndTheRestStays) {
  std::string place = testing::TempDir() + "/scratch-XXXXXX";
  ASSERT_NE(::mkdtemp(place.data()), nullptr);
  ::setenv("TMPDIR", place.c_str(), 1);
  const auto mine = MakeScratchFolder();
  ASSERT_TRUE(mine.ok()) << mine.status().ToString();
  const pid_t child = ::fork();
  if (child == 0) {
    // Ends without removing it, as a harness does that is killed.
    const auto left = MakeScratchFolder();
    if (left.ok()) std::ofstream(*left + "/result.json") << "{}";
    ::_exit(left.ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  fs::create_directory(place + "/connbench-load-notes");  // somebody's own
  // Our pid with another start: an owner that is gone, and whose pid came round to us.
  fs::create_directory(place + "/connbench-load-" + std::to_string(::getpid()) + "-1-abcdef");
  EXPECT_EQ(SweepScratchFolders(), 2);
  EXPECT_TRUE(fs::exists(*mine));
  EXPECT_TRUE(fs::exists(place + "/connbench-load-notes"));
  EXPECT_EQ(SweepScratchFolders(), 0);
  fs::remove_all(place);
}

}  // namespace
}  // namespace connbench::suite
