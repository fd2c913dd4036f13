// The query of a view as SQL text: see view_text.h.
#include "engine/sql/view_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "engine/executor/types/string_type.h"
#include "engine/sql/ast.h"
#include "engine/sql/stored_view.h"

namespace connbench::engine {
namespace {

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Behind a quoted name or a comment that begins there; the place itself: neither does.
size_t SkipQuotedOrComment(std::string_view sql, size_t at) {
  if (sql[at] == '"') {
    const size_t end = sql.find('"', at + 1);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  if (sql.substr(at, 2) == "--") {
    const size_t end = sql.find('\n', at);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  if (sql.substr(at, 2) != "/*") return at;
  int depth = 0;
  while (at < sql.size()) {
    const std::string_view two = sql.substr(at, 2);
    if (two == "/*") ++depth;
    if (two == "*/") --depth;
    at += two == "/*" || two == "*/" ? 2 : 1;
    if (depth == 0) break;
  }
  return at;
}

// What stands behind AS in CREATE VIEW name (columns) AS query. Before it are only names.
std::string_view QueryText(std::string_view sql, const PgQuery__ViewStmt& statement) {
  size_t at = static_cast<size_t>(statement.view->location);
  while (at < sql.size()) {
    const size_t skipped = SkipQuotedOrComment(sql, at);
    if (skipped != at) {
      at = skipped;
      continue;
    }
    size_t end = at;
    while (end < sql.size() && IsWordByte(sql[end])) ++end;
    const bool is_as =
        end - at == 2 && std::tolower(sql[at]) == 'a' && std::tolower(sql[at + 1]) == 's';
    if (is_as) {
      while (end < sql.size() && std::isspace(static_cast<unsigned char>(sql[end])) != 0) ++end;
      return sql.substr(end);
    }
    at = end > at ? end : at + 1;
  }
  return {};
}

template <typename Columns>
std::string Names(const Columns& columns, size_t count) {
  std::string list;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) list += ", ";
    list += QuoteIfNeeded(columns[i].name);
  }
  return list;
}

// CREATE [OR REPLACE] RECURSIVE VIEW, which the parser turns into WITH RECURSIVE.
bool IsRecursiveView(std::string_view sql) {
  constexpr std::string_view kWord = "recursive";
  for (size_t at = 0; at < sql.size();) {
    const size_t skipped = SkipQuotedOrComment(sql, at);
    if (skipped != at) {
      at = skipped;
      continue;
    }
    size_t end = at;
    std::string word;
    while (end < sql.size() && IsWordByte(sql[end])) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(sql[end++])));
    }
    if (word == kWord || word == "view") return word == kWord;
    at = end > at ? end : at + 1;
  }
  return false;
}

std::string RecursiveText(const PgQuery__CommonTableExpr& query, std::string_view text) {
  std::string columns;
  for (const ast::Node* name : ast::List(query.aliascolnames, query.n_aliascolnames)) {
    if (!columns.empty()) columns += ", ";
    columns += QuoteIfNeeded(ast::StringOf(*name));
  }
  const std::string name = QuoteIfNeeded(query.ctename);
  return fmt::format("WITH RECURSIVE {}({}) AS ({}) SELECT {} FROM {}", name, columns, text,
                     columns, name);
}

// Whether the text's names are those of today.
bool IsUnchanged(const ViewReference& reference, const RelationInfo& relation) {
  if (relation.name != reference.name) return false;
  if (relation.columns.size() != static_cast<size_t>(reference.width)) return false;
  for (const ViewReference::Column& used : reference.columns) {
    if (relation.columns[static_cast<size_t>(used.number)].name != used.name) return false;
  }
  const auto dropped = std::count_if(relation.columns.begin(), relation.columns.end(),
                                     [](const ColumnInfo& column) { return column.dropped; });
  return static_cast<size_t>(dropped) == reference.dropped.size();
}

// A query of WITH by which the text finds the relation as it was. Aliases count what was dropped
// since.
std::string OldRelation(const ViewReference& reference, const RelationInfo& relation) {
  std::string then;
  std::string now;
  for (int16_t i = 0; i < reference.width; ++i) {
    if (HasColumn(reference.dropped, static_cast<size_t>(i))) continue;
    const ColumnInfo& column = relation.columns[static_cast<size_t>(i)];
    std::string name = column.dropped ? fmt::format("dropped {}", i + 1) : column.name;
    for (const ViewReference::Column& used : reference.columns) {
      if (used.number == i) name = used.name;
    }
    if (!then.empty()) then += ", ";
    then += QuoteIfNeeded(name);
    if (!now.empty()) now += ", ";
    now += column.dropped ? std::string("NULL") : QuoteIfNeeded(column.name);
  }
  return fmt::format("{}({}) AS (SELECT {} FROM public.{})", QuoteIfNeeded(reference.name), then,
                     now, QuoteIfNeeded(relation.name));
}

}  // namespace

Result<std::string> ViewText(const PlanningContext& context, const RelationInfo& view,
                             bool /*pretty*/) {
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ReadView(view.view, context.interrupts));
  std::string text(QueryText(view.view.sql, *tree.statement(0).view_stmt));
  // It may end in a comment, which must not take what is written behind it.
  if (text.find("--") != std::string::npos) text += '\n';
  if (IsRecursiveView(view.view.sql)) {
    text = RecursiveText(*QueryOfView(tree).with_clause->ctes[0]->common_table_expr, text);
  }
  std::string old;
  for (const ViewReference& reference : view.view.references) {
    CONNBENCH_ASSIGN_OR_RETURN(
        const RelationRef relation,
        context.catalog->FindByOidIfExists(*context.transaction, reference.oid));
    if (relation == nullptr || IsUnchanged(reference, *relation)) continue;
    old += (old.empty() ? "WITH " : ", ") + OldRelation(reference, *relation);
  }
  if (!view.view.own_names || !old.empty()) {
    text = fmt::format("{}{}SELECT * FROM ({}) {}({})", old, old.empty() ? "" : " ", text,
                       QuoteIfNeeded(view.name), Names(view.columns, view.columns.size()));
  }
  return " " + text + ";";
}

}  // namespace connbench::engine
