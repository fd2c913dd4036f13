// A CREATE TABLE statement, checked: columns, keys, serials, foreign keys, checks.
// Private to engine/sql.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/environment.h"
#include "engine/executor/types/type.h"
#include "engine/sql/ast.h"
#include "engine/sql/sequence_options.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// At most kMaxNameLength bytes, cut between characters, as PostgreSQL does silently.
std::string TruncateName(std::string_view name);

// Whether PostgreSQL gives every row a column of that name.
bool IsSystemColumn(std::string_view name);

// Whether a table with these columns may have another one of that name: 42701, 54011.
Status CheckNewName(std::span<const ColumnInfo> columns, std::string_view name);
// Whether a table may have a column of that type: 42P16, 0A000 at type_location.
Status CheckNewType(std::string_view sql, std::string_view name, Type type, int type_location,
                    int location);

struct TableDefinition {
  // A column whose values come from a sequence of its own: serial, or an identity column.
  struct Serial {
    size_t column;
    SequenceChange sequence;
  };
  // A foreign key, to be looked up once the table is there.
  struct ForeignKey {
    const PgQuery__Constraint* constraint;
    std::vector<int16_t> columns;
    bool not_valid = false;  // rows that are there are not checked
    bool deferrable = false;
    bool deferred = false;
  };

  TableDefinition(std::string_view sql, std::string name, EvalEnvironment& environment);
  Status AddColumn(const PgQuery__ColumnDef& definition);
  Status AddTableConstraint(const PgQuery__Constraint& constraint);

  std::vector<ColumnInfo> columns;
  std::vector<IndexInfo> indexes;  // unnamed unless the statement names them
  std::vector<Serial> serials;
  std::vector<ForeignKey> foreign_keys;
  std::vector<const PgQuery__Constraint*> checks;  // to be read once all columns are known
  // For each column, the sequences that its default names, as written.
  std::vector<std::vector<std::string>> default_sequences;
  // Errors of ALTER TABLE do not say where a default or a key stands.
  bool alters = false;

 private:
  // What a column's constraints have said so far, to find two that contradict each other.
  struct Declared {
    bool nullability = false;
    bool by_default = false;
    bool identity = false;
    // The key that attributes behind it are about, and which of them it has.
    const PgQuery__Constraint* key = nullptr;
    bool deferrability = false;
    bool initially = false;
  };
  Status AddColumnConstraint(const PgQuery__Constraint& constraint, size_t index,
                             Declared& declared);
  Status AddNullability(bool not_null, int location, size_t index, Declared& declared);
  Status AddDefault(int location, size_t index, Declared& declared);
  Status AddIdentity(const PgQuery__Constraint& constraint, size_t index, Declared& declared);
  // DEFERRABLE, INITIALLY DEFERRED and their like behind a key of a column.
  Status AddAttribute(const PgQuery__Constraint& attribute, Declared& declared);
  Status AddSerial(size_t index, Declared& declared);
  Status AddKey(const PgQuery__Constraint& constraint, std::vector<int16_t> key);
  Result<std::vector<int16_t>> ForeignKeyColumns(const PgQuery__Constraint& constraint) const;

  std::string_view sql_;
  std::string name_;
  EvalEnvironment& environment_;  // for the literals of defaults
};

}  // namespace connbench::engine
