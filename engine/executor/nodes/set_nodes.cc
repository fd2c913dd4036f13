// Functions that return sets.
#include "engine/executor/nodes/set_nodes.h"

#include <algorithm>

#include "engine/executor/nodes/explain.h"

namespace connbench::engine {
namespace {

// What PostgreSQL guesses of an array that it does not know.
constexpr double kGuessedElements = 10;

// A null array has no elements.
bool ReadSet(const Expression& array, EvalContext& context, std::optional<ArrayReader>& reader) {
  Value value;
  if (!Evaluate(array, context, value)) return false;
  reader.emplace(ElementType(array.type.oid), value.null ? std::string_view() : value.text());
  return true;
}

}  // namespace

// ---- in FROM ----

FunctionScanNode::FunctionScanNode(std::string function, const Expression* array, FromSlots slots)
    : FromItemNode(std::move(slots)), function_(std::move(function)), array_(array) {
  estimated_rows = kGuessedElements;
}

bool FunctionScanNode::DoOpen(ExecutionContext& context) {
  const ScratchScope scope(context.eval, arena_);
  arena_.Reset();
  context.eval.columns = slots_.frame->row();  // on the inner side of a join, the outer row
  row_[1] = Value::Integer(0);
  return ReadSet(*array_, context.eval, reader_);
}

Step FunctionScanNode::NextInput(ExecutionContext& /*context*/, const Value*& row) {
  if (!reader_->Next(row_[0])) return Step::kDone;
  ++row_[1].integer;
  row = row_;
  return Step::kRow;
}

void FunctionScanNode::Close(ExecutionContext& /*context*/) {
  reader_.reset();
  arena_.Release();
}

void FunctionScanNode::Explain(ExplainWriter& writer) const {
  ExplainAs(writer, "Function Scan on " + function_);
}

// ---- in a select list ----

ProjectSetNode::ProjectSetNode(PlanNodePtr child, std::vector<const Expression*> expressions)
    : child_(std::move(child)),
      expressions_(std::move(expressions)),
      sets_(expressions_.size()),
      values_(expressions_.size()) {
  estimated_rows = child_->estimated_rows * kGuessedElements;
  estimated_cost = child_->estimated_cost;
}

bool ProjectSetNode::DoOpen(ExecutionContext& context) {
  has_input_ = false;
  return child_->Open(context);
}

bool ProjectSetNode::ReadSets(ExecutionContext& context) {
  const ScratchScope scope(context.eval, set_arena_);
  set_arena_.Reset();
  context.eval.columns = input_;
  for (size_t i = 0; i < expressions_.size(); ++i) {
    const Expression& expression = *expressions_[i];
    if (expression.kind != ExpressionKind::kUnnest) continue;
    if (!ReadSet(*expression.arguments[0], context.eval, sets_[i])) return false;
  }
  return true;
}

bool ProjectSetNode::MakeRow(ExecutionContext& context, bool& found) {
  found = false;
  for (size_t i = 0; i < sets_.size(); ++i) {
    values_[i] = Value::Null();
    if (sets_[i] && sets_[i]->Next(values_[i])) found = true;
  }
  if (!found) return true;
  // Values are computed for each row, as in PostgreSQL.
  const ScratchScope scope(context.eval, row_arena_);
  row_arena_.Reset();
  context.eval.columns = input_;
  for (size_t i = 0; i < sets_.size(); ++i) {
    if (!sets_[i] && !Evaluate(*expressions_[i], context.eval, values_[i])) return false;
  }
  return true;
}

Step ProjectSetNode::DoNext(ExecutionContext& context, const Value*& row) {
  while (true) {
    Status interrupt = context.eval.environment->CheckInterrupts();
    if (!interrupt.ok()) [[unlikely]]
      return Fail(context, std::move(interrupt));
    if (!has_input_) {
      const Step step = child_->Next(context, input_);
      if (step != Step::kRow) return step;
      if (!ReadSets(context)) return Step::kError;
      has_input_ = true;
    }
    bool found = false;
    if (!MakeRow(context, found)) return Step::kError;
    if (!found) {
      has_input_ = false;
      continue;
    }
    row = values_.data();
    return Step::kRow;
  }
}

void ProjectSetNode::Close(ExecutionContext& context) {
  std::fill(sets_.begin(), sets_.end(), std::nullopt);
  set_arena_.Release();
  row_arena_.Release();
  child_->Close(context);
}

void ProjectSetNode::Explain(ExplainWriter& writer) const {
  writer.Node("ProjectSet", *this);
  writer.Child(*child_);
}

std::vector<std::string> ProjectSetNode::OutputNames() const {
  const std::vector<std::string> inputs = child_->OutputNames();
  std::vector<std::string> names;
  for (const Expression* expression : expressions_) {
    names.push_back(PrintExpression(*expression, inputs));
  }
  return names;
}

}  // namespace connbench::engine
