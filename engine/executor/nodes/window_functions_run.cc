// Window functions that are no aggregates, for the current row.
#include <algorithm>

#include "engine/executor/nodes/window_node.h"

namespace connbench::engine {

bool WindowAggNode::Compute(ExecutionContext& context, Run& run) {
  switch (run.call.function) {
    case WindowFunction::kRowNumber:
      run.result = Value::Integer(current_ + 1);
      return true;
    case WindowFunction::kRank:
      run.result = Value::Integer(group_head_ + 1);
      return true;
    case WindowFunction::kDenseRank:
      run.result = Value::Integer(group_ + 1);
      return true;
    case WindowFunction::kPercentRank:
      if (!Spool(context, INT64_MAX)) return false;
      run.result = Value::Real(rows_.size() > 1 ? static_cast<double>(group_head_) /
                                                      static_cast<double>(rows_.size() - 1)
                                                : 0);
      return true;
    case WindowFunction::kCumeDist:
      if (!Spool(context, INT64_MAX) || !FindGroupTail(context)) return false;
      run.result =
          Value::Real(static_cast<double>(group_tail_) / static_cast<double>(rows_.size()));
      return true;
    case WindowFunction::kNtile:
      return ComputeNtile(context, run);
    case WindowFunction::kLag:
    case WindowFunction::kLead:
      return ComputeNeighbour(context, run);
    default:
      return ComputeFrameValue(context, run);
  }
}

// The number of buckets is that of the partition's first row that has one.
bool WindowAggNode::ComputeNtile(ExecutionContext& context, Run& run) {
  if (run.buckets == 0) {
    Value buckets;
    if (!Evaluate(context, *run.call.function_arguments[0], current_reader_.values.data(),
                  buckets)) {
      return false;
    }
    run.result = Value::Null();
    if (buckets.null) return true;
    if (buckets.integer <= 0) {
      return context.Fail(Status::Error(sqlstate::kInvalidArgumentForNtile,
                                        "argument of ntile must be greater than zero"));
    }
    if (!Spool(context, INT64_MAX)) return false;
    run.buckets = buckets.integer;
    run.bucket = 1;
    run.rows_in_bucket = 0;
    run.rows_for_bucket = rows_.size() / run.buckets;
    run.larger_buckets = 0;
    if (run.rows_for_bucket == 0) {
      run.rows_for_bucket = 1;
    } else {
      run.larger_buckets = rows_.size() % run.buckets;
      if (run.larger_buckets > 0) ++run.rows_for_bucket;
    }
  }
  ++run.rows_in_bucket;
  if (run.rows_in_bucket > run.rows_for_bucket) {
    if (run.larger_buckets > 0 && run.bucket == run.larger_buckets) {
      run.larger_buckets = 0;
      --run.rows_for_bucket;
    }
    ++run.bucket;
    run.rows_in_bucket = 1;
  }
  run.result = Value::Integer(run.bucket);
  return true;
}

// lag and lead.
bool WindowAggNode::ComputeNeighbour(ExecutionContext& context, Run& run) {
  const std::span<Expression*> arguments = run.call.function_arguments;
  Value distance = Value::Integer(1);
  run.fixed_distance = true;
  if (arguments.size() > 1) {
    const Expression& expression = *arguments[1];
    run.fixed_distance = !expression.has_columns && expression.volatility != Volatility::kVolatile;
    if (!Evaluate(context, expression, current_reader_.values.data(), distance)) return false;
  }
  run.result = Value::Null();
  if (distance.null) return true;
  const bool back = run.call.function == WindowFunction::kLag;
  run.distance = back ? -distance.integer : distance.integer;
  bool exists = false;
  if (!Fetch(context, run.reader, current_ + run.distance, exists)) return false;
  if (exists) return Evaluate(context, *arguments[0], run.reader.values.data(), run.result);
  if (arguments.size() < 3) return true;
  return Evaluate(context, *arguments[2], current_reader_.values.data(), run.result);
}

// ---- of the frame ----

bool WindowAggNode::FindFromHead(ExecutionContext& context, int64_t nth, int64_t& row) {
  if (!FindFrameHead(context)) return false;
  row = head_ + nth;
  switch (window_.frame.exclusion) {
    case FrameExclusion::kNone:
      break;
    case FrameExclusion::kCurrentRow:
      if (row >= current_ && current_ >= head_) ++row;
      break;
    case FrameExclusion::kGroup:
    case FrameExclusion::kTies: {
      if (!FindGroupTail(context)) return false;
      if (row < group_head_ || group_tail_ <= head_) break;
      const int64_t overlap = std::max(group_head_, head_);
      if (window_.frame.exclusion == FrameExclusion::kGroup) {
        row += group_tail_ - overlap;
      } else if (row == overlap) {
        row = current_;
      } else {
        row += group_tail_ - overlap - 1;
      }
      break;
    }
  }
  return true;
}

bool WindowAggNode::FindLast(ExecutionContext& context, int64_t& row) {
  if (!FindFrameHead(context) || !FindFrameTail(context)) return false;
  if (tail_ > rows_.size() && !Spool(context, tail_ - 1)) return false;
  const int64_t tail = std::min(tail_, rows_.size());
  row = tail - 1;
  switch (window_.frame.exclusion) {
    case FrameExclusion::kNone:
      break;
    case FrameExclusion::kCurrentRow:
      if (row <= current_ && current_ < tail) --row;
      break;
    case FrameExclusion::kGroup:
    case FrameExclusion::kTies: {
      if (!FindGroupTail(context)) return false;
      if (row >= group_tail_ || group_head_ >= tail) break;
      const int64_t overlap = std::min(group_tail_, tail);
      if (window_.frame.exclusion == FrameExclusion::kGroup) {
        row -= overlap - group_head_;
      } else if (row == overlap - 1) {
        row = current_;
      } else {
        row -= overlap - 1 - group_head_;
      }
      break;
    }
  }
  if (row < head_) row = -1;
  return true;
}

bool WindowAggNode::ComputeFrameValue(ExecutionContext& context, Run& run) {
  const std::span<Expression*> arguments = run.call.function_arguments;
  run.result = Value::Null();
  int64_t row = -1;
  if (run.call.function == WindowFunction::kLastValue) {
    if (!FindLast(context, row)) return false;
  } else {
    Value nth = Value::Integer(1);
    if (run.call.function == WindowFunction::kNthValue &&
        !Evaluate(context, *arguments[1], current_reader_.values.data(), nth)) {
      return false;
    }
    if (nth.null) return true;
    if (nth.integer <= 0) {
      return context.Fail(Status::Error(sqlstate::kInvalidArgumentForNthValue,
                                        "argument of nth_value must be greater than zero"));
    }
    if (!FindFromHead(context, nth.integer - 1, row)) return false;
  }
  bool exists = false;
  if (!Fetch(context, run.reader, row, exists)) return false;
  if (!exists) return true;
  Place place = Place::kBehind;
  if (!FindPlace(context, row, place)) return false;
  if (place != Place::kInFrame) return true;
  return Evaluate(context, *arguments[0], run.reader.values.data(), run.result);
}

}  // namespace connbench::engine
