// Foreign keys that come to a table and leave it.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/foreign_key_queries.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

Status NoSuchKeyColumn(std::string_view name) {
  return Status::Error(
      sqlstate::kUndefinedColumn,
      fmt::format("column \"{}\" referenced in foreign key constraint does not exist", name));
}

// The referenced columns: as listed, or those of the primary key.
Result<std::vector<int16_t>> ReferencedColumns(const RelationInfo& referenced,
                                               const PgQuery__Constraint& constraint) {
  std::vector<int16_t> columns;
  for (const ast::Node* node : ast::List(constraint.pk_attrs, constraint.n_pk_attrs)) {
    const std::string_view name = ast::StringOf(*node);
    const int column = referenced.FindColumn(name);
    if (column < 0) return NoSuchKeyColumn(name);
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return Status::Error(sqlstate::kInvalidForeignKey,
                           "foreign key referenced-columns list must not contain duplicates");
    }
    columns.push_back(static_cast<int16_t>(column));
  }
  if (!columns.empty()) return columns;
  if (const IndexInfo* primary = referenced.primary_key()) return primary->key_columns;
  return Status::Error(
      sqlstate::kUndefinedObject,
      fmt::format("there is no primary key for referenced table \"{}\"", referenced.name));
}

// A unique index on just these columns, in any order; null if there is none.
const IndexInfo* FindUniqueIndex(const RelationInfo& table, const std::vector<int16_t>& columns) {
  for (const IndexInfo& index : table.indexes) {
    if (index.unique && std::is_permutation(index.key_columns.begin(), index.key_columns.end(),
                                            columns.begin(), columns.end())) {
      return &index;
    }
  }
  return nullptr;
}

// ON DELETE SET NULL (...), SET DEFAULT (...): columns of the key.
Result<std::vector<int16_t>> SetColumns(const RelationInfo& table,
                                        const PgQuery__Constraint& constraint,
                                        const std::vector<int16_t>& key) {
  std::vector<int16_t> columns;
  for (const ast::Node* node :
       ast::List(constraint.fk_del_set_cols, constraint.n_fk_del_set_cols)) {
    const std::string_view name = ast::StringOf(*node);
    const int column = table.FindColumn(name);
    if (column < 0) return NoSuchKeyColumn(name);
    if (std::find(key.begin(), key.end(), column) == key.end()) {
      return Status::Error(
          sqlstate::kInvalidColumnReference,
          fmt::format(
              "column \"{}\" referenced in ON DELETE SET action must be part of foreign key",
              name));
    }
    columns.push_back(static_cast<int16_t>(column));
  }
  return columns;
}

// The grammar gives one letter, or none.
ForeignKeyAction ActionOf(const char* letter) {
  return *letter == '\0' ? ForeignKeyAction::kNoAction : static_cast<ForeignKeyAction>(*letter);
}

// "a_b"
std::string JoinedNames(const RelationInfo& table, const std::vector<int16_t>& columns) {
  std::string names;
  for (int16_t column : columns) {
    if (!names.empty()) names += '_';
    names += table.columns[static_cast<size_t>(column)].name;
  }
  return names;
}

}  // namespace

Result<RelationRef> RealSession::AddForeignKey(const RelationRef& table,
                                               const TableDefinition::ForeignKey& definition,
                                               std::string_view sql) {
  const PgQuery__Constraint& constraint = *definition.constraint;
  const std::vector<int16_t>& columns = definition.columns;
  ForeignKeyInfo key;
  key.columns = columns;
  key.name = TruncateName(constraint.conname);
  if (key.name.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(key.name,
                               ChooseConstraintName(*table, JoinedNames(*table, columns), "fkey"));
  }
  if (table->HasConstraint(key.name)) {
    return Status::Error(
        sqlstate::kDuplicateObject,
        fmt::format("constraint \"{}\" for relation \"{}\" already exists", key.name, table->name));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *constraint.pktable));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.Find(transaction_, name));
  if (found->kind == RelationKind::kIndex) {
    return Status::Error(sqlstate::kWrongObjectType, fmt::format("\"{}\" is an index", name));
  }
  if (found->kind != RelationKind::kTable) {
    return Status::Error(sqlstate::kWrongObjectType,
                         fmt::format("referenced relation \"{}\" is not a table", name));
  }
  if (columns.size() > static_cast<size_t>(kMaxIndexColumns)) {
    return Status::Error(
        sqlstate::kTooManyColumns,
        fmt::format("cannot have more than {} keys in a foreign key", kMaxIndexColumns));
  }
  // The lock keeps DROP away until the key is known to depend on the table.
  CONNBENCH_ASSIGN_OR_RETURN(
      const RelationRef referenced,
      FindAndLockTable(planning_context(), sql, *constraint.pktable, LockMode::kShareRowExclusive,
                       {.any_of = privilege::kReferences}));
  CONNBENCH_ASSIGN_OR_RETURN(key.set_columns, SetColumns(*table, constraint, columns));
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<int16_t> wanted,
                             ReferencedColumns(*referenced, constraint));
  const IndexInfo* index = FindUniqueIndex(*referenced, wanted);
  if (index == nullptr) {
    return Status::Error(
        sqlstate::kInvalidForeignKey,
        fmt::format("there is no unique constraint matching given keys for referenced table "
                    "\"{}\"",
                    referenced->name));
  }
  if (wanted.size() != columns.size()) {
    return Status::Error(sqlstate::kInvalidForeignKey,
                         "number of referencing and referenced columns for foreign key disagree");
  }
  key.referenced_columns = wanted;
  CONNBENCH_RETURN_IF_ERROR(CheckKeyTypes(*table, *referenced, key));
  key.table_oid = referenced->oid;
  key.index_oid = index->oid;
  key.on_update = ActionOf(constraint.fk_upd_action);
  key.on_delete = ActionOf(constraint.fk_del_action);
  key.match_full = *constraint.fk_matchtype == 'f';
  key.validated = !definition.not_valid;
  key.deferrable = definition.deferrable;
  key.deferred = definition.deferred;
  key.oid = catalog_.NewOid();
  catalog_changed_ = true;
  const ReferenceInfo reference{table->oid, key.oid};
  const bool to_itself = table->oid == referenced->oid;
  if (!to_itself) {
    const auto refer = [&](RelationInfo& changed) { changed.references.push_back(reference); };
    CONNBENCH_RETURN_IF_ERROR(catalog_.Alter(transaction_, referenced, refer).TakeStatus());
  }
  return catalog_.Alter(transaction_, table, [&](RelationInfo& changed) {
    changed.foreign_keys.push_back(key);
    if (to_itself) changed.references.push_back(reference);
  });
}

Status RealSession::RemoveReference(const RelationInfo& table, const ForeignKeyInfo& key) {
  if (key.table_oid == table.oid) return {};
  CONNBENCH_RETURN_IF_ERROR(
      transaction_.locks().LockRelation(key.table_oid, LockMode::kAccessExclusive));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef referenced,
                             catalog_.FindByOidIfExists(transaction_, key.table_oid));
  if (referenced == nullptr) return {};  // it has been dropped by the same statement
  return catalog_
      .Alter(transaction_, referenced,
             [&](RelationInfo& changed) {
               std::erase_if(changed.references, [&](const ReferenceInfo& reference) {
                 return reference.key_oid == key.oid;
               });
             })
      .TakeStatus();
}

Result<RelationRef> RealSession::RemoveForeignKey(const RelationRef& table, Oid key) {
  const ForeignKeyInfo* info = table->FindForeignKey(key);
  if (info == nullptr) return table;
  catalog_changed_ = true;
  CONNBENCH_RETURN_IF_ERROR(RemoveReference(*table, *info));
  return catalog_.Alter(transaction_, table, [key](RelationInfo& changed) {
    std::erase_if(changed.foreign_keys,
                  [key](const ForeignKeyInfo& candidate) { return candidate.oid == key; });
    std::erase_if(changed.references,
                  [key](const ReferenceInfo& reference) { return reference.key_oid == key; });
  });
}

Result<RelationRef> RealSession::ValidateForeignKey(const RelationRef& table, Oid key) {
  CONNBENCH_ASSIGN_OR_RETURN(const ForeignKeyRef found,
                             FindForeignKey(catalog_, transaction_, table->oid, key));
  CONNBENCH_RETURN_IF_ERROR(foreign_key_enforcer().CheckAllRows(Surroundings(), *found));
  if (found->key.validated) return table;
  catalog_changed_ = true;
  return catalog_.Alter(transaction_, table, [key](RelationInfo& changed) {
    for (ForeignKeyInfo& candidate : changed.foreign_keys) {
      if (candidate.oid == key) candidate.validated = true;
    }
  });
}

Result<RelationRef> RealSession::ValidateConstraint(const RelationRef& table,
                                                    std::string_view name) {
  for (const ForeignKeyInfo& key : table->foreign_keys) {
    if (key.name != name) continue;
    return key.validated ? table : ValidateForeignKey(table, key.oid);
  }
  if (!table->HasConstraint(name)) {
    return Status::Error(
        sqlstate::kUndefinedObject,
        fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, table->name));
  }
  for (const CheckInfo& check : table->checks) {
    if (check.name == name) return table;
  }
  return Status::Error(
      sqlstate::kWrongObjectType,
      fmt::format("constraint \"{}\" of relation \"{}\" is not a foreign key or check constraint",
                  name, table->name));
}

}  // namespace connbench::engine
