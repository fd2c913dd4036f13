#include "engine/storage/catalog_row.h"

#include <cstring>

namespace connbench::engine {
namespace {

class Writer {
 public:
  template <typename T>
  void Number(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void Text(std::string_view text) {
    Number(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After a read past the end everything reads as zero, and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Number() {
    T value{};
    if (bytes_.size() < sizeof value) {
      Fail();
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  bool Flag() { return Number<uint8_t>() != 0; }
  std::string Text() {
    const auto length = Number<uint32_t>();
    if (bytes_.size() < length) {
      Fail();
      return {};
    }
    std::string text(bytes_.substr(0, length));
    bytes_.remove_prefix(length);
    return text;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }

  std::string_view bytes_;
  bool ok_ = true;
};

void WriteIndex(Writer& writer, const IndexInfo& index) {
  writer.Number(index.oid);
  writer.Text(index.name);
  writer.Number(index.storage);
  writer.Number<uint8_t>(index.unique);
  writer.Number<uint8_t>(index.primary);
  writer.Number(index.usable_from_csn);
  writer.Number(static_cast<uint16_t>(index.key_columns.size()));
  for (const int16_t column : index.key_columns) writer.Number(column);
}

IndexInfo ReadIndex(Reader& reader) {
  IndexInfo index;
  index.oid = reader.Number<Oid>();
  index.name = reader.Text();
  index.storage = reader.Number<StorageId>();
  index.unique = reader.Flag();
  index.primary = reader.Flag();
  index.usable_from_csn = reader.Number<uint64_t>();
  const auto columns = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < columns && reader.ok(); ++i) {
    index.key_columns.push_back(reader.Number<int16_t>());
  }
  return index;
}

void WriteColumn(Writer& writer, const ColumnInfo& column) {
  writer.Text(column.name);
  writer.Number(column.type_oid);
  writer.Number(column.type_modifier);
  writer.Number<uint8_t>(column.not_null);
  writer.Text(column.default_sql);
  writer.Number(column.owned_sequence);
}

ColumnInfo ReadColumn(Reader& reader) {
  ColumnInfo column;
  column.name = reader.Text();
  column.type_oid = reader.Number<Oid>();
  column.type_modifier = reader.Number<int32_t>();
  column.not_null = reader.Flag();
  column.default_sql = reader.Text();
  column.owned_sequence = reader.Number<Oid>();
  return column;
}

}  // namespace

std::string EncodeCatalogRow(const RelationInfo& relation) {
  Writer writer;
  writer.Number(relation.oid);
  writer.Number(relation.kind);
  writer.Text(relation.name);
  writer.Number(relation.storage);
  writer.Number(relation.table_oid);
  writer.Number(static_cast<uint16_t>(relation.columns.size()));
  for (const ColumnInfo& column : relation.columns) WriteColumn(writer, column);
  writer.Number(static_cast<uint16_t>(relation.indexes.size()));
  for (const IndexInfo& index : relation.indexes) WriteIndex(writer, index);
  writer.Number(relation.sequence.start);
  writer.Number(relation.sequence.increment);
  writer.Number(relation.sequence.minimum);
  writer.Number(relation.sequence.maximum);
  writer.Number<uint8_t>(relation.sequence.cycle);
  return writer.Take();
}

Result<RelationInfo> DecodeCatalogRow(std::string_view row) {
  Reader reader(row);
  RelationInfo relation;
  relation.oid = reader.Number<Oid>();
  relation.kind = reader.Number<RelationKind>();
  relation.name = reader.Text();
  relation.storage = reader.Number<StorageId>();
  relation.table_oid = reader.Number<Oid>();
  const auto columns = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < columns && reader.ok(); ++i) {
    relation.columns.push_back(ReadColumn(reader));
  }
  const auto indexes = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < indexes && reader.ok(); ++i) {
    relation.indexes.push_back(ReadIndex(reader));
  }
  relation.sequence.start = reader.Number<int64_t>();
  relation.sequence.increment = reader.Number<int64_t>();
  relation.sequence.minimum = reader.Number<int64_t>();
  relation.sequence.maximum = reader.Number<int64_t>();
  relation.sequence.cycle = reader.Flag();
  if (!reader.ok() || !reader.at_end()) {
    return Status::Error(sqlstate::kInternalError, "catalog row is damaged");
  }
  return relation;
}

}  // namespace connbench::engine
