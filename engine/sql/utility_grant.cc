// GRANT, REVOKE, ALTER ... OWNER TO.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

struct PrivilegeName {
  std::string_view name;
  std::string_view word;  // in messages
  PrivilegeSet privilege;
};
constexpr PrivilegeName kPrivilegeNames[] = {
    {"select", "SELECT", privilege::kSelect},
    {"insert", "INSERT", privilege::kInsert},
    {"update", "UPDATE", privilege::kUpdate},
    {"delete", "DELETE", privilege::kDelete},
    {"truncate", "TRUNCATE", privilege::kTruncate},
    {"references", "REFERENCES", privilege::kReferences},
    {"trigger", "TRIGGER", privilege::kTrigger},
    {"usage", "USAGE", privilege::kUsage},
};
// PostgreSQL's, for objects other than tables and sequences.
constexpr std::string_view kOtherPrivileges[] = {"execute", "create", "connect",     "temporary",
                                                 "temp",    "set",    "alter system"};

// "privilege USAGE for table".
Status WrongPrivilege(std::string_view word, bool sequences) {
  return Status::Error(
      sqlstate::kInvalidGrantOperation,
      fmt::format("invalid privilege type {} for {}", word, sequences ? "sequence" : "table"));
}

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

// What the statement lists; all that there is for ALL.
Result<PrivilegeSet> ReadPrivileges(const PgQuery__GrantStmt& grant, std::string_view sql,
                                    int location) {
  const bool sequences = grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE;
  const PrivilegeSet possible = sequences ? privilege::kAllOfSequence : privilege::kAllOfTable;
  if (grant.n_privileges == 0) return possible;
  PrivilegeSet all = privilege::kNone;
  for (const ast::Node* node : ast::List(grant.privileges, grant.n_privileges)) {
    const PgQuery__AccessPriv& item = *node->access_priv;
    if (item.n_cols > 0) return ast::NotSupported(sql, "a privilege on columns", location);
    const std::string_view name = item.priv_name;
    const auto* found =
        std::find_if(std::begin(kPrivilegeNames), std::end(kPrivilegeNames),
                     [name](const PrivilegeName& entry) { return entry.name == name; });
    if (found != std::end(kPrivilegeNames)) {
      // A sequence may stand where a table is expected, with what sequences have.
      if ((found->privilege & possible) == 0 &&
          !(found->privilege == privilege::kUsage && !sequences)) {
        return WrongPrivilege(found->word, sequences);
      }
      all |= found->privilege;
      continue;
    }
    if (std::find(std::begin(kOtherPrivileges), std::end(kOtherPrivileges), name) !=
        std::end(kOtherPrivileges)) {
      return WrongPrivilege(UpperCase(name), sequences);
    }
    return Status::Error(sqlstate::kSyntaxError,
                         fmt::format("unrecognized privilege type \"{}\"", name));
  }
  return all;
}

void Apply(bool is_grant, Oid grantee, PrivilegeSet privileges, RelationInfo& relation) {
  if (!relation.grants) relation.grants.emplace(GrantsOf(relation));
  std::vector<Grant>& grants = *relation.grants;
  auto at = std::find_if(grants.begin(), grants.end(),
                         [grantee](const Grant& grant) { return grant.grantee == grantee; });
  if (at == grants.end()) {
    if (!is_grant) return;
    at = grants.insert(grants.end(), {grantee, privilege::kNone});
  }
  if (is_grant) {
    at->privileges |= privileges;
  } else {
    at->privileges &= static_cast<PrivilegeSet>(~privileges);
  }
  if (at->privileges == privilege::kNone) grants.erase(at);
}

}  // namespace

Result<std::vector<RelationRef>> RealSession::GrantTargets(const PgQuery__GrantStmt& grant,
                                                           std::string_view sql) {
  const bool sequences = grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE;
  std::vector<RelationRef> targets;
  if (grant.targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA) {
    for (const ast::Node* node : ast::List(grant.objects, grant.n_objects)) {
      const std::string_view schema = ast::StringOf(*node);
      if (schema == "public") continue;
      return Status::Error(sqlstate::kInvalidSchemaName,
                           fmt::format("schema \"{}\" does not exist", schema));
    }
    CONNBENCH_ASSIGN_OR_RETURN(const auto all, catalog_.List(transaction_));
    for (const RelationRef& relation : all) {
      const bool meant = sequences ? relation->kind == RelationKind::kSequence
                                   : relation->kind == RelationKind::kTable ||
                                         relation->kind == RelationKind::kView;
      if (meant && relation->oid >= kFirstUserOid) targets.push_back(relation);
    }
    return targets;
  }
  for (const ast::Node* node : ast::List(grant.objects, grant.n_objects)) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *node->range_var));
    CONNBENCH_ASSIGN_OR_RETURN(RelationRef relation, catalog_.Find(transaction_, name));
    if (relation->kind == RelationKind::kIndex) {
      return Status::Error(sqlstate::kWrongObjectType, fmt::format("\"{}\" is an index", name));
    }
    if (sequences && relation->kind != RelationKind::kSequence) {
      return Status::Error(sqlstate::kWrongObjectType,
                           fmt::format("\"{}\" is not a sequence", name));
    }
    targets.push_back(std::move(relation));
  }
  return targets;
}

Result<RealSession::Outcome> RealSession::RunGrant(const PgQuery__Node& statement,
                                                   std::string_view sql, ResultSink& sink) {
  const PgQuery__GrantStmt& grant = *statement.grant_stmt;
  const std::string_view command = grant.is_grant ? "GRANT" : "REVOKE";
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly(command));
  const int location = grant.n_objects > 0 ? ast::LocationOf(*grant.objects[0]) : -1;
  if (grant.objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE &&
      grant.objtype != PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE) {
    return ast::NotSupported(sql, fmt::format("{} on this kind of object", command), location);
  }
  if (grant.grant_option) return ast::NotSupported(sql, "the GRANT OPTION", location);
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  if (grant.grantor != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(const Oid grantor, RoleOid(*grant.grantor, sql, false));
    if (grantor != role_.oid) {
      return Status::Error(sqlstate::kFeatureNotSupported, "grantor must be current user");
    }
  }
  std::vector<Oid> grantees;
  for (const ast::Node* node : ast::List(grant.grantees, grant.n_grantees)) {
    CONNBENCH_ASSIGN_OR_RETURN(grantees.emplace_back(), RoleOid(*node->role_spec, sql, true));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const PrivilegeSet listed, ReadPrivileges(grant, sql, location));
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<RelationRef> targets, GrantTargets(grant, sql));
  const bool all = grant.n_privileges == 0;
  for (const RelationRef& target : targets) {
    const bool is_sequence = target->kind == RelationKind::kSequence;
    const PrivilegeSet possible = is_sequence ? privilege::kAllOfSequence : privilege::kAllOfTable;
    PrivilegeSet privileges = all ? possible : listed;
    if ((privileges & ~possible) != 0) {
      if (!is_sequence) return WrongPrivilege("USAGE", false);
      Notice(sink, "WARNING", sqlstate::kInvalidGrantOperation,
             fmt::format("sequence \"{}\" only supports USAGE, SELECT, and UPDATE privileges",
                         target->name));
      privileges &= possible;
    }
    if (!Owns(role_, target->owner)) {
      // Only owners can grant. PostgreSQL refuses those who have nothing, and tells the others.
      CONNBENCH_RETURN_IF_ERROR(RequireAny(role_, *target, possible));
      Notice(sink, "WARNING",
             grant.is_grant ? sqlstate::kWarningPrivilegeNotGranted
                            : sqlstate::kWarningPrivilegeNotRevoked,
             fmt::format("no privileges {} for \"{}\"",
                         grant.is_grant ? "were granted" : "could be revoked", target->name));
      continue;
    }
    if (target->oid < kFirstUserOid && privileges != privilege::kSelect) {
      return Status::Error(
          sqlstate::kInsufficientPrivilege,
          fmt::format("permission denied: \"{}\" is a system catalog", target->name));
    }
    catalog_changed_ = true;
    CONNBENCH_RETURN_IF_ERROR(catalog_
                                  .Alter(transaction_, target,
                                         [&](RelationInfo& changed) {
                                           for (const Oid grantee : grantees) {
                                             Apply(grant.is_grant, grantee, privileges, changed);
                                           }
                                         })
                                  .TakeStatus());
  }
  return Outcome{std::string(command)};
}

Result<RelationRef> RealSession::ChangeOwner(const RelationRef& relation,
                                             const PgQuery__RoleSpec& role, std::string_view sql) {
  CONNBENCH_ASSIGN_OR_RETURN(const Oid owner, RoleOid(role, sql, false));
  if (owner == relation->owner) return relation;
  CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *relation, relation->owner));
  if (!Owns(role_, owner)) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RoleName(role, sql));
    return Status::Error(sqlstate::kInsufficientPrivilege,
                         fmt::format("must be member of role \"{}\"", name));
  }
  // What was the old owner's becomes the new one's.
  const auto change = [owner](RelationInfo& changed) {
    if (changed.grants) {
      PrivilegeSet inherited = privilege::kNone;
      std::erase_if(*changed.grants, [&](const Grant& grant) {
        const bool either = grant.grantee == changed.owner || grant.grantee == owner;
        if (either) inherited |= grant.privileges;
        return either;
      });
      if (inherited != privilege::kNone) changed.grants->push_back({owner, inherited});
    }
    changed.owner = owner;
  };
  catalog_changed_ = true;
  for (const ColumnInfo& column : relation->columns) {
    if (column.owned_sequence == 0) continue;
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                               catalog_.FindByOid(transaction_, column.owned_sequence));
    CONNBENCH_RETURN_IF_ERROR(catalog_.Alter(transaction_, sequence, change).TakeStatus());
  }
  return catalog_.Alter(transaction_, relation, change);
}

}  // namespace connbench::engine
