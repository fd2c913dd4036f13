// Rows and keys as bytes: what goes in comes out, and memcmp of keys orders as CompareValues does.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "engine/executor/arena.h"
#include "engine/executor/key_codec.h"
#include "engine/executor/row_codec.h"
#include "engine/executor/types/array.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/type_io.h"

namespace connbench::engine {
namespace {

constexpr Oid kTypes[] = {type_oid::kBool,      type_oid::kInt2,      type_oid::kInt4,
                          type_oid::kInt8,      type_oid::kOid,       type_oid::kFloat4,
                          type_oid::kFloat8,    type_oid::kText,      type_oid::kVarchar,
                          type_oid::kBpchar,    type_oid::kTimestamp, type_oid::kTimestamptz,
                          type_oid::kNumeric,   type_oid::kName,      type_oid::kInt4Array,
                          type_oid::kTextArray, type_oid::kInterval};

class RandomValues {
 public:
  explicit RandomValues(unsigned seed) : random_(seed) {}

  Value Next(Oid type) {
    switch (type) {
      case type_oid::kBool:
        return Value::Bool(Below(2) != 0);
      case type_oid::kInt2:
        return Value::Integer(static_cast<int16_t>(Bits()));
      case type_oid::kInt4:
        return Value::Integer(static_cast<int32_t>(Bits()));
      case type_oid::kOid:
        return Value::Integer(static_cast<uint32_t>(Bits()));
      case type_oid::kFloat4:
        return Value::Real(static_cast<float>(Real()));
      case type_oid::kFloat8:
        return Value::Real(Real());
      case type_oid::kNumeric:
        return Numeric();
      case type_oid::kText:
      case type_oid::kVarchar:
      case type_oid::kName:
      case type_oid::kBpchar:
        return Text();
      case type_oid::kInterval: {
        // Of few lengths, so that some are equal.
        const Interval interval{static_cast<int64_t>(Bits()) >> (Below(2) * 40),
                                static_cast<int32_t>(Below(3)), static_cast<int32_t>(Below(3))};
        Value value;
        EXPECT_TRUE(StoreInterval(interval, arena_, value).ok());
        return value;
      }
      case type_oid::kInt4Array:
      case type_oid::kTextArray:
        return Array(ElementType(type));
      default:
        return Value::Integer(static_cast<int64_t>(Bits()));
    }
  }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

 private:
  // All magnitudes alike, and neighbours often.
  uint64_t Bits() {
    const uint64_t bits = random_() >> Below(64);
    return Below(2) != 0 ? bits : ~bits;
  }
  double Real() {
    switch (Below(8)) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return std::numeric_limits<double>::infinity();
      case 2:
        return -std::numeric_limits<double>::infinity();
      case 3:
        return Below(2) != 0 ? 0.0 : -0.0;
      default:
        return std::ldexp(static_cast<double>(static_cast<int64_t>(random_())),
                          static_cast<int>(Below(80)) - 100);
    }
  }
  Value Text() {
    std::string text;
    for (uint64_t i = Below(6); i > 0; --i) text += "a bz\xC3\xA4"[Below(6)];
    return Value::Text(arena_.Copy(text));
  }
  // Of few values, so that many begin alike.
  Value Array(Oid element) {
    ArrayWriter writer(element, arena_, Below(8) == 0 ? 0 : 1);
    for (uint64_t i = Below(4); i > 0; --i) {
      const Value number = Value::Integer(static_cast<int64_t>(Below(3)) - 1);
      writer.Add(Below(6) == 0 ? Value::Null() : element == type_oid::kText ? Text() : number);
    }
    Value array;
    EXPECT_TRUE(writer.Finish(array).ok());
    return array;
  }
  Value Numeric() {
    static constexpr const char* kSpecials[] = {"NaN",   "Infinity", "-Infinity", "0",
                                                "0.000", "1.0",      "1"};
    std::string text = kSpecials[Below(7)];
    if (Below(4) != 0) {
      text = Below(2) != 0 ? "-" : "";
      for (uint64_t i = 1 + Below(12); i > 0; --i) text += static_cast<char>('0' + Below(10));
      text += '.';
      for (uint64_t i = Below(9); i > 0; --i) text += static_cast<char>('0' + Below(10));
      text += 'e' + std::to_string(static_cast<int>(Below(21)) - 10);
    }
    Value value;
    EXPECT_TRUE(ParseNumeric(text, arena_, value).ok()) << text;
    return value;
  }

  std::mt19937_64 random_;
  Arena arena_;
};

bool SameBits(Oid type, const Value& a, const Value& b) {
  if (a.null || b.null) return a.null == b.null;
  if (GetType(type).form == ValueForm::kBytes) return a.text() == b.text();
  return a.integer == b.integer;
}

TEST(RowCodec, GivesBackEveryRandomRow) {
  RandomValues random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Oid> types(1 + random.Below(20));
    for (Oid& type : types) type = kTypes[random.Below(std::size(kTypes))];
    std::vector<Value> values;
    for (Oid type : types) {
      values.push_back(random.Below(5) == 0 ? Value::Null() : random.Next(type));
    }
    const RowCodec codec(types);
    std::string row(codec.EncodedSize(values.data()), '\xEE');
    codec.Encode(values.data(), row.data());
    std::vector<Value> decoded(types.size());
    codec.DecodeAll(row, decoded.data());
    for (size_t i = 0; i < types.size(); ++i) {
      ASSERT_TRUE(SameBits(types[i], values[i], decoded[i])) << "column " << i << " of " << round;
    }
    const auto needed = static_cast<uint16_t>(random.Below(types.size()));
    std::vector<Value> some(types.size());
    codec.Decode(row, std::span(&needed, 1), some.data());
    EXPECT_TRUE(SameBits(types[needed], values[needed], some[needed]));
  }
}

TEST(RowCodec, HoldsRowsOfMoreThan64KilobytesOfText) {
  const Oid types[] = {type_oid::kText, type_oid::kInt4, type_oid::kText, type_oid::kText};
  const RowCodec codec(types);
  for (const size_t size : {65'500U, 65'519U, 65'520U, 65'536U, 200'000U}) {
    const std::string large(size, 'x');
    const Value values[] = {Value::Text("first"), Value::Integer(-7), Value::Text(large),
                            Value::Text("last")};
    std::string row(codec.EncodedSize(values), '\0');
    codec.Encode(values, row.data());
    EXPECT_EQ(codec.DecodeColumn(row, 0).text(), "first");
    EXPECT_EQ(codec.DecodeColumn(row, 1).integer, -7);
    EXPECT_EQ(codec.DecodeColumn(row, 2).text(), large);
    EXPECT_EQ(codec.DecodeColumn(row, 3).text(), "last");
  }
}

TEST(RowCodec, TakesLittleRoom) {
  // A pgbench_accounts row: aid, bid, abalance, filler char(84).
  const Oid types[] = {type_oid::kInt4, type_oid::kInt4, type_oid::kInt4, type_oid::kBpchar};
  const std::string filler(84, ' ');
  const Value values[] = {Value::Integer(1), Value::Integer(1), Value::Integer(0),
                          Value::Text(filler)};
  EXPECT_EQ(RowCodec(types).EncodedSize(values), 1 + 12 + 2 + 84u);
}

TEST(RowCodec, NeedsNoColumns) {
  const RowCodec codec(std::span<const Oid>{});
  std::string row(codec.EncodedSize(nullptr), '\xEE');
  codec.Encode(nullptr, row.data());
  codec.DecodeAll(row, nullptr);
  EXPECT_EQ(row.size(), 1u);
}

int Sign(int x) { return x < 0 ? -1 : x > 0 ? 1 : 0; }

int CompareKeys(const KeyBuffer& a, const KeyBuffer& b) { return Sign(a.view().compare(b.view())); }

TEST(KeyCodec, OrdersEveryTypeAsItsComparisonDoes) {
  RandomValues random(2);
  for (Oid type : kTypes) {
    std::vector<Value> values;
    for (int i = 0; i < 150; ++i) values.push_back(random.Next(type));
    values.push_back(Value::Null());
    for (const Value& a : values) {
      for (const Value& b : values) {
        KeyBuffer key_a;
        KeyBuffer key_b;
        AppendKey(type, a, key_a);
        AppendKey(type, b, key_b);
        ASSERT_EQ(CompareKeys(key_a, key_b), Sign(CompareNullsLast(type, a, b)))
            << GetType(type).name;
      }
    }
  }
}

TEST(KeyCodec, OrdersSeveralColumnsOneAfterTheOther) {
  RandomValues random(3);
  const Oid types[] = {type_oid::kText, type_oid::kInt4, type_oid::kNumeric};
  std::vector<std::vector<Value>> rows;
  for (int i = 0; i < 200; ++i) {
    rows.emplace_back();
    for (Oid type : types) {
      rows.back().push_back(random.Below(4) == 0 ? Value::Null() : random.Next(type));
    }
  }
  for (const auto& a : rows) {
    for (const auto& b : rows) {
      int expected = 0;
      for (size_t i = 0; expected == 0 && i < 3; ++i) {
        expected = Sign(CompareNullsLast(types[i], a[i], b[i]));
      }
      KeyBuffer key_a;
      KeyBuffer key_b;
      AppendKey(types, a.data(), key_a);
      AppendKey(types, b.data(), key_b);
      ASSERT_EQ(CompareKeys(key_a, key_b), expected);
    }
  }
}

// The bounds of key_codec.h's table find exactly the rows the condition names.
TEST(KeyCodec, BoundsOfRangesFindTheirRows) {
  const Oid types[] = {type_oid::kInt4, type_oid::kText};
  for (const char* v : {"", "a", "ab", "b"}) {
    for (const char* other : {"", "a", "ab", "abc", "b", "c", "NULL"}) {
      const Value b = std::strcmp(other, "NULL") == 0 ? Value::Null() : Value::Text(other);
      const Value row[] = {Value::Integer(1), b};
      KeyBuffer key;
      AppendKey(types, row, key);
      const auto bound = [&](bool with_v, int suffix) {
        KeyBuffer buffer;
        AppendKey(type_oid::kInt4, row[0], buffer);
        if (with_v) AppendKey(type_oid::kText, Value::Text(v), buffer);
        if (suffix >= 0) buffer.Append(static_cast<uint8_t>(suffix));
        return std::string(buffer.view());
      };
      const auto within = [&](const std::string& from, const std::string& before) {
        return key.view() >= from && key.view() < before;
      };
      const int order = b.null ? 0 : b.text().compare(v);
      EXPECT_EQ(within(bound(true, -1), bound(true, kKeyAfter)), !b.null && order == 0);
      EXPECT_EQ(within(bound(true, kKeyAfter), bound(false, kKeyNull)), !b.null && order > 0);
      EXPECT_EQ(within(bound(true, -1), bound(false, kKeyNull)), !b.null && order >= 0);
      EXPECT_EQ(within(bound(false, -1), bound(true, -1)), !b.null && order < 0);
      EXPECT_EQ(within(bound(false, -1), bound(true, kKeyAfter)), !b.null && order <= 0);
      EXPECT_EQ(within(bound(false, kKeyNull), bound(false, kKeyAfter)), b.null);
    }
  }
}

TEST(KeyCodec, GivesIntegersOfAllWidthsOneForm) {
  KeyBuffer narrow;
  KeyBuffer wide;
  AppendKey(type_oid::kInt2, Value::Integer(-5), narrow);
  AppendKey(type_oid::kInt8, Value::Integer(-5), wide);
  EXPECT_EQ(narrow.view(), wide.view());
}

TEST(KeyBuffer, GrowsBeyondItsInlineRoom) {
  KeyBuffer key;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    key.Append(static_cast<uint8_t>(i));
    expected += static_cast<char>(i);
  }
  EXPECT_EQ(key.view(), expected);
  key.Clear();
  key.Append(std::string(5000, 'x'));
  EXPECT_EQ(key.size(), 5000u);
}

TEST(Hash, IsEqualForEqualValues) {
  RandomValues random(4);
  for (Oid type : kTypes) {
    std::vector<Value> values;
    for (int i = 0; i < 200; ++i) values.push_back(random.Next(type));
    for (const Value& a : values) {
      for (const Value& b : values) {
        if (CompareValues(type, a, b) != 0) continue;
        ASSERT_EQ(HashValue(type, a), HashValue(type, b)) << GetType(type).name;
      }
    }
  }
}

TEST(RowCodecTest, ReadsRowsThatHaveFewerColumns) {
  const std::vector<Oid> types = {type_oid::kInt4, type_oid::kText, type_oid::kInt8,
                                  type_oid::kText};
  const Value missing[] = {Value::Null(), Value::Null(), Value::Integer(7), Value::Text("none")};
  const std::vector<uint16_t> all_older = {1, 2, 3};
  std::vector<std::string> rows;
  std::vector<RowCodec> codecs;
  for (size_t generation = 0; generation <= all_older.size(); ++generation) {
    const size_t columns = generation < all_older.size() ? all_older[generation] : types.size();
    codecs.emplace_back(std::span(types).first(columns), std::span(all_older).first(generation),
                        std::vector<Value>(missing, missing + columns));
    const Value values[] = {Value::Integer(-3), Value::Text("two"), Value::Null(),
                            Value::Text("four")};
    std::string& row = rows.emplace_back(codecs.back().EncodedSize(values), '\0');
    codecs.back().Encode(values, row.data());
  }
  for (size_t reader = 0; reader < codecs.size(); ++reader) {
    for (size_t generation = 0; generation <= reader; ++generation) {
      Value read[4];
      codecs[reader].DecodeAll(rows[generation], read);
      const auto columns = static_cast<size_t>(codecs[reader].columns());
      const size_t written = generation < 3 ? all_older[generation] : 4;
      EXPECT_EQ(read[0].integer, -3);
      if (columns > 1) {
        EXPECT_EQ(read[1].null, written < 2);
      }
      if (written > 1) {
        EXPECT_EQ(read[1].text(), "two");
      }
      if (columns > 2) {
        EXPECT_EQ(read[2].null, written > 2);
      }
      if (columns > 2 && written < 3) {
        EXPECT_EQ(read[2].integer, 7);
      }
      if (columns > 3) {
        EXPECT_EQ(read[3].text(), written < 4 ? "none" : "four");
      }
      for (int column = 0; column < codecs[reader].columns(); ++column) {
        const auto needed = static_cast<uint16_t>(column);
        Value alone[4];
        codecs[reader].Decode(rows[generation], {&needed, 1}, alone);
        const Value one = codecs[reader].DecodeColumn(rows[generation], column);
        EXPECT_EQ(alone[column].null, read[column].null);
        EXPECT_EQ(one.null, read[column].null);
        if (one.null) continue;
        EXPECT_EQ(alone[column].integer, read[column].integer);
        EXPECT_EQ(one.integer, read[column].integer);
      }
    }
  }
}

}  // namespace
}  // namespace connbench::engine
