// What the catalogs are made of: the stored relations and the roles that a statement's snapshot
// sees, and the types. Private to the files that read system views.
//
// Safety: private memory of one session, one thread at a time.
// Errors: those of reading the catalog.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/types/type.h"
#include "engine/roles/access.h"
#include "engine/roles/role_table.h"
#include "engine/sql/system_views.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

inline constexpr Oid kHeapMethodOid = 2;
inline constexpr Oid kBtreeMethodOid = 403;
inline constexpr Oid kDefaultTablespaceOid = 1663;
inline constexpr Oid kDatabaseOid = 5;
inline constexpr Oid kDefaultCollationOid = 100;
inline constexpr Oid kCCollationOid = 950;
inline constexpr Oid kClassCatalogOid = 1259;
inline constexpr Oid kRewriteCatalogOid = 2618;

struct CatalogContents {
  std::vector<RelationRef> relations;  // by oid
  std::vector<Role> roles;

  // Null: the snapshot sees none.
  const RelationInfo* Find(Oid relation) const;
  const Role* FindRole(Oid role) const;
  // As an aclitem names it: a number for one that is not there.
  std::string RoleName(Oid role) const;
  // As pg_get_userbyid() names it.
  std::string OwnerName(Oid role) const;
  // Whether a foreign key is on the table or refers to it: PostgreSQL has triggers for both.
  bool HasForeignKeys(const RelationInfo& table) const;
};
// What pg_get_userbyid() says of a role that is not there.
std::string UnknownRoleName(Oid role);
Result<CatalogContents> ReadCatalogContents(const SystemViewInput& input);

// Whose statement reads.
SessionRole RoleOfReader(const SystemViewInput& input);

// How PostgreSQL stores values of a type.
struct TypeLayout {
  int16_t length = -1;
  bool by_value = false;
  char alignment = 'i';
  char storage = 'x';
  Oid collation = 0;
};
TypeLayout LayoutOf(Oid type);

}  // namespace connbench::engine
