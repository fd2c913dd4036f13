// COPY TO STDOUT: rows as the bytes of CopyData messages, as text, CSV or in binary form.
//
// Safety: private memory of one session, one thread at a time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/types/type_io.h"
#include "engine/session.h"
#include "engine/sql/copy_options.h"

namespace connbench::engine {

class CopyTo {
 public:
  // Both must outlive it. force_quote: by column.
  CopyTo(const CopyOptions& options, std::span<const ColumnDescription> columns,
         std::vector<bool> force_quote)
      : options_(options), columns_(columns), force_quote_(std::move(force_quote)) {}

  // What stands before the rows. Only text ends a message here: true.
  bool AppendStart(std::string& out) const;
  Status AppendRow(const Value* row, const IoContext& io, std::string& out) const;
  // What stands behind the rows, in a message of its own; nothing in text.
  void AppendEnd(std::string& out) const;

 private:
  Status AppendBinaryRow(const Value* row, const IoContext& io, std::string& out) const;
  void AppendText(std::string_view text, std::string& out) const;
  void AppendCsv(std::string_view text, bool force_quote, std::string& out) const;

  const CopyOptions& options_;
  std::span<const ColumnDescription> columns_;
  std::vector<bool> force_quote_;
};

}  // namespace connbench::engine
