// Tests: both ends of the control channel between a harness and a load process.
#include "harness/load/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace connbench::load {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kPatience = 60 * kNanosecondsPerSecond;

TEST(ControlEvents, ComeBackAsTheyWere) {
  for (const EventKind kind : {EventKind::kHeld, EventKind::kBegin, EventKind::kDrop,
                               EventKind::kEnd, EventKind::kClosed}) {
    const auto back = ParseEvent(FormatEvent({kind, 7, 123}));
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_EQ(back->kind, kind);
    EXPECT_EQ(back->connections, 7);
    EXPECT_EQ(back->at_ns, 123);
  }
}

TEST(ControlEvents, WhatIsNoneIsAnError) {
  for (const char* line : {"", "EVENT", "EVENT held", "EVENT held x 1", "EVENT hold 1 1",
                           "event held 1 1", "held 1 1", "EVENT  1 1"}) {
    const auto event = ParseEvent(line);
    ASSERT_FALSE(event.ok()) << line;
    EXPECT_EQ(event.status().code(), "08P01");
  }
  EXPECT_THAT(ParseEvent("EVENT \033[2J 1 1").status().ToString(), HasSubstr("\\x1b[2J"));
}

class ControlSocket : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds_), 0); }
  void TearDown() override {
    for (const int fd : fds_) close(fd);
  }
  int fds_[2] = {-1, -1};
};

TEST_F(ControlSocket, CarriesAWorkloadLongerThanItsBuffer) {
  Workload workload;
  workload.name = "long";
  workload.scripts = {{"s.sql", std::string(size_t{4} << 20, 'x'), 1}};
  Status sent;
  std::thread harness([&] { sent = SendWorkload(fds_[0], workload, kPatience); });
  const auto received = ReceiveWorkload(fds_[1]);
  harness.join();
  EXPECT_TRUE(sent.ok()) << sent.ToString();
  ASSERT_TRUE(received.ok()) << received.status().ToString();
  EXPECT_EQ(received->name, "long");
  EXPECT_EQ(received->scripts[0].text, workload.scripts[0].text);
}

TEST_F(ControlSocket, AHarnessThatGoesAwayOrSaysSomethingElseIsAnError) {
  ASSERT_EQ(write(fds_[0], "WORKLOAD 100\n{}", 15), 15);
  shutdown(fds_[0], SHUT_WR);
  EXPECT_THAT(ReceiveWorkload(fds_[1]).status().ToString(), HasSubstr("went away"));
}

TEST_F(ControlSocket, WhatIsNoWorkloadIsAnError) {
  ASSERT_EQ(write(fds_[0], "HELLO\n", 6), 6);
  EXPECT_EQ(ReceiveWorkload(fds_[1]).status().code(), "08P01");
  ASSERT_EQ(write(fds_[0], "WORKLOAD 99999999999\n", 21), 21);
  EXPECT_FALSE(ReceiveWorkload(fds_[1]).ok());
}

TEST_F(ControlSocket, ALoadThatDoesNotReadIsGivenUp) {
  Workload workload;
  workload.scripts = {{"s.sql", std::string(size_t{8} << 20, 'x'), 1}};
  EXPECT_FALSE(SendWorkload(fds_[0], workload, kNanosecondsPerMillisecond).ok());
}

}  // namespace
}  // namespace connbench::load
