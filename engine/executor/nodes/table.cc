// A table as the nodes of one plan use it: its rows' codec, its heap, its indexes' keys.
#include "engine/executor/nodes/table.h"

#include <fmt/format.h>

#include "engine/executor/types/type_io.h"
#include "engine/storage/vacuum.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// PostgreSQL cuts a column's value in "Failing row contains (...)" after so many bytes.
constexpr size_t kShownValueBytes = 64;

std::vector<Oid> ColumnTypes(const RelationInfo& relation) {
  std::vector<Oid> types;
  for (const ColumnInfo& column : relation.columns) types.push_back(column.type_oid);
  return types;
}

std::string ValueText(Oid type, const Value& value, EvalContext& context) {
  if (value.null) return "null";
  std::string_view text;
  // Describing an error must not replace it by another one.
  if (!FormatText(type, value, context.io(), text).ok()) return "?";
  if (text.size() <= kShownValueBytes) return std::string(text);
  size_t cut = kShownValueBytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "...";
}

}  // namespace

Table::Table(Storage& storage, RelationRef relation)
    : storage_(&storage),
      relation_(std::move(relation)),
      codec_(ColumnTypes(*relation_)),
      heap_(storage, relation_->storage) {
  for (const IndexInfo& info : relation_->indexes) {
    TableIndex index{&info, {}, BTree(storage, info.storage)};
    for (int16_t column : info.key_columns) {
      index.key_types.push_back(relation_->columns[static_cast<size_t>(column)].type_oid);
    }
    indexes_.push_back(std::move(index));
    index_storages_.push_back(info.storage);
  }
  const auto add_slot = [&](StorageId id) {
    if (const StorageSlot* slot = storage.Find(id); slot != nullptr) slots_.push_back(slot);
  };
  add_slot(relation_->storage);
  for (const StorageId id : index_storages_) add_slot(id);
}

[[gnu::hot]] Status Table::CheckNotNull(const Value* row, EvalContext& context) const {
  for (size_t i = 0; i < relation_->columns.size(); ++i) {
    if (!row[i].null || !relation_->columns[i].not_null) continue;
    return Status::Error(
               sqlstate::kNotNullViolation,
               fmt::format(
                   "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                   relation_->columns[i].name, relation_->name))
        .WithDetail("Failing row contains " + DescribeRow(row, context) + ".");
  }
  return {};
}

[[gnu::hot]] bool Table::MakeKey(const TableIndex& index, const Value* row, KeyBuffer& key) const {
  key.Clear();
  bool complete = true;
  for (size_t i = 0; i < index.key_types.size(); ++i) {
    const Value& value = row[index.info->key_columns[i]];
    complete = complete && !value.null;
    AppendKey(index.key_types[i], value, key);
  }
  return complete;
}

[[gnu::hot]] Status Table::AddToIndexes(Transaction& transaction, const Value* row, Tid tid,
                                        EvalContext& context) {
  for (TableIndex& index : indexes_) {
    const bool complete = MakeKey(index, row, key_);
    if (key_.size() > kMaxKeySize) {
      return Status::Error(sqlstate::kProgramLimitExceeded,
                           fmt::format("index row size {} exceeds maximum {} for index \"{}\"",
                                       key_.size(), kMaxKeySize, index.info->name));
    }
    if (!index.info->unique || !complete) {
      CONNBENCH_RETURN_IF_ERROR(index.tree.Insert(key_.view(), tid, &heap_));
      continue;
    }
    CONNBENCH_ASSIGN_OR_RETURN(const IndexInsertOutcome outcome,
                               index.tree.InsertUnique(transaction, heap_, key_.view(), tid));
    if (outcome == IndexInsertOutcome::kDuplicate) return DuplicateKey(index, row, context);
  }
  return {};
}

Status Table::PayVisits() { return TidyTable(*storage_, heap_.id(), index_storages_); }

std::string Table::DescribeKey(const TableIndex& index, const Value* row,
                               EvalContext& context) const {
  std::string names;
  std::string values;
  for (size_t i = 0; i < index.key_types.size(); ++i) {
    const auto column = static_cast<size_t>(index.info->key_columns[i]);
    names += (i > 0 ? ", " : "") + relation_->columns[column].name;
    values += (i > 0 ? ", " : "") + ValueText(index.key_types[i], row[column], context);
  }
  return fmt::format("Key ({})=({})", names, values);
}

Status Table::DuplicateKey(const TableIndex& index, const Value* row, EvalContext& context) const {
  return Status::Error(
             sqlstate::kUniqueViolation,
             fmt::format("duplicate key value violates unique constraint \"{}\"", index.info->name))
      .WithDetail(DescribeKey(index, row, context) + " already exists.");
}

std::string Table::DescribeRow(const Value* row, EvalContext& context) const {
  std::string text = "(";
  for (size_t i = 0; i < relation_->columns.size(); ++i) {
    text += (i > 0 ? ", " : "") + ValueText(relation_->columns[i].type_oid, row[i], context);
  }
  return text + ")";
}

}  // namespace connbench::engine
