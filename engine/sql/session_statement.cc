// Prepared statements: analysed and planned once, planned again when their tables have changed.

#include <fmt/format.h>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

// The statement to plan: PREPARE keeps its own text, with the statement inside.
const PgQuery__Node& PlannedNode(const PgQuery__Node& statement) {
  return statement.node_case == PG_QUERY__NODE__NODE_PREPARE_STMT ? *statement.prepare_stmt->query
                                                                  : statement;
}

}  // namespace

[[gnu::hot]] PlanningContext RealSession::planning_context() {
  return {.segment = context_.segment,
          .storage = context_.storage,
          .catalog = &catalog_,
          .transaction = &transaction_,
          .superuser = superuser_,
          .enable_seqscan = settings_.current().enable_seqscan,
          .enable_indexscan = settings_.current().enable_indexscan};
}

Result<std::shared_ptr<PreparedStatement>> RealSession::Prepare(
    std::shared_ptr<const ParseTree> tree, int index, std::span<const Oid> parameter_types,
    bool sql_level) {
  auto statement = std::make_shared<PreparedStatement>();
  statement->sql = tree->sql();
  statement->index = index;
  statement->sql_level = sql_level;
  statement->parameters = ParameterTypes(parameter_types);
  if (tree->statement_count() == 0) return statement;
  const PgQuery__Node& node = PlannedNode(tree->statement(index));
  CONNBENCH_RETURN_IF_ERROR(CheckNotFailed(node));
  if (node.node_case == PG_QUERY__NODE__NODE_TRANSACTION_STMT) {
    statement->kind = PreparedStatement::Kind::kTransaction;
    statement->tree = std::move(tree);
    return statement;
  }
  EnsureTransaction();
  if (!IsPlannable(node)) {
    statement->kind = PreparedStatement::Kind::kUtility;
    statement->utility_columns = UtilityColumns(node);
    statement->tree = std::move(tree);
    return statement;
  }
  statement->kind = PreparedStatement::Kind::kPlanned;
  CONNBENCH_ASSIGN_OR_RETURN(statement->plan, PlanStatement(planning_context(), statement->sql,
                                                            node, statement->parameters));
  CONNBENCH_RETURN_IF_ERROR(statement->parameters.CheckAllDetermined());
  return statement;
}

Result<std::unique_ptr<Plan>> RealSession::MakePlan(PreparedStatement& statement) {
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ParseTree::Parse(statement.sql));
  return PlanStatement(planning_context(), statement.sql,
                       PlannedNode(tree.statement(statement.index)), statement.parameters);
}

[[gnu::hot]] Result<std::shared_ptr<PreparedStatement>> RealSession::FindStatement(
    std::string_view name) const {
  if (name.empty()) {
    if (unnamed_statement_ != nullptr) return unnamed_statement_;
    return Status::Error(sqlstate::kInvalidSqlStatementName,
                         "unnamed prepared statement does not exist");
  }
  const auto at = statements_.find(name);
  if (at != statements_.end()) return at->second;
  return Status::Error(sqlstate::kInvalidSqlStatementName,
                       fmt::format("prepared statement \"{}\" does not exist", name));
}

std::vector<ColumnDescription> RealSession::UtilityColumns(const PgQuery__Node& statement) {
  const auto text_column = [](std::string name) {
    ColumnDescription column;
    column.name = std::move(name);
    column.type_oid = type_oid::kText;
    column.type_size = -1;
    return column;
  };
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return {text_column("QUERY PLAN")};
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT: {
      const std::string_view name = statement.variable_show_stmt->name;
      if (name == "all") {
        return {text_column("name"), text_column("setting"), text_column("description")};
      }
      Result<std::string> canonical = settings_.CanonicalName(name);
      return {text_column(canonical.ok() ? *canonical : std::string(name))};
    }
    case PG_QUERY__NODE__NODE_EXECUTE_STMT: {
      Result<std::shared_ptr<PreparedStatement>> found =
          FindStatement(statement.execute_stmt->name);
      return found.ok() ? (*found)->columns() : std::vector<ColumnDescription>();
    }
    default:
      return {};
  }
}

}  // namespace connbench::engine
