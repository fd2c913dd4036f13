// What other users may put into /dev/shm is neither waited for, nor followed, nor removed.
#include "engine/segment/leftovers.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "engine/engine.h"
#include "engine/segment/segment.h"
#include "engine/segment/testing/dead_pid.h"

namespace connbench::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class LeftoversTest : public testing::Test {
 protected:
  LeftoversTest() : name_(std::string(kSegmentNamePrefix) + std::to_string(DeadPid())) {
    std::filesystem::remove_all(path());
  }
  ~LeftoversTest() override { std::filesystem::remove_all(path()); }
  std::string path() const { return "/dev/shm/" + name_; }
  bool Exists() const {
    struct stat file = {};
    return lstat(path().c_str(), &file) == 0;
  }
  // It is no leftover, nobody lists it, and nobody attaches to it.
  void ExpectLeftAlone(bool named) {
    EXPECT_EQ(InspectSegment(name_).fate, SegmentFate::kForeign);
    EXPECT_THAT(ListLiveSegments(), Not(Contains(name_)));
    testing::internal::CaptureStderr();
    RemoveLeftovers();
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find(path()) != std::string::npos, named) << log;
    EXPECT_TRUE(Exists());
    const Status attached = Engine::Attach(name_, /*read_only=*/true).status();
    EXPECT_THAT(attached.ToString(), HasSubstr(name_));
  }

  const std::string name_;
};

TEST_F(LeftoversTest, APipe) {
  ASSERT_EQ(mkfifo(path().c_str(), 0666), 0);
  ExpectLeftAlone(true);
}

TEST_F(LeftoversTest, ASymbolicLink) {
  ASSERT_EQ(symlink("/etc/passwd", path().c_str()), 0);
  ExpectLeftAlone(true);
}

TEST_F(LeftoversTest, ADirectory) {
  ASSERT_EQ(mkdir(path().c_str(), 0777), 0);
  ExpectLeftAlone(true);
}

TEST_F(LeftoversTest, AFileOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  std::ofstream(path()) << "not ours";
  ASSERT_EQ(chown(path().c_str(), 65534, 65534), 0);
  EXPECT_EQ(InspectSegment(name_).fate, SegmentFate::kForeign);
  RemoveLeftovers();
  EXPECT_TRUE(Exists());
}

// Ours, but nothing that a server has finished: its maker has ended.
TEST_F(LeftoversTest, AnEmptyFileAndOneOfGarbageAreRemovedWithTheirMaker) {
  for (const std::string& content : {std::string(), std::string(8192, 'x')}) {
    std::ofstream(path()) << content;
    EXPECT_EQ(InspectSegment(name_).fate, SegmentFate::kLeftover);
    EXPECT_FALSE(Engine::Attach(name_, /*read_only=*/true).ok());
    RemoveLeftovers();
    EXPECT_FALSE(Exists());
  }
}

// kill() with -1 or 0 would find somebody.
TEST_F(LeftoversTest, ACreatorThatIsNoProcess) {
  for (const int32_t creator : {0, -1, INT32_MIN}) {
    SegmentIdentity identity = {SegmentIdentity::kMagic, SegmentIdentity::kLayoutVersion, creator,
                                0};
    std::ofstream(path(), std::ios::binary)
        .write(reinterpret_cast<const char*>(&identity), sizeof(identity));
    EXPECT_EQ(InspectSegment(name_).fate, SegmentFate::kLeftover) << creator;
  }
}

// A segment whose size is not what its header says.
TEST_F(LeftoversTest, ATruncatedSegmentIsNotAttachedTo) {
  EngineConfig config;
  config.engine = EngineKind::kCanned;
  config.max_connections = 10;
  config.connection_log_entries = 16;
  auto engine = Engine::Create(config);
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  const std::string whole = "/dev/shm/" + (*engine)->segment_name();
  std::filesystem::copy_file(whole, path());
  for (const uintmax_t bytes : {uintmax_t{4096}, uintmax_t{100}, uintmax_t{0}}) {
    std::filesystem::resize_file(path(), bytes);
    EXPECT_FALSE(Engine::Attach(name_, /*read_only=*/true).ok()) << bytes;
  }
}

}  // namespace
}  // namespace connbench::engine
