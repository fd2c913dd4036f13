// CREATE ROLE (USER, GROUP), ALTER ROLE, DROP ROLE.

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/roles/role_table.h"
#include "engine/roles/scram_secret.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

Status Denied(std::string message) {
  return Status::Error(sqlstate::kInsufficientPrivilege, std::move(message));
}

Status NoSuchRole(std::string_view name) {
  return Status::Error(sqlstate::kUndefinedObject, fmt::format("role \"{}\" does not exist", name));
}

// Options that may be given when they ask for what every role here is anyway.
std::string_view UnsupportedOption(std::string_view option) {
  constexpr std::pair<std::string_view, std::string_view> kOptions[] = {
      {"createrole", "CREATEROLE"},
      {"createdb", "CREATEDB"},
      {"isreplication", "REPLICATION"},
      {"bypassrls", "BYPASSRLS"},
      {"connectionlimit", "CONNECTION LIMIT"},
      {"validUntil", "VALID UNTIL"},
      {"sysid", "SYSID"}};
  for (const auto& [name, words] : kOptions) {
    if (name == option) return words;
  }
  return "membership of roles";
}

bool AsksForNothing(const PgQuery__DefElem& option) {
  const std::string_view name = option.defname;
  const std::string value = ast::DefElemText(option);
  if (name == "connectionlimit") return value == "-1";
  const bool flag =
      name == "createrole" || name == "createdb" || name == "isreplication" || name == "bypassrls";
  return flag && value == "off";
}

}  // namespace

void RealSession::RoleChange::ApplyTo(Role& role) const {
  if (superuser) role.superuser = *superuser;
  if (can_login) role.can_login = *can_login;
  if (inherit) role.inherit = *inherit;
  if (sets_password) role.password = password;
}

Result<std::string> RealSession::RoleName(const PgQuery__RoleSpec& role,
                                          std::string_view sql) const {
  switch (role.roletype) {
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CSTRING:
      return TruncateName(role.rolename);
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC:
      return NoSuchRole("public").WithPosition(CharacterPosition(sql, role.location));
    default:
      return user_;
  }
}

Result<RealSession::RoleChange> RealSession::ReadRoleOptions(
    std::span<PgQuery__Node* const> options, std::string_view sql, ResultSink& sink) {
  RoleChange change;
  for (const ast::Node* node : options) {
    const PgQuery__DefElem& option = *node->def_elem;
    const std::string_view name = option.defname;
    std::optional<bool>* flag = name == "superuser"  ? &change.superuser
                                : name == "canlogin" ? &change.can_login
                                : name == "inherit"  ? &change.inherit
                                                     : nullptr;
    const bool repeated =
        (flag != nullptr && flag->has_value()) || (name == "password" && change.sets_password);
    if (repeated) {
      return Status::Error(sqlstate::kSyntaxError, "conflicting or redundant options",
                           CharacterPosition(sql, option.location));
    }
    if (flag != nullptr) {
      CONNBENCH_ASSIGN_OR_RETURN(*flag, ast::DefElemBool(option));
    } else if (name == "password") {
      change.sets_password = true;
      if (option.arg == nullptr) continue;
      const std::string password = ast::DefElemText(option);
      if (password.empty()) {
        Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion,
               "empty string is not a valid password, clearing password");
        continue;
      }
      CONNBENCH_ASSIGN_OR_RETURN(const std::string iterations, settings_.Show("scram_iterations"));
      change.password = StoredPassword(password, std::stoi(iterations));
    } else if (!AsksForNothing(option)) {
      return ast::NotSupported(sql, UnsupportedOption(name), option.location);
    }
  }
  return change;
}

Result<RealSession::Outcome> RealSession::RunCreateRole(const PgQuery__Node& statement,
                                                        std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("CREATE ROLE"));
  const PgQuery__CreateRoleStmt& create = *statement.create_role_stmt;
  CONNBENCH_ASSIGN_OR_RETURN(const bool superuser, IsSuperuser());
  if (!superuser) return Denied("permission denied to create role");
  catalog_changed_ = true;
  Role role;
  role.name = TruncateName(create.role);
  if (role.name == "public" || role.name == "none") {
    return Status::Error(sqlstate::kReservedName,
                         fmt::format("role name \"{}\" is reserved", role.name));
  }
  if (role.name.starts_with("pg_")) {
    return Status::Error(sqlstate::kReservedName,
                         fmt::format("role name \"{}\" is reserved", role.name))
        .WithDetail("Role names starting with \"pg_\" are reserved.");
  }
  role.can_login = create.stmt_type == PG_QUERY__ROLE_STMT_TYPE__ROLESTMT_USER;
  CONNBENCH_ASSIGN_OR_RETURN(
      const RoleChange change,
      ReadRoleOptions(ast::List(create.options, create.n_options), sql, sink));
  change.ApplyTo(role);
  CONNBENCH_ASSIGN_OR_RETURN(const bool added, RoleTable(storage_).Add(transaction_, role));
  if (!added) {
    return Status::Error(sqlstate::kDuplicateObject,
                         fmt::format("role \"{}\" already exists", role.name));
  }
  return Outcome{"CREATE ROLE"};
}

Result<RealSession::Outcome> RealSession::RunAlterRole(const PgQuery__Node& statement,
                                                       std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("ALTER ROLE"));
  const PgQuery__AlterRoleStmt& alter = *statement.alter_role_stmt;
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RoleName(*alter.role, sql));
  CONNBENCH_ASSIGN_OR_RETURN(const RoleChange change,
                             ReadRoleOptions(ast::List(alter.options, alter.n_options), sql, sink));
  // Everybody may change their own password.
  CONNBENCH_ASSIGN_OR_RETURN(const bool superuser, IsSuperuser());
  if (!superuser && !(name == user_ && change.only_password())) {
    return Denied("permission denied");
  }
  if (name == kSuperuserName && change.superuser == false) {
    return Denied("permission denied: bootstrap user must be superuser");
  }
  catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(
      const bool found,
      RoleTable(storage_).Change(transaction_, name, [&](Role& role) { change.ApplyTo(role); }));
  if (!found) return NoSuchRole(name);
  return Outcome{"ALTER ROLE"};
}

Result<RealSession::Outcome> RealSession::RunDropRole(const PgQuery__Node& statement,
                                                      std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("DROP ROLE"));
  const PgQuery__DropRoleStmt& drop = *statement.drop_role_stmt;
  CONNBENCH_ASSIGN_OR_RETURN(const bool superuser, IsSuperuser());
  if (!superuser) return Denied("permission denied to drop role");
  catalog_changed_ = true;
  for (const ast::Node* node : ast::List(drop.roles, drop.n_roles)) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RoleName(*node->role_spec, sql));
    if (name == user_) {
      return Status::Error(sqlstate::kObjectInUse, "current user cannot be dropped");
    }
    if (name == kSuperuserName) {
      return Status::Error(sqlstate::kDependentObjectsStillExist,
                           fmt::format("cannot drop role {} because it is required by the database "
                                       "system",
                                       name));
    }
    RoleTable roles(storage_);
    CONNBENCH_ASSIGN_OR_RETURN(const std::optional<Role> role, roles.Find(transaction_, name));
    if (role) {
      CONNBENCH_ASSIGN_OR_RETURN(const std::vector<std::string> uses,
                                 UsesOfRole(catalog_, transaction_, role->oid));
      if (!uses.empty()) {
        return Status::Error(
                   sqlstate::kDependentObjectsStillExist,
                   fmt::format("role \"{}\" cannot be dropped because some objects depend on it",
                               name))
            .WithDetail(fmt::format("{}", fmt::join(uses, "\n")));
      }
    }
    CONNBENCH_ASSIGN_OR_RETURN(const bool found, roles.Remove(transaction_, name));
    if (found) continue;
    if (!drop.missing_ok) return NoSuchRole(name);
    Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion,
           fmt::format("role \"{}\" does not exist, skipping", name));
  }
  return Outcome{"DROP ROLE"};
}

}  // namespace connbench::engine
