// From the join tree to nodes: in which order, and each join by index, by hash or pair by pair.
//
// Inner joins are planned as one group, whatever their order in the text: first the relation with
// the fewest rows, then, again and again, the one that the conditions lead to best. Outer joins
// stay where they are written. A condition goes down to the lowest place at which it means the
// same.

#include <algorithm>
#include <functional>
#include <limits>

#include "engine/executor/expression/functions.h"
#include "engine/executor/nodes/result_nodes.h"
#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

// A plan is kept while its tables grow, and may have been made when they were empty: a table is
// taken to have at least so many rows where an index competes with a hash table.
constexpr double kLeastTableRows = 1000;
// What part of the pairs a condition lets through that is no equality; PostgreSQL's guess.
constexpr double kPairFraction = 1.0 / 3;
// In PostgreSQL's units: a sequential page read is 1.
constexpr double kIndexLookupCost = 1;
constexpr double kHashRowCost = 0.1;
constexpr double kPairCost = 0.01;

}  // namespace

Planner::RelationSet Planner::RelationsOf(const FromClause& from, const Expression& expression) {
  RelationSet relations = 0;
  ForEachColumn(expression, [&](const Expression& column) {
    const Source& owner = from.Owner(column.index);
    relations |= RelationSet{1} << (&owner - from.sources.data());
  });
  return relations;
}

Planner::RelationSet Planner::PlaceOf(const FromClause& from, const Expression& condition,
                                      RelationSet here) {
  const RelationSet relations = RelationsOf(from, condition);
  const bool anew = relations == 0 && condition.volatility == Volatility::kVolatile;
  return anew ? here : relations;
}

std::vector<SlotRange> Planner::SlotsOf(const FromClause& from, RelationSet relations) {
  std::vector<SlotRange> slots;
  for (size_t i = 0; i < from.sources.size(); ++i) {
    if ((relations >> i & 1) != 0) slots.push_back(from.sources[i].slots);
  }
  return slots;
}

SlotCodec Planner::CodecOf(const Query& query, RelationSet relations) {
  std::vector<uint16_t> slots;
  std::vector<Oid> types;
  for (size_t i = 0; i < query.from.sources.size(); ++i) {
    if ((relations >> i & 1) == 0) continue;
    for (const ScopeColumn& column : query.from.NamesOf(query.from.sources[i]).columns) {
      if (!query.used[static_cast<size_t>(column.slot)]) continue;
      slots.push_back(static_cast<uint16_t>(column.slot));
      types.push_back(column.type.oid);
    }
    const Source& source = query.from.sources[i];
    if (source.table != nullptr && query.used[source.slots.end - 1]) {  // the tid
      slots.push_back(static_cast<uint16_t>(source.slots.end - 1));
      types.push_back(type_oid::kInt8);
    }
  }
  return {std::move(slots), types};
}

Result<Expression*> Planner::AllOf(std::span<Expression* const> conditions) {
  if (conditions.empty()) return static_cast<Expression*>(nullptr);
  if (conditions.size() == 1) return conditions[0];
  return builder_.And(conditions, -1);
}

double Planner::GuessRows(const Query& query, const JoinTree& tree,
                          std::span<Expression* const> conditions) const {
  constexpr double kOtherRows = 1000;
  constexpr double kRowsOfStep = 10;
  if (tree.kind != JoinKind::kRelation) {
    double rows = 1;
    for (const auto& input : tree.inputs) rows = std::max(rows, GuessRows(query, *input, {}));
    return rows;
  }
  const Source& source = query.from.sources[tree.source];
  if (source.subquery != nullptr) return std::max(1.0, source.subquery->estimated_rows);
  if (source.common_table != nullptr) {
    return std::max(1.0, source.common_table->child().estimated_rows);
  }
  if (source.work_table != nullptr) return kRowsOfStep;
  if (source.relation == nullptr) return kOtherRows;
  return ChooseScan(source, conditions, {}, false).rows;
}

bool Planner::IndexServesJoin(const Query& query, const JoinTree& inner, double outer_rows,
                              std::span<Expression* const> conditions, ScanChoice& choice) const {
  if (inner.kind != JoinKind::kRelation) return false;
  const Source& source = query.from.sources[inner.source];
  if (source.relation == nullptr) return false;
  choice = ChooseScan(source, conditions, {}, false);
  if (!choice.use_index) return false;
  // One that only the table's own conditions lead to reads the same rows each time.
  const auto first = static_cast<int>(source.slots.first);
  const auto end = static_cast<int>(source.slots.end);
  const bool by_outer_row = std::any_of(
      choice.range.conditions.begin(), choice.range.conditions.end(), [&](const Expression* each) {
        const IndexCondition match = MatchIndexCondition(*each, first, end);
        return match.matches && match.value->has_columns;
      });
  if (!by_outer_row) return false;
  const RelationStatistics statistics = context_.catalog->Statistics(source.relation);
  const double rows = std::max(kLeastTableRows, static_cast<double>(statistics.rows));
  const double by_index = outer_rows * (kIndexLookupCost + choice.rows * kHashRowCost);
  const double by_hash = static_cast<double>(statistics.pages) + (rows + outer_rows) * kHashRowCost;
  return by_index <= by_hash;
}

Planner::HashKeys Planner::FindHashKeys(const FromClause& from, RelationSet outer,
                                        RelationSet inner,
                                        std::span<Expression* const> conditions) {
  HashKeys found;
  for (Expression* condition : conditions) {
    const bool equality = condition->kind == ExpressionKind::kFunction &&
                          condition->argument_count == 2 &&
                          condition->function->meaning == OperatorMeaning::kEqual &&
                          condition->function->volatility == Volatility::kImmutable &&
                          condition->volatility != Volatility::kVolatile;
    bool is_key = false;
    for (uint32_t side = 0; side < 2 && equality && !is_key; ++side) {
      const Expression* of_outer = condition->arguments[side];
      const Expression* of_inner = condition->arguments[1 - side];
      const RelationSet outer_set = RelationsOf(from, *of_outer);
      const RelationSet inner_set = RelationsOf(from, *of_inner);
      is_key = outer_set != 0 && inner_set != 0 && (outer_set & ~outer) == 0 &&
               (inner_set & ~inner) == 0;
      if (is_key) found.keys.push_back({of_outer, of_inner});
    }
    if (is_key) {
      found.equalities.push_back(condition);
    } else {
      found.others.push_back(condition);
    }
  }
  return found;
}

Result<PlanNodePtr> Planner::MakeHashJoin(Query& query, JoinSide outer, JoinSide inner,
                                          JoinDescription join, HashKeys keys) {
  CONNBENCH_ASSIGN_OR_RETURN(const Expression* other, AllOf(keys.others));
  join.outer_slots = SlotsOf(query.from, outer.relations);
  join.inner_slots = SlotsOf(query.from, inner.relations);
  const double rows = std::max(outer.node->estimated_rows, inner.node->estimated_rows);
  const double cost = outer.node->estimated_cost + inner.node->estimated_cost +
                      (outer.node->estimated_rows + inner.node->estimated_rows) * kHashRowCost;
  PlanNodePtr node = std::make_unique<HashJoinNode>(
      std::move(outer.node), std::move(inner.node), std::move(join), std::move(keys.keys),
      std::move(keys.equalities), other, CodecOf(query, outer.relations),
      CodecOf(query, inner.relations));
  node->estimated_rows = rows;
  node->estimated_cost = cost;
  return node;
}

Result<PlanNodePtr> Planner::MakeIndexJoin(Query& query, JoinSide outer, const Source& source,
                                           JoinDescription join, ScanChoice choice) {
  const double outer_rows = outer.node->estimated_rows;
  const double rows = std::max(outer_rows * choice.rows, join.keep_outer ? outer_rows : 1.0);
  const double cost = outer.node->estimated_cost + outer_rows * choice.cost;
  CONNBENCH_ASSIGN_OR_RETURN(auto scan,
                             MakeScan(query.from, source, nullptr, query.used, std::move(choice)));
  join.condition = nullptr;  // the scan tests it
  join.inner_slots = {source.slots};
  PlanNodePtr node =
      std::make_unique<NestedLoopNode>(std::move(outer.node), std::move(scan), std::move(join));
  node->estimated_rows = rows;
  node->estimated_cost = cost;
  return node;
}

PlanNodePtr Planner::MakePairwiseJoin(const Query& query, JoinSide outer, JoinSide inner,
                                      JoinDescription join, bool store_inner) {
  const double pairs = outer.node->estimated_rows * inner.node->estimated_rows;
  const double rows = join.condition == nullptr ? pairs : pairs * kPairFraction;
  const double cost = outer.node->estimated_cost + inner.node->estimated_cost + pairs * kPairCost;
  join.inner_slots = SlotsOf(query.from, inner.relations);
  if (store_inner) {
    inner.node = std::make_unique<MaterializeNode>(std::move(inner.node), query.from.frame,
                                                   CodecOf(query, inner.relations));
  }
  PlanNodePtr node = std::make_unique<NestedLoopNode>(std::move(outer.node), std::move(inner.node),
                                                      std::move(join));
  node->estimated_rows = std::max(1.0, rows);
  node->estimated_cost = cost;
  return node;
}

Result<Planner::JoinSide> Planner::Join(Query& query, JoinSide outer, const JoinTree& inner,
                                        JoinKind kind, std::vector<Expression*> own,
                                        const std::vector<Expression*>& conditions,
                                        const std::vector<Expression*>& filter) {
  const bool full = kind == JoinKind::kFull;
  JoinDescription join;
  join.frame = query.from.frame;
  join.keep_outer = kind != JoinKind::kInner;
  join.keep_inner = full;
  CONNBENCH_ASSIGN_OR_RETURN(join.condition, AllOf(conditions));
  CONNBENCH_ASSIGN_OR_RETURN(join.filter, AllOf(filter));
  JoinSide result;
  result.relations = outer.relations | inner.relations;

  // An inner side that reads the outer row is read again for each, and never stored.
  const bool lateral = (inner.depends & outer.relations) != 0;

  std::vector<Expression*> all = own;
  all.insert(all.end(), conditions.begin(), conditions.end());
  ScanChoice choice;
  if (!full && IndexServesJoin(query, inner, outer.node->estimated_rows, all, choice)) {
    CONNBENCH_ASSIGN_OR_RETURN(
        result.node, MakeIndexJoin(query, std::move(outer), query.from.sources[inner.source],
                                   std::move(join), std::move(choice)));
    return result;
  }

  CONNBENCH_ASSIGN_OR_RETURN(JoinSide side, PlanJoinTree(query, inner, std::move(own)));
  // The hash table is made of the smaller side.
  const bool exchange = !full && !lateral && outer.node->estimated_rows < side.node->estimated_rows;
  HashKeys keys = exchange ? FindHashKeys(query.from, side.relations, outer.relations, conditions)
                           : FindHashKeys(query.from, outer.relations, side.relations, conditions);
  const bool others_vary =
      std::any_of(keys.others.begin(), keys.others.end(), [](const Expression* other) {
        return other->has_columns || other->volatility == Volatility::kVolatile;
      });
  if (full && keys.keys.empty() && others_vary) {
    return Status::Error(
        sqlstate::kFeatureNotSupported,
        "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions");
  }
  if (lateral || (!full && keys.keys.empty())) {
    result.node =
        MakePairwiseJoin(query, std::move(outer), std::move(side), std::move(join), !lateral);
    return result;
  }
  if (exchange) {
    std::swap(outer, side);
    std::swap(join.keep_outer, join.keep_inner);
  }
  CONNBENCH_ASSIGN_OR_RETURN(result.node, MakeHashJoin(query, std::move(outer), std::move(side),
                                                       std::move(join), std::move(keys)));
  return result;
}

Result<Planner::JoinSide> Planner::PlanInnerJoins(Query& query, const JoinTree& tree,
                                                  const std::vector<Expression*>& conditions) {
  struct Part {
    const JoinTree* tree;
    std::vector<Expression*> own;
    bool joined = false;
    double rows = 0;
  };
  std::vector<Part> parts;
  std::vector<std::pair<Expression*, RelationSet>> pending;
  const auto add = [&](const std::vector<Expression*>& some, RelationSet here) {
    for (Expression* condition : some) {
      pending.emplace_back(condition, PlaceOf(query.from, *condition, here));
    }
  };
  const std::function<void(const JoinTree&)> flatten = [&](const JoinTree& inner) {
    add(inner.conditions, inner.relations);
    for (const auto& input : inner.inputs) {
      if (input->kind == JoinKind::kInner) {
        flatten(*input);
      } else {
        parts.push_back({input.get(), {}});
      }
    }
  };
  add(conditions, tree.relations);
  flatten(tree);
  std::erase_if(pending, [&](const auto& each) {
    const auto only = std::find_if(parts.begin(), parts.end(), [&](const Part& part) {
      return (each.second & ~part.tree->relations) == 0;
    });
    if (only != parts.end()) only->own.push_back(each.first);
    return only != parts.end();
  });

  // There may be very many conditions, and looking at one costs some ten nanoseconds.
  constexpr int64_t kStepsPerCondition = 10;
  WorkMeter meter = plan_->arena.Meter();
  // What a part reads of the others must be there before it.
  const auto ready = [&](const Part& part, RelationSet there) {
    return (part.tree->depends & tree.relations & ~there) == 0;
  };
  size_t next = parts.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(std::ssize(parts[i].own) * kStepsPerCondition));
    parts[i].rows = GuessRows(query, *parts[i].tree, parts[i].own);
    if (!ready(parts[i], 0)) continue;
    if (next == parts.size() || parts[i].rows < parts[next].rows) next = i;
  }
  parts[next].joined = true;
  CONNBENCH_ASSIGN_OR_RETURN(JoinSide side,
                             PlanJoinTree(query, *parts[next].tree, std::move(parts[next].own)));

  for (size_t joined = 1; joined < parts.size(); ++joined) {
    const auto applicable = [&](const Part& part) {
      std::vector<Expression*> found;
      for (const auto& [condition, relations] : pending) {
        if ((relations & ~(side.relations | part.tree->relations)) == 0) found.push_back(condition);
      }
      return found;
    };
    JoinRank best_rank = JoinRank::kPairs;
    next = parts.size();
    for (size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].joined || !ready(parts[i], side.relations)) continue;
      const std::vector<Expression*> found = applicable(parts[i]);
      const int64_t looked_at = std::ssize(pending) + std::ssize(parts[i].own) + std::ssize(found);
      CONNBENCH_RETURN_IF_ERROR(meter.Spend(looked_at * kStepsPerCondition));
      const JoinRank rank = RankJoin(query, side, *parts[i].tree, parts[i].own, found);
      const bool better = next == parts.size() || rank < best_rank ||
                          (rank == best_rank && parts[i].rows < parts[next].rows);
      if (!better) continue;
      next = i;
      best_rank = rank;
    }
    const std::vector<Expression*> found = applicable(parts[next]);
    const RelationSet both = side.relations | parts[next].tree->relations;
    std::erase_if(pending, [&](const auto& each) { return (each.second & ~both) == 0; });
    parts[next].joined = true;
    CONNBENCH_ASSIGN_OR_RETURN(side, Join(query, std::move(side), *parts[next].tree,
                                          JoinKind::kInner, std::move(parts[next].own), found, {}));
  }
  return side;
}

Planner::JoinRank Planner::RankJoin(const Query& query, const JoinSide& outer,
                                    const JoinTree& inner, std::vector<Expression*> own,
                                    const std::vector<Expression*>& conditions) const {
  if (conditions.empty()) return JoinRank::kPairs;
  own.insert(own.end(), conditions.begin(), conditions.end());
  ScanChoice choice;
  if (IndexServesJoin(query, inner, outer.node->estimated_rows, own, choice)) {
    return choice.single_row ? JoinRank::kUniqueIndex : JoinRank::kIndex;
  }
  const HashKeys keys = FindHashKeys(query.from, outer.relations, inner.relations, conditions);
  return keys.keys.empty() ? JoinRank::kCondition : JoinRank::kHash;
}

// A condition on the result may go down to the side whose rows all come out, and one on the pairs
// to the other side. Of a full join, nothing may go anywhere.
Result<Planner::JoinSide> Planner::PlanOuterJoin(Query& query, const JoinTree& tree,
                                                 std::vector<Expression*> conditions) {
  const JoinTree& outer = *tree.inputs[0];
  const JoinTree& inner = *tree.inputs[1];
  const bool full = tree.kind == JoinKind::kFull;
  std::vector<Expression*> of_outer;
  std::vector<Expression*> filter;
  for (Expression* condition : conditions) {
    const RelationSet relations = PlaceOf(query.from, *condition, tree.relations);
    const bool goes_down = !full && (relations & ~outer.relations) == 0;
    (goes_down ? of_outer : filter).push_back(condition);
  }
  std::vector<Expression*> of_inner;
  std::vector<Expression*> of_pairs;
  for (Expression* condition : tree.conditions) {
    const RelationSet relations = RelationsOf(query.from, *condition);
    const bool goes_down = !full && relations != 0 && (relations & ~inner.relations) == 0;
    (goes_down ? of_inner : of_pairs).push_back(condition);
  }
  CONNBENCH_ASSIGN_OR_RETURN(JoinSide side, PlanJoinTree(query, outer, std::move(of_outer)));
  return Join(query, std::move(side), inner, tree.kind, std::move(of_inner), of_pairs, filter);
}

Result<Planner::JoinSide> Planner::PlanJoinTree(Query& query, const JoinTree& tree,
                                                std::vector<Expression*> conditions) {
  switch (tree.kind) {
    case JoinKind::kInner:
      return PlanInnerJoins(query, tree, conditions);
    case JoinKind::kLeft:
    case JoinKind::kFull:
      return PlanOuterJoin(query, tree, std::move(conditions));
    case JoinKind::kRelation:
      break;
  }
  JoinSide side;
  side.relations = tree.relations;
  CONNBENCH_ASSIGN_OR_RETURN(Expression * filter, AllOf(conditions));
  CONNBENCH_ASSIGN_OR_RETURN(side.node,
                             PlanRelation(query, query.from.sources[tree.source], filter));
  return side;
}

Result<PlanNodePtr> Planner::PlanJoins(Query& query) {
  std::vector<Expression*> conditions;
  Flatten(query.where, conditions);
  CONNBENCH_ASSIGN_OR_RETURN(JoinSide all,
                             PlanJoinTree(query, *query.from.tree, std::move(conditions)));
  return std::move(all.node);
}

}  // namespace connbench::engine
