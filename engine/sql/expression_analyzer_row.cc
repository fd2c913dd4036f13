// Comparisons of rows, as comparisons of their columns.

#include <fmt/format.h>

#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {
namespace {

using ast::Node;

bool IsRow(const Node* node) {
  return node != nullptr && node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR;
}

}  // namespace

bool ExpressionAnalyzer::ComparesRows(const PgQuery__AExpr& expression) {
  switch (expression.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return IsRow(expression.lexpr) && IsRow(expression.rexpr);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
      return IsRow(expression.lexpr);
    default:
      return false;
  }
}

Result<std::vector<Expression*>> ExpressionAnalyzer::VisitRow(const Node& node) {
  return VisitList(node.row_expr->args, node.row_expr->n_args);
}

Result<Expression*> ExpressionAnalyzer::VisitRowComparison(const PgQuery__AExpr& expression) {
  const int location = expression.location;
  const std::string_view name = ast::StringOf(*expression.name[expression.n_name - 1]);
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Expression*> left, VisitRow(*expression.lexpr));
  if (IsRow(expression.rexpr)) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Expression*> right, VisitRow(*expression.rexpr));
    if (expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP) {
      return CompareRows(name, left, right, location);
    }
    return DistinguishRows(
        left, right, expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT, location);
  }
  // NOT IN is IN with the other operator, and all of it must hold; BETWEEN has two tests.
  const bool is_in = expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_IN;
  const bool is_not =
      is_in ? name == "<>" : expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN;
  const std::string_view ends[] = {is_not ? "<" : ">=", is_not ? ">" : "<="};
  std::vector<Expression*> tests;
  const PgQuery__List& list = *expression.rexpr->list;
  for (size_t i = 0; i < list.n_items; ++i) {
    if (!IsRow(list.items[i])) {
      return NotSupported("a row compared with what is no list of values", location);
    }
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Expression*> right, VisitRow(*list.items[i]));
    CONNBENCH_ASSIGN_OR_RETURN(Expression * test,
                               CompareRows(is_in ? name : ends[i], left, right, location));
    tests.push_back(test);
  }
  if (tests.size() == 1) return tests[0];
  return is_in == is_not ? builder_.And(tests, location) : builder_.Or(tests, location);
}

Status ExpressionAnalyzer::CheckRows(std::span<Expression* const> left,
                                     std::span<Expression* const> right, int location) const {
  if (left.size() != right.size()) {
    return Status::Error(sqlstate::kSyntaxError, "unequal number of entries in row expressions",
                         builder_.PositionOf(location));
  }
  if (!left.empty()) return {};
  return Status::Error(sqlstate::kFeatureNotSupported, "cannot compare rows of zero length",
                       builder_.PositionOf(location));
}

// = is all columns equal, <> any different. The others order rows by the first columns that differ:
// a < c or (a = c and b < d); before it, a <= c, which is no more than an index can use.
Result<Expression*> ExpressionAnalyzer::CompareRows(std::string_view name,
                                                    std::span<Expression* const> left,
                                                    std::span<Expression* const> right,
                                                    int location) {
  CONNBENCH_RETURN_IF_ERROR(CheckRows(left, right, location));
  std::vector<Expression*> tests;
  for (size_t i = 0; i < left.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * test,
                               builder_.Operator(name, left[i], right[i], location));
    if (test->type.oid != type_oid::kBool) {
      return Status::Error(
          sqlstate::kDatatypeMismatch,
          fmt::format("row comparison operator must yield type boolean, not type {}",
                      FormatType(test->type)),
          builder_.PositionOf(location));
    }
    tests.push_back(test);
  }
  if (tests.size() == 1) return tests[0];
  if (name == "=") return builder_.And(tests, location);
  if (name == "<>" || name == "!=") return builder_.Or(tests, location);
  if (name != "<" && name != "<=" && name != ">" && name != ">=") {
    return Status::Error(
               sqlstate::kFeatureNotSupported,
               fmt::format("could not determine interpretation of row comparison operator {}",
                           name),
               builder_.PositionOf(location))
        .WithHint("Row comparison operators must be associated with btree operator families.");
  }
  for (const auto side : {left, right}) {
    for (const Expression* each : side) {
      if (each->volatility != Volatility::kVolatile) continue;
      return NotSupported("an order of rows that are computed anew each time", location);
    }
  }
  const std::string_view strict = name.substr(0, 1);
  Expression* result = tests.back();
  for (size_t i = left.size() - 1; i-- > 0;) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * before,
                               builder_.Operator(strict, left[i], right[i], location));
    CONNBENCH_ASSIGN_OR_RETURN(Expression * same,
                               builder_.Operator("=", left[i], right[i], location));
    Expression* const further[] = {same, result};
    CONNBENCH_ASSIGN_OR_RETURN(Expression * both, builder_.And(further, location));
    Expression* const ways[] = {before, both};
    CONNBENCH_ASSIGN_OR_RETURN(result, builder_.Or(ways, location));
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      Expression * bound,
      builder_.Operator(strict == "<" ? "<=" : ">=", left[0], right[0], location));
  Expression* const whole[] = {bound, result};
  return builder_.And(whole, location);
}

Result<Expression*> ExpressionAnalyzer::DistinguishRows(std::span<Expression* const> left,
                                                        std::span<Expression* const> right,
                                                        bool is_not, int location) {
  if (left.size() != right.size()) return CheckRows(left, right, location);
  if (left.empty()) return builder_.Boolean(is_not, location);
  std::vector<Expression*> tests;
  for (size_t i = 0; i < left.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * test,
                               builder_.DistinctFrom(left[i], right[i], is_not, location));
    tests.push_back(test);
  }
  if (tests.size() == 1) return tests[0];
  return is_not ? builder_.And(tests, location) : builder_.Or(tests, location);
}

// IS NULL: all columns are; IS NOT NULL: none is.
Result<Expression*> ExpressionAnalyzer::TestRowForNull(const PgQuery__NullTest& test) {
  const bool is_not = test.nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL;
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Expression*> row, VisitRow(*test.arg));
  std::vector<Expression*> tests;
  for (Expression* each : row) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * one, builder_.NullTest(each, is_not, test.location));
    tests.push_back(one);
  }
  if (tests.empty()) return builder_.Boolean(true, test.location);
  return tests.size() == 1 ? tests[0] : builder_.And(tests, test.location);
}

}  // namespace connbench::engine
