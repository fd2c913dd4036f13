// DROP, TRUNCATE, ALTER TABLE ... DROP CONSTRAINT: what goes, what goes with it, what forbids it.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/system_views.h"

namespace connbench::engine {
namespace {

struct DropKind {
  PgQuery__ObjectType type;
  RelationKind kind;
  std::string_view tag;
};
constexpr DropKind kDropKinds[] = {
    {PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, RelationKind::kTable, "DROP TABLE"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, RelationKind::kIndex, "DROP INDEX"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE, RelationKind::kSequence, "DROP SEQUENCE"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_VIEW, RelationKind::kView, "DROP VIEW"},
};

std::string_view Article(RelationKind kind) { return kind == RelationKind::kIndex ? "an" : "a"; }

Status WrongKind(const RelationInfo& relation, RelationKind wanted) {
  const auto* actual =
      std::find_if(std::begin(kDropKinds), std::end(kDropKinds),
                   [&](const DropKind& entry) { return entry.kind == relation.kind; });
  return Status::Error(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not {} {}", relation.name,
                                                               Article(wanted), KindWord(wanted)))
      .WithHint(fmt::format("Use {} to remove {} {}.", actual->tag, Article(relation.kind),
                            KindWord(relation.kind)));
}

bool IsCascade(PgQuery__DropBehavior behavior) {
  return behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
}

}  // namespace

// As in PostgreSQL, a query is open from its Bind until its portal is closed, rows or none left.
Status RealSession::CheckNotInUse(std::string_view command, const RelationInfo& relation) {
  const auto reads = [&](const Portal& portal) {
    if (portal.state == Portal::State::kFailed || portal.statement == nullptr ||
        portal.statement->kind != PreparedStatement::Kind::kPlanned) {
      return false;
    }
    const Plan* plan =
        portal.state == Portal::State::kRunning ? portal.plan : portal.statement->plan.get();
    return plan != nullptr && plan->kind == PlanKind::kSelect &&
           (std::any_of(plan->tables.begin(), plan->tables.end(),
                        [&](const PlanTable& used) { return used.oid == relation.oid; }) ||
            std::find(plan->scanned_indexes.begin(), plan->scanned_indexes.end(), relation.oid) !=
                plan->scanned_indexes.end());
  };
  const bool in_use = (has_unnamed_portal_ && reads(unnamed_portal_)) ||
                      std::any_of(portals_.begin(), portals_.end(),
                                  [&](const auto& named) { return reads(*named.second); });
  if (in_use) {
    return Status::Error(sqlstate::kObjectInUse,
                         fmt::format("cannot {} \"{}\" because it is being used by active queries "
                                     "in this session",
                                     command, relation.name));
  }
  if (foreign_key_deferral_ == nullptr) return {};
  CONNBENCH_ASSIGN_OR_RETURN(const bool pending, foreign_key_deferral_->PendingOn(relation.oid));
  if (!pending) return {};
  return Status::Error(sqlstate::kObjectInUse,
                       fmt::format("cannot {} \"{}\" because it has pending trigger events",
                                   command, relation.name));
}

// Found by name and locked, until both agree; null if there is none. What its lock stands for: an
// index is locked through its table.
Result<RelationRef> RealSession::FindToDrop(std::string_view name) {
  RelationRef locked;
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(RelationRef relation, catalog_.FindIfExists(transaction_, name));
    if (relation == nullptr || relation == locked) return relation;
    Oid lock_oid = relation->oid;
    Oid owner = relation->owner;
    if (relation->kind == RelationKind::kIndex) {
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table,
                                 catalog_.FindByOidIfExists(transaction_, relation->table_oid));
      if (table == nullptr) continue;  // both were dropped since the name was looked up
      lock_oid = table->oid;
      owner = table->owner;
    }
    CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *relation, owner));
    if (relation->oid < kFirstUserOid) {
      return Status::Error(sqlstate::kInsufficientPrivilege,
                           fmt::format("permission denied: \"{}\" is a system catalog", name));
    }
    CONNBENCH_RETURN_IF_ERROR(
        transaction_.locks().LockRelation(lock_oid, LockMode::kAccessExclusive));
    for (const ColumnInfo& column : relation->columns) {
      if (column.owned_sequence == 0) continue;
      CONNBENCH_RETURN_IF_ERROR(
          transaction_.locks().LockRelation(column.owned_sequence, LockMode::kAccessExclusive));
    }
    locked = std::move(relation);
  }
}

Result<RealSession::Outcome> RealSession::RunDrop(const PgQuery__Node& statement,
                                                  std::string_view sql, ResultSink& sink) {
  const PgQuery__DropStmt& drop = *statement.drop_stmt;
  const auto* entry =
      std::find_if(std::begin(kDropKinds), std::end(kDropKinds),
                   [&](const DropKind& candidate) { return candidate.type == drop.remove_type; });
  if (entry == std::end(kDropKinds)) {
    const int location = drop.n_objects > 0 ? ast::LocationOf(*drop.objects[0]) : -1;
    return ast::NotSupported(sql, "DROP of this object", location);
  }
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly(entry->tag));
  if (drop.concurrent) CONNBENCH_RETURN_IF_ERROR(RefuseBlock("DROP INDEX CONCURRENTLY"));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  std::vector<RelationRef> objects;
  for (const ast::Node* node : ast::List(drop.objects, drop.n_objects)) {
    const PgQuery__List& parts = *node->list;
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name,
                               ast::ObjectName(sql, ast::List(parts.items, parts.n_items), -1));
    const std::string_view schema =
        parts.n_items > 1 ? ast::StringOf(*parts.items[parts.n_items - 2]) : std::string_view();
    if (const SystemView* view = FindSystemView(schema, name)) return RefuseSystemView(*view);
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.FindIfExists(transaction_, name));
    if (found != nullptr && found->kind != entry->kind) return WrongKind(*found, entry->kind);
    CONNBENCH_ASSIGN_OR_RETURN(RelationRef relation, FindToDrop(name));
    if (relation == nullptr) {
      std::string message = fmt::format("{} \"{}\" does not exist", KindWord(entry->kind), name);
      if (!drop.missing_ok) {
        return Status::Error(entry->kind == RelationKind::kIndex ? sqlstate::kUndefinedObject
                                                                 : sqlstate::kUndefinedTable,
                             std::move(message));
      }
      Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion, std::move(message) + ", skipping");
      continue;
    }
    if (relation->kind != entry->kind) return WrongKind(*relation, entry->kind);
    const bool named_twice = std::find(objects.begin(), objects.end(), relation) != objects.end();
    if (!named_twice) objects.push_back(std::move(relation));
  }
  CONNBENCH_RETURN_IF_ERROR(DropObjects(objects, IsCascade(drop.behavior), sink));
  return Outcome{std::string(entry->tag)};
}

Status RealSession::DropObjects(const std::vector<RelationRef>& objects, bool cascade,
                                ResultSink& sink) {
  if (objects.empty()) return {};
  CONNBENCH_ASSIGN_OR_RETURN(const Dependencies dependencies,
                             Dependencies::Load(catalog_, transaction_));
  for (const RelationRef& object : objects) {
    const Part part = dependencies.PartOf(*object);
    if (part.owner.empty()) continue;
    return Status::Error(
               sqlstate::kDependentObjectsStillExist,
               fmt::format("cannot drop {} because {} requires it", Described(*object), part.owner))
        .WithHint(fmt::format("You can drop {} instead.", part.owner));
  }
  CONNBENCH_RETURN_IF_ERROR(DropDependents(dependencies.OnAny(objects),
                                           objects.size() == 1 ? Described(*objects[0]) : "",
                                           cascade, sink));
  catalog_changed_ = true;
  for (const RelationRef& object : objects) {
    // Looked up again: the dependents may have been in it.
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef current,
                               catalog_.FindByOid(transaction_, object->oid));
    if (object->kind == RelationKind::kTable || object->kind == RelationKind::kIndex) {
      const bool table = object->kind == RelationKind::kTable;
      CONNBENCH_RETURN_IF_ERROR(CheckNotInUse(table ? "DROP TABLE" : "DROP INDEX", *object));
    }
    if (object->kind == RelationKind::kSequence) {
      CONNBENCH_RETURN_IF_ERROR(OwnSequence(current, std::vector<std::string>{"none"}));
    }
    for (const ForeignKeyInfo& key : current->foreign_keys) {
      CONNBENCH_RETURN_IF_ERROR(RemoveReference(*current, key));
    }
    CONNBENCH_RETURN_IF_ERROR(catalog_.Drop(transaction_, current));
  }
  return {};
}

Status RealSession::DropDependents(const std::vector<Dependent>& dependents, std::string_view what,
                                   bool cascade, ResultSink& sink) {
  if (dependents.empty()) return {};
  std::string lines;
  for (const Dependent& dependent : dependents) {
    if (!lines.empty()) lines += '\n';
    lines += cascade ? fmt::format("drop cascades to {}", dependent.Describe())
                     : fmt::format("{} depends on {}", dependent.Describe(), dependent.on);
  }
  if (!cascade) {
    return Status::Error(
               sqlstate::kDependentObjectsStillExist,
               what.empty()
                   ? std::string("cannot drop desired object(s) because other objects depend on "
                                 "them")
                   : fmt::format("cannot drop {} because other objects depend on it", what))
        .WithDetail(std::move(lines))
        .WithHint("Use DROP ... CASCADE to drop the dependent objects too.");
  }
  if (dependents.size() == 1) {
    Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion, std::move(lines));
  } else {
    Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion,
           fmt::format("drop cascades to {} other objects", dependents.size()), std::move(lines));
  }
  catalog_changed_ = true;
  for (const Dependent& dependent : dependents) {
    CONNBENCH_RETURN_IF_ERROR(
        transaction_.locks().LockRelation(dependent.table->oid, LockMode::kAccessExclusive));
    if (dependent.kind == Dependent::Kind::kView) {
      CONNBENCH_RETURN_IF_ERROR(catalog_.Drop(transaction_, dependent.table));
      continue;
    }
    if (dependent.kind == Dependent::Kind::kForeignKey) {
      CONNBENCH_RETURN_IF_ERROR(RemoveForeignKey(dependent.table, dependent.oid).TakeStatus());
      continue;
    }
    CONNBENCH_RETURN_IF_ERROR(catalog_
                                  .Alter(transaction_, dependent.table,
                                         [&](RelationInfo& changed) {
                                           ColumnInfo& column = changed.columns[dependent.column];
                                           column.default_sql.clear();
                                           column.default_sequences.clear();
                                         })
                                  .TakeStatus());
  }
  return {};
}

Result<RelationRef> RealSession::DropConstraint(const RelationRef& table,
                                                const PgQuery__AlterTableCmd& command,
                                                ResultSink& sink) {
  const std::string_view name = command.name;
  for (const IndexInfo& index : table->indexes) {
    if (index.name != name || !index.constraint) continue;
    CONNBENCH_ASSIGN_OR_RETURN(const Dependencies dependencies,
                               Dependencies::Load(catalog_, transaction_));
    CONNBENCH_RETURN_IF_ERROR(
        DropDependents(dependencies.OnIndex(*table, index),
                       fmt::format("constraint {} on table {}", name, table->name),
                       IsCascade(command.behavior), sink));
    catalog_changed_ = true;
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found,
                               catalog_.FindByOid(transaction_, index.oid));
    CONNBENCH_RETURN_IF_ERROR(catalog_.Drop(transaction_, found));
    return catalog_.FindByOid(transaction_, table->oid);
  }
  for (const ForeignKeyInfo& key : table->foreign_keys) {
    if (key.name != name) continue;
    // Only here: what drops the key with a table or an index of its own forgets its checks.
    CONNBENCH_RETURN_IF_ERROR(
        transaction_.locks().LockRelation(key.table_oid, LockMode::kAccessExclusive));
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef referenced,
                               catalog_.FindByOid(transaction_, key.table_oid));
    CONNBENCH_RETURN_IF_ERROR(CheckNotInUse("ALTER TABLE", *referenced));
    return RemoveForeignKey(table, key.oid);
  }
  for (const CheckInfo& check : table->checks) {
    if (check.name != name) continue;
    catalog_changed_ = true;
    return catalog_.Alter(transaction_, table, [oid = check.oid](RelationInfo& changed) {
      std::erase_if(changed.checks,
                    [oid](const CheckInfo& candidate) { return candidate.oid == oid; });
    });
  }
  std::string message =
      fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, table->name);
  if (!command.missing_ok) return Status::Error(sqlstate::kUndefinedObject, std::move(message));
  Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion, std::move(message) + ", skipping");
  return table;
}

Result<RealSession::Outcome> RealSession::RunTruncate(const PgQuery__Node& statement,
                                                      std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("TRUNCATE TABLE"));
  const PgQuery__TruncateStmt& truncate = *statement.truncate_stmt;
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  const PlanningContext planning = planning_context();
  const TableNeed need{.any_of = privilege::kTruncate};
  std::vector<RelationRef> tables;
  const auto is_listed = [&](Oid oid) {
    return std::any_of(tables.begin(), tables.end(),
                       [oid](const RelationRef& table) { return table->oid == oid; });
  };
  for (const ast::Node* node : ast::List(truncate.relations, truncate.n_relations)) {
    CONNBENCH_ASSIGN_OR_RETURN(
        RelationRef table,
        FindAndLockTable(planning, sql, *node->range_var, LockMode::kAccessExclusive, need));
    CONNBENCH_RETURN_IF_ERROR(CheckNotInUse("TRUNCATE", *table));
    if (!is_listed(table->oid)) tables.push_back(std::move(table));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const Dependencies dependencies,
                             Dependencies::Load(catalog_, transaction_));
  // Tables are added at the end while the loop runs, and looked at in turn.
  for (size_t i = 0; i < tables.size(); ++i) {
    for (const RelationRef& referencing : dependencies.Referencing(tables[i]->oid)) {
      if (is_listed(referencing->oid)) continue;
      if (!IsCascade(truncate.behavior)) {
        return Status::Error(sqlstate::kFeatureNotSupported,
                             "cannot truncate a table referenced in a foreign key constraint")
            .WithDetail(
                fmt::format("Table \"{}\" references \"{}\".", referencing->name, tables[i]->name))
            .WithHint(fmt::format("Truncate table \"{}\" at the same time, or use TRUNCATE ... "
                                  "CASCADE.",
                                  referencing->name));
      }
      Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion,
             fmt::format("truncate cascades to table \"{}\"", referencing->name));
      CONNBENCH_RETURN_IF_ERROR(RequireAny(role_, *referencing, need.any_of));
      CONNBENCH_RETURN_IF_ERROR(
          transaction_.locks().LockRelation(referencing->oid, LockMode::kAccessExclusive));
      CONNBENCH_ASSIGN_OR_RETURN(RelationRef current,
                                 catalog_.FindByOidIfExists(transaction_, referencing->oid));
      if (current != nullptr) CONNBENCH_RETURN_IF_ERROR(CheckNotInUse("TRUNCATE", *current));
      if (current != nullptr) tables.push_back(std::move(current));
    }
  }
  for (const RelationRef& table : tables) {
    catalog_changed_ = true;
    CONNBENCH_RETURN_IF_ERROR(catalog_.Truncate(transaction_, table).TakeStatus());
    if (!truncate.restart_seqs) continue;
    for (const ColumnInfo& column : table->columns) {
      if (column.owned_sequence == 0) continue;
      CONNBENCH_RETURN_IF_ERROR(
          transaction_.locks().LockRelation(column.owned_sequence, LockMode::kAccessExclusive));
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                                 catalog_.FindByOid(transaction_, column.owned_sequence));
      CONNBENCH_RETURN_IF_ERROR(catalog_
                                    .AlterSequence(transaction_, sequence, sequence->sequence,
                                                   sequence->sequence.start, false)
                                    .TakeStatus());
    }
  }
  return Outcome{"TRUNCATE TABLE"};
}

}  // namespace connbench::engine
