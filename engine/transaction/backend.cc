// Backend slots.
#include "engine/transaction/backend.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <new>

#include "base/assert.h"

namespace connbench::engine {
namespace {

constexpr uint64_t Identity(uint32_t connection_id, uint64_t bits) {
  return (static_cast<uint64_t>(connection_id) << 32) | bits;
}

Status ShuttingDown() {
  return Status::Fatal(sqlstate::kCannotConnectNow, "the database system is shutting down");
}

Result<uint32_t> NewCancelKey() {
  uint32_t key = 0;
  if (getrandom(&key, sizeof key, 0) != sizeof key) {
    return Status::System("could not make a cancel key", errno);
  }
  return key;
}

}  // namespace

int64_t BackendTable::ShmemSize(const EngineConfig& config) {
  return AddSize(sizeof(BackendTable), MulSize(Slots(config), sizeof(BackendSlot)));
}

Result<BackendTable*> BackendTable::Init(Segment& segment, const EngineConfig& config) {
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kBackends, ShmemSize(config)));
  auto* table = new (memory) BackendTable();
  table->slots_ = Slots(config);
  table->auxiliary_slots_ = static_cast<uint32_t>(AuxiliarySlots(config));
  table->max_connections_ = config.max_connections;
  table->reserved_connections_ = config.superuser_reserved_connections;
  table->freelist_latch_.Init(segment.private_futexes(), LatchRank::kBackendFreeList);
  // Auxiliary slots come first, so that scans up to slots_used() stay short. Lowest first out.
  for (uint32_t i = table->slots_; i > 0; --i) {
    BackendSlot* slot = new (&table->slot(i - 1)) BackendSlot();
    slot->wakeup.futex_private = segment.private_futexes() ? 1 : 0;
    uint32_t& list =
        i > table->auxiliary_slots_ ? table->first_free_ : table->first_free_auxiliary_;
    slot->next_free.store(list, std::memory_order_relaxed);
    list = i;
  }
  table->free_count_ = config.max_connections;
  return table;
}

Result<BackendNumber> BackendTable::Take(uint32_t connection_id, bool superuser) {
  CONNBENCH_ASSIGN_OR_RETURN(const uint32_t cancel_key, NewCancelKey());
  BackendNumber number = kNoBackend;
  {
    ExclusiveLatchGuard guard(freelist_latch_);
    if (free_count_ == 0) {
      return Status::Fatal(sqlstate::kTooManyConnections, "sorry, too many clients already");
    }
    // The slot being taken counts as used already, as in PostgreSQL.
    if (!superuser && free_count_ - 1 < reserved_connections_) {
      return Status::Fatal(
          sqlstate::kTooManyConnections,
          "remaining connection slots are reserved for non-replication superuser connections");
    }
    number = first_free_ - 1;
    first_free_ = slot(number).next_free.load(std::memory_order_relaxed);
    --free_count_;
    if (number >= slots_used_.load(std::memory_order_relaxed)) {
      slots_used_.store(number + 1, std::memory_order_seq_cst);
    }
  }
  BackendSlot& taken = slot(number);
  taken.cancel_key.store(cancel_key, std::memory_order_relaxed);
  taken.pid.store(getpid(), std::memory_order_relaxed);
  taken.tid.store(CurrentThreadId(), std::memory_order_relaxed);
  taken.state.store(BackendState::kIdle, std::memory_order_relaxed);
  taken.role.store(superuser ? 1 : 0, std::memory_order_relaxed);
  taken.transaction_start_us.store(0, std::memory_order_relaxed);
  taken.statement_start_us.store(0, std::memory_order_relaxed);
  taken.statement_end_ns.store(0, std::memory_order_relaxed);
  taken.identity.store(Identity(connection_id, 0), std::memory_order_seq_cst);
  sessions_.fetch_add(1, std::memory_order_relaxed);
  // RequestShutdown raises its flag before it looks at the slots, and we the other way round: one
  // of the two notices.
  if (ShutdownRequested()) {
    GiveBack(number);
    return ShuttingDown();
  }
  return number;
}

Result<BackendNumber> BackendTable::TakeAuxiliary() {
  ExclusiveLatchGuard guard(freelist_latch_);
  if (first_free_auxiliary_ == 0) {
    return Status::Error(sqlstate::kConfigurationLimitExceeded, "no auxiliary slot is free");
  }
  const BackendNumber number = first_free_auxiliary_ - 1;
  BackendSlot& taken = slot(number);
  first_free_auxiliary_ = taken.next_free.load(std::memory_order_relaxed);
  if (number >= slots_used_.load(std::memory_order_relaxed)) {
    slots_used_.store(number + 1, std::memory_order_seq_cst);
  }
  taken.pid.store(getpid(), std::memory_order_relaxed);
  taken.tid.store(CurrentThreadId(), std::memory_order_relaxed);
  taken.state.store(BackendState::kAuxiliary, std::memory_order_relaxed);
  return number;
}

void BackendTable::GiveBack(BackendNumber number) {
  BackendSlot& given = slot(number);
  // First the identity: from now on no interrupt can reach the slot.
  given.identity.store(0, std::memory_order_seq_cst);
  given.state.store(BackendState::kFree, std::memory_order_relaxed);
  given.pid.store(0, std::memory_order_relaxed);
  given.tid.store(0, std::memory_order_relaxed);
  given.cancel_key.store(0, std::memory_order_relaxed);
  const bool auxiliary = number < auxiliary_slots_;
  if (!auxiliary) sessions_.fetch_sub(1, std::memory_order_relaxed);
  ExclusiveLatchGuard guard(freelist_latch_);
  uint32_t& list = auxiliary ? first_free_auxiliary_ : first_free_;
  given.next_free.store(list, std::memory_order_relaxed);
  list = number + 1;
  if (!auxiliary) ++free_count_;
}

bool BackendTable::InterruptSlot(BackendSlot& target, uint32_t connection_id, uint64_t bits) {
  uint64_t identity = target.identity.load(std::memory_order_seq_cst);
  while (identity >> 32 == connection_id) {
    if (target.identity.compare_exchange_weak(identity, identity | bits,
                                              std::memory_order_seq_cst)) {
      target.wakeup.Ring();
      return true;
    }
  }
  return false;
}

bool BackendTable::Interrupt(uint32_t connection_id, uint64_t bits) {
  if (connection_id == 0) return false;
  const uint32_t used = slots_used();
  for (BackendNumber number = auxiliary_slots_; number < used; ++number) {
    if (InterruptSlot(slot(number), connection_id, bits)) return true;
  }
  return false;
}

bool BackendTable::Terminate(uint32_t connection_id) {
  if (!Interrupt(connection_id, kInterruptTerminate)) return false;
  const int32_t listener = end_listener_pid_.load(std::memory_order_acquire);
  if (listener != 0) kill(listener, end_listener_signal_.load(std::memory_order_relaxed));
  return true;
}

void BackendTable::SetEndListener(int32_t pid, int signal) {
  end_listener_signal_.store(signal, std::memory_order_relaxed);
  end_listener_pid_.store(pid, std::memory_order_release);
}

bool BackendTable::AskedToEnd(uint32_t connection_id) const {
  if (connection_id == 0) return false;
  const uint32_t used = slots_used();
  for (BackendNumber number = auxiliary_slots_; number < used; ++number) {
    const uint64_t identity = slot(number).identity.load(std::memory_order_seq_cst);
    if (identity >> 32 == connection_id) return (identity & kInterruptTerminate) != 0;
  }
  return false;
}

std::optional<uint64_t> BackendTable::RoleOf(uint32_t connection_id) const {
  if (connection_id == 0) return std::nullopt;
  const uint32_t used = slots_used();
  for (BackendNumber number = auxiliary_slots_; number < used; ++number) {
    const BackendSlot& target = slot(number);
    if (target.connection_id() == connection_id) return target.role.load(std::memory_order_relaxed);
  }
  return std::nullopt;
}

bool BackendTable::Cancel(uint32_t connection_id, uint32_t cancel_key) {
  if (connection_id == 0) return false;
  const uint32_t used = slots_used();
  for (BackendNumber number = auxiliary_slots_; number < used; ++number) {
    BackendSlot& target = slot(number);
    if (target.connection_id() != connection_id) continue;
    // Ids are not used twice: if the slot still has this id when the bit is set, the key read
    // in between was that session's.
    if (target.cancel_key.load(std::memory_order_acquire) != cancel_key) return false;
    return InterruptSlot(target, connection_id, kInterruptCancel);
  }
  return false;
}

void BackendTable::RequestShutdown() {
  shutdown_.store(1, std::memory_order_seq_cst);
  const uint32_t used = slots_used();
  for (BackendNumber number = auxiliary_slots_; number < used; ++number) {
    BackendSlot& target = slot(number);
    const auto id = static_cast<uint32_t>(target.identity.load(std::memory_order_seq_cst) >> 32);
    if (id != 0) InterruptSlot(target, id, kInterruptTerminate);
  }
}

Csn BackendTable::OldestSnapshot(Csn last_csn) const {
  Csn oldest = last_csn;
  const uint32_t used = slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const Csn csn = slot(number).snapshot_csn.load(std::memory_order_seq_cst);
    if (csn != kInvalidCsn) oldest = std::min(oldest, csn);
  }
  return oldest;
}

Backend::Backend(BackendTable& table, BackendNumber number, uint32_t connection_id, Waiter& waiter)
    : table_(table),
      slot_(table.slot(number)),
      number_(number),
      connection_id_(connection_id),
      waiter_(&waiter) {}

Backend::~Backend() {
  CONNBENCH_ASSERT(slot_.xid.load(std::memory_order_relaxed) == kInvalidXid,
                   "the session's transaction has ended");
  table_.GiveBack(number_);
}

Result<std::unique_ptr<Backend>> Backend::Start(BackendTable& table, uint32_t connection_id,
                                                bool superuser, Waiter& waiter) {
  if (table.ShutdownRequested()) return ShuttingDown();
  CONNBENCH_ASSIGN_OR_RETURN(const BackendNumber number, table.Take(connection_id, superuser));
  std::unique_ptr<Backend> backend(new (std::nothrow)
                                       Backend(table, number, connection_id, waiter));
  if (backend != nullptr) return backend;
  table.GiveBack(number);
  return Status::Fatal(sqlstate::kOutOfMemory, "out of memory");
}

Result<std::unique_ptr<Backend>> Backend::StartAuxiliary(BackendTable& table, Waiter& waiter) {
  CONNBENCH_ASSIGN_OR_RETURN(const BackendNumber number, table.TakeAuxiliary());
  std::unique_ptr<Backend> backend(new (std::nothrow) Backend(table, number, 0, waiter));
  if (backend != nullptr) return backend;
  table.GiveBack(number);
  return Status::Error(sqlstate::kOutOfMemory, "out of memory");
}

void Backend::SetWaiter(Waiter& waiter) {
  waiter_ = &waiter;
  // The session may have moved to another thread.
  slot_.tid.store(CurrentThreadId(), std::memory_order_relaxed);
}

Status Backend::WarmUp(int64_t kilobytes) {
  if (kilobytes == 0) return {};
  const auto bytes = static_cast<size_t>(kilobytes) * 1024;
  warm_memory_.reset(new (std::nothrow) char[bytes]);
  if (warm_memory_ == nullptr) {
    return Status::Fatal(sqlstate::kOutOfMemory,
                         fmt::format("could not get {} kB of private memory", kilobytes))
        .WithHint("Lower session_warmup_kb.");
  }
  for (size_t offset = 0; offset < bytes; offset += kMemoryPageBytes) {
    static_cast<volatile char*>(warm_memory_.get())[offset] = 1;
  }
  return {};
}

[[gnu::hot]] void Backend::BeginStatement(int64_t statement_timeout_ms) {
  if ((slot_.identity.load(std::memory_order_relaxed) & kInterruptCancel) != 0) {
    slot_.identity.fetch_and(~kInterruptCancel, std::memory_order_relaxed);
  }
  checks_until_clock_ = kChecksPerClockRead;
  statement_deadline_ = statement_timeout_ms == 0
                            ? kNoDeadline
                            : MonotonicNow() + statement_timeout_ms * kNanosecondsPerMillisecond;
  SetState(BackendState::kActive);
  BackendCounters::Increment(slot_.counters.statements);
}

void Backend::BeginJob() {
  slot_.identity.fetch_and(~kInterruptCancel, std::memory_order_seq_cst);
  checks_until_clock_ = kChecksPerClockRead;
  statement_deadline_ = kNoDeadline;
}

[[gnu::hot]] void Backend::EndStatement(BackendState state) {
  statement_deadline_ = kNoDeadline;
  SetState(state);
}

[[gnu::hot]] Status Backend::CheckTermination() const {
  if ((slot_.identity.load(std::memory_order_relaxed) & kInterruptTerminate) == 0) return {};
  return Status::Fatal(sqlstate::kAdminShutdown,
                       "terminating connection due to administrator command");
}

Status Backend::CheckInterruptsNow() {
  return CheckSlow(slot_.identity.load(std::memory_order_relaxed) & kInterruptMask);
}

Status Backend::CheckSlow(uint64_t bits) {
  checks_until_clock_ = kChecksPerClockRead;
  if ((bits & kInterruptTerminate) != 0) return CheckTermination();
  if ((bits & kInterruptCancel) != 0) {
    slot_.identity.fetch_and(~kInterruptCancel, std::memory_order_relaxed);
    return Status::Error(sqlstate::kQueryCanceled, "canceling statement due to user request");
  }
  if (statement_deadline_ != kNoDeadline && MonotonicNow() >= statement_deadline_) {
    // Once: undoing the statement is not timed.
    statement_deadline_ = kNoDeadline;
    return Status::Error(sqlstate::kQueryCanceled, "canceling statement due to statement timeout");
  }
  return {};
}

}  // namespace connbench::engine
