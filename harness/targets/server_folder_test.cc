// Tests: the temporary folder of a server that is not ours: its data, its configuration, its log.
#include "harness/targets/server_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/targets/server_processes.h"

namespace connbench::targets {
namespace {

namespace fs = std::filesystem;

class ServerFolderTest : public testing::Test {
 protected:
  ServerFolderTest() {
    std::string path = (fs::temp_directory_path() / "server-folder-test.XXXXXX").string();
    parent_ = ::mkdtemp(path.data());
  }
  ~ServerFolderTest() override { fs::remove_all(parent_); }

  ServerFolder Make() {
    auto folder = ServerFolder::Make(parent_, std::nullopt);
    EXPECT_TRUE(folder.ok()) << folder.status().ToString();
    return folder.ok() ? std::move(*folder) : ServerFolder();
  }

  // A process that makes a folder, starts one that works in it, and is killed.
  std::string LeaveBehind(pid_t& worker) {
    int pipe[2];
    EXPECT_EQ(::pipe(pipe), 0);
    const pid_t harness = ::fork();
    if (harness == 0) {
      const auto folder = ServerFolder::Make(parent_, std::nullopt);
      if (!folder.ok()) ::_exit(1);
      int begun[2];  // at its end when the child has become the other program
      if (::pipe2(begun, O_CLOEXEC) != 0) ::_exit(1);
      const pid_t child = ::fork();
      if (child == 0) {
        // A server is another program, so that it does not hold the lock.
        ::close(pipe[0]);
        ::close(pipe[1]);
        if (::chdir(folder->path().c_str()) == 0) ::execl("/bin/sleep", "sleep", "100", nullptr);
        ::_exit(1);
      }
      ::close(begun[1]);
      char none = 0;
      if (::read(begun[0], &none, 1) != 0) ::_exit(1);
      const std::string text = std::to_string(child) + " " + folder->path();
      if (::write(pipe[1], text.data(), text.size()) < 0) ::_exit(1);
      ::pause();
    }
    char text[512] = {};
    EXPECT_GT(::read(pipe[0], text, sizeof text - 1), 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::kill(harness, SIGKILL);
    ::waitpid(harness, nullptr, 0);
    worker = static_cast<pid_t>(std::atoi(text));
    const std::string words = text;
    return words.substr(words.find(' ') + 1);
  }

  std::string parent_;
};

TEST_F(ServerFolderTest, IsRemovedWithItsObject) {
  std::string path;
  {
    const ServerFolder folder = Make();
    path = folder.path();
    std::ofstream(folder.Path("file")) << "x";
    EXPECT_TRUE(fs::exists(folder.Path("file")));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(ServerFolderTest, OneThatIsHeldIsNotSwept) {
  const ServerFolder folder = Make();
  EXPECT_EQ(SweepServerFolders(parent_), 0);
  EXPECT_TRUE(fs::exists(folder.path()));
}

TEST_F(ServerFolderTest, OneWhoseHolderWasKilledIsSweptWithItsProcesses) {
  pid_t worker = 0;
  const std::string path = LeaveBehind(worker);
  ASSERT_TRUE(fs::exists(path));
  const auto left = IdentifyTree(worker);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_TRUE(Lives(left[0]));
  const ServerFolder other = Make();  // sweeps
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(Lives(left[0]));
  EXPECT_TRUE(fs::exists(other.path()));
}

TEST_F(ServerFolderTest, OtherNamesAndLinksAreLeftAlone) {
  fs::create_directory(parent_ + "/connbench-results");
  fs::create_directory(parent_ + "/precious");
  fs::create_directory_symlink(parent_ + "/precious", parent_ + "/connbench-server.link00");
  EXPECT_EQ(SweepServerFolders(parent_), 0);
  EXPECT_TRUE(fs::exists(parent_ + "/connbench-results"));
  EXPECT_TRUE(fs::exists(parent_ + "/precious"));
}

TEST_F(ServerFolderTest, TheSegmentOfAKilledPostmasterGoesWithIt) {
  const int segment = ::shmget(IPC_PRIVATE, 56, IPC_CREAT | 0600);
  ASSERT_GE(segment, 0);
  {
    const ServerFolder folder = Make();
    fs::create_directory(folder.Path("data"));
    std::ofstream(folder.Path("data/postmaster.pid"))
        << "4711\n"
        << folder.Path("data") << "\n1763726000\n5433\n\n127.0.0.1\n  5433001  " << segment
        << "\nready   \n";
    EXPECT_EQ(PostmasterSegment(folder.Path("data")), segment);
  }
  shmid_ds status{};
  EXPECT_NE(::shmctl(segment, IPC_STAT, &status), 0);
}

TEST_F(ServerFolderTest, AnUnfinishedPidFileNamesNoSegment) {
  const ServerFolder folder = Make();
  EXPECT_EQ(PostmasterSegment(folder.path()), -1);
  std::ofstream(folder.Path("postmaster.pid")) << "4711\n/x\n1\n2\n\n\n";
  EXPECT_EQ(PostmasterSegment(folder.path()), -1);
}

TEST_F(ServerFolderTest, APlaceThatIsNotThereIsNamed) {
  const auto folder = ServerFolder::Make("/nonexistent/place", std::nullopt);
  ASSERT_FALSE(folder.ok());
  EXPECT_NE(folder.status().ToString().find("/nonexistent/place"), std::string::npos);
}

}  // namespace
}  // namespace connbench::targets
