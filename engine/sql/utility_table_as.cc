// CREATE TABLE AS and SELECT INTO: a table with the columns and the rows of a query.

#include <fmt/format.h>

#include "engine/executor/nodes/table.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/storage_options.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

// Both statements as one: the table, and where its rows come from.
struct TableFromQuery {
  const PgQuery__IntoClause* into = nullptr;
  const PgQuery__Node* query = nullptr;
  std::string_view command;
  bool if_not_exists = false;
};

TableFromQuery Read(const PgQuery__Node& statement) {
  if (statement.node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
    return {IntoOf(*statement.select_stmt), &statement, "SELECT INTO", false};
  }
  const PgQuery__CreateTableAsStmt& create = *statement.create_table_as_stmt;
  return {create.into, create.query, "CREATE TABLE AS", create.if_not_exists != 0};
}

Status CheckInto(std::string_view sql, const PgQuery__IntoClause& into) {
  const std::string_view persistence = into.rel->relpersistence;
  if (persistence == "t") return ast::NotSupported(sql, "a temporary table", into.rel->location);
  const std::string_view method = into.access_method;
  if (!method.empty() && method != "heap") {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("access method \"{}\" does not exist", method));
  }
  if (into.on_commit > PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_NOOP) {
    return Status::Error(sqlstate::kInvalidTableDefinition,
                         "ON COMMIT can only be used on temporary tables");
  }
  CONNBENCH_RETURN_IF_ERROR(CheckTablespace(into.table_space_name));
  return CheckStorageOptions(sql, ast::List(into.options, into.n_options), false);
}

Result<std::vector<ColumnInfo>> ColumnsOf(std::string_view sql, const PgQuery__IntoClause& into,
                                          std::span<const ColumnDescription> described) {
  if (into.n_col_names > described.size()) {
    return Status::Error(sqlstate::kSyntaxError, "too many column names were specified");
  }
  std::vector<ColumnInfo> columns;
  for (size_t i = 0; i < described.size(); ++i) {
    ColumnInfo column;
    column.name =
        i < into.n_col_names ? std::string(ast::StringOf(*into.col_names[i])) : described[i].name;
    column.type_oid = described[i].type_oid;
    column.type_modifier = described[i].type_modifier;
    CONNBENCH_RETURN_IF_ERROR(CheckNewName(columns, column.name));
    CONNBENCH_RETURN_IF_ERROR(
        CheckNewType(sql, column.name, {column.type_oid, -1}, into.rel->location, -1));
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace

Result<RealSession::Outcome> RealSession::RunCreateTableAs(const PgQuery__Node& statement,
                                                           std::string_view sql,
                                                           const UtilityInput& input,
                                                           ResultSink& sink) {
  const TableFromQuery what = Read(statement);
  const PgQuery__IntoClause& into = *what.into;
  if (statement.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
      statement.create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) {
    return ast::NotSupported(sql, "a materialized view", into.rel->location);
  }
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly(what.command));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  Arena arena;
  std::vector<Value> parameters(input.parameters.begin(), input.parameters.end());
  std::unique_ptr<Plan> plan;
  if (what.query->node_case == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
    const PgQuery__ExecuteStmt& execute = *what.query->execute_stmt;
    CONNBENCH_ASSIGN_OR_RETURN(const auto prepared, FindStatement(execute.name));
    const bool selects = prepared->kind == PreparedStatement::Kind::kPlanned &&
                         prepared->plan->kind == PlanKind::kSelect;
    if (!selects) {
      return Status::Error(sqlstate::kWrongObjectType, "prepared statement is not a SELECT");
    }
    parameters.clear();
    CONNBENCH_RETURN_IF_ERROR(EvaluateArguments(execute, sql, *prepared, arena, parameters));
    CONNBENCH_ASSIGN_OR_RETURN(plan, MakePlan(*prepared));
  } else {
    ParameterTypes types =
        input.parameter_types != nullptr ? *input.parameter_types : ParameterTypes::None();
    CONNBENCH_ASSIGN_OR_RETURN(plan, PlanStatement(planning_context(), sql, *what.query, types));
  }
  return MakeTableAs(statement, sql, *plan, parameters, /*instrument=*/false, sink);
}

Result<RealSession::Outcome> RealSession::MakeTableAs(const PgQuery__Node& statement,
                                                      std::string_view sql, Plan& plan,
                                                      std::span<const Value> parameters,
                                                      bool instrument, ResultSink& sink) {
  const TableFromQuery what = Read(statement);
  const PgQuery__IntoClause& into = *what.into;
  CONNBENCH_RETURN_IF_ERROR(CheckInto(sql, into));
  RelationInfo definition;
  definition.owner = role_.oid;
  CONNBENCH_ASSIGN_OR_RETURN(definition.name, ast::NewRelationName(sql, *into.rel));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef existing,
                             catalog_.FindIfExists(transaction_, definition.name));
  if (existing != nullptr) {
    std::string message = fmt::format("relation \"{}\" already exists", definition.name);
    if (!what.if_not_exists) return Status::Error(sqlstate::kDuplicateTable, std::move(message));
    Notice(sink, "NOTICE", sqlstate::kDuplicateTable, std::move(message) + ", skipping");
    return Outcome{what.command};
  }
  CONNBENCH_RETURN_IF_ERROR(plan.constant_error);
  CONNBENCH_ASSIGN_OR_RETURN(definition.columns, ColumnsOf(sql, into, plan.columns));
  if (!into.skip_data) CONNBENCH_RETURN_IF_ERROR(CheckAccess(plan));
  catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef made,
                             catalog_.CreateTable(transaction_, definition));
  CONNBENCH_RETURN_IF_ERROR(
      transaction_.locks().LockRelation(made->oid, LockMode::kAccessExclusive));
  if (into.skip_data) {
    // PostgreSQL runs a prepared statement for no rows.
    const bool executes = what.query->node_case == PG_QUERY__NODE__NODE_EXECUTE_STMT;
    return Outcome{executes ? std::string_view("SELECT 0") : what.command};
  }
  Table table(storage_, made);
  int64_t rows = 0;
  const auto take = [&](const Value* row) -> Status {
    CONNBENCH_RETURN_IF_ERROR(table.Tidy());
    CONNBENCH_RETURN_IF_ERROR(table.heap().Insert(transaction_, table.Encode(row)).TakeStatus());
    ++rows;
    return {};
  };
  CONNBENCH_RETURN_IF_ERROR(RunToEnd(plan, parameters, instrument, take));
  transaction_.AdvanceCommand();
  return Outcome{fmt::format("SELECT {}", rows)};
}

}  // namespace connbench::engine
