// Tests: the framing of PostgreSQL's protocol 3.0, for both directions.
#include "protocol/codec.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/messages.h"

namespace connbench::protocol {
namespace {

using namespace std::string_literals;

TEST(NextMessage, TakesOneMessageOffTheInput) {
  const std::string bytes = "Q\0\0\0\7ab\0S\0\0\0\4"s;
  std::string_view input = bytes;
  Message message;
  ASSERT_EQ(NextMessage(input, 100, message), FrameResult::kMessage);
  EXPECT_EQ(message.type, 'Q');
  EXPECT_EQ(message.body, "ab\0"s);
  ASSERT_EQ(NextMessage(input, 100, message), FrameResult::kMessage);
  EXPECT_EQ(message.type, 'S');
  EXPECT_EQ(message.body, "");
  EXPECT_EQ(NextMessage(input, 100, message), FrameResult::kIncomplete);
}

TEST(NextMessage, LeavesAnIncompleteMessageAlone) {
  const std::string bytes = "Q\0\0\0\7ab\0"s;
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::string_view input(bytes.data(), size);
    Message message;
    EXPECT_EQ(NextMessage(input, 100, message), FrameResult::kIncomplete) << size;
    EXPECT_EQ(input.size(), size);
  }
}

TEST(NextMessage, RefusesLengthsThatCannotBe) {
  Message message;
  for (const std::string& bytes :
       {"Q\0\0\0\0"s, "Q\0\0\0\3"s, "Q\x80\0\0\0"s, "Q\xff\xff\xff\xff"s, "Q\0\0\0\x69"s}) {
    std::string_view input = bytes;
    EXPECT_EQ(NextMessage(input, 100, message), FrameResult::kBadLength);
  }
  std::string_view longest = "Q\0\0\0\x68";  // a body of exactly 100 bytes
  EXPECT_EQ(NextMessage(longest, 100, message), FrameResult::kIncomplete);
}

TEST(MessageReader, ReadsWhatTheWriterWrote) {
  std::string bytes;
  MessageWriter writer(bytes, 'x');
  writer.Byte('b').Int16(-2).Int32(-3).String("text").Value("\0value"s).Null().Finish();

  std::string_view input = bytes;
  Message message;
  ASSERT_EQ(NextMessage(input, 100, message), FrameResult::kMessage);
  EXPECT_TRUE(input.empty());
  MessageReader reader(message.body);
  EXPECT_EQ(reader.Byte(), 'b');
  EXPECT_EQ(reader.Int16(), -2);
  EXPECT_EQ(reader.Int32(), -3);
  EXPECT_EQ(reader.String(), "text");
  const int32_t length = reader.Int32();
  EXPECT_EQ(reader.Bytes(length), "\0value"s);
  EXPECT_EQ(reader.Int32(), -1);
  EXPECT_TRUE(reader.Finished());
}

TEST(MessageReader, FailsForGoodWhenItReadsPastTheEnd) {
  const std::string body = "\0\1\0"s;
  MessageReader reader(body);
  EXPECT_EQ(reader.Int32(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Int16(), 0);  // would have fitted, had nothing failed before
  EXPECT_EQ(reader.Byte(), 0);
  EXPECT_EQ(reader.String(), "");
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_FALSE(reader.Finished());
}

TEST(MessageReader, FailsOnAStringWithoutEndAndOnNegativeSizes) {
  MessageReader unterminated("abc");
  EXPECT_EQ(unterminated.String(), "");
  EXPECT_FALSE(unterminated.ok());

  MessageReader negative("abc");
  EXPECT_EQ(negative.Bytes(-5), "");
  EXPECT_FALSE(negative.ok());
}

TEST(MessageReader, TellsAnEmptyValueFromNoValue) {
  MessageReader reader("");
  const std::string_view empty = reader.Bytes(0);
  EXPECT_NE(empty.data(), nullptr);
  EXPECT_TRUE(reader.Finished());
}

TEST(MessageWriter, PatchesTheLengthBehindWhatIsThere) {
  std::string bytes = "before";
  MessageWriter writer(bytes, 'x');
  writer.Bytes(std::string(1000, 'y')).Finish();
  EXPECT_EQ(bytes.substr(0, 7), "beforex");
  EXPECT_EQ(LoadUint32(bytes.data() + 7), 1004u);
}

TEST(Messages, ErrorFieldsSurviveTheRoundTrip) {
  ErrorInfo error;
  error.code = "42601";
  error.message = "syntax error";
  error.detail = "detail";
  error.hint = "hint";
  error.position = 42;
  error.table = "t";
  error.column = "c";
  error.constraint = "t_c_key";
  std::string bytes;
  AppendErrorResponse(bytes, "ERROR", error);
  using std::string_literals::operator""s;
  EXPECT_NE(bytes.find("\0spublic\0tt\0cc\0nt_c_key\0"s), std::string::npos);
  std::string_view input = bytes;
  Message message;
  ASSERT_EQ(NextMessage(input, 1000, message), FrameResult::kMessage);
  ErrorFields fields;
  ASSERT_TRUE(ReadErrorFields(message.body, fields));
  EXPECT_EQ(fields.severity, "ERROR");
  EXPECT_EQ(fields.code, "42601");
  EXPECT_EQ(fields.message, "syntax error");
  EXPECT_EQ(fields.detail, "detail");
  EXPECT_EQ(fields.hint, "hint");
  EXPECT_EQ(fields.position, "42");
}

TEST(Messages, ErrorFieldsAreCheckedToTheirEnd) {
  ErrorFields fields;
  EXPECT_FALSE(ReadErrorFields("", fields));
  EXPECT_FALSE(ReadErrorFields("SERROR\0"s, fields));        // no terminator
  EXPECT_FALSE(ReadErrorFields("SERROR"s, fields));          // no end of string
  EXPECT_FALSE(ReadErrorFields("SERROR\0\0more"s, fields));  // more behind the terminator
  EXPECT_TRUE(ReadErrorFields("SERROR\0Znew kind\0\0"s, fields));
}

TEST(Messages, ReadyForQueryKnowsThreeStates) {
  engine::TransactionStatus status;
  EXPECT_TRUE(ReadReadyForQuery("I", status));
  EXPECT_TRUE(ReadReadyForQuery("T", status));
  EXPECT_TRUE(ReadReadyForQuery("E", status));
  EXPECT_EQ(status, engine::TransactionStatus::kFailed);
  EXPECT_FALSE(ReadReadyForQuery("X", status));
  EXPECT_FALSE(ReadReadyForQuery("", status));
  EXPECT_FALSE(ReadReadyForQuery("II", status));
}

}  // namespace
}  // namespace connbench::protocol
