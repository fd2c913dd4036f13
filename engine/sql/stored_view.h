// What CREATE VIEW keeps: the text of the statement, and what its names meant when it was made.
//
// The text is analysed again whenever a query reads the view (planner_view.cc), with these
// meanings: a name stands for a relation by OID and for a column by number. README.md says why.
//
// Safety: private memory of one session, one thread at a time. Errors: PostgreSQL's.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/builder.h"
#include "engine/session.h"
#include "engine/sql/parse_tree.h"
#include "engine/sql/plan.h"
#include "engine/sql/scope.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// Which columns of tables and views a query uses, by relation.
struct ReadColumns {
  std::map<Oid, std::set<int16_t>> by_relation;

  void Add(const ScopeColumn& column) {
    if (column.relation != 0) by_relation[column.relation].insert(column.number);
  }
};

// What the query of a view reads itself, noted while it is planned; not what views in it read.
struct RecordedReads {
  ReadColumns columns;
  std::vector<ViewReference> references;  // still without their columns
  std::map<Oid, RelationRef> relations;
  std::vector<Oid> keys;
  std::vector<Expression*> late_literals;  // see ExpressionBuilder::NoteLateLiterals()

  void Add(std::string_view name, const RelationRef& relation);
};

// The query of a view: its columns and what is kept of it; sql is the whole text that the tree's
// locations count in, statement the part of it that is the CREATE VIEW.
struct PlannedView {
  std::vector<ColumnDescription> columns;
  ViewInfo info;
};
Result<PlannedView> PlanView(const PlanningContext& context, std::string_view sql,
                             std::string_view statement, const PgQuery__Node& query,
                             EvalEnvironment& environment);

// The query in the kept text.
Result<ParseTree> ReadView(const ViewInfo& view, Interrupts* interrupts);
const PgQuery__SelectStmt& QueryOfView(const ParseTree& tree);

// Why PostgreSQL cannot write the relation behind a view; empty: it can.
std::string_view WhyNotUpdatable(const PgQuery__SelectStmt& query);

}  // namespace connbench::engine
