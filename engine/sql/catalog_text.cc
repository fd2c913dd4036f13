// Objects of the catalog as SQL text: see catalog_text.h.
#include "engine/sql/catalog_text.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "engine/executor/nodes/explain.h"
#include "engine/roles/access.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/relation_name.h"

namespace connbench::engine {
namespace {

std::string ColumnList(const RelationInfo& table, const std::vector<int16_t>& columns) {
  std::string list;
  for (const int16_t column : columns) {
    if (!list.empty()) list += ", ";
    list += QuoteIfNeeded(table.columns[static_cast<size_t>(column)].name);
  }
  return list;
}

}  // namespace

std::string IndexDefinitionText(const RelationInfo& table, const IndexInfo& index, bool qualified) {
  const std::string schema =
      qualified ? std::string(SchemaName(SchemaOf(table.oid))) + "." : std::string();
  return fmt::format("CREATE {}INDEX {} ON {}{} USING btree ({})", index.unique ? "UNIQUE " : "",
                     QuoteIfNeeded(index.name), schema, QuoteIfNeeded(table.name),
                     ColumnList(table, index.key_columns));
}

std::string KeyConstraintText(const RelationInfo& table, const IndexInfo& index) {
  return fmt::format("{} ({})", index.primary ? "PRIMARY KEY" : "UNIQUE",
                     ColumnList(table, index.key_columns));
}

Result<std::string> CheckText(const RelationInfo& table, const CheckInfo& check,
                              Interrupts* interrupts) {
  Arena arena;
  arena.set_interrupts(interrupts);
  CONNBENCH_ASSIGN_OR_RETURN(const Expression* condition, ReadStoredCheck(table, check, arena));
  std::vector<std::string> names;
  for (const ColumnInfo& column : table.columns) names.push_back(QuoteIfNeeded(column.name));
  return fmt::format("CHECK ({})", PrintExpression(*condition, names));
}

std::string ForeignKeyText(const RelationInfo& table, const ForeignKeyInfo& key,
                           const RelationInfo& referenced) {
  std::string there;
  for (const IndexInfo& index : referenced.indexes) {
    if (index.oid == key.index_oid) there = ColumnList(referenced, index.key_columns);
  }
  return fmt::format("FOREIGN KEY ({}) REFERENCES {}({}) NOT VALID", ColumnList(table, key.columns),
                     QuoteIfNeeded(referenced.name), there);
}

Result<std::string> DefaultForPeople(const ColumnInfo& column, Interrupts* interrupts) {
  if (column.default_sql.empty()) return std::string();
  Arena arena;
  arena.set_interrupts(interrupts);
  CONNBENCH_ASSIGN_OR_RETURN(const Expression* value, ReadStoredDefault(column, arena));
  std::string text = PrintExpression(*value, {});
  // The outermost parentheses of an operator mean nothing here.
  const bool wrapped = value->kind == ExpressionKind::kFunction && text.starts_with('(');
  return wrapped ? text.substr(1, text.size() - 2) : text;
}

std::vector<std::string> AclItems(const RelationInfo& relation,
                                  const std::function<std::string(Oid role)>& role_name) {
  struct Letter {
    PrivilegeSet privilege;
    char letter;
  };
  // In PostgreSQL's order.
  constexpr Letter kLetters[] = {
      {privilege::kInsert, 'a'},  {privilege::kSelect, 'r'},   {privilege::kUpdate, 'w'},
      {privilege::kDelete, 'd'},  {privilege::kTruncate, 'D'}, {privilege::kReferences, 'x'},
      {privilege::kTrigger, 't'}, {privilege::kUsage, 'U'},
  };
  std::vector<std::string> items;
  for (const Grant& grant : GrantsOf(relation)) {
    std::string item =
        grant.grantee == kPublicOid ? std::string() : QuoteIfNeeded(role_name(grant.grantee));
    item += '=';
    for (const Letter& each : kLetters) {
      if ((grant.privileges & each.privilege) != 0) item += each.letter;
    }
    item += '/' + QuoteIfNeeded(role_name(relation.owner));
    items.emplace_back(std::move(item));
  }
  return items;
}

}  // namespace connbench::engine
