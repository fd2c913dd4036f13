// WITH RECURSIVE: a query that reads itself.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/executor/nodes/recursive_union.h"
#include "engine/sql/planner.h"

namespace connbench::engine {

// Its columns are those of the first term, so that the second can read them. The second is analysed
// as what is LATERAL is, since it runs once for each step.
Status Planner::AnalyzeRecursion(const PgQuery__SelectStmt& select,
                                 const PgQuery__CommonTableExpr& expression, QueryTree& tree) {
  QueryTree first;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeArm(*select.larg, first));
  NamedQuery query;
  query.name = expression.ctename;
  query.origins.resize(first.columns.size());
  query.depth = first.depth;
  CONNBENCH_RETURN_IF_ERROR(NameColumns(expression, first.columns, query));
  std::vector<Type> types;
  for (ScopeColumn& column : query.columns) {
    if (column.type.oid == type_oid::kUnknown) column.type = {type_oid::kText, -1};
    types.push_back(column.type);
  }
  query.work_table = std::make_shared<WorkTable>(query.name, types);
  const std::shared_ptr<WorkTable> work_table = query.work_table;
  const std::vector<ScopeColumn> columns = query.columns;

  const Scope around = EmptyScope();
  Correlation step;
  step.outer = &around;
  query.owner = &step;
  named_queries_.push_back(std::move(query));
  Correlation* const outer = std::exchange(correlation_, &step);
  QueryTree recursive;
  Status status = AnalyzeArm(*select.rarg, recursive);
  correlation_ = outer;
  named_queries_.pop_back();
  CONNBENCH_RETURN_IF_ERROR(std::move(status));

  CONNBENCH_RETURN_IF_ERROR(Combine(select, first, std::move(recursive), true));
  for (size_t i = 0; i < columns.size(); ++i) {
    const Expression& overall = *first.columns[i].expression;
    if (overall.type == columns[i].type) continue;
    return Status::Error(
               sqlstate::kDatatypeMismatch,
               fmt::format("recursive query \"{}\" column {} has type {} in non-recursive term but "
                           "type {} overall",
                           expression.ctename, i + 1, FormatType(columns[i].type),
                           FormatType(overall.type)),
               builder_.PositionOf(overall.location))
        .WithHint("Cast the output of the non-recursive term to the correct type.");
  }
  tree = std::move(first);
  SetOperation& operation = *tree.operation;
  operation.work_table = work_table;
  for (const Correlation::Import& import : step.imports) {
    operation.around.values.push_back(import.value);
    operation.around.cells.push_back(import.cell->cell);
  }
  operation.around.parts = std::move(step.parts);
  return {};
}

Status Planner::CheckNoAggregateInStep(const Query& query) const {
  if (query.analyzer->aggregates().empty()) return {};
  const bool in_step = std::any_of(query.from.sources.begin(), query.from.sources.end(),
                                   [](const Source& each) { return each.work_table != nullptr; });
  if (!in_step) return {};
  int location = -1;
  const auto find = [&location](const Expression& column) {
    if (location < 0 && column.index >= ExpressionAnalyzer::kFirstAggregateColumn) {
      location = column.location;
    }
  };
  for (const Target& target : query.targets) ForEachColumn(*target.expression, find);
  if (query.having != nullptr) ForEachColumn(*query.having, find);
  return Status::Error(sqlstate::kInvalidRecursion,
                       "aggregate functions are not allowed in a recursive query's recursive term",
                       builder_.PositionOf(location));
}

Result<PlanNodePtr> Planner::PlanRecursion(SetOperation& operation) {
  Recursion recursion;
  CONNBENCH_ASSIGN_OR_RETURN(recursion.first, PlanArm(operation.arms[0], nullptr));
  CONNBENCH_ASSIGN_OR_RETURN(recursion.step, PlanArm(operation.arms[1], nullptr));
  recursion.around = std::move(operation.around);
  recursion.work_table = std::move(operation.work_table);
  recursion.types = std::move(operation.types);
  recursion.all = operation.all;
  return PlanNodePtr(std::make_unique<RecursiveUnionNode>(std::move(recursion)));
}

}  // namespace connbench::engine
