// A row as bytes in the heap or in a spill file, and back.
//
// Layout: flags (1 byte) | fixed-width columns, packed, little-endian, room kept for nulls | null
// bitmap, only if any column is null | end offset of each variable column (2 bytes, or 4 in rows of
// 64 kB and more) | the variable columns' bytes. So the place of every column is known without
// walking over those before it, and reading one column of a wide row costs nothing for the others.
//
// A table's columns may become more while its rows stay as they are. The flags hold the row's
// generation, which says how many columns it was written with; those that it lacks have the value
// that the codec was told.
//
// Safety: a RowCodec is immutable once made; any thread. Ownership: decoded values of variable
// length point into the row's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/executor/types/type.h"
#include "engine/executor/value.h"

namespace connbench::engine {

// A row's flags have room for so many.
inline constexpr size_t kMaxOlderGenerations = 63;

class RowCodec {
 public:
  RowCodec() = default;
  explicit RowCodec(std::span<const Oid> column_types);
  explicit RowCodec(const std::vector<Type>& column_types);
  // older: for each older generation, with how many of the columns its rows were written, at most
  // kMaxOlderGenerations. missing: for each column, its value in rows that lack it; what they point
  // to must outlive the codec.
  RowCodec(std::span<const Oid> column_types, std::span<const uint16_t> older,
           std::vector<Value> missing);

  int columns() const { return static_cast<int>(columns_.size()); }

  // values has columns() entries.
  size_t EncodedSize(const Value* values) const;
  // Writes exactly EncodedSize() bytes.
  void Encode(const Value* values, char* out) const;

  // values[c] for every column c.
  void DecodeAll(std::string_view row, Value* values) const;
  // values[c] only for the columns c in needed; the others stay as they are.
  void Decode(std::string_view row, std::span<const uint16_t> needed, Value* values) const;
  Value DecodeColumn(std::string_view row, int column) const;

 private:
  struct Column {
    Oid type;
    int16_t width;   // bytes in the fixed area; -1: variable
    uint32_t place;  // offset in the row, or the number among the variable columns
  };
  // Of the rows that lack columns.
  struct Older {
    std::vector<RowCodec> codecs;  // by generation
    std::vector<Value> missing;    // by column
  };
  bool IsOlder(std::string_view row) const {
    return static_cast<uint8_t>(row[0]) >> kGenerationShift != generation_;
  }
  // Of a row with all columns.
  Value Read(std::string_view row, int column) const;
  Value ReadOlder(std::string_view row, int column) const;

  static constexpr int kGenerationShift = 2;  // below are the other flags

  std::vector<Column> columns_;
  std::shared_ptr<const Older> older_;  // null: all rows have all columns
  uint8_t generation_ = 0;              // of rows that are written now
  uint32_t fixed_end_ = 0;              // where the fixed area ends
  uint32_t bitmap_bytes_ = 0;
  uint32_t variable_columns_ = 0;
};

}  // namespace connbench::engine
