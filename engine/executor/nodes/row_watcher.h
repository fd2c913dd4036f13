// Who is told of every row that a statement writes: foreign keys, which are enforced when the
// statement has ended.
//
// Who may call: the nodes that write rows and COPY, for tables that have a watcher. The others pay
// one test for each row.
// Safety: private memory of one session, one thread at a time.
// Errors: those of temporary_file.h; the statement fails with them.
#pragma once

#include "base/status.h"
#include "engine/executor/value.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class RowWatcher {
 public:
  RowWatcher() = default;
  virtual ~RowWatcher() = default;
  RowWatcher(const RowWatcher&) = delete;
  RowWatcher& operator=(const RowWatcher&) = delete;

  // Rows have all of the table's columns; tid: where the new version is, old_tid: the old one.
  virtual Status Inserted(const Value* row, Tid tid) = 0;
  virtual Status Updated(const Value* old_row, Tid old_tid, const Value* row, Tid tid) = 0;
  virtual Status Deleted(const Value* row) = 0;
};

}  // namespace connbench::engine
