// Prints plans as EXPLAIN does, and expressions as PostgreSQL deparses them.
#include "engine/executor/nodes/explain.h"

#include <fmt/format.h>

#include <utility>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/type.h"
#include "engine/executor/types/type_io.h"

namespace connbench::engine {
namespace {

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

// "character" would mean character(1).
std::string PrintType(Type type) {
  return type.oid == type_oid::kBpchar && type.modifier < 0 ? "bpchar" : FormatType(type);
}

std::string PrintConstant(const Expression& expression) {
  const Value& value = expression.constant;
  const std::string type = PrintType(expression.type);
  if (value.null) return "NULL::" + type;
  Arena arena;
  std::string_view text;
  if (!FormatText(expression.type.oid, value, {&arena, nullptr, 0}, text).ok()) return "?";
  const Oid oid = expression.type.oid;
  if (oid == type_oid::kBool) return value.integer != 0 ? "true" : "false";
  const bool plain = oid == type_oid::kInt4 || oid == type_oid::kNumeric;
  if (plain && !text.starts_with('-')) return std::string(text);
  return Quoted(text) + "::" + type;
}

std::string Join(const Expression& expression, std::string_view separator,
                 const ColumnNames& names) {
  std::string text;
  for (const Expression* argument : expression.args()) {
    if (!text.empty()) text += separator;
    text += PrintExpression(*argument, names);
  }
  return text;
}

std::string PrintFunction(const Expression& expression, const ColumnNames& names) {
  const FunctionDescription* function = expression.function;
  const auto arguments = expression.args();
  if (function == nullptr) return "(" + Join(expression, ", ", names) + ")";
  const std::string name(function->name);
  // Here a sequence is given by its name, in PostgreSQL as a regclass.
  const bool by_name = TakesSequence(*function) && !arguments.empty() &&
                       arguments[0]->kind == ExpressionKind::kConstant &&
                       arguments[0]->type.oid == type_oid::kText && !arguments[0]->constant.null;
  if (by_name) {
    std::string list = Quoted(arguments[0]->constant.text()) + "::regclass";
    for (const Expression* argument : arguments.subspan(1)) {
      list += ", " + PrintExpression(*argument, names);
    }
    return name + "(" + list + ")";
  }
  if (function->is_operator && arguments.size() == 2) {
    return "(" + PrintExpression(*arguments[0], names) + " " + name + " " +
           PrintExpression(*arguments[1], names) + ")";
  }
  if (function->is_operator && arguments.size() == 1) {
    return "(" + name + " " + PrintExpression(*arguments[0], names) + ")";
  }
  return name + "(" + Join(expression, ", ", names) + ")";
}

std::string PrintCase(const Expression& expression, const ColumnNames& names) {
  const auto arguments = expression.args();
  std::string text = "CASE";
  size_t i = 0;
  for (; i + 1 < arguments.size(); i += 2) {
    text += " WHEN " + PrintExpression(*arguments[i], names) + " THEN " +
            PrintExpression(*arguments[i + 1], names);
  }
  if (i < arguments.size()) text += " ELSE " + PrintExpression(*arguments[i], names);
  return text + " END";
}

}  // namespace

std::string PrintExpression(const Expression& expression, const ColumnNames& names) {
  const auto argument = [&](size_t i) { return PrintExpression(*expression.args()[i], names); };
  switch (expression.kind) {
    case ExpressionKind::kConstant:
      return PrintConstant(expression);
    case ExpressionKind::kColumn: {
      const auto index = static_cast<size_t>(expression.index);
      return index < names.size() ? names[index] : fmt::format("column{}", index + 1);
    }
    case ExpressionKind::kParameter:
      return fmt::format("${}", expression.index + 1);
    case ExpressionKind::kFunction:
      return PrintFunction(expression, names);
    case ExpressionKind::kTextInput: {
      const Expression& text = *expression.arguments[0];
      const bool literal = text.kind == ExpressionKind::kConstant &&
                           text.type.oid == type_oid::kUnknown && !text.constant.null;
      if (literal) return Quoted(text.constant.text()) + "::" + PrintType(expression.type);
      return fmt::format("({})::{}", argument(0), PrintType(expression.type));
    }
    case ExpressionKind::kAnyElement:
      return fmt::format("({} {} {} ({}))", argument(0), expression.function->name,
                         expression.negated ? "ALL" : "ANY", argument(1));
    case ExpressionKind::kArray:
      return "ARRAY[" + Join(expression, ", ", names) + "]";
    case ExpressionKind::kUnnest:
      return argument(0);
    case ExpressionKind::kArrayCoerce:
    case ExpressionKind::kRelabel:
    case ExpressionKind::kCoerce:
    case ExpressionKind::kTextOutput:
      return fmt::format("({})::{}", argument(0), PrintType(expression.type));
    case ExpressionKind::kAnd:
      return "(" + Join(expression, " AND ", names) + ")";
    case ExpressionKind::kOr:
      return "(" + Join(expression, " OR ", names) + ")";
    case ExpressionKind::kNot:
      return "(NOT " + argument(0) + ")";
    case ExpressionKind::kNullTest:
      return fmt::format("({} IS {}NULL)", argument(0), expression.negated ? "NOT " : "");
    case ExpressionKind::kBooleanTest: {
      constexpr std::string_view kTests[] = {"TRUE",      "NOT TRUE", "FALSE",
                                             "NOT FALSE", "UNKNOWN",  "NOT UNKNOWN"};
      return fmt::format("({} IS {})", argument(0), kTests[expression.test % std::size(kTests)]);
    }
    case ExpressionKind::kDistinct:
      return fmt::format("({} IS {}DISTINCT FROM {})", argument(0),
                         expression.negated ? "NOT " : "", argument(1));
    case ExpressionKind::kIn: {
      std::string list;
      for (size_t i = 1; i < expression.argument_count; ++i) {
        list += (i > 1 ? ", " : "") + argument(i);
      }
      return fmt::format("({} {}IN ({}))", argument(0), expression.negated ? "NOT " : "", list);
    }
    case ExpressionKind::kCase:
      return PrintCase(expression, names);
    case ExpressionKind::kCoalesce:
      return "COALESCE(" + Join(expression, ", ", names) + ")";
    case ExpressionKind::kNullIf:
      return "NULLIF(" + Join(expression, ", ", names) + ")";
    case ExpressionKind::kGreatest:
      return "GREATEST(" + Join(expression, ", ", names) + ")";
    case ExpressionKind::kLeast:
      return "LEAST(" + Join(expression, ", ", names) + ")";
    case ExpressionKind::kCell:
      return std::string(expression.constant.text());
    case ExpressionKind::kSubquery:
      return expression.subquery->Reference();
  }
  return "?";
}

void ExplainWriter::Node(std::string_view title, const PlanNode& node) {
  std::string line = depth_ == 0 ? "" : Indent(depth_ * 6 - 4) + "->  ";
  line += title;
  if (options_.costs) {
    line += fmt::format("  (cost=0.00..{:.2f} rows={:.0f})", node.estimated_cost,
                        std::max(1.0, node.estimated_rows));
  }
  if (options_.analyze && node.actual().loops == 0) {
    line += " (never executed)";
  } else if (options_.analyze) {
    const PlanNode::Actual& actual = node.actual();
    // As in PostgreSQL, times and rows are means of the loops, rows rounded.
    constexpr double kNanosecondsPerMs = 1e6;
    const double loop_ms = kNanosecondsPerMs * static_cast<double>(actual.loops);
    const int64_t rows = (actual.rows + actual.loops / 2) / actual.loops;
    if (options_.timing) {
      line += fmt::format(" (actual time={:.3f}..{:.3f} rows={} loops={})",
                          static_cast<double>(actual.first_row_ns) / loop_ms,
                          static_cast<double>(actual.time_ns) / loop_ms, rows, actual.loops);
    } else {
      line += fmt::format(" (actual rows={} loops={})", rows, actual.loops);
    }
  }
  lines_.push_back(std::move(line));
}

std::string ExplainWriter::Indent(int columns) const {
  return std::string(static_cast<size_t>(columns + attached_), ' ');
}

void ExplainWriter::Property(std::string_view name, std::string_view value) {
  lines_.push_back(fmt::format("{}{}: {}", Indent(depth_ * 6 + 2), name, value));
}

void ExplainWriter::RowsRemoved(int64_t rows, std::string_view by) {
  if (rows > 0) Property(fmt::format("Rows Removed by {}", by), std::to_string(rows));
}

void ExplainWriter::WriteAttachments() {
  if (attachments_ != nullptr) std::exchange(attachments_, nullptr)();
}

void ExplainWriter::Attachment(std::string_view label, const PlanNode& root) {
  lines_.push_back(Indent(depth_ * 6 + 2) + std::string(label));
  attached_ += 2;
  Child(root);
  attached_ -= 2;
}

void ExplainWriter::Child(const PlanNode& child) {
  WriteAttachments();
  ++depth_;
  child.Explain(*this);
  --depth_;
}

}  // namespace connbench::engine
