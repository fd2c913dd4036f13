// PREPARE, EXECUTE, DEALLOCATE, CLOSE, EXPLAIN.

#include <fmt/format.h>

#include "engine/executor/nodes/explain.h"
#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {

Result<RealSession::Outcome> RealSession::RunPrepare(const std::shared_ptr<const ParseTree>& tree,
                                                     const PgQuery__Node& statement) {
  const PgQuery__PrepareStmt& prepare = *statement.prepare_stmt;
  std::vector<Oid> types;
  for (const ast::Node* node : ast::List(prepare.argtypes, prepare.n_argtypes)) {
    CONNBENCH_ASSIGN_OR_RETURN(const Type type, ResolveTypeName(tree->sql(), *node->type_name));
    types.push_back(type.oid);
  }
  int index = 0;
  while (&tree->statement(index) != &statement) ++index;
  CONNBENCH_ASSIGN_OR_RETURN(auto prepared, Prepare(tree, index, types, /*sql_level=*/true));
  if (prepared->kind == PreparedStatement::Kind::kUtility) {
    return ast::NotSupported(tree->sql(), "PREPARE of a utility statement",
                             ast::LocationOf(*prepare.query));
  }
  if (!statements_.try_emplace(prepare.name, std::move(prepared)).second) {
    return Status::Error(sqlstate::kDuplicatePreparedStatement,
                         fmt::format("prepared statement \"{}\" already exists", prepare.name));
  }
  sql_prepared_ = true;
  return Outcome{"PREPARE"};
}

// Evaluates EXECUTE's arguments into parameters, in the statement's types.
Status RealSession::EvaluateArguments(const PgQuery__ExecuteStmt& execute, std::string_view sql,
                                      const PreparedStatement& statement, Arena& arena,
                                      std::vector<Value>& parameters) {
  const std::span<const Oid> types = statement.parameters.types();
  if (execute.n_params != types.size()) {
    return Status::Error(sqlstate::kSyntaxError,
                         fmt::format("wrong number of parameters for prepared statement \"{}\"",
                                     execute.name))
        .WithDetail(
            fmt::format("Expected {} parameters but got {}.", types.size(), execute.n_params));
  }
  arena.set_interrupts(this);
  ParameterTypes none = ParameterTypes::None();
  ExpressionBuilder builder(arena, none, sql);
  const Scope empty;
  ExpressionAnalyzer analyzer(builder, sql, empty);
  EvalContext context{nullptr, nullptr, &arena, this, {}};
  for (size_t i = 0; i < types.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * argument,
                               analyzer.Analyze(*execute.params[i], "EXECUTE parameters"));
    CONNBENCH_ASSIGN_OR_RETURN(
        argument, builder.CoerceForColumn(argument, {types[i], -1}, fmt::format("${}", i + 1),
                                          ast::LocationOf(*execute.params[i])));
    Value value;
    if (!Evaluate(*argument, context, value)) return std::move(context.status);
    parameters.push_back(value);
  }
  return {};
}

Result<RealSession::Outcome> RealSession::RunExecute(const PgQuery__Node& statement,
                                                     std::string_view sql,
                                                     std::span<const WireFormat> formats,
                                                     bool describe, ResultSink& sink) {
  const PgQuery__ExecuteStmt& execute = *statement.execute_stmt;
  CONNBENCH_ASSIGN_OR_RETURN(const auto prepared, FindStatement(execute.name));
  if (prepared->kind == PreparedStatement::Kind::kTransaction) {
    return RunTransactionStatement(*prepared->tree->statement(prepared->index).transaction_stmt,
                                   prepared->sql, sink);
  }
  if (prepared->kind == PreparedStatement::Kind::kEmpty) return Outcome{"EXECUTE"};
  if (prepared->kind != PreparedStatement::Kind::kPlanned) {
    return ast::NotSupported(sql, "EXECUTE of this statement", -1);
  }
  Portal portal;
  portal.statement = prepared;
  portal.formats.assign(formats.begin(), formats.end());
  CONNBENCH_RETURN_IF_ERROR(
      EvaluateArguments(execute, sql, *prepared, portal.parameter_arena, portal.parameters));
  CONNBENCH_RETURN_IF_ERROR(prepared->plan->constant_error);
  CONNBENCH_RETURN_IF_ERROR(OpenPortal(portal));
  if (describe && portal.plan->returns_rows) {
    sink.RowDescription(portal.plan->columns, formats);
  }
  Result<Outcome> outcome = RunPortal(portal, 0, sink);
  ClosePortalState(portal);
  return outcome;
}

Result<RealSession::Outcome> RealSession::RunDeallocate(const PgQuery__Node& statement) {
  const std::string_view name = statement.deallocate_stmt->name;
  if (name.empty()) {
    DropStatements();  // the unnamed one stays, as in PostgreSQL
    return Outcome{"DEALLOCATE ALL"};
  }
  CONNBENCH_RETURN_IF_ERROR(FindStatement(name).TakeStatus());
  statements_.erase(statements_.find(name));
  return Outcome{"DEALLOCATE"};
}

Result<RealSession::Outcome> RealSession::RunExplain(const ParseTree& tree,
                                                     const PgQuery__Node& statement,
                                                     const UtilityInput& input, ResultSink& sink) {
  const std::string_view sql = tree.sql();
  const PgQuery__ExplainStmt& explain = *statement.explain_stmt;
  ExplainWriter::Options options;
  bool summary = false;
  bool timing_given = false;
  bool wal = false;
  for (const ast::Node* node : ast::List(explain.options, explain.n_options)) {
    const PgQuery__DefElem& option = *node->def_elem;
    const std::string_view name = option.defname;
    if (name == "format") {
      const std::string format = ast::DefElemText(option);
      if (format == "text") continue;
      if (format != "json" && format != "xml" && format != "yaml") {
        return Status::Error(
            sqlstate::kInvalidParameterValue,
            fmt::format("unrecognized value for EXPLAIN option \"format\": \"{}\"", format),
            CharacterPosition(sql, option.location));
      }
      return ast::NotSupported(sql, "EXPLAIN in a format other than text", option.location);
    }
    CONNBENCH_ASSIGN_OR_RETURN(const bool on, ast::DefElemBool(option));
    if (name == "analyze") {
      options.analyze = summary = on;
    } else if (name == "costs") {
      options.costs = on;
    } else if (name == "timing") {
      options.timing = on;
      timing_given = true;
    } else if (name == "wal") {
      wal = on;
    } else if (name == "summary") {
      summary = on;
    } else if (name != "verbose" && name != "buffers" && name != "settings") {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("unrecognized EXPLAIN option \"{}\"", name),
                           CharacterPosition(sql, option.location));
    }
  }
  if (!options.analyze && (wal || (timing_given && options.timing))) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("EXPLAIN option {} requires ANALYZE", wal ? "WAL" : "TIMING"));
  }
  // CREATE TABLE AS and SELECT INTO show the plan of their query, and with ANALYZE make the table.
  const PgQuery__Node& explained = *explain.query;
  const bool makes_table =
      explained.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT ||
      (explained.node_case == PG_QUERY__NODE__NODE_SELECT_STMT && !IsPlannable(explained));
  const PgQuery__Node& query = explained.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT
                                   ? *explained.create_table_as_stmt->query
                                   : explained;
  std::shared_ptr<PreparedStatement> prepared;  // EXPLAIN EXECUTE
  std::unique_ptr<Plan> own_plan;
  Plan* plan = nullptr;
  StatementSource source{sql, 0, input.parameter_types};
  while (source.statement < tree.statement_count() &&
         &tree.statement(source.statement) != &statement) {
    ++source.statement;
  }
  Arena arena;
  std::vector<Value> parameters(input.parameters.begin(), input.parameters.end());
  const MonotonicNs planning_begin = MonotonicNow();
  if (query.node_case == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
    CONNBENCH_ASSIGN_OR_RETURN(prepared, FindStatement(query.execute_stmt->name));
    if (prepared->kind != PreparedStatement::Kind::kPlanned) {
      return ast::NotSupported(sql, "EXPLAIN of this statement", -1);
    }
    parameters.clear();
    CONNBENCH_RETURN_IF_ERROR(
        EvaluateArguments(*query.execute_stmt, sql, *prepared, arena, parameters));
    CONNBENCH_ASSIGN_OR_RETURN(own_plan, MakePlan(*prepared));
    source = {prepared->sql, prepared->index, &prepared->parameters};
  } else if (IsPlannable(query) || makes_table) {
    ParameterTypes types =
        input.parameter_types != nullptr ? *input.parameter_types : ParameterTypes::None();
    CONNBENCH_ASSIGN_OR_RETURN(own_plan, PlanStatement(planning_context(), sql, query, types));
  } else {
    return ast::NotSupported(sql, "EXPLAIN of " + ast::KindOf(query), ast::LocationOf(query));
  }
  plan = own_plan.get();
  const MonotonicNs planning_end = MonotonicNow();
  CONNBENCH_RETURN_IF_ERROR(plan->constant_error);
  CONNBENCH_RETURN_IF_ERROR(CheckAccess(*plan));
  if (input.describe) sink.RowDescription(*UtilityResult(statement), input.formats);
  MonotonicNs execution_ns = 0;
  if (options.analyze) {
    Status run =
        makes_table
            ? MakeTableAs(explained, sql, *plan, parameters, true, sink).TakeStatus()
            : RunToEnd(
                  *plan, parameters, true, [](const Value*) { return Status::Ok(); }, source);
    CONNBENCH_RETURN_IF_ERROR(std::move(run));
    execution_ns = MonotonicNow() - planning_end;
  }
  ExplainWriter writer(options);
  plan->root->Explain(writer);
  constexpr double kNanosecondsPerMs = 1e6;
  if (summary) {
    writer.lines().push_back(
        fmt::format("Planning Time: {:.3f} ms",
                    static_cast<double>(planning_end - planning_begin) / kNanosecondsPerMs));
    if (options.analyze) {
      writer.lines().push_back(fmt::format("Execution Time: {:.3f} ms",
                                           static_cast<double>(execution_ns) / kNanosecondsPerMs));
    }
  }
  for (const std::string& line : writer.lines()) {
    CONNBENCH_RETURN_IF_ERROR(SendTextRow({&line, 1}, sink));
  }
  return Outcome{"EXPLAIN"};
}

}  // namespace connbench::engine
