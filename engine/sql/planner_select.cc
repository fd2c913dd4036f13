// Statements on their way to the planner of their kind; the ends of SELECT, and VALUES.

#include <fmt/format.h>

#include "engine/executor/nodes/modify_nodes.h"
#include "engine/executor/nodes/result_nodes.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/sql/clauses.h"
#include "engine/sql/planner.h"

namespace connbench::engine {

const PgQuery__IntoClause* IntoOf(const PgQuery__SelectStmt& select) {
  const PgQuery__SelectStmt* first = &select;
  while (first->larg != nullptr) first = first->larg;
  return first->into_clause;
}

bool IsPlannable(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return IntoOf(*statement.select_stmt) == nullptr;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return true;
    default:
      return false;
  }
}

Result<std::unique_ptr<Plan>> PlanStatement(const PlanningContext& context, std::string_view sql,
                                            const PgQuery__Node& statement,
                                            ParameterTypes& parameters) {
  return Planner(context, sql, parameters).Run(statement);
}

Result<std::unique_ptr<Plan>> Planner::Run(const ast::Node& statement, RecordedReads* recorded) {
  recorded_ = recorded;
  if (recorded != nullptr) builder_.NoteLateLiterals(&recorded->late_literals);
  // Read first: a change that commits while we plan makes the plan stale at its first use.
  plan_->catalog_version = context_.catalog->shared_version();
  CONNBENCH_RETURN_IF_ERROR(CheckClauses(sql_, statement, 0, context_.database));
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      into_ = IntoOf(*statement.select_stmt);
      only_reads_ = into_ == nullptr && !context_.for_foreign_key;
      CONNBENCH_RETURN_IF_ERROR(PlanSelect(*statement.select_stmt));
      break;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      CONNBENCH_RETURN_IF_ERROR(PlanInsert(*statement.insert_stmt));
      break;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      CONNBENCH_RETURN_IF_ERROR(PlanUpdate(*statement.update_stmt));
      break;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      CONNBENCH_RETURN_IF_ERROR(PlanDelete(*statement.delete_stmt));
      break;
    default:
      return NotSupported(ast::KindOf(statement), ast::LocationOf(statement));
  }
  AddSubqueryRoot();
  CONNBENCH_RETURN_IF_ERROR(builder_.CheckOpenParameters());
  Status constant_error = builder_.ConstantError();
  if (IsInterrupt(constant_error)) return constant_error;
  if (!constant_error.ok()) plan_->constant_error = std::move(constant_error);
  return std::move(plan_);
}

void Planner::DescribeColumn(const Target& target, const ColumnOrigin& origin) {
  const Expression& expression = *target.expression;
  ColumnDescription column;
  column.name = target.name;
  column.type_oid = expression.type.oid;
  column.type_modifier = expression.type.modifier;
  column.type_size = GetType(expression.type.oid).size;
  column.table_oid = origin.table;
  column.column_number = origin.column;
  plan_->columns.push_back(std::move(column));
}

void Planner::DescribeReturning(const std::vector<Target>& targets, const FromClause& from) {
  for (const Target& target : targets) DescribeColumn(target, OriginOf(from, *target.expression));
}

Status Planner::PlanSelect(const PgQuery__SelectStmt& select) {
  std::vector<Target> targets;
  CONNBENCH_ASSIGN_OR_RETURN(plan_->root, PlanQuery(select, true, targets));
  plan_->kind = PlanKind::kSelect;
  plan_->returns_rows = true;
  return {};
}

Status Planner::CheckSelect(const PgQuery__SelectStmt& select) {
  if (select.into_clause != nullptr && select.into_clause != into_) {
    return Status::Error(sqlstate::kSyntaxError, "SELECT ... INTO is not allowed here",
                         CharacterPosition(sql_, select.into_clause->rel->location));
  }
  if (select.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES) {
    return NotSupported("WITH TIES", ast::LocationOf(*select.limit_count));
  }
  return {};
}

Status Planner::AnalyzeLimit(const PgQuery__SelectStmt& select, QueryTree& tree) {
  if (select.limit_offset == nullptr && select.limit_count == nullptr) return {};
  const Scope empty = EmptyScope();
  ExpressionAnalyzer analyzer = MakeAnalyzer(empty);
  if (select.limit_offset != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(tree.offset, analyzer.Analyze(*select.limit_offset, "OFFSET"));
    CONNBENCH_ASSIGN_OR_RETURN(tree.offset, builder_.CoerceToBigint(tree.offset, "OFFSET"));
  }
  const bool all = select.limit_count != nullptr &&
                   select.limit_count->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                   select.limit_count->a_const->isnull;  // LIMIT ALL
  if (select.limit_count != nullptr && !all) {
    CONNBENCH_ASSIGN_OR_RETURN(tree.limit, analyzer.Analyze(*select.limit_count, "LIMIT"));
    CONNBENCH_ASSIGN_OR_RETURN(tree.limit, builder_.CoerceToBigint(tree.limit, "LIMIT"));
  }
  return {};
}

Status Planner::AnalyzeValues(const PgQuery__SelectStmt& select, QueryTree& tree) {
  if (select.n_locking_clause > 0) {
    return Status::Error(
        sqlstate::kFeatureNotSupported,
        fmt::format("{} cannot be applied to VALUES", RowLockModeName(ReadLocking(select).first)));
  }
  const Scope empty = EmptyScope();
  ExpressionAnalyzer analyzer = MakeAnalyzer(empty);
  const size_t width = select.values_lists[0]->list->n_items;
  std::vector<std::vector<Expression*>> columns(width);
  for (const ast::Node* list_node : ast::List(select.values_lists, select.n_values_lists)) {
    const PgQuery__List& list = *list_node->list;
    if (list.n_items != width) {
      return Status::Error(sqlstate::kSyntaxError, "VALUES lists must all be the same length",
                           CharacterPosition(sql_, ast::LocationOf(*list_node)));
    }
    for (size_t i = 0; i < width; ++i) {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * value, analyzer.Analyze(*list.items[i], "VALUES"));
      columns[i].push_back(value);
    }
  }
  CONNBENCH_RETURN_IF_ERROR(CheckTargetCount(width));
  std::vector<const Expression*> rows(select.n_values_lists * width);
  std::vector<Target>& targets = tree.columns;
  Scope scope = EmptyScope();
  ScopeItem& item = scope.items.emplace_back();
  item.alias = "*VALUES*";
  for (size_t i = 0; i < width; ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(const Oid common, builder_.CommonType(columns[i], "VALUES"));
    for (size_t row = 0; row < columns[i].size(); ++row) {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * value,
                                 builder_.CoerceToCommon(columns[i][row], common, "VALUES"));
      CONNBENCH_ASSIGN_OR_RETURN(value, builder_.ResolveUnknown(value));
      rows[row * width + i] = value;
    }
    Type type = rows[i]->type;
    for (size_t row = 1; row < columns[i].size(); ++row) {
      if (rows[row * width + i]->type.modifier != type.modifier) type.modifier = -1;
    }
    CONNBENCH_ASSIGN_OR_RETURN(Expression * column,
                               builder_.Column(static_cast<int>(i), type, rows[i]->location));
    targets.push_back({column, fmt::format("column{}", i + 1)});
    item.columns.push_back({targets.back().name, type, static_cast<int>(i)});
  }
  PlanNodePtr node = std::make_unique<ValuesNode>(std::move(rows), width, select.n_values_lists);
  node->estimated_rows = static_cast<double>(select.n_values_lists);
  ExpressionAnalyzer order_analyzer = MakeAnalyzer(scope);
  std::vector<OrderItem> order;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeOrderBy(select, order_analyzer, scope, width, targets, order));
  if (!order.empty()) {
    std::vector<const Expression*> projection = ExpressionsOf(targets);
    const std::vector<Type> types = TypesOf(projection);
    std::vector<SortKey> keys = SortKeys(order, targets, 0);
    node = std::make_unique<ProjectNode>(std::move(node), std::move(projection));
    node = std::make_unique<SortNode>(std::move(node), types, std::move(keys), 0);
    targets.resize(width);
  }
  tree.values = std::move(node);
  return {};
}

}  // namespace connbench::engine
