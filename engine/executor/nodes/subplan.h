// Queries inside expressions: scalar subqueries, EXISTS, ARRAY, IN, ANY and ALL.
//
// A subquery reads the query around it through cells (expression.h, kCell). Its expression has one
// argument for each cell; evaluating it fills the cells, runs the subquery's plan, and makes a
// value of its rows. So the subquery itself knows no row but its own.
//
// One that reads nothing of the query around it runs once: its value, or for ANY and ALL its rows,
// are kept. Rows to be looked up by equality go into a hash table.
//
// Who may call: the planner makes them; the expressions of that one plan run them.
// Safety: private memory of one session, one thread at a time. A subquery is never entered while
// it runs. Interrupts are looked for at each row. No latch or pin is held where expressions run.
// Memory: a value; an array within work_mem (53200), and its copy; of ANY and ALL that run once,
// rows up to work_mem, the rest in a temporary file; a hash table within twice work_mem, as for
// hash joins: rows that pass it are compared one by one.
// Errors: those of the plan; 21000 for a second row where one value is asked for.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor/arena.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/row_index.h"
#include "engine/executor/nodes/row_store.h"
#include "engine/executor/nodes/subquery_nodes.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

enum class SubqueryKind : uint8_t { kExists, kScalar, kArray, kAny, kAll };

struct SubPlanDescription {
  SubqueryKind kind = SubqueryKind::kScalar;
  int number = 0;  // of the plan's subqueries, for EXPLAIN
  PlanNodePtr root;
  std::vector<Type> types;           // of the columns of its rows
  std::vector<Value*> cells;         // one for each argument
  size_t operands = 0;               // how many of the first are what ANY and ALL compare with
  bool reads_outer = false;          // the others: it must run for each row of the query around it
  std::vector<Value*> columns;       // kAny, kAll: where test finds a row's values
  const Expression* test = nullptr;  // kAny, kAll: whether a row matches; over cells only
  // kAny by one equality: its sides, for a hash table.
  const Expression* left_key = nullptr;
  const Expression* right_key = nullptr;
  QueryParts parts;
};

class SubPlan final : public SubqueryEvaluator {
 public:
  // running: what the plan runs in, once it does.
  SubPlan(SubPlanDescription description, std::shared_ptr<ExecutionContext*> running);

  bool Evaluate(const Expression& expression, EvalContext& context, Value& out) override;
  std::string Reference() const override;
  size_t operands() const override { return description_.operands; }

  // Forgets what was kept.
  void Begin();
  void Close(ExecutionContext& context);
  void Explain(ExplainWriter& writer) const;

 private:
  bool hashed() const { return description_.left_key != nullptr && !description_.reads_outer; }
  bool is_init_plan() const {
    const bool compares =
        description_.kind == SubqueryKind::kAny || description_.kind == SubqueryKind::kAll;
    return !compares && !description_.reads_outer;
  }
  // Runs the plan up to its first row.
  bool Start(ExecutionContext& context, Step& step, const Value*& row);
  bool FindValue(ExecutionContext& context, Arena& arena);
  // Of all rows, the one that the plan is at first.
  bool MakeArray(ExecutionContext& context, Step step, const Value* row, Arena& arena);
  bool KeepRow(const Value* row, Arena& arena, EvalContext& context);
  bool KeepRows(ExecutionContext& context);
  bool AddToTable(ExecutionContext& context, bool& stored);
  void DropTable();
  bool ReadKept(ExecutionContext& context, bool& found);
  bool Compare(ExecutionContext& context, Value& out);
  bool LookUp(ExecutionContext& context, Value& out);
  void TakeColumns(const Value* row);

  SubPlanDescription description_;
  const std::shared_ptr<ExecutionContext*> running_;
  const RowCodec codec_;
  Arena scratch_;              // of the subquery's expressions
  std::vector<Value> values_;  // kScalar: the row; the others: one that is decoded
  bool has_row_ = false;

  // What is kept of one that runs once.
  bool kept_ = false;
  Arena kept_arena_;
  RowStore store_;
  RowStore::Position position_;
  std::string row_bytes_;
  int64_t limit_bytes_ = 0;  // of store and table together
  RowIndex index_;           // of the store's rows; empty: there is none
  bool use_table_ = false;
  bool has_null_ = false;  // rows whose key is null are in no table
};

// The root of a plan that has subqueries in expressions or WITH queries: owns them.
class SubqueryRootNode : public PlanNode {
 public:
  SubqueryRootNode(PlanNodePtr child, std::vector<std::unique_ptr<SubPlan>> subplans,
                   std::vector<std::shared_ptr<CommonTable>> common_tables,
                   std::shared_ptr<ExecutionContext*> running);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return child_->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  std::vector<std::unique_ptr<SubPlan>> subplans_;
  std::vector<std::shared_ptr<CommonTable>> common_tables_;
  PlanNodePtr child_;
  const std::shared_ptr<ExecutionContext*> running_;
};

}  // namespace connbench::engine
