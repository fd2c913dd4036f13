// The frame of a window's current row, as PostgreSQL finds it.
#include <algorithm>
#include <cmath>

#include "engine/executor/nodes/subquery_nodes.h"
#include "engine/executor/nodes/window_node.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

// Far behind every row, and still room to count on.
constexpr int64_t kNoRow = INT64_MAX / 2;

int64_t Shift(int64_t row, int64_t distance, bool back) {
  const int64_t bounded = std::min(distance, kNoRow);
  return back ? row - bounded : row + bounded;
}

Status InvalidOffset() {
  return Status::Error(sqlstate::kInvalidPrecedingOrFollowingSize,
                       "invalid preceding or following size in window function");
}

bool IsReal(Oid type) { return type == type_oid::kFloat4 || type == type_oid::kFloat8; }

bool IsRealInRange(double value, double base, double offset, bool subtract, bool less) {
  // NaN is above all numbers and equal to itself; no offset changes that.
  if (std::isnan(value)) return std::isnan(base) || !less;
  if (std::isnan(base)) return less;
  // Infinity minus infinity: everything is that far away.
  if (std::isinf(offset) && std::isinf(base) && (subtract ? base > 0 : base < 0)) return true;
  const double sum = subtract ? base - offset : base + offset;
  return less ? value <= sum : value >= sum;
}

Status IsNumericInRange(const Value& value, const Value& base, const Value& offset, bool subtract,
                        bool less, Arena& arena, bool& in_range) {
  if (IsNumericNan(value)) {
    in_range = IsNumericNan(base) || !less;
    return {};
  }
  if (IsNumericNan(base)) {
    in_range = less;
    return {};
  }
  Value sum;
  CONNBENCH_RETURN_IF_ERROR(subtract ? SubtractNumeric(base, offset, arena, sum)
                                     : AddNumeric(base, offset, arena, sum));
  // Infinity minus infinity, as above.
  if (IsNumericNan(sum)) {
    in_range = true;
    return {};
  }
  const int order = CompareNumeric(value, sum);
  in_range = less ? order <= 0 : order >= 0;
  return {};
}

// Negative or NaN.
Result<bool> IsBadOffset(Oid type, const Value& offset, Arena& arena) {
  if (IsReal(type)) return std::isnan(offset.real) || offset.real < 0;
  if (type != type_oid::kNumeric) return offset.integer < 0;
  if (IsNumericNan(offset)) return true;
  Value zero;
  CONNBENCH_RETURN_IF_ERROR(NumericFromInteger(0, arena, zero));
  return CompareNumeric(offset, zero) < 0;
}

}  // namespace

bool WindowAggNode::IsInRange(ExecutionContext& context, const Value& value, const Value& base,
                              const Value& offset, bool subtract, bool less, bool& in_range) {
  const Oid type = window_.order[0].type;
  scratch_.Reset();
  const Result<bool> bad = IsBadOffset(type, offset, scratch_);
  if (!bad.ok()) return context.Fail(bad.status());
  if (*bad) return context.Fail(InvalidOffset());
  if (IsReal(type)) {
    in_range = IsRealInRange(value.real, base.real, offset.real, subtract, less);
    return true;
  }
  if (type == type_oid::kNumeric) {
    Status status = IsNumericInRange(value, base, offset, subtract, less, scratch_, in_range);
    return status.ok() || context.Fail(std::move(status));
  }
  const __int128 distance = offset.integer;
  const __int128 sum = base.integer + (subtract ? -distance : distance);
  in_range = less ? value.integer <= sum : value.integer >= sum;
  return true;
}

// ---- groups: rows that are equal in the order ----

bool WindowAggNode::FindGroupTail(ExecutionContext& context) {
  if (group_tail_valid_) return true;
  group_tail_valid_ = true;
  // Without an order, all rows are alike.
  if (window_.order.empty()) {
    if (!Spool(context, kNoRow)) return false;
    group_tail_ = rows_.size();
    return true;
  }
  group_tail_ = current_ + 1;
  while (true) {
    bool exists = false;
    if (Interrupted(context) || !Fetch(context, group_reader_, group_tail_, exists)) return false;
    if (!exists) return true;
    MakeOrderKey(group_reader_.values.data(), key_);
    if (key_.view() != order_key_) return true;
    ++group_tail_;
  }
}

// The first row of the frame, or the first one behind it, is the first one of a group of which the
// number is known.
bool WindowAggNode::SeekGroup(ExecutionContext& context, bool of_tail) {
  const WindowFrame& frame = window_.frame;
  const FrameBound bound = of_tail ? frame.end : frame.start;
  const Value& offset = of_tail ? end_offset_ : start_offset_;
  int64_t wanted = Shift(group_, offset.integer, bound == FrameBound::kOffsetPreceding);
  if (of_tail) ++wanted;
  WindowRows::Reader& reader = of_tail ? tail_reader_ : head_reader_;
  int64_t& row = of_tail ? tail_ : head_;
  int64_t& group = of_tail ? tail_group_ : head_group_;
  bool exists = false;
  if (group >= wanted) return true;
  if (!Fetch(context, reader, row, exists)) return false;
  while (exists && group < wanted) {
    MakeOrderKey(reader.values.data(), key_);
    seek_key_.assign(key_.view());
    ++row;
    if (Interrupted(context) || !Fetch(context, reader, row, exists)) return false;
    if (!exists) break;
    MakeOrderKey(reader.values.data(), key_);
    if (key_.view() != seek_key_) ++group;
  }
  return true;
}

// ---- RANGE with an offset ----

bool WindowAggNode::SeekRangeHead(ExecutionContext& context) {
  const SortKey& key = window_.order[0];
  const bool subtract = (window_.frame.start == FrameBound::kOffsetPreceding) != key.descending;
  const auto column = static_cast<size_t>(key.column);
  while (true) {
    bool exists = false;
    if (Interrupted(context) || !Fetch(context, head_reader_, head_, exists)) return false;
    if (!exists) return true;
    // The current row's values may not outlast the reading.
    const Value& head = head_reader_.values[column];
    const Value& current = current_reader_.values[column];
    if (head.null || current.null) {
      const bool before = key.nulls_first ? head.null && !current.null : !head.null && current.null;
      if (!before) return true;
    } else {
      bool reached = false;
      if (!IsInRange(context, head, current, start_offset_, subtract, key.descending, reached)) {
        return false;
      }
      if (reached) return true;
    }
    ++head_;
  }
}

bool WindowAggNode::SeekRangeTail(ExecutionContext& context) {
  const SortKey& key = window_.order[0];
  const bool subtract = (window_.frame.end == FrameBound::kOffsetPreceding) != key.descending;
  const auto column = static_cast<size_t>(key.column);
  while (true) {
    bool exists = false;
    if (Interrupted(context) || !Fetch(context, tail_reader_, tail_, exists)) return false;
    if (!exists) return true;
    const Value& tail = tail_reader_.values[column];
    const Value& current = current_reader_.values[column];
    bool inside = false;
    if (tail.null || current.null) {
      inside = key.nulls_first ? tail.null : current.null;
    } else if (!IsInRange(context, tail, current, end_offset_, subtract, !key.descending, inside)) {
      return false;
    }
    if (!inside) return true;
    ++tail_;
  }
}

// ---- the frame ----

bool WindowAggNode::FindFrameHead(ExecutionContext& context) {
  if (head_valid_) return true;
  head_valid_ = true;
  const WindowFrame& frame = window_.frame;
  switch (frame.start) {
    case FrameBound::kUnboundedPreceding:
      head_ = 0;
      return true;
    case FrameBound::kCurrentRow:
      head_ = frame.mode == FrameMode::kRows ? current_ : group_head_;
      return true;
    default:
      break;
  }
  if (frame.mode == FrameMode::kRange) return SeekRangeHead(context);
  if (frame.mode == FrameMode::kGroups) return SeekGroup(context, false);
  const bool back = frame.start == FrameBound::kOffsetPreceding;
  head_ = std::max<int64_t>(Shift(current_, start_offset_.integer, back), 0);
  if (head_ <= current_ + 1) return true;
  if (!Spool(context, head_ - 1)) return false;
  head_ = std::min(head_, rows_.size());
  return true;
}

bool WindowAggNode::FindFrameTail(ExecutionContext& context) {
  if (tail_valid_) return true;
  tail_valid_ = true;
  const WindowFrame& frame = window_.frame;
  if (frame.end == FrameBound::kUnboundedFollowing) {
    tail_ = kNoRow;
    return true;
  }
  if (frame.end == FrameBound::kCurrentRow) {
    if (frame.mode != FrameMode::kRows) {
      if (!FindGroupTail(context)) return false;
      tail_ = group_tail_;
      return true;
    }
    tail_ = current_ + 1;
    return true;
  }
  if (frame.mode == FrameMode::kRange) return SeekRangeTail(context);
  if (frame.mode == FrameMode::kGroups) return SeekGroup(context, true);
  const bool back = frame.end == FrameBound::kOffsetPreceding;
  tail_ = std::max<int64_t>(Shift(current_, end_offset_.integer, back) + 1, 0);
  return true;
}

bool WindowAggNode::FindPlace(ExecutionContext& context, int64_t row, Place& place) {
  if (!FindFrameHead(context) || !FindFrameTail(context)) return false;
  place = Place::kExcluded;
  if (row < head_) return true;
  if (row >= tail_) {
    place = Place::kBehind;
    return true;
  }
  const FrameExclusion exclusion = window_.frame.exclusion;
  if (exclusion == FrameExclusion::kCurrentRow && row == current_) return true;
  if (exclusion == FrameExclusion::kGroup ||
      (exclusion == FrameExclusion::kTies && row != current_)) {
    if (!FindGroupTail(context)) return false;
    if (row >= group_head_ && row < group_tail_) return true;
  }
  place = Place::kInFrame;
  return true;
}

}  // namespace connbench::engine
