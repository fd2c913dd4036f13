// ALTER TABLE ... DROP COLUMN.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/alter_table.h"

namespace connbench::engine {
Status RealSession::Alteration::DropColumn(const PgQuery__AlterTableCmd& command) {
  const std::string_view name = command.name;
  const int found = table_->FindColumn(name);
  if (found < 0) {
    if (IsSystemColumn(name)) {
      return Status::Error(sqlstate::kFeatureNotSupported,
                           fmt::format("cannot drop system column \"{}\"", name));
    }
    if (!command.missing_ok) return NoSuchColumn(name);
    session_.Notice(sink_, "NOTICE", sqlstate::kSuccessfulCompletion,
                    fmt::format("column \"{}\" of relation \"{}\" does not exist, skipping", name,
                                table_->name));
    return {};
  }
  const auto column = static_cast<size_t>(found);
  CONNBENCH_ASSIGN_OR_RETURN(const Dependencies dependencies,
                             Dependencies::Load(session_.catalog_, session_.transaction_));
  const bool cascade = command.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
  CONNBENCH_RETURN_IF_ERROR(session_.DropDependents(
      dependencies.OnDroppedColumn(*table_, static_cast<int16_t>(column)),
      fmt::format("column {} of table {}", name, table_->name), cascade, sink_));
  CONNBENCH_ASSIGN_OR_RETURN(table_,
                             session_.catalog_.FindByOid(session_.transaction_, table_->oid));
  CONNBENCH_RETURN_IF_ERROR(DropParts(column));
  session_.catalog_changed_ = true;
  // Its type stays, so that the rows can be read.
  const auto leave_place = [column](RelationInfo& changed) {
    std::erase_if(changed.checks,
                  [column](const CheckInfo& check) { return HasColumn(check.columns, column); });
    ColumnInfo place;
    place.type_oid = changed.columns[column].type_oid;
    place.type_modifier = changed.columns[column].type_modifier;
    place.dropped = true;
    changed.columns[column] = std::move(place);
  };
  CONNBENCH_ASSIGN_OR_RETURN(table_,
                             session_.catalog_.Alter(session_.transaction_, table_, leave_place));
  return {};
}

// What of the table has the column in it: foreign keys, indexes with their constraints, the
// sequence that it owns.
Status RealSession::Alteration::DropParts(size_t column) {
  Transaction& transaction = session_.transaction_;
  const RelationRef had = table_;
  for (const ForeignKeyInfo& key : had->foreign_keys) {
    if (!HasColumn(key.columns, column)) continue;
    CONNBENCH_ASSIGN_OR_RETURN(table_, session_.RemoveForeignKey(table_, key.oid));
  }
  for (const IndexInfo& index : had->indexes) {
    if (!HasColumn(index.key_columns, column)) continue;
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found,
                               session_.catalog_.FindByOid(transaction, index.oid));
    CONNBENCH_RETURN_IF_ERROR(session_.catalog_.Drop(transaction, found));
  }
  if (const Oid owned = had->columns[column].owned_sequence; owned != 0) {
    CONNBENCH_RETURN_IF_ERROR(transaction.locks().LockRelation(owned, LockMode::kAccessExclusive));
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                               session_.catalog_.FindByOid(transaction, owned));
    CONNBENCH_RETURN_IF_ERROR(session_.catalog_.Drop(transaction, sequence));
  }
  CONNBENCH_ASSIGN_OR_RETURN(table_, session_.catalog_.FindByOid(transaction, table_->oid));
  return {};
}

}  // namespace connbench::engine
