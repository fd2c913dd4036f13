// What the catalogs are made of.
#include "engine/sql/catalog_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/segment/segment.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {

const RelationInfo* CatalogContents::Find(Oid relation) const {
  const auto at =
      std::lower_bound(relations.begin(), relations.end(), relation,
                       [](const RelationRef& each, Oid oid) { return each->oid < oid; });
  return at != relations.end() && (*at)->oid == relation ? at->get() : nullptr;
}

const Role* CatalogContents::FindRole(Oid role) const {
  const auto at = std::find_if(roles.begin(), roles.end(),
                               [role](const Role& each) { return each.oid == role; });
  return at == roles.end() ? nullptr : &*at;
}

std::string CatalogContents::RoleName(Oid role) const {
  const Role* found = FindRole(role);
  return found != nullptr ? found->name : std::to_string(role);
}

std::string CatalogContents::OwnerName(Oid role) const {
  const Role* found = FindRole(role);
  return found != nullptr ? found->name : UnknownRoleName(role);
}

bool CatalogContents::HasForeignKeys(const RelationInfo& table) const {
  return !table.foreign_keys.empty() || !table.references.empty();
}

std::string UnknownRoleName(Oid role) { return fmt::format("unknown (OID={})", role); }

Result<CatalogContents> ReadCatalogContents(const SystemViewInput& input) {
  Transaction& transaction = *input.execution.transaction;
  const Snapshot& snapshot = input.execution.snapshot;
  CatalogContents contents;
  CONNBENCH_ASSIGN_OR_RETURN(contents.relations, input.catalog.ListAsOf(transaction, snapshot));
  CONNBENCH_ASSIGN_OR_RETURN(contents.roles,
                             RoleTable(*input.execution.storage).List(transaction, snapshot));
  return contents;
}

SessionRole RoleOfReader(const SystemViewInput& input) {
  const auto* backends = input.segment.Find<BackendTable>(SegmentPart::kBackends);
  const std::optional<uint64_t> role =
      backends->RoleOf(input.execution.eval.environment->connection_id());
  if (!role) return {};
  return {static_cast<Oid>(*role >> 1), (*role & 1) != 0};
}

TypeLayout LayoutOf(Oid type) {
  const TypeInfo& info = GetType(type);
  TypeLayout layout;
  layout.length = info.size;
  if (info.size > 0) {
    layout.storage = 'p';
    layout.by_value = info.size <= 8;
    layout.alignment = info.size == 1 || type == type_oid::kName || type == type_oid::kUuid ? 'c'
                       : info.size == 2                                                     ? 's'
                       : info.size == 4 || type == type_oid::kAclItem                       ? 'i'
                                                                                            : 'd';
  }
  if (IsArray(info)) {
    const TypeLayout element = LayoutOf(info.element);
    layout.collation = element.collation;
    if (element.alignment == 'd') layout.alignment = 'd';
  }
  switch (type) {
    case type_oid::kName:
      layout.collation = kCCollationOid;
      break;
    case type_oid::kText:
    case type_oid::kVarchar:
    case type_oid::kBpchar:
    case type_oid::kPgNodeTree:
      layout.collation = kDefaultCollationOid;
      break;
    case type_oid::kNumeric:
    case type_oid::kInet:
      layout.storage = 'm';
      break;
    case type_oid::kInt2Vector:
    case type_oid::kOidVector:
      layout.storage = 'p';
      break;
    case type_oid::kUnknown:
      layout.storage = 'p';
      layout.alignment = 'c';
      break;
    case type_oid::kAnyArray:
      layout.alignment = 'd';
      break;
    default:
      break;
  }
  return layout;
}

}  // namespace connbench::engine
