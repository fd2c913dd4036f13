// What expressions ask of their session: clocks, names, settings, sequences.

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "engine/executor/types/calendar.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

constexpr std::string_view kVersion =
    "PostgreSQL 15.0 (connbench " CONNBENCH_VERSION ") on x86_64-linux";

// splitmix64: passes its tests with one word of state.
uint64_t NextRandom(uint64_t& state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

int64_t RealSession::TransactionTimestamp() const {
  return transaction_.start_wall_us() - kUnixEpochShiftUs;
}

int64_t RealSession::StatementTimestamp() const {
  if (statement_time_us_ == 0) statement_time_us_ = WallClockUs() - kUnixEpochShiftUs;
  return statement_time_us_;
}

[[gnu::hot]] const TimeZone& RealSession::time_zone() const {
  return *settings_.current().time_zone;
}

std::string_view RealSession::version() const { return kVersion; }

Status RealSession::Sleep(int64_t microseconds) {
  const MonotonicNs now = MonotonicNow();
  const int64_t longest_us = (kNoDeadline - now) / kNanosecondsPerMicrosecond;
  const MonotonicNs until = now + std::min(microseconds, longest_us) * kNanosecondsPerMicrosecond;
  while (true) {
    const uint32_t word = backend_->WakeupWord();
    CONNBENCH_RETURN_IF_ERROR(backend_->CheckInterruptsNow());
    if (MonotonicNow() >= until) return {};
    backend_->Wait(word, std::min(until, backend_->statement_deadline()), WaitReason::kSleep);
  }
}

double RealSession::Random() {
  if (random_state_ == 0) {
    random_state_ =
        static_cast<uint64_t>(MonotonicNow()) * 0x9E3779B97F4A7C15u + backend_->connection_id();
  }
  return static_cast<double>(NextRandom(random_state_) >> 11) * 0x1.0p-53;
}

void RealSession::SetRandomSeed(double seed) {
  random_state_ = std::bit_cast<uint64_t>(seed) | 1;
  seeded_ = true;
}

Result<std::string_view> RealSession::CurrentSetting(std::string_view name, bool missing_ok,
                                                     Arena& arena) {
  Result<std::string> value = ShowSetting(name);
  if (!value.ok()) {
    if (missing_ok) return std::string_view();
    return value.TakeStatus();
  }
  const std::string_view copy = arena.Copy(*value);
  if (copy.data() == nullptr) return arena.OutOfMemory();
  return copy;
}

Status RealSession::SetSetting(std::string_view name, std::string_view value, bool local) {
  const bool is_reset = value.data() == nullptr;  // SQL NULL
  if (IsOfTransaction(name)) {
    const auto definition = static_cast<size_t>(FindSetting(name));
    return SetTransactionSetting(name,
                                 is_reset ? SettingDefinitions()[definition].default_value : value);
  }
  return is_reset ? settings_.Reset(name, local, true) : settings_.Set(name, value, local, true);
}

Result<bool> RealSession::CancelBackend(int32_t connection_id) {
  CONNBENCH_RETURN_IF_ERROR(CheckMaySignal(static_cast<uint32_t>(connection_id), false));
  return context_.transactions.backends->Interrupt(static_cast<uint32_t>(connection_id),
                                                   kInterruptCancel);
}

Result<bool> RealSession::TerminateBackend(int32_t connection_id) {
  CONNBENCH_RETURN_IF_ERROR(CheckMaySignal(static_cast<uint32_t>(connection_id), true));
  return context_.transactions.backends->Terminate(static_cast<uint32_t>(connection_id));
}

Result<int64_t> RealSession::TransactionId() {
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction_.CurrentXid());
  return static_cast<int64_t>(xid);
}

}  // namespace connbench::engine
