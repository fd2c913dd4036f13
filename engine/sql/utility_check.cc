// CHECK constraints in CREATE TABLE and ALTER TABLE.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/relation_name.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
// "table_column_check" if the condition reads one column, else "table_check"; with a number if any
// constraint has that name.
Result<std::string> RealSession::ChooseCheckName(const RelationInfo& table,
                                                 const CheckInfo& check) {
  std::string_view column;
  if (check.columns.size() == 1) {
    column = table.columns[static_cast<size_t>(check.columns[0])].name;
  }
  return ChooseConstraintName(table, column, "check");
}

Result<std::string> RealSession::ChooseConstraintName(const RelationInfo& table,
                                                      std::string_view columns,
                                                      std::string_view label) {
  CONNBENCH_ASSIGN_OR_RETURN(const auto relations, catalog_.List(transaction_));
  const auto is_taken = [&](std::string_view name) -> Result<bool> {
    return table.HasConstraint(name) ||
           std::any_of(relations.begin(), relations.end(),
                       [name](const RelationRef& each) { return each->HasConstraint(name); });
  };
  return ChooseObjectName(table.name, columns, label, is_taken);
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

}  // namespace connbench::engine
