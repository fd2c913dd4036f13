// The catalogs of relations: pg_class, pg_index, pg_constraint, pg_sequence, pg_depend.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/roles/access.h"
#include "engine/sql/catalog_contents.h"
#include "engine/sql/catalog_text.h"
#include "engine/sql/system_view_fields.h"

namespace connbench::engine {
namespace {

namespace t = type_oid;

// ---- pg_class ----

struct ClassRow {
  Oid oid = 0;
  std::string_view name;
  Oid owner = kSuperuserOid;
  Oid access_method = 0;
  int64_t file = 0;
  RelationStatistics size;
  char kind = 'r';
  char identity = 'n';  // relreplident
  size_t columns = 0;
  size_t checks = 0;
  bool has_index = false;
  bool shared = false;
  bool has_triggers = false;  // those that PostgreSQL has for foreign keys
  std::optional<std::vector<std::string>> acl;

  Oid schema() const { return SchemaOf(oid); }
};

constexpr auto kClassFields = std::to_array<ViewField<ClassRow>>({
    {{"oid", t::kOid}, field::Number<&ClassRow::oid>},
    {{"relname", t::kName}, field::Copy<&ClassRow::name>},
    {{"relnamespace", t::kOid},
     [](const ClassRow& row, ViewRows&) { return Value::Integer(row.schema()); }},
    {{"reltype", t::kOid}, field::Constant<0>},  // rows have no types
    {{"reloftype", t::kOid}, field::Constant<0>},
    {{"relowner", t::kOid}, field::Number<&ClassRow::owner>},
    {{"relam", t::kOid}, field::Number<&ClassRow::access_method>},
    {{"relfilenode", t::kOid}, field::Number<&ClassRow::file>},
    {{"reltablespace", t::kOid}, field::Constant<0>},
    {{"relpages", t::kInt4},
     [](const ClassRow& row, ViewRows&) { return Value::Integer(row.size.pages); }},
    {{"reltuples", t::kFloat4},
     [](const ClassRow& row, ViewRows&) { return Value::Real(static_cast<float>(row.size.rows)); }},
    {{"relallvisible", t::kInt4}, field::Constant<0>},
    {{"reltoastrelid", t::kOid}, field::Constant<0>},
    {{"relhasindex", t::kBool}, field::Flag<&ClassRow::has_index>},
    {{"relisshared", t::kBool}, field::Flag<&ClassRow::shared>},
    {{"relpersistence", t::kChar}, field::ConstantChar<'p'>},
    {{"relkind", t::kChar}, field::Char<&ClassRow::kind>},
    {{"relnatts", t::kInt2}, field::Number<&ClassRow::columns>},
    {{"relchecks", t::kInt2}, field::Number<&ClassRow::checks>},
    {{"relhasrules", t::kBool},
     [](const ClassRow& row, ViewRows&) { return Value::Bool(row.kind == 'v'); }},
    {{"relhastriggers", t::kBool}, field::Flag<&ClassRow::has_triggers>},
    {{"relhassubclass", t::kBool}, field::False},
    {{"relrowsecurity", t::kBool}, field::False},
    {{"relforcerowsecurity", t::kBool}, field::False},
    {{"relispopulated", t::kBool}, field::True},
    {{"relreplident", t::kChar}, field::Char<&ClassRow::identity>},
    {{"relispartition", t::kBool}, field::False},
    {{"relrewrite", t::kOid}, field::Constant<0>},
    {{"relfrozenxid", t::kXid}, field::Constant<0>},
    {{"relminmxid", t::kXid}, field::Constant<0>},
    {{"relacl", t::kAclItemArray},
     [](const ClassRow& row,
        ViewRows& rows) { return row.acl ? rows.Array(t::kAclItem, *row.acl) : Value::Null(); }},
    {{"reloptions", t::kTextArray}, field::Null},
    {{"relpartbound", t::kPgNodeTree}, field::Null},
});

// Those of PostgreSQL's catalogs that all databases of a server share.
bool IsShared(Oid relation) {
  constexpr Oid kShared[] = {1213, 1260, 1261, 1262, 2396};
  return std::find(std::begin(kShared), std::end(kShared), relation) != std::end(kShared);
}

ClassRow ClassRowOf(const RelationRef& relation, const CatalogContents& contents,
                    const Catalog& catalog) {
  ClassRow row;
  row.oid = relation->oid;
  row.name = relation->name;
  row.owner = relation->owner;
  row.file = relation->storage;
  row.size = catalog.Statistics(relation);
  row.shared = IsShared(relation->oid);
  const RelationInfo* table = nullptr;
  switch (relation->kind) {
    case RelationKind::kTable:
      row.access_method = kHeapMethodOid;
      row.columns = relation->columns.size();
      row.checks = relation->checks.size();
      row.has_index = !relation->indexes.empty();
      row.identity = relation->oid < kFirstUserOid ? 'n' : 'd';
      row.has_triggers = contents.HasForeignKeys(*relation);
      break;
    case RelationKind::kIndex:
      row.kind = 'i';
      row.access_method = kBtreeMethodOid;
      table = contents.Find(relation->table_oid);
      if (table == nullptr) break;
      row.owner = table->owner;
      for (const IndexInfo& index : table->indexes) {
        if (index.oid == relation->oid) row.columns = index.key_columns.size();
      }
      break;
    case RelationKind::kSequence:
      row.kind = 'S';
      break;
    case RelationKind::kView:
      row.kind = 'v';
      row.columns = relation->columns.size();
      break;
  }
  if (relation->grants) {
    row.acl = AclItems(*relation, [&](Oid role) { return contents.RoleName(role); });
  }
  return row;
}

ClassRow ClassRowOf(const SystemView& view, const CatalogContents& contents) {
  ClassRow row;
  row.oid = view.oid;
  row.name = view.name;
  row.kind = view.is_table ? 'r' : 'v';
  row.access_method = view.is_table ? kHeapMethodOid : 0;
  row.columns = view.columns.size();
  row.shared = IsShared(view.oid);
  RelationInfo readable;
  readable.grants =
      std::vector<Grant>{{kSuperuserOid, privilege::kAllOfTable}, {kPublicOid, privilege::kSelect}};
  row.acl = AclItems(readable, [&](Oid role) { return contents.RoleName(role); });
  return row;
}

Status ReadClass(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& relation : contents.relations) {
    AppendViewRow<kClassFields>(ClassRowOf(relation, contents, input.catalog), rows);
  }
  for (const SystemView* view : AllSystemViews()) {
    AppendViewRow<kClassFields>(ClassRowOf(*view, contents), rows);
  }
  return {};
}

// ---- pg_index ----

struct IndexRow {
  const RelationInfo& table;
  const IndexInfo& index;

  // One number for each key column, as an int2vector or oidvector.
  template <typename Number>
  Value Vector(Oid element, ViewRows& rows, Number&& number) const {
    std::vector<Value> numbers;
    for (const int16_t column : index.key_columns) {
      numbers.push_back(Value::Integer(number(column)));
    }
    return rows.Array(element, std::span<const Value>(numbers), 0);
  }
};

Value KeyCount(const IndexRow& row, ViewRows&) {
  return Value::Integer(static_cast<int64_t>(row.index.key_columns.size()));
}
template <Oid kElement>
Value Zeros(const IndexRow& row, ViewRows& rows) {
  return row.Vector(kElement, rows, [](int16_t) { return 0; });
}

constexpr auto kIndexFields = std::to_array<ViewField<IndexRow>>({
    {{"indexrelid", t::kOid},
     [](const IndexRow& row, ViewRows&) { return Value::Integer(row.index.oid); }},
    {{"indrelid", t::kOid},
     [](const IndexRow& row, ViewRows&) { return Value::Integer(row.table.oid); }},
    {{"indnatts", t::kInt2}, KeyCount},
    {{"indnkeyatts", t::kInt2}, KeyCount},
    {{"indisunique", t::kBool},
     [](const IndexRow& row, ViewRows&) { return Value::Bool(row.index.unique); }},
    {{"indnullsnotdistinct", t::kBool}, field::False},
    {{"indisprimary", t::kBool},
     [](const IndexRow& row, ViewRows&) { return Value::Bool(row.index.primary); }},
    {{"indisexclusion", t::kBool}, field::False},
    {{"indimmediate", t::kBool}, field::True},
    {{"indisclustered", t::kBool}, field::False},
    {{"indisvalid", t::kBool}, field::True},
    {{"indcheckxmin", t::kBool}, field::False},
    {{"indisready", t::kBool}, field::True},
    {{"indislive", t::kBool}, field::True},
    {{"indisreplident", t::kBool}, field::False},
    {{"indkey", t::kInt2Vector},
     [](const IndexRow& row, ViewRows& rows) {
       return row.Vector(t::kInt2, rows, [](int16_t column) { return column + 1; });
     }},
    {{"indcollation", t::kOidVector},
     [](const IndexRow& row, ViewRows& rows) {
       return row.Vector(t::kOid, rows, [&row](int16_t column) {
         return LayoutOf(row.table.columns[static_cast<size_t>(column)].type_oid).collation;
       });
     }},
    {{"indclass", t::kOidVector}, Zeros<t::kOid>},  // there are no operator classes
    {{"indoption", t::kInt2Vector}, Zeros<t::kInt2>},
    {{"indexprs", t::kPgNodeTree}, field::Null},
    {{"indpred", t::kPgNodeTree}, field::Null},
});

Status ReadIndexCatalog(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& table : contents.relations) {
    for (const IndexInfo& index : table->indexes) {
      AppendViewRow<kIndexFields>(IndexRow{*table, index}, rows);
    }
  }
  return {};
}

// ---- pg_constraint ----

struct ConstraintRow {
  Oid oid = 0;
  std::string_view name;
  char kind = 'p';
  Oid table = 0;
  Oid index = 0;
  Oid referenced = 0;
  char on_update = ' ';
  char on_delete = ' ';
  char match = ' ';
  bool deferrable = false;
  bool deferred = false;
  bool valid = true;
  bool no_inherit = true;
  const std::vector<int16_t>* columns = nullptr;             // from 0
  const std::vector<int16_t>* referenced_columns = nullptr;  // null: none
  const std::vector<int16_t>* set_columns = nullptr;         // null: all, or none
};

Value ColumnNumbers(const std::vector<int16_t>* columns, ViewRows& rows) {
  if (columns == nullptr) return Value::Null();
  std::vector<Value> numbers;
  for (const int16_t column : *columns) numbers.push_back(Value::Integer(column + 1));
  return rows.Array(t::kInt2, std::span<const Value>(numbers));
}

constexpr auto kConstraintFields = std::to_array<ViewField<ConstraintRow>>({
    {{"oid", t::kOid}, field::Number<&ConstraintRow::oid>},
    {{"conname", t::kName}, field::Copy<&ConstraintRow::name>},
    {{"connamespace", t::kOid},
     [](const ConstraintRow& row, ViewRows&) { return Value::Integer(SchemaOf(row.table)); }},
    {{"contype", t::kChar}, field::Char<&ConstraintRow::kind>},
    {{"condeferrable", t::kBool}, field::Flag<&ConstraintRow::deferrable>},
    {{"condeferred", t::kBool}, field::Flag<&ConstraintRow::deferred>},
    {{"convalidated", t::kBool}, field::Flag<&ConstraintRow::valid>},
    {{"conrelid", t::kOid}, field::Number<&ConstraintRow::table>},
    {{"contypid", t::kOid}, field::Constant<0>},
    {{"conindid", t::kOid}, field::Number<&ConstraintRow::index>},
    {{"conparentid", t::kOid}, field::Constant<0>},
    {{"confrelid", t::kOid}, field::Number<&ConstraintRow::referenced>},
    {{"confupdtype", t::kChar}, field::Char<&ConstraintRow::on_update>},
    {{"confdeltype", t::kChar}, field::Char<&ConstraintRow::on_delete>},
    {{"confmatchtype", t::kChar}, field::Char<&ConstraintRow::match>},
    {{"conislocal", t::kBool}, field::True},
    {{"coninhcount", t::kInt4}, field::Constant<0>},
    {{"connoinherit", t::kBool}, field::Flag<&ConstraintRow::no_inherit>},
    {{"conkey", t::kInt2Array},
     [](const ConstraintRow& row, ViewRows& rows) { return ColumnNumbers(row.columns, rows); }},
    {{"confkey", t::kInt2Array},
     [](const ConstraintRow& row,
        ViewRows& rows) { return ColumnNumbers(row.referenced_columns, rows); }},
    {{"conpfeqop", t::kOidArray}, field::Null},
    {{"conppeqop", t::kOidArray}, field::Null},
    {{"conffeqop", t::kOidArray}, field::Null},
    {{"confdelsetcols", t::kInt2Array},
     [](const ConstraintRow& row, ViewRows& rows) { return ColumnNumbers(row.set_columns, rows); }},
    {{"conexclop", t::kOidArray}, field::Null},
    {{"conbin", t::kPgNodeTree}, field::Null},
});

void AppendConstraints(const RelationInfo& table, ViewRows& rows) {
  for (const IndexInfo& index : table.indexes) {
    if (!index.constraint) continue;
    ConstraintRow row;
    row.oid = index.oid;  // the constraint has the index's name, and its oid
    row.name = index.name;
    row.kind = index.primary ? 'p' : 'u';
    row.table = table.oid;
    row.index = index.oid;
    row.columns = &index.key_columns;
    AppendViewRow<kConstraintFields>(row, rows);
  }
  for (const CheckInfo& check : table.checks) {
    ConstraintRow row;
    row.oid = check.oid;
    row.name = check.name;
    row.kind = 'c';
    row.table = table.oid;
    row.no_inherit = false;
    if (!check.columns.empty()) row.columns = &check.columns;
    AppendViewRow<kConstraintFields>(row, rows);
  }
  for (const ForeignKeyInfo& key : table.foreign_keys) {
    ConstraintRow row;
    row.oid = key.oid;
    row.name = key.name;
    row.kind = 'f';
    row.table = table.oid;
    row.index = key.index_oid;
    row.referenced = key.table_oid;
    row.on_update = static_cast<char>(key.on_update);
    row.on_delete = static_cast<char>(key.on_delete);
    row.match = key.match_full ? 'f' : 's';
    row.deferrable = key.deferrable;
    row.deferred = key.deferred;
    row.valid = key.validated;
    row.columns = &key.columns;
    row.referenced_columns = &key.referenced_columns;
    if (!key.set_columns.empty()) row.set_columns = &key.set_columns;
    AppendViewRow<kConstraintFields>(row, rows);
  }
}

Status ReadConstraint(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& table : contents.relations) AppendConstraints(*table, rows);
  return {};
}

// ---- pg_sequence ----

constexpr auto kSequenceFields = std::to_array<ViewField<RelationInfo>>({
    {{"seqrelid", t::kOid}, field::Number<&RelationInfo::oid>},
    {{"seqtypid", t::kOid},
     [](const RelationInfo& row, ViewRows&) { return Value::Integer(row.sequence.type_oid); }},
    {{"seqstart", t::kInt8},
     [](const RelationInfo& row, ViewRows&) { return Value::Integer(row.sequence.start); }},
    {{"seqincrement", t::kInt8},
     [](const RelationInfo& row, ViewRows&) { return Value::Integer(row.sequence.increment); }},
    {{"seqmax", t::kInt8},
     [](const RelationInfo& row, ViewRows&) { return Value::Integer(row.sequence.maximum); }},
    {{"seqmin", t::kInt8},
     [](const RelationInfo& row, ViewRows&) { return Value::Integer(row.sequence.minimum); }},
    {{"seqcache", t::kInt8}, field::Constant<1>},
    {{"seqcycle", t::kBool},
     [](const RelationInfo& row, ViewRows&) { return Value::Bool(row.sequence.cycle); }},
});

Status ReadSequence(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& relation : contents.relations) {
    if (relation->kind == RelationKind::kSequence) AppendViewRow<kSequenceFields>(*relation, rows);
  }
  return {};
}

// ---- pg_rewrite: the rules that views are in PostgreSQL ----

constexpr auto kRuleFields = std::to_array<ViewField<RelationInfo>>({
    {{"oid", t::kOid},
     [](const RelationInfo& view, ViewRows&) { return Value::Integer(view.view.rule_oid); }},
    {{"rulename", t::kName}, [](const RelationInfo&, ViewRows&) { return Value::Text("_RETURN"); }},
    {{"ev_class", t::kOid}, field::Number<&RelationInfo::oid>},
    {{"ev_type", t::kChar}, field::ConstantChar<'1'>},
    {{"ev_enabled", t::kChar}, field::ConstantChar<'O'>},
    {{"is_instead", t::kBool}, field::True},
    {{"ev_qual", t::kPgNodeTree}, field::Null},
    {{"ev_action", t::kPgNodeTree}, field::Null},  // pg_get_viewdef() shows it
});

Status ReadRules(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& relation : contents.relations) {
    if (relation->kind == RelationKind::kView) AppendViewRow<kRuleFields>(*relation, rows);
  }
  return {};
}

// ---- pg_depend: which column owns which sequence, what views read; the rest is not kept ----

struct DependencyRow {
  Oid catalog = 0;
  Oid object = 0;
  Oid relation = 0;
  size_t column = 0;  // from 1; 0: the relation
  char kind = 'a';
};

constexpr auto kDependencyFields = std::to_array<ViewField<DependencyRow>>({
    {{"classid", t::kOid}, field::Number<&DependencyRow::catalog>},
    {{"objid", t::kOid}, field::Number<&DependencyRow::object>},
    {{"objsubid", t::kInt4}, field::Constant<0>},
    {{"refclassid", t::kOid}, field::Constant<kClassCatalogOid>},
    {{"refobjid", t::kOid}, field::Number<&DependencyRow::relation>},
    {{"refobjsubid", t::kInt4}, field::Number<&DependencyRow::column>},
    {{"deptype", t::kChar}, field::Char<&DependencyRow::kind>},
});

void AppendViewDependencies(const RelationInfo& view, ViewRows& rows) {
  DependencyRow row{kRewriteCatalogOid, view.view.rule_oid, view.oid, 0, 'i'};
  AppendViewRow<kDependencyFields>(row, rows);
  row.kind = 'n';
  AppendViewRow<kDependencyFields>(row, rows);
  for (const ViewReference& reference : view.view.references) {
    row.relation = reference.oid;
    row.column = 0;
    if (reference.columns.empty()) AppendViewRow<kDependencyFields>(row, rows);
    for (const ViewReference::Column& used : reference.columns) {
      row.column = static_cast<size_t>(used.number) + 1;
      AppendViewRow<kDependencyFields>(row, rows);
    }
  }
}

Status ReadDependencies(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& table : contents.relations) {
    if (table->kind == RelationKind::kView) AppendViewDependencies(*table, rows);
    for (size_t i = 0; i < table->columns.size(); ++i) {
      const ColumnInfo& column = table->columns[i];
      if (column.owned_sequence == 0) continue;
      const char kind = column.identity == Identity::kNone ? 'a' : 'i';
      AppendViewRow<kDependencyFields>(
          DependencyRow{kClassCatalogOid, column.owned_sequence, table->oid, i + 1, kind}, rows);
    }
  }
  return {};
}

constexpr SystemView kRelationCatalogs[] = {
    {"pg_class", kClassCatalogOid, true, ViewColumnsOf<kClassFields>, &ReadClass},
    {"pg_index", 2610, true, ViewColumnsOf<kIndexFields>, &ReadIndexCatalog},
    {"pg_constraint", 2606, true, ViewColumnsOf<kConstraintFields>, &ReadConstraint},
    {"pg_sequence", 2224, true, ViewColumnsOf<kSequenceFields>, &ReadSequence},
    {"pg_depend", 2608, true, ViewColumnsOf<kDependencyFields>, &ReadDependencies},
    {"pg_rewrite", kRewriteCatalogOid, true, ViewColumnsOf<kRuleFields>, &ReadRules},
};

}  // namespace

std::span<const SystemView> RelationCatalogs() { return kRelationCatalogs; }

}  // namespace connbench::engine
