// The server's side of every connection's life.
#include "engine/segment/connection_log.h"

#include <algorithm>
#include <ctime>
#include <new>

#include "base/assert.h"
#include "engine/segment/shmem_size.h"
#include "engine/segment/thread_id.h"

namespace connbench::engine {
namespace {

// A SQLSTATE is five characters of 0-9 and A-Z: packed base 36 they fit 32 bits. 0 is "00000".
constexpr int kSqlstateLength = 5;
constexpr std::string_view kSqlstateDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

int32_t PackSqlstate(std::string_view sqlstate) {
  int32_t packed = 0;
  for (const char character : sqlstate.substr(0, kSqlstateLength)) {
    const size_t digit = kSqlstateDigits.find(character);
    packed = packed * static_cast<int32_t>(kSqlstateDigits.size()) +
             (digit == std::string_view::npos ? 0 : static_cast<int32_t>(digit));
  }
  return packed;
}

std::string UnpackSqlstate(int32_t packed) {
  if (packed == 0) return "";
  std::string sqlstate(kSqlstateLength, '0');
  for (int i = kSqlstateLength - 1; i >= 0; --i) {
    sqlstate[i] = kSqlstateDigits[packed % kSqlstateDigits.size()];
    packed /= static_cast<int32_t>(kSqlstateDigits.size());
  }
  return sqlstate;
}

}  // namespace

int64_t ConnectionLog::ShmemSize(int64_t entries, bool with_cpu) {
  const int64_t entry = sizeof(ConnectionLogEntry) + (with_cpu ? sizeof(ConnectionCpuEntry) : 0);
  return AddSize(sizeof(ConnectionLog), MulSize(entries, entry));
}

void ConnectionLog::Init(int64_t entries, bool with_cpu) {
  entries_ = entries;
  with_cpu_ = with_cpu;
  for (int64_t i = 0; i < entries; ++i) new (&entry(0)[i]) ConnectionLogEntry();
  for (int64_t i = 0; with_cpu && i < entries; ++i) new (&cpu_entry(0) + i) ConnectionCpuEntry();
}

ConnectionLogEntry* ConnectionLog::entry(uint32_t connection_id) {
  return reinterpret_cast<ConnectionLogEntry*>(this + 1) + connection_id % entries_;
}

const ConnectionLogEntry* ConnectionLog::entry(uint32_t connection_id) const {
  return const_cast<ConnectionLog*>(this)->entry(connection_id);
}

ConnectionCpuEntry& ConnectionLog::cpu_entry(uint32_t connection_id) {
  CONNBENCH_ASSERT(with_cpu_, "the log was made with CPU times");
  auto* first = reinterpret_cast<ConnectionCpuEntry*>(entry(0) + entries_);
  return first[connection_id % entries_];
}

void ConnectionLog::StampCpu(uint32_t connection_id, ConnectionPhase phase) {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  ConnectionCpuEntry& slot = cpu_entry(connection_id);
  const auto index = static_cast<size_t>(phase);
  slot.cpu_ns[index].store(used.tv_sec * kNanosecondsPerSecond + used.tv_nsec,
                           std::memory_order_release);
  slot.thread[index].store(CurrentThreadId(), std::memory_order_release);
}

uint32_t ConnectionLog::Begin(MonotonicNs accepted_at) {
  uint32_t id = next_id_.fetch_add(1, std::memory_order_acq_rel) + 1;
  // 0 means "no connection": skipped when 32 bits have gone round.
  if (id == 0) id = next_id_.fetch_add(1, std::memory_order_acq_rel) + 1;
  ConnectionLogEntry& slot = *entry(id);
  // Readers of the old entry see that it is being rewritten.
  slot.connection_id.store(0, std::memory_order_release);
  slot.outcome_code.store(0, std::memory_order_release);
  for (auto& phase : slot.phase_ns) phase.store(0, std::memory_order_release);
  if (with_cpu_) {
    for (auto& thread : cpu_entry(id).thread) thread.store(0, std::memory_order_release);
    StampCpu(id, ConnectionPhase::kAccepted);
  }
  slot.phase_ns[static_cast<int>(ConnectionPhase::kAccepted)].store(accepted_at,
                                                                    std::memory_order_release);
  slot.connection_id.store(id, std::memory_order_release);
  return id;
}

void ConnectionLog::Stamp(uint32_t connection_id, ConnectionPhase phase, MonotonicNs at) {
  ConnectionLogEntry& slot = *entry(connection_id);
  // A connection so old that the ring has gone round has lost its entry.
  if (slot.connection_id.load(std::memory_order_acquire) != connection_id) return;
  slot.phase_ns[static_cast<int>(phase)].store(at, std::memory_order_release);
  if (with_cpu_) StampCpu(connection_id, phase);
}

void ConnectionLog::SetOutcome(uint32_t connection_id, std::string_view sqlstate) {
  ConnectionLogEntry& slot = *entry(connection_id);
  if (slot.connection_id.load(std::memory_order_acquire) != connection_id) return;
  slot.outcome_code.store(PackSqlstate(sqlstate), std::memory_order_release);
}

MonotonicNs ConnectionLog::PhaseAt(uint32_t connection_id, ConnectionPhase phase) const {
  const ConnectionLogEntry& slot = *entry(connection_id);
  const int64_t at = slot.phase_ns[static_cast<int>(phase)].load(std::memory_order_acquire);
  return slot.connection_id.load(std::memory_order_acquire) == connection_id ? at : 0;
}

bool ConnectionLog::Closed(uint32_t connection_id) const {
  return PhaseAt(connection_id, ConnectionPhase::kClosed) != 0;
}

std::vector<ConnectionLogRecord> ConnectionLog::Read(uint32_t after_id) const {
  std::vector<ConnectionLogRecord> records;
  const uint32_t newest = connections_begun();
  const uint32_t count =
      static_cast<uint32_t>(std::min<int64_t>(uint32_t{newest - after_id}, entries_));
  records.reserve(count);
  for (uint32_t id = newest - count + 1; id != newest + 1; ++id) {
    const ConnectionLogEntry& slot = *entry(id);
    if (id == 0 || slot.connection_id.load(std::memory_order_acquire) != id) continue;
    ConnectionLogRecord record;
    record.connection_id = id;
    const int32_t outcome = slot.outcome_code.load(std::memory_order_acquire);
    for (int phase = 0; phase < kConnectionPhases; ++phase) {
      record.phase_ns[phase] = slot.phase_ns[phase].load(std::memory_order_acquire);
      if (!with_cpu_) continue;
      const ConnectionCpuEntry& cpu = const_cast<ConnectionLog*>(this)->cpu_entry(id);
      record.thread[phase] = cpu.thread[phase].load(std::memory_order_acquire);
      record.cpu_ns[phase] = cpu.cpu_ns[phase].load(std::memory_order_acquire);
    }
    // Rewritten meanwhile: the entry belongs to a newer connection.
    if (slot.connection_id.load(std::memory_order_acquire) != id) continue;
    record.outcome = UnpackSqlstate(outcome);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace connbench::engine
