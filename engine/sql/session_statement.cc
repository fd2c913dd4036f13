// Prepared statements: analysed and planned once, planned again when their tables have changed.

#include <fmt/format.h>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

// What a prepared statement prepares. PREPARE and DECLARE CURSOR keep their whole text, with the
// statement inside; a Parse message of the same text prepares the PREPARE itself.
const PgQuery__Node& PreparedNode(const PgQuery__Node& statement, bool sql_level) {
  if (!sql_level) return statement;
  return statement.node_case == PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT
             ? *statement.declare_cursor_stmt->query
             : *statement.prepare_stmt->query;
}

// What of a statement that is not planned is planned when it is prepared: its parameters are the
// statement's. Null: nothing.
const PgQuery__Node* QueryInside(const PgQuery__Node& statement) {
  const PgQuery__Node* query = nullptr;
  if (statement.node_case == PG_QUERY__NODE__NODE_EXPLAIN_STMT) {
    query = statement.explain_stmt->query;
  } else if (statement.node_case == PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT) {
    query = statement.declare_cursor_stmt->query;
  } else if (statement.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT) {
    query = statement.create_table_as_stmt->query;
  } else if (statement.node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
    return &statement;  // INTO
  }
  return query != nullptr && IsPlannable(*query) ? query : nullptr;
}

}  // namespace

[[gnu::hot]] PlanningContext RealSession::planning_context() {
  foreign_key_events_.SetMemoryLimit(settings_.current().work_mem_bytes);
  return {.segment = context_.segment,
          .storage = &storage_,
          .catalog = &catalog_,
          .transaction = &transaction_,
          .role = role_,
          .database = database_,
          .interrupts = this,
          .enable_seqscan = settings_.current().enable_seqscan,
          .enable_indexscan = settings_.current().enable_indexscan,
          .foreign_key_events = &foreign_key_events_,
          .parallel =
              context_.config.max_parallel_workers > 0 ? &settings_.current().parallel : nullptr};
}

Result<std::shared_ptr<PreparedStatement>> RealSession::Prepare(
    std::shared_ptr<const ParseTree> tree, int index, std::span<const Oid> parameter_types,
    bool sql_level) {
  auto statement = std::make_shared<PreparedStatement>();
  statement->sql = tree->sql();
  statement->number = ++statements_prepared_;
  statement->index = index;
  statement->sql_level = sql_level;
  CONNBENCH_ASSIGN_OR_RETURN(statement->parameters, ParameterTypes::From(parameter_types));
  if (tree->statement_count() == 0) return statement;
  const PgQuery__Node& node = PreparedNode(tree->statement(index), sql_level);
  CONNBENCH_RETURN_IF_ERROR(CheckNotFailed(node));
  if (node.node_case == PG_QUERY__NODE__NODE_TRANSACTION_STMT) {
    CONNBENCH_RETURN_IF_ERROR(statement->parameters.CheckAllDetermined());
    statement->kind = PreparedStatement::Kind::kTransaction;
    statement->tree = std::move(tree);
    return statement;
  }
  EnsureTransaction();
  if (!IsPlannable(node)) {
    statement->kind = PreparedStatement::Kind::kUtility;
    if (const PgQuery__Node* query = QueryInside(node)) {
      // Like PostgreSQL, these take their query's parameters; no other utility statement has any.
      CONNBENCH_RETURN_IF_ERROR(
          PlanStatement(planning_context(), statement->sql, *query, statement->parameters)
              .TakeStatus());
    }
    CONNBENCH_RETURN_IF_ERROR(statement->parameters.CheckAllDetermined());
    statement->utility_result = UtilityResult(node);
    statement->tree = std::move(tree);
    return statement;
  }
  statement->kind = PreparedStatement::Kind::kPlanned;
  auto planned = PlanStatement(planning_context(), statement->sql, node, statement->parameters);
  if (!planned.ok()) return tree->WithStatementPosition(planned.TakeStatus(), index);
  statement->plan = std::move(*planned);
  CONNBENCH_RETURN_IF_ERROR(statement->parameters.CheckAllDetermined());
  return statement;
}

Result<std::unique_ptr<Plan>> RealSession::MakePlan(PreparedStatement& statement) {
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ParseTree::Parse(statement.sql, this));
  return PlanStatement(planning_context(), statement.sql,
                       PreparedNode(tree.statement(statement.index), statement.sql_level),
                       statement.parameters);
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

std::optional<std::vector<ColumnDescription>> RealSession::UtilityResult(
    const PgQuery__Node& statement) {
  using Columns = std::vector<ColumnDescription>;
  const auto text_column = [](std::string name) {
    ColumnDescription column;
    column.name = std::move(name);
    column.type_oid = type_oid::kText;
    column.type_size = -1;
    return column;
  };
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return Columns{text_column("QUERY PLAN")};
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT: {
      const std::string_view name = statement.variable_show_stmt->name;
      if (name == "all") {
        return Columns{text_column("name"), text_column("setting"), text_column("description")};
      }
      Result<std::string> canonical = settings_.CanonicalName(name);
      return Columns{text_column(canonical.ok() ? *canonical : std::string(name))};
    }
    case PG_QUERY__NODE__NODE_FETCH_STMT: {
      const Portal* portal = FindPortal(statement.fetch_stmt->portalname);
      if (portal == nullptr || statement.fetch_stmt->ismove || portal->statement == nullptr ||
          !portal->statement->returns_rows()) {
        return std::nullopt;
      }
      const std::span<const ColumnDescription> columns = portal->statement->columns();
      return Columns(columns.begin(), columns.end());
    }
    case PG_QUERY__NODE__NODE_EXECUTE_STMT: {
      Result<std::shared_ptr<PreparedStatement>> found =
          FindStatement(statement.execute_stmt->name);
      if (!found.ok() || !(*found)->returns_rows()) return std::nullopt;
      const std::span<const ColumnDescription> columns = (*found)->columns();
      return Columns(columns.begin(), columns.end());
    }
    default:
      return std::nullopt;
  }
}

}  // namespace connbench::engine
