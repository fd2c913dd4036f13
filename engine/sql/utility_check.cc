// CHECK constraints in CREATE TABLE and ALTER TABLE.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/table.h"
#include "engine/sql/ast.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/relation_name.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"
#include "engine/storage/latest_snapshot.h"

namespace connbench::engine {
namespace {

// Of the one check that only the second has.
std::string NewCheckName(const RelationInfo& before, const RelationInfo& after) {
  for (const CheckInfo& check : after.checks) {
    if (!before.HasConstraint(check.name)) return check.name;
  }
  return {};
}

}  // namespace

// "table_column_check" if the condition reads one column, else "table_check"; with a number if any
// constraint has that name.
Result<std::string> RealSession::ChooseCheckName(const RelationInfo& table,
                                                 const CheckInfo& check) {
  std::string_view column;
  if (check.columns.size() == 1) {
    column = table.columns[static_cast<size_t>(check.columns[0])].name;
  }
  CONNBENCH_ASSIGN_OR_RETURN(const auto relations, catalog_.List(transaction_));
  const auto is_taken = [&](std::string_view name) -> Result<bool> {
    return table.HasConstraint(name) ||
           std::any_of(relations.begin(), relations.end(),
                       [name](const RelationRef& each) { return each->HasConstraint(name); });
  };
  return ChooseObjectName(table.name, column, "check", is_taken);
}

Status RealSession::MakeCheckOf(RelationInfo& table, const PgQuery__Constraint& constraint,
                                std::string_view sql) {
  CONNBENCH_ASSIGN_OR_RETURN(
      CheckInfo check, MakeCheck(sql, *constraint.raw_expr, table.name, table.columns, *this));
  check.name = TruncateName(constraint.conname);
  if (check.name.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(check.name, ChooseCheckName(table, check));
  } else if (table.HasConstraint(check.name)) {
    return Status::Error(sqlstate::kDuplicateObject,
                         fmt::format("check constraint \"{}\" already exists", check.name));
  }
  check.oid = catalog_.NewOid();
  // Rows are tested in the order of the names.
  const auto place = std::find_if(table.checks.begin(), table.checks.end(),
                                  [&](const CheckInfo& other) { return other.name > check.name; });
  table.checks.insert(place, std::move(check));
  return {};
}

Result<RelationRef> RealSession::AddCheck(const RelationRef& table,
                                          const PgQuery__Constraint& constraint,
                                          std::string_view sql) {
  if (constraint.skip_validation) {
    return ast::NotSupported(sql, "NOT VALID of a CHECK constraint", constraint.location);
  }
  RelationInfo changed = *table;
  // ALTER TABLE tells no position, as in PostgreSQL.
  CONNBENCH_RETURN_IF_ERROR(MakeCheckOf(changed, constraint, sql).WithoutPosition());
  catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef made,
                             catalog_.Alter(transaction_, table, [&](RelationInfo& relation) {
                               relation.checks = changed.checks;
                             }));
  // The rows that are there.
  Arena arena;
  arena.set_interrupts(this);
  Table rows(storage_, made);
  CONNBENCH_RETURN_IF_ERROR(LoadChecks(rows, arena));
  EvalContext context{nullptr, nullptr, &scratch_, this, {}};
  std::vector<Value> row(static_cast<size_t>(rows.columns()));
  const LatestSnapshot snapshot(transaction_);
  const auto scan = std::make_unique<HeapScan>(rows.heap(), transaction_, snapshot.get());
  HeapRow heap_row;
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
    CONNBENCH_ASSIGN_OR_RETURN(const bool found, scan->Next(heap_row));
    if (!found) return made;
    scratch_.Reset();
    rows.codec().DecodeAll(heap_row.bytes, row.data());
    const Status status = rows.CheckConstraints(row.data(), context);
    if (status.ok()) continue;
    if (status.code() != sqlstate::kCheckViolation) return status;
    const std::string name = NewCheckName(*table, *made);
    return Status::Error(sqlstate::kCheckViolation,
                         fmt::format("check constraint \"{}\" of relation \"{}\" is violated by "
                                     "some row",
                                     name, made->name))
        .OfConstraint(made->name, name);
  }
}

}  // namespace connbench::engine
