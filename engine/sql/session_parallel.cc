// Both ends of a parallel query: the session that leads it, and the session that a worker makes for
// a job. engine/parallel/README.md has the whole.

#include <algorithm>
#include <new>

#include "engine/executor/nodes/gather_node.h"
#include "engine/executor/row_codec.h"
#include "engine/parallel/desk.h"
#include "engine/parallel/job.h"
#include "engine/parallel/team.h"
#include "engine/sql/ast.h"
#include "engine/sql/real_session.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs PairsOf(const std::vector<StartupParameter>& parameters) {
  Pairs pairs;
  for (const StartupParameter& each : parameters) pairs.emplace_back(each.name, each.value);
  return pairs;
}

std::vector<StartupParameter> ParametersOf(const Pairs& pairs) {
  std::vector<StartupParameter> parameters;
  for (const auto& [name, value] : pairs) parameters.push_back({name, value});
  return parameters;
}

// The query that a statement runs, be it itself: what EXPLAIN, PREPARE and DECLARE have inside.
// Null: there is none.
const PgQuery__Node* QueryOf(const PgQuery__Node* statement) {
  constexpr int kMostAround = 3;
  for (int i = 0; i <= kMostAround && statement != nullptr; ++i) {
    if (IsPlannable(*statement)) return statement;
    switch (statement->node_case) {
      case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
        statement = statement->explain_stmt->query;
        break;
      case PG_QUERY__NODE__NODE_PREPARE_STMT:
        statement = statement->prepare_stmt->query;
        break;
      case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
        statement = statement->declare_cursor_stmt->query;
        break;
      default:
        return nullptr;
    }
  }
  return nullptr;
}

Status OutOfMemory() { return Status::Error(sqlstate::kOutOfMemory, "out of memory"); }

}  // namespace

// ---- the leader ----

class RealSession::Leader final : public ParallelLeader {
 public:
  Leader(RealSession& session, const Portal& portal, const StatementSource& source)
      : session_(session), portal_(portal), source_(source) {}

  std::unique_ptr<ParallelTeam> Launch(int workers, uint32_t gather, uint64_t fingerprint,
                                       BlockNumber blocks) override {
    auto* desks = session_.context_.segment->Find<ParallelDesks>(SegmentPart::kParallelDesks);
    // What this transaction has made of the catalog is not for others to see yet.
    if (desks == nullptr || session_.catalog_changed_) return nullptr;
    ParallelJob job = MakeJob();
    job.gather = gather;
    job.fingerprint = fingerprint;
    return ParallelTeam::Launch(
        *desks, *session_.context_.transactions.backends, *session_.backend_,
        std::min(workers, static_cast<int>(desks->count())), job.Write(), blocks);
  }

  bool takes_part() const override {
    return session_.settings_.current().parallel.leader_participation;
  }

 private:
  ParallelJob MakeJob() {
    ParallelJob job;
    job.sql = source_.sql;
    job.statement = static_cast<uint32_t>(source_.statement);
    if (source_.parameters != nullptr) {
      const std::span<const Oid> types = source_.parameters->types();
      job.takes_parameters = true;
      job.parameter_types.assign(types.begin(), types.end());
      const RowCodec codec(types);
      job.parameters.resize(codec.EncodedSize(portal_.parameters.data()));
      codec.Encode(portal_.parameters.data(), job.parameters.data());
    }
    job.user = session_.user_;
    job.database = session_.database_;
    job.role = session_.role_.oid;
    job.superuser = session_.role_.superuser;
    ClientState state;
    session_.settings_.FillClientState(state);
    job.startup = PairsOf(state.startup);
    job.settings = PairsOf(state.settings);
    const Transaction& transaction = session_.transaction_;
    job.isolation = transaction.isolation();
    job.read_only = transaction.read_only();
    job.transaction_start_us = transaction.start_wall_us();
    job.statement_start_us = session_.StatementTimestamp();
    const Snapshot& snapshot = portal_.execution.snapshot;
    job.csn = snapshot.csn;
    job.command = snapshot.command;
    job.backend = snapshot.backend;
    return job;
  }

  RealSession& session_;
  const Portal& portal_;
  const StatementSource source_;
};

Result<RealSession::Outcome> RealSession::RunPortalWithWorkers(Portal& portal, int64_t max_rows,
                                                               ResultSink& sink,
                                                               const StatementSource& source) {
  StatementSource from = source;
  if (const PreparedStatement* statement = portal.statement.get()) {
    from = {statement->sql, statement->index, &statement->parameters};
  }
  Leader leader(*this, portal, from);
  if (max_rows == 0 && !from.sql.empty()) portal.execution.leader = &leader;
  Result<Outcome> outcome = RunPortalRows(portal, max_rows, sink);
  portal.execution.leader = nullptr;
  // Workers end before anything else does.
  if (!outcome.ok() && portal.state == Portal::State::kRunning) {
    portal.plan->root->Close(portal.execution);
  }
  return outcome;
}

Status RealSession::RunToEnd(Plan& plan, std::span<const Value> parameters, bool instrument,
                             const std::function<Status(const Value* row)>& take,
                             const StatementSource& source) {
  Portal portal;
  portal.plan = &plan;
  portal.parameters.assign(parameters.begin(), parameters.end());
  portal.execution.instrument = instrument;
  Leader leader(*this, portal, source);
  if (!source.sql.empty()) portal.execution.leader = &leader;
  Status status = StartPortal(portal);
  while (status.ok()) {
    const Value* row = nullptr;
    const Step step = plan.root->Next(portal.execution, row);
    if (step == Step::kError) status = std::move(portal.execution.eval.status);
    if (step != Step::kRow) break;
    status = take(row);
  }
  ClosePortalState(portal);
  if (status.ok() && plan.writes) return EndWriting();
  return status;
}

// ---- the worker ----

Status RealSession::StartJob(const ParallelJob& job) {
  ClientState state;
  state.startup = ParametersOf(job.startup);
  state.settings = ParametersOf(job.settings);
  settings_.ResumeClient(state);
  role_ = {job.role, job.superuser};
  backend_->slot().role.store(uint64_t{role_.oid} << 1 | (role_.superuser ? 1 : 0),
                              std::memory_order_relaxed);
  transaction_.BeginAsWorker(job.isolation, job.read_only, job.transaction_start_us);
  statement_time_us_ = job.statement_start_us;
  ShowQuery(job.sql, 0);
  backend_->ShowStatementStart(WallClockUs());
  return {};
}

// Another plan than the leader's is no error, only of no use: it is for the caller to see.
Result<std::unique_ptr<Plan>> RealSession::PlanJob(const ParallelJob& job) {
  CONNBENCH_ASSIGN_OR_RETURN(const ParseTree tree, ParseTree::Parse(job.sql, this));
  const PgQuery__Node* query = nullptr;
  if (static_cast<int>(job.statement) < tree.statement_count()) {
    query = QueryOf(&tree.statement(static_cast<int>(job.statement)));
  }
  if (query == nullptr) {
    return Status::Error(sqlstate::kInternalError, "a parallel worker's job has no query");
  }
  ParameterTypes parameters = ParameterTypes::None();
  if (job.takes_parameters) {
    CONNBENCH_ASSIGN_OR_RETURN(parameters, ParameterTypes::From(job.parameter_types));
  }
  PlanningContext planning = planning_context();
  planning.locked_by_leader = true;
  return PlanStatement(planning, job.sql, *query, parameters);
}

Status RealSession::SendGathered(const ParallelJob& job, Plan& plan, QueueWriter& queue) {
  GatherNode& gather = *plan.gathers[job.gather];
  PlanNode& root = *gather.part().root;
  std::vector<Value> parameters(job.parameter_types.size());
  if (!parameters.empty()) {
    RowCodec(std::span<const Oid>(job.parameter_types))
        .DecodeAll(job.parameters, parameters.data());
  }
  auto& desks = *context_.segment->Find<ParallelDesks>(SegmentPart::kParallelDesks);
  ExecutionContext execution;
  execution.eval = {nullptr, parameters.data(), &scratch_, this, {}};
  execution.storage = &storage_;
  execution.transaction = &transaction_;
  execution.snapshot = {job.csn, job.command, job.backend, &transaction_.commit_log()};
  execution.work_mem_bytes = settings_.current().work_mem_bytes;
  execution.shared_blocks = &desks.desk(queue.desk().blocks_at.load()).blocks;
  std::string bytes;
  bool more = root.Open(execution);
  while (more) {
    const Value* row = nullptr;
    const Step step = root.Next(execution, row);
    if (step != Step::kRow) break;
    bytes.resize(gather.codec().EncodedSize(row));
    gather.codec().Encode(row, bytes.data());
    more = queue.SendRow(bytes);
  }
  root.Close(execution);
  return std::move(execution.eval.status);
}

ParallelDesk::Outcome RealSession::RunJob(const ParallelJob& job, ParallelDesk& desk) {
  QueueWriter queue(*context_.transactions.backends, *backend_, desk);
  ParallelDesk::Outcome outcome = ParallelDesk::Outcome::kRows;
  Status status;
  try {
    status = StartJob(job);
    Result<std::unique_ptr<Plan>> plan = PlanJob(job);
    if (!plan.ok() || (*plan)->gathers.size() <= job.gather ||
        (*plan)->gathers[job.gather]->part().fingerprint != job.fingerprint) {
      outcome = ParallelDesk::Outcome::kDeclined;
    } else {
      status = SendGathered(job, **plan, queue);
    }
  } catch (const std::bad_alloc&) {
    status = OutOfMemory();
  }
  transaction_.EndAsWorker();
  if (!status.ok()) {
    outcome = ParallelDesk::Outcome::kFailed;
    // After a stop nobody reads it.
    static_cast<void>(queue.SendError(status.error()));
  }
  queue.Flush();
  return outcome;
}

void RunParallelJob(EngineContext& context, Backend& backend, ParallelDesk& desk) {
  ParallelDesk::Outcome outcome = ParallelDesk::Outcome::kDeclined;
  backend.BeginJob();
  try {
    const std::optional<ParallelJob> job =
        ParallelJob::Read({desk.queue, desk.job_bytes.load(std::memory_order_relaxed)});
    if (job && desk.stop.load(std::memory_order_seq_cst) == 0) {
      SessionOptions options;
      options.user = job->user;
      options.database = job->database;
      options.superuser = job->superuser;
      RealSession session(context, BackendHandle(&backend, {.lent = true}), options);
      outcome = session.RunJob(*job, desk);
    }
  } catch (const std::bad_alloc&) {
    // Before the job has begun: the leader can do without this worker.
  }
  backend.slot().role.store(0, std::memory_order_relaxed);
  const BackendNumber leader = desk.leader.load(std::memory_order_relaxed);
  desk.outcome.store(outcome, std::memory_order_relaxed);
  // From here on the desk is the leader's, and then anybody's.
  desk.state.store(ParallelDesk::State::kDone, std::memory_order_seq_cst);
  context.transactions.backends->slot(leader).wakeup.Ring();
}

}  // namespace connbench::engine
