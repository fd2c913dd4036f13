// The rows of a partition: what readers find after others were trimmed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/executor/nodes/window_rows.h"

namespace connbench::engine {
namespace {

constexpr int64_t kStretch = WindowRows::kRowsPerStretch;
constexpr int64_t kLimitBytes = 64 << 10;

class WindowRowsTest : public ::testing::Test {
 protected:
  WindowRowsTest() { rows_.SetMemoryLimit(kLimitBytes); }

  // Rows that begin with their number.
  void AddUpTo(int64_t size, size_t width) {
    while (rows_.size() < size) {
      std::string text = std::to_string(rows_.size());
      text.resize(width, '.');
      const Value value = Value::Text(text);
      std::string bytes(codec_.EncodedSize(&value), '\0');
      codec_.Encode(&value, bytes.data());
      ASSERT_TRUE(rows_.Add(bytes).ok());
    }
  }

  int64_t Read(WindowRows::Reader& reader, int64_t row) {
    reader.values.resize(1);
    if (!rows_.Read(reader, row).ok()) return -1;
    return std::stoll(std::string(reader.values[0].text()));
  }

  const RowCodec codec_{std::vector<Type>{{type_oid::kText, -1}}};
  WindowRows rows_{codec_};
};

// A stretch that is trimmed becomes a later one. A reader that stood in it begins again.
TEST_F(WindowRowsTest, AReaderSkipsRowsThatWereTrimmed) {
  AddUpTo(2 * kStretch, 10);
  WindowRows::Reader same_place;
  WindowRows::Reader further;
  EXPECT_EQ(Read(same_place, 200), 200);
  EXPECT_EQ(Read(further, 200), 200);
  rows_.Trim(kStretch);
  AddUpTo(4 * kStretch, 2000);
  EXPECT_GT(rows_.spilled_bytes(), 0);
  EXPECT_EQ(Read(same_place, 2 * kStretch + 201), 2 * kStretch + 201);
  EXPECT_EQ(Read(further, 2 * kStretch + 210), 2 * kStretch + 210);
}

}  // namespace
}  // namespace connbench::engine
