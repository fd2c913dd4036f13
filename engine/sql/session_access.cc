// Who the session is, and whether that role may do what a statement asks.

#include <fmt/format.h>

#include "engine/roles/role_table.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"
#include "engine/storage/latest_snapshot.h"

namespace connbench::engine {
namespace {

constexpr uint64_t kUnknownVersion = UINT64_MAX;

}  // namespace

Status RealSession::StartRole() {
  const RoleTable roles(storage_);
  role_version_ = roles.version();
  if (roles.changed()) {
    transaction_.Begin(IsolationLevel::kReadCommitted, /*read_only=*/true);
    Result<std::optional<Role>> role = RoleTable(storage_).Find(transaction_, user_);
    transaction_.Rollback();
    if (!role.ok()) return role.TakeStatus();
    role_ = *role ? SessionRole{(*role)->oid, (*role)->superuser} : SessionRole{};
  }
  backend_->slot().role.store(uint64_t{role_.oid} << 1 | (role_.superuser ? 1 : 0),
                              std::memory_order_relaxed);
  return {};
}

Status RealSession::RefreshRole() {
  RoleTable roles(storage_);
  const uint64_t version = roles.version();
  if (version == role_version_ && !catalog_changed_) return {};
  CONNBENCH_ASSIGN_OR_RETURN(const std::optional<Role> role, roles.Find(transaction_, user_));
  // A guest whose name has become a role's is that role from now on, as if it had logged in again:
  // only `trust` lets guests in. So a pooled backend need not be older than the role.
  if (role_.oid == kGuestOid && role && role->can_login) role_.oid = role->oid;
  // A role that was dropped leaves its sessions without rights; one made anew under the name is
  // another role.
  role_.superuser = role && role->oid == role_.oid && role->superuser;
  backend_->slot().role.store(uint64_t{role_.oid} << 1 | (role_.superuser ? 1 : 0),
                              std::memory_order_relaxed);
  // What this transaction changed may be rolled back.
  role_version_ = catalog_changed_ ? kUnknownVersion : version;
  return {};
}

Result<bool> RealSession::IsSuperuser() {
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  return role_.superuser;
}

Status RealSession::CheckAccessSlow(Plan& plan) {
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  for (const PlanTable& table : plan.tables) {
    SessionRole reader = role_;
    if (table.reader != 0) {
      CONNBENCH_ASSIGN_OR_RETURN(reader, RoleOfOwner(table.reader));
    }
    CONNBENCH_RETURN_IF_ERROR(RequireAll(reader, *table.relation, table.needs));
  }
  if (!catalog_changed_) plan.access_version = plan.catalog_version;
  return {};
}

Result<SessionRole> RealSession::RoleOfOwner(Oid owner) {
  const LatestSnapshot snapshot(transaction_);
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Role> roles,
                             RoleTable(storage_).List(transaction_, snapshot.get()));
  for (const Role& role : roles) {
    if (role.oid == owner) return SessionRole{owner, role.superuser};
  }
  return SessionRole{owner, false};
}

Status RealSession::CheckMaySignal(uint32_t connection_id, bool terminate) {
  const std::optional<uint64_t> target = context_.transactions.backends->RoleOf(connection_id);
  if (!target) return {};
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  if (role_.superuser) return {};
  if ((*target & 1) != 0) {
    return Status::Error(sqlstate::kInsufficientPrivilege,
                         terminate ? "must be a superuser to terminate superuser process"
                                   : "must be a superuser to cancel superuser query");
  }
  if (*target >> 1 == role_.oid) return {};
  return Status::Error(
      sqlstate::kInsufficientPrivilege,
      fmt::format("must be a member of the role whose {} or member of "
                  "pg_signal_backend",
                  terminate ? "process is being terminated" : "query is being canceled"));
}

Result<Oid> RealSession::RoleOid(const PgQuery__RoleSpec& role, std::string_view sql,
                                 bool allow_public) {
  if (allow_public && role.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC) {
    return kPublicOid;
  }
  if (role.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_ROLE ||
      role.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_USER ||
      role.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_SESSION_USER) {
    return role_.oid;
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RoleName(role, sql));
  CONNBENCH_ASSIGN_OR_RETURN(const std::optional<Role> found,
                             RoleTable(storage_).Find(transaction_, name));
  if (found) return found->oid;
  return Status::Error(sqlstate::kUndefinedObject, fmt::format("role \"{}\" does not exist", name));
}

}  // namespace connbench::engine
