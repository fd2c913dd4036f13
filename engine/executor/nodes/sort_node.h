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
  // types: of the child's columns. unique_keys: of rows that are equal in so many of the first keys
  // only the first one comes out; 0: all rows do.
  SortNode(PlanNodePtr child, const std::vector<Type>& types, std::vector<SortKey> keys,
           size_t unique_keys);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return child_->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  bool TakeInput(ExecutionContext& context);
  // Of the first keys.
  void MakeKey(const Value* row, size_t keys);
  // Whether the row, whose whole key is given, is equal to the last one in the unique keys.
  bool IsRepeated(const Value* row, std::string_view key);

  PlanNodePtr child_;
  std::vector<SortKey> keys_;
  const size_t unique_keys_;
  RowCodec codec_;
  std::vector<Value> values_;
  ExternalSorter sorter_;
  bool input_taken_ = false;
  KeyBuffer key_;
  std::string row_bytes_;
  std::string last_key_;  // the unique keys of the row that came out last
  bool has_last_ = false;
  int64_t memory_bytes_ = 0;  // of the last run, for EXPLAIN ANALYZE
  int64_t spilled_bytes_ = 0;
};

}  // namespace connbench::engine
