// What SET of an UPDATE or of ON CONFLICT DO UPDATE makes of a row: the new version and its index
// entries.
//
// Safety: private memory of one session, one thread. Ownership: part of the node that uses it; the
// new row's values point to what the old row's do, or into the scratch arena.
// Errors: those of the expressions, of NOT NULL, of the heap and of the indexes.
#pragma once

#include <memory>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/table.h"

namespace connbench::engine {

class RowChange {
 public:
  struct Assignment {
    int column;
    const Expression* value;  // over the row that Make() is given, in the column's type
  };

  // width: of the rows that Make() is given, which begin with the table's columns.
  RowChange(std::shared_ptr<Table> table, std::vector<Assignment> assignments, size_t width);

  // For a version to be changed that is not known yet: by the columns that are assigned.
  RowLockMode lock_mode() const { return lock_mode_; }
  // The new version, and behind it the rest of what Make() was given.
  const Value* row() const { return new_row_.data(); }

  bool Make(ExecutionContext& context, const Value* row);
  // Puts what Make() has made of row in place of the version at tid.
  Result<WriteResult> Write(ExecutionContext& context, const Value* row, Tid tid);

 private:
  // Which keys the new row changes.
  struct KeyChange {
    bool any = false;
    bool unique = false;  // of a unique index: what others may refer to
  };
  KeyChange CompareKeys(const Value* row) const;

  std::shared_ptr<Table> table_;
  std::vector<Assignment> assignments_;
  std::vector<const TableIndex*> touched_indexes_;  // with a column that is assigned
  RowLockMode lock_mode_ = RowLockMode::kNoKeyUpdate;
  std::vector<Value> new_row_;
};

}  // namespace connbench::engine
