// Types and select-list columns by name.

#include <fmt/format.h>

#include <array>

#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"

namespace connbench::engine {

using ast::Node;
using ast::StringOf;

namespace {

// PostgreSQL ranks the sources of a name: 2 is a name of its own, 1 a fallback, 0 none.
int FigureName(const Node* node, const SubqueryNames& subqueries, std::string& name) {
  if (node == nullptr) return 0;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COLUMN_REF: {
      const PgQuery__ColumnRef& reference = *node->column_ref;
      for (size_t i = reference.n_fields; i > 0; --i) {
        const std::string_view field = StringOf(*reference.fields[i - 1]);
        if (field.empty()) continue;
        name = field;
        return 2;
      }
      return 0;
    }
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      name = StringOf(*node->func_call->funcname[node->func_call->n_funcname - 1]);
      return 2;
    case PG_QUERY__NODE__NODE_A_EXPR:
      if (node->a_expr->kind != PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF) return 0;
      name = "nullif";
      return 2;
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      const int strength = FigureName(node->type_cast->arg, subqueries, name);
      const PgQuery__TypeName& type = *node->type_cast->type_name;
      if (strength > 1 || type.n_names == 0) return strength;
      name = StringOf(*type.names[type.n_names - 1]);
      return 1;
    }
    case PG_QUERY__NODE__NODE_A_INDIRECTION: {
      const PgQuery__AIndirection& indirection = *node->a_indirection;
      for (size_t i = indirection.n_indirection; i > 0; --i) {
        const std::string_view field = StringOf(*indirection.indirection[i - 1]);
        if (field.empty()) continue;
        name = field;
        return 2;
      }
      return FigureName(indirection.arg, subqueries, name);
    }
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      name = "array";
      return 2;
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return FigureName(node->collate_clause->arg, subqueries, name);
    case PG_QUERY__NODE__NODE_CASE_EXPR: {
      const int strength = FigureName(node->case_expr->defresult, subqueries, name);
      if (strength > 1) return strength;
      name = "case";
      return 1;
    }
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      name = "coalesce";
      return 2;
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      name = node->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST ? "greatest" : "least";
      return 2;
    case PG_QUERY__NODE__NODE_SUB_LINK: {
      const auto known = subqueries.find(node->sub_link);
      if (known == subqueries.end()) return 0;
      name = known->second;
      return 2;
    }
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION: {
      constexpr std::array<std::string_view, 16> kNames = {"",
                                                           "current_date",
                                                           "current_time",
                                                           "current_time",
                                                           "current_timestamp",
                                                           "current_timestamp",
                                                           "localtime",
                                                           "localtime",
                                                           "localtimestamp",
                                                           "localtimestamp",
                                                           "current_role",
                                                           "current_user",
                                                           "user",
                                                           "session_user",
                                                           "current_catalog",
                                                           "current_schema"};
      const auto index = static_cast<size_t>(node->sqlvalue_function->op);
      if (index >= kNames.size()) return 0;
      name = kNames[index];
      return 2;
    }
    default:
      return 0;
  }
}

}  // namespace

std::string OutputColumnName(const Node& node, const SubqueryNames& subqueries) {
  std::string name;
  return FigureName(&node, subqueries, name) > 0 ? name : "?column?";
}

namespace {

bool IsSearchedSchema(std::string_view schema) {
  return schema == "pg_catalog" || schema == "public";
}

Status NoSuchSchema(std::string_view sql, std::string_view schema, int location) {
  return Status::Error(sqlstate::kInvalidSchemaName,
                       fmt::format("schema \"{}\" does not exist", schema),
                       CharacterPosition(sql, location));
}

}  // namespace

Status CheckOperatorSchema(std::string_view sql, const PgQuery__AExpr& expression) {
  if (expression.n_name < 2) return {};
  const std::string_view schema = StringOf(*expression.name[expression.n_name - 2]);
  if (IsSearchedSchema(schema)) return {};
  return NoSuchSchema(sql, schema, expression.location);
}

Status CheckColumnQualifiers(std::string_view sql, const PgQuery__ColumnRef& reference,
                             const ScopeItem& item) {
  if (reference.n_fields < 3) return {};
  if (reference.n_fields > 3) {
    return ast::NotSupported(sql, "a database's name in front of a column", reference.location);
  }
  const std::string_view schema = StringOf(*reference.fields[0]);
  const std::string_view table = StringOf(*reference.fields[1]);
  // Under an alias a table cannot be called by its schema.
  const bool is_table = table == item.alias && table == item.table_name;
  if (is_table && IsSearchedSchema(schema)) return {};
  return Status::Error(
             sqlstate::kUndefinedTable,
             fmt::format("invalid reference to FROM-clause entry for table \"{}\"", table),
             CharacterPosition(sql, reference.location))
      .WithHint(fmt::format("There is an entry for table \"{}\", but it cannot be referenced from "
                            "this part of the query.",
                            table));
}

Result<Type> ResolveTypeName(std::string_view sql, const PgQuery__TypeName& type) {
  // Only an error looks the position up: that reads the whole text.
  const auto position = [&] { return CharacterPosition(sql, type.location); };
  if (type.n_names == 0) {
    return Status::Error(sqlstate::kUndefinedObject, "type is missing", position());
  }
  const std::string_view name = StringOf(*type.names[type.n_names - 1]);
  if (type.setof) return ast::NotSupported(sql, "SETOF", type.location);
  if (type.n_names > 1) {
    const std::string_view schema = StringOf(*type.names[type.n_names - 2]);
    if (!IsSearchedSchema(schema)) return NoSuchSchema(sql, schema, type.location);
  }
  const TypeInfo* info = FindTypeByName(name);
  if (info == nullptr) return UnknownTypeError(name).WithPosition(position());
  if (type.n_array_bounds > 0) {
    const Oid array = ArrayType(info->oid);
    if (array == type_oid::kInvalid || type.n_typmods > 0) {
      return ast::NotSupported(sql, "this array type", type.location);
    }
    return Type{array, -1};
  }
  std::vector<int32_t> numbers;
  for (size_t i = 0; i < type.n_typmods; ++i) {
    const Node& modifier = *type.typmods[i];
    if (modifier.node_case != PG_QUERY__NODE__NODE_A_CONST ||
        modifier.a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL) {
      return Status::Error(sqlstate::kSyntaxError,
                           "type modifiers must be simple constants or identifiers", position());
    }
    numbers.push_back(modifier.a_const->ival->ival);
  }
  Type resolved{info->oid, -1};
  if (!numbers.empty()) {
    Result<int32_t> modifier = MakeTypeModifier(info->oid, numbers);
    if (!modifier.ok()) return modifier.TakeStatus().WithPosition(position());
    resolved.modifier = *modifier;
  }
  return resolved;
}

}  // namespace connbench::engine
