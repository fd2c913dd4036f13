// Foreign keys at the end of a statement and of a transaction; SET CONSTRAINTS.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {

ForeignKeyEnforcer& RealSession::foreign_key_enforcer() {
  if (foreign_key_enforcer_ == nullptr) {
    foreign_key_enforcer_ = std::make_unique<ForeignKeyEnforcer>();
  }
  return *foreign_key_enforcer_;
}

ForeignKeyEnforcer::Surroundings RealSession::Surroundings() {
  return {.planning = planning_context(),
          .environment = this,
          .scratch = &scratch_,
          .work_mem_bytes = settings_.current().work_mem_bytes,
          .catalog_changed = catalog_changed_};
}

ForeignKeyDeferral& RealSession::foreign_key_deferral() {
  if (foreign_key_deferral_ == nullptr) {
    EvalEnvironment& environment = *this;
    foreign_key_deferral_ =
        std::make_unique<ForeignKeyDeferral>(settings_.current().work_mem_bytes, environment);
  }
  return *foreign_key_deferral_;
}

Status RealSession::EnforceForeignKeys() {
  const auto defer = [this](const ForeignKeyEvent& event) -> Result<bool> {
    if (!ForeignKeyDeferral::CanBeDeferred(event)) return false;
    const bool deferred = foreign_key_deferral().IsDeferred(event.key->key);
    if (deferred) CONNBENCH_RETURN_IF_ERROR(foreign_key_deferral().Add(event));
    return deferred;
  };
  return foreign_key_enforcer().Enforce(Surroundings(), foreign_key_events_, defer);
}

Status RealSession::EnforceDeferred() {
  return foreign_key_deferral_->MakeAll(
      [this, session = Surroundings()](const ForeignKeyEvent& event) {
        return foreign_key_enforcer().EnforceOne(session, event);
      });
}

Result<RealSession::Outcome> RealSession::RunSetConstraints(const PgQuery__Node& statement,
                                                            std::string_view sql,
                                                            ResultSink& sink) {
  const PgQuery__ConstraintsSetStmt& set = *statement.constraints_set_stmt;
  if (block_ == Block::kImplicit && !multi_statement_) {
    Notice(sink, "WARNING", sqlstate::kNoActiveSqlTransaction,
           "SET CONSTRAINTS can only be used in transaction blocks");
  }
  std::vector<Oid> keys;
  std::vector<RelationRef> relations;
  if (set.n_constraints > 0) {
    CONNBENCH_ASSIGN_OR_RETURN(relations, catalog_.List(transaction_));
  }
  for (const ast::Node* node : ast::List(set.constraints, set.n_constraints)) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *node->range_var));
    bool found = false;
    for (const RelationRef& relation : relations) {
      if (relation->oid < kFirstUserOid || !relation->HasConstraint(name)) continue;
      found = true;
      const auto key = std::find_if(relation->foreign_keys.begin(), relation->foreign_keys.end(),
                                    [&](const ForeignKeyInfo& each) { return each.name == name; });
      if (key != relation->foreign_keys.end() && key->deferrable) {
        keys.push_back(key->oid);
      } else if (set.deferred) {
        return Status::Error(sqlstate::kWrongObjectType,
                             fmt::format("constraint \"{}\" is not deferrable", name));
      }
    }
    if (found) continue;
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("constraint \"{}\" does not exist", name));
  }
  if (set.n_constraints == 0 || !keys.empty()) foreign_key_deferral().Set(keys, set.deferred);
  if (!set.deferred && foreign_key_deferral_ != nullptr) {
    CONNBENCH_RETURN_IF_ERROR(foreign_key_deferral_->MakeDue(
        [this, session = Surroundings()](const ForeignKeyEvent& event) {
          return foreign_key_enforcer().EnforceOne(session, event);
        }));
  }
  return Outcome{"SET CONSTRAINTS"};
}

}  // namespace connbench::engine
