// ALTER TABLE ... ADD COLUMN.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/row_codec.h"
#include "engine/sql/alter_table.h"
#include "engine/sql/ast.h"
#include "engine/sql/column_defaults.h"

namespace connbench::engine {
namespace {

// A longer value is written into the rows: it would crowd the table's definition.
constexpr size_t kMaxMissingBytes = 256;

}  // namespace

Result<bool> RealSession::Alteration::IsNewName(std::string_view name, bool if_not_exists) {
  if (table_->FindColumn(name) < 0) {
    if (!IsSystemColumn(name)) return true;
    return Status::Error(
        sqlstate::kDuplicateColumn,
        fmt::format("column name \"{}\" conflicts with a system column name", name));
  }
  std::string message =
      fmt::format("column \"{}\" of relation \"{}\" already exists", name, table_->name);
  if (!if_not_exists) return Status::Error(sqlstate::kDuplicateColumn, std::move(message));
  session_.Notice(sink_, "NOTICE", sqlstate::kDuplicateColumn, std::move(message) + ", skipping");
  return false;
}

Status RealSession::Alteration::AddColumn(const PgQuery__AlterTableCmd& command) {
  const PgQuery__ColumnDef& column = *command.def->column_def;
  CONNBENCH_ASSIGN_OR_RETURN(const bool is_new,
                             IsNewName(TruncateName(column.colname), command.missing_ok));
  if (!is_new) return {};
  TableDefinition definition(sql_, table_->name, session_);
  definition.columns = table_->columns;
  definition.indexes = table_->indexes;
  definition.default_sequences.resize(definition.columns.size());
  definition.alters = true;
  const size_t keys = definition.indexes.size();
  CONNBENCH_RETURN_IF_ERROR(definition.AddColumn(column));
  CONNBENCH_RETURN_IF_ERROR(MakeColumn(definition, definition.columns.back()));
  for (size_t i = keys; i < definition.indexes.size(); ++i) {
    Queue(kAddKey, [this, index = definition.indexes[i]] { return AddKey(index); });
  }
  for (const PgQuery__Constraint* check : definition.checks) {
    Queue(kAddOther, [this, check] { return AddCheck(*check); });
  }
  for (const TableDefinition::ForeignKey& key : definition.foreign_keys) {
    Queue(kAddOther, [this, key] { return AddForeignKey(key); });
  }
  return {};
}

Status RealSession::Alteration::MakeColumn(TableDefinition& definition, ColumnInfo column) {
  session_.catalog_changed_ = true;
  const size_t index = definition.columns.size() - 1;
  CONNBENCH_RETURN_IF_ERROR(
      session_.ResolveDefaultSequences(definition.default_sequences[index], column));
  for (const TableDefinition::Serial& serial : definition.serials) {
    CONNBENCH_RETURN_IF_ERROR(session_.MakeOwnedSequence(table_->name, serial.sequence, column));
  }
  if (table_->generations.size() >= kMaxOlderGenerations) {
    rewrite_ = true;
    CONNBENCH_RETURN_IF_ERROR(FinishRows());
  }
  CONNBENCH_RETURN_IF_ERROR(FillColumn(column));
  CONNBENCH_ASSIGN_OR_RETURN(
      table_, session_.catalog_.Alter(session_.transaction_, table_, [&](RelationInfo& changed) {
        changed.generations.push_back(static_cast<uint16_t>(changed.columns.size()));
        changed.columns.push_back(column);
      }));
  return {};
}

// A default that is the same for all rows is computed now; another one, for each row.
Status RealSession::Alteration::FillColumn(ColumnInfo& column) {
  const size_t index = table_->columns.size();
  CONNBENCH_ASSIGN_OR_RETURN(Expression * value, AnalyzeDefault(column, arena_));
  if (value->volatility != Volatility::kVolatile) {
    EvalContext context{nullptr, nullptr, &arena_, &session_, {}};
    Value constant;
    if (!Evaluate(*value, context, constant)) return std::move(context.status);
    if (constant.null) {
      if (column.not_null) not_null_.push_back(index);
      return {};
    }
    const RowCodec codec(std::span(&column.type_oid, 1));
    std::string missing(codec.EncodedSize(&constant), '\0');
    codec.Encode(&constant, missing.data());
    if (missing.size() <= kMaxMissingBytes) {
      column.missing = std::move(missing);
      return {};
    }
  }
  rewrite_ = true;
  values_.resize(index + 1, nullptr);
  values_[index] = value;
  if (column.not_null) not_null_.push_back(index);
  return {};
}

}  // namespace connbench::engine
