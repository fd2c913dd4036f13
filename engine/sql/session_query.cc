// The simple protocol: the statements of a Query message in turn, and the data of COPY.

#include <fmt/format.h>

#include "engine/executor/types/type_io.h"
#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

bool PlannedReturnsRows(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return true;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return statement.insert_stmt->n_returning_list > 0;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return statement.update_stmt->n_returning_list > 0;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return statement.delete_stmt->n_returning_list > 0;
    default:
      return false;
  }
}

}  // namespace

Result<Progress> RealSession::Query(std::string_view sql, ResultSink& sink) {
  unnamed_statement_.reset();
  BeginStatement();  // parsing is a part of the first one
  ShowQuery(sql, 0);
  ShowStatementStart();
  Status valid = ValidateUtf8(sql);
  if (!valid.ok()) return Failed(std::move(valid));
  Result<ParseTree> parsed = ParseTree::Parse(sql, this);
  if (!parsed.ok()) return Failed(parsed.TakeStatus());
  auto tree = std::make_shared<const ParseTree>(std::move(*parsed));
  if (tree->statement_count() == 0) {
    sink.EmptyQuery();
    EndStatement();
    backend_->ShowStatementEnd();
    return Progress::kDone;
  }
  return RunStatements(tree, 0, sink);
}

Result<Progress> RealSession::RunStatements(const std::shared_ptr<const ParseTree>& tree, int next,
                                            ResultSink& sink) {
  const int count = tree->statement_count();
  multi_statement_ = count > 1;
  for (int i = next; i < count; ++i) {
    if (i != next) BeginStatement();
    Result<Outcome> outcome = RunStatement(tree, i, sink);
    if (!outcome.ok()) {
      Status error = Failed(outcome.TakeStatus());
      if (query_portal_ && block_ == Block::kFailed) LeaveFailedPortal(tree, i);
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
  backend_->ShowStatementEnd();
  settings_.ReportChanges(sink);
  return Progress::kDone;
}

Result<RealSession::Outcome> RealSession::RunStatement(const std::shared_ptr<const ParseTree>& tree,
                                                       int index, ResultSink& sink) {
  const PgQuery__Node& statement = tree->statement(index);
  query_portal_ = false;
  CONNBENCH_RETURN_IF_ERROR(CheckNotFailed(statement));
  CONNBENCH_RETURN_IF_ERROR(backend_->CheckInterruptsNow());
  EnsureTransaction();
  if (IsPlannable(statement)) return RunPlanned(*tree, index, sink);
  TakeUnnamedPortal();
  const bool ends = statement.node_case == PG_QUERY__NODE__NODE_TRANSACTION_STMT;
  Result<Outcome> outcome =
      ends ? RunTransactionStatement(*statement.transaction_stmt, tree->sql(), sink)
           : RunUtility(tree, statement, {.describe = true}, sink);
  if (!outcome.ok()) return tree->WithStatementPosition(outcome.TakeStatus(), index);
  return outcome;
}

Result<RealSession::Outcome> RealSession::RunPlanned(const ParseTree& tree, int index,
                                                     ResultSink& sink) {
  ParameterTypes parameters = ParameterTypes::None();
  auto planned = PlanStatement(planning_context(), tree.sql(), tree.statement(index), parameters);
  if (!planned.ok()) return tree.WithStatementPosition(planned.TakeStatus(), index);
  // Before the rows are described.
  CONNBENCH_RETURN_IF_ERROR((*planned)->constant_error);
  TakeUnnamedPortal();
  CONNBENCH_RETURN_IF_ERROR(CheckMayWrite(**planned));
  Portal portal;
  portal.own_plan = std::move(*planned);
  portal.plan = portal.own_plan.get();
  if (portal.plan->returns_rows) sink.RowDescription(portal.plan->columns, {});
  Result<Outcome> outcome = RunPortal(portal, 0, sink, {tree.sql(), index});
  ClosePortalState(portal);
  return outcome;
}

// The statement runs in the unnamed portal: one that was bound before is closed.
void RealSession::TakeUnnamedPortal() {
  if (has_unnamed_portal_) ClosePortalState(unnamed_portal_);
  has_unnamed_portal_ = false;
  query_portal_ = true;
}

// PostgreSQL keeps the portal of a statement that failed until its transaction, or its savepoint,
// is rolled back: a client may ask for it.
void RealSession::LeaveFailedPortal(const std::shared_ptr<const ParseTree>& tree, int index) {
  const PgQuery__Node& node = tree->statement(index);
  auto statement = std::make_shared<PreparedStatement>();
  const bool ends = node.node_case == PG_QUERY__NODE__NODE_TRANSACTION_STMT;
  statement->kind =
      ends ? PreparedStatement::Kind::kTransaction : PreparedStatement::Kind::kUtility;
  statement->sql = tree->sql();
  statement->index = index;
  statement->tree = tree;
  // Nobody will see which columns: rows cannot be described in a failed transaction.
  const bool rows = IsPlannable(node) ? PlannedReturnsRows(node) : UtilityResult(node).has_value();
  if (rows) statement->utility_result.emplace();
  unnamed_portal_.statement = std::move(statement);
  unnamed_portal_.level = transaction_.savepoint_level();
  unnamed_portal_.state = Portal::State::kFailed;
  has_unnamed_portal_ = true;
}

// ---- COPY FROM STDIN ----

Status RealSession::CopyInData(std::string_view bytes) {
  if (copy_in_ == nullptr) return {};  // it has failed already
  Status status = copy_in_->Take(bytes);
  return status.ok() ? status : CopyFailed(std::move(status));
}

Result<Progress> RealSession::CopyInDone(ResultSink& sink) {
  if (copy_in_ == nullptr) {
    return Status::Error(sqlstate::kProtocolViolation, "there is no COPY in progress");
  }
  Result<int64_t> rows = copy_in_->Finish();
  if (!rows.ok()) return CopyFailed(rows.TakeStatus());
  copy_in_.reset();
  Status ended = EndWriting();
  if (!ended.ok()) return CopyFailed(std::move(ended));
  const std::shared_ptr<const ParseTree> tree = std::move(pending_tree_);
  pending_tree_.reset();
  const bool last = tree == nullptr || pending_index_ >= tree->statement_count();
  if (last && tree != nullptr) {  // simple protocol: the end of the query string
    Status committed = EndImplicit();
    if (!committed.ok()) return Failed(std::move(committed));
  }
  sink.CommandComplete(fmt::format("COPY {}", *rows));
  EndStatement();
  backend_->ShowStatementEnd();
  if (last) {
    settings_.ReportChanges(sink);
    return Progress::kDone;
  }
  BeginStatement();
  return RunStatements(tree, pending_index_, sink);
}

Status RealSession::CopyInFail(std::string_view reason) {
  Status valid = ValidateUtf8(reason);
  Status error =
      Status::Error(sqlstate::kQueryCanceled, fmt::format("COPY from stdin failed: {}", reason));
  if (!valid.ok()) error = std::move(valid);
  if (copy_in_ != nullptr) error = std::move(error).WithContext(copy_in_->NextLine());
  return CopyFailed(std::move(error));
}

Status RealSession::CopyFailed(Status error) {
  const std::shared_ptr<const ParseTree> tree = pending_tree_;  // null: of the extended protocol
  error = Failed(std::move(error));
  if (tree != nullptr && block_ == Block::kFailed) LeaveFailedPortal(tree, pending_index_ - 1);
  return error;
}

}  // namespace connbench::engine
