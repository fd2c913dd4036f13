// FROM and WHERE: which table, read how.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/expression/resolve.h"
#include "engine/executor/nodes/result_nodes.h"
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

void Flatten(Expression* where, std::vector<Expression*>& conjuncts) {
  if (where == nullptr) return;
  if (where->kind != ExpressionKind::kAnd) {
    conjuncts.push_back(where);
    return;
  }
  for (Expression* argument : where->args()) Flatten(argument, conjuncts);
}

const SystemView* ViewOf(const PgQuery__RangeVar& name) {
  const std::string_view schema = name.schemaname;
  return schema.empty() || schema == "pg_catalog" ? FindSystemView(name.relname) : nullptr;
}

}  // namespace

void CollectColumns(const Expression& expression, std::vector<bool>& used) {
  ForEachColumn(expression, [&used](const Expression& column) {
    const auto index = static_cast<size_t>(column.index);
    if (index < used.size()) used[index] = true;
  });
}

// The alias of a table or view, and of its columns.
Status Planner::ApplyAlias(const PgQuery__RangeVar& name, Source& source) {
  if (name.alias == nullptr) return {};
  source.scope.alias = name.alias->aliasname;
  if (name.alias->n_colnames > source.scope.columns.size()) {
    return Status::Error(
        sqlstate::kInvalidColumnReference,
        fmt::format("table \"{}\" has {} columns available but {} columns specified",
                    source.scope.alias, source.scope.columns.size(), name.alias->n_colnames),
        CharacterPosition(sql_, name.location));
  }
  for (size_t i = 0; i < name.alias->n_colnames; ++i) {
    source.scope.columns[i].name = ast::StringOf(*name.alias->colnames[i]);
  }
  return {};
}

// PostgreSQL reads a sequence as a table of one row; ok if the name means something else.
Status Planner::RefuseSequence(const PgQuery__RangeVar& name) {
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef relation,
                             context_.catalog->Find(*context_.transaction, name.relname));
  if (relation->kind != RelationKind::kSequence) return {};
  CONNBENCH_RETURN_IF_ERROR(RequireAny(context_.role, *relation, privilege::kSelect));
  return NotSupported("reading a sequence as a table", name.location)
      .WithHint("Use nextval(), currval() and lastval().");
}

Status Planner::AddTable(const PgQuery__RangeVar& name, LockMode mode, PrivilegeSet needs,
                         Source& source) {
  Result<RelationRef> found = FindAndLockTable(context_, sql_, name, mode);
  if (!found.ok() && found.status().code() == sqlstate::kWrongObjectType &&
      needs == privilege::kSelect) {
    CONNBENCH_RETURN_IF_ERROR(RefuseSequence(name));
  }
  if (!found.ok()) {
    // As in PostgreSQL, queries say where the name is and utility statements do not.
    // Nor do a cancel and a privilege that is missing.
    const bool about_name = found.status().code() != sqlstate::kQueryCanceled &&
                            found.status().code() != sqlstate::kInsufficientPrivilege;
    return found.TakeStatus().WithPosition(about_name ? CharacterPosition(sql_, name.location) : 0);
  }
  source.relation = std::move(*found);
  plan_->tables.push_back({source.relation, mode, source.relation->oid, needs});
  source.table = std::make_shared<Table>(*context_.storage, source.relation);
  source.scope.table_name = source.relation->name;
  source.scope.alias = source.relation->name;
  for (const ColumnInfo& column : source.relation->columns) {
    source.scope.columns.push_back({column.name, {column.type_oid, column.type_modifier}});
  }
  return ApplyAlias(name, source);
}

Status Planner::AddView(const PgQuery__RangeVar& name, const SystemView& view, Source& source) {
  source.view = &view;
  source.scope.table_name = source.scope.alias = view.name;
  for (const SystemViewColumn& column : view.columns) {
    source.scope.columns.push_back({std::string(column.name), {column.type, -1}});
  }
  return ApplyAlias(name, source);
}

Result<Planner::Source> Planner::AnalyzeFrom(const PgQuery__SelectStmt& select, bool lock_rows) {
  const LockMode mode = lock_rows ? LockMode::kRowShare : LockMode::kAccessShare;
  const PrivilegeSet needs =
      lock_rows ? privilege::kSelect | privilege::kUpdate : privilege::kSelect;
  Source source;
  if (select.n_from_clause == 0) return source;
  const ast::Node& first = *select.from_clause[0];
  if (select.n_from_clause > 1) {
    return NotSupported("a join", ast::LocationOf(*select.from_clause[1]));
  }
  switch (first.node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      if (const SystemView* view = ViewOf(*first.range_var)) {
        CONNBENCH_RETURN_IF_ERROR(AddView(*first.range_var, *view, source));
        return source;
      }
      CONNBENCH_RETURN_IF_ERROR(AddTable(*first.range_var, mode, needs, source));
      return source;
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      CONNBENCH_RETURN_IF_ERROR(AnalyzeFunctionInFrom(*first.range_function, source));
      return source;
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
      return NotSupported("a join", ast::LocationOf(first));
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
      return NotSupported("a subquery in FROM", ast::LocationOf(first));
    default:
      return NotSupported(ast::KindOf(first) + " in FROM", ast::LocationOf(first));
  }
}

Status Planner::AnalyzeFunctionInFrom(const PgQuery__RangeFunction& function, Source& source) {
  // Each entry of functions is a list of the call and its column definitions.
  const ast::Node* call_node = function.n_functions == 1 && function.functions[0]->list->n_items > 0
                                   ? function.functions[0]->list->items[0]
                                   : nullptr;
  const int location = call_node == nullptr ? -1 : ast::LocationOf(*call_node);
  if (call_node == nullptr || function.is_rowsfrom || function.n_coldeflist > 0 ||
      call_node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
    return NotSupported("this function in FROM", location);
  }
  if (function.ordinality) return NotSupported("WITH ORDINALITY", location);
  const PgQuery__FuncCall& call = *call_node->func_call;
  CONNBENCH_ASSIGN_OR_RETURN(
      const std::string name,
      ast::ObjectName(sql_, ast::List(call.funcname, call.n_funcname), location));
  if (name != "generate_series") {
    return NotSupported("function " + name + " in FROM", location);
  }
  if (call.n_args < 2 || call.n_args > 3) {
    return Status::Error(sqlstate::kUndefinedFunction,
                         "function generate_series with this number of arguments does not exist",
                         builder_.PositionOf(location));
  }
  const Scope empty;
  ExpressionAnalyzer analyzer(builder_, sql_, empty);
  for (size_t i = 0; i < call.n_args; ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * argument,
                               analyzer.Analyze(*call.args[i], "functions in FROM"));
    source.series_arguments.push_back(argument);
  }
  const bool open = std::all_of(
      source.series_arguments.begin(), source.series_arguments.end(),
      [](const Expression* argument) { return argument->type.oid == type_oid::kUnknown; });
  if (open) {
    return Status::Error(sqlstate::kAmbiguousFunction,
                         fmt::format("function {}({}) is not unique", name,
                                     DescribeTypes(source.series_arguments)),
                         builder_.PositionOf(location))
        .WithHint(
            "Could not choose a best candidate function. You might need to add explicit "
            "type casts.");
  }
  // int8 if any argument needs it, otherwise int4.
  bool wide = false;
  for (const Expression* argument : source.series_arguments) {
    if (argument->type.oid == type_oid::kInt8) wide = true;
  }
  const Type type{wide ? type_oid::kInt8 : type_oid::kInt4, -1};
  for (Expression*& argument : source.series_arguments) {
    const Oid given = argument->type.oid;
    if (!IsInteger(given) && given != type_oid::kUnknown) {
      return NotSupported("generate_series over " + FormatType(argument->type), location);
    }
    CONNBENCH_ASSIGN_OR_RETURN(argument, builder_.CoerceImplicitly(argument, type));
  }
  source.series = &call;
  std::string column = name;
  source.scope.table_name = source.scope.alias = name;
  if (function.alias != nullptr) {
    source.scope.alias = column = function.alias->aliasname;
    if (function.alias->n_colnames > 1) {
      return Status::Error(
          sqlstate::kInvalidColumnReference,
          fmt::format("table \"{}\" has 1 columns available but {} columns specified",
                      source.scope.alias, function.alias->n_colnames));
    }
    if (function.alias->n_colnames > 0) column = ast::StringOf(*function.alias->colnames[0]);
  }
  source.scope.columns.push_back({column, type});
  return {};
}

int Planner::TryIndex(const Source& source, size_t index, std::span<Expression* const> conjuncts,
                      std::span<const SortKey> order, bool limited, ScanChoice& choice) const {
  const IndexInfo& info = source.relation->indexes[index];
  std::vector<bool> served(conjuncts.size(), false);
  int score = 0;
  size_t key = 0;
  double fraction = 1;
  // Equal columns from the left.
  for (; key < info.key_columns.size(); ++key) {
    bool found = false;
    for (size_t i = 0; i < conjuncts.size() && !found; ++i) {
      const IndexCondition condition = MatchIndexCondition(*conjuncts[i]);
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
    if (served[i] || !choice.range.in_list.empty()) continue;
    const IndexInList list = MatchIndexInList(*conjuncts[i]);
    if (!list.matches || list.column != info.key_columns[key] || list.values.empty()) continue;
    choice.range.in_list = list.values;
    choice.range.in_key_type = list.key_type;
    choice.range.conditions.push_back(conjuncts[i]);
    served[i] = true;
    score += kInListScore;
    fraction *= kEqualFraction * static_cast<double>(list.values.size());
  }
  const bool has_list = !choice.range.in_list.empty();
  for (size_t i = 0; i < conjuncts.size() && key < info.key_columns.size() && !has_list; ++i) {
    if (served[i]) continue;
    const IndexCondition condition = MatchIndexCondition(*conjuncts[i]);
    if (!condition.matches || condition.column != info.key_columns[key] ||
        condition.comparison == Comparison::kEqual) {
      continue;
    }
    const bool is_lower = condition.comparison == Comparison::kGreater ||
                          condition.comparison == Comparison::kGreaterEqual;
    IndexRangeEnd& end = is_lower ? choice.range.lower : choice.range.upper;
    if (end.value != nullptr) continue;  // one bound a side; the other stays in the filter
    end.value = condition.value;
    end.key_type = condition.key_type;
    end.inclusive = condition.comparison == Comparison::kGreaterEqual ||
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

Planner::ScanChoice Planner::ChooseScan(const Source& source, Expression* where,
                                        std::span<const SortKey> order, bool limited) const {
  std::vector<Expression*> conjuncts;
  Flatten(where, conjuncts);
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
    const int score = TryIndex(source, i, conjuncts, order, limited, choice);
    if (score > best_score) {
      best_score = score;
      best = std::move(choice);
    }
  }
  if (best_score > 0) return best;
  best = {};
  best.residual = conjuncts;
  const RelationStatistics statistics = context_.catalog->Statistics(source.relation);
  const auto rows = static_cast<double>(statistics.rows);
  best.rows = std::max(1.0, conjuncts.empty() ? rows : rows * kHalfRangeFraction);
  best.cost = static_cast<double>(statistics.pages) + rows * kRowCost;
  return best;
}

Result<std::unique_ptr<TableScanNode>> Planner::MakeScan(const Source& source, Expression* where,
                                                         const std::vector<bool>& used,
                                                         ScanChoice choice) {
  std::vector<uint16_t> needed;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) needed.push_back(static_cast<uint16_t>(i));
  }
  Expression* filter = nullptr;
  if (choice.residual.size() == 1) {
    filter = choice.residual[0];
  } else if (!choice.residual.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(filter, builder_.And(choice.residual, -1));
  }
  std::unique_ptr<TableScanNode> scan;
  if (choice.use_index) {
    plan_->scanned_indexes.push_back(source.relation->indexes[choice.index].oid);
    scan = std::make_unique<IndexScanNode>(source.table, std::move(needed), where, filter,
                                           choice.index, std::move(choice.range), choice.direction,
                                           choice.single_row);
  } else {
    scan = std::make_unique<SequentialScanNode>(source.table, std::move(needed), where, filter);
  }
  scan->estimated_rows = choice.rows;
  scan->estimated_cost = choice.cost;
  return scan;
}

}  // namespace connbench::engine
