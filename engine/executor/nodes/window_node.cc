// Window functions: rows, partitions, and the order of things.
#include "engine/executor/nodes/window_node.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/explain.h"
#include "engine/executor/nodes/subquery_nodes.h"

namespace connbench::engine {
namespace {

bool RunsSubquery(const Expression& expression) {
  return expression.kind == ExpressionKind::kSubquery ||
         std::any_of(expression.args().begin(), expression.args().end(),
                     [](const Expression* argument) { return RunsSubquery(*argument); });
}

// Only what gives the same again can be taken out as it was taken in.
bool MayTakeOut(const AggregateCall& call) {
  if (!CanTakeOut(call)) return false;
  const auto may_repeat = [](const Expression* expression) {
    return expression->volatility != Volatility::kVolatile && !RunsSubquery(*expression);
  };
  return (call.filter == nullptr || may_repeat(call.filter)) &&
         std::all_of(call.arguments.begin(), call.arguments.end(), may_repeat);
}

bool IsOffset(FrameBound bound) {
  return bound == FrameBound::kOffsetPreceding || bound == FrameBound::kOffsetFollowing;
}

bool NeedsGroups(const WindowCall& call) {
  return call.function >= WindowFunction::kRank && call.function <= WindowFunction::kCumeDist;
}

}  // namespace

WindowAggNode::WindowAggNode(PlanNodePtr child, const std::vector<Type>& types,
                             WindowDescription window, std::vector<WindowCall> calls)
    : child_(std::move(child)),
      window_(std::move(window)),
      codec_(types),
      columns_(types.size()),
      rows_(codec_),
      row_(types.size() + calls.size()) {
  estimated_rows = child_->estimated_rows;
  estimated_cost = child_->estimated_cost + estimated_rows * 0.01;
  const WindowFrame& frame = window_.frame;
  const bool by_rows = frame.mode == FrameMode::kRows;
  needs_groups_ = frame.exclusion == FrameExclusion::kGroup ||
                  frame.exclusion == FrameExclusion::kTies ||
                  (!by_rows && (frame.start != FrameBound::kUnboundedPreceding ||
                                frame.end != FrameBound::kUnboundedFollowing));
  scans_for_head_ = !by_rows && IsOffset(frame.start);
  scans_for_tail_ = !by_rows && IsOffset(frame.end);
  size_t most_inputs = 1;
  for (const WindowCall& call : calls) {
    Run& run = *runs_.emplace_back(std::make_unique<Run>(call));
    run.reader.values.resize(columns_);
    needs_groups_ = needs_groups_ || NeedsGroups(call);
    reads_frame_rows_ = reads_frame_rows_ || call.function >= WindowFunction::kFirstValue;
    if (!run.is_aggregate()) continue;
    has_aggregates_ = true;
    run.can_take_out = MayTakeOut(call.aggregate);
    most_inputs = std::max(most_inputs, call.aggregate.inputs());
  }
  inputs_.resize(most_inputs);
  for (WindowRows::Reader* reader : {&current_reader_, &group_reader_, &head_reader_, &tail_reader_,
                                     &aggregate_reader_, &leaver_reader_}) {
    reader->values.resize(columns_);
  }
}

bool WindowAggNode::DoOpen(ExecutionContext& context) {
  rows_.Release();
  rows_.SetMemoryLimit(context.work_mem_bytes);
  for (const auto& run : runs_) run->arena.set_interrupts(context.eval.environment);
  started_ = has_ahead_ = false;
  complete_ = true;
  current_ = -1;
  spilled_bytes_ = 0;
  return child_->Open(context);
}

void WindowAggNode::Close(ExecutionContext& context) {
  rows_.Release();
  for (const auto& run : runs_) run->arena.Release();
  for (Arena* arena : {&scratch_, &row_arena_, &sums_arena_, &offset_arena_}) arena->Release();
  child_->Close(context);
}

bool WindowAggNode::Interrupted(ExecutionContext& context) {
  Status interrupt = context.eval.environment->CheckInterrupts();
  if (interrupt.ok()) [[likely]]
    return false;
  context.eval.status = std::move(interrupt);
  return true;
}

bool WindowAggNode::Evaluate(ExecutionContext& context, const Expression& expression,
                             const Value* row, Value& out) {
  const ScratchScope scope(context.eval, row_arena_);
  context.eval.columns = row;
  return engine::Evaluate(expression, context.eval, out);
}

void WindowAggNode::MakeOrderKey(const Value* row, KeyBuffer& key) const {
  key.Clear();
  for (const SortKey& each : window_.order) AppendSortKey(each, row[each.column], key);
}

// ---- offsets of the frame ----

bool WindowAggNode::EvaluateOffset(ExecutionContext& context, const Expression* offset,
                                   std::string_view which, Value& out) {
  if (offset == nullptr) return true;
  const ScratchScope scope(context.eval, offset_arena_);
  if (!engine::Evaluate(*offset, context.eval, out)) return false;
  if (out.null) {
    return context.Fail(Status::Error(sqlstate::kNullValueNotAllowed,
                                      fmt::format("frame {} offset must not be null", which)));
  }
  if (window_.frame.mode == FrameMode::kRange || out.integer >= 0) return true;
  return context.Fail(Status::Error(sqlstate::kInvalidPrecedingOrFollowingSize,
                                    fmt::format("frame {} offset must not be negative", which)));
}

bool WindowAggNode::EvaluateOffsets(ExecutionContext& context) {
  offset_arena_.Reset();
  return EvaluateOffset(context, window_.frame.start_offset, "starting", start_offset_) &&
         EvaluateOffset(context, window_.frame.end_offset, "ending", end_offset_);
}

// ---- rows ----

bool WindowAggNode::ReadInput(ExecutionContext& context, bool& in_partition) {
  in_partition = false;
  const Value* row = nullptr;
  const Step step = child_->Next(context, row);
  if (step == Step::kError) return false;
  if (step == Step::kDone) {
    complete_ = true;
    child_->Close(context);
    return true;
  }
  key_.Clear();
  for (const SortKey& each : window_.partition) AppendSortKey(each, row[each.column], key_);
  in_partition = !complete_ && key_.view() == partition_key_;
  std::string& bytes = in_partition ? row_bytes_ : ahead_bytes_;
  bytes.resize(codec_.EncodedSize(row));
  codec_.Encode(row, bytes.data());
  if (!in_partition) {
    partition_key_.assign(key_.view());
    has_ahead_ = complete_ = true;
    return true;
  }
  Status added = rows_.Add(row_bytes_);
  return added.ok() || context.Fail(std::move(added));
}

bool WindowAggNode::BeginPartition(ExecutionContext& context) {
  spilled_bytes_ = std::max(spilled_bytes_, rows_.spilled_bytes());
  rows_.Clear();
  for (WindowRows::Reader* reader : {&current_reader_, &group_reader_, &head_reader_, &tail_reader_,
                                     &aggregate_reader_, &leaver_reader_}) {
    reader->Forget();
  }
  for (const auto& run : runs_) {
    run->reader.Forget();
    run->buckets = run->bucket = 0;
    run->distance = 0;
  }
  current_ = -1;
  group_ = group_head_ = group_tail_ = 0;
  head_ = tail_ = head_group_ = tail_group_ = 0;
  aggregated_ = aggregated_upto_ = 0;
  complete_ = has_ahead_ = false;
  Status added = rows_.Add(ahead_bytes_);
  return added.ok() || context.Fail(std::move(added));
}

bool WindowAggNode::Spool(ExecutionContext& context, int64_t row) {
  while (!complete_ && rows_.size() <= row) {
    if (Interrupted(context)) return false;
    if (rows_.size() % WindowRows::kRowsPerStretch == 0) rows_.Trim(FirstNeededRow());
    bool in_partition = false;
    if (!ReadInput(context, in_partition)) return false;
  }
  return true;
}

bool WindowAggNode::Fetch(ExecutionContext& context, WindowRows::Reader& reader, int64_t row,
                          bool& exists) {
  exists = false;
  if (row < 0) return true;
  if (row >= rows_.size() && !Spool(context, row)) return false;
  exists = row < rows_.size();
  if (!exists) return true;
  Status read = rows_.Read(reader, row);
  return read.ok() || context.Fail(std::move(read));
}

int64_t WindowAggNode::FirstNeededRow() const {
  int64_t first = std::max<int64_t>(current_, 0);
  if (reads_frame_rows_ || scans_for_head_) first = std::min(first, head_);
  if (scans_for_tail_) first = std::min(first, tail_);
  if (has_aggregates_) {
    first = std::min(first, aggregated_upto_);
    // Only a frame that never loses a row need not be read again.
    const bool grows = window_.frame.start == FrameBound::kUnboundedPreceding &&
                       window_.frame.exclusion == FrameExclusion::kNone;
    if (!grows) first = std::min(first, aggregated_);
  }
  for (const auto& run : runs_) {
    const WindowFunction function = run->call.function;
    if (function != WindowFunction::kLag && function != WindowFunction::kLead) continue;
    if (!run->fixed_distance) return 0;
    first = std::min(first, std::max<int64_t>(current_ + std::min<int64_t>(run->distance, 0), 0));
  }
  return first;
}

void WindowAggNode::NoteCurrentRow() {
  head_valid_ = tail_valid_ = false;
  if (!needs_groups_) return;
  MakeOrderKey(current_reader_.values.data(), key_);
  if (current_ == 0) {
    group_tail_valid_ = false;
  } else if (key_.view() != order_key_) {
    ++group_;
    group_head_ = current_;
    group_tail_valid_ = false;
  }
  order_key_.assign(key_.view());
}

Step WindowAggNode::DoNext(ExecutionContext& context, const Value*& row) {
  context.eval.arena->Reset();
  if (Interrupted(context)) return Step::kError;
  if (!started_) {
    started_ = true;
    bool ignored = false;
    if (!EvaluateOffsets(context) || !ReadInput(context, ignored)) return Step::kError;
  }
  bool exists = false;
  if (!Fetch(context, current_reader_, current_ + 1, exists)) return Step::kError;
  if (!exists) {
    if (!has_ahead_) return Step::kDone;
    if (!BeginPartition(context) || !Fetch(context, current_reader_, 0, exists)) {
      return Step::kError;
    }
  }
  ++current_;
  NoteCurrentRow();
  row_arena_.Reset();
  for (const auto& run : runs_) {
    if (!run->is_aggregate() && !Compute(context, *run)) return Step::kError;
  }
  if (has_aggregates_ && !ComputeAggregates(context)) return Step::kError;
  // Also if no function asks: a bad offset is an error, and rows before the frame can be trimmed.
  if (scans_for_head_ && !FindFrameHead(context)) return Step::kError;
  if (scans_for_tail_ && !FindFrameTail(context)) return Step::kError;
  std::copy(current_reader_.values.begin(), current_reader_.values.end(), row_.begin());
  for (size_t i = 0; i < runs_.size(); ++i) row_[columns_ + i] = runs_[i]->result;
  row = row_.data();
  return Step::kRow;
}

// ---- EXPLAIN ----

std::vector<std::string> WindowAggNode::OutputNames() const {
  std::vector<std::string> names = child_->OutputNames();
  const std::vector<std::string> inputs = names;
  for (const auto& run : runs_) {
    const WindowCall& call = run->call;
    std::string arguments;
    for (const Expression* argument : call.arguments()) {
      arguments += (arguments.empty() ? "" : ", ") + PrintExpression(*argument, inputs);
    }
    if (run->is_aggregate() && arguments.empty()) arguments = "*";
    std::string filter;
    if (run->is_aggregate() && call.aggregate.filter != nullptr) {
      filter = fmt::format(" FILTER (WHERE {})", PrintExpression(*call.aggregate.filter, inputs));
    }
    names.push_back(fmt::format("({}({}){} OVER (?))", call.name, arguments, filter));
  }
  return names;
}

void WindowAggNode::Explain(ExplainWriter& writer) const {
  writer.Node("WindowAgg", *this);
  writer.Child(*child_);
}

}  // namespace connbench::engine
