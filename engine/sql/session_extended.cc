// The extended protocol: Parse, Bind, Describe, Execute, Close, Sync.

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

// What a type's receive function says of bytes behind the value.
constexpr std::string_view kIncorrectBinaryFormat = "incorrect binary data format";

bool IsWireFormat(WireFormat format) {
  return format == WireFormat::kText || format == WireFormat::kBinary;
}

// An error in the number-th parameter of a portal, as PostgreSQL words it. Its context shows that a
// parameter came as text, but not the text (log_parameter_max_length_on_error is 0).
[[gnu::cold]] Status AboutParameter(Status error, std::string_view portal, size_t number,
                                    const WireValue& value, WireFormat format) {
  const ErrorInfo& info = error.error();
  if (info.fatal) return error;
  std::string context = portal.empty() ? fmt::format("unnamed portal parameter ${}", number)
                                       : fmt::format("portal \"{}\" parameter ${}", portal, number);
  const bool text = format == WireFormat::kText && info.code != sqlstate::kCharacterNotInRepertoire;
  if (text) context += value.length > 0 ? " = '...'" : " = ''";
  if (info.code != sqlstate::kInvalidBinaryRepresentation ||
      info.message != kIncorrectBinaryFormat) {
    return std::move(error).WithContext(std::move(context));
  }
  return Status::Error(info.code,
                       fmt::format("{} in bind parameter {}", kIncorrectBinaryFormat, number))
      .WithContext(std::move(context));
}

[[gnu::cold]] Status NoSuchPortal(std::string_view name) {
  return Status::Error(sqlstate::kInvalidCursorName,
                       fmt::format("portal \"{}\" does not exist", name));
}

// Names that were found have been looked at when they were given.
[[gnu::cold]] Status NotFound(Status error, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) CONNBENCH_RETURN_IF_ERROR(ValidateUtf8(name));
  return error;
}

[[gnu::cold]] Status CannotBeRun(std::string_view portal) {
  return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                       fmt::format("portal \"{}\" cannot be run", portal));
}

}  // namespace

Status RealSession::Parse(std::string_view name, std::string_view sql,
                          std::span<const Oid> parameter_types, ResultSink& sink) {
  static_cast<void>(sink);
  BeginStatement();
  ShowQuery(sql, 0);
  ShowStatementStart();
  Status valid = ValidateUtf8(name);
  if (valid.ok()) valid = ValidateUtf8(sql);
  if (!valid.ok()) return Failed(std::move(valid));
  if (name.empty()) unnamed_statement_.reset();
  Result<ParseTree> parsed = ParseTree::Parse(sql, this);
  if (!parsed.ok()) return Failed(parsed.TakeStatus());
  auto tree = std::make_shared<const ParseTree>(std::move(*parsed));
  if (tree->statement_count() > 1) {
    return Failed(Status::Error(sqlstate::kSyntaxError,
                                "cannot insert multiple commands into a prepared statement"));
  }
  Result<std::shared_ptr<PreparedStatement>> statement =
      Prepare(std::move(tree), 0, parameter_types, /*sql_level=*/false);
  if (!statement.ok()) return Failed(statement.TakeStatus());
  shown_statement_ = (*statement)->number;
  if (name.empty()) {
    unnamed_statement_ = std::move(*statement);
  } else if (!statements_.try_emplace(std::string(name), std::move(*statement)).second) {
    return Failed(Status::Error(sqlstate::kDuplicatePreparedStatement,
                                fmt::format("prepared statement \"{}\" already exists", name)));
  }
  EndStatement();
  backend_->ShowStatementEnd();
  return {};
}

[[gnu::hot]] Status RealSession::Bind(std::string_view portal_name, std::string_view statement_name,
                                      std::span<const WireFormat> parameter_formats,
                                      std::span<const WireValue> parameters,
                                      std::span<const WireFormat> result_formats) {
  BeginStatement();
  Result<std::shared_ptr<PreparedStatement>> found = FindStatement(statement_name);
  if (!found.ok()) {
    return Failed(NotFound(found.TakeStatus(), {portal_name, statement_name}));
  }
  if (!portal_name.empty()) {
    Status valid = ValidateUtf8(portal_name);
    if (!valid.ok()) return Failed(std::move(valid));
  }
  std::shared_ptr<PreparedStatement>& statement = *found;
  __builtin_prefetch(statement->plan.get());  // for Execute()
  ShowStatement(*statement);
  if (block_ != Block::kNone) ShowStatementStart();
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
  } else if (block_ == Block::kFailed) {
    return Failed(Status::Error(
        sqlstate::kInFailedSqlTransaction,
        "current transaction is aborted, commands ignored until end of transaction block"));
  }
  const size_t columns = statement->columns().size();
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
    portal->parameter_arena.set_interrupts(this);
  }
  portal->state = Portal::State::kReady;
  portal->level = transaction_.savepoint_level();
  portal->statement = std::move(statement);
  portal->formats.assign(result_formats.begin(), result_formats.end());
  portal->known_formats = std::all_of(result_formats.begin(), result_formats.end(), IsWireFormat);
  portal->parameters.resize(parameters.size());
  portal->parameter_arena.Reset();
  const IoContext io = this->io(portal->parameter_arena);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const WireFormat format = parameter_formats.empty()       ? WireFormat::kText
                              : parameter_formats.size() == 1 ? parameter_formats[0]
                                                              : parameter_formats[i];
    Status status = IsWireFormat(format)
                        ? FromWire({types[i], -1}, parameters[i], format, io, portal->parameters[i])
                        : UnsupportedFormat(format);
    if (!status.ok()) {
      return Failed(AboutParameter(std::move(status), portal_name, i + 1, parameters[i], format));
    }
    // The message's bytes are gone after this call.
    Value& value = portal->parameters[i];
    if (value.null || GetType(types[i]).form != ValueForm::kBytes) continue;
    const std::string_view copy = portal->parameter_arena.Copy(value.text());
    if (copy.data() == nullptr) return Failed(portal->parameter_arena.OutOfMemory());
    value = Value::Text(copy);
  }
  if (portal->statement->kind == PreparedStatement::Kind::kPlanned) {
    // As in PostgreSQL, what has changed since the statement was prepared is found here.
    Status opened = OpenPortal(*portal);
    if (!opened.ok()) return Failed(std::move(opened));
    const Plan& plan = *portal->plan;
    if (!plan.constant_error.ok()) [[unlikely]]
      return Failed(plan.constant_error);
    // Until it runs, the tables of one that writes may still change.
    if (plan.kind != PlanKind::kSelect) UnopenPortal(*portal);
  }
  // A statement without rows ignores how they should come.
  if (result_formats.size() > 1 && columns > 0 && result_formats.size() != columns) {
    return Failed(
        Status::Error(sqlstate::kProtocolViolation,
                      fmt::format("bind message has {} result formats but query has {} columns",
                                  result_formats.size(), columns)));
  }
  if (portal->statement->kind == PreparedStatement::Kind::kPlanned) {
    // A query sees what was there when it was bound, as in PostgreSQL.
    if (portal->statement->plan->kind == PlanKind::kSelect) {
      Status status = TakePortalSnapshot(*portal, *portal->statement->plan);
      if (!status.ok()) return Failed(std::move(status));
    } else if (block_ == Block::kExplicit) {
      // SET TRANSACTION comes too late from now on.
      transaction_.ReleaseSnapshot(transaction_.TakeSnapshot());
    }
  }
  EndStatement();
  return {};
}

Status RealSession::DescribeStatement(std::string_view name, ResultSink& sink) {
  Result<std::shared_ptr<PreparedStatement>> found = FindStatement(name);
  if (!found.ok()) return Failed(NotFound(found.TakeStatus(), {name}));
  const PreparedStatement& statement = **found;
  // Its rows may have types of the user's, which a failed transaction cannot look up.
  if (statement.returns_rows()) CONNBENCH_RETURN_IF_ERROR(CheckMayRead());
  sink.ParameterDescription(statement.parameters.types());
  if (statement.returns_rows()) {
    if (statement.kind == PreparedStatement::Kind::kPlanned) {
      // Looked up again as Bind does.
      EnsureTransaction();
      Portal portal;
      portal.statement = *found;
      Status opened = OpenPortal(portal);
      ClosePortalState(portal);
      if (!opened.ok()) return Failed(std::move(opened));
    }
    sink.RowDescription(statement.columns(), {});
  } else {
    sink.NoData();
  }
  return {};
}

[[gnu::hot]] Status RealSession::DescribePortal(std::string_view name, ResultSink& sink) {
  const Portal* portal = FindPortal(name);
  if (portal == nullptr) {
    return Failed(NotFound(NoSuchPortal(name), {name}));
  }
  if (portal->statement->returns_rows()) {
    CONNBENCH_RETURN_IF_ERROR(CheckMayRead());
    sink.RowDescription(portal->statement->columns(), portal->formats);
  } else {
    sink.NoData();
  }
  return {};
}

[[gnu::hot]] Result<Progress> RealSession::Execute(std::string_view name, int64_t max_rows,
                                                   ResultSink& sink) {
  Portal* portal = FindPortal(name);
  if (portal == nullptr) {
    return Failed(NotFound(NoSuchPortal(name), {name}));
  }
  const std::shared_ptr<PreparedStatement> statement = portal->statement;
  if (statement->kind == PreparedStatement::Kind::kEmpty) {
    sink.EmptyQuery();
    return Progress::kDone;
  }
  BeginStatement();
  ShowStatement(*statement);
  // Of a portal that was bound for this Execute the message Bind has shown it.
  if (block_ == Block::kExplicit) ShowStatementStart();
  multi_statement_ = false;
  commits_at_once_ = leaves_no_pipeline_ = false;
  if (portal->state == Portal::State::kDone && !statement->returns_rows()) {
    // Rows can be asked for again and are none; a statement without rows has run.
    return Failed(CannotBeRun(name));
  }
  Result<Outcome> outcome(Outcome{});
  if (statement->kind == PreparedStatement::Kind::kPlanned) {
    CONNBENCH_RETURN_IF_ERROR(CheckMayRead());
    if (portal->state == Portal::State::kFailed) return Failed(CannotBeRun(name));
    EnsureTransaction();
    Status opened = OpenPortal(*portal);
    outcome = opened.ok() ? RunPortal(*portal, max_rows, sink) : Result<Outcome>(opened);
    if (!outcome.ok()) FailPortal(*portal);
  } else {
    const PgQuery__Node& node = statement->tree->statement(statement->index);
    Status status = CheckNotFailed(node);
    if (!status.ok()) return Failed(std::move(status));
    if (portal->state == Portal::State::kFailed) return Failed(CannotBeRun(name));
    const bool closes_itself = node.node_case == PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT &&
                               !name.empty() && name == node.close_portal_stmt->portalname;
    if (closes_itself) {
      return Failed(Status::Error(sqlstate::kInvalidCursorState,
                                  fmt::format("cannot drop active portal \"{}\"", name)));
    }
    EnsureTransaction();
    portal->state = Portal::State::kDone;  // now: what runs may close it
    if (statement->kind == PreparedStatement::Kind::kTransaction) {
      outcome = RunTransactionStatement(*node.transaction_stmt, statement->sql, sink);
    } else {
      outcome = RunUtility(statement->tree, node,
                           {.formats = portal->formats,
                            .describe = false,
                            .parameter_types = &statement->parameters,
                            .parameters = portal->parameters},
                           sink);
    }
    if (!outcome.ok()) {
      outcome = statement->tree->WithStatementPosition(outcome.TakeStatus(), statement->index);
    }
  }
  if (!outcome.ok()) return Failed(outcome.TakeStatus());
  if (outcome->copy_in) return Progress::kCopyIn;
  if (commits_at_once_) {
    Status committed = EndImplicit();
    if (!committed.ok()) return Failed(std::move(committed));
    EnsureTransaction();
  }
  // After DISCARD ALL another may follow; VACUUM has begun a transaction of its own by now.
  pipelining_ = statement->kind != PreparedStatement::Kind::kTransaction && !leaves_no_pipeline_;
  if (outcome->suspended) {
    sink.PortalSuspended();
  } else {
    sink.CommandComplete(outcome->tag);
  }
  EndStatement();
  backend_->ShowStatementEnd();
  return Progress::kDone;
}

Status RealSession::CloseStatement(std::string_view name) {
  if (name.empty()) {
    unnamed_statement_.reset();
  } else if (const auto at = statements_.find(name); at != statements_.end()) {
    statements_.erase(at);
  } else if (Status valid = ValidateUtf8(name); !valid.ok()) {
    return Failed(std::move(valid));
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
  } else if (Status valid = ValidateUtf8(name); !valid.ok()) {
    return Failed(std::move(valid));
  }
  return {};
}

[[gnu::hot]] Status RealSession::Sync(ResultSink& sink) {
  Status status = EndImplicit();
  if (!status.ok()) return Failed(std::move(status));
  settings_.ReportChanges(sink);
  return {};
}

}  // namespace connbench::engine
