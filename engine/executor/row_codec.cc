// A row as bytes in the heap or in a spill file, and back.
#include "engine/executor/row_codec.h"

#include <bit>
#include <cstring>

#include "base/assert.h"

namespace connbench::engine {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint8_t kHasNulls = 1;
constexpr uint8_t kWideOffsets = 2;
constexpr size_t kNarrowLimit = 65536;

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void Store(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

int16_t FixedWidth(Oid type) {
  const TypeInfo& info = GetType(type);
  if (info.form == ValueForm::kBytes) return -1;
  return info.form == ValueForm::kNone ? int16_t{0} : info.size;
}

Value LoadFixed(Oid type, int16_t width, const char* from) {
  switch (width) {
    case 1:
      return Value::Integer(Load<int8_t>(from));
    case 2:
      return Value::Integer(Load<int16_t>(from));
    case 4:
      if (type == type_oid::kFloat4) return Value::Real(Load<float>(from));
      if (type == type_oid::kOid || type == type_oid::kRegtype || type == type_oid::kRegclass ||
          type == type_oid::kRegnamespace || type == type_oid::kXid) {
        return Value::Integer(Load<uint32_t>(from));
      }
      return Value::Integer(Load<int32_t>(from));
    case 8:
      if (type == type_oid::kFloat8) return Value::Real(Load<double>(from));
      return Value::Integer(Load<int64_t>(from));
    default:
      return Value::Integer(0);  // void
  }
}

void StoreFixed(Oid type, int16_t width, const Value& value, char* to) {
  switch (width) {
    case 1:
      return Store(to, static_cast<int8_t>(value.integer));
    case 2:
      return Store(to, static_cast<int16_t>(value.integer));
    case 4:
      if (type == type_oid::kFloat4) return Store(to, static_cast<float>(value.real));
      return Store(to, static_cast<int32_t>(value.integer));
    case 8:
      return Store(to, value.integer);  // or the bits of real
    default:
      return;
  }
}

std::vector<Oid> OidsOf(const std::vector<Type>& types) {
  std::vector<Oid> oids;
  oids.reserve(types.size());
  for (const Type& type : types) oids.push_back(type.oid);
  return oids;
}

}  // namespace

RowCodec::RowCodec(const std::vector<Type>& column_types) : RowCodec(OidsOf(column_types)) {}

RowCodec::RowCodec(std::span<const Oid> column_types) {
  columns_.reserve(column_types.size());
  fixed_end_ = 1;  // after the flags
  for (Oid type : column_types) {
    const int16_t width = FixedWidth(type);
    if (width < 0) {
      columns_.push_back({type, width, variable_columns_++});
    } else {
      columns_.push_back({type, width, fixed_end_});
      fixed_end_ += static_cast<uint32_t>(width);
    }
  }
  bitmap_bytes_ = static_cast<uint32_t>((column_types.size() + 7) / 8);
}

RowCodec::RowCodec(std::span<const Oid> column_types, std::span<const uint16_t> older,
                   std::vector<Value> missing)
    : RowCodec(column_types) {
  CONNBENCH_ASSERT(older.size() <= kMaxOlderGenerations, "no flags are left for its rows");
  if (older.empty()) return;
  Older rows;
  for (const uint16_t columns : older) rows.codecs.emplace_back(column_types.first(columns));
  rows.missing = std::move(missing);
  older_ = std::make_shared<const Older>(std::move(rows));
  generation_ = static_cast<uint8_t>(older.size());
}

[[gnu::hot]] size_t RowCodec::EncodedSize(const Value* values) const {
  size_t bytes = 0;
  bool has_nulls = false;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (values[i].null) {
      has_nulls = true;
    } else if (columns_[i].width < 0) {
      bytes += values[i].length;
    }
  }
  const size_t fixed = fixed_end_ + (has_nulls ? bitmap_bytes_ : 0);
  const size_t narrow = fixed + variable_columns_ * sizeof(uint16_t) + bytes;
  return narrow < kNarrowLimit ? narrow : fixed + variable_columns_ * sizeof(uint32_t) + bytes;
}

[[gnu::hot]] void RowCodec::Encode(const Value* values, char* out) const {
  const size_t size = EncodedSize(values);
  auto flags = static_cast<uint8_t>(generation_ << kGenerationShift);
  if (size >= kNarrowLimit) flags |= kWideOffsets;
  std::memset(out, 0, fixed_end_);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (values[i].null) {
      flags |= kHasNulls;
    } else if (columns_[i].width >= 0) {
      StoreFixed(columns_[i].type, columns_[i].width, values[i], out + columns_[i].place);
    }
  }
  out[0] = static_cast<char>(flags);
  char* at = out + fixed_end_;
  if ((flags & kHasNulls) != 0) {
    std::memset(at, 0, bitmap_bytes_);
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (values[i].null) at[i / 8] = static_cast<char>(at[i / 8] | (1 << (i % 8)));
    }
    at += bitmap_bytes_;
  }
  const bool wide = (flags & kWideOffsets) != 0;
  char* data = at + variable_columns_ * (wide ? sizeof(uint32_t) : sizeof(uint16_t));
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].width >= 0) continue;
    if (!values[i].null && values[i].length > 0) {
      std::memcpy(data, values[i].bytes, values[i].length);
      data += values[i].length;
    }
    const auto end = static_cast<uint32_t>(data - out);
    if (wide) {
      Store(at, end);
      at += sizeof(uint32_t);
    } else {
      Store(at, static_cast<uint16_t>(end));
      at += sizeof(uint16_t);
    }
  }
}

[[gnu::hot]] Value RowCodec::Read(std::string_view row, int column) const {
  const Column& c = columns_[static_cast<size_t>(column)];
  const auto flags = static_cast<uint8_t>(row[0]);
  const char* after_fixed = row.data() + fixed_end_;
  if ((flags & kHasNulls) != 0) {
    if ((after_fixed[column / 8] >> (column % 8) & 1) != 0) return Value::Null();
    after_fixed += bitmap_bytes_;
  }
  if (c.width >= 0) return LoadFixed(c.type, c.width, row.data() + c.place);
  uint32_t begin = 0;
  uint32_t end = 0;
  if ((flags & kWideOffsets) != 0) {
    const char* at = after_fixed + c.place * sizeof(uint32_t);
    end = Load<uint32_t>(at);
    begin =
        c.place == 0
            ? static_cast<uint32_t>(after_fixed - row.data() + variable_columns_ * sizeof(uint32_t))
            : Load<uint32_t>(at - sizeof(uint32_t));
  } else {
    const char* at = after_fixed + c.place * sizeof(uint16_t);
    end = Load<uint16_t>(at);
    begin =
        c.place == 0
            ? static_cast<uint32_t>(after_fixed - row.data() + variable_columns_ * sizeof(uint16_t))
            : Load<uint16_t>(at - sizeof(uint16_t));
  }
  return Value::Text({row.data() + begin, end - begin});
}

Value RowCodec::ReadOlder(std::string_view row, int column) const {
  const size_t generation = static_cast<uint8_t>(row[0]) >> kGenerationShift;
  CONNBENCH_ASSERT(older_ != nullptr && generation < older_->codecs.size(),
                   "the row is of a generation that this definition of the table does not know");
  const RowCodec& codec = older_->codecs[generation];
  if (column >= codec.columns()) return older_->missing[static_cast<size_t>(column)];
  return codec.Read(row, column);
}

[[gnu::hot]] Value RowCodec::DecodeColumn(std::string_view row, int column) const {
  if (IsOlder(row)) [[unlikely]]
    return ReadOlder(row, column);
  return Read(row, column);
}

[[gnu::hot]] void RowCodec::DecodeAll(std::string_view row, Value* values) const {
  if (IsOlder(row)) [[unlikely]] {
    for (int i = 0; i < columns(); ++i) values[i] = ReadOlder(row, i);
    return;
  }
  for (int i = 0; i < columns(); ++i) values[i] = Read(row, i);
}

[[gnu::hot]] void RowCodec::Decode(std::string_view row, std::span<const uint16_t> needed,
                                   Value* values) const {
  if (IsOlder(row)) [[unlikely]] {
    for (uint16_t column : needed) values[column] = ReadOlder(row, column);
    return;
  }
  for (uint16_t column : needed) values[column] = Read(row, column);
}

}  // namespace connbench::engine
