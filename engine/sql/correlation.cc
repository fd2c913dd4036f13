// Names of outer queries inside subqueries.
#include "engine/sql/correlation.h"

#include "engine/sql/ast.h"
#include "engine/sql/stored_view.h"

namespace connbench::engine {
namespace {

const Scope* Around(const Scope& scope) {
  return scope.correlation == nullptr ? nullptr : scope.correlation->outer;
}

// The innermost scope that knows the name; null: none.
const Scope* FindScope(const Scope& scope, const PgQuery__ColumnRef& reference) {
  for (const Scope* each = &scope; each != nullptr; each = Around(*each)) {
    if (each->Knows(reference)) return each;
  }
  return nullptr;
}

// Makes a value of owner readable in scope, through all queries in between.
Result<Expression*> Import(ExpressionBuilder& builder, const Scope& scope, const Scope& owner,
                           Expression* value, std::string_view name) {
  if (&scope == &owner) return value;
  CONNBENCH_ASSIGN_OR_RETURN(value, Import(builder, *Around(scope), owner, value, name));
  for (const Correlation::Import& known : scope.correlation->imports) {
    if (!SameExpression(*known.value, *value)) continue;
    auto* copy = builder.arena().New<Expression>(*known.cell);
    if (copy == nullptr) return builder.arena().OutOfMemory();
    copy->location = value->location;
    return copy;
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression * cell, builder.Cell(value->type, name, value->location));
  scope.correlation->imports.push_back({value, cell});
  return cell;
}

}  // namespace

Result<Expression*> ReferToColumn(ExpressionBuilder& builder, const Scope& scope,
                                  const Scope& owner, const ScopeColumn& column, int location) {
  if (owner.reads != nullptr) owner.reads->Add(column);
  Expression* value = column.merged;
  if (value == nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(value, builder.Column(column.slot, column.type, location));
  }
  if (&scope == &owner) return value;
  const ScopeColumn* named = nullptr;
  const ScopeItem* item = owner.ItemOf(column.slot, named);
  return Import(builder, scope, owner, value,
                item == nullptr ? column.name : item->alias + "." + named->name);
}

Result<Expression*> ResolveColumn(ExpressionBuilder& builder, std::string_view sql,
                                  const Scope& scope, const PgQuery__ColumnRef& reference) {
  const Scope* owner = scope.correlation == nullptr ? &scope : FindScope(scope, reference);
  if (owner == nullptr) {  // the error names what is nearest
    owner = &scope;
    const std::string_view name = ast::StringOf(*reference.fields[reference.n_fields - 1]);
    for (const Scope* each = &scope; each != nullptr && reference.n_fields == 1;
         each = Around(*each)) {
      for (const ScopeItem& item : each->items) {
        if (item.sees(name)) owner = each;  // a whole row
      }
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(const ScopeColumn* column, owner->Resolve(sql, reference));
  return ReferToColumn(builder, scope, *owner, *column, reference.location);
}

Result<ResolvedItem> ResolveItem(std::string_view sql, const Scope& scope,
                                 const PgQuery__ColumnRef& reference) {
  ResolvedItem found;
  found.scope = FindScope(scope, reference);
  if (found.scope == nullptr) found.scope = &scope;
  CONNBENCH_ASSIGN_OR_RETURN(found.item, found.scope->ResolveItem(sql, reference));
  return found;
}

}  // namespace connbench::engine
