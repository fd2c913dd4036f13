// CREATE TABLE, DROP, TRUNCATE.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/explain.h"
#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

// Accepted in WITH (...), without effect: pages are filled as rows come.
bool IsAcceptedTableOption(std::string_view name) {
  return name == "fillfactor" || name == "parallel_workers" || name.starts_with("autovacuum_") ||
         name.starts_with("toast_tuple_target") || name == "user_catalog_table";
}

// The integer type that a serial column really has; kInvalid for any other type name.
Oid SerialType(const PgQuery__TypeName& type) {
  if (type.n_names != 1) return type_oid::kInvalid;
  const std::string_view name = ast::StringOf(*type.names[0]);
  if (name == "serial" || name == "serial4") return type_oid::kInt4;
  if (name == "bigserial" || name == "serial8") return type_oid::kInt8;
  if (name == "smallserial" || name == "serial2") return type_oid::kInt2;
  return type_oid::kInvalid;
}

int64_t LargestOf(Oid type) {
  return type == type_oid::kInt2 ? INT16_MAX : type == type_oid::kInt4 ? INT32_MAX : INT64_MAX;
}

}  // namespace

std::string TruncateName(std::string_view name) {
  if (name.size() <= static_cast<size_t>(kMaxNameLength)) return std::string(name);
  size_t cut = kMaxNameLength;
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;
  return std::string(name.substr(0, cut));
}

Result<std::string> DefaultText(std::string_view sql, const PgQuery__Node& expression,
                                const ColumnInfo& column) {
  Arena arena;
  ParameterTypes none;
  ExpressionBuilder builder(arena, none, sql);
  const Scope empty;
  ExpressionAnalyzer analyzer(builder, sql, empty);
  if (expression.node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "cannot use column reference in DEFAULT expression",
                         CharacterPosition(sql, ast::LocationOf(expression)));
  }
  CONNBENCH_ASSIGN_OR_RETURN(Expression * value,
                             analyzer.Analyze(expression, "DEFAULT expressions"));
  if (value->has_parameters) {
    return Status::Error(sqlstate::kUndefinedParameter, "there is no parameter $1",
                         CharacterPosition(sql, ast::LocationOf(expression)));
  }
  // Only to learn whether it fits.
  CONNBENCH_RETURN_IF_ERROR(
      builder.CoerceForColumn(value, {column.type_oid, column.type_modifier}, column.name, -1)
          .TakeStatus());
  return PrintExpression(*value, {});
}

TableDefinition::TableDefinition(std::string_view sql, std::string name)
    : sql_(sql), name_(std::move(name)) {}

Status TableDefinition::AddColumn(const PgQuery__ColumnDef& definition) {
  const int position = CharacterPosition(sql_, definition.location);
  ColumnInfo column;
  column.name = TruncateName(definition.colname);
  for (const ColumnInfo& other : columns) {
    if (other.name != column.name) continue;
    return Status::Error(sqlstate::kDuplicateColumn,
                         fmt::format("column \"{}\" specified more than once", column.name));
  }
  if (columns.size() == static_cast<size_t>(kMaxColumns)) {
    return Status::Error(sqlstate::kTooManyColumns,
                         fmt::format("tables can have at most {} columns", kMaxColumns));
  }
  if (definition.coll_clause != nullptr) {
    return ast::NotSupported(sql_, "COLLATE of a column", definition.coll_clause->location);
  }
  const size_t index = columns.size();
  const Oid serial = SerialType(*definition.type_name);
  if (serial != type_oid::kInvalid) {
    column.type_oid = serial;
    column.not_null = true;
    serials.push_back({index, LargestOf(serial)});
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(const Type type, ResolveTypeName(sql_, *definition.type_name));
    const TypeInfo& info = GetType(type.oid);
    if (info.form == ValueForm::kNone || type.oid == type_oid::kUnknown) {
      return Status::Error(
          sqlstate::kInvalidTableDefinition,
          fmt::format("column \"{}\" has pseudo-type {}", column.name, info.sql_name), position);
    }
    column.type_oid = type.oid;
    column.type_modifier = type.modifier;
  }
  columns.push_back(column);
  for (const ast::Node* node : ast::List(definition.constraints, definition.n_constraints)) {
    CONNBENCH_RETURN_IF_ERROR(AddColumnConstraint(*node->constraint, index));
  }
  return {};
}

Status TableDefinition::AddColumnConstraint(const PgQuery__Constraint& constraint, size_t index) {
  ColumnInfo& column = columns[index];
  switch (constraint.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_NULL:
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
      column.not_null = true;
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT: {
      if (!column.default_sql.empty() || IsSerial(index)) {
        return Status::Error(
            sqlstate::kSyntaxError,
            fmt::format("multiple default values specified for column \"{}\" of table \"{}\"",
                        column.name, name_),
            CharacterPosition(sql_, constraint.location));
      }
      CONNBENCH_ASSIGN_OR_RETURN(column.default_sql,
                                 DefaultText(sql_, *constraint.raw_expr, column));
      return {};
    }
    case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
      if (std::string_view(constraint.generated_when) != "d") {
        return ast::NotSupported(sql_, "GENERATED ALWAYS AS IDENTITY", constraint.location);
      }
      if (!IsInteger(column.type_oid)) {
        return Status::Error(sqlstate::kInvalidParameterValue,
                             "identity column type must be smallint, integer, or bigint");
      }
      column.not_null = true;
      serials.push_back({index, LargestOf(column.type_oid)});
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
      return AddKey(constraint, {static_cast<int16_t>(index)});
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE:
      return {};
    default:
      return AddTableConstraint(constraint);
  }
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
        if (at == columns.end()) {
          return Status::Error(sqlstate::kUndefinedColumn,
                               fmt::format("column \"{}\" named in key does not exist", wanted),
                               CharacterPosition(sql_, constraint.location));
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
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
      has_foreign_keys = true;
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
      return ast::NotSupported(sql_, "a CHECK constraint", constraint.location);
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
  if (key.size() > static_cast<size_t>(kMaxIndexColumns)) {
    return Status::Error(
        sqlstate::kTooManyColumns,
        fmt::format("cannot use more than {} columns in an index", kMaxIndexColumns));
  }
  IndexInfo index;
  index.unique = true;
  index.primary = constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
  index.name = TruncateName(constraint.conname);
  index.key_columns = std::move(key);
  for (int16_t column : index.key_columns) {
    const ColumnInfo& info = columns[static_cast<size_t>(column)];
    if (!IsIndexable(info.type_oid)) {
      return ast::NotSupported(sql_, "an index on type " + FormatType({info.type_oid, -1}),
                               constraint.location);
    }
    if (index.primary) columns[static_cast<size_t>(column)].not_null = true;
  }
  if (index.primary) {
    for (const IndexInfo& other : indexes) {
      if (!other.primary) continue;
      return Status::Error(
          sqlstate::kInvalidTableDefinition,
          fmt::format("multiple primary keys for table \"{}\" are not allowed", name_),
          CharacterPosition(sql_, constraint.location));
    }
  }
  indexes.push_back(std::move(index));
  return {};
}

bool TableDefinition::IsSerial(size_t column) const {
  return std::any_of(serials.begin(), serials.end(),
                     [column](const Serial& serial) { return serial.column == column; });
}

Result<RealSession::Outcome> RealSession::RunCreateTable(const PgQuery__Node& statement,
                                                         std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("CREATE TABLE"));
  const PgQuery__CreateStmt& create = *statement.create_stmt;
  const int location = create.relation->location;
  if (std::string_view(create.relation->relpersistence) == "t") {
    return ast::NotSupported(sql, "a temporary table", location);
  }
  if (create.n_inh_relations > 0) return ast::NotSupported(sql, "INHERITS", location);
  if (create.partspec != nullptr || create.partbound != nullptr) {
    return ast::NotSupported(sql, "partitioning", location);
  }
  if (create.of_typename != nullptr) return ast::NotSupported(sql, "OF type", location);
  const std::string_view access_method = create.access_method;
  if (!access_method.empty() && access_method != "heap") {
    return ast::NotSupported(sql, fmt::format("access method \"{}\"", access_method), location);
  }
  const std::string_view tablespace = create.tablespacename;
  if (!tablespace.empty() && tablespace != "pg_default") {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("tablespace \"{}\" does not exist", tablespace));
  }
  for (const ast::Node* node : ast::List(create.options, create.n_options)) {
    if (!IsAcceptedTableOption(node->def_elem->defname)) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("unrecognized parameter \"{}\"", node->def_elem->defname));
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::string name, ast::RelationName(sql, *create.relation));
  name = TruncateName(name);
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef existing, catalog_.FindIfExists(transaction_, name));
  if (existing != nullptr) {
    std::string message = fmt::format("relation \"{}\" already exists", name);
    if (!create.if_not_exists) {
      return Status::Error(sqlstate::kDuplicateTable, std::move(message));
    }
    Notice(sink, "NOTICE", sqlstate::kDuplicateTable, std::move(message) + ", skipping");
    return Outcome{"CREATE TABLE"};
  }
  TableDefinition definition(sql, name);
  for (const ast::Node* node : ast::List(create.table_elts, create.n_table_elts)) {
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF) {
      CONNBENCH_RETURN_IF_ERROR(definition.AddColumn(*node->column_def));
    } else if (node->node_case != PG_QUERY__NODE__NODE_CONSTRAINT) {
      return ast::NotSupported(sql, "LIKE in CREATE TABLE", ast::LocationOf(*node));
    }
  }
  // Constraints may name columns that come after them.
  for (const ast::Node* node : ast::List(create.table_elts, create.n_table_elts)) {
    if (node->node_case == PG_QUERY__NODE__NODE_CONSTRAINT) {
      CONNBENCH_RETURN_IF_ERROR(definition.AddTableConstraint(*node->constraint));
    }
  }
  catalog_changed_ = true;
  for (const TableDefinition::Serial& serial : definition.serials) {
    ColumnInfo& column = definition.columns[serial.column];
    CONNBENCH_ASSIGN_OR_RETURN(const std::string sequence_name,
                               ChooseName(name, column.name, "seq"));
    SequenceInfo sequence;
    sequence.maximum = serial.maximum;
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef made,
                               catalog_.CreateSequence(transaction_, sequence_name, sequence));
    column.owned_sequence = made->oid;
    column.default_sql = "nextval('";
    for (char c : sequence_name) column.default_sql += c == '\'' ? "''" : std::string(1, c);
    column.default_sql += "')";
  }
  RelationInfo relation;
  relation.name = name;
  relation.columns = std::move(definition.columns);
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef table, catalog_.CreateTable(transaction_, relation));
  CONNBENCH_RETURN_IF_ERROR(
      transaction_.locks().LockRelation(table->oid, LockMode::kAccessExclusive));
  for (IndexInfo& index : definition.indexes) {
    CONNBENCH_ASSIGN_OR_RETURN(table, MakeIndex(table, std::move(index)));
  }
  if (definition.has_foreign_keys) WarnForeignKey(sink);
  return Outcome{"CREATE TABLE"};
}

void RealSession::WarnForeignKey(ResultSink& sink) {
  Notice(sink, "WARNING", sqlstate::kFeatureNotSupported,
         "the foreign key is accepted, but not enforced");
}

// "table_column_suffix", with a number if that is taken.
Result<std::string> RealSession::ChooseName(std::string_view table, std::string_view column,
                                            std::string_view suffix) {
  for (int number = 0;; ++number) {
    std::string name(table);
    if (!column.empty()) name += fmt::format("_{}", column);
    const std::string end =
        number == 0 ? fmt::format("_{}", suffix) : fmt::format("_{}{}", suffix, number);
    name = TruncateName(name.substr(0, kMaxNameLength - end.size()));
    name += end;
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef taken, catalog_.FindIfExists(transaction_, name));
    if (taken == nullptr) return name;
  }
}

namespace {

struct DropKind {
  PgQuery__ObjectType type;
  RelationKind kind;
  std::string_view word;
  std::string_view tag;
};
constexpr DropKind kDropKinds[] = {
    {PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, RelationKind::kTable, "table", "DROP TABLE"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, RelationKind::kIndex, "index", "DROP INDEX"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE, RelationKind::kSequence, "sequence", "DROP SEQUENCE"},
};

std::string_view WordOf(RelationKind kind) {
  for (const DropKind& entry : kDropKinds) {
    if (entry.kind == kind) return entry.word;
  }
  return "relation";
}

}  // namespace

Result<RealSession::Outcome> RealSession::RunDrop(const PgQuery__Node& statement,
                                                  std::string_view sql, ResultSink& sink) {
  const PgQuery__DropStmt& drop = *statement.drop_stmt;
  const auto* entry =
      std::find_if(std::begin(kDropKinds), std::end(kDropKinds),
                   [&](const DropKind& candidate) { return candidate.type == drop.remove_type; });
  if (entry == std::end(kDropKinds)) return ast::NotSupported(sql, "DROP of this object", -1);
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly(entry->tag));
  for (const ast::Node* node : ast::List(drop.objects, drop.n_objects)) {
    const PgQuery__List& parts = *node->list;
    CONNBENCH_ASSIGN_OR_RETURN(const std::string name,
                               ast::ObjectName(sql, ast::List(parts.items, parts.n_items), -1));
    RelationRef locked;
    RelationRef relation;
    while (true) {  // until what is found is what is locked
      CONNBENCH_ASSIGN_OR_RETURN(relation, catalog_.FindIfExists(transaction_, name));
      if (relation == nullptr || relation == locked) break;
      const Oid lock_oid =
          relation->kind == RelationKind::kIndex ? relation->table_oid : relation->oid;
      CONNBENCH_RETURN_IF_ERROR(
          transaction_.locks().LockRelation(lock_oid, LockMode::kAccessExclusive));
      locked = relation;
    }
    if (relation == nullptr) {
      std::string message = fmt::format("{} \"{}\" does not exist", entry->word, name);
      if (!drop.missing_ok) {
        return Status::Error(entry->kind == RelationKind::kTable ? sqlstate::kUndefinedTable
                                                                 : sqlstate::kUndefinedObject,
                             std::move(message));
      }
      Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion, std::move(message) + ", skipping");
      continue;
    }
    if (relation->kind != entry->kind) {
      const std::string_view word = WordOf(relation->kind);
      return Status::Error(
                 sqlstate::kWrongObjectType,
                 fmt::format("\"{}\" is not {} {}", name,
                             entry->kind == RelationKind::kIndex ? "an" : "a", entry->word))
          .WithHint(fmt::format("Use DROP {} to remove {} {}.",
                                word == "index"      ? "INDEX"
                                : word == "sequence" ? "SEQUENCE"
                                                     : "TABLE",
                                word == "index" ? "an" : "a", word));
    }
    if (relation->oid < kFirstUserOid) {
      return Status::Error(sqlstate::kInsufficientPrivilege,
                           fmt::format("permission denied: \"{}\" is a system catalog", name));
    }
    if (relation->kind == RelationKind::kSequence) {
      CONNBENCH_ASSIGN_OR_RETURN(const auto all, catalog_.List(transaction_));
      for (const RelationRef& table : all) {
        for (const ColumnInfo& column : table->columns) {
          if (column.owned_sequence != relation->oid) continue;
          return Status::Error(
              sqlstate::kDependentObjectsStillExist,
              fmt::format("cannot drop sequence {} because column {} of table {} requires it", name,
                          column.name, table->name));
        }
      }
    }
    catalog_changed_ = true;
    CONNBENCH_RETURN_IF_ERROR(catalog_.Drop(transaction_, relation));
  }
  return Outcome{std::string(entry->tag)};
}

Result<RealSession::Outcome> RealSession::RunTruncate(const PgQuery__Node& statement,
                                                      std::string_view sql) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("TRUNCATE TABLE"));
  const PgQuery__TruncateStmt& truncate = *statement.truncate_stmt;
  const PlanningContext planning = planning_context();
  for (const ast::Node* node : ast::List(truncate.relations, truncate.n_relations)) {
    CONNBENCH_ASSIGN_OR_RETURN(
        const RelationRef table,
        FindAndLockTable(planning, sql, *node->range_var, LockMode::kAccessExclusive));
    catalog_changed_ = true;
    CONNBENCH_RETURN_IF_ERROR(catalog_.Truncate(transaction_, table).TakeStatus());
    if (!truncate.restart_seqs) continue;
    for (const ColumnInfo& column : table->columns) {
      if (column.owned_sequence == 0) continue;
      CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                                 catalog_.FindByOid(transaction_, column.owned_sequence));
      CONNBENCH_RETURN_IF_ERROR(catalog_.SetValue(sequence, sequence->sequence.start, false));
    }
  }
  return Outcome{"TRUNCATE TABLE"};
}

}  // namespace connbench::engine
