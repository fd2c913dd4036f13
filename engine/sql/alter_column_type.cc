// ALTER TABLE ... ALTER COLUMN ... TYPE.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/casts.h"
#include "engine/executor/key_codec.h"
#include "engine/executor/types/string_type.h"
#include "engine/sql/alter_table.h"
#include "engine/sql/ast.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/foreign_key_queries.h"
#include "engine/sql/sequence_options.h"
#include "engine/sql/stored_expression.h"

namespace connbench::engine {
namespace {

// Whether the value is the column's own bytes, so that the rows may stay as they are.
bool KeepsBytes(const Expression& value, size_t column) {
  const Expression* at = &value;
  while (at->kind == ExpressionKind::kRelabel && at->argument_count == 1) at = at->arguments[0];
  return at->kind == ExpressionKind::kColumn && at->index == static_cast<int32_t>(column) &&
         (at == &value || (GetType(value.type.oid).form == ValueForm::kBytes &&
                           GetType(at->type.oid).form == ValueForm::kBytes));
}

}  // namespace

// USING is read before all else, with the columns as they are before the statement.
Result<RealSession::Alteration::NewType> RealSession::Alteration::PrepareType(
    const PgQuery__AlterTableCmd& command) {
  const PgQuery__ColumnDef& definition = *command.def->column_def;
  const std::string_view name = command.name;
  ParameterTypes none = ParameterTypes::None();
  ExpressionBuilder builder(arena_, none, sql_);
  const Scope scope = ScopeOfRow(table_->name, table_->columns);
  Expression* value = nullptr;
  if (definition.raw_default != nullptr) {
    ExpressionAnalyzer analyzer(builder, sql_, scope);
    CONNBENCH_ASSIGN_OR_RETURN(value, analyzer.Analyze(*definition.raw_default, kTransformClause));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const size_t index, FindColumn(name));
  const ColumnInfo& column = table_->columns[index];
  Result<Type> resolved = ResolveTypeName(sql_, *definition.type_name);
  if (!resolved.ok()) return resolved.TakeStatus().WithoutPosition();
  const Type type = *resolved;
  if (column.identity != Identity::kNone && !IsInteger(type.oid)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "identity column type must be smallint, integer, or bigint");
  }
  CONNBENCH_RETURN_IF_ERROR(
      CheckNewType(sql_, name, type, definition.type_name->location, definition.location)
          .WithoutPosition());
  if (definition.coll_clause != nullptr) {
    return ast::NotSupported(sql_, "COLLATE of a column", definition.coll_clause->location);
  }
  const bool given = value != nullptr;
  if (!given) {
    CONNBENCH_ASSIGN_OR_RETURN(value, builder.Column(static_cast<int>(index),
                                                     {column.type_oid, column.type_modifier}, -1));
  }
  if (!CanCoerce(value->type.oid, type.oid, CoercionContext::kAssignment)) {
    const std::string type_name = FormatType({type.oid, -1});
    if (given) {
      return Status::Error(sqlstate::kDatatypeMismatch,
                           fmt::format("result of USING clause for column \"{}\" cannot be cast "
                                       "automatically to type {}",
                                       name, type_name))
          .WithHint("You might need to add an explicit cast.");
    }
    return Status::Error(sqlstate::kDatatypeMismatch,
                         fmt::format("column \"{}\" cannot be cast automatically to type {}", name,
                                     type_name))
        .WithHint(fmt::format("You might need to specify \"USING {}::{}\".", QuoteIfNeeded(name),
                              FormatType(type)));
  }
  Result<Expression*> coerced = builder.CoerceForColumn(value, type, name, -1);
  if (!coerced.ok()) return coerced.TakeStatus().WithoutPosition();
  CONNBENCH_RETURN_IF_ERROR(builder.ConstantError());
  return NewType{std::string(name), type, *coerced};
}

// What stands in the way: views, and a default that does not fit.
Status RealSession::Alteration::CheckTypeFits(size_t index, Type type) {
  const ColumnInfo& column = table_->columns[index];
  CONNBENCH_ASSIGN_OR_RETURN(const Dependencies dependencies,
                             Dependencies::Load(session_.catalog_, session_.transaction_));
  if (const RelationRef view = dependencies.ViewOfColumn(*table_, static_cast<int16_t>(index))) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "cannot alter type of a column used by a view or rule")
        .WithDetail(fmt::format("rule _RETURN on view {} depends on column \"{}\"", view->name,
                                column.name));
  }
  if (column.default_sql.empty()) return {};
  CONNBENCH_ASSIGN_OR_RETURN(const Expression* value, ReadStoredDefault(column, arena_));
  if (CanCoerce(value->type.oid, type.oid, CoercionContext::kAssignment)) return {};
  return Status::Error(
      sqlstate::kDatatypeMismatch,
      fmt::format("default for column \"{}\" cannot be cast automatically to type {}", column.name,
                  FormatType({type.oid, -1})));
}

Status RealSession::Alteration::AlterType(const NewType& change) {
  CONNBENCH_ASSIGN_OR_RETURN(const size_t index, FindColumn(change.column));
  const Type old{table_->columns[index].type_oid, table_->columns[index].type_modifier};
  const ColumnInfo& was = before_->columns[index];
  if (old != Type{was.type_oid, was.type_modifier}) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("cannot alter type of column \"{}\" twice", change.column));
  }
  CONNBENCH_RETURN_IF_ERROR(CheckTypeFits(index, change.type));
  if (table_->columns[index].identity != Identity::kNone) {
    CONNBENCH_RETURN_IF_ERROR(AlterIdentityType(table_->columns[index], change.type.oid));
  }
  bool indexed = false;
  for (const IndexInfo& key : table_->indexes) {
    if (!HasColumn(key.key_columns, index)) continue;
    indexed = true;
    if (IsIndexable(change.type.oid)) continue;
    return ast::NotSupported(sql_, "an index on type " + FormatType({change.type.oid, -1}), -1);
  }
  const bool keeps_rows = KeepsBytes(*change.value, index) &&
                          (!indexed || change.value->kind == ExpressionKind::kColumn);
  if (!keeps_rows) {
    rewrite_ = true;
    values_.resize(std::max(values_.size(), index + 1), nullptr);
    values_[index] = change.value;
  }
  std::vector<ColumnInfo> columns = table_->columns;
  columns[index].type_oid = change.type.oid;
  columns[index].type_modifier = change.type.modifier;
  if (!keeps_rows) columns[index].missing.clear();  // the value is made of what before_ has
  CONNBENCH_RETURN_IF_ERROR(RetypeChecks(std::move(columns), index));
  return RetypeForeignKeys(index);
}

// The sequence of an identity column has the column's type.
Status RealSession::Alteration::AlterIdentityType(const ColumnInfo& column, Oid type) {
  Transaction& transaction = session_.transaction_;
  CONNBENCH_RETURN_IF_ERROR(
      transaction.locks().LockRelation(column.owned_sequence, LockMode::kAccessExclusive));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                             session_.catalog_.FindByOid(transaction, column.owned_sequence));
  int64_t value = 0;
  const bool called = session_.catalog_.LastValue(sequence, value);
  CONNBENCH_ASSIGN_OR_RETURN(const SequenceInfo info,
                             SequenceOfType(sequence->sequence, type, value));
  session_.catalog_changed_ = true;
  return session_.catalog_.AlterSequence(transaction, sequence, info, value, called).TakeStatus();
}

// The text of a condition means what it means with the new type, as if it were written again.
Status RealSession::Alteration::RetypeChecks(std::vector<ColumnInfo> columns, size_t column) {
  RelationInfo retyped = *table_;
  retyped.columns = columns;
  std::vector<std::string> names;
  for (const ColumnInfo& each : columns) names.push_back(each.name);
  for (CheckInfo& check : retyped.checks) {
    if (!HasColumn(check.columns, column)) continue;
    Result<Expression*> condition = ReadStoredCheck(retyped, check, arena_);
    if (!condition.ok()) return condition.TakeStatus().WithoutPosition();
    CONNBENCH_ASSIGN_OR_RETURN(check.sql, PrintStoredExpression(**condition, names));
    if (std::find(checks_.begin(), checks_.end(), check.oid) == checks_.end()) {
      checks_.push_back(check.oid);
    }
  }
  session_.catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(
      table_, session_.catalog_.Alter(session_.transaction_, table_, [&](RelationInfo& changed) {
        changed.columns = columns;
        changed.checks = retyped.checks;
      }));
  return {};
}

// Keys in which the column refers or is referred to: their types must fit still, and their rows are
// compared again.
Status RealSession::Alteration::RetypeForeignKeys(size_t column) {
  Transaction& transaction = session_.transaction_;
  std::vector<NewKey> keys;
  for (const ForeignKeyInfo& key : table_->foreign_keys) {
    if (HasColumn(key.columns, column)) keys.push_back({table_->oid, key.oid});
  }
  for (const ReferenceInfo& reference : table_->references) {
    keys.push_back({reference.table_oid, reference.key_oid});
  }
  for (const NewKey& each : keys) {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef referencing,
                               session_.catalog_.FindByOid(transaction, each.table));
    const ForeignKeyInfo* key = referencing->FindForeignKey(each.key);
    if (key == nullptr) continue;
    const bool is_own = each.table == table_->oid && HasColumn(key->columns, column);
    if (!is_own && !HasColumn(key->referenced_columns, column)) continue;
    if (each.table != table_->oid) {
      CONNBENCH_RETURN_IF_ERROR(
          transaction.locks().LockRelation(each.table, LockMode::kAccessExclusive));
      CONNBENCH_RETURN_IF_ERROR(session_.CheckNotInUse("DROP TRIGGER", *referencing));
    }
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef referenced,
                               session_.catalog_.FindByOid(transaction, key->table_oid));
    CONNBENCH_RETURN_IF_ERROR(CheckKeyTypes(*referencing, *referenced, *key));
    const bool known = std::any_of(foreign_keys_.begin(), foreign_keys_.end(),
                                   [&](const NewKey& other) { return other.key == each.key; });
    if (key->validated && !known) foreign_keys_.push_back(each);
  }
  return {};
}

}  // namespace connbench::engine
