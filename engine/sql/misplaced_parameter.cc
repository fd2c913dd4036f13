// Parameters where PostgreSQL's grammar has none: see misplaced_parameter.h.
#include "engine/sql/misplaced_parameter.h"

#include <pg_query/pg_query.pb-c.h>

#include <span>

#include "engine/sql/ast.h"

namespace connbench::engine {
namespace {

const PgQuery__ParamRef* ParameterIn(const ast::Node* node) {
  return node != nullptr && node->node_case == PG_QUERY__NODE__NODE_PARAM_REF ? node->param_ref
                                                                              : nullptr;
}

// Of a message's own parts: a parameter that stands for a literal.
const PgQuery__ParamRef* LiteralsParameter(const ProtobufCMessage& message) {
  if (message.descriptor == &pg_query__def_elem__descriptor) {
    return ParameterIn(reinterpret_cast<const PgQuery__DefElem&>(message).arg);
  }
  if (message.descriptor == &pg_query__variable_set_stmt__descriptor) {
    const auto& set = reinterpret_cast<const PgQuery__VariableSetStmt&>(message);
    for (const ast::Node* value : ast::List(set.args, set.n_args)) {
      if (const PgQuery__ParamRef* parameter = ParameterIn(value)) return parameter;
    }
  } else if (message.descriptor == &pg_query__type_cast__descriptor) {
    // "timestamp '...'" has no place of its own, "CAST(... AS timestamp)" and "::" have.
    const auto& cast = reinterpret_cast<const PgQuery__TypeCast&>(message);
    if (cast.location < 0) return ParameterIn(cast.arg);
  } else if (message.descriptor == &pg_query__func_call__descriptor) {
    const auto& call = reinterpret_cast<const PgQuery__FuncCall&>(message);
    const bool is_extract = call.funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX &&
                            call.n_args > 0 && call.n_funcname > 0 &&
                            ast::StringOf(*call.funcname[call.n_funcname - 1]) == "extract";
    if (is_extract) return ParameterIn(call.args[0]);
  }
  return nullptr;
}

// Of all below a message. Recursion takes less stack than reading the tree did (nesting.h).
const PgQuery__ParamRef* FindBelow(const ProtobufCMessage& message) {
  if (const PgQuery__ParamRef* parameter = LiteralsParameter(message)) return parameter;
  const ProtobufCMessageDescriptor& type = *message.descriptor;
  for (const ProtobufCFieldDescriptor& field : std::span(type.fields, type.n_fields)) {
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      const size_t count = ast::FieldOf<size_t>(message, field.quantifier_offset);
      const auto* const* items =
          ast::FieldOf<const ProtobufCMessage* const*>(message, field.offset);
      for (const ProtobufCMessage* item : std::span(items, count)) {
        if (const PgQuery__ParamRef* parameter = FindBelow(*item)) return parameter;
      }
      continue;
    }
    // Of alternatives only the one that is set lies there.
    const bool one_of = (field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (one_of && ast::FieldOf<uint32_t>(message, field.quantifier_offset) != field.id) continue;
    const auto* part = ast::FieldOf<const ProtobufCMessage*>(message, field.offset);
    if (part == nullptr) continue;
    if (const PgQuery__ParamRef* parameter = FindBelow(*part)) return parameter;
  }
  return nullptr;
}

}  // namespace

const PgQuery__ParamRef* FindMisplacedParameter(const PgQuery__ParseResult& tree) {
  return FindBelow(tree.base);
}

}  // namespace connbench::engine
