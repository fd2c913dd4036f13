// Aggregates over the frame of a window's current row.
#include <algorithm>

#include "engine/executor/nodes/subquery_nodes.h"
#include "engine/executor/nodes/window_node.h"

namespace connbench::engine {

// As PostgreSQL does it, so that sums of floats are those of the same additions.
bool WindowAggNode::ComputeAggregates(ExecutionContext& context) {
  if (!FindFrameHead(context)) return false;
  const WindowFrame& frame = window_.frame;
  const bool excludes = frame.exclusion != FrameExclusion::kNone;
  const bool head_moved = aggregated_ != head_;
  // The frame's end cannot have moved while the current row is among the rows up to it.
  const bool same_frame =
      !head_moved && !excludes &&
      (frame.end == FrameBound::kUnboundedFollowing || frame.end == FrameBound::kCurrentRow) &&
      aggregated_ <= current_ && aggregated_upto_ > current_;
  if (same_frame) return true;
  for (const auto& run : runs_) {
    if (!run->is_aggregate()) continue;
    run->restart = current_ == 0 || excludes || aggregated_upto_ <= head_ ||
                   (head_moved && !run->can_take_out);
  }
  if (!TakeOutLeavers(context)) return false;
  aggregated_ = head_;
  bool any_restart = false;
  for (const auto& run : runs_) {
    if (!run->is_aggregate() || !run->restart) continue;
    any_restart = true;
    run->arena.Reset();
    run->state = NewState(run->call.aggregate, run->arena);
    if (run->state == nullptr) return context.Fail(run->arena.OutOfMemory());
  }
  const int64_t others_upto = aggregated_upto_;
  if (any_restart) aggregated_upto_ = head_;
  return TakeInFrame(context, others_upto) && FinishAggregates(context);
}

// Rows that have left the frame at its head.
bool WindowAggNode::TakeOutLeavers(ExecutionContext& context) {
  const auto continues = [](const std::unique_ptr<Run>& run) {
    return run->is_aggregate() && !run->restart;
  };
  for (; aggregated_ < head_; ++aggregated_) {
    if (!std::any_of(runs_.begin(), runs_.end(), continues)) return true;
    bool exists = false;
    if (Interrupted(context) || !Fetch(context, leaver_reader_, aggregated_, exists)) return false;
    const ScratchScope scope(context.eval, scratch_);
    scratch_.Reset();
    context.eval.columns = leaver_reader_.values.data();
    for (const auto& run : runs_) {
      if (!continues(run)) continue;
      bool taken = false;
      if (!EvaluateInputs(run->call.aggregate, context.eval, inputs_.data(), taken)) return false;
      if (!taken) continue;
      bool done = false;
      if (!TakeOut(run->call.aggregate, inputs_.data(), *run->state, run->arena, context.eval,
                   done)) {
        return false;
      }
      run->restart = !done;
    }
  }
  return true;
}

// Rows from aggregated_upto_ on. Aggregates that did not begin anew have those before others_upto.
bool WindowAggNode::TakeInFrame(ExecutionContext& context, int64_t others_upto) {
  for (;; ++aggregated_upto_) {
    bool exists = false;
    if (Interrupted(context) || !Fetch(context, aggregate_reader_, aggregated_upto_, exists)) {
      return false;
    }
    if (!exists) return true;
    Place place = Place::kBehind;
    if (!FindPlace(context, aggregated_upto_, place)) return false;
    if (place == Place::kBehind) return true;
    if (place == Place::kExcluded) continue;
    const ScratchScope scope(context.eval, scratch_);
    scratch_.Reset();
    context.eval.columns = aggregate_reader_.values.data();
    for (const auto& run : runs_) {
      if (!run->is_aggregate() || (!run->restart && aggregated_upto_ < others_upto)) continue;
      bool taken = false;
      if (!EvaluateInputs(run->call.aggregate, context.eval, inputs_.data(), taken)) return false;
      if (taken &&
          !TakeIn(run->call.aggregate, inputs_.data(), *run->state, run->arena, context.eval)) {
        return false;
      }
    }
  }
}

bool WindowAggNode::FinishAggregates(ExecutionContext& context) {
  const ScratchScope scope(context.eval, sums_arena_);
  sums_arena_.Reset();
  for (const auto& run : runs_) {
    if (!run->is_aggregate()) continue;
    if (!Finish(run->call.aggregate, *run->state, context.eval, run->result)) return false;
  }
  return true;
}

}  // namespace connbench::engine
