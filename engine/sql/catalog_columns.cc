// The catalogs of relations' columns: pg_attribute, pg_attrdef.
#include <fmt/format.h>

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "engine/sql/catalog_contents.h"
#include "engine/sql/catalog_text.h"
#include "engine/sql/system_view_fields.h"

namespace connbench::engine {
namespace {

namespace t = type_oid;

// ---- pg_attribute ----

struct AttributeRow {
  Oid relation = 0;
  std::string_view name;
  Type type;
  size_t number = 0;  // from 1
  bool not_null = false;
  bool has_default = false;
  bool has_missing = false;
  bool dropped = false;
  char identity = 0;
  TypeLayout layout;
};

constexpr auto kAttributeFields = std::to_array<ViewField<AttributeRow>>({
    {{"attrelid", t::kOid}, field::Number<&AttributeRow::relation>},
    {{"attname", t::kName},
     [](const AttributeRow& row, ViewRows& rows) {
       return rows.Text(row.dropped ? fmt::format("........pg.dropped.{}........", row.number)
                                    : std::string(row.name));
     }},
    {{"atttypid", t::kOid},
     [](const AttributeRow& row, ViewRows&) {
       return Value::Integer(row.dropped ? 0 : row.type.oid);
     }},
    {{"attstattarget", t::kInt4},
     [](const AttributeRow& row, ViewRows&) { return Value::Integer(row.dropped ? 0 : -1); }},
    {{"attlen", t::kInt2},
     [](const AttributeRow& row, ViewRows&) { return Value::Integer(row.layout.length); }},
    {{"attnum", t::kInt2}, field::Number<&AttributeRow::number>},
    {{"attndims", t::kInt4},
     [](const AttributeRow& row, ViewRows&) {
       const TypeInfo& type = GetType(row.type.oid);
       return Value::Integer(type.category == 'A' && type.name.starts_with('_') ? 1 : 0);
     }},
    {{"attcacheoff", t::kInt4}, field::Constant<-1>},
    {{"atttypmod", t::kInt4},
     [](const AttributeRow& row, ViewRows&) { return Value::Integer(row.type.modifier); }},
    {{"attbyval", t::kBool},
     [](const AttributeRow& row, ViewRows&) { return Value::Bool(row.layout.by_value); }},
    {{"attalign", t::kChar},
     [](const AttributeRow& row, ViewRows&) { return CharValue(row.layout.alignment); }},
    {{"attstorage", t::kChar},
     [](const AttributeRow& row, ViewRows&) { return CharValue(row.layout.storage); }},
    {{"attcompression", t::kChar}, field::ConstantChar<0>},
    {{"attnotnull", t::kBool}, field::Flag<&AttributeRow::not_null>},
    {{"atthasdef", t::kBool}, field::Flag<&AttributeRow::has_default>},
    {{"atthasmissing", t::kBool}, field::Flag<&AttributeRow::has_missing>},
    {{"attidentity", t::kChar}, field::Char<&AttributeRow::identity>},
    {{"attgenerated", t::kChar}, field::ConstantChar<0>},
    {{"attisdropped", t::kBool}, field::Flag<&AttributeRow::dropped>},
    {{"attislocal", t::kBool}, field::True},
    {{"attinhcount", t::kInt4}, field::Constant<0>},
    {{"attcollation", t::kOid},
     [](const AttributeRow& row, ViewRows&) { return Value::Integer(row.layout.collation); }},
    {{"attacl", t::kAclItemArray}, field::Null},
    {{"attoptions", t::kTextArray}, field::Null},
    {{"attfdwoptions", t::kTextArray}, field::Null},
    {{"attmissingval", t::kAnyArray}, field::Null},
});

AttributeRow AttributeRowOf(Oid relation, size_t number, std::string_view name, Type type) {
  AttributeRow row;
  row.relation = relation;
  row.number = number;
  row.name = name;
  row.type = type;
  row.layout = LayoutOf(type.oid);
  return row;
}

void AppendTableColumns(const RelationInfo& table, ViewRows& rows) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnInfo& column = table.columns[i];
    AttributeRow row =
        AttributeRowOf(table.oid, i + 1, column.name, {column.type_oid, column.type_modifier});
    row.not_null = column.not_null;
    row.has_default = !column.default_sql.empty();
    row.has_missing = !column.missing.empty();
    row.dropped = column.dropped;
    row.identity = column.identity == Identity::kAlways      ? 'a'
                   : column.identity == Identity::kByDefault ? 'd'
                                                             : '\0';
    AppendViewRow<kAttributeFields>(row, rows);
  }
  for (const IndexInfo& index : table.indexes) {
    for (size_t i = 0; i < index.key_columns.size(); ++i) {
      const ColumnInfo& column = table.columns[static_cast<size_t>(index.key_columns[i])];
      AppendViewRow<kAttributeFields>(
          AttributeRowOf(index.oid, i + 1, column.name, {column.type_oid, column.type_modifier}),
          rows);
    }
  }
}

Status ReadAttribute(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& relation : contents.relations) AppendTableColumns(*relation, rows);
  for (const SystemView* view : AllSystemViews()) {
    // As PostgreSQL marks them: of its tables all but what has no fixed width.
    bool fixed = view->is_table;
    for (size_t i = 0; i < view->columns.size(); ++i) {
      const SystemViewColumn& column = view->columns[i];
      AttributeRow row = AttributeRowOf(view->oid, i + 1, column.name, {column.type, -1});
      fixed = fixed && (row.layout.length > 0 || column.type == t::kInt2Vector ||
                        column.type == t::kOidVector);
      row.not_null = fixed;
      AppendViewRow<kAttributeFields>(row, rows);
    }
  }
  return {};
}

// ---- pg_attrdef ----

struct DefaultRow {
  Oid relation = 0;
  size_t number = 0;  // from 1
  std::string text;
};

constexpr auto kDefaultFields = std::to_array<ViewField<DefaultRow>>({
    {{"oid", t::kOid}, field::Null},  // a default has none
    {{"adrelid", t::kOid}, field::Number<&DefaultRow::relation>},
    {{"adnum", t::kInt2}, field::Number<&DefaultRow::number>},
    {{"adbin", t::kPgNodeTree}, field::Copy<&DefaultRow::text>},
});

Status ReadDefaults(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& relation : contents.relations) {
    for (size_t i = 0; i < relation->columns.size(); ++i) {
      if (relation->columns[i].default_sql.empty()) continue;
      DefaultRow row;
      row.relation = relation->oid;
      row.number = i + 1;
      CONNBENCH_ASSIGN_OR_RETURN(
          row.text, DefaultForPeople(relation->columns[i], input.execution.eval.environment));
      AppendViewRow<kDefaultFields>(row, rows);
    }
  }
  return {};
}

constexpr SystemView kColumnCatalogs[] = {
    {"pg_attribute", 1249, true, ViewColumnsOf<kAttributeFields>, &ReadAttribute},
    {"pg_attrdef", 2604, true, ViewColumnsOf<kDefaultFields>, &ReadDefaults},
};

}  // namespace

std::span<const SystemView> ColumnCatalogs() { return kColumnCatalogs; }

}  // namespace connbench::engine
