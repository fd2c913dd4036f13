// Short names and small helpers for libpg_query's tree. Included only by the .cc files of this
// folder and their private headers: the generated header is large.
//
// Safety: pure functions on a tree that the caller keeps alive.
#pragma once

#include <pg_query/pg_query.pb-c.h>

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/sql/parse_tree.h"

namespace connbench::engine::ast {

using Node = PgQuery__Node;

inline std::span<Node* const> List(Node* const* items, size_t count) { return {items, count}; }

// The text of a String node, empty for any other.
inline std::string_view StringOf(const Node& node) {
  return node.node_case == PG_QUERY__NODE__NODE_STRING ? std::string_view(node.string->sval)
                                                       : std::string_view();
}

// A field of a message that its descriptor names by offset. Requires: T is the field's type.
template <typename T>
const T& FieldOf(const ProtobufCMessage& message, unsigned offset) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(&message) + offset);
}

// What a node is: one of some 230 kinds of message, which all lie in one place. Null: nothing.
const ProtobufCMessage* MessageOf(const Node& node);
// Visits the messages that a field holds, until one is an error.
template <typename Visit>
Status ForEachMessage(const ProtobufCMessage& message, const ProtobufCFieldDescriptor& field,
                      const Visit& visit) {
  if (field.type != PROTOBUF_C_TYPE_MESSAGE) return {};
  if (field.label != PROTOBUF_C_LABEL_REPEATED) {
    const auto* held = FieldOf<const ProtobufCMessage*>(message, field.offset);
    return held == nullptr ? Status() : visit(*held);
  }
  const auto count = FieldOf<size_t>(message, field.quantifier_offset);
  const auto* const* items = FieldOf<const ProtobufCMessage* const*>(message, field.offset);
  for (size_t i = 0; i < count; ++i) CONNBENCH_RETURN_IF_ERROR(visit(*items[i]));
  return {};
}

// Where a node begins, as a byte offset, -1 if the tree does not say. For lists and lists' owners:
// where their first element begins.
int LocationOf(const Node& node);

// Whether two parts of trees say the same, wherever they stand.
bool SameTree(const ProtobufCMessage& a, const ProtobufCMessage& b);

// DESC, and where the nulls then go: unless it says so, they are larger than everything.
inline bool IsDescending(const PgQuery__SortBy& sort) {
  return sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
}
inline bool PutsNullsFirst(const PgQuery__SortBy& sort) {
  return sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
         (sort.sortby_nulls != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST && IsDescending(sort));
}

// "SELECT", "CREATE VIEW": what the node is, for "... is not supported".
std::string KindOf(const Node& node);

// 0A000 "<what> is not supported" at a byte offset of sql.
Status NotSupported(std::string_view sql, std::string_view what, int location);

// An option's value as text: "on" for a bare name; numbers, booleans and words as written.
std::string DefElemText(const PgQuery__DefElem& element);
// An option that is a switch; 22023 "<name> requires a Boolean value" otherwise.
Result<bool> DefElemBool(const PgQuery__DefElem& element);

// The last part of a possibly qualified name; 0A000 for schemas other than public, pg_catalog.
Result<std::string> ObjectName(std::string_view sql, std::span<Node* const> parts, int location);
// The name of a relation that a statement uses or changes; 42P01 in other schemas, 0A000 for what
// only PostgreSQL has, 42501 and 42809 for what only a query may use (system_views.h).
Result<std::string> RelationName(std::string_view sql, const PgQuery__RangeVar& relation);
// The name of one that it makes, which is always in the schema public; 42501 in pg_catalog.
Result<std::string> NewRelationName(std::string_view sql, const PgQuery__RangeVar& relation);

}  // namespace connbench::engine::ast
