// Wrong passwords are answered late; clients that say nothing give way when others wait.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"
#include "protocol/server_security.h"
#include "protocol/testing/fake_session.h"
#include "protocol/testing/login_files.h"

namespace connbench::protocol {
namespace {

std::vector<std::string>& LoggedLines() {
  static std::vector<std::string> lines;
  return lines;
}
void KeepLine(std::string_view line) { LoggedLines().emplace_back(line); }

class SlowRefusalTest : public testing::Test {
 protected:
  static constexpr int64_t kDelayMs = 30;

  SlowRefusalTest() {
    LoggedLines().clear();
    SecuritySettings settings = files().Settings(kPassword, false);
    settings.auth_delay_ms = kDelayMs;
    security_ = std::move(*ServerSecurity::Load(settings));
    session_ = std::make_unique<ServerSession>(engine_, waiter_, channel_, 7,
                                               ClientOrigin{.name = "10.0.0.1:5",
                                                            .address = IpAddress::Parse("10.0.0.1"),
                                                            .security = security_.get(),
                                                            .log = &KeepLine});
  }
  // The code of the error that was said, if any.
  std::string Error() {
    for (const std::string& message : DescribeMessages(session_->output())) {
      if (message.starts_with("E ")) return message.substr(0, message.find(' ', 8));
    }
    return "";
  }

  FakeEngine engine_;
  engine::BlockingWaiter waiter_;
  FakeChannel channel_;
  std::unique_ptr<const ServerSecurity> security_;
  std::unique_ptr<ServerSession> session_;
};

TEST_F(SlowRefusalTest, AWrongPasswordIsAnsweredLater) {
  ASSERT_EQ(session_->Receive(AliceStartup()), Want::kInput);
  session_->ClearOutput();
  std::string password;
  AppendPassword(password, "wrong");
  const MonotonicNs before = MonotonicNow();
  EXPECT_EQ(session_->Receive(password), Want::kInput);
  EXPECT_EQ(session_->output(), "");
  EXPECT_EQ(LoggedLines().size(), 1u);  // also of one that does not wait for the answer
  const MonotonicNs due = session_->InputDeadline();
  EXPECT_GE(due, before + kDelayMs * kNanosecondsPerMillisecond);
  EXPECT_LT(due, MonotonicNow() + kDelayMs * kNanosecondsPerMillisecond);
  // Whatever it says meanwhile.
  EXPECT_EQ(session_->Receive(password + std::string(100'000, 'x')), Want::kInput);
  EXPECT_EQ(session_->InputDeadlinePassed(), Want::kInput);
  while (MonotonicNow() < due) {
  }
  EXPECT_EQ(session_->InputDeadlinePassed(), Want::kClose);
  EXPECT_EQ(Error(), "E FATAL 28P01");
  ASSERT_EQ(LoggedLines().size(), 1u);
  EXPECT_EQ(LoggedLines()[0],
            "login failed: password authentication failed for user \"alice\" (client 10.0.0.1:5)");
}

TEST_F(SlowRefusalTest, ShutdownDoesNotWaitForIt) {
  session_->Receive(AliceStartup());
  std::string password;
  AppendPassword(password, "wrong");
  session_->Receive(password);
  session_->ClearOutput();
  engine_.shutdown = true;
  EXPECT_EQ(session_->CheckTermination(), Want::kClose);
  EXPECT_EQ(Error(), "E FATAL 57P01");
}

TEST_F(SlowRefusalTest, ASilentClientGivesWayOnlyWhenOthersWait) {
  const MonotonicNs look = session_->InputDeadline();
  EXPECT_LE(look, MonotonicNow() + kSilentPatienceNs);
  EXPECT_GT(look, MonotonicNow());
  while (MonotonicNow() < look) {
  }
  EXPECT_EQ(session_->InputDeadlinePassed(), Want::kInput);
  const MonotonicNs next = session_->InputDeadline();
  EXPECT_GT(next, MonotonicNow());
  while (MonotonicNow() < next) {
  }
  engine_.connection_log().admission().WantRoom(MonotonicNow());
  EXPECT_EQ(session_->InputDeadlinePassed(), Want::kClose);
  EXPECT_EQ(Error(), "E FATAL 53300");
}

// A request for encryption is eight bytes that anybody sends: its answer proves nothing.
TEST_F(SlowRefusalTest, WhoHasAskedForEncryptionIsAsSilentAsBefore) {
  std::string ssl;
  AppendSslRequest(ssl);
  std::string gss;
  MessageWriter writer(gss);
  writer.Int32(kGssEncRequestCode).Finish();
  for (const std::string& request : {ssl, gss}) {
    EXPECT_EQ(session_->Receive(request), Want::kInput);
    EXPECT_EQ(session_->output().back(), 'N');
    EXPECT_LE(session_->InputDeadline(), MonotonicNow() + kSilentPatienceNs);
  }
  // A third time nobody asks.
  session_->Receive(AliceStartup());
  EXPECT_GT(session_->InputDeadline(), MonotonicNow() + kLoginPatienceNs / 2);
}

TEST_F(SlowRefusalTest, WhoHasBegunToLogInHasMoreTime) {
  session_->Receive(AliceStartup());
  engine_.connection_log().admission().WantRoom(MonotonicNow());
  EXPECT_GT(session_->InputDeadline(), MonotonicNow() + kLoginPatienceNs / 2);
}

}  // namespace
}  // namespace connbench::protocol
