// Tests: a backend of the pools: one session after the other on the same socket pair.
#include "models/pool_tx/pooled_backend.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace connbench::models {
namespace {

// Two ends of a socket pair, and a mark that both know.
class MarkTest : public ::testing::Test {
 protected:
  MarkTest() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_), 0);
    EXPECT_TRUE(mark_.Make().ok());
  }
  ~MarkTest() override {
    CloseSending();
    close(ends_[1]);
  }
  void CloseSending() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  void Send(std::string_view bytes) const {
    ASSERT_EQ(send(ends_[0], bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  std::string Rest() const {
    char buffer[64];
    const ssize_t got = recv(ends_[1], buffer, sizeof(buffer), MSG_DONTWAIT);
    return got > 0 ? std::string(buffer, static_cast<size_t>(got)) : std::string();
  }
  bool ReceiveNext() const { return mark_.ReceiveNext(ConnectionStop(ends_[1])); }
  std::string mark() const { return std::string(mark_.text()); }

  int ends_[2];
  SessionMark mark_;
};

TEST_F(MarkTest, LeavesWhatFollows) {
  Send(mark() + "startup");
  EXPECT_TRUE(ReceiveNext());
  EXPECT_EQ(Rest(), "startup");
}

TEST_F(MarkTest, SkipsWhatIsLeftOfTheSessionBefore) {
  Send("the rest of a query" + mark() + "startup");
  EXPECT_TRUE(ReceiveNext());
  EXPECT_EQ(Rest(), "startup");
}

TEST_F(MarkTest, IsNotMistakenWhenItBeginsTwice) {
  for (size_t length = 0; length < mark().size(); ++length) {
    const std::string begun = mark().substr(0, length);
    const std::string before = begun + begun + mark().substr(0, 1);
    // One mark in 256 ends with the byte that it begins with, and then stands there already.
    if ((before + mark()).find(mark()) != before.size()) continue;
    Send(before + mark() + "startup");
    EXPECT_TRUE(ReceiveNext()) << length;
    EXPECT_EQ(Rest(), "startup") << length;
  }
}

TEST_F(MarkTest, EndsWithTheOtherSide) {
  Send(mark().substr(0, 5));
  CloseSending();
  EXPECT_FALSE(ReceiveNext());
}

}  // namespace
}  // namespace connbench::models
