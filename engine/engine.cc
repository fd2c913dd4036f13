// The engine as a process holds it.
#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/read_file.h"
#include "engine/canned_session.h"
#include "engine/engine_context.h"
#include "engine/engine_on_files.h"
#include "engine/executor/nodes/workspaces.h"
#include "engine/parallel/desk.h"
#include "engine/recovery/checkpointer.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/recover.h"
#include "engine/roles/role_table.h"
#include "engine/roles/scram_secret.h"
#include "engine/segment/segment.h"
#include "engine/sql/real_session.h"
#include "engine/storage/catalog.h"
#include "engine/storage/storage.h"
#include "engine/transaction/activity.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {
namespace {

// A part of the segment, with what its place costs.
int64_t WithOverhead(int64_t part_bytes) {
  return AddSize(part_bytes, Segment::kPartOverheadBytes);
}

// Settings that are right each by itself and wrong together.
Status CheckTogether(const EngineConfig& config) {
  if (config.superuser_reserved_connections >= config.max_connections) {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("superuser_reserved_connections ({}) must be less than max_connections ({})",
                    config.superuser_reserved_connections, config.max_connections));
  }
  if (config.engine == EngineKind::kCanned && !config.data_directory.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "engine=canned has no data: data_directory must be empty");
  }
  return {};
}

bool ReadsThroughRings(const EngineConfig& config) {
  return !config.data_directory.empty() && config.io_method == IoMethod::kIoUring;
}

// The superuser as a new segment has it.
Result<Role> MadeSuperuser(const EngineConfig& config) {
  Role role;
  role.name = kSuperuserName;
  role.superuser = role.can_login = true;
  if (config.pwfile.empty()) return role;
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("password file", config.pwfile));
  std::string password(text.begin(), std::find(text.begin(), text.end(), '\n'));
  if (password.ends_with('\r')) password.pop_back();
  if (password.empty()) {
    return Status::Error(sqlstate::kConfigFileError,
                         fmt::format("password file \"{}\" is empty", config.pwfile));
  }
  role.password = StoredPassword(password, static_cast<int>(config.scram_iterations));
  return role;
}

// Both kinds of engine; a canned one is a segment with a connection log and backend slots only.
class SegmentEngine : public Engine {
 public:
  static Result<std::unique_ptr<Engine>> Create(const EngineConfig& config, Files& files);
  static Result<std::unique_ptr<Engine>> Attach(const std::string& segment_name, bool read_only);

  const EngineConfig& config() const override { return context_.config; }
  const std::string& segment_name() const override { return segment_->name(); }
  Status huge_pages_refusal() const override { return segment_->huge_pages_refusal(); }
  ConnectionLog& connection_log() override { return *connection_log_; }
  EngineCounters counters() const override;
  SessionStates session_states() const override;
  std::optional<LogUsage> log_usage() const override;
  PoolAccount* OpenPoolAccount(int pool, int64_t workers) override {
    return pool_accounts_->Open(pool, workers);
  }
  PoolClients* pool_clients() override { return &pool_accounts_->clients(); }
  std::vector<PoolUsage> pool_usage() const override { return pool_accounts_->Read(); }
  Result<std::unique_ptr<Session>> StartSession(SessionOptions options, Waiter& waiter) override;
  Result<std::optional<Role>> FindRole(std::string_view name, uint32_t connection_id,
                                       Waiter& waiter) override;
  std::string_view mock_authentication_nonce() const override { return segment_->mock_nonce(); }
  bool roles_changed() const override { return !canned() && RoleTable(*storage_).changed(); }
  void Cancel(uint32_t connection_id, uint32_t cancel_key) override {
    backends_->Cancel(connection_id, cancel_key);
  }
  void SetEndListener(int32_t pid, int signal) override { backends_->SetEndListener(pid, signal); }
  std::vector<EndingSession> ending_sessions() const override;
  bool AskedToEnd(uint32_t connection_id) const override {
    return backends_->AskedToEnd(connection_id);
  }
  bool HoldsSlot(int32_t pid) const override;
  void RequestShutdown() override { backends_->RequestShutdown(); }
  bool ShutdownRequested() const override { return backends_->ShutdownRequested(); }
  Status CloseData() override {
    return checkpointer_ == nullptr ? Status::Ok()
                                    : checkpointer_->Run(CheckpointMoment::kEnd).TakeStatus();
  }
  std::string recovery_report() const override { return recovery_report_; }
  std::span<const Task> tasks() const override { return tasks_; }
  void StaffTasks() override {
    if (log_ != nullptr) log_->header().staffed.store(1);
  }
  Status RunTask(const Task& task, TaskStop& stop) override;

 private:
  SegmentEngine(std::unique_ptr<Segment> segment, EngineConfig config)
      : segment_(std::move(segment)), tasks_(TasksOf(config)) {
    context_.config = std::move(config);
    context_.segment = segment_.get();
  }
  bool canned() const { return context_.config.engine == EngineKind::kCanned; }
  Status InitParts();
  void OpenStorage() {
    storage_ = std::make_unique<Storage>(*segment_, context_.transactions);
    context_.storage = storage_.get();
    context_.setting_defaults = MakeSettingDefaults(context_.config, segment_->huge_pages());
    BuildFunctionTables();
    Workspaces::BeginThread();
  }

  Status MakeRoles();
  Status MakeData();
  // Makes or recovers what is in the data directory, and begins a log.
  Status OpenData();
  // From now on changes are logged by this process, and its sessions read as io_method says.
  void UseLog(Files& files) {
    if (ReadsThroughRings(context_.config)) storage_->UseRings(files);
    storage_->SetLog(log_.get());
    context_.transactions.log = log_.get();
    checkpointer_ =
        std::make_unique<Checkpointer>(*storage_, context_.transactions, *log_, context_.config);
    context_.checkpointer = checkpointer_.get();
  }

  std::unique_ptr<Segment> segment_;
  const std::vector<Task> tasks_;
  EngineContext context_;
  std::unique_ptr<Storage> storage_;
  ConnectionLog* connection_log_ = nullptr;
  PoolAccounts* pool_accounts_ = nullptr;
  BackendTable* backends_ = nullptr;
  ActivityTable* activity_ = nullptr;         // not of a canned engine
  std::unique_ptr<DataDirectory> directory_;  // of the process that made the segment
  std::unique_ptr<Log> log_;                  // these two: only with a data directory
  std::unique_ptr<Checkpointer> checkpointer_;
  std::string recovery_report_;
  Role superuser_;  // of a canned engine, which has no table to keep it in
};

Result<std::unique_ptr<Engine>> SegmentEngine::Create(const EngineConfig& config, Files& files) {
  CONNBENCH_RETURN_IF_ERROR(CheckTogether(config));
  if (ReadsThroughRings(config)) CONNBENCH_RETURN_IF_ERROR(RingReads::Check(files));
  int64_t reserved = WithOverhead(
      ConnectionLog::ShmemSize(config.connection_log_entries, config.connection_phase_cpu));
  reserved = AddSize(reserved, WithOverhead(sizeof(PoolAccounts)));
  int64_t sparse = 0;
  if (config.engine == EngineKind::kCanned) {
    reserved = AddSize(reserved, WithOverhead(BackendTable::ShmemSize(config)));
  } else {
    reserved = AddSize(reserved, TransactionSystem::ReservedShmemSize(config));
    reserved = AddSize(reserved, Storage::ShmemSize(config));
    if (const int64_t desks = ParallelDesks::ShmemSize(config); desks > 0) {
      reserved = AddSize(reserved, WithOverhead(desks));
    }
    sparse = TransactionSystem::SparseShmemSize(config);
  }
  std::unique_ptr<DataDirectory> directory;
  if (!config.data_directory.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(directory,
                               DataDirectory::Open(files, config, Storage::SlotCount(config)));
    reserved = AddSize(reserved, WithOverhead(Log::ShmemSize(config, BackendTable::Slots(config))));
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<Segment> segment,
                             Segment::Create(config, reserved, sparse));
  std::unique_ptr<SegmentEngine> engine(new SegmentEngine(std::move(segment), config));
  engine->directory_ = std::move(directory);
  CONNBENCH_RETURN_IF_ERROR(engine->InitParts());
  engine->segment_->Seal();
  return std::unique_ptr<Engine>(std::move(engine));
}

Status SegmentEngine::InitParts() {
  const EngineConfig& config = context_.config;
  CONNBENCH_ASSIGN_OR_RETURN(
      void* log, segment_->Allocate(SegmentPart::kConnectionLog,
                                    ConnectionLog::ShmemSize(config.connection_log_entries,
                                                             config.connection_phase_cpu)));
  connection_log_ = new (log) ConnectionLog();
  connection_log_->Init(config.connection_log_entries, config.connection_phase_cpu);
  CONNBENCH_ASSIGN_OR_RETURN(void* accounts,
                             segment_->Allocate(SegmentPart::kPoolAccounts, sizeof(PoolAccounts)));
  pool_accounts_ = new (accounts) PoolAccounts();
  CONNBENCH_ASSIGN_OR_RETURN(superuser_, MadeSuperuser(config));
  if (canned()) {
    CONNBENCH_ASSIGN_OR_RETURN(backends_, BackendTable::Init(*segment_, config));
    return {};
  }
  CONNBENCH_ASSIGN_OR_RETURN(context_.transactions, TransactionSystem::Init(*segment_, config));
  backends_ = context_.transactions.backends;
  activity_ = segment_->Find<ActivityTable>(SegmentPart::kActivity);
  CONNBENCH_RETURN_IF_ERROR(Storage::Init(*segment_, config));
  CONNBENCH_RETURN_IF_ERROR(ParallelDesks::Init(*segment_, config));
  OpenStorage();
  return directory_ == nullptr ? MakeData() : OpenData();
}

Status SegmentEngine::MakeData() {
  CONNBENCH_RETURN_IF_ERROR(storage_->CreateCatalog());
  return MakeRoles();
}

Status SegmentEngine::OpenData() {
  const EngineConfig& config = context_.config;
  CONNBENCH_RETURN_IF_ERROR(Log::Init(*segment_, config, backends_->slots()));
  log_ = std::make_unique<Log>(*segment_, directory_->files(), config);
  const ControlFile& control = directory_->control();
  Lsn log_start = kFirstLogPlace;
  if (directory_->is_new()) {
    CONNBENCH_RETURN_IF_ERROR(MakeData());
  } else {
    const MonotonicNs begin = MonotonicNow();
    CONNBENCH_ASSIGN_OR_RETURN(const Recovered recovered,
                               Recover(*directory_, *segment_, *storage_, context_.transactions));
    log_start = recovered.log_start;
    if (control.state != DataState::kShutDown) {
      recovery_report_ = fmt::format(
          "data directory {} was not shut down: recovered from checkpoint {} and {} records of log "
          "in {} ms",
          directory_->folder(), control.checkpoint_number, recovered.log_records,
          (MonotonicNow() - begin) / kNanosecondsPerMillisecond);
    }
  }
  log_->Begin(control.log_number, log_start, context_.transactions.commit_log->last_csn());
  log_->header().checkpoint_number.store(control.checkpoint_number);
  if (directory_->is_new()) {
    storage_->UsePages(*segment_, directory_->files(), directory_->folder(), control.log_number);
  }
  UseLog(directory_->files());
  return checkpointer_->Run(CheckpointMoment::kStart).TakeStatus();
}

Status SegmentEngine::MakeRoles() {
  BlockingWaiter waiter;
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> backend,
                             Backend::StartAuxiliary(*backends_, waiter));
  Transaction transaction(context_.transactions, *backend);
  Catalog catalog(*storage_);
  transaction.Begin(IsolationLevel::kReadCommitted, /*read_only=*/false);
  CONNBENCH_RETURN_IF_ERROR(RoleTable::Create(*storage_, catalog, transaction, superuser_));
  return transaction.Commit();
}

Result<std::unique_ptr<Engine>> SegmentEngine::Attach(const std::string& segment_name,
                                                      bool read_only) {
  CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<Segment> segment,
                             Segment::Attach(segment_name, read_only));
  CONNBENCH_ASSIGN_OR_RETURN(EngineConfig config, segment->ReadConfig());
  std::unique_ptr<SegmentEngine> engine(new SegmentEngine(std::move(segment), std::move(config)));
  Segment& attached = *engine->segment_;
  engine->connection_log_ = attached.Find<ConnectionLog>(SegmentPart::kConnectionLog);
  engine->pool_accounts_ = attached.Find<PoolAccounts>(SegmentPart::kPoolAccounts);
  engine->backends_ = attached.Find<BackendTable>(SegmentPart::kBackends);
  engine->activity_ = attached.Find<ActivityTable>(SegmentPart::kActivity);
  if (engine->canned()) {
    if (!read_only) {
      CONNBENCH_ASSIGN_OR_RETURN(engine->superuser_, MadeSuperuser(engine->context_.config));
    }
  } else {
    engine->context_.transactions = TransactionSystem::Find(attached, engine->context_.config);
    engine->OpenStorage();
    if (!read_only && !engine->context_.config.data_directory.empty()) {
      engine->log_ = std::make_unique<Log>(attached, KernelFiles(), engine->context_.config);
      engine->storage_->UsePages(attached, KernelFiles(), engine->log_->data_folder(),
                                 engine->log_->header().log_number);
      engine->UseLog(KernelFiles());
    }
  }
  return std::unique_ptr<Engine>(std::move(engine));
}

EngineCounters SegmentEngine::counters() const {
  EngineCounters total;
  const uint32_t used = backends_->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendCounters& counters = backends_->slot(number).counters;
    total.transactions_committed += counters.commits.load(std::memory_order_relaxed);
    total.transactions_rolled_back += counters.rollbacks.load(std::memory_order_relaxed);
    total.statements += counters.statements.load(std::memory_order_relaxed);
    const BackendWaits& waits = backends_->slot(number).waits;
    total.lock_waits += waits.lock_waits.load(std::memory_order_relaxed);
    total.deadlocks += waits.deadlocks.load(std::memory_order_relaxed);
  }
  total.sessions_active = backends_->sessions();
  return total;
}

std::optional<LogUsage> SegmentEngine::log_usage() const {
  const auto* log = segment_->Find<LogHeader>(SegmentPart::kLog);
  if (log == nullptr) return std::nullopt;
  LogUsage usage = ReadLogUsage(*log);
  const uint32_t used = backends_->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendWaits& waits = backends_->slot(number).waits;
    usage.commit_waits += waits.commit_waits.load(std::memory_order_relaxed);
    usage.commit_wait_ns += waits.commit_wait_ns.load(std::memory_order_relaxed);
    usage.page_reads += waits.page_reads.load(std::memory_order_relaxed);
    usage.page_read_ns += waits.page_read_ns.load(std::memory_order_relaxed);
    usage.page_writes += waits.page_writes.load(std::memory_order_relaxed);
  }
  return usage;
}

SessionStates SegmentEngine::session_states() const {
  SessionStates states;
  const uint32_t used = backends_->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendSlot& slot = backends_->slot(number);
    if (slot.waiting_request.load(std::memory_order_relaxed) != 0) {
      ++states.waiting_for_lock;
      continue;
    }
    switch (slot.state.load(std::memory_order_relaxed)) {
      case BackendState::kIdle:
        ++states.idle;
        break;
      case BackendState::kActive:
        ++states.active;
        break;
      case BackendState::kIdleInTransaction:
      case BackendState::kIdleInFailedTransaction:
        ++states.idle_in_transaction;
        break;
      case BackendState::kFree:
      case BackendState::kAuxiliary:
        break;
    }
  }
  return states;
}

bool SegmentEngine::HoldsSlot(int32_t pid) const {
  const uint32_t used = backends_->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    if (backends_->slot(number).pid.load(std::memory_order_seq_cst) == pid) return true;
  }
  return false;
}

std::vector<EndingSession> SegmentEngine::ending_sessions() const {
  std::vector<EndingSession> ending;
  const uint32_t used = backends_->slots_used();
  for (BackendNumber number = backends_->first_session_slot(); number < used; ++number) {
    const BackendSlot& slot = backends_->slot(number);
    const uint64_t identity = slot.identity.load(std::memory_order_seq_cst);
    if ((identity & kInterruptTerminate) == 0) continue;
    ending.push_back({static_cast<uint32_t>(identity >> 32), slot.pid.load()});
  }
  return ending;
}

Result<std::unique_ptr<Session>> SegmentEngine::StartSession(SessionOptions options,
                                                             Waiter& waiter) {
  CONNBENCH_ASSIGN_OR_RETURN(
      std::unique_ptr<Backend> backend,
      Backend::Start(*backends_, options.connection_id, options.superuser, waiter));
  if (activity_ != nullptr) activity_->Begin(backend->number(), options.client_address);
  CONNBENCH_RETURN_IF_ERROR(backend->WarmUp(context_.config.session_warmup_kb));
  if (canned()) return MakeCannedSession(std::move(backend), std::move(options));
  return MakeRealSession(context_, std::move(backend), options, waiter);
}

Status SegmentEngine::RunTask(const Task& task, TaskStop& stop) {
  BlockingWaiter waiter;
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> backend,
                             Backend::StartAuxiliary(*backends_, waiter));
  stop.SetWakeup(&backend->slot().wakeup);
  TaskContext context{
      .config = context_.config,
      .backends = *backends_,
      .backend = *backend,
      .log = log_.get(),
      .checkpointer = checkpointer_.get(),
      .storage = *storage_,
      .stop = stop,
      .desks = segment_->Find<ParallelDesks>(SegmentPart::kParallelDesks),
      .run_job = [&](ParallelDesk& desk) { RunParallelJob(context_, *backend, desk); }};
  task.main(context);
  stop.SetWakeup(nullptr);
  return {};
}

Result<std::optional<Role>> SegmentEngine::FindRole(std::string_view name, uint32_t connection_id,
                                                    Waiter& waiter) {
  if (canned()) return name == superuser_.name ? std::optional<Role>(superuser_) : std::nullopt;
  // Any slot will do, also a reserved one: who it is will be known afterwards only.
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> backend,
                             Backend::Start(*backends_, connection_id, /*superuser=*/true, waiter));
  Transaction transaction(context_.transactions, *backend);
  transaction.Begin(IsolationLevel::kReadCommitted, /*read_only=*/true);
  Storage storage(*storage_, *backend);
  Result<std::optional<Role>> role = RoleTable(storage).Find(transaction, name);
  transaction.Rollback();
  return role;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Create(const EngineConfig& config) {
  return SegmentEngine::Create(config, KernelFiles());
}

Result<std::unique_ptr<Engine>> CreateEngineOnFiles(const EngineConfig& config, Files& files) {
  return SegmentEngine::Create(config, files);
}

Result<std::unique_ptr<Engine>> Engine::Attach(const std::string& segment_name, bool read_only) {
  return SegmentEngine::Attach(segment_name, read_only);
}

}  // namespace connbench::engine
