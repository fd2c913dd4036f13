// INSERT, UPDATE, DELETE and SELECT ...
#include "engine/executor/nodes/modify_nodes.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/explain.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

Tid TidOf(const Value* row, const TableScanNode& scan) {
  return Tid::FromPacked(static_cast<uint64_t>(row[scan.tid_column()].integer));
}

}  // namespace

// ---- the common part ----

ModifyNode::ModifyNode(std::shared_ptr<Table> table, PlanNodePtr child,
                       std::vector<const Expression*> returning)
    : table_(std::move(table)),
      child_(std::move(child)),
      returning_(std::move(returning)),
      returned_(returning_.size()) {
  estimated_rows = returning_.empty() ? 0 : child_->estimated_rows;
  estimated_cost = child_->estimated_cost;
}

[[gnu::hot]] bool ModifyNode::DoOpen(ExecutionContext& context) { return child_->Open(context); }

[[gnu::hot]] Step ModifyNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (true) {
    if (Status tidied = table_->Tidy(); !tidied.ok()) return Fail(context, std::move(tidied));
    const Value* new_row = nullptr;
    const Step step = ModifyNext(context, new_row);
    if (step != Step::kRow) return step;
    ++context.rows_affected;
    if (returning_.empty()) continue;
    context.eval.columns = new_row;
    for (size_t i = 0; i < returning_.size(); ++i) {
      if (!Evaluate(*returning_[i], context.eval, returned_[i])) return Step::kError;
    }
    row = returned_.data();
    return Step::kRow;
  }
}

[[gnu::hot]] void ModifyNode::Close(ExecutionContext& context) { child_->Close(context); }

std::vector<std::string> ModifyNode::OutputNames() const {
  std::vector<std::string> columns;
  for (const ColumnInfo& column : table_->info().columns) columns.push_back(column.name);
  std::vector<std::string> names;
  for (const Expression* expression : returning_) {
    names.push_back(PrintExpression(*expression, columns));
  }
  return names;
}

void ModifyNode::ExplainAs(ExplainWriter& writer, std::string_view title) const {
  writer.Node(std::string(title) + " on " + table_->info().name, *this);
  writer.Child(*child_);
}

[[gnu::hot]] std::string_view ModifyNode::Encode(const Value* row) {
  encoded_.resize(table_->codec().EncodedSize(row));
  table_->codec().Encode(row, encoded_.data());
  return encoded_;
}

// ---- INSERT ----

InsertNode::InsertNode(std::shared_ptr<Table> table, PlanNodePtr child,
                       std::vector<const Expression*> returning)
    : ModifyNode(std::move(table), std::move(child), std::move(returning)) {}

[[gnu::hot]] Step InsertNode::ModifyNext(ExecutionContext& context, const Value*& new_row) {
  const Step step = child_->Next(context, new_row);
  if (step != Step::kRow) return step;
  Status status = table_->CheckNotNull(new_row, context.eval);
  if (!status.ok()) return Fail(context, std::move(status));
  Result<Tid> tid = table_->heap().Insert(*context.transaction, Encode(new_row));
  if (!tid.ok()) return Fail(context, tid.TakeStatus());
  status = table_->AddToIndexes(*context.transaction, new_row, *tid, context.eval);
  if (!status.ok()) return Fail(context, std::move(status));
  return Step::kRow;
}

void InsertNode::Explain(ExplainWriter& writer) const { ExplainAs(writer, "Insert"); }

// ---- losing a row to somebody else ----

RowChaser::Outcome RowChaser::Follow(ExecutionContext& context, const WriteResult& lost,
                                     RowLockMode mode, RowWait wait, const Value*& row, Tid& tid) {
  if (lost.outcome == WriteOutcome::kSelfModified) return Outcome::kGone;
  if (lost.outcome == WriteOutcome::kWouldBlock) return Outcome::kWouldBlock;
  if (context.transaction->keeps_snapshot()) {
    context.eval.status = Heap::SerializationFailure(lost.outcome);
    return Outcome::kError;
  }
  if (lost.outcome == WriteOutcome::kDeletedConcurrently) return Outcome::kGone;
  if (workspace_ == nullptr) workspace_ = Workspaces::Take();
  HeapRow version;
  Result<WriteResult> locked =
      scan_->table().heap().LockRow(*context.transaction, lost.tid, mode, wait,
                                    /*follow_updates=*/true, workspace_->row, version);
  if (!locked.ok()) {
    context.eval.status = locked.TakeStatus();
    return Outcome::kError;
  }
  if (locked->outcome == WriteOutcome::kWouldBlock) return Outcome::kWouldBlock;
  if (locked->outcome != WriteOutcome::kOk) return Outcome::kGone;
  bool passes = false;
  if (!scan_->TakeVersion(context, version, row, passes)) return Outcome::kError;
  tid = version.tid;
  return passes ? Outcome::kTaken : Outcome::kGone;
}

[[gnu::hot]] void RowChaser::Close() {
  if (workspace_ != nullptr) Workspaces::GiveBack(std::move(workspace_));
}

// ---- UPDATE ----

UpdateNode::UpdateNode(std::shared_ptr<Table> table, std::unique_ptr<TableScanNode> scan,
                       std::vector<Assignment> assignments,
                       std::vector<const Expression*> returning)
    : ModifyNode(std::move(table), std::move(scan), std::move(returning)),
      scan_(static_cast<TableScanNode*>(child_.get())),
      chaser_(scan_),
      assignments_(std::move(assignments)),
      new_row_(static_cast<size_t>(table_->columns())) {
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

[[gnu::hot]] bool UpdateNode::MakeNewRow(ExecutionContext& context, const Value* old_row) {
  std::copy(old_row, old_row + new_row_.size(), new_row_.begin());
  context.eval.columns = old_row;
  for (const Assignment& assignment : assignments_) {
    Value& target = new_row_[static_cast<size_t>(assignment.column)];
    if (!Evaluate(*assignment.value, context.eval, target)) return false;
  }
  Status status = table_->CheckNotNull(new_row_.data(), context.eval);
  return status.ok() || context.Fail(std::move(status));
}

[[gnu::hot]] UpdateNode::KeyChange UpdateNode::CompareKeys(const Value* old_row) {
  KeyChange change;
  for (const TableIndex* index : touched_indexes_) {
    if (change.any && !index->info->unique) continue;
    for (size_t i = 0; i < index->key_types.size(); ++i) {
      const auto column = static_cast<size_t>(index->info->key_columns[i]);
      if (CompareNullsLast(index->key_types[i], old_row[column], new_row_[column]) == 0) continue;
      change.any = true;
      change.unique = change.unique || index->info->unique;
      break;
    }
  }
  return change;
}

[[gnu::hot]] Step UpdateNode::ModifyNext(ExecutionContext& context, const Value*& new_row) {
  while (true) {
    const Value* old_row = nullptr;
    const Step step = scan_->Next(context, old_row);
    if (step != Step::kRow) return step;
    Tid tid = TidOf(old_row, *scan_);
    while (true) {
      if (!MakeNewRow(context, old_row)) return Step::kError;
      const KeyChange change = CompareKeys(old_row);
      Result<WriteResult> written = table_->heap().Update(
          *context.transaction, tid, Encode(new_row_.data()), /*may_be_hot=*/!change.any,
          change.unique ? RowLockMode::kUpdate : RowLockMode::kNoKeyUpdate);
      if (!written.ok()) return Fail(context, written.TakeStatus());
      if (written->outcome == WriteOutcome::kOk) {
        if (!written->hot) {
          Status status = table_->AddToIndexes(*context.transaction, new_row_.data(), written->tid,
                                               context.eval);
          if (!status.ok()) return Fail(context, std::move(status));
        }
        new_row = new_row_.data();
        return Step::kRow;
      }
      const RowChaser::Outcome outcome =
          chaser_.Follow(context, *written, lock_mode_, RowWait::kWait, old_row, tid);
      if (outcome == RowChaser::Outcome::kError) return Step::kError;
      if (outcome == RowChaser::Outcome::kGone) break;
    }
  }
}

[[gnu::hot]] void UpdateNode::Close(ExecutionContext& context) {
  chaser_.Close();
  ModifyNode::Close(context);
}

void UpdateNode::Explain(ExplainWriter& writer) const { ExplainAs(writer, "Update"); }

// ---- DELETE ----

DeleteNode::DeleteNode(std::shared_ptr<Table> table, std::unique_ptr<TableScanNode> scan,
                       std::vector<const Expression*> returning)
    : ModifyNode(std::move(table), std::move(scan), std::move(returning)),
      scan_(static_cast<TableScanNode*>(child_.get())),
      chaser_(scan_) {}

[[gnu::hot]] Step DeleteNode::ModifyNext(ExecutionContext& context, const Value*& new_row) {
  while (true) {
    const Value* row = nullptr;
    const Step step = scan_->Next(context, row);
    if (step != Step::kRow) return step;
    Tid tid = TidOf(row, *scan_);
    while (true) {
      Result<WriteResult> written = table_->heap().Delete(*context.transaction, tid);
      if (!written.ok()) return Fail(context, written.TakeStatus());
      if (written->outcome == WriteOutcome::kOk) {
        new_row = row;
        return Step::kRow;
      }
      const RowChaser::Outcome outcome =
          chaser_.Follow(context, *written, RowLockMode::kUpdate, RowWait::kWait, row, tid);
      if (outcome == RowChaser::Outcome::kError) return Step::kError;
      if (outcome == RowChaser::Outcome::kGone) break;
    }
  }
}

void DeleteNode::Close(ExecutionContext& context) {
  chaser_.Close();
  ModifyNode::Close(context);
}

void DeleteNode::Explain(ExplainWriter& writer) const { ExplainAs(writer, "Delete"); }

// ---- FOR UPDATE ----

LockRowsNode::LockRowsNode(PlanNodePtr child, TableScanNode* scan, RowLockMode mode,
                           LockedRowPolicy policy)
    : child_(std::move(child)), scan_(scan), chaser_(scan), mode_(mode), policy_(policy) {
  estimated_rows = child_->estimated_rows;
  estimated_cost = child_->estimated_cost;
}

bool LockRowsNode::DoOpen(ExecutionContext& context) { return child_->Open(context); }

Step LockRowsNode::DoNext(ExecutionContext& context, const Value*& row) {
  const RowWait wait = policy_ == LockedRowPolicy::kWait ? RowWait::kWait : RowWait::kDontWait;
  while (true) {
    const Step step = child_->Next(context, row);
    if (step != Step::kRow) return step;
    if (workspace_ == nullptr) workspace_ = Workspaces::Take();
    HeapRow version;
    Result<WriteResult> locked =
        scan_->table().heap().LockRow(*context.transaction, TidOf(row, *scan_), mode_, wait,
                                      /*follow_updates=*/false, workspace_->row, version);
    if (!locked.ok()) return Fail(context, locked.TakeStatus());
    if (locked->outcome == WriteOutcome::kOk) return Step::kRow;
    if (locked->outcome == WriteOutcome::kDeletedConcurrently &&
        context.transaction->keeps_snapshot()) {
      // PostgreSQL's words for a lock, whatever was done to the row.
      return Fail(context, Heap::SerializationFailure(WriteOutcome::kUpdatedConcurrently));
    }
    Tid tid;
    switch (chaser_.Follow(context, *locked, mode_, wait, row, tid)) {
      case RowChaser::Outcome::kTaken:
        return Step::kRow;
      case RowChaser::Outcome::kError:
        return Step::kError;
      case RowChaser::Outcome::kGone:
        break;
      case RowChaser::Outcome::kWouldBlock:
        if (policy_ == LockedRowPolicy::kSkip) break;
        return Fail(context,
                    Status::Error(sqlstate::kLockNotAvailable,
                                  fmt::format("could not obtain lock on row in relation \"{}\"",
                                              scan_->table().info().name)));
    }
  }
}

void LockRowsNode::Close(ExecutionContext& context) {
  chaser_.Close();
  if (workspace_ != nullptr) Workspaces::GiveBack(std::move(workspace_));
  child_->Close(context);
}

void LockRowsNode::Explain(ExplainWriter& writer) const {
  writer.Node("LockRows", *this);
  writer.Child(*child_);
}

}  // namespace connbench::engine
