// CREATE TABLE.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/relation_name.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/storage_options.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

bool IsCheck(const ast::Node& node) {
  return node.node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
         node.constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK;
}

}  // namespace

Result<RealSession::Outcome> RealSession::RunCreateTable(const PgQuery__Node& statement,
                                                         std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("CREATE TABLE"));
  const PgQuery__CreateStmt& create = *statement.create_stmt;
  const int location = create.relation->location;
  if (std::string_view(create.relation->relpersistence) == "t") {
    return ast::NotSupported(sql, "a temporary table", location);
  }
  if (create.n_inh_relations > 0) return ast::NotSupported(sql, "INHERITS", location);
  if (create.partspec != nullptr || create.partbound != nullptr) {
    return ast::NotSupported(sql, "partitioning", location);
  }
  if (create.of_typename != nullptr) return ast::NotSupported(sql, "OF type", location);
  const std::string_view access_method = create.access_method;
  if (!access_method.empty() && access_method != "heap") {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("access method \"{}\" does not exist", access_method));
  }
  if (create.oncommit > PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_NOOP) {
    return Status::Error(sqlstate::kInvalidTableDefinition,
                         "ON COMMIT can only be used on temporary tables");
  }
  CONNBENCH_RETURN_IF_ERROR(CheckTablespace(create.tablespacename));
  CONNBENCH_RETURN_IF_ERROR(
      CheckStorageOptions(sql, ast::List(create.options, create.n_options), false));
  Result<std::string> new_name = ast::NewRelationName(sql, *create.relation);
  if (!new_name.ok()) {
    // Alone among those that make relations, PostgreSQL says where the schema is.
    const bool about_schema = new_name.status().code() == sqlstate::kInvalidSchemaName;
    return about_schema ? new_name.TakeStatus().WithPosition(
                              CharacterPosition(sql, create.relation->location))
                        : new_name.TakeStatus();
  }
  std::string name = std::move(*new_name);
  name = TruncateName(name);
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef existing, catalog_.FindIfExists(transaction_, name));
  if (existing != nullptr) {
    std::string message = fmt::format("relation \"{}\" already exists", name);
    if (!create.if_not_exists) {
      return Status::Error(sqlstate::kDuplicateTable, std::move(message));
    }
    Notice(sink, "NOTICE", sqlstate::kDuplicateTable, std::move(message) + ", skipping");
    return Outcome{"CREATE TABLE"};
  }
  TableDefinition definition(sql, name, *this);
  for (const ast::Node* node : ast::List(create.table_elts, create.n_table_elts)) {
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF) {
      CONNBENCH_RETURN_IF_ERROR(definition.AddColumn(*node->column_def));
    } else if (IsCheck(*node)) {
      definition.checks.push_back(node->constraint);
    } else if (node->node_case != PG_QUERY__NODE__NODE_CONSTRAINT) {
      return ast::NotSupported(sql, "LIKE in CREATE TABLE", ast::LocationOf(*node));
    }
  }
  // Constraints may name columns that come after them.
  for (const ast::Node* node : ast::List(create.table_elts, create.n_table_elts)) {
    if (node->node_case == PG_QUERY__NODE__NODE_CONSTRAINT && !IsCheck(*node)) {
      CONNBENCH_RETURN_IF_ERROR(definition.AddTableConstraint(*node->constraint));
    }
  }
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  catalog_changed_ = true;
  for (size_t i = 0; i < definition.columns.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(
        ResolveDefaultSequences(definition.default_sequences[i], definition.columns[i]));
  }
  for (const TableDefinition::Serial& serial : definition.serials) {
    CONNBENCH_RETURN_IF_ERROR(
        MakeOwnedSequence(name, serial.sequence, definition.columns[serial.column]));
  }
  RelationInfo relation;
  relation.name = name;
  relation.owner = role_.oid;
  relation.columns = std::move(definition.columns);
  for (const PgQuery__Constraint* check : definition.checks) {
    CONNBENCH_RETURN_IF_ERROR(MakeCheckOf(relation, *check, sql));
  }
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef table, catalog_.CreateTable(transaction_, relation));
  CONNBENCH_RETURN_IF_ERROR(
      transaction_.locks().LockRelation(table->oid, LockMode::kAccessExclusive));
  for (IndexInfo& index : definition.indexes) {
    CONNBENCH_ASSIGN_OR_RETURN(table, MakeIndex(table, std::move(index)));
  }
  for (const TableDefinition::ForeignKey& key : definition.foreign_keys) {
    CONNBENCH_ASSIGN_OR_RETURN(table, AddForeignKey(table, key, sql));
  }
  return Outcome{"CREATE TABLE"};
}

Status RealSession::ResolveDefaultSequences(std::span<const std::string> names,
                                            ColumnInfo& column) {
  column.default_sequences.clear();
  for (const std::string& text : names) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RelationNameOf(text, database_));
    // Locked, so that it is not dropped before this default is known to depend on it.
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                               FindAndLockSequence(name, LockMode::kAccessShare));
    column.default_sequences.push_back(sequence->oid);
  }
  return {};
}

Status RealSession::MakeOwnedSequence(std::string_view table, const SequenceChange& definition,
                                      ColumnInfo& column) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ChooseName(table, column.name, "seq"));
  CONNBENCH_ASSIGN_OR_RETURN(
      const RelationRef made,
      catalog_.CreateSequence(transaction_, name, definition.definition, role_.oid));
  if (definition.restart) {
    CONNBENCH_RETURN_IF_ERROR(catalog_.SetValue(made, *definition.restart, false));
  }
  column.owned_sequence = made->oid;
  if (column.identity != Identity::kNone) return {};
  column.default_sequences = {made->oid};
  column.default_sql = "nextval('";
  for (char c : QuoteIfNeeded(name)) column.default_sql += c == '\'' ? "''" : std::string(1, c);
  column.default_sql += "')";
  return {};
}

// "table_column_suffix", with a number if that is taken.
Result<std::string> RealSession::ChooseName(std::string_view table, std::string_view column,
                                            std::string_view suffix) {
  const auto is_taken = [this](std::string_view name) -> Result<bool> {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.FindIfExists(transaction_, name));
    return found != nullptr;
  };
  return ChooseObjectName(table, column, suffix, is_taken);
}

}  // namespace connbench::engine
