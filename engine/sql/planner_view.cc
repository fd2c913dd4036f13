// The catalog's views in FROM: each is planned as the subquery that it stands for, its text read
// with the names that it had when the view was made.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/planner.h"

namespace connbench::engine {

Result<const ViewReference*> Planner::FindReference(const PgQuery__RangeVar& name) const {
  for (const ViewReference& reference : expansion_->view->view.references) {
    if (reference.name == name.relname) return &reference;
  }
  return Status::Error(sqlstate::kInternalError,
                       fmt::format("view \"{}\" reads \"{}\", but not when it was made",
                                   expansion_->view->name, name.relname));
}

std::vector<ScopeColumn> Planner::ColumnsOf(const RelationInfo& relation,
                                            const ViewReference* reference) {
  std::vector<ScopeColumn> columns;
  for (const ColumnInfo& column : relation.columns) {
    const auto number = static_cast<int16_t>(columns.size());
    ScopeColumn& made =
        columns.emplace_back(ScopeColumn{column.name, {column.type_oid, column.type_modifier}});
    made.relation = relation.oid;
    made.number = number;
    made.hidden = column.dropped;
    if (reference == nullptr) continue;
    // What the view does not use has no name in its text, so that none is ambiguous. Where a column
    // was dropped since, aliases still count it.
    made.name.clear();
    made.hidden = number >= reference->width ||
                  std::find(reference->dropped.begin(), reference->dropped.end(), number) !=
                      reference->dropped.end();
    for (const ViewReference::Column& used : reference->columns) {
      if (used.number == number) made.name = used.name;
    }
  }
  return columns;
}

Status Planner::AnalyzeView(const RelationInfo& view, const PgQuery__SelectStmt& query,
                            QueryTree& tree) {
  CONNBENCH_RETURN_IF_ERROR(AnalyzeTree(query, nullptr, tree));
  bool same = tree.columns.size() == view.columns.size();
  for (size_t i = 0; same && i < view.columns.size(); ++i) {
    same = tree.columns[i].expression->type.oid == view.columns[i].type_oid;
  }
  if (same) return {};
  return Status::Error(sqlstate::kInternalError,
                       fmt::format("view \"{}\" has other columns than its query", view.name));
}

// The text of a view sees nothing of the query around it.
Status Planner::AddStoredView(const PgQuery__RangeVar& name, const RelationRef& view, LockMode mode,
                              ScopeItem item, FromClause& from) {
  if (mode == LockMode::kRowShare) return NotSupported("locking rows of a view", name.location);
  CONNBENCH_ASSIGN_OR_RETURN(ParseTree text, ReadView(view->view, context_.interrupts));
  // Nodes of the tree are keys of maps until the statement is planned.
  const ParseTree& read = view_texts_.emplace_back(std::move(text));
  const Expansion expansion{view.get()};
  const Expansion* const expansion_around = std::exchange(expansion_, &expansion);
  const std::string_view sql_around = std::exchange(sql_, read.sql());
  const std::string_view statement_around = builder_.ExchangeStatement(read.sql());
  Correlation* const correlation_around = std::exchange(correlation_, nullptr);
  RecordedReads* const recorded_around = std::exchange(recorded_, nullptr);
  std::vector<NamedQuery> named_around = std::exchange(named_queries_, {});
  if (recorded_around != nullptr) builder_.NoteLateLiterals(nullptr);

  QueryTree tree;
  Source source;
  Status status = AnalyzeView(*view, QueryOfView(read), tree);
  if (status.ok()) {
    Result<PlanNodePtr> planned = PlanTree(tree);
    if (planned.ok()) {
      source.subquery = std::move(*planned);
    } else {
      status = planned.TakeStatus();
    }
  }

  if (recorded_around != nullptr) builder_.NoteLateLiterals(&recorded_around->late_literals);
  named_queries_ = std::move(named_around);
  recorded_ = recorded_around;
  correlation_ = correlation_around;
  builder_.ExchangeStatement(statement_around);
  sql_ = sql_around;
  expansion_ = expansion_around;
  // The client does not know the text that a position would count in.
  if (!status.ok()) return std::move(status).WithPosition(0);
  for (size_t i = 0; i < view->columns.size(); ++i) {
    source.origins.push_back({view->oid, static_cast<int16_t>(i + 1)});
  }
  AddSource(std::move(source), std::move(item), 0, from);
  return {};
}

Status Planner::RefuseWrite(const PgQuery__RangeVar& name, const RelationInfo& view,
                            PrivilegeSet needs) const {
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree text, ReadView(view.view, context_.interrupts));
  const std::string_view why = WhyNotUpdatable(QueryOfView(text));
  if (why.empty()) return NotSupported("writing a view", name.location);
  const bool inserts = (needs & privilege::kInsert) != 0;
  const bool deletes = (needs & privilege::kDelete) != 0;
  const std::string_view verb = inserts ? "insert into" : deletes ? "delete from" : "update";
  const std::string_view doing = inserts   ? "inserting into"
                                 : deletes ? "deleting from"
                                           : "updating";
  const std::string_view event = inserts ? "INSERT" : deletes ? "DELETE" : "UPDATE";
  return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                       fmt::format("cannot {} view \"{}\"", verb, view.name))
      .WithDetail(std::string(why))
      .WithHint(fmt::format("To enable {} the view, provide an INSTEAD OF {} trigger or an "
                            "unconditional ON {} DO INSTEAD rule.",
                            doing, event, event));
}

}  // namespace connbench::engine
