// COPY: what is copied, and COPY TO.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/sql/check_constraints.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/relation_name.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

Result<std::vector<int>> CopyColumns(const PgQuery__CopyStmt& statement,
                                     const RelationInfo& table) {
  std::vector<int> columns;
  for (const ast::Node* node : ast::List(statement.attlist, statement.n_attlist)) {
    const std::string_view name = ast::StringOf(*node);
    const int column = table.FindColumn(name);
    if (column < 0) {
      return Status::Error(
          sqlstate::kUndefinedColumn,
          fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.name));
    }
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return Status::Error(sqlstate::kDuplicateColumn,
                           fmt::format("column \"{}\" specified more than once", name));
    }
    columns.push_back(column);
  }
  if (statement.n_attlist == 0) {
    for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) columns.push_back(i);
  }
  return columns;
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
  if (statement.where_clause != nullptr) {
    return ast::NotSupported(sql, "COPY ... WHERE", ast::LocationOf(*statement.where_clause));
  }
  CONNBENCH_ASSIGN_OR_RETURN(CopyOptions options, ParseCopyOptions(sql, statement));
  if (!statement.is_from) {
    int64_t rows = 0;
    CONNBENCH_RETURN_IF_ERROR(RunCopyTo(statement, sql, options, rows, sink));
    return Outcome{fmt::format("COPY {}", rows)};
  }
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("COPY FROM"));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_ASSIGN_OR_RETURN(
      const RelationRef relation,
      FindAndLockTable(planning_context(), sql, *statement.relation, LockMode::kRowExclusive,
                       {.any_of = privilege::kInsert, .or_view = true}));
  if (relation->kind == RelationKind::kView) {
    return Status::Error(sqlstate::kWrongObjectType,
                         fmt::format("cannot copy to view \"{}\"", relation->name))
        .WithHint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.");
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::vector<int> columns, CopyColumns(statement, *relation));
  auto arena = std::make_unique<Arena>();
  arena->set_interrupts(this);
  std::vector<const Expression*> defaults;
  for (const ColumnInfo& column : relation->columns) {
    CONNBENCH_ASSIGN_OR_RETURN(const Expression* value, AnalyzeDefault(column, *arena));
    defaults.push_back(value);
  }
  auto table = std::make_shared<Table>(storage_, relation);
  CONNBENCH_RETURN_IF_ERROR(LoadChecks(*table, *arena));
  CONNBENCH_RETURN_IF_ERROR(WatchForeignKeys(planning_context(), *table));
  const int column_count = static_cast<int>(columns.size());
  EvalEnvironment& environment = *this;
  copy_in_ =
      std::make_unique<CopyFrom>(std::move(table), std::move(columns), std::move(defaults),
                                 std::move(options), transaction_, environment, std::move(arena));
  sink.CopyInResponse(WireFormat::kText, column_count);
  return Outcome{{}, true, false};
}

Status RealSession::RunCopyTo(const PgQuery__CopyStmt& statement, std::string_view sql,
                              const CopyOptions& options, int64_t& rows, ResultSink& sink) {
  std::unique_ptr<Plan> plan;
  ParameterTypes none = ParameterTypes::None();
  std::string select;  // what the plan's positions count in
  if (statement.query != nullptr) {
    if (!IsPlannable(*statement.query)) {
      return ast::NotSupported(sql, "COPY of " + ast::KindOf(*statement.query), -1);
    }
    CONNBENCH_ASSIGN_OR_RETURN(plan,
                               PlanStatement(planning_context(), sql, *statement.query, none));
    if (!plan->returns_rows) {
      return Status::Error(sqlstate::kFeatureNotSupported,
                           "COPY query must have a RETURNING clause");
    }
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef relation,
                               FindAndLockTable(planning_context(), sql, *statement.relation,
                                                LockMode::kAccessShare, {.or_view = true}));
    if (relation->kind == RelationKind::kView) {
      CONNBENCH_RETURN_IF_ERROR(RequireAny(role_, *relation, privilege::kSelect));
      return Status::Error(sqlstate::kWrongObjectType,
                           fmt::format("cannot copy from view \"{}\"", relation->name))
          .WithHint("Try the COPY (SELECT ...) TO variant.");
    }
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<int> columns, CopyColumns(statement, *relation));
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
  std::vector<bool> force_quote;
  for (const ColumnDescription& column : plan->columns) {
    force_quote.push_back(options.force_quote_all ||
                          std::find(options.force_quote.begin(), options.force_quote.end(),
                                    column.name) != options.force_quote.end());
  }
  const size_t width = plan->columns.size();
  CONNBENCH_RETURN_IF_ERROR(CheckAccess(*plan));
  sink.CopyOutResponse(WireFormat::kText, static_cast<int>(width));
  // One CopyData for each row, which is what clients that read row by row expect.
  std::string line;
  if (options.header) {
    for (size_t i = 0; i < width; ++i) {
      if (i > 0) line += options.delimiter;
      AppendCopyField(options, plan->columns[i].name, false, line);
    }
    line += '\n';
    CONNBENCH_RETURN_IF_ERROR(sink.CopyData(line));
  }
  const auto take = [&](const Value* row) -> Status {
    const IoContext io{&scratch_, &time_zone(), TransactionTimestamp(), this, interval_style()};
    line.clear();
    for (size_t i = 0; i < width; ++i) {
      if (i > 0) line += options.delimiter;
      std::optional<std::string_view> text;
      if (!row[i].null) {
        text.emplace();
        CONNBENCH_RETURN_IF_ERROR(FormatText(plan->columns[i].type_oid, row[i], io, *text));
      }
      AppendCopyField(options, text, force_quote[i] && text.has_value(), line);
    }
    line += '\n';
    ++rows;
    return sink.CopyData(line);
  };
  CONNBENCH_RETURN_IF_ERROR(RunToEnd(*plan, {}, false, take));
  sink.CopyDone();
  return {};
}

}  // namespace connbench::engine
