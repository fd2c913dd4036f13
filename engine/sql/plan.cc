// The tables of a plan: found and locked when it is made, locked and looked at again when it runs.
#include "engine/sql/plan.h"

#include <fmt/format.h>

#include "engine/executor/nodes/table.h"
#include "engine/sql/ast.h"
#include "engine/sql/foreign_key_events.h"
#include "engine/sql/system_views.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

Result<RelationRef> FindAndLockTable(const PlanningContext& context, std::string_view sql,
                                     const PgQuery__RangeVar& name, LockMode mode,
                                     const TableNeed& need) {
  if (const SystemView* view = FindSystemView(name.schemaname, name.relname)) {
    return RefuseSystemView(*view, context.role.superuser);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string relation_name, ast::RelationName(sql, name));
  RelationRef locked;
  while (true) {
    Result<RelationRef> found = need.oid != 0
                                    ? context.catalog->FindByOid(*context.transaction, need.oid)
                                    : context.catalog->Find(*context.transaction, relation_name);
    if (!found.ok()) return found.TakeStatus();
    RelationRef relation = std::move(*found);
    const bool fits = relation->kind == RelationKind::kTable ||
                      (need.or_view && relation->kind == RelationKind::kView);
    if (!fits) {
      return Status::Error(sqlstate::kWrongObjectType,
                           fmt::format("\"{}\" is not a table", relation_name));
    }
    if (need.ownership) {
      CONNBENCH_RETURN_IF_ERROR(RequireOwner(context.role, *relation, relation->owner));
    }
    if (need.any_of != privilege::kNone) {
      CONNBENCH_RETURN_IF_ERROR(RequireAny(context.role, *relation, need.any_of));
    }
    if (relation->oid < kFirstUserOid && mode != LockMode::kAccessShare && context.role.superuser) {
      return Status::Error(
          sqlstate::kInsufficientPrivilege,
          fmt::format("permission denied: \"{}\" is a system catalog", relation_name));
    }
    // A worker must not stand in line behind somebody who waits for its leader.
    if (relation == locked || context.locked_by_leader) return relation;
    CONNBENCH_RETURN_IF_ERROR(context.transaction->locks().LockRelation(relation->oid, mode));
    locked = std::move(relation);
  }
}

Status WatchForeignKeys(const PlanningContext& context, Table& table) {
  const RelationInfo& info = table.info();
  if (info.foreign_keys.empty() && info.references.empty()) return {};
  CONNBENCH_ASSIGN_OR_RETURN(
      auto watcher, MakeForeignKeyWatcher(*context.storage, *context.catalog, *context.transaction,
                                          table.relation(), *context.foreign_key_events));
  table.set_watcher(std::move(watcher));
  return {};
}

[[gnu::hot]] Result<bool> LockAndCheckPlan(const PlanningContext& context, Plan& plan,
                                           bool own_changes) {
  for (const PlanTable& table : plan.tables) {
    CONNBENCH_RETURN_IF_ERROR(context.transaction->locks().LockRelation(table.oid, table.mode));
  }
  if (plan.for_this_snapshot) return false;
  const uint64_t version = context.catalog->shared_version();
  if (plan.catalog_version == version && !own_changes) return true;
  for (const PlanTable& table : plan.tables) {
    Result<RelationRef> found =
        context.catalog->FindIfExists(*context.transaction, table.relation->name);
    if (!found.ok()) return found.TakeStatus();
    if (*found != table.relation) return false;
  }
  plan.catalog_version = version;
  return true;
}

}  // namespace connbench::engine
