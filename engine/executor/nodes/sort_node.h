// ORDER BY and DISTINCT: stores the child's rows, sorted, beyond work_mem in a temporary file.
#pragma once

#include <string>
#include <vector>

#include "engine/executor/key_codec.h"
#include "engine/executor/nodes/external_sorter.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

struct SortKey {
  int column = 0;
  Oid type = 0;
  bool descending = false;
  bool nulls_first = false;
};

// Appends the bytes by which a sorter orders value in this key's place.
void AppendSortKey(const SortKey& sort_key, const Value& value, KeyBuffer& key);

class SortNode : public PlanNode {
 public:
  // types: of the child's columns. unique: of rows with equal keys only one comes out.
  SortNode(PlanNodePtr child, const std::vector<Type>& types, std::vector<SortKey> keys,
           bool unique);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return child_->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  bool TakeInput(ExecutionContext& context);

  PlanNodePtr child_;
  std::vector<SortKey> keys_;
  bool unique_;
  RowCodec codec_;
  std::vector<Value> values_;
  ExternalSorter sorter_;
  bool input_taken_ = false;
  KeyBuffer key_;
  std::string row_bytes_;
  std::string last_key_;  // unique: of the row that came out last
  bool has_last_ = false;
  int64_t memory_bytes_ = 0;  // of the last run, for EXPLAIN ANALYZE
  int64_t spilled_bytes_ = 0;
};

}  // namespace connbench::engine
