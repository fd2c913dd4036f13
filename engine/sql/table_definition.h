// A CREATE TABLE statement, checked: columns, keys, serials. Private to engine/sql.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/sql/ast.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// At most kMaxNameLength bytes, cut between characters, as PostgreSQL does silently.
std::string TruncateName(std::string_view name);

// The SQL text under which the catalog keeps a default, once it is known to fit the column.
Result<std::string> DefaultText(std::string_view sql, const PgQuery__Node& expression,
                                const ColumnInfo& column);

struct TableDefinition {
  struct Serial {
    size_t column;
    int64_t maximum;
  };

  TableDefinition(std::string_view sql, std::string name);
  Status AddColumn(const PgQuery__ColumnDef& definition);
  Status AddTableConstraint(const PgQuery__Constraint& constraint);

  std::vector<ColumnInfo> columns;
  std::vector<IndexInfo> indexes;  // unnamed unless the statement names them
  std::vector<Serial> serials;
  bool has_foreign_keys = false;

 private:
  Status AddColumnConstraint(const PgQuery__Constraint& constraint, size_t index);
  Status AddKey(const PgQuery__Constraint& constraint, std::vector<int16_t> key);
  bool IsSerial(size_t column) const;

  std::string_view sql_;
  std::string name_;
};

}  // namespace connbench::engine
