// What enforcing a foreign key asks of the tables, as SQL.
#include "engine/sql/foreign_key_queries.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/expression/builder.h"
#include "engine/sql/relation_name.h"

namespace connbench::engine {
namespace {

enum class Style : uint8_t {
  kPlanned,     // what is planned here
  kPostgreSql,  // what PostgreSQL shows
};

std::string Column(const RelationInfo& table, int16_t column) {
  return QuoteIdentifier(table.columns[static_cast<size_t>(column)].name);
}

std::string TableName(const RelationInfo& table) {
  return "\"public\"." + QuoteIdentifier(table.name);
}

// Types whose values are compared as they are, without a cast of one of them.
int FamilyOf(Oid type) {
  switch (type) {
    case type_oid::kInt2:
    case type_oid::kInt4:
    case type_oid::kInt8:
      return 1;
    case type_oid::kFloat4:
    case type_oid::kFloat8:
      return 2;
    case type_oid::kDate:
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz:
      return 3;
    case type_oid::kText:
    case type_oid::kName:
      return 4;
    default:
      return -1;
  }
}

// A side of an equality as PostgreSQL writes it: varchar is compared as text, and a referencing
// value of another family is cast to the referenced type.
std::string Cast(std::string side, Oid type, Oid other, Oid referenced) {
  Oid wanted = type;
  if (type != other && (FamilyOf(type) < 0 || FamilyOf(type) != FamilyOf(other))) {
    wanted = referenced;
  }
  if (wanted == type_oid::kVarchar) wanted = type_oid::kText;
  if (wanted == type) return side;
  return fmt::format("{}::pg_catalog.{}", side, GetType(wanted).name);
}

class QueryWriter {
 public:
  QueryWriter(const ForeignKey& key, Style style) : key_(key), style_(style) {}

  // Columns of the referenced or the referencing table that equal $first and what follows.
  std::string Equal(bool referenced_table, bool referencing_values, size_t first) const {
    const RelationInfo& table = referenced_table ? *key_.referenced : *key_.referencing;
    const auto& columns = referenced_table ? key_.key.referenced_columns : key_.key.columns;
    const auto& types = referenced_table ? key_.referenced_types : key_.referencing_types;
    const auto& value_types = referencing_values ? key_.referencing_types : key_.referenced_types;
    std::string text;
    for (size_t i = 0; i < columns.size(); ++i) {
      std::string column = Column(table, columns[i]);
      std::string value = fmt::format("${}", first + i);
      if (!text.empty()) text += " AND ";
      // Else = would find an operator of its own: for a varchar and a bpchar that of bpchar, which
      // ignores blanks at the end.
      if (style_ == Style::kPostgreSql || types[i] != value_types[i]) {
        const Oid referenced = key_.referenced_types[i];
        column = Cast(std::move(column), types[i], value_types[i], referenced);
        value = Cast(std::move(value), value_types[i], types[i], referenced);
      }
      if (style_ == Style::kPlanned) {
        text += fmt::format("{} = {}", column, value);
        continue;
      }
      // PostgreSQL has the referenced side on the left.
      text += fmt::format("{} OPERATOR(pg_catalog.=) {}", referenced_table ? column : value,
                          referenced_table ? value : column);
    }
    return text;
  }

  std::string Only() const { return style_ == Style::kPostgreSql ? "ONLY " : ""; }

  std::string Find(bool referenced_table, bool referencing_values) const {
    return fmt::format("SELECT 1 FROM {}{} x WHERE {} FOR KEY SHARE OF x", Only(),
                       TableName(referenced_table ? *key_.referenced : *key_.referencing),
                       Equal(referenced_table, referencing_values, 1));
  }

  std::string Delete() const {
    return fmt::format("DELETE FROM {}{} WHERE {}", Only(), TableName(*key_.referencing),
                       Equal(false, false, 1));
  }

  std::string Update() const {
    std::string set;
    for (size_t i = 0; i < key_.key.columns.size(); ++i) {
      set += fmt::format("{}{} = ${}", i > 0 ? ", " : "",
                         Column(*key_.referencing, key_.key.columns[i]), i + 1);
    }
    return UpdateWith(set, key_.key.columns.size() + 1);
  }

  std::string Set(const std::vector<int16_t>& columns, ForeignKeyAction action) const {
    std::string set;
    for (const int16_t column : columns) {
      set += fmt::format("{}{} = {}", set.empty() ? "" : ", ", Column(*key_.referencing, column),
                         action == ForeignKeyAction::kSetNull ? "NULL" : "DEFAULT");
    }
    return UpdateWith(set, 1);
  }

  // Rows whose key is not in the referenced table; with MATCH FULL also a mixture with nulls.
  std::string FindOrphan() const {
    std::string columns;
    std::string pairs;
    std::string given;
    for (size_t i = 0; i < key_.key.columns.size(); ++i) {
      std::string from = "fk." + Column(*key_.referencing, key_.key.columns[i]);
      std::string to = "pk." + Column(*key_.referenced, key_.key.referenced_columns[i]);
      const Oid from_type = key_.referencing_types[i];
      const Oid to_type = key_.referenced_types[i];
      columns += (i > 0 ? ", " : "") + from;
      given += fmt::format("{}{} IS NOT NULL",
                           i == 0                ? ""
                           : key_.key.match_full ? " OR "
                                                 : " AND ",
                           from);
      if (from_type != to_type) {
        to = Cast(std::move(to), to_type, from_type, to_type);
        from = Cast(std::move(from), from_type, to_type, to_type);
      }
      pairs += fmt::format("{}{} = {}", i > 0 ? " AND " : "", to, from);
    }
    return fmt::format("SELECT {} FROM {} fk LEFT JOIN {} pk ON {} WHERE pk.{} IS NULL AND ({})",
                       columns, TableName(*key_.referencing), TableName(*key_.referenced), pairs,
                       Column(*key_.referenced, key_.key.referenced_columns[0]), given);
  }

 private:
  std::string UpdateWith(const std::string& set, size_t first) const {
    return fmt::format("UPDATE {}{} SET {} WHERE {}", Only(), TableName(*key_.referencing), set,
                       Equal(false, false, first));
  }

  const ForeignKey& key_;
  const Style style_;
};

std::string QueryText(const ForeignKey& key, ForeignKeyQuery query, Style style) {
  const QueryWriter writer(key, style);
  const ForeignKeyInfo& info = key.key;
  switch (query) {
    case ForeignKeyQuery::kFindReferenced:
      return writer.Find(/*referenced_table=*/true, /*referencing_values=*/true);
    case ForeignKeyQuery::kFindSameKey:
      return writer.Find(/*referenced_table=*/true, /*referencing_values=*/false);
    case ForeignKeyQuery::kFindReferencing:
      return writer.Find(/*referenced_table=*/false, /*referencing_values=*/false);
    case ForeignKeyQuery::kCascadeDelete:
      return writer.Delete();
    case ForeignKeyQuery::kCascadeUpdate:
      return writer.Update();
    case ForeignKeyQuery::kSetOnDelete:
      return writer.Set(info.set_columns.empty() ? info.columns : info.set_columns, info.on_delete);
    case ForeignKeyQuery::kSetOnUpdate:
      return writer.Set(info.columns, info.on_update);
    case ForeignKeyQuery::kFindOrphan:
      break;
  }
  return writer.FindOrphan();
}

}  // namespace

ForeignKeyQueryText MakeForeignKeyQuery(const ForeignKey& key, ForeignKeyQuery query) {
  ForeignKeyQueryText made{QueryText(key, query, Style::kPlanned), {}};
  if (query == ForeignKeyQuery::kFindOrphan) return made;
  made.parameter_types =
      query == ForeignKeyQuery::kFindReferenced ? key.referencing_types : key.referenced_types;
  if (query == ForeignKeyQuery::kCascadeUpdate) {
    made.parameter_types.insert(made.parameter_types.end(), key.referenced_types.begin(),
                                key.referenced_types.end());
  }
  return made;
}

std::string ForeignKeyContext(const ForeignKey& key, ForeignKeyQuery query) {
  return fmt::format("SQL statement \"{}\"", QueryText(key, query, Style::kPostgreSql));
}

Status CheckKeyTypes(const RelationInfo& referencing, const RelationInfo& referenced,
                     const ForeignKeyInfo& key) {
  for (size_t i = 0; i < key.columns.size(); ++i) {
    const ColumnInfo& from = referencing.columns[static_cast<size_t>(key.columns[i])];
    const ColumnInfo& to = referenced.columns[static_cast<size_t>(key.referenced_columns[i])];
    if (CanReference(from.type_oid, to.type_oid)) continue;
    return Status::Error(
               sqlstate::kDatatypeMismatch,
               fmt::format("foreign key constraint \"{}\" cannot be implemented", key.name))
        .WithDetail(fmt::format(
            "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.", from.name,
            to.name, FormatType({from.type_oid, -1}), FormatType({to.type_oid, -1})));
  }
  return {};
}

bool CanReference(Oid referencing, Oid referenced) {
  if (referencing == referenced) return true;
  if (FamilyOf(referencing) >= 0 && FamilyOf(referencing) == FamilyOf(referenced)) return true;
  Arena arena;
  ParameterTypes none = ParameterTypes::None();
  ExpressionBuilder builder(arena, none, "");
  const Result<Expression*> value = builder.Column(0, {referencing, -1}, -1);
  return value.ok() && builder.CoerceImplicitly(*value, {referenced, -1}).ok();
}

}  // namespace connbench::engine
