// INSERT, UPDATE, DELETE and SELECT ...
#include "engine/executor/nodes/modify_nodes.h"

#include <fmt/format.h>

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

// ---- INSERT ----

InsertNode::InsertNode(std::shared_ptr<Table> table, PlanNodePtr child,
                       std::vector<const Expression*> returning)
    : ModifyNode(std::move(table), std::move(child), std::move(returning)) {}

[[gnu::hot]] Step InsertNode::ModifyNext(ExecutionContext& context, const Value*& new_row) {
  const Step step = child_->Next(context, new_row);
  if (step != Step::kRow) return step;
  Status status = table_->CheckConstraints(new_row, context.eval);
  if (!status.ok()) return Fail(context, std::move(status));
  Result<Tid> tid = table_->heap().Insert(*context.transaction, table_->Encode(new_row));
  if (!tid.ok()) return Fail(context, tid.TakeStatus());
  status = table_->AddToIndexes(*context.transaction, new_row, *tid, context.eval);
  if (!status.ok()) return Fail(context, std::move(status));
  if (table_->watcher() != nullptr) [[unlikely]] {
    status = table_->watcher()->Inserted(new_row, *tid);
    if (!status.ok()) return Fail(context, std::move(status));
  }
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
  if (replaced_.empty()) replaced_.assign(scan_->slots().begin(), scan_->slots().end());
  bool passes = false;
  if (!scan_->TakeVersion(context, version, row, passes)) return Outcome::kError;
  tid = version.tid;
  return passes ? Outcome::kTaken : Outcome::kGone;
}

[[gnu::hot]] void RowChaser::Close() {
  replaced_.clear();
  if (workspace_ != nullptr) Workspaces::GiveBack(std::move(workspace_));
}

// ---- UPDATE ----

UpdateNode::UpdateNode(std::shared_ptr<Table> table, PlanNodePtr child, TableScanNode* scan,
                       RowChange change, std::vector<const Expression*> returning)
    : ModifyNode(std::move(table), std::move(child), std::move(returning)),
      scan_(scan),
      chaser_(scan_),
      change_(std::move(change)) {}

[[gnu::hot]] Step UpdateNode::ModifyNext(ExecutionContext& context, const Value*& new_row) {
  while (true) {
    const Value* old_row = nullptr;
    chaser_.Restore();
    const Step step = child_->Next(context, old_row);
    if (step != Step::kRow) return step;
    Tid tid = TidOf(old_row, *scan_);
    while (true) {
      if (!change_.Make(context, old_row)) return Step::kError;
      const Result<WriteResult> written = change_.Write(context, old_row, tid);
      if (!written.ok()) return Fail(context, written.status());
      if (written->outcome == WriteOutcome::kOk) {
        new_row = change_.row();
        return Step::kRow;
      }
      const RowChaser::Outcome outcome =
          chaser_.Follow(context, *written, change_.lock_mode(), RowWait::kWait, old_row, tid);
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

DeleteNode::DeleteNode(std::shared_ptr<Table> table, PlanNodePtr child, TableScanNode* scan,
                       std::vector<const Expression*> returning)
    : ModifyNode(std::move(table), std::move(child), std::move(returning)),
      scan_(scan),
      chaser_(scan_) {}

[[gnu::hot]] Step DeleteNode::ModifyNext(ExecutionContext& context, const Value*& new_row) {
  while (true) {
    const Value* row = nullptr;
    chaser_.Restore();
    const Step step = child_->Next(context, row);
    if (step != Step::kRow) return step;
    Tid tid = TidOf(row, *scan_);
    while (true) {
      Result<WriteResult> written = table_->heap().Delete(*context.transaction, tid);
      if (!written.ok()) return Fail(context, written.TakeStatus());
      if (written->outcome == WriteOutcome::kOk) {
        if (table_->watcher() != nullptr) [[unlikely]] {
          Status status = table_->watcher()->Deleted(row);
          if (!status.ok()) return Fail(context, std::move(status));
        }
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
