// Short names and small helpers for libpg_query's tree.
#include "engine/sql/ast.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "engine/roles/role_table.h"
#include "engine/sql/parse_tree.h"
#include "engine/sql/system_catalogs.h"
#include "engine/sql/system_views.h"

namespace connbench::engine::ast {
namespace {

int FirstLocation(Node* const* items, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const int location = LocationOf(*items[i]);
    if (location >= 0) return location;
  }
  return -1;
}

int LocationOfOptional(const Node* node) { return node == nullptr ? -1 : LocationOf(*node); }

}  // namespace

const ProtobufCMessage* MessageOf(const Node& node) {
  if (node.node_case == PG_QUERY__NODE__NODE__NOT_SET) return nullptr;
  return FieldOf<const ProtobufCMessage*>(node.base, pg_query__node__descriptor.fields[0].offset);
}

int LocationOf(const Node& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return node.a_const->location;
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return node.column_ref->location;
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return node.param_ref->location;
    case PG_QUERY__NODE__NODE_A_EXPR: {
      // The node's own location is the operator's.
      const int left = LocationOfOptional(node.a_expr->lexpr);
      return left >= 0 ? left : node.a_expr->location;
    }
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return node.func_call->location;
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      const int argument = LocationOfOptional(node.type_cast->arg);
      const int cast = node.type_cast->location;
      return argument >= 0 && (cast < 0 || argument < cast) ? argument : cast;
    }
    case PG_QUERY__NODE__NODE_BOOL_EXPR: {
      const int first = FirstLocation(node.bool_expr->args, node.bool_expr->n_args);
      const int own = node.bool_expr->location;
      return own >= 0 && (first < 0 || own < first) ? own : first;
    }
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return node.sub_link->location;
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return node.case_expr->location;
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return node.coalesce_expr->location;
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return node.min_max_expr->location;
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return node.sqlvalue_function->location;
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return LocationOfOptional(node.null_test->arg);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
      return LocationOfOptional(node.boolean_test->arg);
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
      return node.set_to_default->location;
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return LocationOfOptional(node.collate_clause->arg);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return node.a_array_expr->location;
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return LocationOfOptional(node.a_indirection->arg);
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return node.row_expr->location;
    case PG_QUERY__NODE__NODE_GROUPING_SET:
      return node.grouping_set->location;
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return node.grouping_func->location;
    case PG_QUERY__NODE__NODE_RES_TARGET:
      return node.res_target->location;
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      return node.range_var->location;
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      return FirstLocation(node.range_function->functions, node.range_function->n_functions);
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
      return LocationOfOptional(node.range_subselect->subquery);
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
      return LocationOfOptional(node.join_expr->larg);
    case PG_QUERY__NODE__NODE_SORT_BY:
      return LocationOfOptional(node.sort_by->node);
    case PG_QUERY__NODE__NODE_LIST:
      return FirstLocation(node.list->items, node.list->n_items);
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return FirstLocation(node.select_stmt->target_list, node.select_stmt->n_target_list);
    case PG_QUERY__NODE__NODE_COLUMN_DEF:
      return node.column_def->location;
    case PG_QUERY__NODE__NODE_CONSTRAINT:
      return node.constraint->location;
    case PG_QUERY__NODE__NODE_DEF_ELEM:
      return node.def_elem->location;
    case PG_QUERY__NODE__NODE_TYPE_NAME:
      return node.type_name->location;
    default:
      return -1;
  }
}

namespace {

// Of messages, texts and numbers: the tree has no other fields.
bool SameItem(const ProtobufCFieldDescriptor& field, const ProtobufCMessage& a,
              const ProtobufCMessage& b, unsigned offset) {
  switch (field.type) {
    case PROTOBUF_C_TYPE_MESSAGE: {
      const auto* left = FieldOf<const ProtobufCMessage*>(a, offset);
      const auto* right = FieldOf<const ProtobufCMessage*>(b, offset);
      if (left == nullptr || right == nullptr) return left == right;
      return SameTree(*left, *right);
    }
    case PROTOBUF_C_TYPE_STRING:
      return std::string_view(FieldOf<const char*>(a, offset)) == FieldOf<const char*>(b, offset);
    case PROTOBUF_C_TYPE_BOOL:
      return FieldOf<protobuf_c_boolean>(a, offset) == FieldOf<protobuf_c_boolean>(b, offset);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
      return FieldOf<int64_t>(a, offset) == FieldOf<int64_t>(b, offset);
    default:
      return FieldOf<int32_t>(a, offset) == FieldOf<int32_t>(b, offset);
  }
}

bool SameField(const ProtobufCFieldDescriptor& field, const ProtobufCMessage& a,
               const ProtobufCMessage& b) {
  if (field.label == PROTOBUF_C_LABEL_REPEATED) {
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) return false;  // what is parsed has none of these
    const size_t count = FieldOf<size_t>(a, field.quantifier_offset);
    if (count != FieldOf<size_t>(b, field.quantifier_offset)) return false;
    const auto* const* left = FieldOf<const ProtobufCMessage* const*>(a, field.offset);
    const auto* const* right = FieldOf<const ProtobufCMessage* const*>(b, field.offset);
    return std::equal(left, left + count, right,
                      [](const auto* x, const auto* y) { return SameTree(*x, *y); });
  }
  // Of alternatives only the one that is set lies there.
  if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
    const auto set = FieldOf<uint32_t>(a, field.quantifier_offset);
    if (set != FieldOf<uint32_t>(b, field.quantifier_offset)) return false;
    if (set != field.id) return true;
  }
  return SameItem(field, a, b, field.offset);
}

}  // namespace

bool SameTree(const ProtobufCMessage& a, const ProtobufCMessage& b) {
  if (a.descriptor != b.descriptor) return false;
  const ProtobufCMessageDescriptor& type = *a.descriptor;
  return std::all_of(type.fields, type.fields + type.n_fields,
                     [&](const ProtobufCFieldDescriptor& field) {
                       return std::string_view(field.name) == "location" || SameField(field, a, b);
                     });
}

std::string KindOf(const Node& node) {
  // The descriptor's name, "CreateViewStmt", as words: "CREATE VIEW".
  const ProtobufCFieldDescriptor* field = protobuf_c_message_descriptor_get_field(
      &pg_query__node__descriptor, static_cast<unsigned>(node.node_case));
  if (field == nullptr) return "this statement";
  std::string_view name = field->name;
  if (name.ends_with("_stmt")) name.remove_suffix(5);
  std::string words;
  for (char c : name)
    words += c == '_' ? ' ' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return words;
}

Status NotSupported(std::string_view sql, std::string_view what, int location) {
  return Status::Error(sqlstate::kFeatureNotSupported, fmt::format("{} is not supported", what),
                       CharacterPosition(sql, location));
}

std::string DefElemText(const PgQuery__DefElem& element) {
  if (element.arg == nullptr) return "on";
  const Node& value = *element.arg;
  switch (value.node_case) {
    case PG_QUERY__NODE__NODE_STRING:
      return value.string->sval;
    case PG_QUERY__NODE__NODE_INTEGER:
      return std::to_string(value.integer->ival);
    case PG_QUERY__NODE__NODE_FLOAT:
      return value.float_->fval;
    case PG_QUERY__NODE__NODE_BOOLEAN:
      return value.boolean->boolval ? "on" : "off";
    case PG_QUERY__NODE__NODE_A_CONST:
      switch (value.a_const->val_case) {
        case PG_QUERY__A__CONST__VAL_IVAL:
          return std::to_string(value.a_const->ival->ival);
        case PG_QUERY__A__CONST__VAL_FVAL:
          return value.a_const->fval->fval;
        case PG_QUERY__A__CONST__VAL_SVAL:
          return value.a_const->sval->sval;
        case PG_QUERY__A__CONST__VAL_BOOLVAL:
          return value.a_const->boolval->boolval ? "on" : "off";
        default:
          return "";
      }
    case PG_QUERY__NODE__NODE_TYPE_NAME: {
      const PgQuery__TypeName& type = *value.type_name;
      return type.n_names == 0 ? "" : std::string(StringOf(*type.names[type.n_names - 1]));
    }
    default:
      return "";
  }
}

Result<bool> DefElemBool(const PgQuery__DefElem& element) {
  const std::string text = DefElemText(element);
  for (const std::string_view yes : {"on", "true", "1"}) {
    if (EqualIgnoringCase(text, yes)) return true;
  }
  for (const std::string_view no : {"off", "false", "0"}) {
    if (EqualIgnoringCase(text, no)) return false;
  }
  return Status::Error(sqlstate::kSyntaxError,
                       fmt::format("{} requires a Boolean value", element.defname));
}

Result<std::string> ObjectName(std::string_view sql, std::span<Node* const> parts, int location) {
  if (parts.empty()) return Status::Error(sqlstate::kSyntaxError, "a name is missing");
  if (parts.size() > 1) {
    const std::string_view schema = StringOf(*parts[parts.size() - 2]);
    if (schema != "public" && schema != "pg_catalog") {
      return Status::Error(sqlstate::kInvalidSchemaName,
                           fmt::format("schema \"{}\" does not exist", schema),
                           CharacterPosition(sql, location));
    }
  }
  return std::string(StringOf(*parts.back()));
}

Result<std::string> RelationName(std::string_view sql, const PgQuery__RangeVar& relation) {
  const std::string_view schema = relation.schemaname;
  const std::string_view name = relation.relname;
  // Only an error looks the position up: that reads the whole text.
  const auto position = [&] { return CharacterPosition(sql, relation.location); };
  if (const SystemView* view = FindSystemView(schema, name)) return RefuseSystemView(*view);
  // pg_catalog comes before public where no schema is named.
  const bool in_catalog = schema == "pg_catalog" || schema == "information_schema" ||
                          (schema.empty() && IsSystemCatalog(name));
  if (in_catalog && !(schema == "pg_catalog" && name == kRoleTableName)) {
    const bool exists = schema == "information_schema" || IsSystemCatalog(name);
    if (!exists) {
      return Status::Error(sqlstate::kUndefinedTable,
                           fmt::format("relation \"{}.{}\" does not exist", schema, name),
                           position());
    }
    const std::string full =
        schema.empty() ? std::string(name) : fmt::format("{}.{}", schema, name);
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("relation \"{}\" is not supported", full), position())
        .WithHint("docs/sql.md lists the system catalogs that there are.");
  }
  if (!schema.empty() && schema != "public" && schema != "pg_catalog") {
    return Status::Error(sqlstate::kUndefinedTable,
                         fmt::format("relation \"{}.{}\" does not exist", schema, name),
                         position());
  }
  return std::string(name);
}

Result<std::string> NewRelationName(std::string_view sql, const PgQuery__RangeVar& relation) {
  const std::string_view schema = relation.schemaname;
  if (schema.empty()) return std::string(relation.relname);
  if (schema == "pg_catalog") {
    return Status::Error(
               sqlstate::kInsufficientPrivilege,
               fmt::format("permission denied to create \"pg_catalog.{}\"", relation.relname))
        .WithDetail("System catalog modifications are currently disallowed.");
  }
  if (schema != "public" && schema != "information_schema") {
    return Status::Error(sqlstate::kInvalidSchemaName,
                         fmt::format("schema \"{}\" does not exist", schema));
  }
  return RelationName(sql, relation);
}

}  // namespace connbench::engine::ast
