// COPY: what is copied, and how rows come and go.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/copy_from.h"
#include "engine/sql/copy_options.h"
#include "engine/sql/copy_to.h"
#include "engine/sql/relation_name.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

Result<int> CopyColumn(std::string_view name, const RelationInfo& table) {
  const int column = table.FindColumn(name);
  if (column >= 0) return column;
  return Status::Error(
      sqlstate::kUndefinedColumn,
      fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.name));
}

Result<std::vector<int>> CopyColumns(const PgQuery__CopyStmt& statement,
                                     const RelationInfo& table) {
  std::vector<int> columns;
  for (const ast::Node* node : ast::List(statement.attlist, statement.n_attlist)) {
    const std::string_view name = ast::StringOf(*node);
    CONNBENCH_ASSIGN_OR_RETURN(const int column, CopyColumn(name, table));
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return Status::Error(sqlstate::kDuplicateColumn,
                           fmt::format("column \"{}\" specified more than once", name));
    }
    columns.push_back(column);
  }
  if (statement.n_attlist == 0) {
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (!table.columns[i].dropped) columns.push_back(static_cast<int>(i));
    }
  }
  return columns;
}

constexpr RowCondition kCopyWhere{"COPY FROM WHERE conditions", "WHERE"};

Status CheckNamedOnce(std::span<const std::string> names) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) == name) continue;
    return Status::Error(sqlstate::kDuplicateColumn,
                         fmt::format("column \"{}\" specified more than once", *name));
  }
  return {};
}

// Which of the columns that are copied an option names.
Result<std::vector<bool>> ColumnFlags(const CopyColumnNames& named, std::string_view option,
                                      std::span<const int> columns, const RelationInfo& table) {
  std::vector<bool> flags(columns.size(), named.all);
  CONNBENCH_RETURN_IF_ERROR(CheckNamedOnce(named.names));
  for (const std::string& name : named.names) {
    CONNBENCH_ASSIGN_OR_RETURN(const int column, CopyColumn(name, table));
    const auto at = std::find(columns.begin(), columns.end(), column);
    if (at == columns.end()) {
      return Status::Error(sqlstate::kInvalidColumnReference,
                           fmt::format("{} column \"{}\" not referenced by COPY", option, name));
    }
    flags[static_cast<size_t>(at - columns.begin())] = true;
  }
  return flags;
}

// The same of a query's columns.
Result<std::vector<bool>> FlagsByName(const CopyColumnNames& named,
                                      std::span<const std::string_view> columns) {
  std::vector<bool> flags(columns.size(), named.all);
  CONNBENCH_RETURN_IF_ERROR(CheckNamedOnce(named.names));
  for (const std::string& name : named.names) {
    const auto at = std::find(columns.begin(), columns.end(), name);
    if (at == columns.end()) {
      return Status::Error(sqlstate::kUndefinedColumn,
                           fmt::format("column \"{}\" does not exist", name));
    }
    flags[static_cast<size_t>(at - columns.begin())] = true;
  }
  return flags;
}

}  // namespace

Result<RealSession::Outcome> RealSession::RunCopy(const PgQuery__Node& node, std::string_view sql,
                                                  ResultSink& sink) {
  const PgQuery__CopyStmt& statement = *node.copy_stmt;
  if (statement.is_program || *statement.filename != '\0') {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "COPY from or to a server file or program is not supported")
        .WithHint("Use COPY ... FROM STDIN or TO STDOUT, or psql's \\copy.");
  }
  if (!statement.is_from) {
    int64_t rows = 0;
    CONNBENCH_RETURN_IF_ERROR(RunCopyTo(statement, sql, rows, sink));
    return Outcome{fmt::format("COPY {}", rows)};
  }
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_ASSIGN_OR_RETURN(
      const RelationRef relation,
      FindAndLockTable(planning_context(), sql, *statement.relation, LockMode::kRowExclusive,
                       {.any_of = privilege::kInsert, .or_view = true}));
  CopyTarget target;
  target.expressions = std::make_unique<Arena>();
  Arena& arena = *target.expressions;
  arena.set_interrupts(this);
  if (statement.where_clause != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(target.where,
                               AnalyzeRowCondition(sql, *statement.where_clause, relation->name,
                                                   relation->columns, kCopyWhere, arena));
  }
  CONNBENCH_ASSIGN_OR_RETURN(target.columns, CopyColumns(statement, *relation));
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("COPY FROM"));
  CONNBENCH_ASSIGN_OR_RETURN(CopyOptions options, ParseCopyOptions(sql, statement));
  CONNBENCH_ASSIGN_OR_RETURN(
      std::vector<bool> force_not_null,
      ColumnFlags(options.force_not_null, "FORCE_NOT_NULL", target.columns, *relation));
  CONNBENCH_ASSIGN_OR_RETURN(
      std::vector<bool> force_null,
      ColumnFlags(options.force_null, "FORCE_NULL", target.columns, *relation));
  if (relation->kind == RelationKind::kView) {
    return Status::Error(sqlstate::kWrongObjectType,
                         fmt::format("cannot copy to view \"{}\"", relation->name))
        .WithHint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.");
  }
  for (const ColumnInfo& column : relation->columns) {
    CONNBENCH_ASSIGN_OR_RETURN(const Expression* value, AnalyzeDefault(column, arena));
    target.defaults.push_back(value);
  }
  target.table = std::make_shared<Table>(storage_, relation);
  CONNBENCH_RETURN_IF_ERROR(LoadChecks(*target.table, arena));
  CONNBENCH_RETURN_IF_ERROR(WatchForeignKeys(planning_context(), *target.table));
  const int column_count = static_cast<int>(target.columns.size());
  const WireFormat format = options.binary() ? WireFormat::kBinary : WireFormat::kText;
  copy_in_ = options.binary() ? MakeCopyFromBinary(std::move(target), transaction_, *this)
                              : MakeCopyFromText(std::move(target), std::move(options),
                                                 std::move(force_not_null), std::move(force_null),
                                                 transaction_, *this);
  sink.CopyInResponse(format, column_count);
  return Outcome{{}, true, false};
}

Status RealSession::RunCopyTo(const PgQuery__CopyStmt& statement, std::string_view sql,
                              int64_t& rows, ResultSink& sink) {
  std::unique_ptr<Plan> plan;
  CopyOptions options;
  std::vector<bool> force_quote;
  ParameterTypes none = ParameterTypes::None();
  std::string select;  // what the plan's positions count in
  if (statement.query != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(options, ParseCopyOptions(sql, statement));
    if (!IsPlannable(*statement.query)) {
      return ast::NotSupported(sql, "COPY of " + ast::KindOf(*statement.query), -1);
    }
    CONNBENCH_ASSIGN_OR_RETURN(plan,
                               PlanStatement(planning_context(), sql, *statement.query, none));
    if (!plan->returns_rows) {
      return Status::Error(sqlstate::kFeatureNotSupported,
                           "COPY query must have a RETURNING clause");
    }
    std::vector<std::string_view> names;
    for (const ColumnDescription& column : plan->columns) names.push_back(column.name);
    CONNBENCH_ASSIGN_OR_RETURN(force_quote, FlagsByName(options.force_quote, names));
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef relation,
                               FindAndLockTable(planning_context(), sql, *statement.relation,
                                                LockMode::kAccessShare, {.or_view = true}));
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<int> columns, CopyColumns(statement, *relation));
    if (relation->kind == RelationKind::kView) {
      CONNBENCH_RETURN_IF_ERROR(RequireAny(role_, *relation, privilege::kSelect));
      return Status::Error(sqlstate::kWrongObjectType,
                           fmt::format("cannot copy from view \"{}\"", relation->name))
          .WithHint("Try the COPY (SELECT ...) TO variant.");
    }
    CONNBENCH_ASSIGN_OR_RETURN(options, ParseCopyOptions(sql, statement));
    CONNBENCH_ASSIGN_OR_RETURN(force_quote,
                               ColumnFlags(options.force_quote, "FORCE_QUOTE", columns, *relation));
    select = "SELECT ";
    for (int column : columns) {
      if (column != columns.front()) select += ", ";
      select += QuoteIdentifier(relation->columns[static_cast<size_t>(column)].name);
    }
    select += " FROM " + QuoteIdentifier(relation->name);
    CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ParseTree::Parse(select, this));
    CONNBENCH_ASSIGN_OR_RETURN(plan,
                               PlanStatement(planning_context(), select, tree.statement(0), none));
  }
  CONNBENCH_RETURN_IF_ERROR(plan->constant_error);
  const size_t width = plan->columns.size();
  CONNBENCH_RETURN_IF_ERROR(CheckAccess(*plan));
  const WireFormat format = options.binary() ? WireFormat::kBinary : WireFormat::kText;
  sink.CopyOutResponse(format, static_cast<int>(width));
  const CopyTo copy(options, plan->columns, std::move(force_quote));
  // One CopyData for each row, which is what clients that read row by row expect.
  std::string message;
  if (copy.AppendStart(message)) {
    CONNBENCH_RETURN_IF_ERROR(sink.CopyData(message));
    message.clear();
  }
  const auto take = [&](const Value* row) -> Status {
    CONNBENCH_RETURN_IF_ERROR(copy.AppendRow(row, io(scratch_), message));
    ++rows;
    Status sent = sink.CopyData(message);
    message.clear();
    return sent;
  };
  CONNBENCH_RETURN_IF_ERROR(RunToEnd(*plan, {}, false, take));
  copy.AppendEnd(message);
  if (!message.empty()) CONNBENCH_RETURN_IF_ERROR(sink.CopyData(message));
  sink.CopyDone();
  return {};
}

}  // namespace connbench::engine
