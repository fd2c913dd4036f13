#include "engine/sql/real_session.h"

#include <fmt/format.h>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"
#include "engine/storage/storage.h"

namespace connbench::engine {
namespace {

// ROLLBACK and its relatives: all that a failed transaction still takes.
bool EndsTransaction(const PgQuery__Node& statement) {
  if (statement.node_case != PG_QUERY__NODE__NODE_TRANSACTION_STMT) return false;
  switch (statement.transaction_stmt->kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
      return true;
    default:
      return false;
  }
}

}  // namespace

void BuildFunctionTables() {
  FindFunctions({});
  FindOperators({});
}

Result<std::unique_ptr<Session>> MakeRealSession(EngineContext& context,
                                                 std::unique_ptr<Backend> backend,
                                                 const SessionOptions& options, Waiter& waiter) {
  backend->SetWaiter(waiter);
  auto session = std::make_unique<RealSession>(context, std::move(backend), options);
  CONNBENCH_RETURN_IF_ERROR(session->Start(options));
  return std::unique_ptr<Session>(std::move(session));
}

RealSession::RealSession(EngineContext& context, std::unique_ptr<Backend> backend,
                         const SessionOptions& options)
    : context_(context),
      backend_(std::move(backend)),
      transaction_(context.transactions, *backend_),
      superuser_(options.superuser),
      settings_(*context.setting_defaults, options),
      catalog_(*context.storage),
      user_(options.user),
      database_(options.database) {}

RealSession::~RealSession() {
  copy_in_.reset();
  CloseAllPortals();
  if (transaction_.open()) transaction_.Rollback();
}

Status RealSession::Start(const SessionOptions& options) { return settings_.ApplyStartup(options); }

void RealSession::ReportParameters(ResultSink& sink) { settings_.ReportAll(sink); }

void RealSession::Notice(ResultSink& sink, std::string_view severity, std::string_view code,
                         std::string message, std::string detail, std::string hint) {
  const int level = severity == "WARNING" ? kWarning : severity == "NOTICE" ? kNotice : kLog;
  if (level < settings_.current().client_min_messages) return;
  ErrorInfo info;
  info.code = code;
  info.message = std::move(message);
  info.detail = std::move(detail);
  info.hint = std::move(hint);
  sink.Notice(severity, info);
}

void RealSession::BeginStatement() {
  statement_time_us_ = 0;
  backend_->SetLockTimeout(settings_.current().lock_timeout_ns / kNanosecondsPerMillisecond);
  backend_->BeginStatement(settings_.current().statement_timeout_ns / kNanosecondsPerMillisecond);
}

void RealSession::EndStatement() {
  backend_->EndStatement(block_ == Block::kExplicit || block_ == Block::kFailed);
}

[[gnu::hot]] Status RealSession::CheckNotFailed(const PgQuery__Node& statement) const {
  if (block_ != Block::kFailed || EndsTransaction(statement)) return {};
  return Status::Error(
      sqlstate::kInFailedSqlTransaction,
      "current transaction is aborted, commands ignored until end of transaction block");
}

[[gnu::hot]] Status RealSession::CheckReadOnly(std::string_view command) const {
  if (!transaction_.read_only()) return {};
  return Status::Error(sqlstate::kReadOnlySqlTransaction,
                       fmt::format("cannot execute {} in a read-only transaction", command));
}

Status RealSession::Failed(Status error) {
  FailTransaction();
  EndStatement();
  return error;
}

void RealSession::FailTransaction() {
  copy_in_.reset();
  pending_tree_.reset();
  CloseAllPortals();
  if (block_ == Block::kNone || block_ == Block::kFailed) return;
  if (block_ == Block::kImplicit) {
    RollbackTransaction();
    return;
  }
  block_ = Block::kFailed;
  if (savepoints_.empty()) {
    // Locks are given back at once, as in PostgreSQL; the block only remembers that it failed.
    transaction_.Rollback();
    return;
  }
  transaction_.RollbackToSavepoint(savepoints_.back().level);
  settings_.RollBackTo(savepoints_.back().settings_mark);
  ForgetPlans();
}

// ---- simple protocol ----

Result<Progress> RealSession::Query(std::string_view sql, ResultSink& sink) {
  unnamed_statement_.reset();
  if (has_unnamed_portal_) ClosePortalState(unnamed_portal_);
  has_unnamed_portal_ = false;
  Status valid = ValidateUtf8(sql);
  if (!valid.ok()) return Failed(std::move(valid));
  Result<ParseTree> parsed = ParseTree::Parse(sql);
  if (!parsed.ok()) return Failed(parsed.TakeStatus());
  auto tree = std::make_shared<const ParseTree>(std::move(*parsed));
  if (tree->statement_count() == 0) {
    sink.EmptyQuery();
    return Progress::kDone;
  }
  return RunStatements(tree, 0, sink);
}

Result<Progress> RealSession::RunStatements(const std::shared_ptr<const ParseTree>& tree, int next,
                                            ResultSink& sink) {
  const int count = tree->statement_count();
  multi_statement_ = count > 1;
  for (int i = next; i < count; ++i) {
    BeginStatement();
    Result<Outcome> outcome = RunStatement(tree, i, sink);
    if (!outcome.ok()) {
      Status error = Failed(outcome.TakeStatus());
      settings_.ReportChanges(sink);
      return error;
    }
    if (outcome->copy_in) {
      pending_tree_ = tree;
      pending_index_ = i + 1;
      return Progress::kCopyIn;
    }
    // The last statement's success is told only once it is durable.
    if (i + 1 == count) {
      Status committed = EndImplicit();
      if (!committed.ok()) return Failed(std::move(committed));
    }
    sink.CommandComplete(outcome->tag);
    EndStatement();
  }
  settings_.ReportChanges(sink);
  return Progress::kDone;
}

Result<RealSession::Outcome> RealSession::RunStatement(const std::shared_ptr<const ParseTree>& tree,
                                                       int index, ResultSink& sink) {
  const PgQuery__Node& statement = tree->statement(index);
  CONNBENCH_RETURN_IF_ERROR(CheckNotFailed(statement));
  CONNBENCH_RETURN_IF_ERROR(backend_->CheckInterruptsNow());
  EnsureTransaction();
  if (statement.node_case == PG_QUERY__NODE__NODE_TRANSACTION_STMT) {
    return RunTransactionStatement(*statement.transaction_stmt, tree->sql(), sink);
  }
  if (IsPlannable(statement)) return RunPlanned(*tree, index, sink);
  return RunUtility(tree, statement, {}, true, sink);
}

Result<RealSession::Outcome> RealSession::RunPlanned(const ParseTree& tree, int index,
                                                     ResultSink& sink) {
  ParameterTypes parameters;
  CONNBENCH_ASSIGN_OR_RETURN(
      auto plan, PlanStatement(planning_context(), tree.sql(), tree.statement(index), parameters));
  if (!parameters.types().empty()) {
    return Status::Error(sqlstate::kUndefinedParameter, "there is no parameter $1");
  }
  Portal portal;
  portal.own_plan = std::move(plan);
  portal.plan = portal.own_plan.get();
  if (!portal.plan->columns.empty()) sink.RowDescription(portal.plan->columns, {});
  Result<Outcome> outcome = RunPortal(portal, 0, sink);
  ClosePortalState(portal);
  return outcome;
}

// ---- extended protocol ----

Status RealSession::Parse(std::string_view name, std::string_view sql,
                          std::span<const Oid> parameter_types, ResultSink& sink) {
  static_cast<void>(sink);
  BeginStatement();
  Status valid = ValidateUtf8(sql);
  if (!valid.ok()) return Failed(std::move(valid));
  if (!name.empty() && statements_.contains(name)) {
    return Failed(Status::Error(sqlstate::kDuplicatePreparedStatement,
                                fmt::format("prepared statement \"{}\" already exists", name)));
  }
  if (name.empty()) unnamed_statement_.reset();
  Result<ParseTree> parsed = ParseTree::Parse(sql);
  if (!parsed.ok()) return Failed(parsed.TakeStatus());
  auto tree = std::make_shared<const ParseTree>(std::move(*parsed));
  if (tree->statement_count() > 1) {
    return Failed(Status::Error(sqlstate::kSyntaxError,
                                "cannot insert multiple commands into a prepared statement"));
  }
  Result<std::shared_ptr<PreparedStatement>> statement =
      Prepare(std::move(tree), 0, parameter_types, /*sql_level=*/false);
  if (!statement.ok()) return Failed(statement.TakeStatus());
  if (name.empty()) {
    unnamed_statement_ = std::move(*statement);
  } else {
    statements_.emplace(name, std::move(*statement));
  }
  EndStatement();
  return {};
}

[[gnu::hot]] Status RealSession::Bind(std::string_view portal_name, std::string_view statement_name,
                                      std::span<const WireFormat> parameter_formats,
                                      std::span<const WireValue> parameters,
                                      std::span<const WireFormat> result_formats) {
  BeginStatement();
  Result<std::shared_ptr<PreparedStatement>> found = FindStatement(statement_name);
  if (!found.ok()) return Failed(found.TakeStatus());
  std::shared_ptr<PreparedStatement>& statement = *found;
  __builtin_prefetch(statement->plan.get());  // for Execute()
  const std::span<const Oid> types = statement->parameters.types();
  if (parameter_formats.size() > 1 && parameter_formats.size() != parameters.size()) {
    return Failed(
        Status::Error(sqlstate::kProtocolViolation,
                      fmt::format("bind message has {} parameter formats but {} parameters",
                                  parameter_formats.size(), parameters.size())));
  }
  if (parameters.size() != types.size()) {
    return Failed(Status::Error(
        sqlstate::kProtocolViolation,
        fmt::format("bind message supplies {} parameters, but prepared statement \"{}\" requires "
                    "{}",
                    parameters.size(), statement_name, types.size())));
  }
  if (statement->kind == PreparedStatement::Kind::kTransaction) {
    Status status = CheckNotFailed(statement->tree->statement(0));
    if (!status.ok()) return Failed(std::move(status));
  } else if (block_ == Block::kFailed && statement->kind != PreparedStatement::Kind::kEmpty) {
    return Failed(Status::Error(
        sqlstate::kInFailedSqlTransaction,
        "current transaction is aborted, commands ignored until end of transaction block"));
  }
  const size_t columns = statement->columns().size();
  if (result_formats.size() > 1 && result_formats.size() != columns) {
    return Failed(
        Status::Error(sqlstate::kProtocolViolation,
                      fmt::format("bind message has {} result formats but query has {} columns",
                                  result_formats.size(), columns)));
  }
  EnsureTransaction();
  Portal* portal = &unnamed_portal_;
  if (portal_name.empty()) {
    ClosePortalState(unnamed_portal_);
    has_unnamed_portal_ = true;
  } else {
    const auto [at, inserted] =
        portals_.try_emplace(std::string(portal_name), std::make_unique<Portal>());
    if (!inserted) {
      return Failed(Status::Error(sqlstate::kDuplicateCursor,
                                  fmt::format("cursor \"{}\" already exists", portal_name)));
    }
    portal = at->second.get();
  }
  portal->state = Portal::State::kReady;
  portal->statement = std::move(statement);
  portal->formats.assign(result_formats.begin(), result_formats.end());
  portal->parameters.resize(parameters.size());
  portal->parameter_arena.Reset();
  const IoContext io{&portal->parameter_arena, &time_zone(), TransactionTimestamp()};
  for (size_t i = 0; i < parameters.size(); ++i) {
    const WireFormat format = parameter_formats.empty()       ? WireFormat::kText
                              : parameter_formats.size() == 1 ? parameter_formats[0]
                                                              : parameter_formats[i];
    Status status = FromWire({types[i], -1}, parameters[i], format, io, portal->parameters[i]);
    if (!status.ok()) return Failed(std::move(status));
    // The message's bytes are gone after this call.
    Value& value = portal->parameters[i];
    if (value.null || GetType(types[i]).form != ValueForm::kBytes) continue;
    const std::string_view copy = portal->parameter_arena.Copy(value.text());
    if (copy.data() == nullptr) return Failed(portal->parameter_arena.OutOfMemory());
    value = Value::Text(copy);
  }
  EndStatement();
  return {};
}

Status RealSession::DescribeStatement(std::string_view name, ResultSink& sink) {
  Result<std::shared_ptr<PreparedStatement>> found = FindStatement(name);
  if (!found.ok()) return Failed(found.TakeStatus());
  const PreparedStatement& statement = **found;
  sink.ParameterDescription(statement.parameters.types());
  if (statement.columns().empty()) {
    sink.NoData();
  } else {
    sink.RowDescription(statement.columns(), {});
  }
  return {};
}

[[gnu::hot]] Status RealSession::DescribePortal(std::string_view name, ResultSink& sink) {
  const Portal* portal = FindPortal(name);
  if (portal == nullptr) {
    return Failed(Status::Error(sqlstate::kInvalidCursorName,
                                fmt::format("portal \"{}\" does not exist", name)));
  }
  if (portal->statement->columns().empty()) {
    sink.NoData();
  } else {
    sink.RowDescription(portal->statement->columns(), portal->formats);
  }
  return {};
}

[[gnu::hot]] Result<Progress> RealSession::Execute(std::string_view name, int64_t max_rows,
                                                   ResultSink& sink) {
  Portal* portal = FindPortal(name);
  if (portal == nullptr) {
    return Failed(Status::Error(sqlstate::kInvalidCursorName,
                                fmt::format("portal \"{}\" does not exist", name)));
  }
  const std::shared_ptr<PreparedStatement> statement = portal->statement;
  if (statement->kind == PreparedStatement::Kind::kEmpty) {
    sink.EmptyQuery();
    return Progress::kDone;
  }
  BeginStatement();
  multi_statement_ = false;
  Result<Outcome> outcome(Outcome{});
  if (statement->kind == PreparedStatement::Kind::kPlanned) {
    if (block_ == Block::kFailed) {
      return Failed(CheckNotFailed(PgQuery__Node{}));
    }
    EnsureTransaction();
    Status opened = OpenPortal(*portal);
    outcome = opened.ok() ? RunPortal(*portal, max_rows, sink) : Result<Outcome>(opened);
  } else {
    const PgQuery__Node& node = statement->tree->statement(0);
    Status status = CheckNotFailed(node);
    if (!status.ok()) return Failed(std::move(status));
    EnsureTransaction();
    if (statement->kind == PreparedStatement::Kind::kTransaction) {
      outcome = RunTransactionStatement(*node.transaction_stmt, statement->sql, sink);
    } else {
      outcome = RunUtility(statement->tree, node, portal->formats, false, sink);
    }
  }
  if (!outcome.ok()) return Failed(outcome.TakeStatus());
  if (outcome->copy_in) return Progress::kCopyIn;
  if (outcome->suspended) {
    sink.PortalSuspended();
  } else {
    sink.CommandComplete(outcome->tag);
  }
  EndStatement();
  return Progress::kDone;
}

Status RealSession::CloseStatement(std::string_view name) {
  if (name.empty()) {
    unnamed_statement_.reset();
  } else if (const auto at = statements_.find(name); at != statements_.end()) {
    statements_.erase(at);
  }
  return {};
}

Status RealSession::ClosePortal(std::string_view name) {
  if (name.empty()) {
    ClosePortalState(unnamed_portal_);
    has_unnamed_portal_ = false;
  } else if (const auto at = portals_.find(name); at != portals_.end()) {
    ClosePortalState(*at->second);
    portals_.erase(at);
  }
  return {};
}

[[gnu::hot]] Status RealSession::Sync(ResultSink& sink) {
  Status status = EndImplicit();
  if (!status.ok()) return Failed(std::move(status));
  settings_.ReportChanges(sink);
  return {};
}

// ---- COPY FROM STDIN ----

Status RealSession::CopyInData(std::string_view bytes) {
  if (copy_in_ == nullptr) return {};  // it has failed already
  Status status = copy_in_->Take(bytes);
  return status.ok() ? status : Failed(std::move(status));
}

Result<Progress> RealSession::CopyInDone(ResultSink& sink) {
  if (copy_in_ == nullptr) {
    return Status::Error(sqlstate::kProtocolViolation, "there is no COPY in progress");
  }
  Result<int64_t> rows = copy_in_->Finish();
  if (!rows.ok()) return Failed(rows.TakeStatus());
  copy_in_.reset();
  transaction_.AdvanceCommand();
  const std::shared_ptr<const ParseTree> tree = std::move(pending_tree_);
  pending_tree_.reset();
  const bool last = tree == nullptr || pending_index_ >= tree->statement_count();
  if (last && tree != nullptr) {  // simple protocol: the end of the query string
    Status committed = EndImplicit();
    if (!committed.ok()) return Failed(std::move(committed));
  }
  sink.CommandComplete(fmt::format("COPY {}", *rows));
  EndStatement();
  if (last) {
    settings_.ReportChanges(sink);
    return Progress::kDone;
  }
  return RunStatements(tree, pending_index_, sink);
}

Status RealSession::CopyInFail(std::string_view reason) {
  return Failed(
      Status::Error(sqlstate::kQueryCanceled, fmt::format("COPY from stdin failed: {}", reason)));
}

// ---- where the session stands ----

[[gnu::hot]] TransactionStatus RealSession::transaction_status() const {
  switch (block_) {
    case Block::kExplicit:
      return TransactionStatus::kInTransaction;
    case Block::kFailed:
      return TransactionStatus::kFailed;
    default:
      return TransactionStatus::kIdle;
  }
}

[[gnu::hot]] MonotonicNs RealSession::IdleDeadline(MonotonicNs now) const {
  if (copy_in_ != nullptr) return kNoDeadline;  // in the middle of a statement
  const bool in_block = block_ == Block::kExplicit || block_ == Block::kFailed;
  const int64_t timeout = in_block ? settings_.current().idle_in_transaction_timeout_ns
                                   : settings_.current().idle_session_timeout_ns;
  return timeout > 0 ? now + timeout : kNoDeadline;
}

Status RealSession::IdleTimeoutError() const {
  const bool in_block = block_ == Block::kExplicit || block_ == Block::kFailed;
  return in_block ? Status::Fatal(sqlstate::kIdleInTransactionSessionTimeout,
                                  "terminating connection due to idle-in-transaction timeout")
                  : Status::Fatal(sqlstate::kIdleSessionTimeout,
                                  "terminating connection due to idle-session timeout");
}

}  // namespace connbench::engine
