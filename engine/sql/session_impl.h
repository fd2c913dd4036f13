// The real session: SQL text in, rows out. One .cc file per concern: real_session.cc (where the
// session stands), session_query.cc and session_extended.cc (messages), session_transaction.cc
// (blocks and savepoints), session_portal.cc (running plans), session_statement.cc (preparing
// them), session_environment.cc (what expressions ask for), utility_*.cc (statements that are not
// planned). Private to engine/sql.
//
// Safety: as engine/session.h says: one thread at a time.
// Memory: an idle session holds its settings, its backend handle and what it has prepared; page
// copies and arenas are allocated at first use.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/engine_context.h"
#include "engine/executor/expression/environment.h"
#include "engine/parallel/desk.h"
#include "engine/roles/access.h"
#include "engine/roles/role_table.h"
#include "engine/session.h"
#include "engine/sql/command_tag.h"
#include "engine/sql/copy_from.h"
#include "engine/sql/dependencies.h"
#include "engine/sql/foreign_key_deferral.h"
#include "engine/sql/foreign_key_enforcer.h"
#include "engine/sql/parse_tree.h"
#include "engine/sql/pg_query_types.h"
#include "engine/sql/plan.h"
#include "engine/sql/settings.h"
#include "engine/sql/table_definition.h"
#include "engine/storage/catalog.h"
#include "engine/transaction/activity.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

struct ParallelJob;  // engine/parallel/job.h
struct SequenceChange;

// Maps by name that can be searched with a string_view.
struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};
template <typename T>
using NameMap = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

// A statement as Parse or PREPARE left it.
struct PreparedStatement {
  enum class Kind : uint8_t { kEmpty, kPlanned, kTransaction, kUtility };
  Kind kind = Kind::kEmpty;
  bool sql_level = false;      // by PREPARE or DECLARE CURSOR, not by a Parse message
  int index = 0;               // of the statement in sql
  uint64_t number = 0;         // of those that the session has prepared
  std::unique_ptr<Plan> plan;  // kPlanned
  ParameterTypes parameters;
  std::string sql;                        // the text that positions count in
  std::shared_ptr<const ParseTree> tree;  // kTransaction, kUtility
  // kUtility: the columns of the rows that it returns, if it returns any.
  std::optional<std::vector<ColumnDescription>> utility_result;

  // Rows may have no columns: SELECT FROM t.
  bool returns_rows() const {
    return kind == Kind::kPlanned ? plan->returns_rows : utility_result.has_value();
  }
  std::span<const ColumnDescription> columns() const {
    if (kind == Kind::kPlanned) return plan->columns;
    if (utility_result) return *utility_result;
    return {};
  }
};

// Where a plan's statement stands, for workers that must plan it, too. No text: nobody knows.
struct StatementSource {
  std::string_view sql;
  int statement = 0;                           // of those in sql
  const ParameterTypes* parameters = nullptr;  // null: it may have none
};

// A statement with its parameters, ready to run, running, or done.
struct Portal {
  enum class State : uint8_t {
    kReady,
    kRunning,
    kDone,
    kFailed,  // its run ended with an error, in a savepoint begun after it was bound
  };
  State state = State::kReady;
  int level = 0;  // of savepoints: what rolls that one back closes the portal, too
  std::shared_ptr<PreparedStatement> statement;
  Plan* plan = nullptr;  // the statement's, or own_plan if that is busy
  std::unique_ptr<Plan> own_plan;
  std::vector<Value> parameters;
  Arena parameter_arena;
  std::vector<WireFormat> formats;  // of the result
  bool known_formats = true;        // text and binary only; else its first row is an error
  ExecutionContext execution;
  bool has_snapshot = false;
  // Rows of INSERT, UPDATE or DELETE ... RETURNING that the client has not fetched yet: the
  // statement itself always runs to its end. Null: none were stored.
  std::unique_ptr<std::deque<std::string>> returned;
  int64_t position = 0;    // how many rows it has given
  bool no_scroll = false;  // DECLARE ... NO SCROLL
};

// 22023, for a code that is neither text nor binary. Bind takes any: a format that no value needs
// is no error in PostgreSQL.
Status UnsupportedFormat(WireFormat format);

// A session's slot is its own, but for a parallel worker's, which makes a session for each job.
struct BackendRelease {
  bool lent = false;
  void operator()(Backend* backend) const {
    if (!lent) delete backend;
  }
};
using BackendHandle = std::unique_ptr<Backend, BackendRelease>;

class RealSession final : public Session, private EvalEnvironment {
 public:
  RealSession(EngineContext& context, BackendHandle backend, const SessionOptions& options);
  ~RealSession() override;

  Status Start(const SessionOptions& options);

  void ReportParameters(ResultSink& sink) override;
  uint32_t cancel_key() const override { return backend_->cancel_key(); }
  void SetWaiter(Waiter& waiter) override { backend_->SetWaiter(waiter); }

  Result<Progress> Query(std::string_view sql, ResultSink& sink) override;
  Status Parse(std::string_view statement, std::string_view sql,
               std::span<const Oid> parameter_types, ResultSink& sink) override;
  Status Bind(std::string_view portal, std::string_view statement,
              std::span<const WireFormat> parameter_formats, std::span<const WireValue> parameters,
              std::span<const WireFormat> result_formats) override;
  Status DescribeStatement(std::string_view statement, ResultSink& sink) override;
  Status DescribePortal(std::string_view portal, ResultSink& sink) override;
  Result<Progress> Execute(std::string_view portal, int64_t max_rows, ResultSink& sink) override;
  Status CloseStatement(std::string_view statement) override;
  Status ClosePortal(std::string_view portal) override;
  Status Sync(ResultSink& sink) override;
  Status CopyInData(std::string_view bytes) override;
  Result<Progress> CopyInDone(ResultSink& sink) override;
  Status CopyInFail(std::string_view reason) override;
  void FailTransaction() override;
  Status BeginClient(const std::vector<StartupParameter>& parameters) override;
  void ResumeClient(const ClientState& state) override;
  ClientState client_state() const override;
  uint64_t client_state_version() const override {
    return 2 * settings_.version() + (touched() ? 1 : 0);
  }
  uint64_t deallocations() const override { return deallocations_; }

  TransactionStatus transaction_status() const override;
  MonotonicNs IdleDeadline(MonotonicNs now) const override;
  Status IdleTimeoutError() const override;
  [[gnu::hot]] Status TerminationRequested() const override { return backend_->CheckTermination(); }

 private:
  // Where the session stands between BEGIN and COMMIT.
  enum class Block : uint8_t {
    kNone,      // no transaction is open
    kImplicit,  // one is, for the statements of this message only
    kExplicit,  // after BEGIN
    kFailed,    // after BEGIN and an error: only ROLLBACK helps
  };
  struct Savepoint {
    std::string name;
    int level;
    size_t settings_mark;
  };
  // What a statement leaves to be told to the client.
  struct Outcome {
    CommandTag tag;
    bool copy_in = false;  // the client's data come next
    bool suspended = false;
  };

  // What the options of CREATE and ALTER ROLE ask for.
  struct RoleChange {
    std::optional<bool> superuser;
    std::optional<bool> can_login;
    std::optional<bool> inherit;
    bool sets_password = false;
    std::optional<std::string> password;  // as it will be stored; none: PASSWORD NULL

    bool only_password() const { return !superuser && !can_login && !inherit; }
    void ApplyTo(Role& role) const;
  };

  // ---- session_query.cc ----
  // The first of them has begun already.
  Result<Progress> RunStatements(const std::shared_ptr<const ParseTree>& tree, int next,
                                 ResultSink& sink);
  Result<Outcome> RunStatement(const std::shared_ptr<const ParseTree>& tree, int index,
                               ResultSink& sink);
  Result<Outcome> RunPlanned(const ParseTree& tree, int index, ResultSink& sink);
  void TakeUnnamedPortal();
  void LeaveFailedPortal(const std::shared_ptr<const ParseTree>& tree, int index);
  Status CopyFailed(Status error);

  // ---- real_session.cc ----
  // Whether it holds more of its client than settings; see ClientState.
  bool touched() const { return sql_prepared_ || seeded_ || !sequence_values_.empty(); }
  void ForgetClient();
  void DropStatements();
  // The error as the client sees it, after the transaction has taken notice of it.
  Status Failed(Status error);
  Status CheckNotFailed(const PgQuery__Node& statement) const;
  // The same for what reads rows or says what they look like; fails the message.
  Status CheckMayRead();
  Status CheckReadOnly(std::string_view command) const;
  void BeginStatement();
  void EndStatement();
  // Shows to others what the session does from now on. number: a prepared statement's; 0: none.
  void ShowQuery(std::string_view sql, uint64_t number);
  void ShowStatement(const PreparedStatement& statement) {
    if (statement.number != shown_statement_) [[unlikely]]
      ShowQuery(statement.sql, statement.number);
  }
  // Beside a transaction that begins now, whose time it is: EnsureTransaction().
  void ShowStatementStart();
  void Notice(ResultSink& sink, std::string_view severity, std::string_view code,
              std::string message, std::string detail = {}, std::string hint = {});

  // ---- session_transaction.cc ----
  void EnsureTransaction();
  Status CommitTransaction();
  void RollbackTransaction();
  void AfterTransaction(bool committed);
  void CheckpointIfDue();
  // Ends an implicit transaction; nothing to do in a block.
  Status EndImplicit();
  Result<Outcome> RunTransactionStatement(const PgQuery__TransactionStmt& statement,
                                          std::string_view sql, ResultSink& sink);
  Status ApplyTransactionModes(PgQuery__Node* const* options, size_t count);
  // The innermost of that name, as its place in savepoints_; 3B001.
  Result<size_t> FindSavepoint(std::string_view name) const;
  Status SetTransactionSetting(std::string_view name, std::string_view value);
  Status DefineSavepoint(std::string_view name);
  Status ReleaseSavepoint(std::string_view name);
  Status RollbackToSavepoint(std::string_view name);
  void ForgetPlans();  // those that may rest on catalog changes that were rolled back

  // ---- session_statement.cc ----
  PlanningContext planning_context();
  Result<std::shared_ptr<PreparedStatement>> Prepare(std::shared_ptr<const ParseTree> tree,
                                                     int index,
                                                     std::span<const Oid> parameter_types,
                                                     bool sql_level);
  Result<std::unique_ptr<Plan>> MakePlan(PreparedStatement& statement);
  std::optional<std::vector<ColumnDescription>> UtilityResult(const PgQuery__Node& statement);
  Result<std::shared_ptr<PreparedStatement>> FindStatement(std::string_view name) const;

  // ---- session_portal.cc ----
  Status OpenPortal(Portal& portal);  // binds a plan to it
  static void UnopenPortal(Portal& portal);
  Status StartPortal(Portal& portal);
  // 25006 if the plan writes in a READ ONLY transaction.
  Status CheckMayWrite(const Plan& plan) const;
  Status TakePortalSnapshot(Portal& portal, const Plan& plan);
  Result<Outcome> RunPortal(Portal& portal, int64_t max_rows, ResultSink& sink,
                            const StatementSource& source = {}) {
    if (portal.plan == nullptr || !portal.plan->parallel) [[likely]]
      return RunPortalRows(portal, max_rows, sink);
    return RunPortalWithWorkers(portal, max_rows, sink, source);
  }
  Result<Outcome> RunPortalRows(Portal& portal, int64_t max_rows, ResultSink& sink);
  // A step of the plan, or of what it has returned already.
  Step NextRow(Portal& portal, bool limited, const Value*& row);
  Step StoreReturned(Portal& portal);
  Status SendRow(const Plan& plan, std::span<const WireFormat> formats, const Value* row,
                 ResultSink& sink);
  void ClosePortalState(Portal& portal);
  void CloseAllPortals();
  // Those bound at the savepoint's level or above.
  void ClosePortalsFrom(int level);
  // The savepoint is released: what was bound at its level or above now belongs to the one below.
  void GivePortalsToParent(int level);
  // Before a savepoint: tables that bound portals will read are locked below it.
  void OpenBoundPortals();
  // It cannot be run any more, but its name is taken until its level ends.
  void FailPortal(Portal& portal);
  void FailPortalsFrom(int level);
  Portal* FindPortal(std::string_view name);
  // Runs a plan to its end, calling take for every row; for COPY TO, EXPLAIN ANALYZE.
  Status RunToEnd(Plan& plan, std::span<const Value> parameters, bool instrument,
                  const std::function<Status(const Value* row)>& take,
                  const StatementSource& source = {});

  // ---- session_parallel.cc ----
  class Leader;
  friend void RunParallelJob(EngineContext& context, Backend& backend, ParallelDesk& desk);
  // With workers, unless the client fetches in parts: they would wait with it.
  Result<Outcome> RunPortalWithWorkers(Portal& portal, int64_t max_rows, ResultSink& sink,
                                       const StatementSource& source);
  // As a worker: what became of the job.
  ParallelDesk::Outcome RunJob(const ParallelJob& job, ParallelDesk& desk);
  Status StartJob(const ParallelJob& job);
  Result<std::unique_ptr<Plan>> PlanJob(const ParallelJob& job);
  Status SendGathered(const ParallelJob& job, Plan& plan, QueueWriter& queue);

  // ---- session_foreign_keys.cc ----
  // After a statement has written: what it did to foreign keys is enforced, or it fails.
  Status EndWriting() {
    transaction_.AdvanceCommand();
    if (foreign_key_events_.empty()) [[likely]]
      return {};
    return EnforceForeignKeys();
  }
  Status EnforceForeignKeys();
  // What was put off until the end of the transaction.
  Status EnforceDeferred();
  ForeignKeyDeferral& foreign_key_deferral();
  Result<Outcome> RunSetConstraints(const PgQuery__Node& statement, std::string_view sql,
                                    ResultSink& sink);
  ForeignKeyEnforcer& foreign_key_enforcer();
  ForeignKeyEnforcer::Surroundings Surroundings();

  // ---- session_access.cc ----
  // Who the session is.
  Status StartRole();
  // Looks the session's role up again if roles have changed.
  Status RefreshRole();
  Result<bool> IsSuperuser();
  // 42501 unless the role has the privileges that the plan needs. Remembers in the plan that it
  // has.
  Status CheckAccess(Plan& plan) {
    if (plan.access_version == plan.catalog_version && !catalog_changed_) [[likely]]
      return {};
    return CheckAccessSlow(plan);
  }
  Status CheckAccessSlow(Plan& plan);
  // A view's owner, as whom the view reads.
  Result<SessionRole> RoleOfOwner(Oid owner);
  // pg_cancel_backend(), pg_terminate_backend(): one's own sessions, a superuser's by superusers
  // only.
  Status CheckMaySignal(uint32_t connection_id, bool terminate);
  // PUBLIC is kPublicOid; 42704 for a name that is no role's.
  Result<Oid> RoleOid(const PgQuery__RoleSpec& role, std::string_view sql, bool allow_public);

  // ---- utility_*.cc ----
  // Of the statements here only EXPLAIN and DECLARE CURSOR have parameters.
  struct UtilityInput {
    std::span<const WireFormat> formats = {};
    bool describe = false;  // rows are announced here, not by Describe
    const ParameterTypes* parameter_types =
        nullptr;  // as Prepare() found them; null: there are none
    std::span<const Value> parameters = {};
  };
  Result<Outcome> RunUtility(const std::shared_ptr<const ParseTree>& tree,
                             const PgQuery__Node& statement, const UtilityInput& input,
                             ResultSink& sink);
  Result<Outcome> RunSet(const PgQuery__Node& statement, std::string_view sql, ResultSink& sink);
  Result<Outcome> RunShow(const PgQuery__Node& statement, std::span<const WireFormat> formats,
                          bool describe, ResultSink& sink);
  Result<std::string> ShowSetting(std::string_view name) const;
  Result<Outcome> RunDiscard(const PgQuery__Node& statement);
  Result<Outcome> RunPrepare(const std::shared_ptr<const ParseTree>& tree,
                             const PgQuery__Node& statement);
  Result<Outcome> RunExecute(const PgQuery__Node& statement, std::string_view sql,
                             std::span<const WireFormat> formats, bool describe, ResultSink& sink);
  Status EvaluateArguments(const PgQuery__ExecuteStmt& execute, std::string_view sql,
                           const PreparedStatement& statement, Arena& arena,
                           std::vector<Value>& parameters);
  Result<Outcome> RunDeallocate(const PgQuery__Node& statement);
  Result<Outcome> RunExplain(const ParseTree& tree, const PgQuery__Node& statement,
                             const UtilityInput& input, ResultSink& sink);
  // utility_cursor.cc
  Result<Outcome> RunDeclareCursor(const std::shared_ptr<const ParseTree>& tree,
                                   const PgQuery__Node& statement, const UtilityInput& input);
  Result<Outcome> RunFetch(const PgQuery__Node& statement, std::string_view sql,
                           const UtilityInput& input, ResultSink& sink);
  // Goes on by so many rows, and sends them unless sink is null. How many there were.
  Result<int64_t> MoveForward(Portal& portal, int64_t rows, std::span<const WireFormat> formats,
                              ResultSink* sink);
  Result<Outcome> RunClose(std::string_view cursor);  // empty: all
  Result<Outcome> RunLock(const PgQuery__Node& statement, std::string_view sql);
  Result<Outcome> RunCheckpoint();
  Result<Outcome> RunVacuum(const PgQuery__Node& statement, std::string_view sql, ResultSink& sink);
  Result<Outcome> RunCreateTable(const PgQuery__Node& statement, std::string_view sql,
                                 ResultSink& sink);
  // CREATE TABLE AS and SELECT INTO.
  Result<Outcome> RunCreateTableAs(const PgQuery__Node& statement, std::string_view sql,
                                   const UtilityInput& input, ResultSink& sink);
  // plan: of the query; it runs as part of the statement, or of EXPLAIN ANALYZE.
  Result<Outcome> MakeTableAs(const PgQuery__Node& statement, std::string_view sql, Plan& plan,
                              std::span<const Value> parameters, bool instrument, ResultSink& sink);
  Result<Outcome> RunRename(const PgQuery__Node& statement, std::string_view sql, int location,
                            ResultSink& sink);
  Result<RelationRef> RenameColumn(const RelationRef& relation, const PgQuery__RenameStmt& rename);
  Status LockAtOnce(const RelationInfo& relation, LockMode mode);
  // around: the views in which this one is read.
  Status LockBehindView(const RelationInfo& view, LockMode mode, PrivilegeSet any_of, bool nowait,
                        std::vector<Oid>& around);
  Result<Outcome> RunCreateView(const ParseTree& tree, const PgQuery__Node& statement,
                                std::string_view text);
  // The sequences that a default's expression names.
  Status ResolveDefaultSequences(std::span<const std::string> names, ColumnInfo& column);
  // The sequence of a serial or identity column, and the column's default.
  Status MakeOwnedSequence(std::string_view table, const SequenceChange& definition,
                           ColumnInfo& column);
  Result<Outcome> RunDrop(const PgQuery__Node& statement, std::string_view sql, ResultSink& sink);
  // 55006 if a query that is open in a portal reads the table, or scans the index, or if deferred
  // checks wait for what became of the table's rows.
  Status CheckNotInUse(std::string_view command, const RelationInfo& relation);
  Result<RelationRef> FindToDrop(std::string_view name);
  Status DropObjects(const std::vector<RelationRef>& objects, bool cascade, ResultSink& sink);
  Result<RelationRef> DropConstraint(const RelationRef& table,
                                     const PgQuery__AlterTableCmd& command, ResultSink& sink);
  // Takes the dependents away, or 2BP01 if that was not asked for.
  Status DropDependents(const std::vector<Dependent>& dependents, std::string_view what,
                        bool cascade, ResultSink& sink);
  Result<Outcome> RunCreateSequence(const PgQuery__Node& statement, std::string_view sql,
                                    ResultSink& sink);
  Result<Outcome> RunAlterSequence(const PgQuery__Node& statement, std::string_view sql,
                                   ResultSink& sink);
  Result<RelationRef> FindAndLockSequence(std::string_view name, LockMode mode);
  // OWNED BY: makes the sequence the column's, or nobody's.
  Status OwnSequence(const RelationRef& sequence, std::span<const std::string> owned_by);
  Result<Outcome> RunGrant(const PgQuery__Node& statement, std::string_view sql, ResultSink& sink);
  Result<std::vector<RelationRef>> GrantTargets(const PgQuery__GrantStmt& grant,
                                                std::string_view sql);
  Result<RelationRef> ChangeOwner(const RelationRef& relation, const PgQuery__RoleSpec& role,
                                  std::string_view sql);
  Result<Outcome> RunCreateRole(const PgQuery__Node& statement, std::string_view sql,
                                ResultSink& sink);
  Result<Outcome> RunAlterRole(const PgQuery__Node& statement, std::string_view sql,
                               ResultSink& sink);
  Result<Outcome> RunDropRole(const PgQuery__Node& statement, std::string_view sql,
                              ResultSink& sink);
  Result<RoleChange> ReadRoleOptions(std::span<PgQuery__Node* const> options, std::string_view sql,
                                     ResultSink& sink);
  Result<std::string> RoleName(const PgQuery__RoleSpec& role, std::string_view sql) const;
  Result<Outcome> RunTruncate(const PgQuery__Node& statement, std::string_view sql,
                              ResultSink& sink);
  Result<Outcome> RunCreateIndex(const PgQuery__Node& statement, std::string_view sql,
                                 ResultSink& sink);
  Result<Outcome> RunAlterTable(const PgQuery__Node& statement, std::string_view sql,
                                ResultSink& sink);
  Result<Outcome> RunCopy(const PgQuery__Node& statement, std::string_view sql, ResultSink& sink);
  Status RunCopyTo(const PgQuery__CopyStmt& statement, std::string_view sql, int64_t& rows,
                   ResultSink& sink);
  Result<RelationRef> MakeIndex(const RelationRef& table, IndexInfo definition);
  Status BuildIndex(const RelationRef& relation, size_t which);
  Status AlterOtherOwner(const PgQuery__AlterTableStmt& alter, std::string_view sql,
                         ResultSink& sink);
  // utility_foreign_key.cc
  Result<RelationRef> AddForeignKey(const RelationRef& table,
                                    const TableDefinition::ForeignKey& definition,
                                    std::string_view sql);
  // Only what the referenced table knows of the key: the caller drops or changes the other table.
  Status RemoveReference(const RelationInfo& table, const ForeignKeyInfo& key);
  Result<RelationRef> RemoveForeignKey(const RelationRef& table, Oid key);
  // NOT VALID is over, if all rows meet the key.
  Result<RelationRef> ValidateForeignKey(const RelationRef& table, Oid key);
  Result<RelationRef> ValidateConstraint(const RelationRef& table, std::string_view name);
  // utility_check.cc: adds a check to the definition of a table, named if it has no name yet.
  Status MakeCheckOf(RelationInfo& table, const PgQuery__Constraint& constraint,
                     std::string_view sql);
  Result<std::string> ChooseCheckName(const RelationInfo& table, const CheckInfo& check);
  // "table_columns_label", with a number if any constraint has that name.
  Result<std::string> ChooseConstraintName(const RelationInfo& table, std::string_view columns,
                                           std::string_view label);
  class Alteration;  // alter_table.h
  Result<std::string> ChooseName(std::string_view table, std::string_view column,
                                 std::string_view suffix);
  Status SendTextRow(std::span<const std::string> fields, ResultSink& sink);
  // Checks that there is an explicit block, or none: for LOCK TABLE, VACUUM. What no block may hold
  // is committed when its own Execute message ends.
  Status RequireBlock(std::string_view command) const;
  Status RefuseBlock(std::string_view command);

  // ---- session_environment.cc: EvalEnvironment ----
  int64_t TransactionTimestamp() const override;
  int64_t StatementTimestamp() const override;
  const TimeZone& time_zone() const override;
  IntervalStyle interval_style() const override { return settings_.current().interval_style; }
  std::string_view user() const override { return user_; }
  std::string_view database() const override { return database_; }
  std::string_view version() const override;
  uint32_t connection_id() const override { return backend_->connection_id(); }
  Status CheckInterrupts() override { return backend_->CheckForInterrupts(); }
  Status PollInterrupts() override { return backend_->YieldAndCheck(); }
  Status Sleep(int64_t microseconds) override;
  double Random() override;
  void SetRandomSeed(double seed) override;
  // The sequence that the text names, locked against DROP; 42501 without any of the privileges.
  Result<RelationRef> SequenceOf(std::string_view text, PrivilegeSet any_of);
  Result<int64_t> AdvanceSequence(const RelationRef& sequence);
  Result<int64_t> NextSequenceValue(std::string_view sequence) override;
  Result<int64_t> NextIdentityValue(Oid sequence) override;
  Result<std::string_view> SerialSequence(std::string_view table, std::string_view column,
                                          Arena& arena) override;
  Result<int64_t> CurrentSequenceValue(std::string_view sequence) override;
  Result<int64_t> LastSequenceValue() override;
  Status SetSequenceValue(std::string_view sequence, int64_t value, bool is_called) override;
  // session_catalog.cc
  Result<Oid> FindRelation(std::string_view text) override;
  Result<std::string_view> RelationName(Oid relation, Arena& arena) override;
  Result<std::optional<bool>> RelationIsVisible(Oid relation) override;
  Result<RelationRef> TableOfIndex(Oid index);
  Result<std::string> ConstraintText(Oid constraint);
  Result<std::string_view> DescribeObject(CatalogText what, Oid object, Arena& arena) override;
  Result<std::string_view> IndexColumn(Oid index, int column, Arena& arena) override;
  Result<std::optional<int64_t>> RelationBytes(Oid relation, RelationPart part) override;
  Result<std::string_view> CurrentSetting(std::string_view name, bool missing_ok,
                                          Arena& arena) override;
  Status SetSetting(std::string_view name, std::string_view value, bool local) override;
  Result<bool> CancelBackend(int32_t connection_id) override;
  Result<bool> TerminateBackend(int32_t connection_id) override;
  Result<int64_t> TransactionId() override;

  // What every statement needs comes first and lies together: behind many connections a session is
  // in no near cache when its turn comes, and each further line of it is waited for.
  EngineContext& context_;
  BackendHandle backend_;
  // With a data directory its own handle. Else the one that all sessions share, and that is nearer.
  const std::unique_ptr<Storage> own_storage_;
  Storage& storage_;
  Transaction transaction_;
  SessionRole role_;
  Block block_ = Block::kNone;
  bool multi_statement_ = false;     // the implicit transaction spans several statements
  bool catalog_changed_ = false;     // by the open transaction
  bool pipelining_ = false;          // an Execute message has run in the open transaction
  bool leaves_no_pipeline_ = false;  // this statement's transaction ends with it
  bool commits_at_once_ = false;     // the Execute message at hand
  bool has_unnamed_portal_ = false;
  bool query_portal_ = false;  // a statement of the Query at hand has taken the unnamed portal
  mutable int64_t statement_time_us_ = 0;  // 0: nobody has asked yet
  uint64_t shown_statement_ = 0;           // whose text pg_stat_activity shows; 0: of another one
  NameMap<std::shared_ptr<PreparedStatement>> statements_;
  Portal unnamed_portal_;  // its buffers are used again
  NameMap<std::unique_ptr<Portal>> portals_;
  Arena scratch_;
  std::vector<WireValue> wire_values_;
  std::shared_ptr<PreparedStatement> unnamed_statement_;
  std::vector<Savepoint> savepoints_;
  Settings settings_;
  Catalog catalog_;
  ForeignKeyEvents foreign_key_events_;                       // of the statement that runs
  std::unique_ptr<ForeignKeyEnforcer> foreign_key_enforcer_;  // null until it is needed
  std::unique_ptr<ForeignKeyDeferral> foreign_key_deferral_;  // the same, in each transaction

  const std::string user_;
  const std::string database_;
  // A COPY FROM STDIN in progress, and what its query string holds after it.
  std::unique_ptr<CopyFrom> copy_in_;
  std::shared_ptr<const ParseTree> pending_tree_;
  int pending_index_ = 0;
  std::vector<Value> returned_row_;
  ActivityTable& activity_;
  uint64_t statements_prepared_ = 0;
  uint64_t random_state_ = 0;  // 0: not seeded yet
  bool seeded_ = false;        // by setseed()
  bool sql_prepared_ = false;  // PREPARE was used since the last DropStatements()
  uint64_t deallocations_ = 0;
  std::unordered_map<Oid, int64_t> sequence_values_;  // currval(), by the sequence's oid
  Oid last_sequence_ = 0;                             // lastval(); 0: none yet
  uint64_t role_version_ = 0;                         // RoleTable::version() that role_ is good for
};

}  // namespace connbench::engine
