// Queries in expressions: EXISTS, scalar subqueries, ARRAY, IN, ANY and ALL.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/rewrite.h"
#include "engine/sql/clauses.h"
#include "engine/sql/planner.h"

namespace connbench::engine {

Status Planner::AnalyzeSubLink(const PgQuery__SubLink& link, Correlation& correlation,
                               QueryTree& tree) {
  // Expressions were not looked into when the statement's clauses were checked.
  CONNBENCH_RETURN_IF_ERROR(CheckClauses(sql_, *link.subselect, link.location, context_.database));
  Correlation* const around = std::exchange(correlation_, &correlation);
  Status status = AnalyzeTree(*link.subselect->select_stmt, nullptr, tree);
  correlation_ = around;
  return status;
}

Result<Expression*> Planner::PlanSubLink(const PgQuery__SubLink& link, const Scope& scope,
                                         const Operands& operands) {
  SubPlanDescription plan;
  switch (link.sub_link_type) {
    case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
      plan.kind = SubqueryKind::kExists;
      break;
    case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK:
      plan.kind = SubqueryKind::kScalar;
      break;
    case PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK:
      plan.kind = SubqueryKind::kAny;
      break;
    case PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK:
      plan.kind = SubqueryKind::kAll;
      break;
    case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK:
      plan.kind = SubqueryKind::kArray;
      break;
    default:
      return NotSupported("this subquery", link.location);
  }
  Correlation correlation;
  correlation.outer = &scope;
  QueryTree tree;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeSubLink(link, correlation, tree));
  const Type boolean{type_oid::kBool, -1};
  if (plan.kind == SubqueryKind::kExists) {
    subquery_names_[&link] = "exists";
    CONNBENCH_RETURN_IF_ERROR(KeepExistence(tree));
    return MakeSubquery(std::move(plan), tree, correlation, {}, boolean, 0, link.location);
  }
  if (plan.kind == SubqueryKind::kScalar || plan.kind == SubqueryKind::kArray) {
    if (tree.columns.size() != 1) {
      return Status::Error(sqlstate::kSyntaxError, "subquery must return only one column",
                           builder_.PositionOf(link.location));
    }
    Type type = tree.columns[0].expression->type;
    subquery_names_[&link] = tree.columns[0].name;
    if (plan.kind == SubqueryKind::kArray) {
      subquery_names_[&link] = "array";
      if (IsArray(type.oid)) {
        return NotSupported("an array of several dimensions", link.location);
      }
      const Oid element = std::exchange(type.oid, ArrayType(type.oid));
      if (type.oid == type_oid::kInvalid) {
        return Status::Error(
            sqlstate::kUndefinedObject,
            fmt::format("could not find array type for data type {}", FormatType({element, -1})));
      }
    }
    return MakeSubquery(std::move(plan), tree, correlation, {}, type, 0, link.location);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Expression*> left, operands());
  std::vector<Expression*> arguments;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeComparison(link, left, tree, plan, arguments));
  int location = link.location;
  if (left[0]->location >= 0) location = std::min(location, left[0]->location);
  return MakeSubquery(std::move(plan), tree, correlation, std::move(arguments), boolean, 0,
                      location);
}

// SET (a, b) = (SELECT ...): the tree has the query once for each of the columns.
Result<Expression*> Planner::PlanAssignedColumn(const PgQuery__MultiAssignRef& assignment,
                                                const Scope& scope) {
  const PgQuery__SubLink& link = *assignment.source->sub_link;
  Correlation correlation;
  correlation.outer = &scope;
  QueryTree tree;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeSubLink(link, correlation, tree));
  if (tree.columns.size() != static_cast<size_t>(assignment.ncolumns)) {
    return Status::Error(sqlstate::kSyntaxError,
                         "number of columns does not match number of values",
                         builder_.PositionOf(link.location));
  }
  const auto column = static_cast<size_t>(assignment.colno) - 1;
  const Type type = tree.columns[column].expression->type;
  return MakeSubquery({}, tree, correlation, {}, type, static_cast<int>(column), link.location);
}

// What the subquery's rows are compared with becomes arguments and cells, so that the comparison
// knows no row.
Status Planner::AnalyzeComparison(const PgQuery__SubLink& link,
                                  std::span<Expression* const> operands, const QueryTree& tree,
                                  SubPlanDescription& plan, std::vector<Expression*>& arguments) {
  const std::string_view name =
      link.n_oper_name == 0 ? "=" : ast::StringOf(*link.oper_name[link.n_oper_name - 1]);
  if (operands.size() != tree.columns.size()) {
    return Status::Error(sqlstate::kSyntaxError,
                         operands.size() < tree.columns.size() ? "subquery has too many columns"
                                                               : "subquery has too few columns",
                         builder_.PositionOf(link.location));
  }
  if (link.n_oper_name > 1) {
    return NotSupported("an operator with a schema before a subquery", link.location);
  }
  if (operands.size() > 1 && name != "=" && name != "<>") {
    return NotSupported("a row comparison", link.location);
  }
  std::vector<Expression*> tests;
  for (size_t i = 0; i < operands.size(); ++i) {
    const Expression& column = *tree.columns[i].expression;
    CONNBENCH_ASSIGN_OR_RETURN(Expression * right,
                               builder_.Cell(column.type, tree.columns[i].name, column.location));
    plan.columns.push_back(right->cell);
    CONNBENCH_ASSIGN_OR_RETURN(const Expression* test,
                               builder_.Operator(name, operands[i], right, link.location));
    if (test->type.oid != type_oid::kBool) {
      return Status::Error(
          sqlstate::kDatatypeMismatch,
          fmt::format("row comparison operator must yield type boolean, not type {}",
                      FormatType({test->type.oid, -1})),
          builder_.PositionOf(link.location));
    }
    // The operator may have given the operand another type.
    Expression* const argument = test->arguments[0];
    CONNBENCH_ASSIGN_OR_RETURN(Expression * left,
                               builder_.Cell(argument->type, "", argument->location));
    arguments.push_back(argument);
    plan.cells.push_back(left->cell);
    Expression* const sides[] = {left, test->arguments[1]};
    Expression* over_cells = WithArguments(*test, sides, plan_->arena);
    if (over_cells == nullptr) return plan_->arena.OutOfMemory();
    tests.push_back(over_cells);
  }
  plan.operands = operands.size();
  Expression* all = tests[0];
  if (tests.size() > 1) {
    CONNBENCH_ASSIGN_OR_RETURN(
        all, name == "=" ? builder_.And(tests, link.location) : builder_.Or(tests, link.location));
  }
  plan.test = all;
  const bool by_equality = plan.kind == SubqueryKind::kAny && tests.size() == 1 &&
                           all->function->meaning == OperatorMeaning::kEqual &&
                           all->function->volatility == Volatility::kImmutable;
  if (by_equality) {
    plan.left_key = all->arguments[0];
    plan.right_key = all->arguments[1];
  }
  return {};
}

Status Planner::KeepExistence(QueryTree& tree) {
  if (tree.plain == nullptr || tree.limit != nullptr || tree.offset != nullptr) return {};
  Query& query = *tree.plain;
  if (query.grouped || query.locking.wanted || query.has_window_calls() || HasSets(query)) {
    return {};
  }
  for (const Target& target : query.targets) {
    CONNBENCH_RETURN_IF_ERROR(builder_.Forget(*target.expression));
  }
  query.targets.clear();
  query.visible = 0;
  query.order.clear();
  query.distinct = false;
  query.distinct_on.clear();
  tree.columns.clear();
  return {};
}

Result<Expression*> Planner::MakeSubquery(SubPlanDescription plan, QueryTree& tree,
                                          Correlation& correlation,
                                          std::vector<Expression*> arguments, Type type, int column,
                                          int location) {
  for (const Correlation::Import& import : correlation.imports) {
    arguments.push_back(import.value);
    plan.cells.push_back(import.cell->cell);
  }
  plan.reads_outer = !correlation.imports.empty();
  plan.types = TypesOf(tree.columns);
  CONNBENCH_ASSIGN_OR_RETURN(plan.root, PlanTree(tree));
  plan.parts = std::move(correlation.parts);
  plan.number = static_cast<int>(subplans_.size()) + 1;
  if (running_ == nullptr) running_ = std::make_shared<ExecutionContext*>(nullptr);
  SubPlan& made = *subplans_.emplace_back(std::make_unique<SubPlan>(std::move(plan), running_));
  if (correlation.reads_outer_common_table && correlation_ != nullptr) {
    correlation_->parts.kept.push_back(&made);
  }
  return builder_.Subquery(made, type, arguments, column, tree.depth, location);
}

void Planner::AddSubqueryRoot() {
  if (subplans_.empty() && common_tables_.empty()) return;
  if (running_ == nullptr) running_ = std::make_shared<ExecutionContext*>(nullptr);
  plan_->root = std::make_unique<SubqueryRootNode>(std::move(plan_->root), std::move(subplans_),
                                                   std::move(common_tables_), std::move(running_));
}

}  // namespace connbench::engine
