// SELECT and VALUES.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/modify_nodes.h"
#include "engine/executor/nodes/result_nodes.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

bool IsStar(const ast::Node& node) {
  if (node.node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return false;
  const PgQuery__ColumnRef& reference = *node.column_ref;
  return reference.fields[reference.n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

// A bare column name, as ORDER BY and GROUP BY may use for an output column; empty otherwise.
std::string_view BareName(const ast::Node& node) {
  if (node.node_case != PG_QUERY__NODE__NODE_COLUMN_REF || node.column_ref->n_fields != 1)
    return {};
  return ast::StringOf(*node.column_ref->fields[0]);
}

std::vector<Type> TypesOf(const std::vector<const Expression*>& expressions) {
  std::vector<Type> types;
  types.reserve(expressions.size());
  for (const Expression* expression : expressions) types.push_back(expression->type);
  return types;
}

}  // namespace

bool IsPlannable(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
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

Result<std::unique_ptr<Plan>> Planner::Run(const ast::Node& statement) {
  // Read first: a change that commits while we plan makes the plan stale at its first use.
  plan_->catalog_version = context_.catalog->shared_version();
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
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
  return std::move(plan_);
}

void Planner::DescribeColumns(const std::vector<Target>& targets, size_t visible,
                              const Source* source) {
  for (size_t i = 0; i < visible; ++i) {
    const Expression& expression = *targets[i].expression;
    ColumnDescription column;
    column.name = targets[i].name;
    column.type_oid = expression.type.oid;
    column.type_modifier = expression.type.modifier;
    column.type_size = GetType(expression.type.oid).size;
    if (source != nullptr && source->relation != nullptr &&
        expression.kind == ExpressionKind::kColumn &&
        static_cast<size_t>(expression.index) < source->relation->columns.size()) {
      column.table_oid = source->relation->oid;
      column.column_number = static_cast<int16_t>(expression.index + 1);
    }
    plan_->columns.push_back(std::move(column));
  }
}

Status Planner::PlanSelect(const PgQuery__SelectStmt& select) {
  std::vector<Target> targets;
  CONNBENCH_ASSIGN_OR_RETURN(plan_->root, PlanQuery(select, true, targets));
  plan_->kind = PlanKind::kSelect;
  return {};
}

Status Planner::CheckSelect(const PgQuery__SelectStmt& select) {
  if (select.with_clause != nullptr) return NotSupported("WITH", select.with_clause->location);
  if (select.into_clause != nullptr) {
    return NotSupported("SELECT INTO", select.into_clause->rel->location);
  }
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE &&
      select.op != PG_QUERY__SET_OPERATION__SET_OPERATION_UNDEFINED) {
    const PgQuery__SelectStmt* right = select.rarg;
    const int location =
        right != nullptr && right->n_target_list > 0 ? ast::LocationOf(*right->target_list[0]) : -1;
    return NotSupported("UNION, INTERSECT or EXCEPT", location);
  }
  if (select.n_window_clause > 0) {
    return NotSupported("WINDOW", ast::LocationOf(*select.window_clause[0]));
  }
  for (const ast::Node* node : ast::List(select.distinct_clause, select.n_distinct_clause)) {
    // Plain DISTINCT is a list with one empty node.
    if (node->node_case != PG_QUERY__NODE__NODE__NOT_SET) {
      return NotSupported("DISTINCT ON", ast::LocationOf(*node));
    }
  }
  if (select.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES) {
    return NotSupported("WITH TIES", ast::LocationOf(*select.limit_count));
  }
  return {};
}

Status Planner::ExpandStar(const PgQuery__ColumnRef& reference, const Scope& scope,
                           std::vector<Target>& targets) {
  const int position = CharacterPosition(sql_, reference.location);
  if (reference.n_fields > 1) {
    const std::string_view qualifier = ast::StringOf(*reference.fields[reference.n_fields - 2]);
    if (qualifier != scope.alias) {
      return Status::Error(sqlstate::kUndefinedTable,
                           fmt::format("missing FROM-clause entry for table \"{}\"", qualifier),
                           position);
    }
  } else if (scope.alias.empty()) {
    return Status::Error(sqlstate::kSyntaxError, "SELECT * with no tables specified is not valid",
                         position);
  }
  for (size_t i = 0; i < scope.columns.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(
        Expression * column,
        builder_.Column(static_cast<int>(i), scope.columns[i].type, reference.location));
    targets.push_back({column, scope.columns[i].name});
  }
  return {};
}

Status Planner::AnalyzeTargets(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                               const Scope& scope, std::vector<Target>& targets) {
  for (const ast::Node* item : ast::List(select.target_list, select.n_target_list)) {
    const PgQuery__ResTarget& target = *item->res_target;
    if (IsStar(*target.val)) {
      CONNBENCH_RETURN_IF_ERROR(ExpandStar(*target.val->column_ref, scope, targets));
      continue;
    }
    CONNBENCH_ASSIGN_OR_RETURN(Expression * expression,
                               analyzer.Analyze(*target.val, "the select list", true));
    CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.ResolveUnknown(expression));
    targets.push_back(
        {expression, *target.name != '\0' ? target.name : OutputColumnName(*target.val)});
  }
  return {};
}

// What an ORDER BY or GROUP BY item means: an output column by number or name, or an expression
// over the input, which becomes an invisible target if it is not one already.
Result<size_t> Planner::FindOrAddTarget(const ast::Node& node, std::string_view clause,
                                        ExpressionAnalyzer& analyzer, const Scope& scope,
                                        size_t visible, bool prefer_column, bool may_add,
                                        std::vector<Target>& targets) {
  const int position = CharacterPosition(sql_, ast::LocationOf(node));
  if (node.node_case == PG_QUERY__NODE__NODE_A_CONST) {
    const PgQuery__AConst& constant = *node.a_const;
    if (constant.isnull || constant.val_case != PG_QUERY__A__CONST__VAL_IVAL) {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("non-integer constant in {}", clause), position);
    }
    const int number = constant.ival->ival;
    if (number < 1 || static_cast<size_t>(number) > visible) {
      return Status::Error(sqlstate::kInvalidColumnReference,
                           fmt::format("{} position {} is not in select list", clause, number),
                           position);
    }
    return static_cast<size_t>(number) - 1;
  }
  const std::string_view name = BareName(node);
  if (!name.empty() && !(prefer_column && scope.Find(name) >= 0)) {
    std::optional<size_t> found;
    for (size_t i = 0; i < visible; ++i) {
      if (targets[i].name != name) continue;
      if (found && !SameExpression(*targets[*found].expression, *targets[i].expression)) {
        return Status::Error(sqlstate::kAmbiguousColumn,
                             fmt::format("{} \"{}\" is ambiguous", clause, name), position);
      }
      if (!found) found = i;
    }
    if (found) return *found;
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression * expression,
                             analyzer.Analyze(node, clause, !prefer_column));
  CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.ResolveUnknown(expression));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (SameExpression(*targets[i].expression, *expression)) return i;
  }
  if (!may_add) {
    return Status::Error(sqlstate::kInvalidColumnReference,
                         "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                         position);
  }
  targets.push_back({expression, ""});
  return targets.size() - 1;
}

Status Planner::AnalyzeOrderBy(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                               const Scope& scope, size_t visible, std::vector<Target>& targets,
                               std::vector<OrderItem>& order) {
  for (const ast::Node* node : ast::List(select.sort_clause, select.n_sort_clause)) {
    const PgQuery__SortBy& sort = *node->sort_by;
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
      return NotSupported("ORDER BY ... USING", ast::LocationOf(*node));
    }
    CONNBENCH_ASSIGN_OR_RETURN(const size_t target,
                               FindOrAddTarget(*sort.node, "ORDER BY", analyzer, scope, visible,
                                               false, select.n_distinct_clause == 0, targets));
    const bool descending = sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    bool nulls_first = descending;
    if (sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST) nulls_first = true;
    if (sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST) nulls_first = false;
    order.push_back({target, descending, nulls_first});
  }
  return {};
}

Result<PlanNodePtr> Planner::AddLimit(PlanNodePtr node, const PgQuery__SelectStmt& select) {
  const Scope empty;
  ExpressionAnalyzer analyzer(builder_, sql_, empty);
  Expression* count = nullptr;
  Expression* offset = nullptr;
  if (select.limit_offset != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(offset, analyzer.Analyze(*select.limit_offset, "OFFSET"));
    CONNBENCH_ASSIGN_OR_RETURN(offset, builder_.CoerceToBigint(offset, "OFFSET"));
  }
  const bool all = select.limit_count != nullptr &&
                   select.limit_count->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                   select.limit_count->a_const->isnull;  // LIMIT ALL
  if (select.limit_count != nullptr && !all) {
    CONNBENCH_ASSIGN_OR_RETURN(count, analyzer.Analyze(*select.limit_count, "LIMIT"));
    CONNBENCH_ASSIGN_OR_RETURN(count, builder_.CoerceToBigint(count, "LIMIT"));
  }
  if (count == nullptr && offset == nullptr) return node;
  return PlanNodePtr(std::make_unique<LimitNode>(std::move(node), count, offset));
}

Result<PlanNodePtr> Planner::PlanQuery(const PgQuery__SelectStmt& select, bool describe,
                                       std::vector<Target>& targets) {
  CONNBENCH_RETURN_IF_ERROR(CheckSelect(select));
  if (select.n_values_lists > 0) {
    CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr values, PlanValuesLists(select, targets));
    if (describe) DescribeColumns(targets, targets.size(), nullptr);
    return values;
  }

  // FOR UPDATE and its relatives.
  bool lock_rows = false;
  RowLockMode lock_mode = RowLockMode::kShare;
  RowWaitPolicy wait_policy = RowWaitPolicy::kWait;
  for (const ast::Node* node : ast::List(select.locking_clause, select.n_locking_clause)) {
    const PgQuery__LockingClause& clause = *node->locking_clause;
    lock_rows = true;
    if (clause.strength == PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORUPDATE ||
        clause.strength == PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE) {
      lock_mode = RowLockMode::kExclusive;
    }
    if (clause.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitSkip) {
      return NotSupported("SKIP LOCKED", -1);
    }
    if (clause.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitError) {
      wait_policy = RowWaitPolicy::kError;
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      Source source, AnalyzeFrom(select, lock_rows ? LockMode::kRowShare : LockMode::kAccessShare));
  if (source.relation == nullptr) lock_rows = false;  // there are no rows to lock
  const Scope& scope = source.scope;
  ExpressionAnalyzer analyzer(builder_, sql_, scope);

  // In PostgreSQL's order, which decides which of several errors is reported.
  CONNBENCH_RETURN_IF_ERROR(AnalyzeTargets(select, analyzer, scope, targets));
  const size_t visible = targets.size();
  Expression* where = nullptr;
  if (select.where_clause != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(where, analyzer.AnalyzeCondition(*select.where_clause, "WHERE"));
  }
  Expression* having = nullptr;
  if (select.having_clause != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(having,
                               analyzer.AnalyzeCondition(*select.having_clause, "HAVING", true));
  }
  std::vector<OrderItem> order;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeOrderBy(select, analyzer, scope, visible, targets, order));
  std::vector<Expression*> groups;
  for (const ast::Node* node : ast::List(select.group_clause, select.n_group_clause)) {
    if (node->node_case == PG_QUERY__NODE__NODE_GROUPING_SET) {
      return NotSupported("GROUPING SETS, CUBE or ROLLUP", ast::LocationOf(*node));
    }
    std::vector<Target> known = targets;
    CONNBENCH_ASSIGN_OR_RETURN(
        const size_t target,
        FindOrAddTarget(*node, "GROUP BY", analyzer, scope, visible, true, true, known));
    groups.push_back(known[target].expression);
  }
  const bool grouped = !groups.empty() || !analyzer.aggregates().empty() || having != nullptr;
  if (grouped && lock_rows) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         groups.empty() ? "FOR UPDATE is not allowed with aggregate functions"
                                        : "FOR UPDATE is not allowed with GROUP BY clause");
  }
  const bool distinct = select.n_distinct_clause > 0;
  if (distinct && lock_rows) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "FOR UPDATE is not allowed with DISTINCT clause");
  }
  if (describe) DescribeColumns(targets, visible, &source);

  // The columns that anything refers to.
  std::vector<bool> used(scope.columns.size(), false);
  for (const Target& target : targets) CollectColumns(*target.expression, used);
  for (const Expression* group : groups) CollectColumns(*group, used);
  if (where != nullptr) CollectColumns(*where, used);
  if (having != nullptr) CollectColumns(*having, used);
  for (const AggregateCall& call : analyzer.aggregates()) {
    for (const Expression* argument : call.arguments) CollectColumns(*argument, used);
    if (call.filter != nullptr) CollectColumns(*call.filter, used);
  }

  // An order by plain columns may come from an index.
  std::vector<SortKey> column_order;
  const bool limited = select.limit_count != nullptr;
  if (!grouped && !distinct) {
    for (const OrderItem& item : order) {
      const Expression& expression = *targets[item.target].expression;
      if (expression.kind != ExpressionKind::kColumn) {
        column_order.clear();
        break;
      }
      column_order.push_back(
          {expression.index, expression.type.oid, item.descending, item.nulls_first});
    }
  }
  PlanNodePtr node;
  TableScanNode* scan_node = nullptr;
  bool ordered = false;
  if (source.relation != nullptr) {
    ScanChoice choice = ChooseScan(source, where, column_order, limited);
    ordered = choice.ordered;
    CONNBENCH_ASSIGN_OR_RETURN(auto scan, MakeScan(source, where, used, std::move(choice)));
    scan_node = scan.get();
    node = std::move(scan);
  } else if (source.series != nullptr) {
    const auto& arguments = source.series_arguments;
    node = std::make_unique<SeriesNode>(scope.columns[0].name, arguments[0], arguments[1],
                                        arguments.size() > 2 ? arguments[2] : nullptr, where);
    node->estimated_rows = 1000;  // PostgreSQL's guess
  } else if (source.view != nullptr) {
    const SystemView& view = *source.view;
    std::vector<std::string> names;
    for (const Scope::Column& column : scope.columns) names.push_back(column.name);
    node = std::make_unique<ViewNode>(
        view.name, scope.alias, std::move(names),
        [&view, segment = context_.segment](std::vector<Value>& values) {
          view.read(*segment, values);
        },
        where);
  } else {
    node = std::make_unique<ResultNode>(where);
  }
  if (grouped) {
    CONNBENCH_ASSIGN_OR_RETURN(
        node, PlanGrouping(std::move(node), groups, analyzer, scope, having, targets));
  }

  const auto make_keys = [&](size_t offset) {
    std::vector<SortKey> keys;
    keys.reserve(order.size());
    for (const OrderItem& item : order) {
      keys.push_back({static_cast<int>(offset + item.target),
                      targets[item.target].expression->type.oid, item.descending,
                      item.nulls_first});
    }
    return keys;
  };
  std::vector<const Expression*> projection;
  if (lock_rows && !order.empty() && !ordered) {
    // Rows are locked in order, after the sort: it carries the table's columns, the tid and the
    // sort keys.
    for (size_t i = 0; i < scope.columns.size(); ++i) {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * column,
                                 builder_.Column(static_cast<int>(i), scope.columns[i].type, -1));
      projection.push_back(column);
    }
    CONNBENCH_ASSIGN_OR_RETURN(
        Expression * tid,
        builder_.Column(static_cast<int>(scope.columns.size()), {type_oid::kInt8, -1}, -1));
    projection.push_back(tid);
    const size_t offset = projection.size();
    for (const Target& target : targets) projection.push_back(target.expression);
    const std::vector<Type> types = TypesOf(projection);
    node = std::make_unique<ProjectNode>(std::move(node), std::move(projection));
    node = std::make_unique<SortNode>(std::move(node), types, make_keys(offset), false);
    ordered = true;
  }
  if (lock_rows) {
    node = std::make_unique<LockRowsNode>(std::move(node), scan_node, lock_mode, wait_policy);
    plan_->writes = true;
  }
  projection = ExpressionsOf(targets);
  const std::vector<Type> types = TypesOf(projection);
  node = std::make_unique<ProjectNode>(std::move(node), std::move(projection));
  std::vector<SortKey> keys = ordered ? std::vector<SortKey>() : make_keys(0);
  if (distinct) {
    // Equal rows end up side by side: the rest of the columns complete the sort key.
    for (size_t i = 0; i < visible; ++i) {
      const bool is_key = std::any_of(keys.begin(), keys.end(), [i](const SortKey& key) {
        return key.column == static_cast<int>(i);
      });
      if (!is_key) keys.push_back({static_cast<int>(i), types[i].oid, false, false});
    }
  }
  if (!keys.empty()) {
    node = std::make_unique<SortNode>(std::move(node), types, std::move(keys), distinct);
  }
  targets.resize(visible);
  return AddLimit(std::move(node), select);
}

Result<PlanNodePtr> Planner::PlanValuesLists(const PgQuery__SelectStmt& select,
                                             std::vector<Target>& targets) {
  if (select.n_locking_clause > 0) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "SELECT FOR UPDATE cannot be applied to VALUES");
  }
  const Scope empty;
  ExpressionAnalyzer analyzer(builder_, sql_, empty);
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
  std::vector<const Expression*> rows(select.n_values_lists * width);
  Scope scope;
  scope.alias = "*VALUES*";
  for (size_t i = 0; i < width; ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(const Oid common, builder_.CommonType(columns[i], "VALUES"));
    for (size_t row = 0; row < columns[i].size(); ++row) {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * value,
                                 builder_.CoerceToCommon(columns[i][row], common, "VALUES"));
      CONNBENCH_ASSIGN_OR_RETURN(value, builder_.ResolveUnknown(value));
      rows[row * width + i] = value;
    }
    const Type type{rows[i]->type.oid, columns[i].size() == 1 ? rows[i]->type.modifier : -1};
    CONNBENCH_ASSIGN_OR_RETURN(Expression * column,
                               builder_.Column(static_cast<int>(i), type, rows[i]->location));
    targets.push_back({column, fmt::format("column{}", i + 1)});
    scope.columns.push_back({targets.back().name, type});
  }
  PlanNodePtr node = std::make_unique<ValuesNode>(std::move(rows), width);
  node->estimated_rows = static_cast<double>(select.n_values_lists);
  ExpressionAnalyzer order_analyzer(builder_, sql_, scope);
  std::vector<OrderItem> order;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeOrderBy(select, order_analyzer, scope, width, targets, order));
  if (!order.empty()) {
    std::vector<const Expression*> projection = ExpressionsOf(targets);
    const std::vector<Type> types = TypesOf(projection);
    std::vector<SortKey> keys;
    keys.reserve(order.size());
    for (const OrderItem& item : order) {
      keys.push_back({static_cast<int>(item.target), types[item.target].oid, item.descending,
                      item.nulls_first});
    }
    node = std::make_unique<ProjectNode>(std::move(node), std::move(projection));
    node = std::make_unique<SortNode>(std::move(node), types, std::move(keys), false);
    targets.resize(width);
  }
  return AddLimit(std::move(node), select);
}

}  // namespace connbench::engine
