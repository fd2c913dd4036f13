// FROM: the range table, the names, and how the relations are joined.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/resolve.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/planner.h"
#include "engine/sql/stored_view.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
// The alias of a FROM item, and of its columns.
Status Planner::ApplyAlias(const PgQuery__Alias* alias, int location, ScopeItem& item) {
  if (alias == nullptr) return {};
  item.alias = alias->aliasname;
  size_t named = 0;
  for (ScopeColumn& column : item.columns) {
    if (column.hidden) continue;
    if (named < alias->n_colnames) column.name = ast::StringOf(*alias->colnames[named]);
    ++named;
  }
  if (alias->n_colnames <= named) return {};
  return Status::Error(sqlstate::kInvalidColumnReference,
                       fmt::format("table \"{}\" has {} columns available but {} columns specified",
                                   item.alias, named, alias->n_colnames),
                       CharacterPosition(sql_, location));
}

// PostgreSQL reads a sequence as a table of one row; ok if the name means something else.
Status Planner::RefuseSequence(const PgQuery__RangeVar& name) {
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef relation,
                             context_.catalog->Find(*context_.transaction, name.relname));
  if (relation->kind != RelationKind::kSequence) return {};
  CONNBENCH_RETURN_IF_ERROR(RequireAny(context_.role, *relation, privilege::kSelect));
  return NotSupported("reading a sequence as a table", name.location)
      .WithHint("Use nextval(), currval() and lastval().");
}

Status Planner::AddTable(const PgQuery__RangeVar& name, LockMode mode, PrivilegeSet needs,
                         FromClause& from) {
  const bool writes = mode == LockMode::kRowExclusive;
  const ViewReference* reference = nullptr;
  if (expansion_ != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(reference, FindReference(name));
  }
  const TableNeed need{.or_view = true, .oid = reference == nullptr ? 0 : reference->oid};
  Result<RelationRef> found = FindAndLockTable(context_, sql_, name, mode, need);
  if (!found.ok() && found.status().code() == sqlstate::kWrongObjectType && !writes) {
    CONNBENCH_RETURN_IF_ERROR(RefuseSequence(name));
  }
  if (!found.ok()) {
    // As in PostgreSQL, queries say where the name is and utility statements do not.
    // Nor do a cancel and a privilege that is missing.
    const bool about_name = found.status().code() != sqlstate::kQueryCanceled &&
                            found.status().code() != sqlstate::kInsufficientPrivilege;
    return found.TakeStatus().WithPosition(about_name ? CharacterPosition(sql_, name.location) : 0);
  }
  const RelationInfo& relation = **found;
  if (writes && relation.kind == RelationKind::kView) return RefuseWrite(name, relation, needs);
  plan_->tables.push_back({*found, mode, relation.oid, needs, reader()});
  if (recorded_ != nullptr) recorded_->Add(name.relname, *found);
  ScopeItem item;
  item.table_name = item.alias = name.relname;
  item.columns = ColumnsOf(relation, reference);
  CONNBENCH_RETURN_IF_ERROR(ApplyAlias(name.alias, name.location, item));
  if (relation.kind == RelationKind::kView) {
    return AddStoredView(name, *found, mode, std::move(item), from);
  }
  Source source;
  source.relation = std::move(*found);
  source.table = std::make_shared<Table>(*context_.storage, source.relation);
  if (writes) {
    CONNBENCH_RETURN_IF_ERROR(LoadChecks(*source.table, plan_->arena));
    CONNBENCH_RETURN_IF_ERROR(WatchForeignKeys(context_, *source.table));
  }
  AddSource(std::move(source), std::move(item), 1, from);
  return {};
}

Status Planner::AddView(const PgQuery__RangeVar& name, const SystemView& view, FromClause& from) {
  Source source;
  source.view = &view;
  ScopeItem item;
  item.table_name = item.alias = view.name;
  for (const SystemViewColumn& column : view.columns) {
    item.columns.push_back({std::string(column.name), {column.type, -1}});
  }
  CONNBENCH_RETURN_IF_ERROR(ApplyAlias(name.alias, name.location, item));
  AddSource(std::move(source), std::move(item), 0, from);
  return {};
}

void Planner::AddSource(Source source, ScopeItem item, size_t extra_slots, FromClause& from) {
  source.item = from.scope.items.size();
  source.slots.first = from.slots;
  for (ScopeColumn& column : item.columns) column.slot = static_cast<int>(from.slots++);
  from.slots += extra_slots;
  source.slots.end = from.slots;
  from.scope.items.push_back(std::move(item));
  from.sources.push_back(std::move(source));
}

// The row, and what EXPLAIN calls its slots: joins name their columns with the relation's alias.
void Planner::MakeFrame(FromClause& from) {
  from.frame = std::make_shared<RowFrame>(from.slots);
  if (from.sources.size() < 2) return;
  from.frame->names.resize(from.slots, "ctid");
  for (const Source& source : from.sources) {
    const ScopeItem& item = from.NamesOf(source);
    for (const ScopeColumn& column : item.columns) {
      from.frame->names[static_cast<size_t>(column.slot)] = item.alias + "." + column.name;
    }
  }
}

const Planner::Source& Planner::FromClause::Owner(int slot) const {
  const auto owner = std::find_if(sources.begin(), sources.end(), [slot](const Source& source) {
    return source.slots.contains(static_cast<size_t>(slot));
  });
  return *owner;
}

Status Planner::AnalyzeFrom(std::span<ast::Node* const> items, bool lock_rows,
                            std::unique_ptr<JoinTree> written, FromClause& from) {
  from.scope.correlation = correlation_;
  from.scope.reads = recorded_ == nullptr ? nullptr : &recorded_->columns;
  std::vector<std::unique_ptr<JoinTree>> trees;
  if (written != nullptr) trees.push_back(std::move(written));
  for (const ast::Node* node : items) {
    const size_t before = from.scope.items.size();
    CONNBENCH_ASSIGN_OR_RETURN(FromItem item, AnalyzeFromItem(*node, lock_rows, 0, from));
    CONNBENCH_RETURN_IF_ERROR(from.scope.CheckConflicts(0, before, from.scope.items.size()));
    trees.push_back(std::move(item.tree));
  }
  if (trees.size() == 1) {
    from.tree = std::move(trees[0]);
  } else if (!trees.empty()) {
    from.tree = std::make_unique<JoinTree>();
    from.tree->kind = JoinKind::kInner;
    for (const auto& tree : trees) from.tree->relations |= tree->relations;
    from.tree->inputs = std::move(trees);
  }
  MakeFrame(from);
  return {};
}

Result<Planner::FromItem> Planner::AnalyzeFromItem(const ast::Node& node, bool lock_rows,
                                                   size_t depth, FromClause& from) {
  const LockMode mode = lock_rows ? LockMode::kRowShare : LockMode::kAccessShare;
  const PrivilegeSet needs =
      lock_rows ? privilege::kSelect | privilege::kUpdate : privilege::kSelect;
  // So many nested joins have at least so many relations.
  if (depth >= kMaxRelations || from.sources.size() >= kMaxRelations) {
    return NotSupported(fmt::format("a query of more than {} relations", kMaxRelations),
                        ast::LocationOf(node));
  }
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      if (const NamedQuery* query = FindNamedQuery(*node.range_var)) {
        if (lock_rows) return NotSupported("locking rows of a WITH query", ast::LocationOf(node));
        CONNBENCH_RETURN_IF_ERROR(AddNamedQuery(*node.range_var, *query, from));
      } else if (const SystemView* view =
                     FindSystemView(node.range_var->schemaname, node.range_var->relname)) {
        CONNBENCH_RETURN_IF_ERROR(AddView(*node.range_var, *view, from));
      } else {
        CONNBENCH_RETURN_IF_ERROR(AddTable(*node.range_var, mode, needs, from));
      }
      break;
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      CONNBENCH_RETURN_IF_ERROR(AnalyzeFunctionInFrom(*node.range_function, from));
      break;
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
      return AnalyzeJoin(*node.join_expr, lock_rows, depth, from);
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
      if (lock_rows) return NotSupported("locking rows of a subquery", ast::LocationOf(node));
      CONNBENCH_RETURN_IF_ERROR(AddSubquery(*node.range_subselect, from));
      break;
    default:
      return NotSupported(ast::KindOf(node) + " in FROM", ast::LocationOf(node));
  }
  FromItem item;
  item.item = from.scope.items.size() - 1;
  item.tree = std::make_unique<JoinTree>();
  item.tree->source = from.sources.size() - 1;
  item.tree->relations = RelationSet{1} << item.tree->source;
  item.tree->depends = from.sources.back().depends;
  return item;
}

Status Planner::AnalyzeFunctionInFrom(const PgQuery__RangeFunction& function, FromClause& from) {
  // Each entry of functions is a list of the call and its column definitions.
  const ast::Node* call_node = function.n_functions == 1 && function.functions[0]->list->n_items > 0
                                   ? function.functions[0]->list->items[0]
                                   : nullptr;
  const int location = call_node == nullptr ? -1 : ast::LocationOf(*call_node);
  if (call_node == nullptr || function.is_rowsfrom || function.n_coldeflist > 0 ||
      call_node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
    return NotSupported("this function in FROM", location);
  }
  const PgQuery__FuncCall& call = *call_node->func_call;
  CONNBENCH_ASSIGN_OR_RETURN(
      const std::string name,
      ast::ObjectName(sql_, ast::List(call.funcname, call.n_funcname), location));
  Source source;
  source.is_series = name == "generate_series";
  if (!source.is_series && !IsSetFunction(name)) {
    return NotSupported("function " + name + " in FROM", location);
  }
  if (source.is_series && function.ordinality) {
    return NotSupported("WITH ORDINALITY of generate_series", location);
  }
  if (source.is_series && (call.n_args < 2 || call.n_args > 3)) {
    return Status::Error(sqlstate::kUndefinedFunction,
                         "function generate_series with this number of arguments does not exist",
                         builder_.PositionOf(location));
  }
  if (name == "unnest" && call.n_args > 1) {
    return NotSupported("unnest of several arrays", location);
  }
  ExpressionAnalyzer analyzer = MakeAnalyzer(from.scope);
  for (size_t i = 0; i < call.n_args; ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * argument,
                               analyzer.Analyze(*call.args[i], "functions in FROM"));
    source.depends |= RelationsOf(from, *argument);
    source.function_arguments.push_back(argument);
  }
  Type type;
  if (source.is_series) {
    CONNBENCH_ASSIGN_OR_RETURN(type, CoerceSeries(source.function_arguments, location));
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(Expression * array,
                               builder_.Function(name, source.function_arguments, location));
    type.oid = ElementType(array->type.oid);
    source.function_arguments = {array};
  }
  if (call.agg_distinct || call.n_agg_order > 0) {
    return Status::Error(sqlstate::kWrongObjectType,
                         fmt::format("{} specified, but {} is not an aggregate function",
                                     call.agg_distinct ? "DISTINCT" : "ORDER BY", name),
                         builder_.PositionOf(location));
  }
  source.function = &call;
  ScopeItem item;
  item.table_name = item.alias = name;
  // The alias is the column's name, too, unless that has one.
  item.columns.push_back({function.alias != nullptr ? function.alias->aliasname : name, type});
  if (function.ordinality) item.columns.push_back({"ordinality", {type_oid::kInt8, -1}});
  CONNBENCH_RETURN_IF_ERROR(ApplyAlias(function.alias, -1, item));
  AddSource(std::move(source), std::move(item), 0, from);
  return {};
}

namespace {

namespace oid = type_oid;

// What generate_series() takes.
constexpr std::array kSeriesSignatures = {
    FunctionRow("generate_series", {oid::kInt4, oid::kInt4}, oid::kInt4, nullptr),
    FunctionRow("generate_series", {oid::kInt4, oid::kInt4, oid::kInt4}, oid::kInt4, nullptr),
    FunctionRow("generate_series", {oid::kInt8, oid::kInt8}, oid::kInt8, nullptr),
    FunctionRow("generate_series", {oid::kInt8, oid::kInt8, oid::kInt8}, oid::kInt8, nullptr),
    FunctionRow("generate_series", {oid::kNumeric, oid::kNumeric}, oid::kNumeric, nullptr),
    FunctionRow("generate_series", {oid::kNumeric, oid::kNumeric, oid::kNumeric}, oid::kNumeric,
                nullptr),
    FunctionRow("generate_series", {oid::kTimestamp, oid::kTimestamp, oid::kInterval},
                oid::kTimestamp, nullptr),
    FunctionRow("generate_series", {oid::kTimestamptz, oid::kTimestamptz, oid::kInterval},
                oid::kTimestamptz, nullptr),
};

}  // namespace

Result<Type> Planner::CoerceSeries(std::vector<Expression*>& arguments, int location) {
  std::vector<const FunctionDescription*> candidates;
  for (const FunctionDescription& row : kSeriesSignatures) candidates.push_back(&row);
  std::vector<Oid> types;
  for (const Expression* argument : arguments) types.push_back(argument->type.oid);
  const Resolution resolution = ResolveOverload(candidates, types, false);
  if (resolution.function == nullptr) {
    const std::string described =
        fmt::format("function generate_series({})", DescribeTypes(arguments));
    constexpr std::string_view kAddCasts = "You might need to add explicit type casts.";
    if (resolution.ambiguous) {
      return Status::Error(sqlstate::kAmbiguousFunction, described + " is not unique",
                           builder_.PositionOf(location))
          .WithHint(fmt::format("Could not choose a best candidate function. {}", kAddCasts));
    }
    return Status::Error(sqlstate::kUndefinedFunction, described + " does not exist",
                         builder_.PositionOf(location))
        .WithHint(
            fmt::format("No function matches the given name and argument types. {}", kAddCasts));
  }
  const Type type{resolution.function->result_type, -1};
  for (uint32_t i = 0; i < arguments.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(
        arguments[i],
        builder_.CoerceImplicitly(arguments[i], {resolution.function->argument_type(i), -1}));
  }
  return type;
}

}  // namespace connbench::engine
