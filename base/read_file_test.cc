// Reading files that people name: every wrong name is an error with the name and the reason.
#include "base/read_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace connbench {
namespace {

class ReadNamedFileTest : public testing::Test {
 protected:
  ReadNamedFileTest() {
    path_ = testing::TempDir() + "connbench_read_file.XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~ReadNamedFileTest() override { std::filesystem::remove_all(path_); }
  std::string Name(const std::string& name) const { return path_ + "/" + name; }
  static std::string Error(const std::string& path, int64_t max_bytes = kMaxNamedFileBytes) {
    const Result<std::string> text = ReadNamedFile("rules file", path, max_bytes);
    EXPECT_FALSE(text.ok()) << path;
    return text.ok() ? "" : text.status().error().message;
  }

  std::string path_;
};

TEST_F(ReadNamedFileTest, ReadsARegularFile) {
  std::ofstream(Name("file")) << "local all all trust\n";
  const Result<std::string> text = ReadNamedFile("rules file", Name("file"));
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_EQ(*text, "local all all trust\n");
}

TEST_F(ReadNamedFileTest, NamesTheFileAndTheReason) {
  EXPECT_EQ(Error(path_), "could not read rules file \"" + path_ + "\": it is a directory");
  EXPECT_EQ(Error(Name("none")),
            "could not open rules file \"" + Name("none") + "\": No such file or directory");
  ASSERT_EQ(mkfifo(Name("pipe").c_str(), 0600), 0);
  EXPECT_EQ(Error(Name("pipe")),
            "could not read rules file \"" + Name("pipe") + "\": it is a pipe, not a file");
  EXPECT_EQ(Error("/dev/zero"),
            "could not read rules file \"/dev/zero\": it is a device, not a file");
}

TEST_F(ReadNamedFileTest, ReadsNoMoreThanTheLimit) {
  std::ofstream(Name("file")) << "12345";
  EXPECT_TRUE(ReadNamedFile("rules file", Name("file"), 5).ok());
  EXPECT_EQ(Error(Name("file"), 4),
            "could not read rules file \"" + Name("file") + "\": it is longer than 4 bytes");
  // It says that it is empty, and is not.
  EXPECT_NE(Error("/proc/self/maps", 4).find("longer than 4 bytes"), std::string::npos);
}

TEST_F(ReadNamedFileTest, APipeIsReadToItsEnd) {
  ASSERT_EQ(mkfifo(Name("pipe").c_str(), 0600), 0);
  const std::string script(200'000, 'x');  // more than a pipe holds
  std::thread writer([&] { std::ofstream(Name("pipe")) << script; });
  const Result<std::string> text = ReadNamedFileOrPipe("script", Name("pipe"));
  writer.join();
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_EQ(*text, script);
}

TEST_F(ReadNamedFileTest, APipeHasALimitInSizeAndTime) {
  ASSERT_EQ(mkfifo(Name("pipe").c_str(), 0600), 0);
  const auto error = [&](int64_t max_bytes, MonotonicNs timeout_ns) {
    const auto text = ReadNamedFileOrPipe("script", Name("pipe"), max_bytes, timeout_ns);
    EXPECT_FALSE(text.ok());
    return text.status().ToString();
  };
  EXPECT_THAT(error(100, 0), testing::HasSubstr("did not finish within 0 s"));
  // Open for both, so that it never ends.
  const int endless = open(Name("pipe").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(write(endless, "1234", 4), 4);
  EXPECT_THAT(error(100, 0), testing::HasSubstr("did not finish"));
  ASSERT_EQ(write(endless, "12345", 5), 5);
  EXPECT_THAT(error(4, kMaxPipeNs), testing::HasSubstr("longer than 4 bytes"));
  close(endless);
  EXPECT_THAT(ReadNamedFileOrPipe("script", "/dev/null").status().ToString(),
              testing::HasSubstr("is a device"));
}

}  // namespace
}  // namespace connbench
