// ON CONFLICT: which unique indexes it means, and what it does to the row that is there.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

constexpr std::string_view kIndexExpression = "index expressions";

bool SameColumns(std::vector<int16_t> a, std::vector<int16_t> b) {
  for (std::vector<int16_t>* columns : {&a, &b}) {
    std::sort(columns->begin(), columns->end());
    columns->erase(std::unique(columns->begin(), columns->end()), columns->end());
  }
  return a == b;
}

}  // namespace

void Planner::AddExcluded(FromClause& from) {
  ScopeItem item;
  item.table_name = from.sources[0].relation->name;
  item.alias = "excluded";
  for (const ColumnInfo& column : from.sources[0].relation->columns) {
    ScopeColumn& made = item.columns.emplace_back(
        ScopeColumn{column.name, {column.type_oid, column.type_modifier}});
    made.hidden = column.dropped;
  }
  item.in_reach = false;
  AddSource(Source(), std::move(item), 0, from);
}

Result<std::vector<size_t>> Planner::FindConstraint(std::string_view name,
                                                    const RelationInfo& table) {
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    if (table.indexes[i].constraint && table.indexes[i].name == name) {
      return std::vector<size_t>{i};
    }
  }
  if (table.HasConstraint(name)) {
    return Status::Error(sqlstate::kWrongObjectType,
                         "constraint in ON CONFLICT clause has no associated index");
  }
  return Status::Error(
      sqlstate::kUndefinedObject,
      fmt::format("constraint \"{}\" for table \"{}\" does not exist", name, table.name));
}

// The unique indexes on exactly these columns, in whatever order.
Result<std::vector<size_t>> Planner::FindArbiters(const PgQuery__InferClause& infer,
                                                  const FromClause& from) {
  const RelationInfo& table = *from.sources[0].relation;
  ExpressionAnalyzer analyzer(builder_, sql_, from.scope);  // without subqueries
  std::vector<int16_t> columns;
  bool only_columns = true;
  for (const ast::Node* node : ast::List(infer.index_elems, infer.n_index_elems)) {
    const PgQuery__IndexElem& element = *node->index_elem;
    const auto refuse = [&](std::string_view what) {
      return Status::Error(sqlstate::kInvalidColumnReference,
                           fmt::format("{} is not allowed in ON CONFLICT clause", what),
                           CharacterPosition(sql_, infer.location));
    };
    if (element.ordering > PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT) return refuse("ASC/DESC");
    if (element.nulls_ordering > PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT) {
      return refuse("NULLS FIRST/LAST");
    }
    if (element.n_collation > 0) return NotSupported("COLLATE in ON CONFLICT", infer.location);
    if (element.n_opclass > 0) {
      return NotSupported("an operator class in ON CONFLICT", infer.location);
    }
    if (element.expr != nullptr) {
      CONNBENCH_ASSIGN_OR_RETURN(const Expression* expression,
                                 analyzer.Analyze(*element.expr, kIndexExpression));
      only_columns = only_columns && expression->kind == ExpressionKind::kColumn;
      if (only_columns) columns.push_back(static_cast<int16_t>(expression->index));
      continue;
    }
    const int column = table.FindColumn(element.name);
    if (column < 0) {
      return Status::Error(sqlstate::kUndefinedColumn,
                           fmt::format("column \"{}\" does not exist", element.name),
                           CharacterPosition(sql_, infer.location));
    }
    columns.push_back(static_cast<int16_t>(column));
  }
  // No index is partial, so each holds for the rows that WHERE names, too.
  if (infer.where_clause != nullptr) {
    CONNBENCH_RETURN_IF_ERROR(analyzer.Analyze(*infer.where_clause, "index predicates").status());
  }
  std::vector<size_t> arbiters;
  for (size_t i = 0; only_columns && i < table.indexes.size(); ++i) {
    const IndexInfo& index = table.indexes[i];
    if (index.unique && SameColumns(index.key_columns, columns)) arbiters.push_back(i);
  }
  if (arbiters.empty()) {
    plan_->constant_error = Status::Error(sqlstate::kInvalidColumnReference,
                                          "there is no unique or exclusion constraint matching "
                                          "the ON CONFLICT specification");
  }
  return arbiters;
}

// In PostgreSQL's order, which decides which error comes first.
Result<ConflictRule> Planner::AnalyzeConflict(const PgQuery__OnConflictClause& clause,
                                              FromClause& from) {
  const Source& source = from.sources[0];
  const RelationInfo& table = *source.relation;
  ConflictRule rule;
  rule.updates = clause.action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE;
  rule.names = from.frame->names;
  PrivilegeSet needs = rule.updates ? privilege::kUpdate : privilege::kNone;
  if (rule.updates && clause.infer == nullptr) {
    return Status::Error(
               sqlstate::kSyntaxError,
               "ON CONFLICT DO UPDATE requires inference specification or constraint name",
               CharacterPosition(sql_, clause.location))
        .WithHint("For example, ON CONFLICT (column_name).");
  }
  if (table.oid < kFirstUserOid) {
    return NotSupported("ON CONFLICT with system catalog tables", clause.location);
  }
  if (clause.infer == nullptr) {
    for (size_t i = 0; i < table.indexes.size(); ++i) {
      if (table.indexes[i].unique) rule.arbiters.push_back(i);
    }
  } else {
    needs |= privilege::kSelect;
    rule.names_arbiters = true;
    if (*clause.infer->conname != '\0') {
      CONNBENCH_ASSIGN_OR_RETURN(rule.arbiters, FindConstraint(clause.infer->conname, table));
    } else {
      CONNBENCH_ASSIGN_OR_RETURN(rule.arbiters, FindArbiters(*clause.infer, from));
    }
  }
  if (rule.updates) {
    ScopeItem& excluded = from.scope.items[1];
    excluded.in_reach = true;
    CONNBENCH_ASSIGN_OR_RETURN(
        rule.assignments,
        AnalyzeAssignments(ast::List(clause.target_list, clause.n_target_list), table, from.scope));
    if (clause.where_clause != nullptr) {
      ExpressionAnalyzer analyzer = MakeAnalyzer(from.scope);
      CONNBENCH_ASSIGN_OR_RETURN(rule.condition,
                                 analyzer.AnalyzeCondition(*clause.where_clause, "WHERE"));
    }
    excluded.in_reach = false;
  }
  for (PlanTable& used : plan_->tables) {
    if (used.oid == table.oid && used.reader == 0) used.needs |= needs;
  }
  return rule;
}

}  // namespace connbench::engine
