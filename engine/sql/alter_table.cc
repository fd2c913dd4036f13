// ALTER TABLE: the order of its subcommands, and those that are not about columns' coming, going
// and types.
#include "engine/sql/alter_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/column_defaults.h"

namespace connbench::engine {
namespace {

Status IsIdentity(std::string_view column, std::string_view table) {
  return Status::Error(
      sqlstate::kSyntaxError,
      fmt::format("column \"{}\" of relation \"{}\" is an identity column", column, table));
}

}  // namespace

RealSession::Alteration::Alteration(RealSession& session, const PgQuery__AlterTableStmt& alter,
                                    std::string_view sql, ResultSink& sink, RelationRef table)
    : session_(session),
      alter_(alter),
      sql_(sql),
      sink_(sink),
      before_(table),
      table_(std::move(table)) {
  arena_.set_interrupts(&session);
}

Status RealSession::Alteration::Run() {
  for (const ast::Node* node : ast::List(alter_.cmds, alter_.n_cmds)) {
    CONNBENCH_RETURN_IF_ERROR(Prepare(*node->alter_table_cmd));
  }
  for (auto& steps : steps_) {
    for (const auto& step : steps) {  // none adds to its own pass
      CONNBENCH_RETURN_IF_ERROR(session_.transaction_.CheckForInterrupts());
      CONNBENCH_RETURN_IF_ERROR(step());
    }
  }
  CONNBENCH_RETURN_IF_ERROR(FinishRows());
  for (const NewKey& key : foreign_keys_) {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table,
                               session_.catalog_.FindByOid(session_.transaction_, key.table));
    CONNBENCH_RETURN_IF_ERROR(session_.ValidateForeignKey(table, key.key).TakeStatus());
  }
  return {};
}

Status RealSession::Alteration::Prepare(const PgQuery__AlterTableCmd& command) {
  const PgQuery__AlterTableCmd* const c = &command;
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
      Queue(kAddColumn, [this, c] { return AddColumn(*c); });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
      Queue(kDrop, [this, c] { return DropColumn(*c); });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType: {
      CONNBENCH_ASSIGN_OR_RETURN(NewType change, PrepareType(command));
      Queue(kAlterType, [this, change = std::move(change)] { return AlterType(change); });
      return {};
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
      Queue(command.def == nullptr ? kDrop : kAddOther, [this, c] { return SetDefault(*c); });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
      Queue(kDrop, [this, c] { return DropNotNull(*c); });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
      Queue(kColumnAttributes, [this, c] { return SetNotNull(*c); });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint: {
      const PgQuery__Constraint* const constraint = command.def->constraint;
      const bool is_key = constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
                          constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE;
      Queue(is_key ? kAddKey : kAddOther,
            [this, constraint] { return AddConstraint(*constraint); });
      return {};
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
      Queue(kDrop, [this, c]() -> Status {
        CONNBENCH_ASSIGN_OR_RETURN(table_, session_.DropConstraint(table_, *c, sink_));
        return {};
      });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
      // It reads the rows, which must be as the other subcommands make them.
      Queue(kMiscellaneous, [this, c]() -> Status {
        CONNBENCH_RETURN_IF_ERROR(FinishRows());
        CONNBENCH_ASSIGN_OR_RETURN(table_, session_.ValidateConstraint(table_, c->name));
        return {};
      });
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner:
      Queue(kMiscellaneous, [this, c]() -> Status {
        CONNBENCH_ASSIGN_OR_RETURN(table_, session_.ChangeOwner(table_, *c->newowner, sql_));
        return {};
      });
      return {};
    default:
      return ast::NotSupported(sql_, "this form of ALTER TABLE", alter_.relation->location);
  }
}

Status RealSession::Alteration::NoSuchColumn(std::string_view name) const {
  return Status::Error(
      sqlstate::kUndefinedColumn,
      fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table_->name));
}

Result<size_t> RealSession::Alteration::FindColumn(std::string_view name) const {
  const int column = table_->FindColumn(name);
  if (column >= 0) return static_cast<size_t>(column);
  if (!IsSystemColumn(name)) return NoSuchColumn(name);
  return Status::Error(sqlstate::kFeatureNotSupported,
                       fmt::format("cannot alter system column \"{}\"", name));
}

Status RealSession::Alteration::ChangeColumn(size_t column,
                                             const std::function<void(ColumnInfo&)>& change) {
  std::vector<ColumnInfo> columns = table_->columns;
  change(columns[column]);
  session_.catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(
      table_, session_.catalog_.AlterColumns(session_.transaction_, table_, std::move(columns)));
  return {};
}

Status RealSession::Alteration::SetDefault(const PgQuery__AlterTableCmd& command) {
  CONNBENCH_ASSIGN_OR_RETURN(const size_t index, FindColumn(command.name));
  ColumnInfo column = table_->columns[index];
  if (column.identity != Identity::kNone) {
    Status status = IsIdentity(command.name, table_->name);
    if (command.def != nullptr) return status;
    return std::move(status).WithHint(
        "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.");
  }
  column.default_sql.clear();
  column.default_sequences.clear();
  if (command.def != nullptr) {
    std::vector<std::string> sequences;
    CONNBENCH_ASSIGN_OR_RETURN(column.default_sql,
                               DefaultText(sql_, *command.def, column, session_, sequences));
    CONNBENCH_RETURN_IF_ERROR(session_.ResolveDefaultSequences(sequences, column));
  }
  return ChangeColumn(index, [&](ColumnInfo& changed) { changed = std::move(column); });
}

Status RealSession::Alteration::DropNotNull(const PgQuery__AlterTableCmd& command) {
  CONNBENCH_ASSIGN_OR_RETURN(const size_t index, FindColumn(command.name));
  if (table_->columns[index].identity != Identity::kNone) {
    return IsIdentity(command.name, table_->name);
  }
  const IndexInfo* primary = table_->primary_key();
  if (primary != nullptr && HasColumn(primary->key_columns, index)) {
    return Status::Error(sqlstate::kInvalidTableDefinition,
                         fmt::format("column \"{}\" is in a primary key", command.name));
  }
  if (!table_->columns[index].not_null) return {};
  return ChangeColumn(index, [](ColumnInfo& column) { column.not_null = false; });
}

Status RealSession::Alteration::SetNotNull(const PgQuery__AlterTableCmd& command) {
  CONNBENCH_ASSIGN_OR_RETURN(const size_t index, FindColumn(command.name));
  if (table_->columns[index].not_null) return {};
  not_null_.push_back(index);
  return ChangeColumn(index, [](ColumnInfo& column) { column.not_null = true; });
}

Status RealSession::Alteration::AddConstraint(const PgQuery__Constraint& constraint) {
  if (*constraint.indexname != '\0') {
    return ast::NotSupported(sql_, "USING INDEX", constraint.location);
  }
  TableDefinition definition(sql_, table_->name, session_);
  definition.columns = table_->columns;
  definition.indexes = table_->indexes;
  definition.alters = true;
  CONNBENCH_RETURN_IF_ERROR(definition.AddTableConstraint(constraint));
  if (!definition.foreign_keys.empty()) {
    definition.foreign_keys[0].not_valid = constraint.skip_validation;
    return AddForeignKey(definition.foreign_keys[0]);
  }
  if (!definition.checks.empty()) return AddCheck(constraint);
  return AddKey(std::move(definition.indexes.back()));
}

// That a primary key's columns have no nulls is seen when its index is built.
Status RealSession::Alteration::AddKey(IndexInfo index) {
  if (index.primary) {
    std::vector<ColumnInfo> columns = table_->columns;
    for (const int16_t column : index.key_columns) {
      columns[static_cast<size_t>(column)].not_null = true;
    }
    session_.catalog_changed_ = true;
    CONNBENCH_ASSIGN_OR_RETURN(
        table_, session_.catalog_.AlterColumns(session_.transaction_, table_, std::move(columns)));
  }
  CONNBENCH_ASSIGN_OR_RETURN(table_, session_.MakeIndex(table_, std::move(index)));
  if (rewrite_) return {};  // all indexes are built then
  return session_.BuildIndex(table_, table_->indexes.size() - 1);
}

Status RealSession::Alteration::AddForeignKey(const TableDefinition::ForeignKey& key) {
  CONNBENCH_ASSIGN_OR_RETURN(table_, session_.AddForeignKey(table_, key, sql_));
  if (!key.not_valid) foreign_keys_.push_back({table_->oid, table_->foreign_keys.back().oid});
  return {};
}

Status RealSession::Alteration::AddCheck(const PgQuery__Constraint& constraint) {
  if (constraint.skip_validation) {
    return ast::NotSupported(sql_, "NOT VALID of a CHECK constraint", constraint.location);
  }
  const std::string name = TruncateName(constraint.conname);
  if (!name.empty() && table_->HasConstraint(name)) {
    return Status::Error(
        sqlstate::kDuplicateObject,
        fmt::format("constraint \"{}\" for relation \"{}\" already exists", name, table_->name));
  }
  RelationInfo made = *table_;
  // ALTER TABLE tells no position, as in PostgreSQL.
  CONNBENCH_RETURN_IF_ERROR(session_.MakeCheckOf(made, constraint, sql_).WithoutPosition());
  for (const CheckInfo& check : made.checks) {
    const bool is_new = std::none_of(table_->checks.begin(), table_->checks.end(),
                                     [&](const CheckInfo& old) { return old.oid == check.oid; });
    if (is_new) checks_.push_back(check.oid);
  }
  session_.catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(
      table_, session_.catalog_.Alter(session_.transaction_, table_, [&](RelationInfo& changed) {
        changed.checks = made.checks;
      }));
  return {};
}

}  // namespace connbench::engine
