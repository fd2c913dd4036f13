// GROUP BY and aggregates: one row for each group, the grouping values first, then the aggregates'
// results. Without GROUP BY: one row, whatever the input.
//
// Groups are found in a hash table within work_mem. The rows of groups that find no room there go
// to a sorter, which has as much again, then a temporary file; once the table's groups are out, the
// sorted rows make one group at a time. All rows go that way when an aggregate takes its inputs in
// order (DISTINCT, ORDER BY) or keeps them all (string_agg).
//
// Two stages make one: a partial node gives its states in place of the results, a final one takes
// such states in (PostgreSQL: Partial and Finalize Aggregate). The partial one runs in parallel
// workers.
//
// Memory: when one group is held at a time, its results may take what they need. In the table they
// share work_mem; beyond it 53200.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/executor/expression/aggregates.h"
#include "engine/executor/nodes/external_sorter.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

enum class AggregateStage : uint8_t { kWhole, kPartial, kFinal };

class AggregateNode : public PlanNode {
 public:
  // having: over the groups' rows, or null. kFinal: groups are the first columns of child's rows,
  // and the states come behind them.
  AggregateNode(PlanNodePtr child, std::vector<const Expression*> groups,
                std::vector<AggregateCall> calls, const Expression* having,
                AggregateStage stage = AggregateStage::kWhole);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  struct Group {
    uint64_t hash;
    Value* values;            // one for each grouping expression
    AggregateState** states;  // one for each call
  };
  // Puts the inputs of one group in order, for a call that wants that.
  struct InputSorter {
    explicit InputSorter(const AggregateCall& call);

    std::vector<SortKey> keys;  // of the call's inputs
    RowCodec codec;             // of its arguments
    std::vector<Value> arguments;
    ExternalSorter sorter;

    // For DISTINCT: the keys of inputs that the sorter has. Emptied when it outgrows its limit, for
    // then most inputs differ.
    std::unordered_set<std::string> seen;
    int64_t seen_bytes = 0;
    int64_t most_seen_bytes = 0;
    void Clear();
  };

  // Gives all memory and disk space back.
  void Forget();
  bool TakeInput(ExecutionContext& context);
  // group: of a query without GROUP BY.
  bool TakeRow(ExecutionContext& context, Group* group);
  // Null: no room for a new one.
  Group* FindOrMakeGroup(uint64_t hash);
  Group* MakeGroup(const Value* values, uint64_t hash);
  bool GrowTable();
  int64_t TableBytes() const;
  const Group* NextGroup(ExecutionContext& context);
  // One input of a call, whether it is a row's or a state.
  bool EvaluateInput(ExecutionContext& context, size_t call, Value* inputs, bool& taken);
  bool TakeInput(ExecutionContext& context, size_t call, const Value* inputs, Group& group);
  size_t InputsOf(size_t call) const {
    return stage_ == AggregateStage::kFinal ? 1 : calls_[call].inputs();
  }

  // aggregate_sorted.cc: rows as the inputs of all calls.
  void PrepareToSort(ExecutionContext& context);
  void DescribeInputs();
  bool EvaluateRow(ExecutionContext& context);
  bool SortRow(ExecutionContext& context);
  bool TakeInputs(ExecutionContext& context, Group& group);
  bool SortInputs(ExecutionContext& context, size_t call, const Value* inputs);
  bool TakeSortedInputs(ExecutionContext& context, Group& group);
  bool BeginSortedGroups(ExecutionContext& context);
  bool ReadSortedRow(ExecutionContext& context);
  // Null: an error, or, if no row is ahead, the end.
  Group* NextSortedGroup(ExecutionContext& context);

  PlanNodePtr child_;
  std::vector<const Expression*> groups_;
  std::vector<AggregateCall> calls_;
  const Expression* having_;
  const AggregateStage stage_;
  bool sorts_inputs_ = false;    // some call takes its inputs in order
  bool sorts_all_rows_ = false;  // no group is ever in the table

  Arena arena_;
  std::vector<Group*> table_;  // open addressing, a power of two
  std::vector<Group*> all_;    // in order of appearance
  std::vector<Value> group_values_;
  std::vector<Value> arguments_;  // of the call that has the most
  std::vector<Value> row_;
  size_t next_ = 0;
  bool input_taken_ = false;
  bool table_full_ = false;

  // The inputs of all calls: the grouping values, then for each call whether they count, and they.
  std::vector<Value> inputs_;
  std::vector<size_t> first_input_;  // by call
  RowCodec inputs_codec_;
  KeyBuffer key_;
  std::string row_bytes_;
  std::string last_key_;                                     // of a sorted input, for DISTINCT
  std::vector<std::unique_ptr<InputSorter>> input_sorters_;  // by call; null: as they come
  ExternalSorter sorter_;                                    // of rows, by grouping values
  int64_t spilled_bytes_ = 0;
  bool reads_sorted_ = false;
  bool row_ahead_ = false;  // in ahead_key_ and inputs_
  std::string_view ahead_key_;
  std::string sorted_key_;  // of the group that is being read
};

}  // namespace connbench::engine
