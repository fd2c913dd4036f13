#include "engine/engine.h"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "engine/canned_session.h"
#include "engine/engine_context.h"
#include "engine/segment/segment.h"
#include "engine/sql/real_session.h"
#include "engine/storage/storage.h"
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
  return {};
}

// Both kinds of engine; a canned one is a segment with a connection log and backend slots only.
class SegmentEngine : public Engine {
 public:
  static Result<std::unique_ptr<Engine>> Create(const EngineConfig& config);
  static Result<std::unique_ptr<Engine>> Attach(const std::string& segment_name, bool read_only);

  const EngineConfig& config() const override { return context_.config; }
  const std::string& segment_name() const override { return segment_->name(); }
  ConnectionLog& connection_log() override { return *connection_log_; }
  EngineCounters counters() const override;
  SessionStates session_states() const override;
  Result<std::unique_ptr<Session>> StartSession(SessionOptions options, Waiter& waiter) override;
  void Cancel(uint32_t connection_id, uint32_t cancel_key) override {
    backends_->Cancel(connection_id, cancel_key);
  }
  void RequestShutdown() override { backends_->RequestShutdown(); }
  bool ShutdownRequested() const override { return backends_->ShutdownRequested(); }

 private:
  SegmentEngine(std::unique_ptr<Segment> segment, EngineConfig config)
      : segment_(std::move(segment)) {
    context_.config = std::move(config);
    context_.segment = segment_.get();
  }
  bool canned() const { return context_.config.engine == EngineKind::kCanned; }
  Status InitParts();
  void OpenStorage() {
    storage_ = std::make_unique<Storage>(*segment_, context_.transactions);
    context_.storage = storage_.get();
    context_.setting_defaults = MakeSettingDefaults(context_.config);
    BuildFunctionTables();
  }

  std::unique_ptr<Segment> segment_;
  EngineContext context_;
  std::unique_ptr<Storage> storage_;
  ConnectionLog* connection_log_ = nullptr;
  BackendTable* backends_ = nullptr;
};

Result<std::unique_ptr<Engine>> SegmentEngine::Create(const EngineConfig& config) {
  CONNBENCH_RETURN_IF_ERROR(CheckTogether(config));
  int64_t reserved = WithOverhead(ConnectionLog::ShmemSize(config.connection_log_entries));
  int64_t sparse = 0;
  if (config.engine == EngineKind::kCanned) {
    reserved = AddSize(reserved, WithOverhead(BackendTable::ShmemSize(config)));
  } else {
    reserved = AddSize(reserved, TransactionSystem::ReservedShmemSize(config));
    reserved = AddSize(reserved, Storage::ShmemSize(config));
    sparse = TransactionSystem::SparseShmemSize(config);
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<Segment> segment,
                             Segment::Create(config, reserved, sparse));
  std::unique_ptr<SegmentEngine> engine(new SegmentEngine(std::move(segment), config));
  CONNBENCH_RETURN_IF_ERROR(engine->InitParts());
  engine->segment_->Seal();
  return std::unique_ptr<Engine>(std::move(engine));
}

Status SegmentEngine::InitParts() {
  const EngineConfig& config = context_.config;
  CONNBENCH_ASSIGN_OR_RETURN(
      void* log, segment_->Allocate(SegmentPart::kConnectionLog,
                                    ConnectionLog::ShmemSize(config.connection_log_entries)));
  connection_log_ = new (log) ConnectionLog();
  connection_log_->Init(config.connection_log_entries);
  if (canned()) {
    CONNBENCH_ASSIGN_OR_RETURN(backends_, BackendTable::Init(*segment_, config));
    return {};
  }
  CONNBENCH_ASSIGN_OR_RETURN(context_.transactions, TransactionSystem::Init(*segment_, config));
  backends_ = context_.transactions.backends;
  CONNBENCH_RETURN_IF_ERROR(Storage::Init(*segment_, config));
  OpenStorage();
  return storage_->CreateCatalog();
}

Result<std::unique_ptr<Engine>> SegmentEngine::Attach(const std::string& segment_name,
                                                      bool read_only) {
  CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<Segment> segment,
                             Segment::Attach(segment_name, read_only));
  CONNBENCH_ASSIGN_OR_RETURN(EngineConfig config, segment->ReadConfig());
  std::unique_ptr<SegmentEngine> engine(new SegmentEngine(std::move(segment), std::move(config)));
  Segment& attached = *engine->segment_;
  engine->connection_log_ = attached.Find<ConnectionLog>(SegmentPart::kConnectionLog);
  engine->backends_ = attached.Find<BackendTable>(SegmentPart::kBackends);
  if (!engine->canned()) {
    engine->context_.transactions = TransactionSystem::Find(attached, engine->context_.config);
    engine->OpenStorage();
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
    total.lock_waits += counters.lock_waits.load(std::memory_order_relaxed);
    total.deadlocks += counters.deadlocks.load(std::memory_order_relaxed);
  }
  total.sessions_active = backends_->sessions();
  return total;
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
        ++states.idle_in_transaction;
        break;
      case BackendState::kFree:
      case BackendState::kAuxiliary:
        break;
    }
  }
  return states;
}

Result<std::unique_ptr<Session>> SegmentEngine::StartSession(SessionOptions options,
                                                             Waiter& waiter) {
  CONNBENCH_ASSIGN_OR_RETURN(
      std::unique_ptr<Backend> backend,
      Backend::Start(*backends_, options.connection_id, options.superuser, waiter));
  CONNBENCH_RETURN_IF_ERROR(backend->WarmUp(context_.config.session_warmup_kb));
  if (canned()) return MakeCannedSession(std::move(backend), std::move(options));
  return MakeRealSession(context_, std::move(backend), options, waiter);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Create(const EngineConfig& config) {
  return SegmentEngine::Create(config);
}

Result<std::unique_ptr<Engine>> Engine::Attach(const std::string& segment_name, bool read_only) {
  return SegmentEngine::Attach(segment_name, read_only);
}

}  // namespace connbench::engine
