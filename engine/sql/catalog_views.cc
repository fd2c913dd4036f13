// PostgreSQL's views of the catalogs: pg_roles, pg_user, pg_tables, pg_indexes, pg_sequences,
// pg_views, pg_settings.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/executor/types/type_io.h"
#include "engine/roles/access.h"
#include "engine/sql/catalog_contents.h"
#include "engine/sql/catalog_text.h"
#include "engine/sql/settings_table.h"
#include "engine/sql/system_view_fields.h"

namespace connbench::engine {
namespace {

namespace t = type_oid;

// ---- pg_roles, pg_user ----

// Nobody sees a password here.
template <typename Record>
Value HiddenPassword(const Record&, ViewRows&) {
  return Value::Text("********");
}

constexpr auto kRoleFields = std::to_array<ViewField<Role>>({
    {{"rolname", t::kName}, field::Copy<&Role::name>},
    {{"rolsuper", t::kBool}, field::Flag<&Role::superuser>},
    {{"rolinherit", t::kBool}, field::Flag<&Role::inherit>},
    {{"rolcreaterole", t::kBool}, field::Flag<&Role::superuser>},
    {{"rolcreatedb", t::kBool}, field::Flag<&Role::superuser>},
    {{"rolcanlogin", t::kBool}, field::Flag<&Role::can_login>},
    {{"rolreplication", t::kBool}, field::False},
    {{"rolconnlimit", t::kInt4}, field::Constant<-1>},
    {{"rolpassword", t::kText}, HiddenPassword},
    {{"rolvaliduntil", t::kTimestamptz}, field::Null},
    {{"rolbypassrls", t::kBool}, field::Flag<&Role::superuser>},
    {{"rolconfig", t::kTextArray}, field::Null},
    {{"oid", t::kOid}, field::Number<&Role::oid>},
});

constexpr auto kUserFields = std::to_array<ViewField<Role>>({
    {{"usename", t::kName}, field::Copy<&Role::name>},
    {{"usesysid", t::kOid}, field::Number<&Role::oid>},
    {{"usecreatedb", t::kBool}, field::Flag<&Role::superuser>},
    {{"usesuper", t::kBool}, field::Flag<&Role::superuser>},
    {{"userepl", t::kBool}, field::False},
    {{"usebypassrls", t::kBool}, field::Flag<&Role::superuser>},
    {{"passwd", t::kText}, HiddenPassword},
    {{"valuntil", t::kTimestamptz}, field::Null},
    {{"useconfig", t::kTextArray}, field::Null},
});

Result<std::vector<Role>> ReadRoleList(const SystemViewInput& input) {
  return RoleTable(*input.execution.storage)
      .List(*input.execution.transaction, input.execution.snapshot);
}

Status ReadRoles(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Role> roles, ReadRoleList(input));
  for (const Role& role : roles) AppendViewRow<kRoleFields>(role, rows);
  return {};
}

Status ReadUsers(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Role> roles, ReadRoleList(input));
  for (const Role& role : roles) {
    if (role.can_login) AppendViewRow<kUserFields>(role, rows);
  }
  return {};
}

// ---- pg_tables, pg_indexes, pg_sequences ----

struct NamedRow {
  std::string_view schema;
  std::string_view name;
  std::string owner;
  bool has_index = false;
  bool has_triggers = false;
  std::optional<std::string> definition;  // of a view; those of the system are no SQL
};

constexpr auto kTableFields = std::to_array<ViewField<NamedRow>>({
    {{"schemaname", t::kName}, field::Copy<&NamedRow::schema>},
    {{"tablename", t::kName}, field::Copy<&NamedRow::name>},
    {{"tableowner", t::kName}, field::Copy<&NamedRow::owner>},
    {{"tablespace", t::kName}, field::Null},
    {{"hasindexes", t::kBool}, field::Flag<&NamedRow::has_index>},
    {{"hasrules", t::kBool}, field::False},
    {{"hastriggers", t::kBool}, field::Flag<&NamedRow::has_triggers>},
    {{"rowsecurity", t::kBool}, field::False},
});

constexpr auto kViewFields = std::to_array<ViewField<NamedRow>>({
    {{"schemaname", t::kName}, field::Copy<&NamedRow::schema>},
    {{"viewname", t::kName}, field::Copy<&NamedRow::name>},
    {{"viewowner", t::kName}, field::Copy<&NamedRow::owner>},
    {{"definition", t::kText}, field::CopyIfAny<&NamedRow::definition>},
});

// Those of pg_catalog that are no stored tables.
template <const auto& kFields>
void AppendSystemViews(const CatalogContents& contents, bool tables, ViewRows& rows) {
  for (const SystemView* view : AllSystemViews()) {
    if (view->is_table != tables) continue;
    NamedRow row;
    row.schema = SchemaName(kCatalogSchemaOid);
    row.name = view->name;
    row.owner = contents.OwnerName(kSuperuserOid);
    AppendViewRow<kFields>(row, rows);
  }
}

Status ReadTables(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& relation : contents.relations) {
    if (relation->kind != RelationKind::kTable) continue;
    NamedRow row;
    row.schema = SchemaName(SchemaOf(relation->oid));
    row.name = relation->name;
    row.owner = contents.OwnerName(relation->owner);
    row.has_index = !relation->indexes.empty();
    row.has_triggers = contents.HasForeignKeys(*relation);
    AppendViewRow<kTableFields>(row, rows);
  }
  AppendSystemViews<kTableFields>(contents, true, rows);
  return {};
}

Status ReadViews(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  ExecutionContext& execution = input.execution;
  for (const RelationRef& relation : contents.relations) {
    if (relation->kind != RelationKind::kView) continue;
    NamedRow row;
    row.schema = SchemaName(SchemaOf(relation->oid));
    row.name = relation->name;
    row.owner = contents.OwnerName(relation->owner);
    CONNBENCH_ASSIGN_OR_RETURN(
        const std::string_view text,
        execution.eval.environment->DescribeObject(CatalogText::kViewDefinition, relation->oid,
                                                   *execution.eval.arena));
    if (text.data() != nullptr) row.definition = text;
    AppendViewRow<kViewFields>(row, rows);
  }
  AppendSystemViews<kViewFields>(contents, false, rows);
  return {};
}

struct IndexViewRow {
  std::string_view schema;
  std::string_view table;
  std::string_view name;
  std::string definition;
};

constexpr auto kIndexViewFields = std::to_array<ViewField<IndexViewRow>>({
    {{"schemaname", t::kName}, field::Copy<&IndexViewRow::schema>},
    {{"tablename", t::kName}, field::Copy<&IndexViewRow::table>},
    {{"indexname", t::kName}, field::Copy<&IndexViewRow::name>},
    {{"tablespace", t::kName}, field::Null},
    {{"indexdef", t::kText}, field::Copy<&IndexViewRow::definition>},
});

Status ReadIndexes(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& table : contents.relations) {
    for (const IndexInfo& index : table->indexes) {
      AppendViewRow<kIndexViewFields>(
          IndexViewRow{SchemaName(SchemaOf(table->oid)), table->name, index.name,
                       IndexDefinitionText(*table, index, true)},
          rows);
    }
  }
  return {};
}

struct SequenceViewRow {
  const RelationInfo& sequence;
  std::string owner;
  std::optional<int64_t> last_value;
};

template <auto member>
Value OfSequenceInfo(const SequenceViewRow& row, ViewRows&) {
  return Value::Integer(static_cast<int64_t>(row.sequence.sequence.*member));
}

constexpr auto kSequenceViewFields = std::to_array<ViewField<SequenceViewRow>>({
    {{"schemaname", t::kName},
     [](const SequenceViewRow& row, ViewRows&) {
       return Value::Text(SchemaName(SchemaOf(row.sequence.oid)));
     }},
    {{"sequencename", t::kName},
     [](const SequenceViewRow& row, ViewRows& rows) { return rows.Text(row.sequence.name); }},
    {{"sequenceowner", t::kName}, field::Copy<&SequenceViewRow::owner>},
    {{"data_type", t::kRegtype}, OfSequenceInfo<&SequenceInfo::type_oid>},
    {{"start_value", t::kInt8}, OfSequenceInfo<&SequenceInfo::start>},
    {{"min_value", t::kInt8}, OfSequenceInfo<&SequenceInfo::minimum>},
    {{"max_value", t::kInt8}, OfSequenceInfo<&SequenceInfo::maximum>},
    {{"increment_by", t::kInt8}, OfSequenceInfo<&SequenceInfo::increment>},
    {{"cycle", t::kBool}, OfSequenceInfo<&SequenceInfo::cycle>},
    {{"cache_size", t::kInt8}, field::Constant<1>},
    {{"last_value", t::kInt8}, field::NumberIfAny<&SequenceViewRow::last_value>},
});

Status ReadSequences(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  const SessionRole role = RoleOfReader(input);
  for (const RelationRef& relation : contents.relations) {
    if (relation->kind != RelationKind::kSequence) continue;
    SequenceViewRow row{*relation, contents.OwnerName(relation->owner), {}};
    int64_t last = 0;
    const bool may_see = RequireAny(role, *relation, privilege::kSelect | privilege::kUsage).ok();
    if (may_see && input.catalog.LastValue(relation, last)) row.last_value = last;
    AppendViewRow<kSequenceViewFields>(row, rows);
  }
  return {};
}

// ---- pg_settings ----

struct SettingRow {
  const SettingDefinition& definition;
  std::string value;  // in the setting's unit
};

bool IsNumber(const SettingRow& row) {
  return row.definition.kind == SettingKind::kInteger || row.definition.kind == SettingKind::kReal;
}
// As SHOW prints it, in the setting's unit.
std::string InUnit(const SettingDefinition& definition, std::string_view shown) {
  if (definition.kind != SettingKind::kInteger) return std::string(shown);
  return std::to_string(IntegerValue(definition, shown));
}
Value Bound(const SettingRow& row, double bound, ViewRows& rows) {
  if (!IsNumber(row)) return Value::Null();
  if (row.definition.kind == SettingKind::kInteger) {
    return rows.Text(std::to_string(static_cast<int64_t>(bound)));
  }
  Arena arena;
  std::string_view text;
  const Status status = FormatText(t::kFloat8, Value::Real(bound), {&arena}, text);
  return status.ok() ? rows.Text(text) : Value::Null();
}

constexpr auto kSettingFields = std::to_array<ViewField<SettingRow>>({
    {{"name", t::kText},
     [](const SettingRow& row, ViewRows&) { return Value::Text(row.definition.name); }},
    {{"setting", t::kText}, field::Copy<&SettingRow::value>},
    {{"unit", t::kText},
     [](const SettingRow& row, ViewRows&) {
       return row.definition.unit.empty() ? Value::Null() : Value::Text(row.definition.unit);
     }},
    {{"category", t::kText}, field::Null},
    {{"short_desc", t::kText},
     [](const SettingRow& row, ViewRows&) { return Value::Text(row.definition.description); }},
    {{"extra_desc", t::kText}, field::Null},
    {{"context", t::kText},
     [](const SettingRow& row, ViewRows&) {
       switch (row.definition.context) {
         case SettingContext::kUser:
           return Value::Text("user");
         case SettingContext::kPostmaster:
           return Value::Text("postmaster");
         case SettingContext::kInternal:
           break;
       }
       return Value::Text("internal");
     }},
    {{"vartype", t::kText},
     [](const SettingRow& row, ViewRows&) {
       constexpr std::string_view kKinds[] = {"bool", "integer", "real", "string", "enum"};
       return Value::Text(kKinds[static_cast<size_t>(row.definition.kind)]);
     }},
    {{"source", t::kText}, field::Null},  // where a value comes from is not kept
    {{"min_val", t::kText},
     [](const SettingRow& row, ViewRows& rows) { return Bound(row, row.definition.min, rows); }},
    {{"max_val", t::kText},
     [](const SettingRow& row, ViewRows& rows) { return Bound(row, row.definition.max, rows); }},
    {{"enumvals", t::kTextArray},
     [](const SettingRow& row, ViewRows& rows) {
       if (row.definition.kind != SettingKind::kEnum) return Value::Null();
       std::vector<std::string> values;
       for (std::string_view rest = row.definition.enum_values; !rest.empty();) {
         const std::string_view value = rest.substr(0, rest.find('|'));
         values.emplace_back(value);
         rest.remove_prefix(std::min(rest.size(), value.size() + 1));
       }
       return rows.Array(t::kText, values);
     }},
    {{"boot_val", t::kText},
     [](const SettingRow& row, ViewRows& rows) {
       const std::string_view value = row.definition.default_value;
       return value.empty() ? Value::Null() : rows.Text(InUnit(row.definition, value));
     }},
    {{"reset_val", t::kText}, field::Null},
    {{"sourcefile", t::kText}, field::Null},
    {{"sourceline", t::kInt4}, field::Null},
    {{"pending_restart", t::kBool}, field::False},
});

Status ReadSettings(const SystemViewInput& input, ViewRows& rows) {
  Arena arena;
  for (const SettingDefinition& definition : SettingDefinitions()) {
    CONNBENCH_ASSIGN_OR_RETURN(
        const std::string_view shown,
        input.execution.eval.environment->CurrentSetting(definition.name, false, arena));
    AppendViewRow<kSettingFields>(SettingRow{definition, InUnit(definition, shown)}, rows);
  }
  return {};
}

// Without a number of their own in PostgreSQL, which gives them one when a cluster is made.
constexpr SystemView kCatalogViews[] = {
    {"pg_roles", 12000, false, ViewColumnsOf<kRoleFields>, &ReadRoles},
    {"pg_user", 12001, false, ViewColumnsOf<kUserFields>, &ReadUsers},
    {"pg_tables", 12002, false, ViewColumnsOf<kTableFields>, &ReadTables},
    {"pg_views", 12003, false, ViewColumnsOf<kViewFields>, &ReadViews},
    {"pg_indexes", 12004, false, ViewColumnsOf<kIndexViewFields>, &ReadIndexes},
    {"pg_sequences", 12005, false, ViewColumnsOf<kSequenceViewFields>, &ReadSequences},
    {"pg_settings", 12006, false, ViewColumnsOf<kSettingFields>, &ReadSettings},
};

}  // namespace

std::span<const SystemView> CatalogViews() { return kCatalogViews; }

}  // namespace connbench::engine
