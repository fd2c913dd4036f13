// A SELECT that is no VALUES: what it means, then the nodes of its plan from the bottom up.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/executor/nodes/modify_nodes.h"
#include "engine/executor/nodes/result_nodes.h"
#include "engine/executor/nodes/set_nodes.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

// Of queries inside queries. Analysing one takes some kilobytes of the stack.
constexpr int kMaxLevels = 32;
// What running a query takes of the stack besides its expressions, in levels of expressions.
constexpr int kQueryDepth = 8;
// The same of a window: its WindowAgg and the Sort below.
constexpr int kWindowDepth = 4;

}  // namespace

std::vector<Type> Planner::TypesOf(const std::vector<const Expression*>& expressions) {
  std::vector<Type> types;
  types.reserve(expressions.size());
  for (const Expression* expression : expressions) types.push_back(expression->type);
  return types;
}

std::vector<Type> Planner::TypesOf(const std::vector<Target>& targets) {
  std::vector<Type> types;
  types.reserve(targets.size());
  for (const Target& target : targets) types.push_back(target.expression->type);
  return types;
}

std::vector<SortKey> Planner::SortKeys(const std::vector<OrderItem>& order,
                                       const std::vector<Target>& targets, size_t offset) {
  std::vector<SortKey> keys;
  keys.reserve(order.size());
  for (const OrderItem& item : order) {
    keys.push_back({static_cast<int>(offset + item.target),
                    targets[item.target].expression->type.oid, item.descending, item.nulls_first});
  }
  return keys;
}

// In PostgreSQL's order, which decides which of several errors is reported.
Status Planner::AnalyzeQuery(const PgQuery__SelectStmt& select, Query& query) {
  query.locking = ReadLocking(select);
  CONNBENCH_RETURN_IF_ERROR(AnalyzeFrom(ast::List(select.from_clause, select.n_from_clause),
                                        query.locking.wanted, nullptr, query.from));
  CONNBENCH_RETURN_IF_ERROR(CheckLockedNames(select, query.from));
  const Scope& scope = query.from.scope;
  ExpressionAnalyzer& analyzer = query.analyzer.emplace(builder_, sql_, scope, this);
  analyzer.AllowWindows(ast::List(select.window_clause, select.n_window_clause));
  query.distinct = select.n_distinct_clause > 0;
  const bool resolve_unknown = query.unknown_target == nullptr || query.distinct;
  CONNBENCH_RETURN_IF_ERROR(
      AnalyzeTargets(select, analyzer, scope, resolve_unknown, query.targets));
  query.visible = query.targets.size();
  if (select.where_clause != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(query.where,
                               analyzer.AnalyzeCondition(*select.where_clause, "WHERE"));
  }
  if (select.having_clause != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(query.having,
                               analyzer.AnalyzeCondition(*select.having_clause, "HAVING", true));
  }
  CONNBENCH_RETURN_IF_ERROR(
      AnalyzeOrderBy(select, analyzer, scope, query.visible, query.targets, query.order));
  CONNBENCH_RETURN_IF_ERROR(
      AnalyzeGroupBy(select, analyzer, scope, query.visible, query.targets, query.groups));
  CONNBENCH_RETURN_IF_ERROR(AnalyzeDistinctOn(select, query));
  if (!analyzer.windows().empty()) CONNBENCH_RETURN_IF_ERROR(AnalyzeWindows(query));
  for (size_t i = 0; i < query.visible; ++i) {
    Expression*& expression = query.targets[i].expression;
    if (expression->type.oid != type_oid::kUnknown) continue;
    CONNBENCH_ASSIGN_OR_RETURN(expression, query.unknown_target(i, expression));
  }
  query.grouped =
      !query.groups.empty() || !analyzer.aggregates().empty() || query.having != nullptr;
  query.limited = select.limit_count != nullptr;
  CONNBENCH_RETURN_IF_ERROR(CheckNoAggregateInStep(query));
  CONNBENCH_RETURN_IF_ERROR(CheckRowsCanBeLocked(query));
  if (!query.locking.wanted || query.from.sources.size() < 2) return {};
  return NotSupported(fmt::format("{} over a join", RowLockModeName(query.locking.first)),
                      ast::LocationOf(*select.from_clause[select.n_from_clause - 1]));
}

// Not those that stand for several of the table's.
Status Planner::CheckRowsCanBeLocked(const Query& query) {
  const bool of_many = query.grouped || query.distinct || query.has_window_calls();
  if (!query.locking.wanted || (!of_many && !HasSets(query))) return {};
  return Status::Error(
      sqlstate::kFeatureNotSupported,
      fmt::format("{} is not allowed with {}", RowLockModeName(query.locking.first),
                  query.distinct            ? "DISTINCT clause"
                  : !query.groups.empty()   ? "GROUP BY clause"
                  : query.having != nullptr ? "HAVING clause"
                  : query.grouped           ? "aggregate functions"
                  : of_many                 ? "window functions"
                                            : "set-returning functions in the target list"));
}

// Rows with the same primary key are the same row: a query that is grouped by it may use all of the
// row's columns, and becomes one that is grouped by those that it uses, too.
Status Planner::AddDependentGroups(Query& query) {
  std::vector<bool> grouped(query.from.slots, false);
  for (const Expression* group : query.groups) {
    if (group->kind == ExpressionKind::kColumn) grouped[static_cast<size_t>(group->index)] = true;
  }
  std::vector<bool> used(grouped.size(), false);
  for (const Target& target : query.targets) CollectColumns(*target.expression, used);
  if (query.having != nullptr) CollectColumns(*query.having, used);
  CollectWindowColumns(query, used);
  for (const Source& source : query.from.sources) {
    const IndexInfo* key = source.relation == nullptr ? nullptr : source.relation->primary_key();
    if (key == nullptr) continue;
    const size_t first = source.slots.first;
    const bool by_key =
        std::all_of(key->key_columns.begin(), key->key_columns.end(),
                    [&](int16_t column) { return grouped[first + static_cast<size_t>(column)]; });
    bool needed = false;
    for (const ScopeColumn& column : query.from.NamesOf(source).columns) {
      const auto slot = static_cast<size_t>(column.slot);
      if (!by_key || !used[slot] || grouped[slot]) continue;
      needed = true;
      CONNBENCH_ASSIGN_OR_RETURN(Expression * group, builder_.Column(column.slot, column.type, -1));
      query.groups.push_back(group);
    }
    if (needed && recorded_ != nullptr) recorded_->keys.push_back(key->oid);
  }
  return {};
}

// The columns that anything refers to. The conditions of joins are marked where they are analysed.
std::vector<bool> Planner::UsedSlots(Query& query) {
  std::vector<bool> used(query.from.slots, false);
  const std::function<void(const JoinTree&)> collect = [&](const JoinTree& tree) {
    for (const Expression* condition : tree.conditions) CollectColumns(*condition, used);
    for (const auto& input : tree.inputs) collect(*input);
  };
  if (query.from.tree != nullptr) collect(*query.from.tree);
  for (const Source& source : query.from.sources) {
    for (const Expression* value : source.lateral.values) CollectColumns(*value, used);
    for (const Expression* value : source.function_arguments) CollectColumns(*value, used);
  }
  for (const Target& target : query.targets) CollectColumns(*target.expression, used);
  for (const Expression* group : query.groups) CollectColumns(*group, used);
  if (query.where != nullptr) CollectColumns(*query.where, used);
  if (query.having != nullptr) CollectColumns(*query.having, used);
  for (const AggregateCall& call : query.analyzer->aggregates()) {
    for (const Expression* argument : call.arguments) CollectColumns(*argument, used);
    if (call.filter != nullptr) CollectColumns(*call.filter, used);
    for (const AggregateOrder& order : call.order) CollectColumns(*order.expression, used);
  }
  CollectWindowColumns(query, used);
  return used;
}

// An order by plain columns may come from an index. Empty: no such order is wanted.
std::vector<SortKey> Planner::ColumnOrder(Query& query) {
  std::vector<SortKey> order;
  if (query.grouped) return order;
  const auto add = [&](const Expression& expression, bool descending, bool nulls_first) {
    const bool is_slot = expression.kind == ExpressionKind::kColumn &&
                         static_cast<size_t>(expression.index) < query.from.slots;
    if (is_slot) order.push_back({expression.index, expression.type.oid, descending, nulls_first});
    return is_slot;
  };
  if (!query.windows.empty()) {
    for (const WindowKey& key : FirstWindowOrder(query)) {
      if (!add(*key.expression, key.descending, key.nulls_first)) return {};
    }
    if (!order.empty()) return order;
  }
  if (query.distinct) return order;
  for (const OrderItem& item : query.order) {
    const Expression& expression = *query.targets[item.target].expression;
    if (!add(expression, item.descending, item.nulls_first)) return {};
  }
  return order;
}

// The rows of FROM that WHERE lets through.
Result<PlanNodePtr> Planner::PlanSource(Query& query) {
  FromClause& from = query.from;
  if (from.sources.empty()) return PlanNodePtr(std::make_unique<ResultNode>(query.where));
  query.used = UsedSlots(query);
  if (from.sources.size() > 1) return PlanJoins(query);
  Source& source = from.sources[0];
  if (source.relation == nullptr) return PlanRelation(query, source, query.where);
  std::vector<Expression*> conditions;
  Flatten(query.where, conditions);
  ScanChoice choice = ChooseScan(source, conditions, ColumnOrder(query), query.limited);
  query.scan_ordered = choice.ordered;
  query.ordered = choice.ordered && !query.has_window_calls();
  CONNBENCH_ASSIGN_OR_RETURN(auto scan,
                             MakeScan(from, source, query.where, query.used, std::move(choice)));
  query.scan = scan.get();
  return PlanNodePtr(std::move(scan));
}

// Rows are locked in the order that is asked for: if a sort makes it, the sort comes first and
// carries the table's columns, the tid and the sort keys.
Result<PlanNodePtr> Planner::PlanLocking(PlanNodePtr node, Query& query) {
  const ScopeItem& names = query.from.scope.items[0];
  if (!query.order.empty() && !query.ordered) {
    std::vector<const Expression*> projection;
    for (const ScopeColumn& each : names.columns) {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * column, builder_.Column(each.slot, each.type, -1));
      projection.push_back(column);
    }
    CONNBENCH_ASSIGN_OR_RETURN(
        Expression * tid,
        builder_.Column(static_cast<int>(names.columns.size()), {type_oid::kInt8, -1}, -1));
    projection.push_back(tid);
    const size_t offset = projection.size();
    for (const Target& target : query.targets) projection.push_back(target.expression);
    const std::vector<Type> types = TypesOf(projection);
    node = std::make_unique<ProjectNode>(std::move(node), std::move(projection));
    node = std::make_unique<SortNode>(std::move(node), types,
                                      SortKeys(query.order, query.targets, offset), 0);
    query.ordered = true;
  }
  plan_->writes = true;
  plan_->lock_mode = query.locking.first;
  return PlanNodePtr(std::make_unique<LockRowsNode>(std::move(node), query.scan, query.locking.mode,
                                                    query.locking.policy));
}

bool Planner::HasSets(const Query& query) {
  return std::any_of(query.targets.begin(), query.targets.end(), [](const Target& target) {
    return target.expression->kind == ExpressionKind::kUnnest;
  });
}

// Sets become sets over the column that holds their array.
Status Planner::ReferToTargets(Query& query) {
  for (size_t i = 0; i < query.targets.size(); ++i) {
    Expression*& expression = query.targets[i].expression;
    const bool is_set = expression->kind == ExpressionKind::kUnnest;
    const Expression& stored = is_set ? *expression->arguments[0] : *expression;
    CONNBENCH_ASSIGN_OR_RETURN(
        Expression * column,
        builder_.Column(static_cast<int>(i), stored.type, expression->location));
    expression = column;
    if (!is_set) continue;
    CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.Unnest(column));
  }
  return {};
}

// Are sets made of rows that are sorted, and distinct, already? Only if neither is about a set.
// Then the rows of one set stay in its order.
bool Planner::MakesSetsLast(const Query& query) {
  const auto is_set = [&query](size_t target) {
    return query.targets[target].expression->kind == ExpressionKind::kUnnest;
  };
  const std::vector<size_t>& about = query.distinct_on;
  if (!HasSets(query) || query.order.empty() || (query.distinct && about.empty())) return false;
  return std::none_of(about.begin(), about.end(), is_set) &&
         std::none_of(query.order.begin(), query.order.end(),
                      [&](const OrderItem& item) { return is_set(item.target); });
}

// The select list, in the order and without the duplicates that are asked for.
Result<PlanNodePtr> Planner::PlanTargets(PlanNodePtr node, Query& query) {
  const bool sets_last = MakesSetsLast(query);
  std::vector<SortKey> keys;
  if (!query.ordered) keys = SortKeys(query.order, query.targets, 0);
  std::vector<const Expression*> projection = ExpressionsOf(query.targets);
  for (const Expression*& each : projection) {
    if (sets_last && each->kind == ExpressionKind::kUnnest) each = each->arguments[0];
  }
  const std::vector<Type> types = TypesOf(projection);
  if (HasSets(query) && !sets_last) {
    node = std::make_unique<ProjectSetNode>(std::move(node), std::move(projection));
  } else {
    const std::vector<const Expression*> projected = projection;
    node = std::make_unique<ProjectNode>(std::move(node), std::move(projection));
    if (query.workers > 0 && !query.grouped)
      node = Gather(std::move(node), types, query, projected);
  }
  size_t unique_keys = 0;
  if (query.distinct) {
    // Equal rows end up side by side: what DISTINCT is about and no order mentions completes the
    // sort key. What it is about stands first.
    std::vector<size_t> about = query.distinct_on;
    for (size_t i = 0; i < query.visible && query.distinct_on.empty(); ++i) about.push_back(i);
    for (const size_t target : about) {
      const auto column = static_cast<int>(target);
      const auto key = std::find_if(keys.begin(), keys.end(), [column](const SortKey& each) {
        return each.column == column;
      });
      unique_keys = std::max(unique_keys, static_cast<size_t>(key - keys.begin()) + 1);
      if (key == keys.end()) keys.push_back({column, types[target].oid, false, false});
    }
  }
  if (!keys.empty()) {
    node = std::make_unique<SortNode>(std::move(node), types, std::move(keys), unique_keys);
  }
  if (!sets_last) return node;
  CONNBENCH_RETURN_IF_ERROR(ReferToTargets(query));
  return PlanNodePtr(
      std::make_unique<ProjectSetNode>(std::move(node), ExpressionsOf(query.targets)));
}

Result<PlanNodePtr> Planner::PlanPlain(Query& query) {
  CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr node, PlanSource(query));
  if (context_.parallel != nullptr) PlanWorkers(query);
  if (query.grouped) {
    CONNBENCH_RETURN_IF_ERROR(AddDependentGroups(query));
    CONNBENCH_ASSIGN_OR_RETURN(node, PlanGrouping(std::move(node), query));
  }
  if (query.has_window_calls()) {
    CONNBENCH_ASSIGN_OR_RETURN(node, PlanWindows(std::move(node), query));
  }
  if (query.locking.wanted && query.scan != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(node, PlanLocking(std::move(node), query));
  }
  return PlanTargets(std::move(node), query);
}

Planner::ColumnOrigin Planner::OriginOf(const FromClause& from, const Expression& expression) {
  if (expression.kind != ExpressionKind::kColumn) return {};
  const auto slot = static_cast<size_t>(expression.index);
  if (slot >= from.slots) return {};
  const Source& source = from.Owner(expression.index);
  const size_t column = slot - source.slots.first;
  if (source.relation != nullptr) {
    return {source.relation->oid, static_cast<int16_t>(column + 1)};
  }
  return column < source.origins.size() ? source.origins[column] : ColumnOrigin{};
}

Status Planner::AnalyzeTree(const PgQuery__SelectStmt& select, const UnknownTarget& unknown_target,
                            QueryTree& tree) {
  const Level level(*this);
  if (level_ > kMaxLevels) {
    return Status::Error(sqlstate::kStatementTooComplex, "queries are nested too deep")
        .WithDetail(fmt::format("The limit is {} levels.", kMaxLevels));
  }
  const int depth_around = builder_.TakeDepth();
  const PgQuery__CommonTableExpr* recursion = std::exchange(recursion_, nullptr);
  CONNBENCH_RETURN_IF_ERROR(CheckSelect(select));
  CONNBENCH_RETURN_IF_ERROR(AnalyzeWith(select.with_clause));
  int nodes_depth = 0;
  if (select.n_values_lists > 0) {
    CONNBENCH_RETURN_IF_ERROR(AnalyzeValues(select, tree));
  } else if (recursion != nullptr) {
    CONNBENCH_RETURN_IF_ERROR(AnalyzeRecursion(select, *recursion, tree));
  } else if (IsSetOperation(select)) {
    CONNBENCH_RETURN_IF_ERROR(AnalyzeSetOperation(select, tree));
  } else {
    tree.plain = std::make_unique<Query>();
    Query& query = *tree.plain;
    query.unknown_target = unknown_target;
    CONNBENCH_RETURN_IF_ERROR(AnalyzeQuery(select, query));
    const auto end = query.targets.begin() + static_cast<std::ptrdiff_t>(query.visible);
    tree.columns.assign(query.targets.begin(), end);
    nodes_depth = static_cast<int>(query.from.sources.size()) +
                  static_cast<int>(query.windows.size()) * kWindowDepth;
  }
  CONNBENCH_RETURN_IF_ERROR(AnalyzeLimit(select, tree));
  tree.origins.clear();
  for (const Target& column : tree.columns) {
    tree.origins.push_back(tree.plain == nullptr ? ColumnOrigin{}
                                                 : OriginOf(tree.plain->from, *column.expression));
  }
  tree.depth = builder_.TakeDepth() + nodes_depth + kQueryDepth;
  return builder_.NoteDepth(std::max(depth_around, tree.depth), -1);
}

Result<PlanNodePtr> Planner::PlanTree(QueryTree& tree) {
  PlanNodePtr node = std::move(tree.values);
  if (tree.plain != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(node, PlanPlain(*tree.plain));
  } else if (tree.operation != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(node, PlanSetOperation(tree));
  }
  if (tree.limit == nullptr && tree.offset == nullptr) return node;
  return PlanNodePtr(std::make_unique<LimitNode>(std::move(node), tree.limit, tree.offset));
}

Result<PlanNodePtr> Planner::PlanQuery(const PgQuery__SelectStmt& select, bool describe,
                                       std::vector<Target>& targets,
                                       const UnknownTarget& unknown_target) {
  QueryTree tree;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeTree(select, unknown_target, tree));
  if (describe) {
    for (size_t i = 0; i < tree.columns.size(); ++i) {
      DescribeColumn(tree.columns[i], tree.origins[i]);
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(PlanNodePtr node, PlanTree(tree));
  targets = std::move(tree.columns);
  return node;
}

}  // namespace connbench::engine
