// connbench's own views: of pools, of their clients, and of who waits for a lock.
#include <algorithm>
#include <array>

#include "engine/executor/types/type.h"
#include "engine/segment/pool_accounts.h"
#include "engine/segment/segment.h"
#include "engine/sql/system_view_fields.h"
#include "engine/sql/system_views.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {
namespace {

// ---- connbench_pools: one row per pool, since the server started ----

Value Microseconds(int64_t ns) {
  return Value::Real(static_cast<double>(ns) / kNanosecondsPerMicrosecond);
}

template <int64_t PoolUsage::*time_ns>
Value TimeUs(const PoolUsage& pool, ViewRows&) {
  return Microseconds(pool.*time_ns);
}
template <DurationUsage PoolUsage::*usage>
Value Count(const PoolUsage& pool, ViewRows&) {
  return Value::Integer((pool.*usage).count);
}
template <DurationUsage PoolUsage::*usage>
Value SumUs(const PoolUsage& pool, ViewRows&) {
  return Microseconds((pool.*usage).sum_ns);
}
template <DurationUsage PoolUsage::*usage>
Value MaxUs(const PoolUsage& pool, ViewRows&) {
  return Microseconds((pool.*usage).max_ns);
}
template <DurationUsage PoolUsage::*usage, int percent>
Value PercentileUs(const PoolUsage& pool, ViewRows&) {
  return Microseconds((pool.*usage).ValueAt(percent / 100.0));
}

constexpr auto kPoolColumns = std::to_array<ViewField<PoolUsage>>({
    {{"pool", type_oid::kInt4}, field::Number<&PoolUsage::pool>},
    {{"workers", type_oid::kInt8}, field::Number<&PoolUsage::workers>},
    {{"waits", type_oid::kInt8}, Count<&PoolUsage::wait>},
    {{"wait_us", type_oid::kFloat8}, SumUs<&PoolUsage::wait>},
    {{"wait_us_p50", type_oid::kFloat8}, PercentileUs<&PoolUsage::wait, 50>},
    {{"wait_us_p99", type_oid::kFloat8}, PercentileUs<&PoolUsage::wait, 99>},
    {{"wait_us_max", type_oid::kFloat8}, MaxUs<&PoolUsage::wait>},
    {{"services", type_oid::kInt8}, Count<&PoolUsage::service>},
    {{"service_us", type_oid::kFloat8}, SumUs<&PoolUsage::service>},
    {{"service_us_p50", type_oid::kFloat8}, PercentileUs<&PoolUsage::service, 50>},
    {{"service_us_p99", type_oid::kFloat8}, PercentileUs<&PoolUsage::service, 99>},
    {{"service_us_max", type_oid::kFloat8}, MaxUs<&PoolUsage::service>},
    {{"resets", type_oid::kInt8}, Count<&PoolUsage::reset>},
    {{"reset_us", type_oid::kFloat8}, SumUs<&PoolUsage::reset>},
    {{"reset_us_p50", type_oid::kFloat8}, PercentileUs<&PoolUsage::reset, 50>},
    {{"reset_us_p99", type_oid::kFloat8}, PercentileUs<&PoolUsage::reset, 99>},
    {{"reset_us_max", type_oid::kFloat8}, MaxUs<&PoolUsage::reset>},
    {{"busy_us", type_oid::kFloat8}, TimeUs<&PoolUsage::busy_ns>},
    {{"pinned_us", type_oid::kFloat8}, TimeUs<&PoolUsage::pinned_ns>},
    {{"behind_us", type_oid::kFloat8}, TimeUs<&PoolUsage::behind_ns>},
    {{"switches", type_oid::kInt8}, field::Number<&PoolUsage::switches>},
});

Status ReadPools(const SystemViewInput& input, ViewRows& rows) {
  const auto* accounts = input.segment.Find<PoolAccounts>(SegmentPart::kPoolAccounts);
  if (accounts == nullptr) return {};
  for (const PoolUsage& pool : accounts->Read()) AppendViewRow<kPoolColumns>(pool, rows);
  return {};
}

// ---- connbench_pool_clients: one row per client of a pooler, now ----

constexpr SystemViewColumn kClientColumns[] = {
    {"connection_id", type_oid::kInt8},
    {"state", type_oid::kText},
    {"state_us", type_oid::kFloat8},   // for how long
    {"backend_id", type_oid::kInt8}};  // for pg_terminate_backend(); null: none

// In the order of PoolClientState.
constexpr std::string_view kClientStates[] = {"idle", "waiting", "active", "silent"};

Status ReadClients(const SystemViewInput& input, ViewRows& rows) {
  const auto* accounts = input.segment.Find<PoolAccounts>(SegmentPart::kPoolAccounts);
  if (accounts == nullptr) return {};
  const MonotonicNs now = MonotonicNow();
  for (const PoolClient& client : accounts->clients().Read()) {
    rows.Add(Value::Integer(client.connection_id));
    rows.Add(Value::Text(kClientStates[static_cast<int>(client.state)]));
    rows.Add(Microseconds(std::max<MonotonicNs>(0, now - client.since)));
    rows.Add(client.backend_id == 0 ? Value::Null() : Value::Integer(client.backend_id));
  }
  return {};
}

// ---- connbench_lock_waits: one row per session that waits for a lock, now ----

constexpr SystemViewColumn kLockWaitColumns[] = {{"connection_id", type_oid::kInt8}};

Status ReadLockWaits(const SystemViewInput& input, ViewRows& rows) {
  const auto* backends = input.segment.Find<BackendTable>(SegmentPart::kBackends);
  const uint32_t used = backends->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendSlot& slot = backends->slot(number);
    const uint32_t connection_id = slot.connection_id();
    const bool waits = slot.waiting_request.load(std::memory_order_acquire) != 0;
    if (waits && connection_id != 0) rows.Add(Value::Integer(connection_id));
  }
  return {};
}

constexpr SystemView kPoolViews[] = {
    {"connbench_pools", 16001, false, ViewColumnsOf<kPoolColumns>, &ReadPools},
    {"connbench_pool_clients", 16002, false, kClientColumns, &ReadClients},
    {"connbench_lock_waits", 16003, false, kLockWaitColumns, &ReadLockWaits}};

}  // namespace

std::span<const SystemView> PoolViews() { return kPoolViews; }

}  // namespace connbench::engine
