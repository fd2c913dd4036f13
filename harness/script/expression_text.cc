// What an expression looks like and which variables it names, without evaluating it.
#include <string>
#include <string_view>
#include <vector>

#include "harness/script/expression.h"
#include "harness/script/expression_node.h"

namespace connbench::load {
namespace {

std::string_view OperationName(Operation operation) {
  switch (operation) {
    case Operation::kAnd:
      return "and";
    case Operation::kOr:
      return "or";
    case Operation::kNot:
      return "not";
    case Operation::kIs:
      return "is";
    case Operation::kCase:
      return "case";
    case Operation::kAdd:
      return "+";
    case Operation::kSubtract:
      return "-";
    case Operation::kMultiply:
      return "*";
    case Operation::kDivide:
      return "/";
    case Operation::kModulo:
      return "%";
    case Operation::kEqual:
      return "=";
    case Operation::kNotEqual:
      return "<>";
    case Operation::kLess:
      return "<";
    case Operation::kLessEqual:
      return "<=";
    case Operation::kBitAnd:
      return "&";
    case Operation::kBitOr:
      return "|";
    case Operation::kBitXor:
      return "#";
    case Operation::kShiftLeft:
      return "<<";
    case Operation::kShiftRight:
      return ">>";
    default:
      break;
  }
  for (const FunctionEntry& entry : kFunctions) {
    if (entry.operation == operation) return entry.name;
  }
  return "?";
}

void Print(const ExpressionNode& node, const SymbolTable& symbols, std::string& out) {
  if (node.operation == Operation::kConstant) {
    node.constant.AppendText(out);
    return;
  }
  if (node.operation == Operation::kVariable) {
    out += ':';
    out += symbols.name(node.slot);
    return;
  }
  out += '(';
  out += OperationName(node.operation);
  for (const auto& argument : node.arguments) {
    out += ' ';
    Print(*argument, symbols, out);
  }
  out += ')';
}

void Collect(const ExpressionNode& node, std::vector<uint32_t>& slots) {
  if (node.operation == Operation::kVariable) slots.push_back(node.slot);
  for (const auto& argument : node.arguments) Collect(*argument, slots);
}

}  // namespace

std::string Expression::ToString(const SymbolTable& symbols) const {
  std::string out;
  Print(*root_, symbols, out);
  return out;
}

void Expression::CollectVariables(std::vector<uint32_t>& slots) const { Collect(*root_, slots); }

}  // namespace connbench::load
