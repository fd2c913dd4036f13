// Nodes without a table: constants, VALUES, functions and system views in FROM; and the simple ones
// that stand above others: projection, filter, limit.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/row_frame.h"
#include "engine/executor/nodes/view_rows.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/type.h"

namespace connbench::engine {

// One row without columns: SELECT without FROM. With a condition: the row only if it holds.
class ResultNode : public PlanNode {
 public:
  explicit ResultNode(const Expression* condition) : condition_(condition) {}
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return {}; }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  const Expression* condition_;
  bool done_ = false;
};

// VALUES: rows of expressions, all of one width.
class ValuesNode : public PlanNode {
 public:
  // rows: width expressions for each of count rows, one row after the other.
  ValuesNode(std::vector<const Expression*> rows, size_t width, size_t count);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  std::vector<const Expression*> rows_;
  const size_t count_;
  size_t next_ = 0;  // row
  std::vector<Value> values_;
};

// generate_series(start, stop [, step]) of integers, of numerics or of timestamps with intervals:
// one column, in one slot of the frame.
class SeriesNode : public PlanNode {
 public:
  SeriesNode(std::string alias, Oid type, std::shared_ptr<RowFrame> frame, size_t slot,
             const Expression* start, const Expression* stop, const Expression* step,
             const Expression* condition);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override {
    return frame_->names.empty() ? std::vector<std::string>{alias_} : frame_->names;
  }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  bool OfNumerics() const { return type_ == type_oid::kNumeric; }
  bool OpenNumerics(ExecutionContext& context, const Value& start, const Value& stop,
                    const Value& step);
  bool IsPastStop() const;
  // To the next value; finished_ if there is none.
  bool Advance(ExecutionContext& context);

  std::string alias_;
  const Oid type_;
  std::shared_ptr<RowFrame> frame_;
  const size_t slot_;
  const Expression* start_;
  const Expression* stop_;
  const Expression* step_;
  const Expression* condition_;
  int64_t next_value_ = 0;
  int64_t stop_value_ = 0;
  int64_t step_value_ = 1;
  Interval step_interval_;  // of timestamps
  // The bytes of numerics, shown_ those of the row that was given last.
  std::string shown_;
  std::string next_number_;
  std::string stop_number_;
  std::string step_number_;
  bool descending_ = false;
  bool finished_ = true;
};

// A view of the system: its rows are read when the scan begins, all at once, and do not change
// during it, rescans included.
class ViewNode : public PlanNode {
 public:
  // read appends the rows, one after the other, with as many values each as there are columns.
  using Read = std::function<Status(ExecutionContext& context, ViewRows& rows)>;
  ViewNode(std::string_view name, std::string alias, std::vector<std::string> columns,
           std::shared_ptr<RowFrame> frame, size_t first_slot, Read read,
           const Expression* condition);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override {
    return frame_->names.empty() ? columns_ : frame_->names;
  }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  bool DoRescan(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  const std::string_view name_;
  const std::string alias_;
  const std::vector<std::string> columns_;
  const std::shared_ptr<RowFrame> frame_;
  const size_t first_slot_;
  const Read read_;
  const Expression* condition_;
  ViewRows rows_;
  size_t next_ = 0;
};

// Evaluates expressions over the child's rows. Those that an ORDER BY needs but the client does not
// see come last: whoever reads the plan's rows takes as many columns as it knows of.
class ProjectNode : public PlanNode {
 public:
  ProjectNode(PlanNodePtr child, std::vector<const Expression*> expressions);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override;

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  PlanNodePtr child_;
  std::vector<const Expression*> expressions_;
  std::vector<Value> values_;
};

// LIMIT and OFFSET: bigint expressions without columns, or null.
class LimitNode : public PlanNode {
 public:
  LimitNode(PlanNodePtr child, const Expression* count, const Expression* offset);
  void Close(ExecutionContext& context) override;
  void Explain(ExplainWriter& writer) const override;
  std::vector<std::string> OutputNames() const override { return child_->OutputNames(); }

 protected:
  bool DoOpen(ExecutionContext& context) override;
  Step DoNext(ExecutionContext& context, const Value*& row) override;

 private:
  PlanNodePtr child_;
  const Expression* count_;
  const Expression* offset_;
  int64_t left_ = 0;
  int64_t skip_ = 0;
};

}  // namespace connbench::engine
