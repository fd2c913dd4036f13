// COPY through the protocol, in and out, whole and broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/messages.h"
#include "protocol/testing/fake_session.h"
#include "protocol/testing/server_session_fixture.h"

namespace connbench::protocol {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::string_literals;

class CopyTest : public ServerSessionTest {
 protected:
  // Parse, Bind, Execute; without Sync.
  std::vector<std::string> Execute(std::string_view sql) {
    std::string bytes;
    AppendParse(bytes, "", sql);
    AppendBind(bytes, "", "", {});
    AppendExecute(bytes, "");
    return connection_.Send(bytes);
  }
  std::vector<std::string> Send(void (*append)(std::string&)) {
    std::string bytes;
    append(bytes);
    return connection_.Send(bytes);
  }
  std::vector<std::string> SendData(std::string_view data) {
    std::string bytes;
    AppendCopyData(bytes, data);
    return connection_.Send(bytes);
  }
  std::vector<std::string> SendFail(std::string_view reason) {
    std::string bytes;
    AppendCopyFail(bytes, reason);
    return connection_.Send(bytes);
  }
};

TEST_F(CopyTest, InWithinAQueryGoesOnWithWhatFollows) {
  EXPECT_THAT(Query("row;copyin;row"), ElementsAre(kRow, "D 1", "C SELECT 1", "G 0 2"));
  EXPECT_THAT(SendData("one"), IsEmpty());
  EXPECT_THAT(SendData("two"), IsEmpty());
  EXPECT_THAT(Send(AppendCopyDone), ElementsAre("C COPY 1", kRow, "D 1", "C SELECT 1", "Z I"));
  EXPECT_THAT(calls(), ElementsAre("Query(row;copyin;row)", "CopyInDone(onetwo)"));
}

TEST_F(CopyTest, TwoInsInOneQuery) {
  EXPECT_THAT(Query("copyin;copyin"), ElementsAre("G 0 2"));
  SendData("one");
  EXPECT_THAT(Send(AppendCopyDone), ElementsAre("C COPY 1", "G 0 2"));
  SendData("two");
  EXPECT_THAT(Send(AppendCopyDone), ElementsAre("C COPY 1", "Z I"));
  EXPECT_THAT(calls(), ElementsAre("Query(copyin;copyin)", "CopyInDone(one)", "CopyInDone(two)"));
}

TEST_F(CopyTest, InWithinExecuteWaitsForSync) {
  EXPECT_THAT(Execute("copyin"), ElementsAre("1", "2", "G 0 2"));
  EXPECT_THAT(SendData("one"), IsEmpty());
  EXPECT_THAT(Send(AppendCopyDone), ElementsAre("C COPY 1"));
  EXPECT_THAT(Send(AppendSync), ElementsAre("Z I"));
}

TEST_F(CopyTest, SyncAndFlushBehindExecuteAreNotForTheCopy) {
  Execute("copyin");
  EXPECT_THAT(Send(AppendSync), IsEmpty());
  EXPECT_THAT(Send(AppendFlush), IsEmpty());
  SendData("one");
  EXPECT_THAT(Send(AppendCopyDone), ElementsAre("C COPY 1"));
  EXPECT_THAT(Send(AppendSync), ElementsAre("Z I"));
}

TEST_F(CopyTest, TheClientMayGiveUp) {
  Query("begin;copyin;row");
  SendData("one");
  EXPECT_THAT(SendFail("no more"),
              ElementsAre("E ERROR 57014 COPY from stdin failed: no more", "Z E"));

  Query("commit");
  Execute("copyin");
  EXPECT_THAT(SendFail(""), ElementsAre("E ERROR 57014 COPY from stdin failed: "));
  EXPECT_THAT(Execute("row"), IsEmpty());  // skipped
  EXPECT_THAT(Send(AppendSync), ElementsAre("Z I"));
}

TEST_F(CopyTest, AReasonWithoutEndIsAnErrorOfItsOwn) {
  Query("copyin");
  std::string bytes = "f";
  bytes.append("\0\0\0\7why", 7);
  EXPECT_THAT(connection_.Send(bytes),
              ElementsAre("E ERROR 08P01 invalid string in message", "Z I"));
}

TEST_F(CopyTest, AnErrorInTheDataEndsASimpleCopyAtOnce) {
  Query("copyin;row");
  EXPECT_THAT(SendData("bad"), ElementsAre("E ERROR 22P02 bad data", "Z I"));
  // The client learns of it later, and may have sent more.
  EXPECT_THAT(SendData("more"), IsEmpty());
  EXPECT_THAT(Send(AppendCopyDone), IsEmpty());
  EXPECT_THAT(Query("row"), SizeIs(4));
}

TEST_F(CopyTest, AnErrorInTheDataOfAnExtendedCopySkipsToSync) {
  Execute("copyin");
  EXPECT_THAT(SendData("bad"), ElementsAre("E ERROR 22P02 bad data"));
  EXPECT_THAT(SendData("more"), IsEmpty());
  EXPECT_THAT(Send(AppendCopyDone), IsEmpty());
  EXPECT_THAT(Execute("row"), IsEmpty());
  EXPECT_THAT(Send(AppendSync), ElementsAre("Z I"));
}

TEST_F(CopyTest, OtherMessagesEndTheConnection) {
  Query("copyin");
  EXPECT_THAT(
      Query("row"),
      ElementsAre(
          "E ERROR 08P01 unexpected message type 0x51 during COPY from stdin",
          "E FATAL 08P01 terminating connection because protocol synchronization was lost"));
  EXPECT_EQ(connection_.want, Want::kClose);
  EXPECT_THAT(calls(), ElementsAre("Query(copyin)", "CopyInFail()"));
}

TEST_F(CopyTest, DataOfAnyLengthStreamsThrough) {
  Query("copyin");
  // One message of 1 GB: nothing of it may be kept here.
  connection_.Send("d\x40\0\0\2"s);
  const size_t before = connection_.session.retained_bytes();
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 4; ++i) connection_.Send(piece);
  EXPECT_EQ(connection_.session.retained_bytes(), before);
  EXPECT_EQ(connection_.want, Want::kInput);
}

TEST_F(CopyTest, SkippedDataIsNotKeptEither) {
  connection_.Send("d\x40\0\0\2"s);
  const size_t before = connection_.session.retained_bytes();
  connection_.Send(std::string(1 << 20, 'x'));
  EXPECT_EQ(connection_.session.retained_bytes(), before);
}

TEST_F(CopyTest, Out) {
  EXPECT_THAT(Query("copyout 2;row"), ElementsAre("H 0 1", "d line\n", "d line\n", "c", "C COPY 2",
                                                  kRow, "D 1", "C SELECT 1", "Z I"));
}

TEST_F(CopyTest, OutStreamsWithBoundedMemory) {
  const auto answer = Query("copyout 50000");
  EXPECT_THAT(answer, SizeIs(50'000 + 4));
  EXPECT_GT(connection_.channel.flushes, 2u);
  EXPECT_LT(connection_.channel.largest, kOutputFlushBytes + 100);
}

TEST_F(CopyTest, OutEndsWhenTheClientIsGone) {
  connection_.channel.accepts = 0;
  Query("copyout 50000");
  EXPECT_EQ(connection_.want, Want::kClose);
}

}  // namespace
}  // namespace connbench::protocol
