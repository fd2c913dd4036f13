// Queries that parallel workers help with: whether they may, whether it pays, the nodes for it.
//
// The part that workers run is a sequential scan of one table with what needs a row of it alone:
// the filter, then the select list or the aggregates' partial states. All else stays above the
// Gather, in the session. README.md in engine/parallel says how a worker gets its part.

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/executor/expression/functions.h"
#include "engine/executor/nodes/aggregate_node.h"
#include "engine/executor/nodes/gather_node.h"
#include "engine/sql/planner.h"
#include "engine/sql/settings.h"

namespace connbench::engine {
namespace {

// PostgreSQL's, in its units: a sequential page read is 1.
constexpr double kScannedRowCost = 0.01;
constexpr double kOperatorCost = 0.0025;
// How much of its time a leader is busy with the rows of each worker.
constexpr double kLeaderShareForEachWorker = 0.3;
// One more worker for a table that is three times as large.
constexpr int64_t kBlocksFactor = 3;

// Of what differs from session to session, and of what a session may do in one place only.
bool IsSafe(const Expression& expression) {
  if (expression.volatility == Volatility::kVolatile) return false;
  switch (expression.kind) {
    case ExpressionKind::kCell:      // of a query around
    case ExpressionKind::kSubquery:  // has a plan of its own, which reads tables
    case ExpressionKind::kUnnest:
      return false;
    case ExpressionKind::kFunction: {
      const std::string_view name = expression.function->name;
      if (name == "pg_backend_pid" || name == "txid_current") return false;
      break;
    }
    default:
      break;
  }
  return std::all_of(expression.args().begin(), expression.args().end(),
                     [](const Expression* argument) { return IsSafe(*argument); });
}

bool IsSafe(const Expression* expression) { return expression == nullptr || IsSafe(*expression); }

// FNV-1a over all that makes a part of a plan what it is.
class Fingerprint {
 public:
  void Add(uint64_t number) {
    for (int byte = 0; byte < 8; ++byte) Mix(static_cast<uint8_t>(number >> (8 * byte)));
  }
  void Add(std::string_view text) {
    Add(text.size());
    for (const char c : text) Mix(static_cast<uint8_t>(c));
  }
  void Add(Type type) {
    Add(uint64_t{type.oid});
    Add(static_cast<uint64_t>(static_cast<int64_t>(type.modifier)));
  }
  void Add(const Expression* expression) {
    Add(uint64_t{expression == nullptr ? 0u : 1u});
    if (expression == nullptr) return;
    Add(static_cast<uint64_t>(expression->kind));
    Add(expression->type);
    Add(static_cast<uint64_t>(expression->index));
    Add(uint64_t{expression->negated} << 8 | expression->test);
    if (expression->function != nullptr) {
      Add(expression->function->name);
      Add(uint64_t{expression->function->result_type});
    }
    if (expression->kind == ExpressionKind::kConstant) AddValue(*expression);
    Add(uint64_t{expression->argument_count});
    for (const Expression* argument : expression->args()) Add(argument);
  }
  uint64_t value() const { return hash_; }

 private:
  void AddValue(const Expression& constant) {
    const Value& value = constant.constant;
    Add(uint64_t{value.null});
    if (value.null) return;
    if (GetType(constant.type.oid).form == ValueForm::kBytes) return Add(value.text());
    Add(static_cast<uint64_t>(value.integer));  // the same bits as of a float
  }
  void Mix(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3; }

  uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace

// The whole query counts, also what stays above the Gather: as in PostgreSQL, a query that does
// something that must not be done twice, or out of order, is left alone.
bool Planner::IsParallelSafe(Query& query) {
  const auto& targets = query.targets;
  const auto& calls = query.analyzer->aggregates();
  return IsSafe(query.where) && IsSafe(query.having) &&
         std::all_of(targets.begin(), targets.end(),
                     [](const Target& target) { return IsSafe(target.expression); }) &&
         std::all_of(query.groups.begin(), query.groups.end(),
                     [](const Expression* group) { return IsSafe(group); }) &&
         std::all_of(calls.begin(), calls.end(), [](const AggregateCall& call) {
           return CanCombine(call) && IsSafe(call.filter) &&
                  std::all_of(call.arguments.begin(), call.arguments.end(),
                              [](const Expression* argument) { return IsSafe(argument); });
         });
}

// Costs as PostgreSQL reckons them: workers share the work on rows, not the reading of pages, and
// each row that comes from one has its price.
void Planner::PlanWorkers(Query& query) {
  const ParallelSettings& settings = *context_.parallel;
  if (!only_reads_ || settings.workers_per_gather == 0 || query.scan == nullptr) return;
  if (query.from.sources.size() != 1 || query.locking.wanted || query.has_window_calls() ||
      HasSets(query)) {
    return;
  }
  const Source& source = query.from.sources[0];
  // System tables may change without their locks.
  if (dynamic_cast<SequentialScanNode*>(query.scan) == nullptr ||
      source.relation->oid < kFirstUserOid || !IsParallelSafe(query)) {
    return;
  }
  const RelationStatistics statistics = context_.catalog->Statistics(source.relation);
  const int64_t pages = static_cast<int64_t>(statistics.pages);
  if (pages < settings.min_scan_blocks) return;
  int workers = 1;
  for (int64_t size = std::max<int64_t>(settings.min_scan_blocks, 1);
       size <= pages / kBlocksFactor && workers < settings.workers_per_gather;
       size *= kBlocksFactor) {
    ++workers;
  }
  const auto rows = static_cast<double>(statistics.rows);
  const size_t operators =
      (query.where != nullptr ? 1 : 0) + query.groups.size() + query.analyzer->aggregates().size();
  const double row_work = rows * (kScannedRowCost + kOperatorCost * static_cast<double>(operators));
  const double shares = workers + (settings.leader_participation
                                       ? std::max(0.0, 1 - kLeaderShareForEachWorker * workers)
                                       : 0.0);
  double sent = query.scan->estimated_rows;
  if (query.grouped) sent = query.groups.empty() ? workers : std::min(sent, rows * 0.1) * workers;
  const double saved = row_work - row_work / shares;
  if (!settings.force && saved <= settings.setup_cost + settings.tuple_cost * sent) return;
  query.workers = workers;
  static_cast<SequentialScanNode*>(query.scan)->MakeParallel();
}

PlanNodePtr Planner::Gather(PlanNodePtr node, const std::vector<Type>& types, Query& query,
                            std::span<const Expression* const> expressions) {
  const Source& source = query.from.sources[0];
  Fingerprint fingerprint;
  fingerprint.Add(uint64_t{source.relation->oid});
  fingerprint.Add(uint64_t{source.relation->columns.size()});
  for (const ColumnInfo& column : source.relation->columns)
    fingerprint.Add(uint64_t{column.type_oid});
  fingerprint.Add(query.where);
  for (const Expression* expression : expressions) fingerprint.Add(expression);
  for (const Type& type : types) fingerprint.Add(type);
  for (const AggregateCall& call : query.analyzer->aggregates()) {
    fingerprint.Add(AggregateName(call));
    fingerprint.Add(call.type);
    fingerprint.Add(call.filter);
    for (const Expression* argument : call.arguments) fingerprint.Add(argument);
  }
  auto gather = std::make_unique<GatherNode>(
      GatherNode::Part{.root = std::move(node),
                       .scan = query.scan,
                       .types = types,
                       .number = static_cast<uint32_t>(plan_->gathers.size()),
                       .fingerprint = fingerprint.value()},
      query.workers);
  plan_->gathers.push_back(gather.get());
  plan_->parallel = true;
  return gather;
}

// Finalize Aggregate over the states that Partial Aggregates have made, here and in the workers.
Result<PlanNodePtr> Planner::PlanParallelGrouping(PlanNodePtr input, Query& query,
                                                  std::vector<const Expression*> groups,
                                                  std::vector<AggregateCall> calls) {
  std::vector<Type> types;
  std::vector<const Expression*> columns;
  for (const Expression* group : groups) {
    CONNBENCH_ASSIGN_OR_RETURN(const Expression* column,
                               builder_.Column(static_cast<int>(types.size()), group->type, -1));
    columns.push_back(column);
    types.push_back(group->type);
  }
  types.insert(types.end(), calls.size(), Type{type_oid::kBytea, -1});
  PlanNodePtr node = std::make_unique<AggregateNode>(std::move(input), groups, calls, nullptr,
                                                     AggregateStage::kPartial);
  node = Gather(std::move(node), types, query, groups);
  return PlanNodePtr(std::make_unique<AggregateNode>(
      std::move(node), std::move(columns), std::move(calls), query.having, AggregateStage::kFinal));
}

}  // namespace connbench::engine
