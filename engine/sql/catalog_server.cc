// The catalogs of what is not a relation: pg_namespace, pg_type, pg_am, pg_database, pg_tablespace,
// pg_collation.
#include <array>
#include <string>
#include <vector>

#include "engine/roles/access.h"
#include "engine/sql/catalog_contents.h"
#include "engine/sql/catalog_text.h"
#include "engine/sql/system_view_fields.h"

namespace connbench::engine {
namespace {

namespace t = type_oid;

// ---- pg_namespace ----

struct SchemaRow {
  Oid oid;
  std::vector<std::string> acl;
};

constexpr auto kSchemaFields = std::to_array<ViewField<SchemaRow>>({
    {{"oid", t::kOid}, field::Number<&SchemaRow::oid>},
    {{"nspname", t::kName},
     [](const SchemaRow& row, ViewRows&) { return Value::Text(SchemaName(row.oid)); }},
    {{"nspowner", t::kOid}, field::Constant<kSuperuserOid>},
    {{"nspacl", t::kAclItemArray},
     [](const SchemaRow& row, ViewRows& rows) { return rows.Array(t::kAclItem, row.acl); }},
});

Status ReadSchemas(const SystemViewInput& /*input*/, ViewRows& rows) {
  // Everybody may make relations in public.
  AppendViewRow<kSchemaFields>(
      SchemaRow{kCatalogSchemaOid, {"postgres=UC/postgres", "=U/postgres"}}, rows);
  AppendViewRow<kSchemaFields>(
      SchemaRow{kPublicSchemaOid, {"postgres=UC/postgres", "=UC/postgres"}}, rows);
  return {};
}

// ---- pg_type ----

char TypeKind(const TypeInfo& type) {
  return type.category == 'P' || type.oid == t::kUnknown ? 'p' : 'b';
}

constexpr auto kTypeFields = std::to_array<ViewField<TypeInfo>>({
    {{"oid", t::kOid}, field::Number<&TypeInfo::oid>},
    {{"typname", t::kName}, field::Copy<&TypeInfo::name>},
    {{"typnamespace", t::kOid}, field::Constant<kCatalogSchemaOid>},
    {{"typowner", t::kOid}, field::Constant<kSuperuserOid>},
    {{"typlen", t::kInt2}, field::Number<&TypeInfo::size>},
    {{"typbyval", t::kBool},
     [](const TypeInfo& row, ViewRows&) { return Value::Bool(LayoutOf(row.oid).by_value); }},
    {{"typtype", t::kChar},
     [](const TypeInfo& row, ViewRows&) { return CharValue(TypeKind(row)); }},
    {{"typcategory", t::kChar}, field::Char<&TypeInfo::category>},
    {{"typispreferred", t::kBool}, field::Flag<&TypeInfo::preferred>},
    {{"typisdefined", t::kBool}, field::True},
    {{"typdelim", t::kChar}, field::ConstantChar<','>},
    {{"typrelid", t::kOid}, field::Constant<0>},
    {{"typsubscript", t::kRegproc}, field::NoFunction},
    {{"typelem", t::kOid},
     [](const TypeInfo& row, ViewRows&) { return Value::Integer(row.element); }},
    {{"typarray", t::kOid},
     [](const TypeInfo& row, ViewRows&) { return Value::Integer(ArrayType(row.oid)); }},
    {{"typinput", t::kRegproc}, field::NoFunction},
    {{"typoutput", t::kRegproc}, field::NoFunction},
    {{"typreceive", t::kRegproc}, field::NoFunction},
    {{"typsend", t::kRegproc}, field::NoFunction},
    {{"typmodin", t::kRegproc}, field::NoFunction},
    {{"typmodout", t::kRegproc}, field::NoFunction},
    {{"typanalyze", t::kRegproc}, field::NoFunction},
    {{"typalign", t::kChar},
     [](const TypeInfo& row, ViewRows&) { return CharValue(LayoutOf(row.oid).alignment); }},
    {{"typstorage", t::kChar},
     [](const TypeInfo& row, ViewRows&) { return CharValue(LayoutOf(row.oid).storage); }},
    {{"typnotnull", t::kBool}, field::False},
    {{"typbasetype", t::kOid}, field::Constant<0>},
    {{"typtypmod", t::kInt4}, field::Constant<-1>},
    {{"typndims", t::kInt4}, field::Constant<0>},
    {{"typcollation", t::kOid},
     [](const TypeInfo& row, ViewRows&) { return Value::Integer(LayoutOf(row.oid).collation); }},
    {{"typdefaultbin", t::kPgNodeTree}, field::Null},
    {{"typdefault", t::kText}, field::Null},
    {{"typacl", t::kAclItemArray}, field::Null},
});

Status ReadTypes(const SystemViewInput& /*input*/, ViewRows& rows) {
  for (const TypeInfo& type : AllTypes()) AppendViewRow<kTypeFields>(type, rows);
  return {};
}

// ---- pg_am ----

struct AccessMethodRow {
  Oid oid;
  std::string_view name;
  char kind;
};

constexpr auto kAccessMethodFields = std::to_array<ViewField<AccessMethodRow>>({
    {{"oid", t::kOid}, field::Number<&AccessMethodRow::oid>},
    {{"amname", t::kName}, field::Copy<&AccessMethodRow::name>},
    {{"amhandler", t::kRegproc}, field::NoFunction},
    {{"amtype", t::kChar}, field::Char<&AccessMethodRow::kind>},
});

Status ReadAccessMethods(const SystemViewInput& /*input*/, ViewRows& rows) {
  AppendViewRow<kAccessMethodFields>(AccessMethodRow{kHeapMethodOid, "heap", 't'}, rows);
  AppendViewRow<kAccessMethodFields>(AccessMethodRow{kBtreeMethodOid, "btree", 'i'}, rows);
  return {};
}

// ---- pg_database: the server's one, under the name by which the client has asked for it ----

struct DatabaseRow {
  std::string_view name;
};

constexpr auto kDatabaseFields = std::to_array<ViewField<DatabaseRow>>({
    {{"oid", t::kOid}, field::Constant<kDatabaseOid>},
    {{"datname", t::kName}, field::Copy<&DatabaseRow::name>},
    {{"datdba", t::kOid}, field::Constant<kSuperuserOid>},
    {{"encoding", t::kInt4}, field::Constant<6>},  // UTF8
    {{"datlocprovider", t::kChar}, field::ConstantChar<'c'>},
    {{"datistemplate", t::kBool}, field::False},
    {{"datallowconn", t::kBool}, field::True},
    {{"datconnlimit", t::kInt4}, field::Constant<-1>},
    {{"datfrozenxid", t::kXid}, field::Constant<0>},
    {{"datminmxid", t::kXid}, field::Constant<0>},
    {{"dattablespace", t::kOid}, field::Constant<kDefaultTablespaceOid>},
    {{"datcollate", t::kText}, [](const DatabaseRow&, ViewRows&) { return Value::Text("C"); }},
    {{"datctype", t::kText}, [](const DatabaseRow&, ViewRows&) { return Value::Text("C"); }},
    {{"daticulocale", t::kText}, field::Null},
    {{"datcollversion", t::kText}, field::Null},
    {{"datacl", t::kAclItemArray}, field::Null},
});

Status ReadDatabases(const SystemViewInput& input, ViewRows& rows) {
  AppendViewRow<kDatabaseFields>(DatabaseRow{input.execution.eval.environment->database()}, rows);
  return {};
}

// ---- pg_tablespace ----

struct TablespaceRow {
  Oid oid;
  std::string_view name;
};

constexpr auto kTablespaceFields = std::to_array<ViewField<TablespaceRow>>({
    {{"oid", t::kOid}, field::Number<&TablespaceRow::oid>},
    {{"spcname", t::kName}, field::Copy<&TablespaceRow::name>},
    {{"spcowner", t::kOid}, field::Constant<kSuperuserOid>},
    {{"spcacl", t::kAclItemArray}, field::Null},
    {{"spcoptions", t::kTextArray}, field::Null},
});

Status ReadTablespaces(const SystemViewInput& /*input*/, ViewRows& rows) {
  AppendViewRow<kTablespaceFields>(TablespaceRow{kDefaultTablespaceOid, "pg_default"}, rows);
  return {};
}

// ---- pg_collation ----

struct CollationRow {
  Oid oid;
  std::string_view name;
  bool is_default;
};

Value CollationLocale(const CollationRow& row, ViewRows& rows) {
  return row.is_default ? Value::Null() : rows.Text(row.name);
}

constexpr auto kCollationFields = std::to_array<ViewField<CollationRow>>({
    {{"oid", t::kOid}, field::Number<&CollationRow::oid>},
    {{"collname", t::kName}, field::Copy<&CollationRow::name>},
    {{"collnamespace", t::kOid}, field::Constant<kCatalogSchemaOid>},
    {{"collowner", t::kOid}, field::Constant<kSuperuserOid>},
    {{"collprovider", t::kChar},
     [](const CollationRow& row, ViewRows&) { return CharValue(row.is_default ? 'd' : 'c'); }},
    {{"collisdeterministic", t::kBool}, field::True},
    {{"collencoding", t::kInt4}, field::Constant<-1>},
    {{"collcollate", t::kText}, CollationLocale},
    {{"collctype", t::kText}, CollationLocale},
    {{"colliculocale", t::kText}, field::Null},
    {{"collversion", t::kText}, field::Null},
});

Status ReadCollations(const SystemViewInput& /*input*/, ViewRows& rows) {
  constexpr Oid kPosixCollationOid = 951;
  AppendViewRow<kCollationFields>(CollationRow{kDefaultCollationOid, "default", true}, rows);
  AppendViewRow<kCollationFields>(CollationRow{kCCollationOid, "C", false}, rows);
  AppendViewRow<kCollationFields>(CollationRow{kPosixCollationOid, "POSIX", false}, rows);
  return {};
}

constexpr SystemView kServerCatalogs[] = {
    {"pg_namespace", 2615, true, ViewColumnsOf<kSchemaFields>, &ReadSchemas},
    {"pg_type", 1247, true, ViewColumnsOf<kTypeFields>, &ReadTypes},
    {"pg_am", 2601, true, ViewColumnsOf<kAccessMethodFields>, &ReadAccessMethods},
    {"pg_database", 1262, true, ViewColumnsOf<kDatabaseFields>, &ReadDatabases},
    {"pg_tablespace", 1213, true, ViewColumnsOf<kTablespaceFields>, &ReadTablespaces},
    {"pg_collation", 3456, true, ViewColumnsOf<kCollationFields>, &ReadCollations},
};

}  // namespace

std::span<const SystemView> ServerCatalogs() { return kServerCatalogs; }

}  // namespace connbench::engine
