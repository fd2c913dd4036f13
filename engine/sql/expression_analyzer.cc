// From libpg_query's expression nodes to typed expressions.
#include "engine/sql/expression_analyzer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/executor/expression/functions.h"
#include "engine/sql/ast.h"
#include "engine/sql/correlation.h"

namespace connbench::engine {

using ast::LocationOf;
using ast::Node;
using ast::StringOf;

Status ExpressionAnalyzer::NotSupported(std::string_view what, int location) const {
  return ast::NotSupported(sql_, what, location);
}

Status ExpressionAnalyzer::CheckArgumentCount(size_t count, int location) const {
  constexpr size_t kMaxArguments = 100;  // PostgreSQL's FUNC_MAX_ARGS
  if (count <= kMaxArguments) return {};
  return Status::Error(
      sqlstate::kTooManyArguments,
      fmt::format("cannot pass more than {} arguments to a function", kMaxArguments),
      builder_.PositionOf(location));
}

Result<Expression*> ExpressionAnalyzer::Analyze(const Node& node, std::string_view clause,
                                                bool allow_aggregates) {
  clause_ = clause;
  allow_aggregates_ = allow_aggregates;
  return Visit(node);
}

Result<Expression*> ExpressionAnalyzer::AnalyzeTarget(const Node& node) {
  set_allowed_ = &node;
  return Analyze(node, "the select list", true);
}

Result<Expression*> ExpressionAnalyzer::AnalyzeCondition(const Node& node, std::string_view clause,
                                                         bool allow_aggregates) {
  CONNBENCH_ASSIGN_OR_RETURN(Expression * expression, Analyze(node, clause, allow_aggregates));
  return builder_.CoerceToBoolean(expression, clause);
}

Result<Expression*> ExpressionAnalyzer::Visit(const Node& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return VisitConstant(node);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return VisitColumn(node);
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return builder_.Parameter(node.param_ref->number, node.param_ref->location);
    case PG_QUERY__NODE__NODE_A_EXPR:
      return VisitOperator(node);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
      return VisitBoolean(node);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return VisitFunction(node);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return VisitCase(node);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return VisitValueFunction(node);
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      const PgQuery__TypeCast& cast = *node.type_cast;
      CONNBENCH_ASSIGN_OR_RETURN(const Type type, ResolveTypeName(sql_, *cast.type_name));
      if (cast.arg->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR && IsArray(type.oid)) {
        return VisitArray(*cast.arg, ElementType(type.oid));
      }
      CONNBENCH_ASSIGN_OR_RETURN(Expression * argument, Visit(*cast.arg));
      return builder_.Cast(argument, type, cast.location);
    }
    case PG_QUERY__NODE__NODE_NULL_TEST: {
      if (node.null_test->arg->node_case == PG_QUERY__NODE__NODE_ROW_EXPR) {
        return TestRowForNull(*node.null_test);
      }
      CONNBENCH_ASSIGN_OR_RETURN(Expression * argument, Visit(*node.null_test->arg));
      const bool is_not = node.null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL;
      return builder_.NullTest(argument, is_not, node.null_test->location);
    }
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST: {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * argument, Visit(*node.boolean_test->arg));
      const auto test = static_cast<BooleanTestKind>(node.boolean_test->booltesttype -
                                                     PG_QUERY__BOOL_TEST_TYPE__IS_TRUE);
      return builder_.BooleanTest(argument, test, node.boolean_test->location);
    }
    case PG_QUERY__NODE__NODE_COALESCE_EXPR: {
      const PgQuery__CoalesceExpr& coalesce = *node.coalesce_expr;
      CONNBENCH_ASSIGN_OR_RETURN(const auto arguments, VisitList(coalesce.args, coalesce.n_args));
      return builder_.Coalesce(arguments, coalesce.location);
    }
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR: {
      const PgQuery__MinMaxExpr& min_max = *node.min_max_expr;
      CONNBENCH_ASSIGN_OR_RETURN(const auto arguments, VisitList(min_max.args, min_max.n_args));
      return builder_.GreatestOrLeast(min_max.op == PG_QUERY__MIN_MAX_OP__IS_GREATEST, arguments,
                                      min_max.location);
    }
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE: {
      const PgQuery__CollateClause& clause = *node.collate_clause;
      const std::string_view name =
          clause.n_collname == 0 ? "" : StringOf(*clause.collname[clause.n_collname - 1]);
      if (name != "C" && name != "POSIX" && name != "default" && name != "ucs_basic") {
        return Status::Error(sqlstate::kFeatureNotSupported,
                             fmt::format("collation \"{}\" is not supported", name),
                             builder_.PositionOf(clause.location))
            .WithHint("Text is ordered by the C collation.");
      }
      return Visit(*clause.arg);
    }
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return VisitSubLink(*node.sub_link);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return VisitArray(node, type_oid::kInvalid);
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return NotSupported("a row expression", node.row_expr->location);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return VisitSubscript(node);
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return NotSupported("GROUPING()", node.grouping_func->location);
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
      return Status::Error(sqlstate::kSyntaxError, "DEFAULT is not allowed in this context",
                           builder_.PositionOf(node.set_to_default->location));
    case PG_QUERY__NODE__NODE_CURRENT_OF_EXPR:
      return NotSupported("WHERE CURRENT OF", LocationOf(node));
    default:
      return NotSupported(ast::KindOf(node), LocationOf(node));
  }
}

Result<std::vector<Expression*>> ExpressionAnalyzer::VisitList(Node* const* items, size_t count) {
  std::vector<Expression*> expressions;
  expressions.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * expression, Visit(*items[i]));
    expressions.push_back(expression);
  }
  return expressions;
}

Result<Expression*> ExpressionAnalyzer::VisitConstant(const Node& node) {
  const PgQuery__AConst& constant = *node.a_const;
  if (constant.isnull) return builder_.Null(constant.location);
  switch (constant.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      return builder_.Integer(constant.ival->ival, constant.location);
    case PG_QUERY__A__CONST__VAL_FVAL:
      return builder_.Number(constant.fval->fval, constant.location);
    case PG_QUERY__A__CONST__VAL_SVAL:
      return builder_.String(constant.sval->sval, constant.location);
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      return builder_.Boolean(constant.boolval->boolval, constant.location);
    case PG_QUERY__A__CONST__VAL_BSVAL:
    default:
      return NotSupported("a bit string", constant.location);
  }
}

Result<Expression*> ExpressionAnalyzer::VisitColumn(const Node& node) {
  const PgQuery__ColumnRef& reference = *node.column_ref;
  // Only an error looks the position up: that reads the whole text.
  const auto position = [&] { return builder_.PositionOf(reference.location); };
  if (clause_ == kDefaultClause) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "cannot use column reference in DEFAULT expression", position());
  }
  const Node& last = *reference.fields[reference.n_fields - 1];
  if (last.node_case == PG_QUERY__NODE__NODE_A_STAR) {
    return NotSupported("a row expression", reference.location);
  }
  return ResolveColumn(builder_, sql_, scope_, reference);
}

Result<Expression*> ExpressionAnalyzer::VisitOperator(const Node& node) {
  const PgQuery__AExpr& expression = *node.a_expr;
  const int location = expression.location;
  CONNBENCH_RETURN_IF_ERROR(CheckOperatorSchema(sql_, expression));
  const std::string_view name =
      expression.n_name == 0 ? "" : StringOf(*expression.name[expression.n_name - 1]);
  if (ComparesRows(expression)) return VisitRowComparison(expression);
  const bool any = expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY;
  if (any || expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * value, Visit(*expression.lexpr));
    CONNBENCH_ASSIGN_OR_RETURN(Expression * array, Visit(*expression.rexpr));
    return builder_.AnyElement(name, value, array, !any, location);
  }
  Expression* left = nullptr;
  if (expression.lexpr != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(left, Visit(*expression.lexpr));
  }
  switch (expression.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN: {
      const PgQuery__List& list = *expression.rexpr->list;
      CONNBENCH_ASSIGN_OR_RETURN(const auto values, VisitList(list.items, list.n_items));
      return builder_.In(left, values, name == "<>", location);
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM: {
      const PgQuery__List& list = *expression.rexpr->list;
      CONNBENCH_ASSIGN_OR_RETURN(const auto ends, VisitList(list.items, list.n_items));
      const bool is_not = expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN ||
                          expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
      const bool symmetric = expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM ||
                             expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
      return builder_.Between(left, ends[0], ends[1], is_not, symmetric, location);
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE: {
      // LIKE ... ESCAPE comes as like_escape(pattern, escape).
      const Node* pattern_node = expression.rexpr;
      const Node* escape_node = nullptr;
      if (pattern_node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL) {
        const PgQuery__FuncCall& call = *pattern_node->func_call;
        const bool is_escape = call.n_funcname == 2 && call.n_args == 2 &&
                               StringOf(*call.funcname[0]) == "pg_catalog" &&
                               StringOf(*call.funcname[1]) == "like_escape";
        if (is_escape) {
          pattern_node = call.args[0];
          escape_node = call.args[1];
        }
      }
      CONNBENCH_ASSIGN_OR_RETURN(Expression * pattern, Visit(*pattern_node));
      Expression* escape = nullptr;
      if (escape_node != nullptr) {
        CONNBENCH_ASSIGN_OR_RETURN(escape, Visit(*escape_node));
      }
      return builder_.Like(name, left, pattern, escape, location);
    }
    default:
      break;
  }
  Expression* right = nullptr;
  if (expression.rexpr != nullptr) {
    if (expression.rexpr->node_case == PG_QUERY__NODE__NODE_LIST) {
      return NotSupported("a row expression", location);
    }
    CONNBENCH_ASSIGN_OR_RETURN(right, Visit(*expression.rexpr));
  }
  switch (expression.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:  // ~ with similar_to_escape(pattern)
      return builder_.Operator(name, left, right, location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
      return builder_.DistinctFrom(left, right, false, location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return builder_.DistinctFrom(left, right, true, location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
      return builder_.NullIf(left, right, location);
    default:
      return NotSupported("this operator", location);
  }
}

Result<Expression*> ExpressionAnalyzer::VisitBoolean(const Node& node) {
  const PgQuery__BoolExpr& expression = *node.bool_expr;
  CONNBENCH_ASSIGN_OR_RETURN(const auto arguments, VisitList(expression.args, expression.n_args));
  switch (expression.boolop) {
    case PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR:
      return builder_.And(arguments, expression.location);
    case PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR:
      return builder_.Or(arguments, expression.location);
    default:
      return builder_.Not(arguments[0], expression.location);
  }
}

Result<Expression*> ExpressionAnalyzer::VisitFunction(const Node& node) {
  const PgQuery__FuncCall& call = *node.func_call;
  CONNBENCH_ASSIGN_OR_RETURN(
      const std::string name,
      ast::ObjectName(sql_, ast::List(call.funcname, call.n_funcname), call.location));
  if (call.func_variadic) return NotSupported("VARIADIC", call.location);
  if (call.over != nullptr) return VisitWindowFunction(node, name);
  if (IsAggregate(name)) {
    if (call.agg_within_group) return NotSupported("WITHIN GROUP", call.location);
    return VisitAggregate(node, name);
  }
  if (IsWindowFunction(name)) return RefuseWithoutOver(call, name);
  if (call.agg_star || call.agg_distinct || call.agg_within_group || call.n_agg_order > 0 ||
      call.agg_filter != nullptr) {
    return RefuseAggregateSyntax(node, name);
  }
  if (name == "generate_series") {
    return NotSupported("a set-returning function outside FROM", call.location);
  }
  CONNBENCH_RETURN_IF_ERROR(CheckArgumentCount(call.n_args, call.location));
  CONNBENCH_ASSIGN_OR_RETURN(const auto arguments, VisitNamedArguments(call, name));
  const std::string written = call.n_funcname == 1 ? std::string() : WrittenName(call);
  CONNBENCH_ASSIGN_OR_RETURN(Expression * result,
                             builder_.Function(name, arguments, call.location, written));
  if (!IsSetFunction(name)) return result;
  if (set_allowed_ != &node) {
    return NotSupported("a set-returning function within an expression", call.location);
  }
  return builder_.Unnest(result);
}

Result<Expression*> ExpressionAnalyzer::VisitSubLink(const PgQuery__SubLink& link) {
  if (subqueries_ == nullptr) {
    // The clause's name, in the singular.
    const std::string_view one =
        clause_.substr(0, clause_.size() - (clause_.ends_with('s') ? 1 : 0));
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("cannot use subquery in {}", one),
                         builder_.PositionOf(link.location));
  }
  SubqueryPlanner::Operands operands;
  if (link.testexpr != nullptr) {
    operands = [this, &link]() -> Result<std::vector<Expression*>> {
      if (link.testexpr->node_case == PG_QUERY__NODE__NODE_ROW_EXPR) {
        return VisitList(link.testexpr->row_expr->args, link.testexpr->row_expr->n_args);
      }
      return VisitList(&link.testexpr, 1);
    };
  }
  return subqueries_->PlanSubLink(link, scope_, operands);
}

Result<Expression*> ExpressionAnalyzer::VisitCase(const Node& node) {
  const PgQuery__CaseExpr& expression = *node.case_expr;
  Expression* operand = nullptr;
  if (expression.arg != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(operand, Visit(*expression.arg));
    CONNBENCH_ASSIGN_OR_RETURN(operand, builder_.CaseOperand(operand, expression.location));
  }
  std::vector<Expression*> conditions;
  std::vector<Expression*> results;
  for (size_t i = 0; i < expression.n_args; ++i) {
    const PgQuery__CaseWhen& when = *expression.args[i]->case_when;
    CONNBENCH_ASSIGN_OR_RETURN(Expression * condition, Visit(*when.expr));
    CONNBENCH_ASSIGN_OR_RETURN(condition,
                               builder_.CaseCondition(operand, condition, when.location));
    CONNBENCH_ASSIGN_OR_RETURN(Expression * result, Visit(*when.result));
    conditions.push_back(condition);
    results.push_back(result);
  }
  Expression* otherwise = nullptr;
  if (expression.defresult != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(otherwise, Visit(*expression.defresult));
  }
  return builder_.Case(conditions, results, otherwise, expression.location);
}

Result<Expression*> ExpressionAnalyzer::VisitValueFunction(const Node& node) {
  const PgQuery__SQLValueFunction& function = *node.sqlvalue_function;
  const int location = function.location;
  const auto call = [&](std::string_view name) {
    return builder_.Function(name, std::span<Expression* const>(), location);
  };
  switch (function.op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
      return call("current_date");
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
      return call("now");
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N: {
      const bool local = function.op != PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N;
      const bool has_precision =
          function.op != PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP;
      CONNBENCH_ASSIGN_OR_RETURN(Expression * now, call("now"));
      const Type type{local ? type_oid::kTimestamp : type_oid::kTimestamptz,
                      has_precision ? function.typmod : -1};
      return builder_.Cast(now, type, location);
    }
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N: {
      CONNBENCH_ASSIGN_OR_RETURN(Expression * now, call("now"));
      return builder_.Cast(now, {type_oid::kTime, function.typmod}, location);
    }
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER:
      return call("current_user");
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER:
      return call("session_user");
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG:
      return call("current_database");
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA:
      return call("current_schema");
    default:
      return NotSupported("the type of this date or time function", location);
  }
}

}  // namespace connbench::engine
