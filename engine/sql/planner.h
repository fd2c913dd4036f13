// The planner's parts: one Planner per statement, one .cc file per kind of statement.
// Private to engine/sql.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor/expression/aggregates.h"
#include "engine/executor/expression/builder.h"
#include "engine/executor/nodes/hash_join.h"
#include "engine/executor/nodes/modify_nodes.h"
#include "engine/executor/nodes/recursive_union.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/executor/nodes/table_scan.h"
#include "engine/executor/nodes/upsert_node.h"
#include "engine/executor/nodes/window_node.h"
#include "engine/sql/ast.h"
#include "engine/sql/correlation.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/plan.h"
#include "engine/sql/stored_view.h"
#include "engine/sql/system_views.h"

namespace connbench::engine {

class Planner final : public SubqueryPlanner {
 public:
  Planner(const PlanningContext& context, std::string_view sql, ParameterTypes& parameters)
      : context_(context),
        sql_(sql),
        plan_(NewPlan(context.interrupts)),
        builder_(plan_->arena, parameters, sql) {}

  // recorded: what the query reads is noted there; null: nobody asks.
  Result<std::unique_ptr<Plan>> Run(const ast::Node& statement, RecordedReads* recorded = nullptr);

 private:
  // The builder looks for interrupts where its arena does.
  static std::unique_ptr<Plan> NewPlan(Interrupts* interrupts) {
    auto plan = std::make_unique<Plan>();
    plan->arena.set_interrupts(interrupts);
    return plan;
  }
  // The table's column that a result column is; none: 0.
  struct ColumnOrigin {
    Oid table = 0;
    int16_t column = 0;
  };
  // One column of a select list or of RETURNING.
  struct Target {
    Expression* expression = nullptr;
    std::string name;
  };
  struct OrderItem {
    size_t target;  // in the targets, those only for sorting included
    bool descending;
    bool nulls_first;
  };
  // A query of WITH.
  struct NamedQuery {
    std::string name;
    std::vector<ScopeColumn> columns;
    std::vector<ColumnOrigin> origins;
    std::shared_ptr<CommonTable> table;     // null: while its recursive term is analysed
    std::shared_ptr<WorkTable> work_table;  // which that term reads instead
    Correlation* owner = nullptr;           // of the query that it belongs to
    int depth = 0;                          // QueryTree::depth
  };
  // Which sources, one bit each.
  using RelationSet = uint64_t;
  // A relation of the range table: a table, a view, a function, a subquery or a query of WITH.
  struct Source {
    size_t item = 0;               // of the scope: its names
    SlotRange slots;               // of its columns, and of a table's tid after them
    RelationRef relation;          // of a table
    std::shared_ptr<Table> table;  // of a table
    const PgQuery__FuncCall* function = nullptr;
    bool is_series = false;  // generate_series; else the one argument is an array of the rows
    std::vector<Expression*> function_arguments;
    const SystemView* view = nullptr;
    PlanNodePtr subquery;                       // null once its scan has been made
    std::shared_ptr<CommonTable> common_table;  // of WITH
    std::shared_ptr<WorkTable> work_table;      // of the WITH query that this is a term of
    std::vector<ColumnOrigin> origins;          // of the columns of both
    LateralInput lateral;                       // of a subquery: what it reads of the others
    RelationSet depends = 0;                    // which others a subquery or a function reads
  };
  static constexpr size_t kMaxRelations = 64;
  enum class JoinKind : uint8_t { kRelation, kInner, kLeft, kFull };
  // FROM as it is written; a right join is a left one with its sides exchanged.
  struct JoinTree {
    JoinKind kind = JoinKind::kRelation;
    size_t source = 0;                              // kRelation
    std::vector<std::unique_ptr<JoinTree>> inputs;  // kInner: any number; kLeft, kFull: two
    std::vector<Expression*> conditions;            // all must hold
    RelationSet relations = 0;                      // all below
    RelationSet depends = 0;                        // others that those below read
  };
  struct FromClause {
    FromClause() = default;
    FromClause(const FromClause&) = delete;  // analyzers refer to the scope
    FromClause& operator=(const FromClause&) = delete;

    Scope scope;
    std::vector<Source> sources;     // the range table
    std::unique_ptr<JoinTree> tree;  // null: no FROM
    size_t slots = 0;                // of the sources
    std::shared_ptr<RowFrame> frame;

    const ScopeItem& NamesOf(const Source& source) const { return scope.items[source.item]; }
    // The source whose slot it is; there must be one.
    const Source& Owner(int slot) const;
  };
  // What a FROM item is, and the scope's item that has its columns.
  struct FromItem {
    std::unique_ptr<JoinTree> tree;
    size_t item = 0;
  };
  // A planned part of a join tree.
  struct JoinSide {
    PlanNodePtr node;
    RelationSet relations = 0;
  };
  // What FOR UPDATE and its relatives ask for.
  struct RowLocking {
    bool wanted = false;
    RowLockMode first = RowLockMode::kKeyShare;  // of the first clause: named in errors
    RowLockMode mode = RowLockMode::kKeyShare;
    LockedRowPolicy policy = LockedRowPolicy::kWait;
  };
  // How a relation could be joined next, the best first.
  enum class JoinRank : uint8_t { kUniqueIndex, kIndex, kHash, kCondition, kPairs };
  // Which of a join's conditions can be looked up in a hash table.
  struct HashKeys {
    std::vector<HashJoinNode::Key> keys;
    std::vector<const Expression*> equalities;  // the conditions that the keys come from
    std::vector<Expression*> others;
  };
  // A scan chosen for a WHERE clause.
  struct ScanChoice {
    bool use_index = false;
    size_t index = 0;
    IndexRange range;
    std::vector<Expression*> residual;
    ScanDirection direction = ScanDirection::kForward;
    bool single_row = false;
    bool ordered = false;  // gives the order asked for
    double rows = 0;
    double cost = 0;
  };

  // A window of WINDOW or OVER. Its expressions are over the rows of FROM, then over groups.
  struct WindowKey {
    Expression* expression = nullptr;
    bool descending = false;
    bool nulls_first = false;
  };
  struct Window {
    std::string_view name;  // empty: it has none
    std::vector<WindowKey> partition;
    std::vector<WindowKey> order;
    WindowFrame frame;
    bool has_frame_clause = false;
  };

  // What becomes of a literal or a parameter without a type in a select list; null: text.
  using UnknownTarget = std::function<Result<Expression*>(size_t target, Expression* expression)>;

  // A SELECT once its names and types are known, and what planning finds out on its way.
  struct Query {
    Query() = default;
    Query(const Query&) = delete;  // the analyzer refers to the scope
    Query& operator=(const Query&) = delete;

    RowLocking locking;
    FromClause from;
    UnknownTarget unknown_target;
    std::optional<ExpressionAnalyzer> analyzer;  // which has the aggregates
    std::vector<Target> targets;
    size_t visible = 0;  // of the targets; those behind them are only for sorting
    Expression* where = nullptr;
    Expression* having = nullptr;
    std::vector<OrderItem> order;
    std::vector<Expression*> groups;
    std::vector<Window> windows;
    std::vector<bool> used;  // slots that anything refers to
    bool grouped = false;
    bool distinct = false;
    std::vector<size_t> distinct_on;  // targets; empty: all visible ones
    bool limited = false;
    TableScanNode* scan = nullptr;  // of a table
    bool ordered = false;           // rows come in the order that is asked for
    bool scan_ordered = false;      // rows of FROM come in the order of ColumnOrder()
    int workers = 0;                // parallel ones, that share the scan; see planner_parallel.cc

    bool has_window_calls() const { return analyzer && analyzer->has_window_calls(); }
  };

  struct SetOperation;
  // A SELECT, VALUES or set operation once its names and types are known.
  struct QueryTree {
    std::unique_ptr<Query> plain;             // SELECT
    PlanNodePtr values;                       // VALUES
    std::unique_ptr<SetOperation> operation;  // UNION, INTERSECT, EXCEPT
    std::vector<Target> columns;              // of the result
    std::vector<ColumnOrigin> origins;        // of these
    Expression* limit = nullptr;
    Expression* offset = nullptr;
    // Of an arm of a set operation whose types are not the result's: over its rows. Empty: none.
    std::vector<Expression*> conversions;
    int depth = 0;  // of the stack, in levels of expressions
  };
  enum class SetOperator : uint8_t { kUnion, kIntersect, kExcept };
  struct SetOperation {
    SetOperator kind = SetOperator::kUnion;
    bool all = false;
    std::vector<QueryTree> arms;  // two; of a union, any number
    std::vector<Type> types;      // of the rows, before the conversions of an arm
    std::vector<OrderItem> order;
    // Of WITH RECURSIVE: what the second arm reads. Null: an ordinary union.
    std::shared_ptr<WorkTable> work_table;
    LateralInput around;  // what it reads of queries around
  };
  // While it lives, a query is one level further in, and may add queries of WITH.
  class Level {
   public:
    explicit Level(Planner& planner)
        : planner_(planner), named_queries_(planner.named_queries_.size()) {
      ++planner.level_;
    }
    ~Level() {
      --planner_.level_;
      planner_.named_queries_.resize(named_queries_);
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Planner& planner_;
    const size_t named_queries_;
  };

  // planner_query.cc
  // describe: the query's columns are those of the plan's result.
  Result<PlanNodePtr> PlanQuery(const PgQuery__SelectStmt& select, bool describe,
                                std::vector<Target>& targets,
                                const UnknownTarget& unknown_target = nullptr);
  Status AnalyzeTree(const PgQuery__SelectStmt& select, const UnknownTarget& unknown_target,
                     QueryTree& tree);
  Result<PlanNodePtr> PlanTree(QueryTree& tree);
  Result<PlanNodePtr> PlanPlain(Query& query);
  static std::vector<Type> TypesOf(const std::vector<Target>& targets);
  static ColumnOrigin OriginOf(const FromClause& from, const Expression& expression);
  Status AnalyzeQuery(const PgQuery__SelectStmt& select, Query& query);
  Status AddDependentGroups(Query& query);
  static Status CheckRowsCanBeLocked(const Query& query);
  static std::vector<bool> UsedSlots(Query& query);
  static std::vector<SortKey> ColumnOrder(Query& query);
  Result<PlanNodePtr> PlanSource(Query& query);
  Result<PlanNodePtr> PlanLocking(PlanNodePtr node, Query& query);
  Result<PlanNodePtr> PlanTargets(PlanNodePtr node, Query& query);
  // Whether a row of the query becomes several.
  static bool HasSets(const Query& query);
  static bool MakesSetsLast(const Query& query);
  // Replaces the targets by columns of node's rows, which have been made of them.
  Status ReferToTargets(Query& query);
  static std::vector<Type> TypesOf(const std::vector<const Expression*>& expressions);
  // offset: of the targets in the row that is sorted.
  static std::vector<SortKey> SortKeys(const std::vector<OrderItem>& order,
                                       const std::vector<Target>& targets, size_t offset);

  // planner_select.cc
  Status PlanSelect(const PgQuery__SelectStmt& select);
  Status AnalyzeValues(const PgQuery__SelectStmt& select, QueryTree& tree);
  Status CheckSelect(const PgQuery__SelectStmt& select);
  Status AnalyzeLimit(const PgQuery__SelectStmt& select, QueryTree& tree);

  // planner_set_operation.cc
  static bool IsSetOperation(const PgQuery__SelectStmt& select);
  Status AnalyzeSetOperation(const PgQuery__SelectStmt& select, QueryTree& tree);
  Status AnalyzeArm(const PgQuery__SelectStmt& select, QueryTree& tree);
  // left becomes the operation on left and right that select says.
  // apart: although left is a union, too.
  Status Combine(const PgQuery__SelectStmt& select, QueryTree& left, QueryTree right, bool apart);
  Status Convert(QueryTree& arm, size_t column, Oid common, std::string_view construct);
  Status AnalyzeResultOrder(const PgQuery__SelectStmt& select, QueryTree& tree);
  Result<PlanNodePtr> PlanSetOperation(QueryTree& tree);
  Result<PlanNodePtr> PlanArm(QueryTree& arm, const Expression* flag);

  // planner_recursive.cc
  Status AnalyzeRecursion(const PgQuery__SelectStmt& select,
                          const PgQuery__CommonTableExpr& expression, QueryTree& tree);
  // 42P19 for a query that aggregates what a recursion's step reads.
  Status CheckNoAggregateInStep(const Query& query) const;
  Result<PlanNodePtr> PlanRecursion(SetOperation& operation);

  // planner_subquery.cc
  Result<Expression*> PlanSubLink(const PgQuery__SubLink& link, const Scope& scope,
                                  const Operands& operands) override;
  Result<Expression*> PlanAssignedColumn(const PgQuery__MultiAssignRef& assignment,
                                         const Scope& scope);
  Status AnalyzeSubLink(const PgQuery__SubLink& link, Correlation& correlation, QueryTree& tree);
  Status AnalyzeComparison(const PgQuery__SubLink& link, std::span<Expression* const> operands,
                           const QueryTree& tree, SubPlanDescription& plan,
                           std::vector<Expression*>& arguments);
  // Leaves out what EXISTS does not ask for.
  Status KeepExistence(QueryTree& tree);
  Result<Expression*> MakeSubquery(SubPlanDescription plan, QueryTree& tree,
                                   Correlation& correlation, std::vector<Expression*> arguments,
                                   Type type, int column, int location);
  void AddSubqueryRoot();

  // planner_with.cc
  Status AnalyzeWith(const PgQuery__WithClause* with);
  Status AnalyzeNamedQuery(const PgQuery__CommonTableExpr& expression, bool reads_itself);
  // Gives the columns the names that the WITH query's list has; 42P10 if that is too long.
  Status NameColumns(const PgQuery__CommonTableExpr& expression, const std::vector<Target>& columns,
                     NamedQuery& query) const;
  const NamedQuery* FindNamedQuery(const PgQuery__RangeVar& name) const;
  Status AddNamedQuery(const PgQuery__RangeVar& name, const NamedQuery& query, FromClause& from);
  // A column of one of the relations read, in one of the readers; null: none.
  static const Expression* FindLateralRead(const FromClause& from, RelationSet readers,
                                           RelationSet read);
  // 42P10 if the right side of such a join reads the left one.
  Status CheckLateralJoin(const PgQuery__JoinExpr& join, const JoinTree& left,
                          const JoinTree& right, const FromClause& from) const;
  Status AddSubquery(const PgQuery__RangeSubselect& range, FromClause& from);

  // planner_targets.cc
  Status AnalyzeTargets(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                        const Scope& scope, bool resolve_unknown, std::vector<Target>& targets);
  Status ExpandStar(const PgQuery__ColumnRef& reference, const Scope& scope,
                    std::vector<Target>& targets);
  Result<size_t> FindOrAddTarget(const ast::Node& node, std::string_view clause,
                                 ExpressionAnalyzer& analyzer, const Scope& scope, size_t visible,
                                 bool prefer_column, bool may_add, std::vector<Target>& targets);
  Status AnalyzeOrderBy(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                        const Scope& scope, size_t visible, std::vector<Target>& targets,
                        std::vector<OrderItem>& order);
  Status AnalyzeGroupBy(const PgQuery__SelectStmt& select, ExpressionAnalyzer& analyzer,
                        const Scope& scope, size_t visible, std::vector<Target>& targets,
                        std::vector<Expression*>& groups);
  Status AnalyzeDistinctOn(const PgQuery__SelectStmt& select, Query& query);
  // 54011 past PostgreSQL's 1664.
  static Status CheckTargetCount(size_t count);

  // planner_window.cc, planner_window_plan.cc
  Status AnalyzeWindows(Query& query);
  Status AnalyzeWindow(const PgQuery__WindowDef& definition, Query& query, Window& window);
  Result<std::vector<WindowKey>> AnalyzeWindowOrder(const PgQuery__WindowDef& definition,
                                                    ExpressionAnalyzer& analyzer);
  Result<std::vector<WindowKey>> AnalyzePartition(const PgQuery__WindowDef& definition,
                                                  std::span<const WindowKey> order,
                                                  ExpressionAnalyzer& analyzer);
  // Takes over what the window that is referred to says.
  Status CopyWindow(const PgQuery__WindowDef& definition, const Window& referred, Window& window);
  Status AnalyzeFrame(const PgQuery__WindowDef& definition, ExpressionAnalyzer& analyzer,
                      Window& window);
  Result<Expression*> AnalyzeFrameOffset(const ast::Node& node, ExpressionAnalyzer& analyzer,
                                         const Window& window);
  Result<Expression*> CoerceRangeOffset(Expression* offset, Oid ordered, int location);
  using ExpressionVisitor = std::function<Status(Expression*& expression)>;
  // The expressions of windows and window functions that may read the rows that they are about.
  static Status VisitWindowExpressions(Query& query, const ExpressionVisitor& visit);
  static void CollectWindowColumns(Query& query, std::vector<bool>& used);
  // Windows that have calls, in the order in which they are computed.
  static std::vector<size_t> ActiveWindows(Query& query);
  // Null: there is none.
  static const WindowKey* FindKey(std::span<const WindowKey> keys, const Expression& expression);
  static bool BeginsWith(std::span<const WindowKey> keys, std::span<const WindowKey> first);
  // The keys as columns of rows that have the inputs.
  static std::vector<SortKey> KeysIn(const std::vector<Expression*>& inputs,
                                     std::span<const WindowKey> keys);
  // Whether it needs no row, and so need not be computed before windows are.
  static bool IsOfEveryRow(const Expression& expression) {
    return !expression.has_columns && expression.volatility != Volatility::kVolatile;
  }
  // What a window's rows must be sorted by.
  static std::vector<WindowKey> WindowSortKeys(const Window& window);
  // The same of the one that is computed first; empty: none must be.
  static std::vector<WindowKey> FirstWindowOrder(Query& query);
  Result<PlanNodePtr> PlanWindows(PlanNodePtr node, Query& query);
  // What the rows of the windows have: the sort keys, and the columns that anything reads.
  static std::vector<Expression*> WindowInputs(Query& query);
  // places: of the window calls' results, behind the inputs.
  Result<Expression*> ReferToWindowRow(Expression* expression,
                                       const std::vector<Expression*>& inputs,
                                       const std::vector<int>& places);

  // planner_parallel.cc
  // Decides whether workers share the query's one scan.
  void PlanWorkers(Query& query);
  static bool IsParallelSafe(Query& query);
  // Rows of node in this and in the workers' sessions. expressions: all that is below beside the
  // scan of the query.
  PlanNodePtr Gather(PlanNodePtr node, const std::vector<Type>& types, Query& query,
                     std::span<const Expression* const> expressions);
  Result<PlanNodePtr> PlanParallelGrouping(PlanNodePtr input, Query& query,
                                           std::vector<const Expression*> groups,
                                           std::vector<AggregateCall> calls);

  // planner_locking.cc
  static RowLocking ReadLocking(const PgQuery__SelectStmt& select);
  Status CheckLockedNames(const PgQuery__SelectStmt& select, const FromClause& from) const;

  // planner_group.cc
  Result<PlanNodePtr> PlanGrouping(PlanNodePtr input, Query& query);
  // The same expression over rewritten arguments.
  Result<Expression*> RewriteArguments(
      Expression& expression,
      const std::function<Result<Expression*>(Expression* argument, size_t place)>& rewrite);
  Result<Expression*> RewriteOverGroups(Expression* expression,
                                        const std::vector<Expression*>& groups, const Scope& scope,
                                        bool in_subquery = false);

  // planner_from.cc
  Status AddTable(const PgQuery__RangeVar& name, LockMode mode, PrivilegeSet needs,
                  FromClause& from);
  Status RefuseSequence(const PgQuery__RangeVar& name);
  Status AddView(const PgQuery__RangeVar& name, const SystemView& view, FromClause& from);
  Status ApplyAlias(const PgQuery__Alias* alias, int location, ScopeItem& item);
  // Appends to the range table and to the scope; extra_slots: behind those of the columns.
  static void AddSource(Source source, ScopeItem item, size_t extra_slots, FromClause& from);
  static void MakeFrame(FromClause& from);
  // written: the relation that is there already, and that the items are joined with; or null.
  Status AnalyzeFrom(std::span<ast::Node* const> items, bool lock_rows,
                     std::unique_ptr<JoinTree> written, FromClause& from);
  Result<FromItem> AnalyzeFromItem(const ast::Node& node, bool lock_rows, size_t depth,
                                   FromClause& from);
  Status AnalyzeFunctionInFrom(const PgQuery__RangeFunction& function, FromClause& from);
  // The type of generate_series() of these arguments, which are coerced to it.
  Result<Type> CoerceSeries(std::vector<Expression*>& arguments, int location);

  // planner_from_join.cc
  Result<FromItem> AnalyzeJoin(const PgQuery__JoinExpr& join, bool lock_rows, size_t depth,
                               FromClause& from);
  Status AnalyzeOn(const ast::Node& condition, size_t first_item, FromClause& from, JoinTree& tree);
  // Makes the columns that USING or NATURAL merge, and takes them from left and right.
  Status MergeColumns(const PgQuery__JoinExpr& join, std::vector<ScopeColumn>& left,
                      std::vector<ScopeColumn>& right, std::vector<ScopeColumn>& merged,
                      JoinTree& tree);
  Result<ScopeColumn> MergeColumn(const PgQuery__JoinExpr& join, const ScopeColumn& left,
                                  const ScopeColumn& right, JoinTree& tree);
  Result<Expression*> ReferTo(const ScopeColumn& column);

  // planner_join.cc
  Result<PlanNodePtr> PlanJoins(Query& query);
  Result<JoinSide> PlanJoinTree(Query& query, const JoinTree& tree,
                                std::vector<Expression*> conditions);
  Result<JoinSide> PlanInnerJoins(Query& query, const JoinTree& tree,
                                  const std::vector<Expression*>& conditions);
  Result<JoinSide> PlanOuterJoin(Query& query, const JoinTree& tree,
                                 std::vector<Expression*> conditions);
  // Joins what is planned with one more part of the tree. own: conditions on that part alone;
  // conditions: on the pairs; filter: on the result.
  Result<JoinSide> Join(Query& query, JoinSide outer, const JoinTree& inner, JoinKind kind,
                        std::vector<Expression*> own, const std::vector<Expression*>& conditions,
                        const std::vector<Expression*>& filter);
  Result<PlanNodePtr> MakeIndexJoin(Query& query, JoinSide outer, const Source& source,
                                    JoinDescription join, ScanChoice choice);
  Result<PlanNodePtr> MakeHashJoin(Query& query, JoinSide outer, JoinSide inner,
                                   JoinDescription join, HashKeys keys);
  static PlanNodePtr MakePairwiseJoin(const Query& query, JoinSide outer, JoinSide inner,
                                      JoinDescription join, bool store_inner);
  JoinRank RankJoin(const Query& query, const JoinSide& outer, const JoinTree& inner,
                    std::vector<Expression*> own, const std::vector<Expression*>& conditions) const;
  static HashKeys FindHashKeys(const FromClause& from, RelationSet outer, RelationSet inner,
                               std::span<Expression* const> conditions);
  // An index of the table finds the inner rows of an outer one, and that is cheaper than reading
  // the whole table once.
  bool IndexServesJoin(const Query& query, const JoinTree& inner, double outer_rows,
                       std::span<Expression* const> conditions, ScanChoice& choice) const;
  // null: there are none.
  Result<Expression*> AllOf(std::span<Expression* const> conditions);
  static RelationSet RelationsOf(const FromClause& from, const Expression& expression);
  // The relations that must be joined before the condition can be tested. One that is about none
  // and is volatile is tested for each joined row of here, where it is written, as in PostgreSQL.
  static RelationSet PlaceOf(const FromClause& from, const Expression& condition, RelationSet here);
  static std::vector<SlotRange> SlotsOf(const FromClause& from, RelationSet relations);
  static SlotCodec CodecOf(const Query& query, RelationSet relations);
  double GuessRows(const Query& query, const JoinTree& tree,
                   std::span<Expression* const> conditions) const;

  // planner_scan.cc
  // A source's rows that all the conditions let through; condition: the whole of WHERE.
  Result<PlanNodePtr> PlanRelation(const Query& query, Source& source, Expression* filter);
  // order: wanted, in columns of the table; may be empty.
  ScanChoice ChooseScan(const Source& source, std::span<Expression* const> conditions,
                        std::span<const SortKey> order, bool limited) const;
  // How good the index is for it, 0 if it is of no use.
  int TryIndex(const Source& source, size_t index, std::span<Expression* const> conjuncts,
               std::span<const SortKey> order, bool limited, ScanChoice& choice) const;
  // used: by slot.
  Result<std::unique_ptr<TableScanNode>> MakeScan(const FromClause& from, const Source& source,
                                                  Expression* where, const std::vector<bool>& used,
                                                  ScanChoice choice);

  // planner_modify.cc
  Status PlanInsert(const PgQuery__InsertStmt& insert);
  Status NoSuchColumn(const RelationInfo& table, std::string_view column, int location) const;
  Result<PlanNodePtr> PlanInsertRows(const PgQuery__InsertStmt& insert, const RelationInfo& table,
                                     const std::vector<int>& columns);
  Result<std::vector<int>> InsertColumns(const PgQuery__InsertStmt& insert,
                                         const RelationInfo& table);
  Result<std::vector<Target>> AnalyzeReturning(ast::Node* const* items, size_t count,
                                               const Scope& scope);
  static std::vector<const Expression*> ExpressionsOf(const std::vector<Target>& targets);
  // Reading a column of the table that is written needs SELECT on it, too.
  void NoteReads(const RelationInfo& table, std::initializer_list<const Expression*> expressions,
                 const std::vector<Target>& returning);

  // planner_update.cc
  // What UPDATE and DELETE write; scan: of the table, in node.
  struct WrittenRows {
    PlanNodePtr node;
    TableScanNode* scan = nullptr;
  };
  Status PlanUpdate(const PgQuery__UpdateStmt& update);
  Status PlanDelete(const PgQuery__DeleteStmt& deletion);
  Result<std::vector<RowChange::Assignment>> AnalyzeAssignments(
      std::span<const ast::Node* const> targets, const RelationInfo& table, const Scope& scope);
  Status AnalyzeWritten(const PgQuery__RangeVar& table, PrivilegeSet needs,
                        std::span<ast::Node* const> others, FromClause& from);
  Result<WrittenRows> PlanWritten(Query& query);

  // planner_conflict.cc
  // The row proposed, as a second source that no expression sees yet.
  static void AddExcluded(FromClause& from);
  Result<ConflictRule> AnalyzeConflict(const PgQuery__OnConflictClause& clause, FromClause& from);
  Result<std::vector<size_t>> FindArbiters(const PgQuery__InferClause& infer,
                                           const FromClause& from);
  Result<std::vector<size_t>> FindConstraint(std::string_view name, const RelationInfo& table);

  // planner_view.cc
  // A view whose text is being read.
  struct Expansion {
    const RelationInfo* view;
  };
  // The role that needs the privileges on what is read: a view's owner; 0: the session's.
  Oid reader() const { return expansion_ == nullptr ? 0 : expansion_->view->owner; }
  Result<const ViewReference*> FindReference(const PgQuery__RangeVar& name) const;
  // reference: as the view knows the relation whose text is being read; or null.
  static std::vector<ScopeColumn> ColumnsOf(const RelationInfo& relation,
                                            const ViewReference* reference);
  Status AddStoredView(const PgQuery__RangeVar& name, const RelationRef& view, LockMode mode,
                       ScopeItem item, FromClause& from);
  Status AnalyzeView(const RelationInfo& view, const PgQuery__SelectStmt& query, QueryTree& tree);
  Status RefuseWrite(const PgQuery__RangeVar& name, const RelationInfo& view,
                     PrivilegeSet needs) const;

  // A scope without names of its own.
  Scope EmptyScope() const {
    Scope scope;
    scope.correlation = correlation_;
    scope.reads = recorded_ == nullptr ? nullptr : &recorded_->columns;
    return scope;
  }
  ExpressionAnalyzer MakeAnalyzer(const Scope& scope) { return {builder_, sql_, scope, this}; }
  Status NotSupported(std::string_view what, int location) const {
    return ast::NotSupported(sql_, what, location);
  }
  void DescribeColumn(const Target& target, const ColumnOrigin& origin);
  void DescribeReturning(const std::vector<Target>& targets, const FromClause& from);

  const PlanningContext& context_;
  std::string_view sql_;
  std::unique_ptr<Plan> plan_;
  ExpressionBuilder builder_;

  int level_ = 0;                          // of queries inside queries
  Correlation* correlation_ = nullptr;     // of the query that is being analysed
  std::vector<NamedQuery> named_queries_;  // that are in sight, the nearest last
  // The WITH query that reads itself and is to be analysed next.
  const PgQuery__CommonTableExpr* recursion_ = nullptr;
  SubqueryNames subquery_names_;
  const Source* written_ = nullptr;  // what a joined UPDATE or DELETE writes, and its scan
  TableScanNode* written_scan_ = nullptr;
  const PgQuery__IntoClause* into_ = nullptr;  // of the statement, which makes that table
  bool only_reads_ = false;                    // a SELECT, which parallel workers may help with
  RecordedReads* recorded_ = nullptr;
  const Expansion* expansion_ = nullptr;
  std::deque<ParseTree> view_texts_;
  // What the plan will own.
  std::vector<std::unique_ptr<SubPlan>> subplans_;
  std::vector<std::shared_ptr<CommonTable>> common_tables_;
  std::shared_ptr<ExecutionContext*> running_;
};

// Marks the slots that the expression needs.
void CollectColumns(const Expression& expression, std::vector<bool>& used);
// Appends what must all hold for where to hold; where may be null.
void Flatten(Expression* where, std::vector<Expression*>& conditions);

}  // namespace connbench::engine
