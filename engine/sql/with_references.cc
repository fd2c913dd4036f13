// Who reads whom in a WITH RECURSIVE.
#include "engine/sql/with_references.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace connbench::engine {
namespace {

// Where a reference stands.
enum class Place : uint8_t {
  kAllowed,
  kFirstTerm,
  kSubquery,
  kOuterJoin,
  kIntersect,
  kExcept,
};

std::string_view NameOf(Place place) {
  switch (place) {
    case Place::kAllowed:
      break;
    case Place::kFirstTerm:
      return "its non-recursive term";
    case Place::kSubquery:
      return "a subquery";
    case Place::kOuterJoin:
      return "an outer join";
    case Place::kIntersect:
      return "INTERSECT";
    case Place::kExcept:
      return "EXCEPT";
  }
  return "";
}

// Finds the names without a schema that FROM clauses read and that no WITH further in defines.
class ReferenceWalker {
 public:
  using Found = std::function<Status(const PgQuery__RangeVar& name, Place place)>;

  explicit ReferenceWalker(Found found) : found_(std::move(found)) {}

  Status Visit(const ProtobufCMessage& message, Place place) {
    if (message.descriptor == &pg_query__node__descriptor) {
      const auto* inner = ast::MessageOf(reinterpret_cast<const ast::Node&>(message));
      return inner == nullptr ? Status() : Visit(*inner, place);
    }
    if (message.descriptor == &pg_query__range_var__descriptor) {
      return VisitName(reinterpret_cast<const PgQuery__RangeVar&>(message), place);
    }
    if (message.descriptor == &pg_query__select_stmt__descriptor) {
      return VisitSelect(reinterpret_cast<const PgQuery__SelectStmt&>(message), place);
    }
    if (message.descriptor == &pg_query__join_expr__descriptor) {
      return VisitJoin(reinterpret_cast<const PgQuery__JoinExpr&>(message), place);
    }
    if (message.descriptor == &pg_query__sub_link__descriptor) {
      const auto& link = reinterpret_cast<const PgQuery__SubLink&>(message);
      CONNBENCH_RETURN_IF_ERROR(VisitNode(link.subselect, Place::kSubquery));
      return VisitNode(link.testexpr, place);
    }
    // Read by the query that it belongs to.
    if (message.descriptor == &pg_query__with_clause__descriptor) return {};
    return VisitFields(message, place);
  }

 private:
  Status VisitNode(const ast::Node* node, Place place) {
    return node == nullptr ? Status() : Visit(node->base, place);
  }

  Status VisitFields(const ProtobufCMessage& message, Place place) {
    for (unsigned i = 0; i < message.descriptor->n_fields; ++i) {
      CONNBENCH_RETURN_IF_ERROR(
          ast::ForEachMessage(message, message.descriptor->fields[i],
                              [&](const ProtobufCMessage& each) { return Visit(each, place); }));
    }
    return {};
  }

  Status VisitName(const PgQuery__RangeVar& name, Place place) {
    if (*name.schemaname != '\0') return {};
    if (std::find(hidden_.begin(), hidden_.end(), name.relname) != hidden_.end()) return {};
    return found_(name, place);
  }

  Status VisitSelect(const PgQuery__SelectStmt& select, Place place) {
    const size_t hidden = hidden_.size();
    if (select.with_clause != nullptr) {
      const auto queries = ast::List(select.with_clause->ctes, select.with_clause->n_ctes);
      const bool all_at_once = select.with_clause->recursive != 0;
      for (const ast::Node* query : queries) {
        if (all_at_once) hidden_.emplace_back(query->common_table_expr->ctename);
      }
      for (const ast::Node* query : queries) {
        CONNBENCH_RETURN_IF_ERROR(VisitNode(query->common_table_expr->ctequery, place));
        if (!all_at_once) hidden_.emplace_back(query->common_table_expr->ctename);
      }
    }
    CONNBENCH_RETURN_IF_ERROR(VisitArms(select, place));
    hidden_.resize(hidden);
    return {};
  }

  Status VisitArms(const PgQuery__SelectStmt& select, Place place) {
    Place left = place;
    Place right = place;
    if (select.op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT && select.all) {
      left = right = Place::kIntersect;
    } else if (select.op == PG_QUERY__SET_OPERATION__SETOP_EXCEPT) {
      right = Place::kExcept;
      if (select.all) left = right;
    }
    if (left == place && right == place) return VisitFields(select.base, place);
    CONNBENCH_RETURN_IF_ERROR(Visit(select.larg->base, left));
    CONNBENCH_RETURN_IF_ERROR(Visit(select.rarg->base, right));
    for (const ast::Node* node : ast::List(select.sort_clause, select.n_sort_clause)) {
      CONNBENCH_RETURN_IF_ERROR(VisitNode(node, place));
    }
    CONNBENCH_RETURN_IF_ERROR(VisitNode(select.limit_offset, place));
    return VisitNode(select.limit_count, place);
  }

  Status VisitJoin(const PgQuery__JoinExpr& join, Place place) {
    const Place outer = place == Place::kAllowed ? Place::kOuterJoin : place;
    const bool left_optional = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT ||
                               join.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL;
    const bool right_optional = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT ||
                                join.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL;
    CONNBENCH_RETURN_IF_ERROR(VisitNode(join.larg, left_optional ? outer : place));
    CONNBENCH_RETURN_IF_ERROR(VisitNode(join.rarg, right_optional ? outer : place));
    return VisitNode(join.quals, place);
  }

  const Found found_;
  std::vector<std::string_view> hidden_;  // what a WITH further in has defined
};

Status InvalidRecursion(std::string_view sql, std::string message, int location) {
  return Status::Error(sqlstate::kInvalidRecursion, std::move(message),
                       CharacterPosition(sql, location));
}

Status CheckForm(std::string_view sql, const PgQuery__CommonTableExpr& expression) {
  const std::string_view name = expression.ctename;
  if (expression.ctequery->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
    return InvalidRecursion(
        sql, fmt::format("recursive query \"{}\" must not contain data-modifying statements", name),
        expression.location);
  }
  const PgQuery__SelectStmt& select = *expression.ctequery->select_stmt;
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_UNION) {
    return InvalidRecursion(
        sql,
        fmt::format("recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] "
                    "recursive-term",
                    name),
        expression.location);
  }
  int references = 0;
  ReferenceWalker walker([&](const PgQuery__RangeVar& found, Place place) -> Status {
    if (found.relname != name) return {};
    if (place == Place::kAllowed && ++references == 1) return {};
    return InvalidRecursion(
        sql,
        place == Place::kAllowed
            ? fmt::format("recursive reference to query \"{}\" must not appear more than once",
                          name)
            : fmt::format("recursive reference to query \"{}\" must not appear within {}", name,
                          NameOf(place)),
        found.location);
  });
  CONNBENCH_RETURN_IF_ERROR(walker.Visit(select.larg->base, Place::kFirstTerm));
  CONNBENCH_RETURN_IF_ERROR(walker.Visit(select.rarg->base, Place::kAllowed));
  if (select.with_clause != nullptr) {
    for (const ast::Node* query : ast::List(select.with_clause->ctes, select.with_clause->n_ctes)) {
      CONNBENCH_RETURN_IF_ERROR(walker.Visit(query->base, Place::kSubquery));
    }
  }
  const auto refuse = [&](std::string_view clause, int location) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("{} in a recursive query is not implemented", clause),
                         CharacterPosition(sql, location));
  };
  if (select.n_sort_clause > 0) return refuse("ORDER BY", ast::LocationOf(*select.sort_clause[0]));
  if (select.limit_offset != nullptr) {
    return refuse("OFFSET", ast::LocationOf(*select.limit_offset));
  }
  if (select.limit_count != nullptr) return refuse("LIMIT", ast::LocationOf(*select.limit_count));
  if (select.n_locking_clause > 0) {
    return refuse("FOR UPDATE/SHARE", -1);
  }
  return {};
}

}  // namespace

Result<std::vector<WithQuery>> OrderWithQueries(std::string_view sql,
                                                const PgQuery__WithClause& with) {
  const auto nodes = ast::List(with.ctes, with.n_ctes);
  std::vector<WithQuery> queries;
  std::map<std::string_view, size_t> places;
  for (const ast::Node* node : nodes) {
    places.emplace(node->common_table_expr->ctename, queries.size());
    queries.push_back({node->common_table_expr, false});
  }
  std::vector<std::vector<size_t>> readers(nodes.size());  // a reader is named for each reference
  std::vector<size_t> missing(nodes.size());               // references to queries not yet placed
  for (size_t i = 0; i < nodes.size(); ++i) {
    ReferenceWalker walker([&](const PgQuery__RangeVar& found, Place) -> Status {
      const auto read = places.find(found.relname);
      if (read == places.end()) return {};
      if (read->second == i) {
        queries[i].reads_itself = true;
      } else {
        readers[read->second].push_back(i);
        ++missing[i];
      }
      return {};
    });
    CONNBENCH_RETURN_IF_ERROR(
        walker.Visit(nodes[i]->common_table_expr->ctequery->base, Place::kAllowed));
  }
  // The first that reads none but those already placed comes next.
  std::set<size_t> waiting;
  std::set<size_t> ready;
  for (size_t i = 0; i < nodes.size(); ++i) (missing[i] == 0 ? ready : waiting).insert(i);
  std::vector<WithQuery> ordered;
  while (!ready.empty()) {
    const size_t next = *ready.begin();
    ready.erase(ready.begin());
    ordered.push_back(queries[next]);
    for (const size_t reader : readers[next]) {
      if (--missing[reader] == 0) ready.insert(waiting.extract(reader));
    }
  }
  if (!waiting.empty()) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "mutual recursion between WITH items is not implemented",
                         CharacterPosition(sql, queries[*waiting.begin()].expression->location));
  }
  for (const WithQuery& query : ordered) {
    if (query.reads_itself) CONNBENCH_RETURN_IF_ERROR(CheckForm(sql, *query.expression));
  }
  return ordered;
}

}  // namespace connbench::engine
