// Names of FROM items and of their columns.
#include "engine/sql/scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {

using ast::StringOf;

namespace {

// Null: none, or several.
const ScopeColumn* FindIn(const ScopeItem& item, std::string_view name, bool& ambiguous) {
  const ScopeColumn* found = nullptr;
  for (const ScopeColumn& column : item.columns) {
    if (column.name != name) continue;
    if (found != nullptr) {
      ambiguous = true;
      return nullptr;
    }
    found = &column;
  }
  return found;
}

std::string NotFromHere(std::string_view alias) {
  return fmt::format(
      "There is an entry for table \"{}\", but it cannot be referenced from this "
      "part of the query.",
      alias);
}

}  // namespace

const ScopeColumn* Scope::Find(std::string_view name, bool& ambiguous) const {
  const ScopeColumn* found = nullptr;
  ambiguous = false;
  for (const ScopeItem& item : items) {
    if (!item.names_columns || !item.in_reach) continue;
    const ScopeColumn* column = FindIn(item, name, ambiguous);
    ambiguous = ambiguous || (column != nullptr && found != nullptr);
    if (ambiguous) return nullptr;
    if (column != nullptr) found = column;
  }
  return found;
}

bool Scope::Knows(const PgQuery__ColumnRef& reference) const {
  if (reference.n_fields > 1) {
    const std::string_view name = StringOf(*reference.fields[reference.n_fields - 2]);
    return std::any_of(items.begin(), items.end(),
                       [name](const ScopeItem& item) { return item.sees(name); });
  }
  bool ambiguous = false;
  return Find(StringOf(*reference.fields[0]), ambiguous) != nullptr || ambiguous;
}

Status Scope::NoSuchItem(std::string_view sql, std::string_view name, int location) const {
  const auto invalid = [&](std::string hint) {
    return Status::Error(
               sqlstate::kUndefinedTable,
               fmt::format("invalid reference to FROM-clause entry for table \"{}\"", name),
               CharacterPosition(sql, location))
        .WithHint(std::move(hint));
  };
  for (const ScopeItem& item : items) {
    if (item.alias.empty()) continue;
    if (item.alias == name) return invalid(NotFromHere(name));
    if (item.table_name != name) continue;
    if (!item.sees(item.alias)) return invalid(NotFromHere(item.alias));
    return invalid(
        fmt::format("Perhaps you meant to reference the table alias \"{}\".", item.alias));
  }
  return Status::Error(sqlstate::kUndefinedTable,
                       fmt::format("missing FROM-clause entry for table \"{}\"", name),
                       CharacterPosition(sql, location));
}

Result<const ScopeItem*> Scope::ResolveItem(std::string_view sql,
                                            const PgQuery__ColumnRef& reference) const {
  const std::string_view name = StringOf(*reference.fields[reference.n_fields - 2]);
  const auto sees = [name](const ScopeItem& item) { return item.sees(name); };
  const auto item = std::find_if(items.begin(), items.end(), sees);
  if (item == items.end()) return NoSuchItem(sql, name, reference.location);
  CONNBENCH_RETURN_IF_ERROR(CheckColumnQualifiers(sql, reference, *item));
  // A table that is called as the row of ON CONFLICT; with its schema it is meant alone.
  if (reference.n_fields == 2 && std::any_of(item + 1, items.end(), sees)) {
    return Status::Error(sqlstate::kAmbiguousAlias,
                         fmt::format("table reference \"{}\" is ambiguous", name),
                         CharacterPosition(sql, reference.location));
  }
  return &*item;
}

Result<const ScopeColumn*> Scope::Resolve(std::string_view sql,
                                          const PgQuery__ColumnRef& reference) const {
  // Only an error looks the position up: that reads the whole text.
  const auto position = [&] { return CharacterPosition(sql, reference.location); };
  const std::string_view name = StringOf(*reference.fields[reference.n_fields - 1]);
  const ScopeItem* item = nullptr;
  if (reference.n_fields > 3) {
    return ast::NotSupported(sql, "a database's name in front of a column", reference.location);
  }
  if (reference.n_fields > 1) {
    CONNBENCH_ASSIGN_OR_RETURN(item, ResolveItem(sql, reference));
  }
  bool ambiguous = false;
  const ScopeColumn* column =
      item != nullptr ? FindIn(*item, name, ambiguous) : Find(name, ambiguous);
  if (column != nullptr) return column;
  if (ambiguous) {
    return Status::Error(sqlstate::kAmbiguousColumn,
                         fmt::format("column reference \"{}\" is ambiguous", name), position());
  }
  if (item != nullptr) {
    return Status::Error(sqlstate::kUndefinedColumn,
                         fmt::format("column {}.{} does not exist", item->alias, name), position());
  }
  const ScopeItem* out_of_reach = nullptr;
  for (const ScopeItem& other : items) {
    if (other.sees(name)) {
      return ast::NotSupported(sql, "a reference to a whole row", reference.location);
    }
    bool several = false;
    if (!other.in_reach && FindIn(other, name, several) != nullptr && !other.alias.empty()) {
      out_of_reach = &other;
    }
  }
  Status missing = Status::Error(sqlstate::kUndefinedColumn,
                                 fmt::format("column \"{}\" does not exist", name), position());
  if (out_of_reach == nullptr) return missing;
  return std::move(missing).WithHint(fmt::format(
      "There is a column named \"{}\" in table \"{}\", but it cannot be referenced from "
      "this part of the query.",
      name, out_of_reach->alias));
}

Status Scope::CheckConflicts(size_t first, size_t middle, size_t end) const {
  for (size_t i = first; i < middle; ++i) {
    if (!items[i].names_table || items[i].alias.empty()) continue;
    for (size_t j = middle; j < end; ++j) {
      if (!items[j].names_table || items[j].alias != items[i].alias) continue;
      return Status::Error(
          sqlstate::kDuplicateAlias,
          fmt::format("table name \"{}\" specified more than once", items[i].alias));
    }
  }
  return {};
}

const ScopeItem* Scope::ItemOf(int slot, const ScopeColumn*& column) const {
  for (const ScopeItem& item : items) {
    if (item.table_name.empty()) continue;  // a join: its columns are its members'
    for (const ScopeColumn& candidate : item.columns) {
      if (candidate.slot != slot) continue;
      column = &candidate;
      return &item;
    }
  }
  return nullptr;
}

}  // namespace connbench::engine
