// What SET of an UPDATE or of ON CONFLICT DO UPDATE makes of a row.
#include "engine/executor/nodes/row_change.h"

#include <algorithm>

#include "engine/transaction/transaction.h"

namespace connbench::engine {

RowChange::RowChange(std::shared_ptr<Table> table, std::vector<Assignment> assignments,
                     size_t width)
    : table_(std::move(table)), assignments_(std::move(assignments)), new_row_(width) {
  for (const TableIndex& index : table_->indexes()) {
    const auto& keys = index.info->key_columns;
    const bool touched =
        std::any_of(assignments_.begin(), assignments_.end(), [&](const Assignment& assignment) {
          return std::find(keys.begin(), keys.end(), assignment.column) != keys.end();
        });
    if (!touched) continue;
    touched_indexes_.push_back(&index);
    if (index.info->unique) lock_mode_ = RowLockMode::kUpdate;
  }
}

[[gnu::hot]] bool RowChange::Make(ExecutionContext& context, const Value* row) {
  std::copy(row, row + new_row_.size(), new_row_.begin());
  context.eval.columns = row;
  for (const Assignment& assignment : assignments_) {
    Value& target = new_row_[static_cast<size_t>(assignment.column)];
    if (!Evaluate(*assignment.value, context.eval, target)) return false;
  }
  Status status = table_->CheckConstraints(new_row_.data(), context.eval);
  return status.ok() || context.Fail(std::move(status));
}

[[gnu::hot]] RowChange::KeyChange RowChange::CompareKeys(const Value* row) const {
  KeyChange change;
  for (const TableIndex* index : touched_indexes_) {
    if (change.any && !index->info->unique) continue;
    for (size_t i = 0; i < index->key_types.size(); ++i) {
      const auto column = static_cast<size_t>(index->info->key_columns[i]);
      if (CompareNullsLast(index->key_types[i], row[column], new_row_[column]) == 0) continue;
      change.any = true;
      change.unique = change.unique || index->info->unique;
      break;
    }
  }
  return change;
}

[[gnu::hot]] Result<WriteResult> RowChange::Write(ExecutionContext& context, const Value* row,
                                                  Tid tid) {
  const KeyChange change = CompareKeys(row);
  CONNBENCH_ASSIGN_OR_RETURN(
      const WriteResult written,
      table_->heap().Update(*context.transaction, tid, table_->Encode(new_row_.data()),
                            /*may_be_hot=*/!change.any,
                            change.unique ? RowLockMode::kUpdate : RowLockMode::kNoKeyUpdate));
  if (written.outcome == WriteOutcome::kOk && !written.hot) {
    CONNBENCH_RETURN_IF_ERROR(
        table_->AddToIndexes(*context.transaction, new_row_.data(), written.tid, context.eval));
  }
  if (written.outcome == WriteOutcome::kOk && table_->watcher() != nullptr) [[unlikely]] {
    CONNBENCH_RETURN_IF_ERROR(table_->watcher()->Updated(row, tid, new_row_.data(), written.tid));
  }
  return written;
}

}  // namespace connbench::engine
