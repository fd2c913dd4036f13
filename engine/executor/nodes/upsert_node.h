// INSERT ... ON CONFLICT: a row that would break a unique key changes the one that has it, or
// nothing.
//
// A row is first looked up in the arbiters: the unique indexes that the statement means. Who is
// inserting such a row is waited for, as in PostgreSQL. If nobody has the key, the row is inserted,
// but not waited for any more: if another inserter came first meanwhile, the row is taken back and
// looked up again. So either way exactly one of them inserts, and the others find its row.
//
// DO UPDATE locks the row that it found in its newest version and changes that: at READ COMMITTED
// also one that the statement's snapshot does not see. REPEATABLE READ: 40001 for such a row, also
// with DO NOTHING. 21000 for a row that this command has written.
#pragma once

#include <memory>
#include <vector>

#include "engine/executor/nodes/modify_nodes.h"

namespace connbench::engine {

// What ON CONFLICT says.
struct ConflictRule {
  std::vector<size_t> arbiters;  // of the table's indexes
  bool names_arbiters = false;   // else they are all that are unique
  bool updates = false;          // else DO NOTHING
  // Both over a row of the table's columns, the tid and the columns of the row proposed.
  std::vector<RowChange::Assignment> assignments;
  const Expression* condition = nullptr;  // null: always
  std::vector<std::string> names;         // EXPLAIN's, of that row
};

class UpsertNode : public ModifyNode {
 public:
  // The child's rows are as InsertNode's.
  UpsertNode(std::shared_ptr<Table> table, PlanNodePtr child, ConflictRule rule,
             std::vector<const Expression*> returning);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step ModifyNext(ExecutionContext& context, const Value*& new_row) override;

 private:
  enum class Outcome : uint8_t { kWritten, kNothing, kAgain, kError };
  Outcome Settle(ExecutionContext& context, const Value* row, const Value*& new_row);
  Outcome Insert(ExecutionContext& context, const Value* row);
  Outcome Update(ExecutionContext& context, const Value* row, const RowLife& holder);
  static bool CheckSeen(ExecutionContext& context, const RowLife& holder);

  const ConflictRule rule_;
  RowChange change_;
  std::vector<Value> both_;  // the row that is there, its tid, the row proposed
  std::unique_ptr<Workspace> workspace_;
  // EXPLAIN ANALYZE's: what became of the rows proposed.
  int64_t inserted_ = 0;
  int64_t conflicting_ = 0;
  int64_t filtered_ = 0;  // of the latter: the condition has kept them from updating
};

}  // namespace connbench::engine
