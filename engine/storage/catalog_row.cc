// The bytes of a catalog row: a RelationInfo written down.
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
  template <typename T>
  void Numbers(const std::vector<T>& values) {
    Number(static_cast<uint16_t>(values.size()));
    for (const T value : values) Number(value);
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
  template <typename T>
  std::vector<T> Numbers() {
    const auto count = Number<uint16_t>();
    std::vector<T> values;
    for (uint16_t i = 0; i < count && ok_; ++i) values.push_back(Number<T>());
    return values;
  }
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
  writer.Number<uint8_t>(index.constraint);
  writer.Number(index.usable_from_csn);
  writer.Numbers(index.key_columns);
}

IndexInfo ReadIndex(Reader& reader) {
  IndexInfo index;
  index.oid = reader.Number<Oid>();
  index.name = reader.Text();
  index.storage = reader.Number<StorageId>();
  index.unique = reader.Flag();
  index.primary = reader.Flag();
  index.constraint = reader.Flag();
  index.usable_from_csn = reader.Number<uint64_t>();
  index.key_columns = reader.Numbers<int16_t>();
  return index;
}

void WriteColumn(Writer& writer, const ColumnInfo& column) {
  writer.Text(column.name);
  writer.Number(column.type_oid);
  writer.Number(column.type_modifier);
  writer.Number<uint8_t>(column.not_null);
  writer.Text(column.default_sql);
  writer.Number(column.owned_sequence);
  writer.Number(column.identity);
  writer.Numbers(column.default_sequences);
  writer.Text(column.missing);
  writer.Number<uint8_t>(column.dropped);
}

ColumnInfo ReadColumn(Reader& reader) {
  ColumnInfo column;
  column.name = reader.Text();
  column.type_oid = reader.Number<Oid>();
  column.type_modifier = reader.Number<int32_t>();
  column.not_null = reader.Flag();
  column.default_sql = reader.Text();
  column.owned_sequence = reader.Number<Oid>();
  column.identity = reader.Number<Identity>();
  column.default_sequences = reader.Numbers<Oid>();
  column.missing = reader.Text();
  column.dropped = reader.Flag();
  return column;
}

void WriteForeignKey(Writer& writer, const ForeignKeyInfo& key) {
  writer.Number(key.oid);
  writer.Text(key.name);
  writer.Numbers(key.columns);
  writer.Numbers(key.referenced_columns);
  writer.Number(key.table_oid);
  writer.Number(key.index_oid);
  writer.Number(key.on_update);
  writer.Number(key.on_delete);
  writer.Numbers(key.set_columns);
  writer.Number<uint8_t>(key.match_full);
  writer.Number<uint8_t>(key.validated);
  writer.Number<uint8_t>(key.deferrable);
  writer.Number<uint8_t>(key.deferred);
}

ForeignKeyInfo ReadForeignKey(Reader& reader) {
  ForeignKeyInfo key;
  key.oid = reader.Number<Oid>();
  key.name = reader.Text();
  key.columns = reader.Numbers<int16_t>();
  key.referenced_columns = reader.Numbers<int16_t>();
  key.table_oid = reader.Number<Oid>();
  key.index_oid = reader.Number<Oid>();
  key.on_update = reader.Number<ForeignKeyAction>();
  key.on_delete = reader.Number<ForeignKeyAction>();
  key.set_columns = reader.Numbers<int16_t>();
  key.match_full = reader.Flag();
  key.validated = reader.Flag();
  key.deferrable = reader.Flag();
  key.deferred = reader.Flag();
  return key;
}

void WriteCheck(Writer& writer, const CheckInfo& check) {
  writer.Number(check.oid);
  writer.Text(check.name);
  writer.Text(check.sql);
  writer.Numbers(check.columns);
}

CheckInfo ReadCheck(Reader& reader) {
  CheckInfo check;
  check.oid = reader.Number<Oid>();
  check.name = reader.Text();
  check.sql = reader.Text();
  check.columns = reader.Numbers<int16_t>();
  return check;
}

void WriteView(Writer& writer, const ViewInfo& view) {
  writer.Number(view.rule_oid);
  writer.Text(view.sql);
  writer.Number<uint8_t>(view.own_names);
  writer.Number(static_cast<uint16_t>(view.references.size()));
  for (const ViewReference& reference : view.references) {
    writer.Number(reference.oid);
    writer.Text(reference.name);
    writer.Number(reference.width);
    writer.Number(static_cast<uint16_t>(reference.columns.size()));
    for (const ViewReference::Column& column : reference.columns) {
      writer.Number(column.number);
      writer.Text(column.name);
    }
    writer.Numbers(reference.dropped);
  }
  writer.Numbers(view.keys);
}

ViewInfo ReadView(Reader& reader) {
  ViewInfo view;
  view.rule_oid = reader.Number<Oid>();
  view.sql = reader.Text();
  view.own_names = reader.Flag();
  const auto references = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < references && reader.ok(); ++i) {
    ViewReference& reference = view.references.emplace_back();
    reference.oid = reader.Number<Oid>();
    reference.name = reader.Text();
    reference.width = reader.Number<int16_t>();
    const auto columns = reader.Number<uint16_t>();
    for (uint16_t j = 0; j < columns && reader.ok(); ++j) {
      const auto number = reader.Number<int16_t>();
      reference.columns.push_back({number, reader.Text()});
    }
    reference.dropped = reader.Numbers<int16_t>();
  }
  view.keys = reader.Numbers<Oid>();
  return view;
}

void WriteGrants(Writer& writer, const std::optional<std::vector<Grant>>& grants) {
  writer.Number<uint8_t>(grants.has_value());
  if (!grants) return;
  writer.Number(static_cast<uint16_t>(grants->size()));
  for (const Grant& grant : *grants) {
    writer.Number(grant.grantee);
    writer.Number(grant.privileges);
  }
}

std::optional<std::vector<Grant>> ReadGrants(Reader& reader) {
  if (!reader.Flag()) return std::nullopt;
  std::vector<Grant> grants;
  const auto count = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < count && reader.ok(); ++i) {
    const auto grantee = reader.Number<Oid>();
    grants.push_back({grantee, reader.Number<PrivilegeSet>()});
  }
  return grants;
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
  writer.Numbers(relation.generations);
  writer.Number(static_cast<uint16_t>(relation.indexes.size()));
  for (const IndexInfo& index : relation.indexes) WriteIndex(writer, index);
  writer.Number(static_cast<uint16_t>(relation.foreign_keys.size()));
  for (const ForeignKeyInfo& key : relation.foreign_keys) WriteForeignKey(writer, key);
  writer.Number(static_cast<uint16_t>(relation.references.size()));
  for (const ReferenceInfo& reference : relation.references) {
    writer.Number(reference.table_oid);
    writer.Number(reference.key_oid);
  }
  writer.Number(static_cast<uint16_t>(relation.checks.size()));
  for (const CheckInfo& check : relation.checks) WriteCheck(writer, check);
  writer.Number(relation.owner);
  WriteGrants(writer, relation.grants);
  writer.Number(relation.sequence.type_oid);
  writer.Number(relation.sequence.start);
  writer.Number(relation.sequence.increment);
  writer.Number(relation.sequence.minimum);
  writer.Number(relation.sequence.maximum);
  writer.Number<uint8_t>(relation.sequence.cycle);
  if (relation.kind == RelationKind::kView) WriteView(writer, relation.view);
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
  relation.generations = reader.Numbers<uint16_t>();
  const auto indexes = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < indexes && reader.ok(); ++i) {
    relation.indexes.push_back(ReadIndex(reader));
  }
  const auto foreign_keys = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < foreign_keys && reader.ok(); ++i) {
    relation.foreign_keys.push_back(ReadForeignKey(reader));
  }
  const auto references = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < references && reader.ok(); ++i) {
    const auto table_oid = reader.Number<Oid>();
    relation.references.push_back({table_oid, reader.Number<Oid>()});
  }
  const auto checks = reader.Number<uint16_t>();
  for (uint16_t i = 0; i < checks && reader.ok(); ++i) {
    relation.checks.push_back(ReadCheck(reader));
  }
  relation.owner = reader.Number<Oid>();
  relation.grants = ReadGrants(reader);
  relation.sequence.type_oid = reader.Number<Oid>();
  relation.sequence.start = reader.Number<int64_t>();
  relation.sequence.increment = reader.Number<int64_t>();
  relation.sequence.minimum = reader.Number<int64_t>();
  relation.sequence.maximum = reader.Number<int64_t>();
  relation.sequence.cycle = reader.Flag();
  if (relation.kind == RelationKind::kView) relation.view = ReadView(reader);
  if (!reader.ok() || !reader.at_end()) {
    return Status::Error(sqlstate::kInternalError, "catalog row is damaged");
  }
  return relation;
}

}  // namespace connbench::engine
