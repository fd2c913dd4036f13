// One relation and what is asked of it alone: read how.

#include <algorithm>

#include "engine/executor/nodes/result_nodes.h"
#include "engine/executor/nodes/set_nodes.h"
#include "engine/sql/planner.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// The planner follows rules: whole unique keys first, then more equal columns, then ranges, then
// order. Statistics only feed EXPLAIN, because a plan is kept while its table grows.
constexpr int kWholeKeyScore = 10000;
constexpr int kEqualScore = 100;
constexpr int kInListScore = 60;
constexpr int kRangeScore = 30;
constexpr int kHalfRangeScore = 20;
constexpr int kOrderScore = 5;
constexpr int kOrderWithLimitScore = 15;

// PostgreSQL's guesses without statistics.
constexpr double kEqualFraction = 0.005;
constexpr double kRangeFraction = 0.005;
constexpr double kHalfRangeFraction = 1.0 / 3;

// In PostgreSQL's units: a sequential page read is 1.
constexpr double kRowCost = 0.01;
constexpr double kIndexRowCost = 0.5;
constexpr double kDescentCost = 0.4;

}  // namespace

void CollectColumns(const Expression& expression, std::vector<bool>& used) {
  ForEachColumn(expression, [&used](const Expression& column) {
    const auto index = static_cast<size_t>(column.index);
    if (index < used.size()) used[index] = true;
  });
}

void Flatten(Expression* where, std::vector<Expression*>& conditions) {
  if (where == nullptr) return;
  if (where->kind != ExpressionKind::kAnd) {
    conditions.push_back(where);
    return;
  }
  for (Expression* argument : where->args()) Flatten(argument, conditions);
}

int Planner::TryIndex(const Source& source, size_t index, std::span<Expression* const> conjuncts,
                      std::span<const SortKey> order, bool limited, ScanChoice& choice) const {
  const IndexInfo& info = source.relation->indexes[index];
  const auto first = static_cast<int>(source.slots.first);
  const auto end = static_cast<int>(source.slots.end);
  std::vector<bool> served(conjuncts.size(), false);
  int score = 0;
  size_t key = 0;
  double fraction = 1;
  // Equal columns from the left.
  for (; key < info.key_columns.size(); ++key) {
    bool found = false;
    for (size_t i = 0; i < conjuncts.size() && !found; ++i) {
      const IndexCondition condition = MatchIndexCondition(*conjuncts[i], first, end);
      if (!condition.matches || condition.comparison != Comparison::kEqual ||
          condition.column != info.key_columns[key] || served[i]) {
        continue;
      }
      choice.range.equal.push_back({condition.value, condition.key_type});
      choice.range.conditions.push_back(conjuncts[i]);
      served[i] = found = true;
      score += kEqualScore;
      fraction *= kEqualFraction;
    }
    if (!found) break;
  }
  choice.single_row = info.unique && key == info.key_columns.size();
  if (choice.single_row) score += kWholeKeyScore;
  // Then a list or a range on the next one.
  for (size_t i = 0; i < conjuncts.size() && key < info.key_columns.size(); ++i) {
    if (served[i] || choice.range.has_list()) continue;
    const IndexInList list = MatchIndexInList(*conjuncts[i], first, end);
    if (!list.matches || list.column != info.key_columns[key]) continue;
    if (list.array == nullptr && list.values.empty()) continue;
    choice.range.in_list = list.values;
    choice.range.in_array = list.array;
    choice.range.in_key_type = list.key_type;
    choice.range.conditions.push_back(conjuncts[i]);
    served[i] = true;
    score += kInListScore;
    constexpr double kGuessedElements = 10;
    fraction *= kEqualFraction * (list.array != nullptr ? kGuessedElements
                                                        : static_cast<double>(list.values.size()));
  }
  const bool has_list = choice.range.has_list();
  for (size_t i = 0; i < conjuncts.size() && key < info.key_columns.size() && !has_list; ++i) {
    if (served[i]) continue;
    const IndexCondition condition = MatchIndexCondition(*conjuncts[i], first, end);
    if (!condition.matches || condition.column != info.key_columns[key] ||
        condition.comparison == Comparison::kEqual) {
      continue;
    }
    const bool is_lower = condition.comparison == Comparison::kGreater ||
                          condition.comparison == Comparison::kGreaterEqual;
    IndexRangeEnd& bound = is_lower ? choice.range.lower : choice.range.upper;
    if (bound.value != nullptr) continue;  // one bound a side; the other stays in the filter
    bound.value = condition.value;
    bound.key_type = condition.key_type;
    bound.inclusive = condition.comparison == Comparison::kGreaterEqual ||
                      condition.comparison == Comparison::kLessEqual;
    choice.range.conditions.push_back(conjuncts[i]);
    served[i] = true;
  }
  const bool has_lower = choice.range.lower.value != nullptr;
  const bool has_upper = choice.range.upper.value != nullptr;
  if (has_lower || has_upper) {
    score += has_lower && has_upper ? kRangeScore : kHalfRangeScore;
    fraction *= has_lower && has_upper ? kRangeFraction : kHalfRangeFraction;
  }
  // Does it give the order? Columns that are equal to one value do not matter.
  bool forward = true;
  bool backward = true;
  size_t next = key;
  for (const SortKey& wanted : order) {
    const auto equal_end = info.key_columns.begin() + static_cast<std::ptrdiff_t>(key);
    if (std::find(info.key_columns.begin(), equal_end, wanted.column) != equal_end) continue;
    if (next >= info.key_columns.size() || info.key_columns[next] != wanted.column) {
      forward = backward = false;
      break;
    }
    const bool nullable = !source.relation->columns[static_cast<size_t>(wanted.column)].not_null;
    forward = forward && !wanted.descending && !(nullable && wanted.nulls_first);
    backward = backward && wanted.descending && (!nullable || wanted.nulls_first);
    ++next;
  }
  choice.ordered = !order.empty() && !has_list && (forward || backward);
  if (choice.ordered) {
    choice.direction = forward ? ScanDirection::kForward : ScanDirection::kBackward;
    if (score > 0) score += kOrderScore;
    if (score == 0 && limited) score = kOrderWithLimitScore;
  }
  for (size_t i = 0; i < conjuncts.size(); ++i) {
    if (!served[i]) choice.residual.push_back(conjuncts[i]);
  }
  const double rows = static_cast<double>(context_.catalog->Statistics(source.relation).rows);
  choice.rows = choice.single_row ? 1 : std::max(1.0, rows * fraction);
  choice.cost = kDescentCost + choice.rows * kIndexRowCost;
  choice.use_index = true;
  choice.index = index;
  return score;
}

Planner::ScanChoice Planner::ChooseScan(const Source& source,
                                        std::span<Expression* const> conditions,
                                        std::span<const SortKey> order, bool limited) const {
  ScanChoice best;
  int best_score = 0;
  const Csn snapshot_csn = context_.transaction->transaction_csn();
  for (size_t i = 0; i < source.relation->indexes.size() && context_.enable_indexscan; ++i) {
    // It has no entries for row versions that only this older snapshot sees.
    if (snapshot_csn != kInvalidCsn && snapshot_csn < source.relation->indexes[i].usable_from_csn) {
      plan_->for_this_snapshot = true;
      continue;
    }
    ScanChoice choice;
    const int score = TryIndex(source, i, conditions, order, limited, choice);
    if (score > best_score) {
      best_score = score;
      best = std::move(choice);
    }
  }
  if (best_score > 0) return best;
  best = {};
  best.residual.assign(conditions.begin(), conditions.end());
  const RelationStatistics statistics = context_.catalog->Statistics(source.relation);
  const auto rows = static_cast<double>(statistics.rows);
  best.rows = std::max(1.0, conditions.empty() ? rows : rows * kHalfRangeFraction);
  best.cost = static_cast<double>(statistics.pages) + rows * kRowCost;
  return best;
}

Result<std::unique_ptr<TableScanNode>> Planner::MakeScan(const FromClause& from,
                                                         const Source& source, Expression* where,
                                                         const std::vector<bool>& used,
                                                         ScanChoice choice) {
  ScanTarget target;
  target.table = source.table;
  target.alias = from.NamesOf(source).alias;
  target.frame = from.frame;
  target.first_slot = source.slots.first;
  target.condition = where;
  for (size_t i = 0; i < source.relation->columns.size(); ++i) {
    if (used[source.slots.first + i]) target.needed.push_back(static_cast<uint16_t>(i));
  }
  CONNBENCH_ASSIGN_OR_RETURN(target.filter, AllOf(choice.residual));
  std::unique_ptr<TableScanNode> scan;
  if (choice.use_index) {
    plan_->scanned_indexes.push_back(source.relation->indexes[choice.index].oid);
    scan = std::make_unique<IndexScanNode>(std::move(target), choice.index, std::move(choice.range),
                                           choice.direction, choice.single_row);
  } else {
    scan = std::make_unique<SequentialScanNode>(std::move(target));
  }
  if (&source == written_) written_scan_ = scan.get();
  scan->estimated_rows = choice.rows;
  scan->estimated_cost = choice.cost;
  return scan;
}

Result<PlanNodePtr> Planner::PlanRelation(const Query& query, Source& source, Expression* filter) {
  const FromClause& from = query.from;
  const ScopeItem& names = from.NamesOf(source);
  if (source.subquery != nullptr || source.common_table != nullptr ||
      source.work_table != nullptr) {
    FromSlots slots{names.alias, {}, from.frame, source.slots.first, filter};
    for (const ScopeColumn& column : names.columns) slots.columns.push_back(column.name);
    if (source.work_table != nullptr) {
      return PlanNodePtr(std::make_unique<WorkTableScanNode>(source.work_table, std::move(slots)));
    }
    if (source.common_table != nullptr) {
      return PlanNodePtr(
          std::make_unique<CommonTableScanNode>(source.common_table, std::move(slots)));
    }
    return PlanNodePtr(std::make_unique<SubqueryScanNode>(
        std::move(source.subquery), std::move(slots), std::move(source.lateral)));
  }
  if (source.function != nullptr && !source.is_series) {
    FromSlots slots{names.alias, {}, from.frame, source.slots.first, filter};
    for (const ScopeColumn& column : names.columns) slots.columns.push_back(column.name);
    return PlanNodePtr(std::make_unique<FunctionScanNode>(
        names.table_name, source.function_arguments[0], std::move(slots)));
  }
  if (source.function != nullptr) {
    constexpr double kSeriesRows = 1000;  // PostgreSQL's guess
    const auto& arguments = source.function_arguments;
    PlanNodePtr node = std::make_unique<SeriesNode>(
        names.columns[0].name, names.columns[0].type.oid, from.frame, source.slots.first,
        arguments[0], arguments[1], arguments.size() > 2 ? arguments[2] : nullptr, filter);
    node->estimated_rows = kSeriesRows;
    return node;
  }
  if (source.view != nullptr) {
    const SystemView& view = *source.view;
    std::vector<std::string> columns;
    for (const ScopeColumn& column : names.columns) columns.push_back(column.name);
    return PlanNodePtr(std::make_unique<ViewNode>(
        view.name, names.alias, std::move(columns), from.frame, source.slots.first,
        [&view, segment = context_.segment, catalog = context_.catalog](ExecutionContext& execution,
                                                                        ViewRows& rows) {
          return view.read({*segment, *catalog, execution}, rows);
        },
        filter));
  }
  std::vector<Expression*> conditions;
  Flatten(filter, conditions);
  CONNBENCH_ASSIGN_OR_RETURN(auto scan, MakeScan(from, source, filter, query.used,
                                                 ChooseScan(source, conditions, {}, false)));
  return PlanNodePtr(std::move(scan));
}

}  // namespace connbench::engine
