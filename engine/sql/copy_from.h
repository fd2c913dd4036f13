// COPY FROM STDIN: takes the bytes of the data in any split and inserts their rows, many at a time.
// Rows come as lines of text or CSV (CopyFromText) or in PostgreSQL's binary form
// (CopyFromBinary); what becomes of a row is the same.
//
// Safety: private memory of one session, one thread at a time. Errors: PostgreSQL's, with its
// context: "COPY t, line 3, column a".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/expression.h"
#include "engine/executor/nodes/table.h"
#include "engine/sql/copy_options.h"

namespace connbench::engine {

class Transaction;

// Where rows go.
struct CopyTarget {
  std::shared_ptr<Table> table;
  std::vector<int> columns;                 // those that the data hold, as positions in the table
  std::vector<const Expression*> defaults;  // by column of the table, for those they do not hold
  const Expression* where = nullptr;        // of the rows that are inserted; null: all
  std::unique_ptr<Arena> expressions;       // that defaults and where live in
};

class CopyFrom {
 public:
  virtual ~CopyFrom() = default;
  CopyFrom(const CopyFrom&) = delete;
  CopyFrom& operator=(const CopyFrom&) = delete;

  virtual Status Take(std::string_view bytes) = 0;
  // The end of the data: takes an unfinished last row and writes what is left. The rows, then.
  virtual Result<int64_t> Finish() = 0;
  // Where it stands, for an error that ends it: "COPY t, line 3".
  std::string NextLine() const;

 protected:
  CopyFrom(CopyTarget target, Transaction& transaction, EvalEnvironment& environment);

  // The columns that the data hold.
  size_t columns() const { return target_.columns.size(); }
  const ColumnInfo& column(size_t i) const;
  const RelationInfo& table() const { return target_.table->info(); }

  // A row: BeginRow(), a value for each column, AddRow().
  Status BeginRow();
  Value& value(size_t i) { return row_values_[static_cast<size_t>(target_.columns[i])]; }
  IoContext io() const { return context_.io(); }
  Status AddRow();
  // Writes the rows that are kept; Finish() does so at its end. The rows since the beginning.
  Result<int64_t> FinishRows();

  // The context that PostgreSQL gives an error: the row's number alone, or with more behind it.
  Status InLine(Status error, std::string_view rest = {}) const;
  // The same, with what else names the row.
  virtual Status InThisRow(Status error) const { return InLine(std::move(error)); }

  int64_t line_number_ = 0;  // of the row at hand

 private:
  Status Flush();

  CopyTarget target_;
  std::vector<bool> given_;  // by column of the table: the data hold it
  Transaction& transaction_;
  EvalContext context_;
  Arena row_arena_;  // reset for every row
  std::vector<Value> row_values_;
  Arena batch_arena_;  // the rows that are not written yet
  std::vector<int64_t> batch_lines_;
  std::vector<std::string_view> batch_rows_;
  std::vector<Tid> batch_tids_;
  int64_t batch_bytes_ = 0;
  int64_t rows_ = 0;
};

// No row of the data may be longer: an error, not a reason to buffer without end.
inline constexpr size_t kMaxCopyRowBytes = size_t{64} << 20;

Status BadCopyFormat(std::string message);

// force_not_null, force_null: by column of the data.
std::unique_ptr<CopyFrom> MakeCopyFromText(CopyTarget target, CopyOptions options,
                                           std::vector<bool> force_not_null,
                                           std::vector<bool> force_null, Transaction& transaction,
                                           EvalEnvironment& environment);
std::unique_ptr<CopyFrom> MakeCopyFromBinary(CopyTarget target, Transaction& transaction,
                                             EvalEnvironment& environment);

}  // namespace connbench::engine
