// A data directory that cannot be used is refused at the start, and nothing in it is changed.
#include "engine/recovery/data_directory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "engine/recovery/control_file.h"
#include "engine/recovery/page_places.h"
#include "engine/recovery/testing/recovery_test_base.h"

namespace connbench::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BadDirectoryTest : public RecoveryTest {
 protected:
  void SetUp() override {
    MustOpen();
    Do("create table t (a int); insert into t values (1)");
    Crash(1);
  }
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const std::string& path : files_.Paths()) contents[path] = files_.Bytes(path);
    contents.erase(fmt::format("{}/lock", kFolder));
    return contents;
  }
  // The start answers that code, and leaves everything as it is.
  Status Refused(std::string_view code) {
    const auto before = Contents();
    Status refused = Open();
    EXPECT_EQ(refused.code(), code) << refused.ToString();
    EXPECT_EQ(Contents(), before);
    return refused;
  }
  std::string CheckpointFile() const {
    for (const std::string& path : files_.Paths()) {
      if (CheckpointNumber(path.substr(path.rfind('/') + 1))) return path;
    }
    return "";
  }
};

TEST_F(BadDirectoryTest, OneThatIsOpenToOthersIsRefused) {
  for (const uint32_t mode : {0777u, 0755u, 0701u, 0720u, 0704u}) {
    files_.SetFolderFacts({.owner = geteuid(), .mode = mode});
    const Status refused = Refused(sqlstate::kObjectNotInPrerequisiteState);
    EXPECT_EQ(
        refused.error().message,
        fmt::format("data directory /data has invalid permissions: its mode is {:04o}", mode));
    EXPECT_EQ(refused.error().detail, "Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).");
    EXPECT_EQ(refused.error().hint, "chmod 0700 /data");
  }
  for (const uint32_t mode : {0750u, 0700u}) {
    files_.SetFolderFacts({.owner = geteuid(), .mode = mode});
    MustOpen();
    EXPECT_EQ(Rows("select a from t"), "1");
  }
}

TEST_F(BadDirectoryTest, AnotherUsersIsRefused) {
  files_.SetFolderFacts({.owner = geteuid() + 1, .mode = 0700});
  const Status refused = Refused(sqlstate::kObjectNotInPrerequisiteState);
  EXPECT_EQ(refused.error().message,
            fmt::format("data directory /data has wrong ownership: it belongs to user {}, and this "
                        "is user {}",
                        geteuid() + 1, geteuid()));
  EXPECT_EQ(refused.error().hint,
            "The server must be started by the user that owns the data directory.");
}

TEST_F(BadDirectoryTest, WhatCannotBeWrittenIsFoundAtTheStart) {
  const std::string log_file = LogFilePath(kFolder, 1);
  const std::string spare = SpareLogFilePath(kFolder, 0);
  for (const std::string& path :
       {std::string("/data/wal"), PagesPath(kFolder), log_file, std::string("/data/lock")}) {
    files_.ForbidWriting(path);
    EXPECT_THAT(Refused(sqlstate::kIoError).error().message,
                ::testing::AllOf(HasSubstr(path), HasSubstr("Permission denied")));
  }
  files_.ForbidWriting("");
  MustOpen();
  for (int i = 0; i < 3; ++i) Do("insert into t values (2); checkpoint");
  EXPECT_EQ(Rows("select count(*) from t"), "4");
  Close();
  EXPECT_THAT(files_.Paths(), ::testing::Not(::testing::Contains(HasSubstr("probe"))));
  std::unique_ptr<File> file;
  ASSERT_EQ(files_.Open(spare, OpenMode::kMakeOrUse, file), 0);
  files_.ForbidWriting(spare);
  EXPECT_THAT(Refused(sqlstate::kIoError).error().message, HasSubstr(spare));
}

// A crash cannot have left them, since these files are written whole under another name, or made
// anew.
TEST_F(BadDirectoryTest, BytesBehindAFilesEndAreDamageToTheServerAndToVerify) {
  for (const std::string& path : {CheckpointFile(), fmt::format("{}/control", kFolder)}) {
    FaultyFiles whole = files_;
    const auto size = static_cast<int64_t>(files_.Bytes(path).size());
    files_.Lengthen(path, "x");
    const std::string expected = Refused(sqlstate::kDataCorrupted).error().message;
    EXPECT_THAT(expected,
                HasSubstr(fmt::format("{}, offset {}: the file goes on behind", path, size)));
    EXPECT_THAT(Damages(), ElementsAre(expected));
    files_ = whole;
  }
  MustOpen();
  EXPECT_EQ(Rows("select a from t"), "1");
}

// Places behind those that the checkpoint names are free, and a log file's rest is not read.
TEST_F(BadDirectoryTest, BytesBehindThePagesAndTheLogMeanNothing) {
  files_.Lengthen(PagesPath(kFolder), std::string(100, 'x'));
  files_.Lengthen(LogFilePath(kFolder, 1), std::string(100, 'x'));
  EXPECT_THAT(Damages(), IsEmpty());
  MustOpen();
  EXPECT_EQ(Rows("select a from t"), "1");
}

TEST(FolderOfTheKernelTest, AnEmptyFolderBecomesItsOwnersAlone) {
  std::string folder = (std::filesystem::temp_directory_path() / "connbench-test.XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  ASSERT_EQ(chmod(folder.c_str(), 0777), 0);
  EngineConfig config = SmallConfig(folder);
  {
    const auto made = Engine::Create(config);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
  }
  struct stat status {};
  ASSERT_EQ(stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, mode_t{0700});
  ASSERT_EQ(chmod(folder.c_str(), 0777), 0);
  const auto refused = Engine::Create(config);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.status().error().message,
              HasSubstr(folder + " has invalid permissions: its mode is 0777"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace connbench::engine
