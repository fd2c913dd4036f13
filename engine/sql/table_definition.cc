// A CREATE TABLE statement, checked: columns, keys, serials, foreign keys.
#include "engine/sql/table_definition.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/column_defaults.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/storage_options.h"

namespace connbench::engine {
namespace {

// The integer type that a serial column really has; kInvalid for any other type name.
Oid SerialType(const PgQuery__TypeName& type) {
  if (type.n_names != 1) return type_oid::kInvalid;
  const std::string_view name = ast::StringOf(*type.names[0]);
  if (name == "serial" || name == "serial4") return type_oid::kInt4;
  if (name == "bigserial" || name == "serial8") return type_oid::kInt8;
  if (name == "smallserial" || name == "serial2") return type_oid::kInt2;
  return type_oid::kInvalid;
}

}  // namespace

bool IsSystemColumn(std::string_view name) {
  constexpr std::string_view kNames[] = {"tableoid", "ctid", "xmin", "cmin", "xmax", "cmax"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::string TruncateName(std::string_view name) {
  if (name.size() <= static_cast<size_t>(kMaxNameLength)) return std::string(name);
  size_t cut = kMaxNameLength;
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;
  return std::string(name.substr(0, cut));
}

TableDefinition::TableDefinition(std::string_view sql, std::string name,
                                 EvalEnvironment& environment)
    : sql_(sql), name_(std::move(name)), environment_(environment) {}

Status CheckNewName(std::span<const ColumnInfo> columns, std::string_view name) {
  for (const ColumnInfo& other : columns) {
    if (other.name != name) continue;
    return Status::Error(sqlstate::kDuplicateColumn,
                         fmt::format("column \"{}\" specified more than once", name));
  }
  if (IsSystemColumn(name)) {
    return Status::Error(
        sqlstate::kDuplicateColumn,
        fmt::format("column name \"{}\" conflicts with a system column name", name));
  }
  if (columns.size() < static_cast<size_t>(kMaxColumns)) return {};
  return Status::Error(sqlstate::kTooManyColumns,
                       fmt::format("tables can have at most {} columns", kMaxColumns));
}

Status CheckNewType(std::string_view sql, std::string_view name, Type type, int type_location,
                    int location) {
  const TypeInfo& info = GetType(type.oid);
  if (info.catalog_only || IsArray(info)) {
    return ast::NotSupported(sql, "a column of type " + std::string(info.sql_name), type_location);
  }
  if (info.form != ValueForm::kNone && type.oid != type_oid::kUnknown) return {};
  return Status::Error(sqlstate::kInvalidTableDefinition,
                       fmt::format("column \"{}\" has pseudo-type {}", name, info.sql_name),
                       location < 0 ? 0 : CharacterPosition(sql, location));
}

Status TableDefinition::AddColumn(const PgQuery__ColumnDef& definition) {
  ColumnInfo column;
  column.name = TruncateName(definition.colname);
  CONNBENCH_RETURN_IF_ERROR(CheckNewName(columns, column.name));
  if (definition.coll_clause != nullptr) {
    return ast::NotSupported(sql_, "COLLATE of a column", definition.coll_clause->location);
  }
  const size_t index = columns.size();
  const Oid serial = SerialType(*definition.type_name);
  if (serial != type_oid::kInvalid) {
    column.type_oid = serial;
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(const Type type, ResolveTypeName(sql_, *definition.type_name));
    CONNBENCH_RETURN_IF_ERROR(
        CheckNewType(sql_, column.name, type, definition.type_name->location, definition.location));
    column.type_oid = type.oid;
    column.type_modifier = type.modifier;
  }
  columns.push_back(column);
  default_sequences.emplace_back();
  Declared declared;
  for (const ast::Node* node : ast::List(definition.constraints, definition.n_constraints)) {
    CONNBENCH_RETURN_IF_ERROR(AddColumnConstraint(*node->constraint, index, declared));
  }
  return serial == type_oid::kInvalid ? Status() : AddSerial(index, declared);
}

Status TableDefinition::AddNullability(bool not_null, int location, size_t index,
                                       Declared& declared) {
  ColumnInfo& column = columns[index];
  if (declared.nullability && column.not_null != not_null) {
    return Status::Error(
        sqlstate::kSyntaxError,
        fmt::format("conflicting NULL/NOT NULL declarations for column \"{}\" of table \"{}\"",
                    column.name, name_),
        CharacterPosition(sql_, location));
  }
  column.not_null = not_null;
  declared.nullability = true;
  return {};
}

Status TableDefinition::AddDefault(int location, size_t index, Declared& declared) {
  if (declared.by_default) {
    return Status::Error(
        sqlstate::kSyntaxError,
        fmt::format("multiple default values specified for column \"{}\" of table \"{}\"",
                    columns[index].name, name_),
        CharacterPosition(sql_, location));
  }
  declared.by_default = true;
  if (!declared.identity) return {};
  return Status::Error(
      sqlstate::kSyntaxError,
      fmt::format("both default and identity specified for column \"{}\" of table \"{}\"",
                  columns[index].name, name_),
      CharacterPosition(sql_, location));
}

Status TableDefinition::AddIdentity(const PgQuery__Constraint& constraint, size_t index,
                                    Declared& declared) {
  ColumnInfo& column = columns[index];
  if (!IsInteger(column.type_oid)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "identity column type must be smallint, integer, or bigint");
  }
  const auto position = [&] { return CharacterPosition(sql_, constraint.location); };
  if (declared.identity) {
    return Status::Error(
        sqlstate::kSyntaxError,
        fmt::format("multiple identity specifications for column \"{}\" of table \"{}\"",
                    column.name, name_),
        position());
  }
  declared.identity = true;
  column.identity =
      std::string_view(constraint.generated_when) == "a" ? Identity::kAlways : Identity::kByDefault;
  CONNBENCH_ASSIGN_OR_RETURN(
      SequenceChange sequence,
      ReadSequenceOptions(sql_, ast::List(constraint.options, constraint.n_options), nullptr,
                          column.type_oid));
  if (!sequence.owned_by.empty()) {
    const bool none = sequence.owned_by.size() == 1 && sequence.owned_by[0] == "none";
    if (!none) return ast::NotSupported(sql_, "OWNED BY of an identity", constraint.location);
  }
  serials.push_back({index, std::move(sequence)});
  CONNBENCH_RETURN_IF_ERROR(AddNullability(true, constraint.location, index, declared));
  if (!declared.by_default) return {};
  return Status::Error(
      sqlstate::kSyntaxError,
      fmt::format("both default and identity specified for column \"{}\" of table \"{}\"",
                  column.name, name_),
      position());
}

// As if DEFAULT nextval(...) NOT NULL stood behind the column's own constraints.
Status TableDefinition::AddSerial(size_t index, Declared& declared) {
  CONNBENCH_RETURN_IF_ERROR(AddDefault(-1, index, declared));
  CONNBENCH_RETURN_IF_ERROR(AddNullability(true, -1, index, declared));
  CONNBENCH_ASSIGN_OR_RETURN(SequenceChange sequence,
                             ReadSequenceOptions(sql_, {}, nullptr, columns[index].type_oid));
  serials.push_back({index, std::move(sequence)});
  return {};
}

Status TableDefinition::AddColumnConstraint(const PgQuery__Constraint& constraint, size_t index,
                                            Declared& declared) {
  ColumnInfo& column = columns[index];
  const bool attribute = constraint.contype >= PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE &&
                         constraint.contype <= PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE;
  if (attribute) return AddAttribute(constraint, declared);
  const bool key = constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
                   constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE ||
                   constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN;
  declared.key = key ? &constraint : nullptr;
  declared.deferrability = declared.initially = false;
  switch (constraint.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_NULL:
      return AddNullability(false, constraint.location, index, declared);
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
      return AddNullability(true, constraint.location, index, declared);
    case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT: {
      CONNBENCH_RETURN_IF_ERROR(AddDefault(constraint.location, index, declared));
      Result<std::string> text =
          DefaultText(sql_, *constraint.raw_expr, column, environment_, default_sequences[index]);
      if (!text.ok()) {
        Status status = text.TakeStatus();
        return alters ? Status(std::move(status).WithoutPosition()) : std::move(status);
      }
      column.default_sql = std::move(*text);
      return {};
    }
    case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
      return AddIdentity(constraint, index, declared);
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
      foreign_keys.push_back({.constraint = &constraint, .columns = {static_cast<int16_t>(index)}});
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
      return AddKey(constraint, {static_cast<int16_t>(index)});
    default:
      return AddTableConstraint(constraint);
  }
}

Status TableDefinition::AddAttribute(const PgQuery__Constraint& attribute, Declared& declared) {
  const auto refuse = [&](std::string_view message) {
    return Status::Error(sqlstate::kSyntaxError, std::string(message),
                         CharacterPosition(sql_, attribute.location));
  };
  const auto type = attribute.contype;
  const bool deferrable = type == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE;
  const bool deferred = type == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED;
  const bool initially = deferred || type == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE;
  if (declared.key == nullptr) {
    return refuse(fmt::format("misplaced {} clause", deferred     ? "INITIALLY DEFERRED"
                                                     : initially  ? "INITIALLY IMMEDIATE"
                                                     : deferrable ? "DEFERRABLE"
                                                                  : "NOT DEFERRABLE"));
  }
  bool& said = initially ? declared.initially : declared.deferrability;
  if (said) {
    return refuse(
        fmt::format("multiple {} clauses not allowed",
                    initially ? "INITIALLY IMMEDIATE/DEFERRED" : "DEFERRABLE/NOT DEFERRABLE"));
  }
  said = true;
  if (declared.key->contype != PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN) {
    if (!deferrable && !deferred) return {};
    return ast::NotSupported(sql_, "a deferrable constraint", attribute.location);
  }
  ForeignKey& key = foreign_keys.back();
  if (deferrable) key.deferrable = true;
  if (deferred) {
    if (declared.deferrability && !key.deferrable) {
      return refuse("constraint declared INITIALLY DEFERRED must be DEFERRABLE");
    }
    key.deferrable = key.deferred = true;
  }
  if (!initially && !deferrable && key.deferred) {
    return refuse("constraint declared INITIALLY DEFERRED must be DEFERRABLE");
  }
  return {};
}

Status TableDefinition::AddTableConstraint(const PgQuery__Constraint& constraint) {
  switch (constraint.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: {
      std::vector<int16_t> key;
      for (const ast::Node* node : ast::List(constraint.keys, constraint.n_keys)) {
        const std::string_view wanted = ast::StringOf(*node);
        const auto at = std::find_if(columns.begin(), columns.end(), [wanted](const auto& column) {
          return column.name == wanted;
        });
        const bool primary = constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
        if (at == columns.end() && alters && primary) {
          // PostgreSQL first sets its columns NOT NULL.
          return Status::Error(
              sqlstate::kUndefinedColumn,
              fmt::format("column \"{}\" of relation \"{}\" does not exist", wanted, name_));
        }
        if (at == columns.end()) {
          return Status::Error(sqlstate::kUndefinedColumn,
                               fmt::format("column \"{}\" named in key does not exist", wanted),
                               alters ? 0 : CharacterPosition(sql_, constraint.location));
        }
        const auto column = static_cast<int16_t>(at - columns.begin());
        if (std::find(key.begin(), key.end(), column) != key.end()) {
          return Status::Error(
              sqlstate::kDuplicateColumn,
              fmt::format("column \"{}\" appears twice in {} constraint", wanted,
                          constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY
                              ? "primary key"
                              : "unique"),
              CharacterPosition(sql_, constraint.location));
        }
        key.push_back(column);
      }
      return AddKey(constraint, std::move(key));
    }
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN: {
      CONNBENCH_ASSIGN_OR_RETURN(std::vector<int16_t> key, ForeignKeyColumns(constraint));
      foreign_keys.push_back({.constraint = &constraint,
                              .columns = std::move(key),
                              .deferrable = constraint.deferrable != 0,
                              .deferred = constraint.initdeferred != 0});
      return {};
    }
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
      checks.push_back(&constraint);
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
      return ast::NotSupported(sql_, "a generated column", constraint.location);
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
      return ast::NotSupported(sql_, "an EXCLUDE constraint", constraint.location);
    default:
      return ast::NotSupported(sql_, "this constraint", constraint.location);
  }
}

Status TableDefinition::AddKey(const PgQuery__Constraint& constraint, std::vector<int16_t> key) {
  if (constraint.deferrable || constraint.initdeferred) {
    return ast::NotSupported(sql_, "a deferrable constraint", constraint.location);
  }
  if (constraint.n_including > 0) return ast::NotSupported(sql_, "INCLUDE", constraint.location);
  if (constraint.nulls_not_distinct) {
    return ast::NotSupported(sql_, "NULLS NOT DISTINCT", constraint.location);
  }
  CONNBENCH_RETURN_IF_ERROR(CheckTablespace(constraint.indexspace));
  CONNBENCH_RETURN_IF_ERROR(
      CheckStorageOptions(sql_, ast::List(constraint.options, constraint.n_options), true));
  if (key.size() > static_cast<size_t>(kMaxIndexColumns)) {
    return Status::Error(
        sqlstate::kTooManyColumns,
        fmt::format("cannot use more than {} columns in an index", kMaxIndexColumns));
  }
  IndexInfo index;
  index.unique = true;
  index.constraint = true;
  index.primary = constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
  index.name = TruncateName(constraint.conname);
  index.key_columns = std::move(key);
  for (int16_t column : index.key_columns) {
    const ColumnInfo& info = columns[static_cast<size_t>(column)];
    CONNBENCH_RETURN_IF_ERROR(CheckIndexableType(sql_, info.type_oid, constraint.location));
    if (index.primary) columns[static_cast<size_t>(column)].not_null = true;
  }
  if (index.primary) {
    for (const IndexInfo& other : indexes) {
      if (!other.primary) continue;
      return Status::Error(
          sqlstate::kInvalidTableDefinition,
          fmt::format("multiple primary keys for table \"{}\" are not allowed", name_),
          alters ? 0 : CharacterPosition(sql_, constraint.location));
    }
  }
  indexes.push_back(std::move(index));
  return {};
}

Result<std::vector<int16_t>> TableDefinition::ForeignKeyColumns(
    const PgQuery__Constraint& constraint) const {
  std::vector<int16_t> key;
  for (const ast::Node* node : ast::List(constraint.fk_attrs, constraint.n_fk_attrs)) {
    const std::string_view wanted = ast::StringOf(*node);
    const auto at = std::find_if(columns.begin(), columns.end(),
                                 [wanted](const auto& column) { return column.name == wanted; });
    if (at == columns.end()) {
      return Status::Error(
          sqlstate::kUndefinedColumn,
          fmt::format("column \"{}\" referenced in foreign key constraint does not exist", wanted));
    }
    key.push_back(static_cast<int16_t>(at - columns.begin()));
  }
  return key;
}

}  // namespace connbench::engine
