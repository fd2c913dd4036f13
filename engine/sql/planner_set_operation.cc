// UNION, INTERSECT, EXCEPT.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/result_nodes.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/executor/nodes/subquery_nodes.h"
#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

// Of nodes that one operation puts above its arms.
constexpr int kOperationDepth = 4;

std::string_view OperatorName(const PgQuery__SelectStmt& select) {
  switch (select.op) {
    case PG_QUERY__SET_OPERATION__SETOP_INTERSECT:
      return "INTERSECT";
    case PG_QUERY__SET_OPERATION__SETOP_EXCEPT:
      return "EXCEPT";
    default:
      return "UNION";
  }
}

// Whether the statement is only the operation on its arms.
bool IsBare(const PgQuery__SelectStmt& select) {
  return select.n_sort_clause == 0 && select.limit_count == nullptr &&
         select.limit_offset == nullptr && select.n_locking_clause == 0 &&
         select.with_clause == nullptr;
}

Status RefuseLocking(RowLockMode mode) {
  return Status::Error(
      sqlstate::kFeatureNotSupported,
      fmt::format("{} is not allowed with UNION/INTERSECT/EXCEPT", RowLockModeName(mode)));
}

}  // namespace

bool Planner::IsSetOperation(const PgQuery__SelectStmt& select) {
  return select.op != PG_QUERY__SET_OPERATION__SETOP_NONE &&
         select.op != PG_QUERY__SET_OPERATION__SET_OPERATION_UNDEFINED;
}

// Literals without a type wait for the other arm.
Status Planner::AnalyzeArm(const PgQuery__SelectStmt& select, QueryTree& tree) {
  if (select.n_locking_clause > 0) return RefuseLocking(ReadLocking(select).first);
  if (select.into_clause != nullptr && select.into_clause != into_) {
    return Status::Error(sqlstate::kSyntaxError,
                         "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT",
                         CharacterPosition(sql_, select.into_clause->rel->location));
  }
  const UnknownTarget keep = [](size_t, Expression* expression) -> Result<Expression*> {
    return expression;
  };
  return AnalyzeTree(select, keep, tree);
}

Status Planner::AnalyzeSetOperation(const PgQuery__SelectStmt& select, QueryTree& tree) {
  if (select.n_locking_clause > 0) return RefuseLocking(ReadLocking(select).first);
  // A chain is as deep to the left as it is long: followed without recursion.
  std::vector<const PgQuery__SelectStmt*> chain{&select};
  while (IsSetOperation(*chain.back()->larg) && IsBare(*chain.back()->larg)) {
    chain.push_back(chain.back()->larg);
  }
  QueryTree left;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeArm(*chain.back()->larg, left));
  for (; !chain.empty(); chain.pop_back()) {
    QueryTree right;
    CONNBENCH_RETURN_IF_ERROR(AnalyzeArm(*chain.back()->rarg, right));
    CONNBENCH_RETURN_IF_ERROR(Combine(*chain.back(), left, std::move(right), false));
  }
  tree = std::move(left);
  return AnalyzeResultOrder(select, tree);
}

Status Planner::Convert(QueryTree& arm, size_t column, Oid common, std::string_view construct) {
  Expression*& expression = arm.columns[column].expression;
  if (expression->type.oid == type_oid::kUnknown && arm.plain != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.CoerceToCommon(expression, common, construct));
    arm.plain->targets[column].expression = expression;
    return {};
  }
  if (expression->type.oid == common) return {};
  if (arm.conversions.empty()) {
    for (size_t i = 0; i < arm.columns.size(); ++i) {
      const Expression& target = *arm.columns[i].expression;
      CONNBENCH_ASSIGN_OR_RETURN(
          Expression * same, builder_.Column(static_cast<int>(i), target.type, target.location));
      arm.conversions.push_back(same);
    }
  }
  Expression*& conversion = arm.conversions[column];
  CONNBENCH_ASSIGN_OR_RETURN(conversion, builder_.CoerceToCommon(conversion, common, construct));
  expression = conversion;
  return {};
}

Status Planner::Combine(const PgQuery__SelectStmt& select, QueryTree& left, QueryTree right,
                        bool apart) {
  const std::string_view name = OperatorName(select);
  if (left.columns.size() != right.columns.size()) {
    int location = -1;
    for (const Target& column : right.columns) {
      if (location < 0) location = column.expression->location;
    }
    return Status::Error(sqlstate::kSyntaxError,
                         fmt::format("each {} query must have the same number of columns", name),
                         builder_.PositionOf(location));
  }
  std::vector<Target> columns;
  for (size_t i = 0; i < left.columns.size(); ++i) {
    Expression* const both[] = {left.columns[i].expression, right.columns[i].expression};
    CONNBENCH_ASSIGN_OR_RETURN(const Oid common, builder_.CommonType(both, name));
    CONNBENCH_RETURN_IF_ERROR(Convert(left, i, common, name));
    CONNBENCH_RETURN_IF_ERROR(Convert(right, i, common, name));
    if (!(select.all && select.op == PG_QUERY__SET_OPERATION__SETOP_UNION)) {
      CONNBENCH_RETURN_IF_ERROR(
          builder_.RequireEquality({common, -1}, left.columns[i].expression->location));
    }
    const Type& left_type = left.columns[i].expression->type;
    const bool same = left_type == right.columns[i].expression->type;
    CONNBENCH_ASSIGN_OR_RETURN(
        Expression * column,
        builder_.Column(static_cast<int>(i), {common, same ? left_type.modifier : -1},
                        left.columns[i].expression->location));
    columns.push_back({column, left.columns[i].name});
  }
  const bool is_union = select.op == PG_QUERY__SET_OPERATION__SETOP_UNION;
  const bool joins_left =
      is_union && !apart && left.operation != nullptr && left.limit == nullptr &&
      left.offset == nullptr && left.operation->order.empty() && left.conversions.empty() &&
      left.operation->kind == SetOperator::kUnion && (left.operation->all || !select.all);
  const int right_depth = right.depth + kOperationDepth;
  if (joins_left) {
    left.operation->all = select.all;
    left.operation->arms.push_back(std::move(right));
    left.operation->types = TypesOf(columns);
    left.columns = std::move(columns);
    left.depth = std::max(left.depth, right_depth);
    return builder_.NoteDepth(left.depth, -1);
  }
  QueryTree result;
  result.depth = std::max(left.depth + kOperationDepth, right_depth);
  result.operation = std::make_unique<SetOperation>();
  result.operation->kind = is_union ? SetOperator::kUnion
                           : select.op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT
                               ? SetOperator::kIntersect
                               : SetOperator::kExcept;
  result.operation->all = select.all;
  result.operation->arms.push_back(std::move(left));
  result.operation->arms.push_back(std::move(right));
  result.operation->types = TypesOf(columns);
  result.columns = std::move(columns);
  left = std::move(result);
  return builder_.NoteDepth(left.depth, -1);
}

// ORDER BY knows the result's columns by name and number only.
Status Planner::AnalyzeResultOrder(const PgQuery__SelectStmt& select, QueryTree& tree) {
  if (select.n_sort_clause == 0) return {};
  Scope scope = EmptyScope();
  ScopeItem& item = scope.items.emplace_back();
  item.names_table = false;
  for (const Target& column : tree.columns) {
    item.columns.push_back({column.name, column.expression->type, column.expression->index});
  }
  ExpressionAnalyzer analyzer = MakeAnalyzer(scope);
  analyzer.AllowWindows({});  // an expression is refused, whatever is in it
  const size_t visible = tree.columns.size();
  std::vector<Target> targets = tree.columns;
  CONNBENCH_RETURN_IF_ERROR(
      AnalyzeOrderBy(select, analyzer, scope, visible, targets, tree.operation->order));
  if (targets.size() == visible) return {};
  const auto added =
      std::find_if(tree.operation->order.begin(), tree.operation->order.end(),
                   [visible](const OrderItem& each) { return each.target >= visible; });
  const ast::Node& node = *select.sort_clause[added - tree.operation->order.begin()];
  return Status::Error(sqlstate::kFeatureNotSupported,
                       "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                       builder_.PositionOf(ast::LocationOf(node)))
      .WithDetail("Only result column names can be used, not expressions or functions.")
      .WithHint(
          "Add the expression/function to every SELECT, or move the UNION into a FROM clause.");
}

// flag: a column behind the arm's own, or null.
Result<PlanNodePtr> Planner::PlanArm(QueryTree& arm, const Expression* flag) {
  CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr node, PlanTree(arm));
  if (arm.conversions.empty() && flag == nullptr) return node;
  std::vector<const Expression*> projection(arm.conversions.begin(), arm.conversions.end());
  for (size_t i = projection.size(); i < arm.columns.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(
        const Expression* column,
        builder_.Column(static_cast<int>(i), arm.columns[i].expression->type, -1));
    projection.push_back(column);
  }
  if (flag != nullptr) projection.push_back(flag);
  return PlanNodePtr(std::make_unique<ProjectNode>(std::move(node), std::move(projection)));
}

Result<PlanNodePtr> Planner::PlanSetOperation(QueryTree& tree) {
  SetOperation& operation = *tree.operation;
  if (operation.work_table != nullptr) return PlanRecursion(operation);
  const bool is_union = operation.kind == SetOperator::kUnion;
  const std::vector<Type>& types = operation.types;
  std::vector<PlanNodePtr> arms;
  for (size_t i = 0; i < operation.arms.size(); ++i) {
    const Expression* flag = nullptr;
    if (!is_union) {
      CONNBENCH_ASSIGN_OR_RETURN(flag, builder_.Integer(static_cast<int64_t>(i), -1));
    }
    CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr arm, PlanArm(operation.arms[i], flag));
    arms.push_back(std::move(arm));
  }
  PlanNodePtr node = std::make_unique<AppendNode>(std::move(arms));
  std::vector<SortKey> keys;
  for (size_t i = 0; i < types.size(); ++i) {
    keys.push_back({static_cast<int>(i), types[i].oid, false, false});
  }
  if (!is_union) {
    std::vector<Type> with_flag = types;
    with_flag.push_back({type_oid::kInt4, -1});
    keys.push_back({static_cast<int>(types.size()), type_oid::kInt4, false, false});
    node = std::make_unique<SortNode>(std::move(node), with_flag, std::move(keys), 0);
    node = std::make_unique<SetOperationNode>(
        std::move(node), types, operation.kind == SetOperator::kIntersect, operation.all);
  } else if (!operation.all) {
    const size_t unique_keys = keys.size();
    node = std::make_unique<SortNode>(std::move(node), types, std::move(keys), unique_keys);
  }
  if (operation.order.empty()) return node;
  keys.clear();
  for (const OrderItem& item : operation.order) {
    keys.push_back(
        {static_cast<int>(item.target), types[item.target].oid, item.descending, item.nulls_first});
  }
  return PlanNodePtr(std::make_unique<SortNode>(std::move(node), types, std::move(keys), 0));
}

}  // namespace connbench::engine
