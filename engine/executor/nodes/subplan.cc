// Queries inside expressions.
#include "engine/executor/nodes/subplan.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/explain.h"
#include "engine/executor/nodes/hash_join.h"
#include "engine/executor/types/array.h"

namespace connbench::engine {
namespace {

uint64_t HashKey(Oid type, const Value& value) {
  const uint64_t hash = HashNullable(type, value);
  return hash ^ hash >> 32;
}

}  // namespace

SubPlan::SubPlan(SubPlanDescription description, std::shared_ptr<ExecutionContext*> running)
    : description_(std::move(description)),
      running_(std::move(running)),
      codec_(description_.types),
      values_(description_.types.size()) {}

void SubPlan::DropTable() {
  index_.Clear();
  use_table_ = false;
}

void SubPlan::Begin() {
  kept_ = has_null_ = false;
  kept_arena_.Release();
  store_.Clear();
  position_ = {};
  DropTable();
}

void SubPlan::Close(ExecutionContext& context) {
  description_.root->Close(context);
  scratch_.Release();
  Begin();
}

std::string SubPlan::Reference() const {
  if (is_init_plan()) return fmt::format("${}", description_.number - 1);
  return fmt::format("({}SubPlan {})", hashed() ? "hashed " : "", description_.number);
}

void SubPlan::Explain(ExplainWriter& writer) const {
  const int number = description_.number;
  writer.Attachment(is_init_plan() ? fmt::format("InitPlan {} (returns ${})", number, number - 1)
                                   : fmt::format("SubPlan {}", number),
                    *description_.root);
}

void QueryParts::Begin(ExecutionContext& context) const {
  for (CommonTable* table : common_tables) table->Begin(context);
  for (SubPlan* subplan : kept) subplan->Begin();
}

bool SubPlan::Start(ExecutionContext& context, Step& step, const Value*& row) {
  description_.parts.Begin(context);
  if (!description_.root->Open(context)) return false;
  step = description_.root->Next(context, row);
  return step != Step::kError;
}

// Copies the row's values, since the plan moves on.
bool SubPlan::KeepRow(const Value* row, Arena& arena, EvalContext& context) {
  for (size_t i = 0; i < values_.size(); ++i) {
    values_[i] = row[i];
    if (row[i].null || GetType(description_.types[i].oid).form != ValueForm::kBytes) continue;
    const std::string_view copy = arena.Copy(row[i].text());
    if (copy.data() == nullptr) return context.Fail(arena.OutOfMemory());
    values_[i] = Value::Text(copy);
  }
  return true;
}

bool SubPlan::MakeArray(ExecutionContext& context, Step step, const Value* row, Arena& arena) {
  Arena growing(context.work_mem_bytes);
  ArrayWriter writer(description_.types[0].oid, growing);
  for (; step == Step::kRow && writer.ok(); step = description_.root->Next(context, row)) {
    writer.Add(row[0]);
  }
  if (step == Step::kError || !context.eval.Check(writer.Finish(values_[0]))) return false;
  has_row_ = true;
  const std::string_view copy = arena.Copy(values_[0].text());
  if (copy.data() == nullptr) return context.Fail(arena.OutOfMemory());
  values_[0] = Value::Text(copy);
  return true;
}

bool SubPlan::FindValue(ExecutionContext& context, Arena& arena) {
  Step step = Step::kDone;
  const Value* row = nullptr;
  if (!Start(context, step, row)) return false;
  has_row_ = step == Step::kRow;
  if (description_.kind == SubqueryKind::kArray) {
    if (!MakeArray(context, step, row, arena)) return false;
  } else if (has_row_ && description_.kind == SubqueryKind::kScalar) {
    if (!KeepRow(row, arena, context.eval)) return false;
    step = description_.root->Next(context, row);
    if (step == Step::kError) return false;
    if (step == Step::kRow) {
      return context.Fail(
          Status::Error(sqlstate::kCardinalityViolation,
                        "more than one row returned by a subquery used as an expression"));
    }
  }
  description_.root->Close(context);
  return true;
}

void SubPlan::TakeColumns(const Value* row) {
  for (size_t i = 0; i < description_.columns.size(); ++i) *description_.columns[i] = row[i];
}

// The row whose columns the cells hold and whose bytes row_bytes_ has. stored: it is there already.
bool SubPlan::AddToTable(ExecutionContext& context, bool& stored) {
  stored = true;
  Value key;
  if (!connbench::engine::Evaluate(*description_.right_key, context.eval, key)) return false;
  if (key.null) {
    has_null_ = true;
    return true;
  }
  const uint64_t hash = HashKey(description_.right_key->type.oid, key);
  if (index_.full(store_.rows())) {
    if (store_.bytes_held() + index_.grown_bytes() > limit_bytes_) {
      DropTable();
      stored = false;
      return true;
    }
    index_.Grow();
  }
  if (index_.Find(hash, [&](size_t row) { return store_[row] == row_bytes_; })) return true;
  index_.Add(hash, store_.rows());
  stored = false;
  return true;
}

bool SubPlan::KeepRows(ExecutionContext& context) {
  limit_bytes_ = hashed() ? HashMemory(context.work_mem_bytes) : context.work_mem_bytes;
  store_.SetMemoryLimit(limit_bytes_);
  use_table_ = hashed();
  Step step = Step::kDone;
  const Value* row = nullptr;
  if (!Start(context, step, row)) return false;
  while (step == Step::kRow) {
    row_bytes_.resize(codec_.EncodedSize(row));
    codec_.Encode(row, row_bytes_.data());
    bool stored = false;
    if (use_table_) {
      TakeColumns(row);
      if (!AddToTable(context, stored)) return false;
    }
    if (!stored) {
      Status added = store_.Add(row_bytes_);
      if (!added.ok()) return context.Fail(std::move(added));
      if (!store_.in_memory()) DropTable();
    }
    step = description_.root->Next(context, row);
    if (step == Step::kError) return false;
  }
  description_.root->Close(context);
  return true;
}

// The next of the kept rows into the cells; found: there is one.
bool SubPlan::ReadKept(ExecutionContext& context, bool& found) {
  context.eval.arena->Reset();
  Status interrupt = context.eval.environment->CheckInterrupts();
  if (!interrupt.ok()) [[unlikely]]
    return context.Fail(std::move(interrupt));
  std::string_view row;
  Result<bool> read = store_.Read(position_, row);
  if (!read.ok()) return context.Fail(read.TakeStatus());
  found = *read;
  if (!found) return true;
  codec_.DecodeAll(row, values_.data());
  TakeColumns(values_.data());
  return true;
}

// Row by row. ANY looks for true, ALL for false; a null keeps the answer open.
bool SubPlan::Compare(ExecutionContext& context, Value& out) {
  const bool decisive = description_.kind == SubqueryKind::kAny;
  bool open = has_null_;
  bool decided = false;
  bool more = false;
  Step step = Step::kDone;
  const Value* row = nullptr;
  if (kept_) {
    position_.Rewind();
    if (!ReadKept(context, more)) return false;
  } else {
    if (!Start(context, step, row)) return false;
    more = step == Step::kRow;
    if (more) TakeColumns(row);
  }
  while (more && !decided) {
    Value matches;
    if (!connbench::engine::Evaluate(*description_.test, context.eval, matches)) return false;
    open = open || matches.null;
    decided = !matches.null && (matches.integer != 0) == decisive;
    if (decided) break;
    if (kept_) {
      if (!ReadKept(context, more)) return false;
    } else {
      step = description_.root->Next(context, row);
      if (step == Step::kError) return false;
      more = step == Step::kRow;
      if (more) TakeColumns(row);
    }
  }
  if (!kept_) description_.root->Close(context);
  out = decided ? Value::Bool(decisive) : open ? Value::Null() : Value::Bool(!decisive);
  return true;
}

bool SubPlan::LookUp(ExecutionContext& context, Value& out) {
  Value key;
  if (!connbench::engine::Evaluate(*description_.left_key, context.eval, key)) return false;
  if (store_.rows() == 0 && !has_null_) {
    out = Value::Bool(false);
    return true;
  }
  out = Value::Null();
  if (key.null) return true;
  const uint64_t hash = HashKey(description_.left_key->type.oid, key);
  bool failed = false;
  const bool found = index_.Find(hash, [&](size_t row) {
    codec_.DecodeAll(store_[row], values_.data());
    TakeColumns(values_.data());
    Value matches;
    failed = !connbench::engine::Evaluate(*description_.test, context.eval, matches);
    return failed || (!matches.null && matches.integer != 0);
  });
  if (failed) return false;
  if (found) {
    out = Value::Bool(true);
    return true;
  }
  if (!has_null_) out = Value::Bool(false);
  return true;
}

bool SubPlan::Evaluate(const Expression& expression, EvalContext& context, Value& out) {
  ExecutionContext& execution = **running_;
  for (uint32_t i = 0; i < expression.argument_count; ++i) {
    if (!connbench::engine::Evaluate(*expression.arguments[i], context, *description_.cells[i])) {
      return false;
    }
  }
  Arena& outer_arena = *context.arena;
  const ScratchScope scope(context, scratch_);
  scratch_.Reset();
  const bool once = !description_.reads_outer;
  if (description_.kind == SubqueryKind::kAny || description_.kind == SubqueryKind::kAll) {
    if (once && !kept_) {
      if (!KeepRows(execution)) return false;
      kept_ = true;
    }
    return use_table_ ? LookUp(execution, out) : Compare(execution, out);
  }
  if (!kept_) {
    kept_arena_.set_limit_bytes(outer_arena.limit_bytes());
    if (!FindValue(execution, once ? kept_arena_ : outer_arena)) return false;
    kept_ = once;
  }
  if (description_.kind == SubqueryKind::kExists) {
    out = Value::Bool(has_row_);
  } else {
    out = has_row_ ? values_[static_cast<size_t>(expression.index)] : Value::Null();
  }
  return true;
}

// ---- the root ----

SubqueryRootNode::SubqueryRootNode(PlanNodePtr child,
                                   std::vector<std::unique_ptr<SubPlan>> subplans,
                                   std::vector<std::shared_ptr<CommonTable>> common_tables,
                                   std::shared_ptr<ExecutionContext*> running)
    : subplans_(std::move(subplans)),
      common_tables_(std::move(common_tables)),
      child_(std::move(child)),
      running_(std::move(running)) {
  estimated_rows = child_->estimated_rows;
  estimated_cost = child_->estimated_cost;
}

bool SubqueryRootNode::DoOpen(ExecutionContext& context) {
  *running_ = &context;
  for (const auto& subplan : subplans_) subplan->Begin();
  for (const auto& table : common_tables_) table->Begin(context);
  return child_->Open(context);
}

Step SubqueryRootNode::DoNext(ExecutionContext& context, const Value*& row) {
  *running_ = &context;
  return child_->Next(context, row);
}

void SubqueryRootNode::Close(ExecutionContext& context) {
  child_->Close(context);
  for (const auto& subplan : subplans_) subplan->Close(context);
  for (const auto& table : common_tables_) table->Close(context);
}

void SubqueryRootNode::Explain(ExplainWriter& writer) const {
  writer.AttachToNext([this, &writer] {
    for (const auto& table : common_tables_)
      writer.Attachment("CTE " + table->name(), table->child());
    for (const auto& subplan : subplans_) subplan->Explain(writer);
  });
  child_->Explain(writer);
  writer.WriteAttachments();
}

}  // namespace connbench::engine
