// What a query can read that is no table.
#include "engine/sql/system_views.h"

#include <algorithm>
#include <array>

#include "engine/executor/types/type.h"
#include "engine/segment/pool_accounts.h"
#include "engine/segment/segment.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {
namespace {

// ---- connbench_pools: one row per pool, since the server started ----

// A column and how it is read; both in one row, so that neither can be forgotten.
struct PoolColumn {
  SystemViewColumn column;
  Value (*read)(const PoolUsage& pool);
};

Value Us(int64_t ns) { return Value::Real(static_cast<double>(ns) / kNanosecondsPerMicrosecond); }

template <auto member>
Value Number(const PoolUsage& pool) {
  return Value::Integer(pool.*member);
}
template <int64_t PoolUsage::*time_ns>
Value TimeUs(const PoolUsage& pool) {
  return Us(pool.*time_ns);
}
template <DurationUsage PoolUsage::*usage>
Value Count(const PoolUsage& pool) {
  return Value::Integer((pool.*usage).count);
}
template <DurationUsage PoolUsage::*usage>
Value SumUs(const PoolUsage& pool) {
  return Us((pool.*usage).sum_ns);
}
template <DurationUsage PoolUsage::*usage>
Value MaxUs(const PoolUsage& pool) {
  return Us((pool.*usage).max_ns);
}
template <DurationUsage PoolUsage::*usage, int percent>
Value PercentileUs(const PoolUsage& pool) {
  return Us((pool.*usage).ValueAt(percent / 100.0));
}

constexpr auto kPoolColumns = std::to_array<PoolColumn>({
    {{"pool", type_oid::kInt4}, Number<&PoolUsage::pool>},
    {{"workers", type_oid::kInt8}, Number<&PoolUsage::workers>},
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
    {{"switches", type_oid::kInt8}, Number<&PoolUsage::switches>},
});

constexpr auto kPoolViewColumns = [] {
  std::array<SystemViewColumn, kPoolColumns.size()> columns{};
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = kPoolColumns[i].column;
  return columns;
}();

void ReadPools(const Segment& segment, std::vector<Value>& values) {
  const auto* accounts = segment.Find<PoolAccounts>(SegmentPart::kPoolAccounts);
  if (accounts == nullptr) return;
  for (const PoolUsage& pool : accounts->Read()) {
    for (const PoolColumn& column : kPoolColumns) values.push_back(column.read(pool));
  }
}

// ---- connbench_pool_clients: one row per client of a pooler, now ----

constexpr SystemViewColumn kClientColumns[] = {
    {"connection_id", type_oid::kInt8},
    {"state", type_oid::kText},
    {"state_us", type_oid::kFloat8},   // for how long
    {"backend_id", type_oid::kInt8}};  // for pg_terminate_backend(); null: none

// In the order of PoolClientState.
constexpr std::string_view kClientStates[] = {"idle", "waiting", "active", "silent"};

void ReadClients(const Segment& segment, std::vector<Value>& values) {
  const auto* accounts = segment.Find<PoolAccounts>(SegmentPart::kPoolAccounts);
  if (accounts == nullptr) return;
  const MonotonicNs now = MonotonicNow();
  for (const PoolClient& client : accounts->clients().Read()) {
    values.push_back(Value::Integer(client.connection_id));
    values.push_back(Value::Text(kClientStates[static_cast<int>(client.state)]));
    values.push_back(Us(std::max<MonotonicNs>(0, now - client.since)));
    values.push_back(client.backend_id == 0 ? Value::Null() : Value::Integer(client.backend_id));
  }
}

// ---- connbench_lock_waits: one row per session that waits for a lock, now ----

constexpr SystemViewColumn kLockWaitColumns[] = {{"connection_id", type_oid::kInt8}};

void ReadLockWaits(const Segment& segment, std::vector<Value>& values) {
  const auto* backends = segment.Find<BackendTable>(SegmentPart::kBackends);
  const uint32_t used = backends->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendSlot& slot = backends->slot(number);
    const uint32_t connection_id = slot.connection_id();
    const bool waits = slot.waiting_request.load(std::memory_order_acquire) != 0;
    if (waits && connection_id != 0) values.push_back(Value::Integer(connection_id));
  }
}

constexpr SystemView kViews[] = {{"connbench_pools", kPoolViewColumns, &ReadPools},
                                 {"connbench_pool_clients", kClientColumns, &ReadClients},
                                 {"connbench_lock_waits", kLockWaitColumns, &ReadLockWaits}};

}  // namespace

const SystemView* FindSystemView(std::string_view name) {
  const auto* found = std::find_if(std::begin(kViews), std::end(kViews),
                                   [&](const SystemView& view) { return view.name == name; });
  return found == std::end(kViews) ? nullptr : found;
}

}  // namespace connbench::engine
