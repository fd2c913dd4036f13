// WITH, and subqueries in FROM.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/sql/planner.h"
#include "engine/sql/with_references.h"

namespace connbench::engine {
namespace {

// What such a relation is called where a table has its name: nobody can write it as a schema's.
constexpr const char* kSubqueryName = "*SELECT*";

}  // namespace

Status Planner::AnalyzeWith(const PgQuery__WithClause* with) {
  if (with == nullptr) return {};
  std::set<std::string_view> names;
  for (const ast::Node* node : ast::List(with->ctes, with->n_ctes)) {
    const PgQuery__CommonTableExpr& expression = *node->common_table_expr;
    if (names.insert(expression.ctename).second) continue;
    return Status::Error(
        sqlstate::kDuplicateAlias,
        fmt::format("WITH query name \"{}\" specified more than once", expression.ctename),
        CharacterPosition(sql_, expression.location));
  }
  if (with->recursive) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<WithQuery> queries, OrderWithQueries(sql_, *with));
    for (const WithQuery& query : queries) {
      CONNBENCH_RETURN_IF_ERROR(AnalyzeNamedQuery(*query.expression, query.reads_itself));
    }
    return {};
  }
  for (const ast::Node* node : ast::List(with->ctes, with->n_ctes)) {
    CONNBENCH_RETURN_IF_ERROR(AnalyzeNamedQuery(*node->common_table_expr, false));
  }
  return {};
}

Status Planner::NameColumns(const PgQuery__CommonTableExpr& expression,
                            const std::vector<Target>& columns, NamedQuery& query) const {
  if (expression.n_aliascolnames > columns.size()) {
    return Status::Error(
        sqlstate::kInvalidColumnReference,
        fmt::format("WITH query \"{}\" has {} columns available but {} columns specified",
                    query.name, columns.size(), expression.n_aliascolnames),
        CharacterPosition(sql_, expression.location));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    query.columns.push_back({i < expression.n_aliascolnames
                                 ? std::string(ast::StringOf(*expression.aliascolnames[i]))
                                 : columns[i].name,
                             columns[i].expression->type});
  }
  return {};
}

Status Planner::AnalyzeNamedQuery(const PgQuery__CommonTableExpr& expression, bool reads_itself) {
  if (expression.ctequery->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
    return NotSupported("a statement that writes in WITH", expression.location);
  }
  QueryTree tree;
  if (reads_itself) recursion_ = &expression;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeTree(*expression.ctequery->select_stmt, nullptr, tree));
  NamedQuery query{expression.ctename, {},        tree.origins, nullptr, nullptr,
                   correlation_,       tree.depth};
  CONNBENCH_RETURN_IF_ERROR(NameColumns(expression, tree.columns, query));
  const std::vector<Type> types = TypesOf(tree.columns);
  CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr node, PlanTree(tree));
  query.table = std::make_shared<CommonTable>(query.name, std::move(node), types);
  named_queries_.push_back(std::move(query));
  return {};
}

const Planner::NamedQuery* Planner::FindNamedQuery(const PgQuery__RangeVar& name) const {
  if (named_queries_.empty() || *name.schemaname != '\0') return nullptr;
  const auto found =
      std::find_if(named_queries_.rbegin(), named_queries_.rend(),
                   [&](const NamedQuery& query) { return query.name == name.relname; });
  return found == named_queries_.rend() ? nullptr : &*found;
}

Status Planner::AddNamedQuery(const PgQuery__RangeVar& name, const NamedQuery& query,
                              FromClause& from) {
  Source source;
  source.common_table = query.table;
  source.work_table = query.work_table;
  source.origins = query.origins;
  // The first reference: from now on it belongs to the plan, and to the query that it is part of.
  if (query.table != nullptr && std::find(common_tables_.begin(), common_tables_.end(),
                                          query.table) == common_tables_.end()) {
    common_tables_.push_back(query.table);
    if (query.owner != nullptr) query.owner->parts.common_tables.push_back(query.table.get());
  }
  for (Correlation* reader = correlation_; query.owner != nullptr && reader != query.owner;
       reader = reader->outer->correlation) {
    reader->reads_outer_common_table = true;
  }
  CONNBENCH_RETURN_IF_ERROR(builder_.NoteDepth(query.depth, name.location));
  ScopeItem item;
  item.table_name = kSubqueryName;
  item.alias = query.name;
  item.columns = query.columns;
  CONNBENCH_RETURN_IF_ERROR(ApplyAlias(name.alias, name.location, item));
  AddSource(std::move(source), std::move(item), 0, from);
  return {};
}

// It sees what the query around it sees from outside, and nothing of that query's own FROM.
Status Planner::AddSubquery(const PgQuery__RangeSubselect& range, FromClause& from) {
  // What is LATERAL sees it, and is run for each row of what it reads.
  Correlation lateral;
  lateral.outer = &from.scope;
  Correlation* const around = correlation_;
  if (range.lateral) correlation_ = &lateral;
  QueryTree tree;
  Status status = AnalyzeTree(*range.subquery->select_stmt, nullptr, tree);
  correlation_ = around;
  CONNBENCH_RETURN_IF_ERROR(std::move(status));
  Source source;
  for (const Correlation::Import& import : lateral.imports) {
    source.lateral.values.push_back(import.value);
    source.lateral.cells.push_back(import.cell->cell);
    source.depends |= RelationsOf(from, *import.value);
  }
  source.lateral.parts = std::move(lateral.parts);
  source.origins = tree.origins;
  ScopeItem item;
  item.table_name = kSubqueryName;
  for (const Target& column : tree.columns) {
    item.columns.push_back({column.name, column.expression->type});
  }
  CONNBENCH_RETURN_IF_ERROR(ApplyAlias(range.alias, -1, item));
  CONNBENCH_ASSIGN_OR_RETURN(source.subquery, PlanTree(tree));
  AddSource(std::move(source), std::move(item), 0, from);
  return {};
}

const Expression* Planner::FindLateralRead(const FromClause& from, RelationSet readers,
                                           RelationSet read) {
  for (size_t i = 0; i < from.sources.size(); ++i) {
    const Source& source = from.sources[i];
    if ((readers >> i & 1) == 0 || (source.depends & read) == 0) continue;
    std::vector<const Expression*> values(source.lateral.values.begin(),
                                          source.lateral.values.end());
    values.insert(values.end(), source.function_arguments.begin(), source.function_arguments.end());
    for (const Expression* value : values) {
      const Expression* found = nullptr;
      ForEachColumn(*value, [&](const Expression& column) {
        const auto owner = static_cast<size_t>(&from.Owner(column.index) - from.sources.data());
        if (found == nullptr && (read >> owner & 1) != 0) found = &column;
      });
      if (found != nullptr) return found;
    }
  }
  return nullptr;
}

Status Planner::CheckLateralJoin(const PgQuery__JoinExpr& join, const JoinTree& left,
                                 const JoinTree& right, const FromClause& from) const {
  const bool may_read = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_INNER ||
                        join.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT;
  if (may_read || (right.depends & left.relations) == 0) return {};
  const Expression* read = FindLateralRead(from, right.relations, left.relations);
  if (read == nullptr) return {};
  return Status::Error(sqlstate::kInvalidColumnReference,
                       fmt::format("invalid reference to FROM-clause entry for table \"{}\"",
                                   from.NamesOf(from.Owner(read->index)).alias),
                       builder_.PositionOf(read->location))
      .WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
}

}  // namespace connbench::engine
