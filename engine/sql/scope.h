// The names that the expressions of one query may use: the FROM items they see, as PostgreSQL's
// namespaces have them, and which slot of the query's row (executor/nodes/row_frame.h) a name
// means. The slot stands for (relation, column): the planner's range table tells one from the
// other.
//
// Who may call: analysis, in engine/sql only.
// Safety: private memory, one thread. Ownership: merged columns live in the plan's arena.
// Errors: PostgreSQL's, with positions and hints: 42702, 42703, 42P01, 42712, 3F000.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/expression.h"
#include "engine/sql/parse_tree.h"

namespace connbench::engine {

struct ScopeColumn {
  std::string name;
  Type type;
  int slot = 0;
  Expression* merged = nullptr;  // a column of USING that is more than one slot
  Oid relation = 0;              // of a table or stored view that it is a column of
  int16_t number = 0;            // its place there, from 0
  bool hidden = false;           // dropped, or newer than the view whose text is read
};

// A table, function, view or join in FROM.
struct ScopeItem {
  std::string table_name;  // what the relation is called; empty for a join
  std::string alias;       // what it must be called here; empty: a join that has no name
  std::vector<ScopeColumn> columns;
  bool names_columns = true;  // "x" finds them
  bool names_table = true;    // "alias.x" does
  bool in_reach = true;       // false: only errors know of it

  bool sees(std::string_view name) const {
    return names_table && in_reach && !alias.empty() && alias == name;
  }
};

struct Correlation;  // correlation.h
struct ReadColumns;  // stored_view.h

struct Scope {
  std::vector<ScopeItem> items;
  // Of the subquery in an expression that this is a scope of; null: none is around it.
  Correlation* correlation = nullptr;
  ReadColumns* reads = nullptr;  // what of them is used; null: nobody asks

  // Whether there is exactly one such column, or several. Null: none, or several.
  const ScopeColumn* Find(std::string_view name, bool& ambiguous) const;
  // Whether the reference means something here, be it ambiguous.
  bool Knows(const PgQuery__ColumnRef& reference) const;
  // The column that a reference means; 0A000 for what is a whole row.
  Result<const ScopeColumn*> Resolve(std::string_view sql,
                                     const PgQuery__ColumnRef& reference) const;
  // The item before ".*" or ".x".
  Result<const ScopeItem*> ResolveItem(std::string_view sql,
                                       const PgQuery__ColumnRef& reference) const;
  // 42712 if items [first, middle) and [middle, end) share a name that both can be called by.
  Status CheckConflicts(size_t first, size_t middle, size_t end) const;
  // The relation's column that a slot is. Null: none.
  const ScopeItem* ItemOf(int slot, const ScopeColumn*& column) const;

 private:
  Status NoSuchItem(std::string_view sql, std::string_view name, int location) const;
};

}  // namespace connbench::engine
