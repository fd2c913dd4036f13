// UPDATE and DELETE, each alone or joined with other relations.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/cross_check_node.h"
#include "engine/executor/nodes/modify_nodes.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/planner.h"

namespace connbench::engine {

// SET of an UPDATE or of ON CONFLICT DO UPDATE.
Result<std::vector<RowChange::Assignment>> Planner::AnalyzeAssignments(
    std::span<const ast::Node* const> targets, const RelationInfo& table, const Scope& scope) {
  ExpressionAnalyzer analyzer = MakeAnalyzer(scope);
  std::vector<RowChange::Assignment> assignments;
  for (const ast::Node* node : targets) {
    const PgQuery__ResTarget& target = *node->res_target;
    if (target.n_indirection > 0) {
      return NotSupported("assigning to a part of a column", target.location);
    }
    const int column = table.FindColumn(target.name);
    if (column < 0) return NoSuchColumn(table, target.name, target.location);
    const ColumnInfo& info = table.columns[static_cast<size_t>(column)];
    const ast::Node* value_node = target.val;
    Expression* value = nullptr;
    if (value_node->node_case == PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF) {
      // SET (a, b) = (x, y)
      const PgQuery__MultiAssignRef& multi = *value_node->multi_assign_ref;
      if (multi.source->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
        CONNBENCH_ASSIGN_OR_RETURN(value, PlanAssignedColumn(multi, scope));
      } else if (multi.source->node_case == PG_QUERY__NODE__NODE_ROW_EXPR) {
        const PgQuery__RowExpr& row = *multi.source->row_expr;
        if (static_cast<size_t>(multi.ncolumns) != row.n_args) {
          return Status::Error(sqlstate::kSyntaxError,
                               "number of columns does not match number of values",
                               CharacterPosition(sql_, row.location));
        }
        value_node = row.args[multi.colno - 1];
      } else {
        return NotSupported("a row expression", target.location);
      }
    }
    if (value_node->node_case == PG_QUERY__NODE__NODE_SET_TO_DEFAULT) {
      CONNBENCH_ASSIGN_OR_RETURN(value, AnalyzeDefault(info, plan_->arena));
    } else {
      if (value == nullptr) {
        CONNBENCH_ASSIGN_OR_RETURN(value, analyzer.Analyze(*value_node, "UPDATE"));
      }
      CONNBENCH_ASSIGN_OR_RETURN(
          value, builder_.CoerceForColumn(value, {info.type_oid, info.type_modifier}, info.name,
                                          ast::LocationOf(*value_node)));
      if (info.identity == Identity::kAlways) {
        return Status::Error(sqlstate::kGeneratedAlways,
                             fmt::format("column \"{}\" can only be updated to DEFAULT", info.name))
            .WithDetail(fmt::format(
                "Column \"{}\" is an identity column defined as GENERATED ALWAYS.", info.name));
      }
    }
    assignments.push_back({column, value});
  }
  // PostgreSQL looks for it when all else is known to be right.
  std::vector<bool> assigned(table.columns.size(), false);
  for (const RowChange::Assignment& assignment : assignments) {
    const auto column = static_cast<size_t>(assignment.column);
    if (assigned[column]) {
      return Status::Error(
          sqlstate::kSyntaxError,
          fmt::format("multiple assignments to same column \"{}\"", table.columns[column].name));
    }
    assigned[column] = true;
  }
  // A new version keeps nothing of columns that were dropped.
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].dropped) continue;
    CONNBENCH_ASSIGN_OR_RETURN(const Expression* null,
                               AnalyzeDefault(table.columns[i], plan_->arena));
    assignments.push_back({static_cast<int>(i), null});
  }
  return assignments;
}

// The table that is written, and what FROM or USING adds to it. Nothing of that may read the table.
Status Planner::AnalyzeWritten(const PgQuery__RangeVar& table, PrivilegeSet needs,
                               std::span<ast::Node* const> others, FromClause& from) {
  CONNBENCH_RETURN_IF_ERROR(AddTable(table, LockMode::kRowExclusive, needs, from));
  auto tree = std::make_unique<JoinTree>();
  tree->relations = RelationSet{1};
  CONNBENCH_RETURN_IF_ERROR(AnalyzeFrom(others, /*lock_rows=*/false, std::move(tree), from));
  const RelationSet written = 1;
  const Expression* read = FindLateralRead(from, ~written, written);
  if (read == nullptr) return {};
  const std::string& name = from.scope.items[0].alias;
  return Status::Error(sqlstate::kInvalidColumnReference,
                       fmt::format("invalid reference to FROM-clause entry for table \"{}\"", name),
                       builder_.PositionOf(read->location))
      .WithHint(fmt::format("There is an entry for table \"{}\", but it cannot be referenced from "
                            "this part of the query.",
                            name));
}

// The rows to write. Of the table, what query.used says.
Result<Planner::WrittenRows> Planner::PlanWritten(Query& query) {
  FromClause& from = query.from;
  Source& source = from.sources[0];
  WrittenRows rows;
  if (from.sources.size() == 1) {
    std::vector<Expression*> conditions;
    Flatten(query.where, conditions);
    CONNBENCH_ASSIGN_OR_RETURN(auto scan, MakeScan(from, source, query.where, query.used,
                                                   ChooseScan(source, conditions, {}, false)));
    rows.scan = scan.get();
    rows.node = std::move(scan);
    if (context_.for_foreign_key) {
      rows.node = std::make_unique<CrossCheckNode>(std::move(rows.node), rows.scan);
    }
    return rows;
  }
  written_ = &source;
  query.used[source.slots.end - 1] = true;  // the tid
  CONNBENCH_ASSIGN_OR_RETURN(rows.node, PlanJoins(query));
  rows.scan = written_scan_;
  rows.scan->set_condition(query.where);
  return rows;
}

Status Planner::PlanUpdate(const PgQuery__UpdateStmt& update) {
  const Level level(*this);
  CONNBENCH_RETURN_IF_ERROR(AnalyzeWith(update.with_clause));
  Query query;
  FromClause& from = query.from;
  CONNBENCH_RETURN_IF_ERROR(AnalyzeWritten(*update.relation, privilege::kUpdate,
                                           ast::List(update.from_clause, update.n_from_clause),
                                           from));
  const Source& source = from.sources[0];
  const RelationInfo& table = *source.relation;
  ExpressionAnalyzer& analyzer = query.analyzer.emplace(MakeAnalyzer(from.scope));
  // In PostgreSQL's order, which decides the types of parameters and which error comes first.
  if (update.where_clause != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(query.where,
                               analyzer.AnalyzeCondition(*update.where_clause, "WHERE"));
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      query.targets, AnalyzeReturning(update.returning_list, update.n_returning_list, from.scope));
  CONNBENCH_ASSIGN_OR_RETURN(
      std::vector<RowChange::Assignment> assignments,
      AnalyzeAssignments(ast::List(update.target_list, update.n_target_list), table, from.scope));
  NoteReads(table, {query.where}, query.targets);
  query.used = UsedSlots(query);
  for (const RowChange::Assignment& assignment : assignments) {
    NoteReads(table, {assignment.value}, {});
    CollectColumns(*assignment.value, query.used);
  }
  DescribeReturning(query.targets, from);
  // The new version needs all columns.
  std::fill_n(query.used.begin(), table.columns.size(), true);
  const size_t width = from.sources.size() == 1 ? table.columns.size() : from.slots;
  CONNBENCH_ASSIGN_OR_RETURN(WrittenRows rows, PlanWritten(query));
  plan_->root = std::make_unique<UpdateNode>(source.table, std::move(rows.node), rows.scan,
                                             RowChange(source.table, std::move(assignments), width),
                                             ExpressionsOf(query.targets));
  plan_->kind = PlanKind::kUpdate;
  plan_->writes = true;
  return {};
}

Status Planner::PlanDelete(const PgQuery__DeleteStmt& deletion) {
  const Level level(*this);
  CONNBENCH_RETURN_IF_ERROR(AnalyzeWith(deletion.with_clause));
  Query query;
  FromClause& from = query.from;
  CONNBENCH_RETURN_IF_ERROR(
      AnalyzeWritten(*deletion.relation, privilege::kDelete,
                     ast::List(deletion.using_clause, deletion.n_using_clause), from));
  const Source& source = from.sources[0];
  ExpressionAnalyzer& analyzer = query.analyzer.emplace(MakeAnalyzer(from.scope));
  if (deletion.where_clause != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(query.where,
                               analyzer.AnalyzeCondition(*deletion.where_clause, "WHERE"));
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      query.targets,
      AnalyzeReturning(deletion.returning_list, deletion.n_returning_list, from.scope));
  NoteReads(*source.relation, {query.where}, query.targets);
  query.used = UsedSlots(query);
  // Foreign keys may ask for any column of the row that goes.
  if (source.table->watcher() != nullptr) {
    std::fill_n(query.used.begin(), source.relation->columns.size(), true);
  }
  DescribeReturning(query.targets, from);
  CONNBENCH_ASSIGN_OR_RETURN(WrittenRows rows, PlanWritten(query));
  plan_->root = std::make_unique<DeleteNode>(source.table, std::move(rows.node), rows.scan,
                                             ExpressionsOf(query.targets));
  plan_->kind = PlanKind::kDelete;
  plan_->writes = true;
  return {};
}

}  // namespace connbench::engine
