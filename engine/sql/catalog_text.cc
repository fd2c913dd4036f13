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

std::string ActionText(std::string_view when, ForeignKeyAction action) {
  std::string_view what;
  switch (action) {
    case ForeignKeyAction::kNoAction:
      return {};
    case ForeignKeyAction::kRestrict:
      what = "RESTRICT";
      break;
    case ForeignKeyAction::kCascade:
      what = "CASCADE";
      break;
    case ForeignKeyAction::kSetNull:
      what = "SET NULL";
      break;
    case ForeignKeyAction::kSetDefault:
      what = "SET DEFAULT";
      break;
  }
  return fmt::format("{}{}", when, what);
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
  std::string text =
      fmt::format("FOREIGN KEY ({}) REFERENCES {}({})", ColumnList(table, key.columns),
                  QuoteIfNeeded(referenced.name), ColumnList(referenced, key.referenced_columns));
  if (key.match_full) text += " MATCH FULL";
  text += ActionText(" ON UPDATE ", key.on_update);
  text += ActionText(" ON DELETE ", key.on_delete);
  if (!key.set_columns.empty()) text += fmt::format(" ({})", ColumnList(table, key.set_columns));
  if (key.deferrable) text += " DEFERRABLE";
  if (key.deferred) text += " INITIALLY DEFERRED";
  if (!key.validated) text += " NOT VALID";
  return text;
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
