// The options of COPY, as its WITH list says them.
//
// Safety: pure functions; any thread. Errors: PostgreSQL's, in its order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/sql/pg_query_types.h"

namespace connbench::engine {

enum class CopyFormat : uint8_t { kText, kCsv, kBinary };
enum class CopyHeader : uint8_t { kNone, kPresent, kMatch };

// Columns of an option, by name; not checked against the table.
struct CopyColumnNames {
  std::vector<std::string> names;
  bool all = false;  // "*"

  bool given() const { return all || !names.empty(); }
};

struct CopyOptions {
  CopyFormat format = CopyFormat::kText;
  CopyHeader header = CopyHeader::kNone;
  char delimiter = '\t';
  char quote = '"';
  char escape = '"';
  std::string null_text = "\\N";
  CopyColumnNames force_quote;
  CopyColumnNames force_not_null;
  CopyColumnNames force_null;

  bool csv() const { return format == CopyFormat::kCsv; }
  bool binary() const { return format == CopyFormat::kBinary; }
};
// sql: what locations count in.
Result<CopyOptions> ParseCopyOptions(std::string_view sql, const PgQuery__CopyStmt& statement);

}  // namespace connbench::engine
