// The server's log: lines that nobody reads are dropped, counted and told of.
#include "base/server_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace connbench {
namespace {

// stderr as a pipe, for the time of a test.
class PipedStderr {
 public:
  PipedStderr() {
    EXPECT_EQ(pipe(ends_), 0);
    saved_ = dup(STDERR_FILENO);
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
  }
  ~PipedStderr() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    CloseReader();
  }
  void CloseReader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  // All that is in the pipe.
  std::string Read() const {
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::string text;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(ends_[0], buffer, sizeof(buffer))) > 0) {
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int ends_[2] = {-1, -1};
  int saved_ = -1;
};

TEST(ServerLog, WritesALineWithItsPrefix) {
  const PipedStderr log;
  LogLine("ready");
  EXPECT_EQ(log.Read(), "connbench: ready\n");
}

TEST(ServerLog, ShowsControlCharacters) {
  const PipedStderr log;
  LogLine("user \"a\x1b[2J\nb\"");
  EXPECT_EQ(log.Read(), "connbench: user \"a\\x1b[2J\\x0ab\"\n");
}

TEST(ServerLog, CutsALongLine) {
  const PipedStderr log;
  LogLine(std::string(3 * kMaxLogLineBytes, 'a'));
  EXPECT_EQ(log.Read().size(), kMaxLogLineBytes);
}

TEST(ServerLog, DropsWhatAFullPipeDoesNotTakeAndSaysSoLater) {
  const PipedStderr log;
  const std::string line(1000, 'a');
  constexpr int kLines = 1000;  // a pipe holds 64 kB
  for (int i = 0; i < kLines; ++i) LogLine(line);
  const std::string taken = log.Read();
  const size_t lines = taken.size() / (line.size() + sizeof("connbench: "));
  ASSERT_LT(lines, kLines);
  LogLine("next");
  EXPECT_EQ(log.Read(), "connbench: " + std::to_string(kLines - lines) +
                            " lines before this one were dropped, because nothing read the log\n"
                            "connbench: next\n");
  LogLine("after");
  EXPECT_EQ(log.Read(), "connbench: after\n");
}

TEST(ServerLog, OutlivesItsReader) {
  PipedStderr log;
  log.CloseReader();
  LogLine("to nobody");
}

}  // namespace
}  // namespace connbench
