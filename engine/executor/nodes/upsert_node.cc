// INSERT ... ON CONFLICT.
#include "engine/executor/nodes/upsert_node.h"

#include <algorithm>
#include <string>

#include "engine/executor/nodes/explain.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

UpsertNode::UpsertNode(std::shared_ptr<Table> table, PlanNodePtr child, ConflictRule rule,
                       std::vector<const Expression*> returning)
    : ModifyNode(std::move(table), std::move(child), std::move(returning)),
      rule_(std::move(rule)),
      change_(table_, rule_.assignments, static_cast<size_t>(table_->columns())),
      both_(2 * static_cast<size_t>(table_->columns()) + 1) {}

bool UpsertNode::DoOpen(ExecutionContext& context) {
  inserted_ = conflicting_ = filtered_ = 0;
  return ModifyNode::DoOpen(context);
}

Step UpsertNode::ModifyNext(ExecutionContext& context, const Value*& new_row) {
  while (true) {
    const Value* row = nullptr;
    const Step step = child_->Next(context, row);
    if (step != Step::kRow) return step;
    Status status = table_->CheckConstraints(row, context.eval);
    if (!status.ok()) return Fail(context, std::move(status));
    switch (Settle(context, row, new_row)) {
      case Outcome::kWritten:
        return Step::kRow;
      case Outcome::kError:
        return Step::kError;
      default:
        break;
    }
  }
}

UpsertNode::Outcome UpsertNode::Settle(ExecutionContext& context, const Value* row,
                                       const Value*& new_row) {
  Outcome outcome = Outcome::kAgain;
  while (outcome == Outcome::kAgain) {
    const Result<RowLife> holder =
        table_->FindConflict(*context.transaction, row, rule_.arbiters, rule_.updates);
    if (!holder.ok()) {
      context.eval.status = holder.status();
      return Outcome::kError;
    }
    if (holder->state < RowLife::State::kLive) {
      outcome = Insert(context, row);
      new_row = row;
      if (outcome == Outcome::kWritten) ++inserted_;
    } else if (rule_.updates) {
      outcome = Update(context, row, *holder);
      new_row = change_.row();
    } else {
      outcome = CheckSeen(context, *holder) ? Outcome::kNothing : Outcome::kError;
    }
  }
  if (outcome != Outcome::kError && new_row != row) ++conflicting_;
  return outcome;
}

UpsertNode::Outcome UpsertNode::Insert(ExecutionContext& context, const Value* row) {
  Transaction& transaction = *context.transaction;
  const auto insert = [&]() -> Result<bool> {
    CONNBENCH_ASSIGN_OR_RETURN(const Tid tid,
                               table_->heap().Insert(transaction, table_->Encode(row)));
    CONNBENCH_ASSIGN_OR_RETURN(
        const bool added,
        table_->AddUnlessTaken(transaction, row, tid, rule_.arbiters, context.eval));
    if (!added) CONNBENCH_RETURN_IF_ERROR(table_->heap().TakeBack(transaction, tid));
    if (added && table_->watcher() != nullptr) {
      CONNBENCH_RETURN_IF_ERROR(table_->watcher()->Inserted(row, tid));
    }
    return added;
  };
  const Result<bool> inserted = insert();
  if (inserted.ok()) return *inserted ? Outcome::kWritten : Outcome::kAgain;
  context.eval.status = inserted.status();
  return Outcome::kError;
}

UpsertNode::Outcome UpsertNode::Update(ExecutionContext& context, const Value* row,
                                       const RowLife& holder) {
  const auto fail = [&](Status status) {
    context.eval.status = std::move(status);
    return Outcome::kError;
  };
  if (holder.by_command) {
    return fail(Status::Error(sqlstate::kCardinalityViolation,
                              "ON CONFLICT DO UPDATE command cannot affect row a second time")
                    .WithHint("Ensure that no rows proposed for insertion within the same command "
                              "have duplicate constrained values."));
  }
  if (workspace_ == nullptr) workspace_ = Workspaces::Take();
  HeapRow version;
  const Result<WriteResult> locked = table_->heap().LockRow(
      *context.transaction, holder.version, change_.lock_mode(), RowWait::kWait,
      /*follow_updates=*/false, workspace_->row, version);
  if (!locked.ok()) return fail(locked.status());
  // Somebody else has changed it: it may have another key now.
  if (locked->outcome != WriteOutcome::kOk) return Outcome::kAgain;
  if (!CheckSeen(context, holder)) return Outcome::kError;

  const auto columns = static_cast<size_t>(table_->columns());
  table_->codec().DecodeAll(version.bytes, both_.data());
  both_[columns] = Value::Integer(static_cast<int64_t>(version.tid.Packed()));
  std::copy(row, row + columns, both_.begin() + static_cast<std::ptrdiff_t>(columns) + 1);
  if (rule_.condition != nullptr) {
    bool passes = false;
    context.eval.columns = both_.data();
    if (!EvaluateCondition(*rule_.condition, context.eval, passes)) return Outcome::kError;
    if (!passes) {
      ++filtered_;
      return Outcome::kNothing;
    }
  }
  if (!change_.Make(context, both_.data())) return Outcome::kError;
  const Result<WriteResult> written = change_.Write(context, both_.data(), version.tid);
  if (!written.ok()) return fail(written.status());
  return written->outcome == WriteOutcome::kOk ? Outcome::kWritten : Outcome::kAgain;
}

bool UpsertNode::CheckSeen(ExecutionContext& context, const RowLife& holder) {
  const bool own = holder.born == kInvalidCsn;
  if (own || !context.transaction->keeps_snapshot() || context.snapshot.SeesCommit(holder.born)) {
    return true;
  }
  return context.Fail(Heap::SerializationFailure(WriteOutcome::kUpdatedConcurrently));
}

void UpsertNode::Close(ExecutionContext& context) {
  if (workspace_ != nullptr) Workspaces::GiveBack(std::move(workspace_));
  ModifyNode::Close(context);
}

void UpsertNode::Explain(ExplainWriter& writer) const {
  writer.Node("Insert on " + table_->info().name, *this);
  writer.Property("Conflict Resolution", rule_.updates ? "UPDATE" : "NOTHING");
  std::string arbiters;
  for (const size_t arbiter : rule_.arbiters) {
    arbiters += (arbiters.empty() ? "" : ", ") + table_->indexes()[arbiter].info->name;
  }
  if (rule_.names_arbiters) writer.Property("Conflict Arbiter Indexes", arbiters);
  if (rule_.condition != nullptr) {
    writer.Property("Conflict Filter", PrintExpression(*rule_.condition, rule_.names));
    if (writer.analyze()) writer.RowsRemoved(filtered_, "Conflict Filter");
  }
  if (writer.analyze()) {
    writer.Property("Tuples Inserted", std::to_string(inserted_));
    writer.Property("Conflicting Tuples", std::to_string(conflicting_));
  }
  writer.Child(*child_);
}

}  // namespace connbench::engine
