// Which clauses of a statement are known: see clauses.h.
#include "engine/sql/clauses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace connbench::engine {
namespace {

// A row is missing on purpose for expressions, whose subqueries are checked when they are analysed,
// and for statements that are refused as a whole.
constexpr KnownFields kKnown[] = {
    // ---- queries ----
    // group_distinct: GROUP BY DISTINCT tells grouping sets apart, and there are none.
    {&pg_query__select_stmt__descriptor,
     "distinct_clause into_clause target_list from_clause where_clause group_clause having_clause "
     "window_clause values_lists sort_clause limit_offset limit_count limit_option locking_clause "
     "with_clause op all larg rarg",
     "group_distinct"},
    {&pg_query__insert_stmt__descriptor,
     "relation cols select_stmt on_conflict_clause returning_list with_clause override", ""},
    {&pg_query__on_conflict_clause__descriptor, "action infer target_list where_clause location",
     ""},
    {&pg_query__infer_clause__descriptor, "index_elems where_clause conname location", ""},
    {&pg_query__update_stmt__descriptor,
     "relation target_list where_clause from_clause returning_list with_clause", ""},
    {&pg_query__delete_stmt__descriptor,
     "relation using_clause where_clause returning_list with_clause", ""},
    {&pg_query__locking_clause__descriptor, "locked_rels strength wait_policy", ""},
    // inh: without inheritance ONLY t is t. catalogname is compared below.
    {&pg_query__range_var__descriptor,
     "catalogname schemaname relname relpersistence alias location", "inh"},
    // lateral: a function of constants sees the same before and behind it.
    {&pg_query__range_function__descriptor, "ordinality is_rowsfrom functions alias coldeflist",
     "lateral"},
    {&pg_query__range_subselect__descriptor, "lateral subquery alias", ""},
    {&pg_query__with_clause__descriptor, "ctes recursive location", ""},
    // ctematerialized: every query of WITH is stored.
    {&pg_query__common_table_expr__descriptor, "ctename aliascolnames ctequery location",
     "ctematerialized"},
    {&pg_query__join_expr__descriptor, "jointype is_natural larg rarg using_clause quals alias",
     ""},
    {&pg_query__alias__descriptor, "aliasname colnames", ""},

    // ---- definitions ----
    {&pg_query__create_stmt__descriptor,
     "relation table_elts inh_relations partbound partspec of_typename options oncommit "
     "tablespacename access_method if_not_exists",
     ""},
    {&pg_query__create_table_as_stmt__descriptor, "query into objtype is_select_into if_not_exists",
     ""},
    {&pg_query__into_clause__descriptor,
     "rel col_names access_method options on_commit table_space_name skip_data", ""},
    {&pg_query__rename_stmt__descriptor,
     "rename_type relation_type relation subname newname missing_ok", "behavior"},
    {&pg_query__view_stmt__descriptor, "view aliases query replace options with_check_option", ""},
    {&pg_query__column_def__descriptor,
     "colname type_name raw_default coll_clause constraints location", "is_local"},
    // initially_valid: follows from the others.
    {&pg_query__constraint__descriptor,
     "contype conname deferrable initdeferred location raw_expr generated_when nulls_not_distinct "
     "keys including exclusions options indexname indexspace pktable fk_attrs pk_attrs "
     "fk_matchtype fk_upd_action fk_del_action fk_del_set_cols skip_validation",
     "initially_valid"},
    {&pg_query__index_stmt__descriptor,
     "idxname relation access_method table_space index_params index_including_params options "
     "where_clause unique nulls_not_distinct concurrent if_not_exists",
     ""},
    {&pg_query__index_elem__descriptor,
     "name expr collation opclass opclassopts ordering nulls_ordering", ""},
    {&pg_query__alter_table_stmt__descriptor, "relation cmds objtype missing_ok", ""},
    {&pg_query__alter_table_cmd__descriptor, "subtype name newowner def behavior missing_ok",
     "recurse"},
    {&pg_query__create_seq_stmt__descriptor, "sequence options if_not_exists", ""},
    {&pg_query__alter_seq_stmt__descriptor, "sequence options missing_ok", ""},
    {&pg_query__drop_stmt__descriptor, "objects remove_type behavior missing_ok concurrent", ""},
    {&pg_query__truncate_stmt__descriptor, "relations restart_seqs behavior", ""},
    {&pg_query__def_elem__descriptor, "defnamespace defname arg location", "defaction"},

    // ---- roles and privileges ----
    {&pg_query__create_role_stmt__descriptor, "stmt_type role options", ""},
    {&pg_query__alter_role_stmt__descriptor, "role options", "action"},
    {&pg_query__drop_role_stmt__descriptor, "roles missing_ok", ""},
    // behavior: without the grant option nothing hangs on a privilege.
    {&pg_query__grant_stmt__descriptor,
     "is_grant targtype objtype objects privileges grantees grant_option grantor", "behavior"},
    {&pg_query__access_priv__descriptor, "priv_name cols", ""},
    {&pg_query__role_spec__descriptor, "roletype rolename location", ""},

    // ---- the rest ----
    {&pg_query__copy_stmt__descriptor,
     "relation query attlist is_from is_program filename options where_clause", ""},
    {&pg_query__vacuum_stmt__descriptor, "options rels is_vacuumcmd", ""},
    {&pg_query__vacuum_relation__descriptor, "relation va_cols", ""},
    {&pg_query__lock_stmt__descriptor, "relations mode nowait", ""},
    {&pg_query__prepare_stmt__descriptor, "name argtypes query", ""},
    {&pg_query__execute_stmt__descriptor, "name params", ""},
    {&pg_query__deallocate_stmt__descriptor, "name", ""},
    {&pg_query__declare_cursor_stmt__descriptor, "portalname options query", ""},
    {&pg_query__fetch_stmt__descriptor, "direction how_many portalname ismove", ""},
    {&pg_query__explain_stmt__descriptor, "query options", ""},
    {&pg_query__variable_set_stmt__descriptor, "kind name args is_local", ""},
    {&pg_query__constraints_set_stmt__descriptor, "constraints deferred", ""},
    {&pg_query__variable_show_stmt__descriptor, "name", ""},
    {&pg_query__discard_stmt__descriptor, "target", ""},
    {&pg_query__transaction_stmt__descriptor, "kind options savepoint_name gid chain", ""},
};

// A row of the table as statements are checked by it: which of the message's fields are known.
struct FieldSet {
  const ProtobufCMessageDescriptor* message;
  uint64_t known;  // by the field's place in the descriptor
};

const std::vector<FieldSet>& FieldSets() {
  static const std::vector<FieldSet> sets = [] {
    std::vector<FieldSet> made;
    for (const KnownFields& row : kKnown) {
      FieldSet set{row.message, 0};
      for (std::string_view rest : {row.read, row.harmless}) {
        while (!rest.empty()) {
          const size_t end = std::min(rest.find(' '), rest.size());
          const ProtobufCFieldDescriptor* field = protobuf_c_message_descriptor_get_field_by_name(
              row.message, std::string(rest.substr(0, end)).c_str());
          if (field != nullptr) set.known |= uint64_t{1} << (field - row.message->fields);
          rest.remove_prefix(std::min(end + 1, rest.size()));
        }
      }
      made.push_back(set);
    }
    std::sort(made.begin(), made.end(),
              [](const FieldSet& a, const FieldSet& b) { return a.message < b.message; });
    return made;
  }();
  return sets;
}

const FieldSet* Find(const ProtobufCMessageDescriptor* message) {
  const std::vector<FieldSet>& sets = FieldSets();
  const auto at = std::lower_bound(
      sets.begin(), sets.end(), message,
      [](const FieldSet& set, const auto* wanted) { return set.message < wanted; });
  return at != sets.end() && at->message == message ? &*at : nullptr;
}

class Walker {
 public:
  Walker(std::string_view sql, int start, std::string_view database)
      : sql_(sql), start_(start), database_(database) {}

  Status Visit(const ProtobufCMessage& message) {
    if (message.descriptor == &pg_query__node__descriptor) {
      return VisitNode(reinterpret_cast<const ast::Node&>(message));
    }
    if (message.descriptor == &pg_query__list__descriptor) {
      const auto& list = reinterpret_cast<const PgQuery__List&>(message);
      for (size_t i = 0; i < list.n_items; ++i) {
        CONNBENCH_RETURN_IF_ERROR(VisitNode(*list.items[i]));
      }
      return {};
    }
    const FieldSet* set = Find(message.descriptor);
    if (set == nullptr) return {};
    if (message.descriptor == &pg_query__range_var__descriptor) {
      CONNBENCH_RETURN_IF_ERROR(CheckDatabase(reinterpret_cast<const PgQuery__RangeVar&>(message)));
    }
    for (unsigned i = 0; i < message.descriptor->n_fields; ++i) {
      const ProtobufCFieldDescriptor& field = message.descriptor->fields[i];
      if (!IsSet(message, field)) continue;
      if ((set->known >> i & 1) == 0) return Refuse(message, field);
      CONNBENCH_RETURN_IF_ERROR(ast::ForEachMessage(
          message, field, [this](const ProtobufCMessage& each) { return Visit(each); }));
    }
    return {};
  }

 private:
  static bool IsSet(const ProtobufCMessage& message, const ProtobufCFieldDescriptor& field) {
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      return ast::FieldOf<size_t>(message, field.quantifier_offset) > 0;
    }
    switch (field.type) {
      case PROTOBUF_C_TYPE_MESSAGE:
        return ast::FieldOf<const void*>(message, field.offset) != nullptr;
      case PROTOBUF_C_TYPE_STRING: {
        const char* text = ast::FieldOf<const char*>(message, field.offset);
        return text != nullptr && *text != '\0';
      }
      case PROTOBUF_C_TYPE_ENUM:
        // 0 says nothing, and 1 is each enumeration's default.
        return ast::FieldOf<int32_t>(message, field.offset) > 1;
      default:
        return ast::FieldOf<int32_t>(message, field.offset) != 0;
    }
  }

  Status VisitNode(const ast::Node& node) {
    const ProtobufCMessage* message = ast::MessageOf(node);
    return message == nullptr ? Status() : Visit(*message);
  }

  Status CheckDatabase(const PgQuery__RangeVar& name) const {
    if (*name.catalogname == '\0' || database_ == name.catalogname) return {};
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("cross-database references are not implemented: "
                                     "\"{}.{}.{}\"",
                                     name.catalogname, name.schemaname, name.relname),
                         CharacterPosition(sql_, name.location));
  }

  // At the clause, else at what it belongs to, else at the statement.
  Status Refuse(const ProtobufCMessage& message, const ProtobufCFieldDescriptor& field) const {
    int location = LocationIn(message);
    if (field.type == PROTOBUF_C_TYPE_MESSAGE && field.label != PROTOBUF_C_LABEL_REPEATED) {
      const auto& part = *ast::FieldOf<const ProtobufCMessage*>(message, field.offset);
      const int own = part.descriptor == &pg_query__node__descriptor
                          ? ast::LocationOf(reinterpret_cast<const ast::Node&>(part))
                          : LocationIn(part);
      if (own >= 0) location = own;
    }
    std::string words(field.name);
    std::replace(words.begin(), words.end(), '_', ' ');
    return ast::NotSupported(sql_, fmt::format("the clause \"{}\"", words),
                             location >= 0 ? location : start_);
  }

  static int LocationIn(const ProtobufCMessage& message) {
    const ProtobufCFieldDescriptor* field =
        protobuf_c_message_descriptor_get_field_by_name(message.descriptor, "location");
    return field == nullptr ? -1 : ast::FieldOf<int32_t>(message, field->offset);
  }

  std::string_view sql_;
  int start_;
  std::string_view database_;
};

}  // namespace

std::span<const KnownFields> KnownClauses() { return kKnown; }

void BuildClauseTable() { FieldSets(); }

Status CheckClauses(std::string_view sql, const ast::Node& statement, int start,
                    std::string_view database) {
  return Walker(sql, start, database).Visit(statement.base);
}

}  // namespace connbench::engine
