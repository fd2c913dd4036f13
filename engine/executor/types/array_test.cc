// Arrays: what goes in comes out, as text and as the wire's bytes; broken messages are refused.
#include "engine/executor/types/array.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace connbench::engine {
namespace {

class ArrayTest : public ::testing::Test {
 protected:
  std::string Text(Oid type, std::string_view text) {
    Value value;
    if (Status status = ParseText({type, -1}, text, io_, value); !status.ok()) {
      return std::string(status.code());
    }
    std::string_view printed;
    EXPECT_TRUE(FormatText(type, value, io_, printed).ok());
    return std::string(printed);
  }
  std::string Send(Oid type, std::string_view text) {
    Value value;
    EXPECT_TRUE(ParseText({type, -1}, text, io_, value).ok()) << text;
    std::string_view bytes;
    EXPECT_TRUE(FormatBinary(type, value, io_, bytes).ok());
    return std::string(bytes);
  }
  std::string Receive(Oid type, std::string_view bytes) {
    Value value;
    if (Status status = ParseBinary({type, -1}, bytes, io_, value); !status.ok()) {
      return std::string(status.code());
    }
    std::string_view printed;
    EXPECT_TRUE(FormatText(type, value, io_, printed).ok());
    return std::string(printed);
  }

  Arena arena_;
  IoContext io_{&arena_, nullptr, 0, nullptr};
};

TEST_F(ArrayTest, ReadsAndPrintsAsPostgresql) {
  constexpr Oid kText = type_oid::kTextArray;
  constexpr Oid kInt = type_oid::kInt4Array;
  EXPECT_EQ(Text(kText, " { a , \"b c\",null,\"NULL\", x\\,y , \"\" } "),
            "{a,\"b c\",NULL,\"NULL\",\"x,y\",\"\"}");
  EXPECT_EQ(Text(kInt, "[-1:1]={1,02, 3}"), "[-1:1]={1,2,3}");
  EXPECT_EQ(Text(kInt, "[1:2] = {1,2}"), "{1,2}");
  EXPECT_EQ(Text(kInt, "[2]={1,2}"), "{1,2}");
  EXPECT_EQ(Text(kInt, "{}"), "{}");
  for (const char* malformed :
       {"", "1", "{", "{1", "1}", "{1,}", "{,1}", "{1}2", "{1}{2}", "{a\"b\"}", "{\"a\"b}", "{\"a}",
        "[1:2]={1}", "[1:2]={1,2,3}", "[a]={1}", "[1:2]{1,2}", "[1:1]={}"}) {
    EXPECT_EQ(Text(kText, malformed), "22P02") << malformed;
  }
  EXPECT_EQ(Text(kInt, "[2:1]={1}"), "2202E");
  EXPECT_EQ(Text(kInt, "{{1}}"), "0A000");
  EXPECT_EQ(Text(kInt, "[1:1][1:1]={{1}}"), "0A000");
  EXPECT_EQ(Text(kInt, "{x}"), "22P02");
  EXPECT_EQ(Text(kText, "{a\\}"), "22P02");
  EXPECT_EQ(Text(kText, "{\\}}"), "{\"}\"}");
  // Malformed before any element is read.
  EXPECT_EQ(Text(type_oid::kInt2Array, "{40000"), "22P02");
  EXPECT_EQ(Text(type_oid::kInt2Array, "{40000}"), "22003");
}

// The subscript behind the last element must be an int, too.
TEST_F(ArrayTest, RefusesBoundsThatEndTooLate) {
  EXPECT_EQ(Text(type_oid::kInt4Array, "[2147483646:2147483646]={1}"),
            "[2147483646:2147483646]={1}");
  EXPECT_EQ(Text(type_oid::kInt4Array, "[2147483647:2147483647]={1}"), "54000");
  EXPECT_EQ(Text(type_oid::kInt4Array, "[2147483646:2147483647]={1,2}"), "54000");
  const auto message = [](std::string_view size_and_first) {
    return std::string("\0\0\0\1\0\0\0\0\0\0\0\x17", 12) + std::string(size_and_first);
  };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(Receive(type_oid::kInt4Array, message("\0\0\0\1\x7f\xff\xff\xff"sv)), "54000");
  EXPECT_EQ(Receive(type_oid::kInt4Array, message("\x08\0\0\0\0\0\0\1"sv)), "54000");
  EXPECT_EQ(Receive(type_oid::kInt4Array, message("\xff\xff\xff\xff\0\0\0\1"sv)), "54000");
}

TEST_F(ArrayTest, SendsWhatItReceives) {
  for (const char* text : {"{}", "{1,NULL,-3}", "[5:6]={1,2}"}) {
    EXPECT_EQ(Receive(type_oid::kInt4Array, Send(type_oid::kInt4Array, text)), text);
    EXPECT_EQ(Receive(type_oid::kNumericArray, Send(type_oid::kNumericArray, text)), text);
    EXPECT_EQ(Receive(type_oid::kTextArray, Send(type_oid::kTextArray, text)), text);
  }
  const std::string one = Send(type_oid::kInt4Array, "{7}");
  EXPECT_EQ(one, std::string("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7", 28));
  EXPECT_EQ(Receive(type_oid::kInt8Array, one), "42804");
}

// Never more than the message says, whatever it says.
TEST_F(ArrayTest, RefusesBrokenMessages) {
  const std::string whole = Send(type_oid::kTextArray, "{abc,NULL,x}");
  for (size_t length = 0; length < whole.size(); ++length) {
    const std::string code = Receive(type_oid::kTextArray, whole.substr(0, length));
    EXPECT_TRUE(code == "08P01" || code == "22P03") << length << " " << code;
  }
  EXPECT_EQ(Receive(type_oid::kTextArray, whole + "x"), "22P03");
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string broken = whole;
    for (int changes = 0; changes < 3; ++changes) {
      broken[random() % broken.size()] = static_cast<char>(random());
    }
    Receive(type_oid::kTextArray, broken);
    arena_.Reset();
  }
}

TEST_F(ArrayTest, StopsAtTheArenasLimit) {
  Arena small(16 * 1024);
  ArrayWriter writer(type_oid::kInt4, small);
  for (int i = 0; i < 100'000; ++i) writer.Add(Value::Integer(i));
  Value array;
  EXPECT_EQ(writer.Finish(array).code(), sqlstate::kOutOfMemory);
}

}  // namespace
}  // namespace connbench::engine
