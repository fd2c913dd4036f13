// A table as the nodes of one plan use it: its rows' codec, its heap, its indexes' keys.
#include "engine/executor/nodes/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/types/type_io.h"
#include "engine/storage/vacuum.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// PostgreSQL cuts a column's value in "Failing row contains (...)" after so many bytes.
constexpr size_t kShownValueBytes = 64;

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

RowCodec CodecOf(const RelationInfo& table) {
  std::vector<Oid> types;
  for (const ColumnInfo& column : table.columns) types.push_back(column.type_oid);
  if (table.generations.empty()) return RowCodec(types);
  std::vector<Value> missing;
  for (const ColumnInfo& column : table.columns) {
    missing.push_back(
        column.missing.empty()
            ? Value::Null()
            : RowCodec(std::span(&column.type_oid, 1)).DecodeColumn(column.missing, 0));
  }
  return {types, table.generations, std::move(missing)};
}

Table::Table(Storage& storage, RelationRef relation)
    : storage_(&storage),
      relation_(std::move(relation)),
      codec_(CodecOf(*relation_)),
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

[[gnu::hot]] std::string_view Table::Encode(const Value* row) {
  encoded_.resize(codec_.EncodedSize(row));
  codec_.Encode(row, encoded_.data());
  return encoded_;
}

[[gnu::hot]] Status Table::CheckConstraints(const Value* row, EvalContext& context) const {
  for (size_t i = 0; i < relation_->columns.size(); ++i) {
    if (!row[i].null || !relation_->columns[i].not_null) continue;
    return Status::Error(
               sqlstate::kNotNullViolation,
               fmt::format(
                   "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                   relation_->columns[i].name, relation_->name))
        .WithDetail("Failing row contains " + DescribeRow(row, context) + ".")
        .OfColumn(relation_->name, relation_->columns[i].name);
  }
  for (size_t i = 0; i < checks_.size(); ++i) {
    Value holds;
    context.columns = row;
    if (!Evaluate(*checks_[i], context, holds)) return std::move(context.status);
    if (holds.null || holds.integer != 0) continue;
    return Status::Error(sqlstate::kCheckViolation,
                         fmt::format("new row for relation \"{}\" violates check constraint \"{}\"",
                                     relation_->name, relation_->checks[i].name))
        .WithDetail("Failing row contains " + DescribeRow(row, context) + ".")
        .OfConstraint(relation_->name, relation_->checks[i].name);
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

[[gnu::hot]] Result<IndexInsertOutcome> Table::AddToIndex(Transaction& transaction,
                                                          TableIndex& index, const Value* row,
                                                          Tid tid, RowWait wait) {
  const bool complete = MakeKey(index, row, key_);
  if (key_.size() > kMaxKeySize) {
    return Status::Error(sqlstate::kProgramLimitExceeded,
                         fmt::format("index row size {} exceeds maximum {} for index \"{}\"",
                                     key_.size(), kMaxKeySize, index.info->name));
  }
  if (!index.info->unique || !complete) {
    CONNBENCH_RETURN_IF_ERROR(index.tree.Insert(key_.view(), tid, &heap_));
    return IndexInsertOutcome::kInserted;
  }
  return index.tree.InsertUnique(transaction, heap_, key_.view(), tid, wait);
}

[[gnu::hot]] Status Table::AddToIndexes(Transaction& transaction, const Value* row, Tid tid,
                                        EvalContext& context) {
  for (TableIndex& index : indexes_) {
    CONNBENCH_ASSIGN_OR_RETURN(const IndexInsertOutcome outcome,
                               AddToIndex(transaction, index, row, tid, RowWait::kWait));
    if (outcome == IndexInsertOutcome::kDuplicate) return DuplicateKey(index, row, context);
  }
  return {};
}

Result<bool> Table::AddUnlessTaken(Transaction& transaction, const Value* row, Tid tid,
                                   std::span<const size_t> arbiters, EvalContext& context) {
  // Always in the same order: two inserters that met in two indexes would wait for each other.
  for (size_t i = 0; i < indexes_.size(); ++i) {
    const bool arbiter = std::find(arbiters.begin(), arbiters.end(), i) != arbiters.end();
    CONNBENCH_ASSIGN_OR_RETURN(const IndexInsertOutcome outcome,
                               AddToIndex(transaction, indexes_[i], row, tid,
                                          arbiter ? RowWait::kDontWait : RowWait::kWait));
    if (outcome == IndexInsertOutcome::kInserted) continue;
    if (arbiter) return false;
    return DuplicateKey(indexes_[i], row, context);
  }
  return true;
}

Result<RowLife> Table::FindConflict(Transaction& transaction, const Value* row,
                                    std::span<const size_t> arbiters, bool to_lock) {
  for (const size_t arbiter : arbiters) {
    TableIndex& index = indexes_[arbiter];
    if (!MakeKey(index, row, key_)) continue;
    // A key that is too long is in no index. The insert says so.
    while (key_.size() <= kMaxKeySize) {
      CONNBENCH_RETURN_IF_ERROR(transaction.CheckForInterrupts());
      CONNBENCH_ASSIGN_OR_RETURN(const KeyHolder holder,
                                 index.tree.FindHolder(transaction, heap_, key_.view()));
      if (holder.life.state < RowLife::State::kLive) break;
      const bool live = holder.life.state == RowLife::State::kLive;
      if (live || (to_lock && holder.life.version.valid())) return holder.life;
      CONNBENCH_RETURN_IF_ERROR(BTree::AwaitHolder(transaction, heap_, holder));
    }
  }
  return RowLife{};
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
      .WithDetail(DescribeKey(index, row, context) + " already exists.")
      .OfConstraint(relation_->name, index.info->name);
}

std::string Table::DescribeRow(const Value* row, EvalContext& context) const {
  std::string text;
  for (size_t i = 0; i < relation_->columns.size(); ++i) {
    if (relation_->columns[i].dropped) continue;
    text += (text.empty() ? "" : ", ") + ValueText(relation_->columns[i].type_oid, row[i], context);
  }
  return "(" + text + ")";
}

}  // namespace connbench::engine
