// INSERT, UPDATE, DELETE and SELECT ... FOR UPDATE: nodes that write or lock rows.
//
// READ COMMITTED: a row that another transaction has just changed is locked in its newest version,
// tested against the WHERE clause again, and taken if it still meets it. REPEATABLE READ: 40001.
// An UPDATE that changes no column of a unique index locks the row in a mode that lets others share
// its key.
//
// Without RETURNING, Next() does all the work and answers kDone; with it, it answers one row for
// each row written. Both count in context.rows_affected.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/row_change.h"
#include "engine/executor/nodes/table.h"
#include "engine/executor/nodes/table_scan.h"

namespace connbench::engine {

// The part that all three share: the table, and RETURNING over the row written.
class ModifyNode : public PlanNode {
 public:
  void Close(ExecutionContext& context) override;
  std::vector<std::string> OutputNames() const override;

 protected:
  ModifyNode(std::shared_ptr<Table> table, PlanNodePtr child,
             std::vector<const Expression*> returning);
  bool DoOpen(ExecutionContext& context) override;
  // Calls ModifyNext() until there is a row to return, or to the end.
  Step DoNext(ExecutionContext& context, const Value*& row) override;
  // One row: kRow when it was written and is in new_row.
  virtual Step ModifyNext(ExecutionContext& context, const Value*& new_row) = 0;
  void ExplainAs(ExplainWriter& writer, std::string_view title) const;

  std::shared_ptr<Table> table_;
  PlanNodePtr child_;
  std::vector<const Expression*> returning_;

 private:
  std::vector<Value> returned_;
};

// The child's rows have a value, default or null for every column, in the column's type.
class InsertNode : public ModifyNode {
 public:
  InsertNode(std::shared_ptr<Table> table, PlanNodePtr child,
             std::vector<const Expression*> returning);
  void Explain(ExplainWriter& writer) const override;

 protected:
  Step ModifyNext(ExecutionContext& context, const Value*& new_row) override;
};

// What UPDATE, DELETE and FOR UPDATE do when somebody else got to the row first.
class RowChaser {
 public:
  // scan: below the node that uses this; its row is replaced by the newest version.
  explicit RowChaser(TableScanNode* scan) : scan_(scan) {}

  enum class Outcome : uint8_t { kTaken, kGone, kWouldBlock, kError };
  // kTaken: row and tid are those of the newest version, which is locked and meets the condition.
  // kWouldBlock: only with RowWait::kDontWait.
  Outcome Follow(ExecutionContext& context, const WriteResult& lost, RowLockMode mode, RowWait wait,
                 const Value*& row, Tid& tid);
  // Before the child's next row: a join goes on with the version that the scan gave it.
  void Restore() {
    if (!replaced_.empty()) [[unlikely]] {
      std::copy(replaced_.begin(), replaced_.end(), scan_->slots().begin());
      replaced_.clear();
    }
  }
  void Close();

 private:
  TableScanNode* scan_;
  std::vector<Value> replaced_;  // what the newest version has taken the place of
  std::unique_ptr<Workspace> workspace_;
};

// The child is a scan that decodes every column, or a join with that scan in it. A row that joins
// several others is written once, with the first of them.
class UpdateNode : public ModifyNode {
 public:
  UpdateNode(std::shared_ptr<Table> table, PlanNodePtr child, TableScanNode* scan, RowChange change,
             std::vector<const Expression*> returning);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  Step ModifyNext(ExecutionContext& context, const Value*& new_row) override;

 private:
  TableScanNode* scan_;
  RowChaser chaser_;
  RowChange change_;
};

class DeleteNode : public ModifyNode {
 public:
  DeleteNode(std::shared_ptr<Table> table, PlanNodePtr child, TableScanNode* scan,
             std::vector<const Expression*> returning);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  Step ModifyNext(ExecutionContext& context, const Value*& new_row) override;

 private:
  TableScanNode* scan_;
  RowChaser chaser_;
};

// What FOR UPDATE and its relatives do about a row that somebody else holds.
enum class LockedRowPolicy : uint8_t {
  kWait,
  kSkip,   // SKIP LOCKED
  kError,  // NOWAIT: 55P03
};

// SELECT ... FOR UPDATE and its relatives: locks each row that passes. The child's rows begin with
// the table's columns and the tid, as a scan's do; a row that has changed comes out in its newest
// version.
class LockRowsNode : public PlanNode {
 public:
  LockRowsNode(PlanNodePtr child, TableScanNode* scan, RowLockMode mode, LockedRowPolicy policy);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return child_->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  PlanNodePtr child_;
  TableScanNode* scan_;  // at the bottom, for its table and its condition
  RowChaser chaser_;
  RowLockMode mode_;
  LockedRowPolicy policy_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace connbench::engine
