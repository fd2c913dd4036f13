// JOIN in FROM: its condition, the columns that USING and NATURAL merge, and its names.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

// Null: none. several: more than one.
ScopeColumn* FindColumn(std::vector<ScopeColumn>& columns, std::string_view name, bool& several) {
  ScopeColumn* found = nullptr;
  several = false;
  for (ScopeColumn& column : columns) {
    if (column.name != name) continue;
    several = found != nullptr;
    if (several) return nullptr;
    found = &column;
  }
  return found;
}

Result<ScopeColumn*> FindCommonColumn(std::vector<ScopeColumn>& columns, std::string_view name,
                                      std::string_view side) {
  bool several = false;
  ScopeColumn* found = FindColumn(columns, name, several);
  if (found != nullptr) return found;
  if (several) {
    return Status::Error(
        sqlstate::kAmbiguousColumn,
        fmt::format("common column name \"{}\" appears more than once in {} table", name, side));
  }
  return Status::Error(
      sqlstate::kUndefinedColumn,
      fmt::format("column \"{}\" specified in USING clause does not exist in {} table", name,
                  side));
}

// In the left table's order.
std::vector<std::string> CommonNames(const std::vector<ScopeColumn>& left,
                                     const std::vector<ScopeColumn>& right) {
  std::vector<std::string> names;
  for (const ScopeColumn& column : left) {
    if (column.name.empty()) continue;
    const bool common = std::any_of(right.begin(), right.end(), [&](const ScopeColumn& other) {
      return other.name == column.name;
    });
    if (common) names.push_back(column.name);
  }
  return names;
}

}  // namespace

Result<Expression*> Planner::ReferTo(const ScopeColumn& column) {
  if (column.merged != nullptr) return column.merged;
  return builder_.Column(column.slot, column.type, -1);
}

// The value of a merged column is that of the side whose rows all come out; in a full join, that of
// the side that has one.
Result<ScopeColumn> Planner::MergeColumn(const PgQuery__JoinExpr& join, const ScopeColumn& left,
                                         const ScopeColumn& right, JoinTree& tree) {
  constexpr std::string_view kConstruct = "JOIN/USING";
  CONNBENCH_ASSIGN_OR_RETURN(Expression * left_value, ReferTo(left));
  CONNBENCH_ASSIGN_OR_RETURN(Expression * right_value, ReferTo(right));
  // In PostgreSQL's order, which decides what is said of types that have no equality.
  Expression* const both[] = {left_value, right_value};
  CONNBENCH_ASSIGN_OR_RETURN(const Oid common, builder_.CommonType(both, kConstruct));
  CONNBENCH_ASSIGN_OR_RETURN(Expression * equality,
                             builder_.Operator("=", left_value, right_value, -1));
  tree.conditions.push_back(equality);
  CONNBENCH_ASSIGN_OR_RETURN(left_value, builder_.CoerceToCommon(left_value, common, kConstruct));
  CONNBENCH_ASSIGN_OR_RETURN(right_value, builder_.CoerceToCommon(right_value, common, kConstruct));
  Expression* value = left_value;
  if (join.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL) {
    Expression* const values[] = {left_value, right_value};
    CONNBENCH_ASSIGN_OR_RETURN(value, builder_.Coalesce(values, -1));
  } else if (join.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT) {
    value = right_value;
  } else if (join.jointype == PG_QUERY__JOIN_TYPE__JOIN_INNER &&
             left_value->kind != ExpressionKind::kColumn &&
             right_value->kind == ExpressionKind::kColumn) {
    value = right_value;
  }
  ScopeColumn merged{left.name, value->type};
  if (value->kind == ExpressionKind::kColumn && left.type == right.type) {
    merged.slot = value->index;
  } else {
    // Two types, or two lengths of one, have no length in common.
    if (left.type != right.type && value->kind == ExpressionKind::kColumn) {
      CONNBENCH_ASSIGN_OR_RETURN(value, builder_.Column(value->index, {common, -1}, -1));
      merged.type = value->type;
    }
    merged.slot = -1;
    merged.merged = value;
  }
  return merged;
}

Status Planner::MergeColumns(const PgQuery__JoinExpr& join, std::vector<ScopeColumn>& left,
                             std::vector<ScopeColumn>& right, std::vector<ScopeColumn>& merged,
                             JoinTree& tree) {
  std::vector<std::string> names;
  if (join.is_natural) {
    names = CommonNames(left, right);
  } else {
    for (const ast::Node* name : ast::List(join.using_clause, join.n_using_clause)) {
      names.emplace_back(ast::StringOf(*name));
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const auto seen = names.begin() + static_cast<std::ptrdiff_t>(i);
    if (!join.is_natural && std::find(names.begin(), seen, names[i]) != seen) {
      return Status::Error(
          sqlstate::kDuplicateColumn,
          fmt::format("column name \"{}\" appears more than once in USING clause", names[i]));
    }
    CONNBENCH_ASSIGN_OR_RETURN(ScopeColumn * left_column, FindCommonColumn(left, names[i], "left"));
    CONNBENCH_ASSIGN_OR_RETURN(ScopeColumn * right_column,
                               FindCommonColumn(right, names[i], "right"));
    if (recorded_ != nullptr) {
      recorded_->columns.Add(*left_column);
      recorded_->columns.Add(*right_column);
    }
    CONNBENCH_ASSIGN_OR_RETURN(ScopeColumn column,
                               MergeColumn(join, *left_column, *right_column, tree));
    merged.push_back(std::move(column));
  }
  const auto is_merged = [&](const ScopeColumn& column) {
    return std::find(names.begin(), names.end(), column.name) != names.end();
  };
  std::erase_if(left, is_merged);
  std::erase_if(right, is_merged);
  return {};
}

// The condition sees the join's own members only.
Status Planner::AnalyzeOn(const ast::Node& condition, size_t first_item, FromClause& from,
                          JoinTree& tree) {
  std::vector<ScopeItem>& items = from.scope.items;
  for (size_t i = 0; i < first_item; ++i) items[i].in_reach = false;
  ExpressionAnalyzer analyzer = MakeAnalyzer(from.scope);
  CONNBENCH_ASSIGN_OR_RETURN(Expression * expression,
                             analyzer.Analyze(condition, "JOIN conditions"));
  for (size_t i = 0; i < first_item; ++i) items[i].in_reach = true;
  CONNBENCH_ASSIGN_OR_RETURN(expression, builder_.CoerceToBoolean(expression, "JOIN/ON"));
  Flatten(expression, tree.conditions);
  return {};
}

Result<Planner::FromItem> Planner::AnalyzeJoin(const PgQuery__JoinExpr& join, bool lock_rows,
                                               size_t depth, FromClause& from) {
  std::vector<ScopeItem>& items = from.scope.items;
  const size_t first = items.size();
  CONNBENCH_ASSIGN_OR_RETURN(FromItem left,
                             AnalyzeFromItem(*join.larg, lock_rows, depth + 1, from));
  const size_t middle = items.size();
  CONNBENCH_ASSIGN_OR_RETURN(FromItem right,
                             AnalyzeFromItem(*join.rarg, lock_rows, depth + 1, from));
  CONNBENCH_RETURN_IF_ERROR(from.scope.CheckConflicts(first, middle, items.size()));
  FromItem result;
  result.tree = std::make_unique<JoinTree>();
  JoinTree& tree = *result.tree;
  tree.relations = left.tree->relations | right.tree->relations;
  tree.depends = (left.tree->depends | right.tree->depends) & ~tree.relations;
  CONNBENCH_RETURN_IF_ERROR(CheckLateralJoin(join, *left.tree, *right.tree, from));
  switch (join.jointype) {
    case PG_QUERY__JOIN_TYPE__JOIN_INNER:
      tree.kind = JoinKind::kInner;
      break;
    case PG_QUERY__JOIN_TYPE__JOIN_LEFT:
    case PG_QUERY__JOIN_TYPE__JOIN_RIGHT:
      tree.kind = JoinKind::kLeft;
      break;
    case PG_QUERY__JOIN_TYPE__JOIN_FULL:
      tree.kind = JoinKind::kFull;
      break;
    default:
      return NotSupported("this kind of join", ast::LocationOf(*join.larg));
  }

  ScopeItem item;
  std::vector<ScopeColumn> left_columns = items[left.item].columns;
  std::vector<ScopeColumn> right_columns = items[right.item].columns;
  // An alias of the join counts its columns.
  std::erase_if(left_columns, [](const ScopeColumn& column) { return column.hidden; });
  std::erase_if(right_columns, [](const ScopeColumn& column) { return column.hidden; });
  if (join.n_using_clause > 0 || join.is_natural) {
    CONNBENCH_RETURN_IF_ERROR(MergeColumns(join, left_columns, right_columns, item.columns, tree));
  } else if (join.quals != nullptr) {
    CONNBENCH_RETURN_IF_ERROR(AnalyzeOn(*join.quals, first, from, tree));
  }
  item.columns.insert(item.columns.end(), left_columns.begin(), left_columns.end());
  item.columns.insert(item.columns.end(), right_columns.begin(), right_columns.end());

  const bool exchanged = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT;
  tree.inputs.push_back(std::move(exchanged ? right.tree : left.tree));
  tree.inputs.push_back(std::move(exchanged ? left.tree : right.tree));

  // The join's columns are its members'; under an alias, only the join can be called.
  item.names_table = join.alias != nullptr;
  for (size_t i = first; i < items.size(); ++i) {
    items[i].names_columns = false;
    if (item.names_table) items[i].names_table = false;
  }
  if (join.alias != nullptr) {
    item.alias = join.alias->aliasname;
    if (join.alias->n_colnames > item.columns.size()) {
      return Status::Error(
          sqlstate::kInvalidColumnReference,
          fmt::format("join expression \"{}\" has {} columns available but {} columns specified",
                      item.alias, item.columns.size(), join.alias->n_colnames));
    }
    for (size_t i = 0; i < join.alias->n_colnames; ++i) {
      item.columns[i].name = ast::StringOf(*join.alias->colnames[i]);
    }
  }
  result.item = items.size();
  items.push_back(std::move(item));
  return result;
}

}  // namespace connbench::engine
