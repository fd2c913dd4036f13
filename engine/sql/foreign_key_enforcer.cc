// Does what foreign keys ask for when a statement has ended.
#include "engine/sql/foreign_key_enforcer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

bool Writes(ForeignKeyQuery kind) {
  return kind >= ForeignKeyQuery::kCascadeDelete && kind <= ForeignKeyQuery::kSetOnUpdate;
}

// "(a, b)=(1, 2)"
std::string DescribeKey(const RelationInfo& table, const std::vector<int16_t>& columns,
                        const std::vector<Oid>& types, const Value* values, const IoContext& io) {
  std::string names;
  std::string texts;
  for (size_t i = 0; i < columns.size(); ++i) {
    const char* separator = i > 0 ? ", " : "";
    names += separator + table.columns[static_cast<size_t>(columns[i])].name;
    std::string_view text = "null";
    // Describing an error must not replace it by another one.
    if (!values[i].null && !FormatText(types[i], values[i], io, text).ok()) text = "?";
    texts += separator;
    texts += text;
  }
  return fmt::format("({})=({})", names, texts);
}

bool MayRead(const SessionRole& role, const RelationInfo& table) {
  return (PrivilegesOf(role, table) & privilege::kSelect) != 0;
}

// The others read or write the referencing table.
bool ReadsReferenced(ForeignKeyQuery kind) {
  return kind == ForeignKeyQuery::kFindReferenced || kind == ForeignKeyQuery::kFindSameKey;
}

// The key with the names that its tables and columns have now.
ForeignKeyRef AsOfNow(const ForeignKeyEnforcer::Surroundings& session, const ForeignKey& key) {
  Result<ForeignKeyRef> now = FindForeignKey(
      *session.planning.catalog, *session.planning.transaction, key.referencing->oid, key.key.oid);
  return now.ok() && *now != nullptr ? std::move(*now) : key.shared_from_this();
}

std::string MissingReference(const ForeignKey& key) {
  return fmt::format("insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                     key.referencing->name, key.key.name);
}

}  // namespace

void ForeignKeyEnforcer::ForgetPlans() { queries_.clear(); }

Status ForeignKeyEnforcer::Enforce(const Surroundings& session, ForeignKeyEvents& events,
                                   const Defer& defer) {
  ForeignKeyEvent event;
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(session.planning.transaction->CheckForInterrupts());
    CONNBENCH_ASSIGN_OR_RETURN(const bool found, events.Take(event));
    if (!found) break;
    CONNBENCH_ASSIGN_OR_RETURN(const bool deferred, defer(event));
    if (deferred) continue;
    CONNBENCH_RETURN_IF_ERROR(EnforceOne(session, event));
  }
  events.Clear();
  return {};
}

Status ForeignKeyEnforcer::EnforceOne(const Surroundings& session, const ForeignKeyEvent& event) {
  const ForeignKey& key = *event.key;
  // Only this transaction can have dropped it: others wait for its locks.
  if (session.catalog_changed) {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table,
                               session.planning.catalog->FindByOidIfExists(
                                   *session.planning.transaction, key.referencing->oid));
    if (table == nullptr || table->FindForeignKey(key.key.oid) == nullptr) return {};
  }
  if (event.kind == ForeignKeyEvent::Kind::kReference) return CheckReference(session, event);
  const size_t columns = key.referenced_types.size();
  const bool deleted = event.kind == ForeignKeyEvent::Kind::kKeyDeleted;
  values_.resize(2 * columns);
  (deleted ? key.old_key : key.both_keys).DecodeAll(event.values, values_.data());
  ForeignKeyQuery query = deleted ? ForeignKeyQuery::kSetOnDelete : ForeignKeyQuery::kSetOnUpdate;
  const ForeignKeyAction action = deleted ? key.key.on_delete : key.key.on_update;
  switch (action) {
    case ForeignKeyAction::kNoAction:
      return CheckUnreferenced(session, key, /*no_action=*/true);
    case ForeignKeyAction::kRestrict:
      return CheckUnreferenced(session, key, /*no_action=*/false);
    case ForeignKeyAction::kCascade:
      if (deleted) {
        query = ForeignKeyQuery::kCascadeDelete;
        break;
      }
      // The new key, then the old one.
      parameters_.assign(values_.begin() + static_cast<std::ptrdiff_t>(columns), values_.end());
      parameters_.insert(parameters_.end(), values_.begin(),
                         values_.begin() + static_cast<std::ptrdiff_t>(columns));
      return Run(session, key, ForeignKeyQuery::kCascadeUpdate, parameters_.data()).TakeStatus();
    case ForeignKeyAction::kSetNull:
    case ForeignKeyAction::kSetDefault:
      break;
  }
  CONNBENCH_RETURN_IF_ERROR(Run(session, key, query, values_.data()).TakeStatus());
  // Rows whose default is the very key that is gone still refer to it.
  if (action != ForeignKeyAction::kSetDefault) return {};
  return CheckUnreferenced(session, key, /*no_action=*/true);
}

Status ForeignKeyEnforcer::CheckReference(const Surroundings& session,
                                          const ForeignKeyEvent& event) {
  const ForeignKey& key = *event.key;
  Transaction& transaction = *session.planning.transaction;
  const Snapshot snapshot = transaction.TakeLatestSnapshot();
  const Result<bool> is_there =
      Heap(*session.planning.storage, key.referencing->storage).SeesVersion(snapshot, event.tid);
  transaction.ReleaseSnapshot(snapshot);
  CONNBENCH_RETURN_IF_ERROR(is_there.status());
  // Another action of the same statement has replaced or deleted it.
  if (!*is_there) return {};
  values_.resize(key.referencing_types.size());
  key.reference.DecodeAll(event.values, values_.data());
  const bool has_null =
      std::any_of(values_.begin(), values_.end(), [](const Value& value) { return value.null; });
  if (has_null) return NotPresent(session, key, values_.data());
  CONNBENCH_ASSIGN_OR_RETURN(const int64_t found,
                             Run(session, key, ForeignKeyQuery::kFindReferenced, values_.data()));
  return found > 0 ? Status() : NotPresent(session, key, values_.data());
}

Status ForeignKeyEnforcer::CheckUnreferenced(const Surroundings& session, const ForeignKey& key,
                                             bool no_action) {
  if (no_action) {
    // Another row may have taken the key over.
    CONNBENCH_ASSIGN_OR_RETURN(const int64_t same,
                               Run(session, key, ForeignKeyQuery::kFindSameKey, values_.data()));
    if (same > 0) return {};
  }
  CONNBENCH_ASSIGN_OR_RETURN(const int64_t referencing,
                             Run(session, key, ForeignKeyQuery::kFindReferencing, values_.data()));
  return referencing > 0 ? StillReferenced(session, key) : Status();
}

Status ForeignKeyEnforcer::NotPresent(const Surroundings& session, const ForeignKey& old_key,
                                      const Value* referencing_values) const {
  const ForeignKeyRef now = AsOfNow(session, old_key);
  const ForeignKey& key = *now;
  const auto columns = static_cast<std::ptrdiff_t>(key.key.columns.size());
  std::string detail;
  if (std::any_of(referencing_values, referencing_values + columns,
                  [](const Value& value) { return value.null; })) {
    detail = "MATCH FULL does not allow mixing of null and nonnull key values.";
  } else if (!MayRead(session.planning.role, *key.referencing)) {
    detail = fmt::format("Key is not present in table \"{}\".", key.referenced->name);
  } else {
    detail = fmt::format("Key {} is not present in table \"{}\".",
                         DescribeKey(*key.referencing, key.key.columns, key.referencing_types,
                                     referencing_values, session.environment->io(*session.scratch)),
                         key.referenced->name);
  }
  return Status::Error(sqlstate::kForeignKeyViolation, MissingReference(key))
      .WithDetail(std::move(detail))
      .OfConstraint(key.referencing->name, key.key.name);
}

Status ForeignKeyEnforcer::StillReferenced(const Surroundings& session,
                                           const ForeignKey& old_key) const {
  const ForeignKeyRef now = AsOfNow(session, old_key);
  const ForeignKey& key = *now;
  std::string detail =
      MayRead(session.planning.role, *key.referenced)
          ? fmt::format(
                "Key {} is still referenced from table \"{}\".",
                DescribeKey(*key.referenced, key.key.referenced_columns, key.referenced_types,
                            values_.data(), session.environment->io(*session.scratch)),
                key.referencing->name)
          : fmt::format("Key is still referenced from table \"{}\".", key.referencing->name);
  return Status::Error(sqlstate::kForeignKeyViolation,
                       fmt::format("update or delete on table \"{}\" violates foreign key "
                                   "constraint \"{}\" on table \"{}\"",
                                   key.referenced->name, key.key.name, key.referencing->name))
      .WithDetail(std::move(detail))
      .OfConstraint(key.referencing->name, key.key.name);
}

Status ForeignKeyEnforcer::CheckAllRows(const Surroundings& session, const ForeignKey& key) {
  CONNBENCH_ASSIGN_OR_RETURN(const int64_t orphans,
                             Run(session, key, ForeignKeyQuery::kFindOrphan, nullptr));
  queries_.erase({key.key.oid, ForeignKeyQuery::kFindOrphan});
  return orphans == 0 ? Status() : std::move(orphan_);
}

Result<int64_t> ForeignKeyEnforcer::Run(const Surroundings& session, const ForeignKey& key,
                                        ForeignKeyQuery kind, const Value* parameters) {
  int64_t rows = 0;
  const auto run = [&]() -> Status {
    CONNBENCH_ASSIGN_OR_RETURN(Query * query, Prepared(session, key, kind));
    return RunPlan(session, key, *query->plan, kind, parameters, rows);
  };
  Status status = run();
  if (!status.ok()) {
    return std::move(status).WithoutPosition().WithContext(
        ForeignKeyContext(*AsOfNow(session, key), kind));
  }
  if (Writes(kind)) session.planning.transaction->AdvanceCommand();
  return rows;
}

Status ForeignKeyEnforcer::RunPlan(const Surroundings& session, const ForeignKey& key, Plan& plan,
                                   ForeignKeyQuery kind, const Value* parameters, int64_t& rows) {
  Transaction& transaction = *session.planning.transaction;
  ExecutionContext execution;
  execution.eval = {nullptr, parameters, session.scratch, session.environment, {}};
  execution.storage = session.planning.storage;
  execution.transaction = &transaction;
  execution.work_mem_bytes = session.work_mem_bytes;
  execution.snapshot = kind == ForeignKeyQuery::kFindReferenced ? transaction.TakeSnapshot()
                                                                : transaction.TakeLatestSnapshot();
  Step step = plan.root->Open(execution) ? Step::kRow : Step::kError;
  if (step == Step::kRow) {
    const Value* row = nullptr;
    step = plan.root->Next(execution, row);
    rows = step == Step::kRow ? 1 : execution.rows_affected;
    if (kind == ForeignKeyQuery::kFindOrphan && step == Step::kRow) {
      orphan_ = NotPresent(session, key, row);
    }
  }
  plan.root->Close(execution);
  transaction.ReleaseSnapshot(execution.snapshot);
  return step == Step::kError ? std::move(execution.eval.status) : Status();
}

Result<ForeignKeyEnforcer::Query*> ForeignKeyEnforcer::Prepared(const Surroundings& session,
                                                                const ForeignKey& key,
                                                                ForeignKeyQuery kind) {
  auto at = queries_.find({key.key.oid, kind});
  if (at == queries_.end()) {
    if (queries_.size() >= kMaxQueries) queries_.clear();
    at = queries_.try_emplace({key.key.oid, kind}).first;
  }
  Query& query = at->second;
  if (query.plan != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(const bool current, LockAndCheckPlan(session.planning, *query.plan,
                                                                    session.catalog_changed));
    if (!current) query.plan.reset();
  }
  if (query.plan == nullptr) {
    // Tables and columns may have been renamed since the event's statement was planned. Under the
    // lock they keep their names.
    const RelationInfo& target = ReadsReferenced(kind) ? *key.referenced : *key.referencing;
    CONNBENCH_RETURN_IF_ERROR(session.planning.transaction->locks().LockRelation(
        target.oid, Writes(kind) ? LockMode::kRowExclusive : LockMode::kRowShare));
    query.text = MakeForeignKeyQuery(*AsOfNow(session, key), kind);
    CONNBENCH_RETURN_IF_ERROR(MakePlan(session, query));
  }
  Plan& plan = *query.plan;
  if (plan.access_version == plan.catalog_version && !session.catalog_changed) return &query;
  if (kind != ForeignKeyQuery::kFindOrphan) {
    for (const PlanTable& table : plan.tables) {
      const Oid owner = table.relation->owner;
      const SessionRole role{owner, owner == kSuperuserOid};
      CONNBENCH_RETURN_IF_ERROR(RequireAll(role, *table.relation, table.needs));
    }
  }
  plan.access_version = plan.catalog_version;
  return &query;
}

Status ForeignKeyEnforcer::MakePlan(const Surroundings& session, Query& query) {
  CONNBENCH_ASSIGN_OR_RETURN(query.parameters, ParameterTypes::From(query.text.parameter_types));
  PlanningContext planning = session.planning;
  planning.for_foreign_key = true;
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree,
                             ParseTree::Parse(query.text.sql, session.environment));
  CONNBENCH_ASSIGN_OR_RETURN(
      query.plan, PlanStatement(planning, query.text.sql, tree.statement(0), query.parameters));
  return query.plan->constant_error;
}

}  // namespace connbench::engine
