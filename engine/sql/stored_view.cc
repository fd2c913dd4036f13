// What is kept of a view: see stored_view.h.
#include "engine/sql/stored_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/expression/aggregates.h"
#include "engine/executor/expression/evaluate.h"
#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

std::string QuotedLiteral(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

// A literal of the text that becomes another one.
struct Edit {
  size_t begin;
  size_t length;
  std::string text;
};

// Literals whose meaning depends on the session ('now'::timestamp, a time without a zone) become
// the value that they have now, as in PostgreSQL, which reads a literal once.
Status FixLiterals(std::string_view sql, const std::vector<Expression*>& literals,
                   EvalEnvironment& environment, size_t start, std::string& text) {
  std::vector<Edit> edits;
  Arena arena;
  for (const Expression* literal : literals) {
    EvalContext context;
    context.arena = &arena;
    context.environment = &environment;
    Value value;
    if (!Evaluate(*literal, context, value)) return std::move(context.status);
    std::string_view fixed;
    // In the style of intervals that every session reads alike.
    const IoContext io{&arena, &environment.time_zone(), environment.TransactionTimestamp(),
                       &environment};
    CONNBENCH_RETURN_IF_ERROR(FormatText(literal->type.oid, value, io, fixed));
    const int location = literal->location;
    const std::string written = QuotedLiteral(literal->arguments[0]->constant.text());
    if (location < 0 || sql.substr(static_cast<size_t>(location), written.size()) != written) {
      return ast::NotSupported(sql, "this way to write a time in a view", location);
    }
    edits.push_back({static_cast<size_t>(location) - start, written.size(), QuotedLiteral(fixed)});
  }
  // From the back, so that the places of the others stay. A literal may be noted twice.
  std::sort(edits.begin(), edits.end(),
            [](const Edit& a, const Edit& b) { return a.begin > b.begin; });
  size_t last = std::string::npos;
  for (const Edit& edit : edits) {
    if (edit.begin != last) text.replace(edit.begin, edit.length, edit.text);
    last = edit.begin;
  }
  return {};
}

bool IsAggregateCall(const PgQuery__Node& node) {
  if (node.node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return false;
  const PgQuery__FuncCall& call = *node.func_call;
  if (call.over != nullptr) return false;
  return IsAggregate(ast::StringOf(*call.funcname[call.n_funcname - 1]));
}

}  // namespace

void RecordedReads::Add(std::string_view name, const RelationRef& relation) {
  const bool is_new = relations.emplace(relation->oid, relation).second;
  if (!is_new) return;
  ViewReference& reference = references.emplace_back();
  reference.oid = relation->oid;
  reference.name = name;
  reference.width = static_cast<int16_t>(relation->columns.size());
  for (int16_t i = 0; i < reference.width; ++i) {
    if (relation->columns[static_cast<size_t>(i)].dropped) reference.dropped.push_back(i);
  }
}

Result<PlannedView> PlanView(const PlanningContext& context, std::string_view sql,
                             std::string_view statement, const PgQuery__Node& query,
                             EvalEnvironment& environment) {
  RecordedReads reads;
  ParameterTypes none = ParameterTypes::None();
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<Plan> plan,
                             Planner(context, sql, none).Run(query, &reads));
  PlannedView view;
  view.columns = plan->columns;
  view.info.sql = statement;
  CONNBENCH_RETURN_IF_ERROR(FixLiterals(sql, reads.late_literals, environment,
                                        static_cast<size_t>(statement.data() - sql.data()),
                                        view.info.sql));
  view.info.references = std::move(reads.references);
  for (ViewReference& reference : view.info.references) {
    const RelationInfo& relation = *reads.relations[reference.oid];
    for (const int16_t column : reads.columns.by_relation[reference.oid]) {
      reference.columns.push_back({column, relation.columns[static_cast<size_t>(column)].name});
    }
  }
  view.info.keys = std::move(reads.keys);
  return view;
}

Result<ParseTree> ReadView(const ViewInfo& view, Interrupts* interrupts) {
  return ParseTree::Parse(view.sql, interrupts);
}

const PgQuery__SelectStmt& QueryOfView(const ParseTree& tree) {
  return *tree.statement(0).view_stmt->query->select_stmt;
}

// In PostgreSQL's order.
std::string_view WhyNotUpdatable(const PgQuery__SelectStmt& query) {
  if (query.n_distinct_clause > 0) {
    return "Views containing DISTINCT are not automatically updatable.";
  }
  if (query.n_group_clause > 0) return "Views containing GROUP BY are not automatically updatable.";
  if (query.having_clause != nullptr) {
    return "Views containing HAVING are not automatically updatable.";
  }
  if (query.op > PG_QUERY__SET_OPERATION__SETOP_NONE) {
    return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.";
  }
  if (query.with_clause != nullptr) return "Views containing WITH are not automatically updatable.";
  if (query.limit_offset != nullptr || query.limit_count != nullptr) {
    return "Views containing LIMIT or OFFSET are not automatically updatable.";
  }
  bool has_column = false;
  for (const ast::Node* target : ast::List(query.target_list, query.n_target_list)) {
    const PgQuery__Node& value = *target->res_target->val;
    if (IsAggregateCall(value)) {
      return "Views that return aggregate functions are not automatically updatable.";
    }
    has_column = has_column || value.node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
  }
  for (const ast::Node* target : ast::List(query.target_list, query.n_target_list)) {
    const PgQuery__Node& value = *target->res_target->val;
    if (value.node_case == PG_QUERY__NODE__NODE_FUNC_CALL && value.func_call->over != nullptr) {
      return "Views that return window functions are not automatically updatable.";
    }
  }
  if (query.n_from_clause != 1 ||
      query.from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR) {
    return "Views that do not select from a single table or view are not automatically updatable.";
  }
  if (!has_column) return "Views that have no updatable columns are not automatically updatable.";
  return {};
}

}  // namespace connbench::engine
