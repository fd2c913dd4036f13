// Privileges and ownership: see access.h.
#include "engine/roles/access.h"

#include <fmt/format.h>

namespace connbench::engine {
namespace {

PrivilegeSet AllOf(RelationKind kind) {
  return kind == RelationKind::kSequence ? privilege::kAllOfSequence : privilege::kAllOfTable;
}

}  // namespace

std::string_view KindWord(RelationKind kind) {
  switch (kind) {
    case RelationKind::kTable:
      return "table";
    case RelationKind::kIndex:
      return "index";
    case RelationKind::kSequence:
      return "sequence";
    case RelationKind::kView:
      return "view";
  }
  return "relation";
}

PrivilegeSet PrivilegesOf(const SessionRole& role, const RelationInfo& relation) {
  if (role.superuser) return AllOf(relation.kind);
  if (!relation.grants) {
    return relation.owner == role.oid ? AllOf(relation.kind) : privilege::kNone;
  }
  PrivilegeSet all = privilege::kNone;
  for (const Grant& grant : *relation.grants) {
    if (grant.grantee == kPublicOid || grant.grantee == role.oid) all |= grant.privileges;
  }
  return all;
}

Status PermissionDenied(const RelationInfo& relation) {
  return Status::Error(
      sqlstate::kInsufficientPrivilege,
      fmt::format("permission denied for {} {}", KindWord(relation.kind), relation.name));
}

Status RequireAll(const SessionRole& role, const RelationInfo& relation, PrivilegeSet wanted) {
  if (role.superuser || (PrivilegesOf(role, relation) & wanted) == wanted) return {};
  return PermissionDenied(relation);
}

Status RequireAny(const SessionRole& role, const RelationInfo& relation, PrivilegeSet wanted) {
  if (role.superuser || (PrivilegesOf(role, relation) & wanted) != 0) return {};
  return PermissionDenied(relation);
}

bool Owns(const SessionRole& role, Oid owner) { return role.superuser || role.oid == owner; }

Status RequireOwner(const SessionRole& role, const RelationInfo& relation, Oid owner) {
  if (Owns(role, owner)) return {};
  return Status::Error(
      sqlstate::kInsufficientPrivilege,
      fmt::format("must be owner of {} {}", KindWord(relation.kind), relation.name));
}

std::vector<Grant> GrantsOf(const RelationInfo& relation) {
  if (relation.grants) return *relation.grants;
  return {{relation.owner, AllOf(relation.kind)}};
}

}  // namespace connbench::engine
