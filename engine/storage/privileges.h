// Who owns a relation and what others may do with it, as the catalog keeps it. What follows from
// that for a session is in engine/roles/access.h.
//
// Safety: plain values.
#pragma once

#include <cstdint>

#include "base/wire_value.h"

namespace connbench::engine {

// Roles that exist without CREATE ROLE.
inline constexpr Oid kPublicOid = 0;  // as a grantee: everybody
inline constexpr Oid kSuperuserOid = 10;
// Everybody whose name is no role's. PostgreSQL has no such role: it refuses such names.
inline constexpr Oid kGuestOid = 11;

using PrivilegeSet = uint16_t;
namespace privilege {
inline constexpr PrivilegeSet kNone = 0;
inline constexpr PrivilegeSet kSelect = 1 << 0;
inline constexpr PrivilegeSet kInsert = 1 << 1;
inline constexpr PrivilegeSet kUpdate = 1 << 2;
inline constexpr PrivilegeSet kDelete = 1 << 3;
inline constexpr PrivilegeSet kTruncate = 1 << 4;
inline constexpr PrivilegeSet kReferences = 1 << 5;
inline constexpr PrivilegeSet kTrigger = 1 << 6;
inline constexpr PrivilegeSet kUsage = 1 << 7;  // of a sequence
inline constexpr PrivilegeSet kAllOfTable =
    kSelect | kInsert | kUpdate | kDelete | kTruncate | kReferences | kTrigger;
inline constexpr PrivilegeSet kAllOfSequence = kSelect | kUpdate | kUsage;
}  // namespace privilege

struct Grant {
  Oid grantee = kPublicOid;
  PrivilegeSet privileges = privilege::kNone;
};

}  // namespace connbench::engine
