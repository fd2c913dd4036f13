// COPY: rows as lines of text or CSV, both ways.
//
// Safety: private memory of one session, one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/expression.h"
#include "engine/executor/nodes/table.h"
#include "engine/sql/pg_query_types.h"

namespace connbench::engine {

class Transaction;

struct CopyOptions {
  bool csv = false;
  char delimiter = '\t';
  char quote = '"';
  char escape = '"';
  std::string null_text = "\\N";
  bool header = false;
  std::vector<std::string> force_quote;
  bool force_quote_all = false;
};
// The statement's WITH (...) list; 0A000 for the binary format and what else there is not.
Result<CopyOptions> ParseCopyOptions(std::string_view sql, const PgQuery__CopyStmt& statement);

// Appends one field, or one line's end, of COPY TO. value is null for SQL NULL.
void AppendCopyField(const CopyOptions& options, std::optional<std::string_view> value,
                     bool force_quote, std::string& line);

// Takes the bytes of a COPY FROM STDIN in any split and inserts their rows, many at a time.
class CopyFrom {
 public:
  // columns: those that the lines hold, as positions in the table. defaults: an expression for
  // every column, used for those that the lines do not hold.
  CopyFrom(std::shared_ptr<Table> table, std::vector<int> columns,
           std::vector<const Expression*> defaults, CopyOptions options, Transaction& transaction,
           EvalEnvironment& environment, std::unique_ptr<Arena> expressions);

  Status Take(std::string_view bytes);
  // The end of the data: takes an unfinished last line and writes what is left. The rows, then.
  Result<int64_t> Finish();
  // Where it stands, for an error that ends it: "COPY t, line 3".
  std::string NextLine() const;

 private:
  struct Field {
    std::string_view text;
    bool null = false;
  };

  enum class LineEnding : uint8_t { kUnknown, kNewline, kCarriageReturn, kBoth };

  // line: where it begins in bytes; begin: where to go on searching. all_came: no byte follows.
  Result<size_t> FindLineEnd(std::string_view bytes, size_t line, size_t begin, bool all_came);
  Result<size_t> TakeLineEnd(std::string_view bytes, size_t line, size_t at, bool all_came);
  // Where "\\." stands in a line, as an end of the data if what follows is right; npos: nowhere.
  size_t FindMarker(std::string_view line) const;
  // The same as TakeLineEnd, of a line with the marker; nullopt: it is data.
  Result<std::optional<size_t>> TakeMarker(std::string_view bytes, size_t marker, size_t at,
                                           bool all_came);
  Status BadMarker(std::string_view what);
  Status TakeLine(std::string_view line);
  Status SplitText(std::string_view line);
  Status SplitCsv(std::string_view line);
  Status AddRow();
  Status Flush();
  // The context that PostgreSQL gives an error: the number of a line alone, with its text, or with
  // a column and the text of its value.
  Status InLine(Status error, std::string_view rest = {}) const;
  Status InThisLine(Status error) const;

  std::shared_ptr<Table> table_;
  std::vector<int> columns_;
  std::vector<const Expression*> defaults_;
  std::vector<bool> given_;  // for every column of the table: the lines hold it
  CopyOptions options_;
  Transaction& transaction_;
  std::unique_ptr<Arena> expressions_;

  std::string partial_;     // the beginning of a line whose end has not come yet
  size_t scanned_ = 0;      // how far partial_ was searched for the line's end
  bool in_quotes_ = false;  // CSV: at scanned_
  LineEnding ending_ = LineEnding::kUnknown;
  size_t line_end_bytes_ = 0;  // of the line found last
  int64_t line_number_ = 0;
  std::string_view line_;  // while it is taken
  bool marked_ = false;    // the line found last ends with "\\."
  bool ended_ = false;     // by that
  std::string unescaped_;
  std::vector<Field> fields_;

  EvalContext context_;
  Arena row_arena_;  // reset for every line
  std::vector<Value> row_values_;
  Arena batch_arena_;  // the rows that are not written yet
  std::vector<std::string_view> batch_rows_;
  std::vector<Tid> batch_tids_;
  int64_t batch_bytes_ = 0;
  int64_t rows_ = 0;
};

}  // namespace connbench::engine
