// Nodes without a table: constants, VALUES, functions and system views in FROM.
#include "engine/executor/nodes/result_nodes.h"

#include <algorithm>

#include "engine/executor/nodes/explain.h"
#include "engine/executor/types/numeric.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

// ---- Result ----

bool ResultNode::DoOpen(ExecutionContext& context) {
  context.eval.columns = nullptr;
  done_ = false;
  if (condition_ == nullptr) return true;
  bool holds = false;
  if (!EvaluateCondition(*condition_, context.eval, holds)) return false;
  done_ = !holds;
  return true;
}

Step ResultNode::DoNext(ExecutionContext& context, const Value*& row) {
  context.eval.arena->Reset();
  if (done_) return Step::kDone;
  done_ = true;
  row = nullptr;
  return Step::kRow;
}

void ResultNode::Close(ExecutionContext& /*context*/) {}

void ResultNode::Explain(ExplainWriter& writer) const {
  writer.Node("Result", *this);
  if (condition_ != nullptr) {
    writer.Property("One-Time Filter", PrintExpression(*condition_, {}));
  }
}

// ---- VALUES ----

ValuesNode::ValuesNode(std::vector<const Expression*> rows, size_t width, size_t count)
    : rows_(std::move(rows)), count_(count), values_(width) {}

[[gnu::hot]] bool ValuesNode::DoOpen(ExecutionContext& /*context*/) {
  next_ = 0;
  return true;
}

[[gnu::hot]] Step ValuesNode::DoNext(ExecutionContext& context, const Value*& row) {
  context.eval.arena->Reset();
  if (next_ >= count_) return Step::kDone;
  Status interrupt = context.eval.environment->CheckInterrupts();
  if (!interrupt.ok()) [[unlikely]]
    return Fail(context, std::move(interrupt));
  context.eval.columns = nullptr;
  const Expression* const* expression = rows_.data() + next_++ * values_.size();
  for (Value& value : values_) {
    if (!Evaluate(**expression++, context.eval, value)) return Step::kError;
  }
  row = values_.data();
  return Step::kRow;
}

[[gnu::hot]] void ValuesNode::Close(ExecutionContext& /*context*/) {}

void ValuesNode::Explain(ExplainWriter& writer) const {
  writer.Node("Values Scan on \"*VALUES*\"", *this);
}

std::vector<std::string> ValuesNode::OutputNames() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < values_.size(); ++i) names.push_back("column" + std::to_string(i + 1));
  return names;
}

// ---- generate_series ----

SeriesNode::SeriesNode(std::string alias, Oid type, std::shared_ptr<RowFrame> frame, size_t slot,
                       const Expression* start, const Expression* stop, const Expression* step,
                       const Expression* condition)
    : alias_(std::move(alias)),
      type_(type),
      frame_(std::move(frame)),
      slot_(slot),
      start_(start),
      stop_(stop),
      step_(step),
      condition_(condition) {}

bool SeriesNode::DoOpen(ExecutionContext& context) {
  context.eval.columns = frame_->row();  // on the inner side of a join, the outer row
  finished_ = true;
  Value start;
  Value stop;
  Value step = Value::Integer(1);
  if (!Evaluate(*start_, context.eval, start) || !Evaluate(*stop_, context.eval, stop) ||
      (step_ != nullptr && !Evaluate(*step_, context.eval, step))) {
    return false;
  }
  if (start.null || stop.null || step.null) return true;
  if (OfNumerics()) return OpenNumerics(context, start, stop, step);
  const bool of_times = !IsInteger(type_);
  if (of_times) step_interval_ = ToInterval(step);
  const __int128 direction = of_times ? IntervalSpan(step_interval_) : step.integer;
  if (direction == 0) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidParameterValue, "step size cannot equal zero"));
  }
  next_value_ = start.integer;
  stop_value_ = stop.integer;
  if (!of_times) step_value_ = step.integer;
  descending_ = direction < 0;
  finished_ = IsPastStop();
  return true;
}

bool SeriesNode::OpenNumerics(ExecutionContext& context, const Value& start, const Value& stop,
                              const Value& step) {
  const auto fail = [&context](std::string message) {
    return context.Fail(Status::Error(sqlstate::kInvalidParameterValue, std::move(message)));
  };
  Value one;
  Value zero;
  Arena& arena = *context.eval.arena;
  Status status = NumericFromInteger(1, arena, one);
  if (status.ok()) status = NumericFromInteger(0, arena, zero);
  if (!status.ok()) return context.Fail(std::move(status));
  struct Bound {
    const char* name;
    const Value& value;
  };
  const Value& stride = step_ == nullptr ? one : step;
  for (const Bound& bound :
       {Bound{"start value", start}, Bound{"stop value", stop}, Bound{"step size", stride}}) {
    if (IsNumericNan(bound.value)) return fail(std::string(bound.name) + " cannot be NaN");
    if (NumericDisplayScale(bound.value) < 0) {
      return fail(std::string(bound.name) + " cannot be infinity");
    }
  }
  const int direction = CompareNumeric(stride, zero);
  if (direction == 0) return fail("step size cannot equal zero");
  next_number_ = start.text();
  stop_number_ = stop.text();
  step_number_ = stride.text();
  descending_ = direction < 0;
  finished_ = IsPastStop();
  return true;
}

bool SeriesNode::IsPastStop() const {
  if (!OfNumerics()) return descending_ ? next_value_ < stop_value_ : next_value_ > stop_value_;
  const int order = CompareNumeric(Value::Text(next_number_), Value::Text(stop_number_));
  return descending_ ? order < 0 : order > 0;
}

bool SeriesNode::Advance(ExecutionContext& context) {
  if (OfNumerics()) {
    Value sum;
    Status status =
        AddNumeric(Value::Text(next_number_), Value::Text(step_number_), *context.eval.arena, sum);
    if (!status.ok()) return context.Fail(std::move(status));
    next_number_ = sum.text();
    finished_ = IsPastStop();
    return true;
  }
  if (IsInteger(type_)) {
    finished_ = __builtin_add_overflow(next_value_, step_value_, &next_value_) || IsPastStop();
    return true;
  }
  const TimeZone* const zone =
      type_ == type_oid::kTimestamptz ? &context.eval.environment->time_zone() : nullptr;
  Status status = AddToTimestamp(next_value_, step_interval_, 1, zone, next_value_);
  finished_ = IsPastStop();
  return status.ok() || context.Fail(std::move(status));
}

Step SeriesNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (true) {
    context.eval.arena->Reset();
    if (finished_) return Step::kDone;
    Status interrupt = context.transaction->CheckForInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    if (OfNumerics()) {
      shown_ = next_number_;
      frame_->values[slot_] = Value::Text(shown_);
    } else {
      frame_->values[slot_] = Value::Integer(next_value_);
    }
    if (!Advance(context)) return Step::kError;
    if (condition_ != nullptr) {
      bool passes = false;
      context.eval.columns = frame_->row();
      if (!EvaluateCondition(*condition_, context.eval, passes)) return Step::kError;
      if (!passes) continue;
    }
    row = frame_->row();
    return Step::kRow;
  }
}

void SeriesNode::Close(ExecutionContext& /*context*/) {}

void SeriesNode::Explain(ExplainWriter& writer) const {
  writer.Node(
      "Function Scan on generate_series" + (alias_ == "generate_series" ? "" : " " + alias_),
      *this);
  if (condition_ != nullptr) writer.Property("Filter", PrintExpression(*condition_, OutputNames()));
}

// ---- System views ----

ViewNode::ViewNode(std::string_view name, std::string alias, std::vector<std::string> columns,
                   std::shared_ptr<RowFrame> frame, size_t first_slot, Read read,
                   const Expression* condition)
    : name_(name),
      alias_(std::move(alias)),
      columns_(std::move(columns)),
      frame_(std::move(frame)),
      first_slot_(first_slot),
      read_(std::move(read)),
      condition_(condition) {}

bool ViewNode::DoOpen(ExecutionContext& context) {
  rows_.Release();
  next_ = 0;
  Status status = read_(context, rows_);
  if (status.ok()) status = rows_.TakeStatus();
  return status.ok() || context.Fail(std::move(status));
}

bool ViewNode::DoRescan(ExecutionContext& /*context*/) {
  next_ = 0;
  return true;
}

Step ViewNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (true) {
    context.eval.arena->Reset();
    if (next_ >= rows_.size()) return Step::kDone;
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    std::copy_n(rows_.at(next_), columns_.size(),
                frame_->values.begin() + static_cast<std::ptrdiff_t>(first_slot_));
    row = frame_->row();
    next_ += columns_.size();
    if (condition_ == nullptr) return Step::kRow;
    bool passes = false;
    context.eval.columns = row;
    if (!EvaluateCondition(*condition_, context.eval, passes)) return Step::kError;
    if (passes) return Step::kRow;
  }
}

void ViewNode::Close(ExecutionContext& /*context*/) { rows_.Release(); }

void ViewNode::Explain(ExplainWriter& writer) const {
  std::string title = "Scan on " + std::string(name_);
  if (alias_ != name_) title += " " + alias_;
  writer.Node(title, *this);
  if (condition_ != nullptr) writer.Property("Filter", PrintExpression(*condition_, OutputNames()));
}

// ---- Project ----

ProjectNode::ProjectNode(PlanNodePtr child, std::vector<const Expression*> expressions)
    : child_(std::move(child)), expressions_(std::move(expressions)), values_(expressions_.size()) {
  estimated_rows = child_->estimated_rows;
  estimated_cost = child_->estimated_cost;
}

[[gnu::hot]] bool ProjectNode::DoOpen(ExecutionContext& context) { return child_->Open(context); }

[[gnu::hot]] Step ProjectNode::DoNext(ExecutionContext& context, const Value*& row) {
  const Value* input = nullptr;
  const Step step = child_->Next(context, input);
  if (step != Step::kRow) return step;
  context.eval.columns = input;
  for (size_t i = 0; i < expressions_.size(); ++i) {
    if (!Evaluate(*expressions_[i], context.eval, values_[i])) return Step::kError;
  }
  row = values_.data();
  return Step::kRow;
}

[[gnu::hot]] void ProjectNode::Close(ExecutionContext& context) { child_->Close(context); }

// As PostgreSQL, which projects within other nodes: no line of its own.
void ProjectNode::Explain(ExplainWriter& writer) const { child_->Explain(writer); }

std::vector<std::string> ProjectNode::OutputNames() const {
  const std::vector<std::string> inputs = child_->OutputNames();
  std::vector<std::string> names;
  for (const Expression* expression : expressions_) {
    names.push_back(PrintExpression(*expression, inputs));
  }
  return names;
}

// ---- Limit ----

LimitNode::LimitNode(PlanNodePtr child, const Expression* count, const Expression* offset)
    : child_(std::move(child)), count_(count), offset_(offset) {
  estimated_rows = child_->estimated_rows;
  if (count != nullptr && count->kind == ExpressionKind::kConstant && !count->constant.null) {
    estimated_rows = std::min(estimated_rows, static_cast<double>(count->constant.integer));
  }
  estimated_cost = child_->estimated_rows > 0
                       ? child_->estimated_cost * estimated_rows / child_->estimated_rows
                       : child_->estimated_cost;
}

bool LimitNode::DoOpen(ExecutionContext& context) {
  context.eval.columns = nullptr;
  left_ = INT64_MAX;
  skip_ = 0;
  Value value;
  if (offset_ != nullptr) {
    if (!Evaluate(*offset_, context.eval, value)) return false;
    if (!value.null) skip_ = value.integer;
    if (skip_ < 0) {
      return context.Fail(Status::Error(sqlstate::kInvalidRowCountInResultOffsetClause,
                                        "OFFSET must not be negative"));
    }
  }
  if (count_ != nullptr) {
    if (!Evaluate(*count_, context.eval, value)) return false;
    if (!value.null) left_ = value.integer;
    if (left_ < 0) {
      return context.Fail(
          Status::Error(sqlstate::kInvalidRowCountInLimitClause, "LIMIT must not be negative"));
    }
  }
  return child_->Open(context);
}

[[gnu::hot]] Step LimitNode::DoNext(ExecutionContext& context, const Value*& row) {
  if (left_ == 0) return Step::kDone;
  for (; skip_ > 0; --skip_) {
    const Step step = child_->Next(context, row);
    if (step != Step::kRow) return step;
  }
  --left_;
  return child_->Next(context, row);
}

void LimitNode::Close(ExecutionContext& context) { child_->Close(context); }

void LimitNode::Explain(ExplainWriter& writer) const {
  writer.Node("Limit", *this);
  writer.Child(*child_);
}

}  // namespace connbench::engine
