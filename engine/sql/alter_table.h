// ALTER TABLE of a table. Its subcommands run in PostgreSQL's order, whatever the order in which
// they are written: what drops, then what changes types, adds columns, tightens columns, adds
// keys, adds other constraints, the rest. Each changes the definition at once. What the rows must
// go through for it is gathered and done at the end, in one pass over them: README.md, "Changing a
// table", says when they are written anew. Private to engine/sql.
//
// Safety: lives as long as the statement, on its session's thread. The table is locked
// AccessExclusive. After an error the transaction, or the savepoint, must be rolled back, which
// gives the table back as it was.
// Errors: PostgreSQL's; 53100 when there is no room for the new rows, 57014 while they are written.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/expression.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {

class RealSession::Alteration {
 public:
  Alteration(RealSession& session, const PgQuery__AlterTableStmt& alter, std::string_view sql,
             ResultSink& sink, RelationRef table);
  Status Run();

 private:
  enum Pass : uint8_t {
    kDrop,
    kAlterType,
    kAddColumn,
    kColumnAttributes,
    kAddKey,
    kAddOther,
    kMiscellaneous,
    kPasses
  };
  // A foreign key whose rows are to be checked.
  struct NewKey {
    Oid table;
    Oid key;
  };
  // ALTER COLUMN ... TYPE, analysed against the table as it was.
  struct NewType {
    std::string column;
    Type type;
    const Expression* value;  // over a row of before_
  };

  // Analyses the subcommand as far as PostgreSQL does before any of them runs, and puts it where
  // its turn is.
  Status Prepare(const PgQuery__AlterTableCmd& command);
  void Queue(Pass pass, std::function<Status()> step) { steps_[pass].push_back(std::move(step)); }
  Result<size_t> FindColumn(std::string_view name) const;
  Status NoSuchColumn(std::string_view name) const;
  Status ChangeColumn(size_t column, const std::function<void(ColumnInfo&)>& change);

  // ---- alter_table.cc ----
  Status SetDefault(const PgQuery__AlterTableCmd& command);
  Status DropNotNull(const PgQuery__AlterTableCmd& command);
  Status SetNotNull(const PgQuery__AlterTableCmd& command);
  Status AddConstraint(const PgQuery__Constraint& constraint);
  Status AddKey(IndexInfo index);
  Status AddForeignKey(const TableDefinition::ForeignKey& key);
  Status AddCheck(const PgQuery__Constraint& constraint);

  // ---- alter_add_column.cc ----
  Status AddColumn(const PgQuery__AlterTableCmd& command);
  // Whether the name is free; with IF NOT EXISTS a notice if it is not.
  Result<bool> IsNewName(std::string_view name, bool if_not_exists);
  Status MakeColumn(TableDefinition& definition, ColumnInfo column);
  // The value of the column in the rows that are there, in the column if one value will do.
  Status FillColumn(ColumnInfo& column);

  // ---- alter_drop_column.cc ----
  Status DropColumn(const PgQuery__AlterTableCmd& command);
  Status DropParts(size_t column);

  // ---- alter_column_type.cc ----
  Result<NewType> PrepareType(const PgQuery__AlterTableCmd& command);
  Status AlterType(const NewType& change);
  Status CheckTypeFits(size_t column, Type type);
  Status AlterIdentityType(const ColumnInfo& column, Oid type);
  Status RetypeChecks(std::vector<ColumnInfo> columns, size_t column);
  Status RetypeForeignKeys(size_t column);

  // ---- alter_rows.cc ----
  // What the rows must go through.
  Status FinishRows();
  Status RewriteRows();
  Status TestRows();
  struct RowTests {
    std::vector<size_t> not_null;
    std::vector<std::pair<std::string, const Expression*>> checks;
  };
  Result<RowTests> LoadTests();
  Status TestRow(const RowTests& tests, const Value* row, EvalContext& context) const;

  RealSession& session_;
  const PgQuery__AlterTableStmt& alter_;
  const std::string_view sql_;
  ResultSink& sink_;
  RelationRef before_;  // as the rows in its storage are to be read
  RelationRef table_;   // as it is now
  Arena arena_;         // of the expressions
  std::array<std::vector<std::function<Status()>>, kPasses> steps_;
  bool rewrite_ = false;
  std::vector<const Expression*> values_;  // by column, over a row of before_; null: as it is there
  std::vector<size_t> not_null_;           // columns that must have no nulls
  std::vector<Oid> checks_;                // that all rows must meet
  std::vector<NewKey> foreign_keys_;
};

}  // namespace connbench::engine
