// What expressions ask of the catalog: names, definitions and sizes of objects.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/catalog_contents.h"
#include "engine/sql/catalog_text.h"
#include "engine/sql/relation_name.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/system_views.h"
#include "engine/sql/view_text.h"
#include "engine/storage/latest_snapshot.h"
#include "engine/storage/storage.h"

namespace connbench::engine {
namespace {

Result<std::string_view> CopyTo(Arena& arena, std::string_view text) {
  const std::string_view copy = arena.Copy(text);
  if (copy.data() == nullptr) return arena.OutOfMemory();
  return copy;
}

// Null: it is none of the table's.
const IndexInfo* FindIndex(const RelationInfo& table, Oid index) {
  const auto at = std::find_if(table.indexes.begin(), table.indexes.end(),
                               [index](const IndexInfo& each) { return each.oid == index; });
  return at == table.indexes.end() ? nullptr : &*at;
}

}  // namespace

Result<Oid> RealSession::FindRelation(std::string_view text) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<std::string> parts, SplitQualifiedName(text));
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RelationNameOf(text, database_));
  const std::string_view schema =
      parts.size() > 1 ? std::string_view(parts[parts.size() - 2]) : std::string_view();
  if (const SystemView* view = FindSystemView(schema, name)) return view->oid;
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.FindIfExists(transaction_, name));
  const bool there =
      found != nullptr && (schema.empty() || schema == SchemaName(SchemaOf(found->oid)));
  if (there) return found->oid;
  return Status::Error(sqlstate::kUndefinedTable,
                       fmt::format("relation \"{}\" does not exist", fmt::join(parts, ".")));
}

Result<std::string_view> RealSession::RelationName(Oid relation, Arena& arena) {
  if (const SystemView* view = FindSystemView(relation)) return view->name;
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found,
                             catalog_.FindByOidIfExists(transaction_, relation));
  if (found == nullptr) return std::string_view();
  const bool hidden = relation >= kFirstUserOid && FindSystemView({}, found->name) != nullptr;
  return CopyTo(arena, (hidden ? "public." : "") + QuoteIfNeeded(found->name));
}

Result<std::optional<bool>> RealSession::RelationIsVisible(Oid relation) {
  if (FindSystemView(relation) != nullptr) return std::optional<bool>(true);
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found,
                             catalog_.FindByOidIfExists(transaction_, relation));
  if (found == nullptr) return std::optional<bool>();
  return std::optional<bool>(relation < kFirstUserOid ||
                             FindSystemView({}, found->name) == nullptr);
}

// The table of an index; null if there is no such index.
Result<RelationRef> RealSession::TableOfIndex(Oid index) {
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found,
                             catalog_.FindByOidIfExists(transaction_, index));
  if (found == nullptr || found->kind != RelationKind::kIndex) return RelationRef();
  return catalog_.FindByOidIfExists(transaction_, found->table_oid);
}

// The text of a constraint; empty if there is none of that oid.
Result<std::string> RealSession::ConstraintText(Oid constraint) {
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table, TableOfIndex(constraint));
  if (table != nullptr) {
    const IndexInfo* index = FindIndex(*table, constraint);
    if (index != nullptr && index->constraint) return KeyConstraintText(*table, *index);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const auto relations, catalog_.List(transaction_));
  for (const RelationRef& relation : relations) {
    for (const ForeignKeyInfo& key : relation->foreign_keys) {
      if (key.oid != constraint) continue;
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef referenced,
                                 catalog_.FindByOid(transaction_, key.table_oid));
      return ForeignKeyText(*relation, key, *referenced);
    }
    for (const CheckInfo& check : relation->checks) {
      if (check.oid == constraint) return CheckText(*relation, check, this);
    }
  }
  return std::string();
}

Result<std::string_view> RealSession::DescribeObject(CatalogText what, Oid object, Arena& arena) {
  switch (what) {
    case CatalogText::kRoleName: {
      const LatestSnapshot snapshot(transaction_);
      CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Role> roles,
                                 RoleTable(storage_).List(transaction_, snapshot.get()));
      for (const Role& role : roles) {
        if (role.oid == object) return CopyTo(arena, role.name);
      }
      return CopyTo(arena, UnknownRoleName(object));
    }
    case CatalogText::kIndexDefinition:
    case CatalogText::kQualifiedIndexDefinition: {
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table, TableOfIndex(object));
      const IndexInfo* index = table == nullptr ? nullptr : FindIndex(*table, object);
      if (index == nullptr) return std::string_view();
      return CopyTo(arena, IndexDefinitionText(*table, *index,
                                               what == CatalogText::kQualifiedIndexDefinition));
    }
    case CatalogText::kConstraintDefinition: {
      CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ConstraintText(object));
      if (text.empty()) return std::string_view();
      return CopyTo(arena, text);
    }
    case CatalogText::kViewDefinition:
    case CatalogText::kPrettyViewDefinition: {
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef view,
                                 catalog_.FindByOidIfExists(transaction_, object));
      if (view == nullptr || view->kind != RelationKind::kView) return std::string_view();
      CONNBENCH_ASSIGN_OR_RETURN(
          const std::string text,
          ViewText(planning_context(), *view, what == CatalogText::kPrettyViewDefinition));
      return CopyTo(arena, text);
    }
    case CatalogText::kRuleDefinition: {
      CONNBENCH_ASSIGN_OR_RETURN(const auto relations, catalog_.List(transaction_));
      for (const RelationRef& view : relations) {
        if (view->kind != RelationKind::kView || view->view.rule_oid != object) continue;
        CONNBENCH_ASSIGN_OR_RETURN(const std::string text,
                                   ViewText(planning_context(), *view, false));
        return CopyTo(arena,
                      fmt::format("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO public.{} DO "
                                  "INSTEAD {}",
                                  QuoteIfNeeded(view->name), text));
      }
      return std::string_view();
    }
  }
  return std::string_view();
}

Result<std::string_view> RealSession::IndexColumn(Oid index, int column, Arena& arena) {
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table, TableOfIndex(index));
  const IndexInfo* found = table == nullptr ? nullptr : FindIndex(*table, index);
  if (found == nullptr) return std::string_view();
  const bool there = column > 0 && static_cast<size_t>(column) <= found->key_columns.size();
  if (!there) return CopyTo(arena, "");
  const int16_t key = found->key_columns[static_cast<size_t>(column - 1)];
  return CopyTo(arena, QuoteIfNeeded(table->columns[static_cast<size_t>(key)].name));
}

Result<std::optional<int64_t>> RealSession::RelationBytes(Oid relation, RelationPart part) {
  if (FindSystemView(relation) != nullptr) return std::optional<int64_t>(0);
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found,
                             catalog_.FindByOidIfExists(transaction_, relation));
  if (found == nullptr) return std::optional<int64_t>();
  int64_t pages = part == RelationPart::kIndexes ? 0 : catalog_.Statistics(found).pages;
  for (const IndexInfo& index : found->indexes) {
    if (part == RelationPart::kTable) break;
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef stored,
                               catalog_.FindByOidIfExists(transaction_, index.oid));
    if (stored != nullptr) pages += catalog_.Statistics(stored).pages;
  }
  return std::optional<int64_t>(pages * static_cast<int64_t>(kPageSize));
}

}  // namespace connbench::engine
