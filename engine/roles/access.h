// What a session may do with a relation.
//
// A session acts as the role of its user name. A name that is no role's, which only `trust` lets
// in, acts as the guest role: guests share what any of them makes, and have no part in what a role
// owns. There is no membership of roles.
//
// Safety: pure functions on values. Errors: 42501 with PostgreSQL's text.
#pragma once

#include <string_view>

#include "base/status.h"
#include "engine/storage/catalog.h"
#include "engine/storage/privileges.h"

namespace connbench::engine {

struct SessionRole {
  Oid oid = kGuestOid;
  bool superuser = false;
};

// "table", "index", "sequence", "view".
std::string_view KindWord(RelationKind kind);

// The owner counts as having what no GRANT or REVOKE has said otherwise.
PrivilegeSet PrivilegesOf(const SessionRole& role, const RelationInfo& relation);

// "permission denied for table t".
Status PermissionDenied(const RelationInfo& relation);
// All of them, or one of them.
Status RequireAll(const SessionRole& role, const RelationInfo& relation, PrivilegeSet wanted);
Status RequireAny(const SessionRole& role, const RelationInfo& relation, PrivilegeSet wanted);

bool Owns(const SessionRole& role, Oid owner);
// "must be owner of table t". owner: the relation's, or for an index that of its table.
Status RequireOwner(const SessionRole& role, const RelationInfo& relation, Oid owner);

// The grants of a relation as they stand, those of its owner spelled out.
std::vector<Grant> GrantsOf(const RelationInfo& relation);

}  // namespace connbench::engine
