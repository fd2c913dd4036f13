// PostgreSQL's statistics views, as far as the engine keeps what they show: pg_stat_activity,
// pg_locks, pg_stat_database, pg_stat_all_tables and its two parts. What is not kept is NULL.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/executor/types/calendar.h"
#include "engine/parallel/desk.h"
#include "engine/roles/access.h"
#include "engine/segment/connection_log.h"
#include "engine/segment/segment.h"
#include "engine/sql/catalog_contents.h"
#include "engine/sql/catalog_text.h"
#include "engine/sql/system_view_fields.h"
#include "engine/storage/storage_types.h"
#include "engine/transaction/activity.h"
#include "engine/transaction/backend.h"
#include "engine/transaction/lock_table.h"

namespace connbench::engine {
namespace {

namespace t = type_oid;

constexpr std::string_view LockTypeName(LockKind kind) {
  switch (kind) {
    case LockKind::kRelation:
      return "relation";
    case LockKind::kRow:
      return "tuple";
    case LockKind::kTransaction:
      return "transactionid";
    case LockKind::kNone:
      break;
  }
  return "";
}

// ---- pg_stat_activity: one row per session, in every model ----

// Of "127.0.0.1:40000" and "[::1]:40000". PostgreSQL, too, has no address of a Unix socket's
// client, and -1 for its port.
struct ClientAddress {
  explicit ClientAddress(std::string_view text = {}) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
      if (!text.empty()) port = -1;
      return;
    }
    int number = 0;
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return;
    port = number;
    host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  }
  std::string host;  // empty: none
  std::optional<int64_t> port;
};

struct ActivityRow {
  uint32_t connection_id = 0;  // of a parallel worker its thread's id
  uint32_t leader = 0;         // of a parallel worker: the connection that it works for
  std::string_view database;
  const Role* role = nullptr;  // null: no role has the user's name
  std::optional<Oid> role_oid;
  // The rest is for the session's own role and for superusers.
  bool may_see = false;
  ClientAddress client;
  std::optional<int64_t> begin;  // SQL's times
  std::optional<int64_t> transaction_start;
  std::optional<int64_t> statement_start;
  std::optional<int64_t> state_change;
  std::string query;
  std::string_view wait_type;
  std::string_view wait_event;
  std::string_view state;
  Xid xid = 0;
};

Value SeenText(const ActivityRow& row, std::string_view text) {
  return row.may_see && !text.empty() ? Value::Text(text) : Value::Null();
}

template <std::optional<int64_t> ActivityRow::*member>
Value SeenNumber(const ActivityRow& row, ViewRows&) {
  const std::optional<int64_t>& number = row.*member;
  return row.may_see && number ? Value::Integer(*number) : Value::Null();
}

constexpr auto kActivityFields = std::to_array<ViewField<ActivityRow>>({
    {{"datid", t::kOid}, field::Constant<kDatabaseOid>},
    {{"datname", t::kName}, field::Copy<&ActivityRow::database>},
    {{"pid", t::kInt4}, field::Number<&ActivityRow::connection_id>},
    {{"leader_pid", t::kInt4},
     [](const ActivityRow& row, ViewRows&) {
       return row.leader == 0 ? Value::Null() : Value::Integer(row.leader);
     }},
    {{"usesysid", t::kOid}, field::NumberIfAny<&ActivityRow::role_oid>},
    {{"usename", t::kName},
     [](const ActivityRow& row, ViewRows& rows) {
       return row.role == nullptr ? Value::Null() : rows.Text(row.role->name);
     }},
    {{"application_name", t::kText}, field::Null},
    {{"client_addr", t::kInet},
     [](const ActivityRow& row, ViewRows& rows) {
       return row.may_see && !row.client.host.empty() ? rows.Text(row.client.host) : Value::Null();
     }},
    {{"client_hostname", t::kText}, field::Null},
    {{"client_port", t::kInt4},
     [](const ActivityRow& row, ViewRows&) {
       return row.may_see && row.client.port ? Value::Integer(*row.client.port) : Value::Null();
     }},
    {{"backend_start", t::kTimestamptz}, SeenNumber<&ActivityRow::begin>},
    {{"xact_start", t::kTimestamptz}, SeenNumber<&ActivityRow::transaction_start>},
    {{"query_start", t::kTimestamptz}, SeenNumber<&ActivityRow::statement_start>},
    {{"state_change", t::kTimestamptz}, SeenNumber<&ActivityRow::state_change>},
    {{"wait_event_type", t::kText},
     [](const ActivityRow& row, ViewRows&) { return SeenText(row, row.wait_type); }},
    {{"wait_event", t::kText},
     [](const ActivityRow& row, ViewRows&) { return SeenText(row, row.wait_event); }},
    {{"state", t::kText},
     [](const ActivityRow& row, ViewRows&) { return SeenText(row, row.state); }},
    {{"backend_xid", t::kXid},
     [](const ActivityRow& row, ViewRows&) {
       return row.may_see && row.xid != 0 ? Value::Integer(static_cast<uint32_t>(row.xid))
                                          : Value::Null();
     }},
    {{"backend_xmin", t::kXid}, field::Null},
    {{"query_id", t::kInt8}, field::Null},
    {{"query", t::kText},
     [](const ActivityRow& row, ViewRows& rows) {
       return row.may_see ? rows.Text(row.query) : Value::Text("<insufficient privilege>");
     }},
    {{"backend_type", t::kText},
     [](const ActivityRow& row, ViewRows&) {
       return SeenText(row, row.leader == 0 ? "client backend" : "parallel worker");
     }},
});

// SQL's time of an instant on the monotonic clock, which has no date of its own.
std::optional<int64_t> SqlTimeOf(MonotonicNs at) {
  if (at == 0) return {};
  const int64_t ago_us = (MonotonicNow() - at) / kNanosecondsPerMicrosecond;
  return WallClockUs() - kUnixEpochShiftUs - ago_us;
}

// The same of microseconds since the Unix epoch; 0: none.
std::optional<int64_t> SqlTime(int64_t us) {
  return us == 0 ? std::nullopt : std::optional<int64_t>(us - kUnixEpochShiftUs);
}

// When the session came to its state: a statement that runs began then. The end of a statement is
// told by a coarse clock, which may be behind its beginning.
int64_t StateChange(const BackendSlot& slot) {
  const int64_t start = slot.statement_start_us.load(std::memory_order_relaxed);
  const bool active = slot.state.load(std::memory_order_relaxed) == BackendState::kActive;
  if (active) return start;
  return std::max(
      start, slot.statement_end_ns.load(std::memory_order_relaxed) / kNanosecondsPerMicrosecond);
}

// PostgreSQL's names of what a session waits for; none for locks, which the lock table names.
struct WaitEvent {
  std::string_view type;
  std::string_view name;
};
WaitEvent WaitEventOf(WaitReason reason) {
  switch (reason) {
    case WaitReason::kPageRead:
      return {"IO", "DataFileRead"};
    case WaitReason::kLogSync:
      return {"IO", "WALSync"};
    case WaitReason::kLogFlush:
      return {"LWLock", "WALWrite"};
    case WaitReason::kFrame:
      return {"BufferPin", "BufferPin"};
    case WaitReason::kCheckpoint:
      return {"IPC", "CheckpointDone"};
    case WaitReason::kSleep:
      return {"Timeout", "PgSleep"};
    case WaitReason::kGather:
      return {"IPC", "ExecuteGather"};
    case WaitReason::kRowQueue:
      return {"IPC", "MessageQueueSend"};
    case WaitReason::kTeamEnd:
      return {"IPC", "ParallelFinish"};
    case WaitReason::kRowLock:
    case WaitReason::kTableLock:
    case WaitReason::kUniqueCheck:
    case WaitReason::kTask:
      break;
  }
  return {};
}

// owner: the session's role. wait: what the session waits for, if it waits for a lock; may be
// empty. leader: of a parallel worker; 0: it is none.
ActivityRow ActivityOf(const BackendSlot& slot, Oid owner, const std::vector<Role>& roles,
                       std::string_view wait, uint32_t leader) {
  ActivityRow row;
  row.leader = leader;
  row.connection_id = leader == 0 ? slot.connection_id() : slot.tid.load(std::memory_order_relaxed);
  for (const Role& role : roles) {
    if (role.oid == owner) row.role = &role;
  }
  if (row.role != nullptr) row.role_oid = owner;
  row.xid = slot.xid.load(std::memory_order_relaxed);
  switch (slot.state.load(std::memory_order_relaxed)) {
    case BackendState::kAuxiliary:
      if (leader == 0) break;
      [[fallthrough]];
    case BackendState::kActive:
      row.state = "active";
      if (slot.waiting_request.load(std::memory_order_acquire) != 0) {
        row.wait_type = "Lock";
        row.wait_event = wait;
      } else if (const uint32_t shown = slot.shown_wait.load(std::memory_order_relaxed)) {
        const WaitEvent event = WaitEventOf(static_cast<WaitReason>(shown - 1));
        row.wait_type = event.type;
        row.wait_event = event.name;
      }
      break;
    case BackendState::kIdle:
      row.state = "idle";
      break;
    case BackendState::kIdleInTransaction:
      row.state = "idle in transaction";
      break;
    case BackendState::kIdleInFailedTransaction:
      row.state = "idle in transaction (aborted)";
      break;
    case BackendState::kFree:
      break;
  }
  if (row.state.starts_with("idle")) {
    row.wait_type = "Client";
    row.wait_event = "ClientRead";
  }
  return row;
}

std::vector<LockRecord> LocksOf(const SystemViewInput& input) {
  const auto* backends = input.segment.Find<BackendTable>(SegmentPart::kBackends);
  return input.segment.Find<LockTable>(SegmentPart::kLockTable)->List(*backends);
}

// The leaders' connections, by the slots of those who work for them now.
std::unordered_map<BackendNumber, uint32_t> LeadersOf(const Segment& segment) {
  std::unordered_map<BackendNumber, uint32_t> leaders;
  auto* desks = segment.Find<ParallelDesks>(SegmentPart::kParallelDesks);
  for (uint32_t i = 0; desks != nullptr && i < desks->count(); ++i) {
    const ParallelDesk& desk = desks->desk(i);
    if (desk.state.load(std::memory_order_acquire) != ParallelDesk::State::kWorking) continue;
    const uint32_t worker = desk.worker.load(std::memory_order_relaxed);
    if (worker != 0) leaders[worker - 1] = desk.leader_connection.load(std::memory_order_relaxed);
  }
  return leaders;
}

Status ReadActivity(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<Role> roles,
                             RoleTable(*input.execution.storage)
                                 .List(*input.execution.transaction, input.execution.snapshot));
  const SessionRole reader = RoleOfReader(input);
  const auto* backends = input.segment.Find<BackendTable>(SegmentPart::kBackends);
  const auto* log = input.segment.Find<ConnectionLog>(SegmentPart::kConnectionLog);
  auto* activity = input.segment.Find<ActivityTable>(SegmentPart::kActivity);
  std::unordered_map<BackendNumber, LockKind> waits;
  for (const LockRecord& lock : LocksOf(input)) {
    if (!lock.granted) waits[lock.backend] = lock.tag.kind;
  }
  const std::unordered_map<BackendNumber, uint32_t> leaders = LeadersOf(input.segment);
  const uint32_t used = backends->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendSlot& slot = backends->slot(number);
    const auto wait = waits.find(number);
    const auto owner = static_cast<Oid>(slot.role.load(std::memory_order_relaxed) >> 1);
    const auto leader = leaders.find(number);
    ActivityRow row =
        ActivityOf(slot, owner, roles, wait == waits.end() ? "" : LockTypeName(wait->second),
                   leader == leaders.end() ? 0 : leader->second);
    if (row.connection_id == 0) continue;
    row.may_see = Owns(reader, owner);
    row.database = input.execution.eval.environment->database();
    if (log != nullptr && row.leader == 0) {
      row.begin = SqlTimeOf(log->PhaseAt(row.connection_id, ConnectionPhase::kAccepted));
    }
    row.transaction_start = SqlTime(slot.transaction_start_us.load(std::memory_order_relaxed));
    row.statement_start = SqlTime(slot.statement_start_us.load(std::memory_order_relaxed));
    row.state_change = SqlTime(StateChange(slot));
    ActivityTable::Seen seen = activity->Read(number);
    row.client = ClientAddress(seen.client);
    row.query = std::move(seen.query);
    // Another session may have the slot by now.
    if (row.leader != 0 || slot.connection_id() == row.connection_id) {
      AppendViewRow<kActivityFields>(row, rows);
    }
  }
  return {};
}

// ---- pg_locks ----

struct LockRow {
  LockRecord lock;
  uint32_t connection_id = 0;  // 0: a helper of the engine
};

template <LockKind first, LockKind second = first>
bool IsOf(const LockRow& row) {
  return row.lock.tag.kind == first || row.lock.tag.kind == second;
}

constexpr auto kLockFields = std::to_array<ViewField<LockRow>>({
    {{"locktype", t::kText},
     [](const LockRow& row, ViewRows&) { return Value::Text(LockTypeName(row.lock.tag.kind)); }},
    {{"database", t::kOid},
     [](const LockRow& row, ViewRows&) {
       return IsOf<LockKind::kRelation, LockKind::kRow>(row) ? Value::Integer(kDatabaseOid)
                                                             : Value::Null();
     }},
    {{"relation", t::kOid},
     [](const LockRow& row, ViewRows&) {
       return IsOf<LockKind::kRelation, LockKind::kRow>(row) ? Value::Integer(row.lock.tag.relation)
                                                             : Value::Null();
     }},
    {{"page", t::kInt4},
     [](const LockRow& row, ViewRows&) {
       const int64_t page = Tid::FromPacked(row.lock.tag.id).block;
       return IsOf<LockKind::kRow>(row) ? Value::Integer(page) : Value::Null();
     }},
    {{"tuple", t::kInt2},
     [](const LockRow& row, ViewRows&) {
       const int64_t line = Tid::FromPacked(row.lock.tag.id).slot + 1;  // PostgreSQL's begin at 1
       return IsOf<LockKind::kRow>(row) ? Value::Integer(line) : Value::Null();
     }},
    {{"virtualxid", t::kText}, field::Null},
    {{"transactionid", t::kXid},
     [](const LockRow& row, ViewRows&) {
       return IsOf<LockKind::kTransaction>(row)
                  ? Value::Integer(static_cast<uint32_t>(row.lock.tag.id))
                  : Value::Null();
     }},
    {{"classid", t::kOid}, field::Null},
    {{"objid", t::kOid}, field::Null},
    {{"objsubid", t::kInt2}, field::Null},
    {{"virtualtransaction", t::kText}, field::Null},
    {{"pid", t::kInt4},
     [](const LockRow& row, ViewRows&) {
       return row.connection_id == 0 ? Value::Null() : Value::Integer(row.connection_id);
     }},
    {{"mode", t::kText},
     [](const LockRow& row, ViewRows&) { return Value::Text(LockModeName(row.lock.mode)); }},
    {{"granted", t::kBool},
     [](const LockRow& row, ViewRows&) { return Value::Bool(row.lock.granted); }},
    {{"fastpath", t::kBool},
     [](const LockRow& row, ViewRows&) { return Value::Bool(row.lock.fast_path); }},
    {{"waitstart", t::kTimestamptz}, field::Null},
});

Status ReadLocks(const SystemViewInput& input, ViewRows& rows) {
  const auto* backends = input.segment.Find<BackendTable>(SegmentPart::kBackends);
  for (const LockRecord& lock : LocksOf(input)) {
    AppendViewRow<kLockFields>(LockRow{lock, backends->slot(lock.backend).connection_id()}, rows);
  }
  // A transaction holds itself as long as it runs.
  const uint32_t used = backends->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendSlot& slot = backends->slot(number);
    const Xid xid = slot.xid.load(std::memory_order_relaxed);
    if (xid == kInvalidXid) continue;
    const LockRecord lock{LockTag::Transaction(xid), number, LockMode::kExclusive, true, false};
    AppendViewRow<kLockFields>(LockRow{lock, slot.connection_id()}, rows);
  }
  return {};
}

// ---- pg_stat_database ----

struct DatabaseStatistics {
  std::string_view name;
  int64_t sessions = 0;
  int64_t commits = 0;
  int64_t rollbacks = 0;
  int64_t deadlocks = 0;
  int64_t pages_read = 0;
  double page_read_ms = 0;
};

constexpr auto kDatabaseStatisticsFields = std::to_array<ViewField<DatabaseStatistics>>({
    {{"datid", t::kOid}, field::Constant<kDatabaseOid>},
    {{"datname", t::kName}, field::Copy<&DatabaseStatistics::name>},
    {{"numbackends", t::kInt4}, field::Number<&DatabaseStatistics::sessions>},
    {{"xact_commit", t::kInt8}, field::Number<&DatabaseStatistics::commits>},
    {{"xact_rollback", t::kInt8}, field::Number<&DatabaseStatistics::rollbacks>},
    {{"blks_read", t::kInt8}, field::Number<&DatabaseStatistics::pages_read>},
    {{"blks_hit", t::kInt8}, field::Null},
    {{"tup_returned", t::kInt8}, field::Null},
    {{"tup_fetched", t::kInt8}, field::Null},
    {{"tup_inserted", t::kInt8}, field::Null},
    {{"tup_updated", t::kInt8}, field::Null},
    {{"tup_deleted", t::kInt8}, field::Null},
    {{"conflicts", t::kInt8}, field::Null},
    {{"temp_files", t::kInt8}, field::Null},
    {{"temp_bytes", t::kInt8}, field::Null},
    {{"deadlocks", t::kInt8}, field::Number<&DatabaseStatistics::deadlocks>},
    {{"checksum_failures", t::kInt8}, field::Null},
    {{"checksum_last_failure", t::kTimestamptz}, field::Null},
    {{"blk_read_time", t::kFloat8},
     [](const DatabaseStatistics& row, ViewRows&) { return Value::Real(row.page_read_ms); }},
    {{"blk_write_time", t::kFloat8}, field::Null},
    {{"session_time", t::kFloat8}, field::Null},
    {{"active_time", t::kFloat8}, field::Null},
    {{"idle_in_transaction_time", t::kFloat8}, field::Null},
    {{"sessions", t::kInt8}, field::Null},
    {{"sessions_abandoned", t::kInt8}, field::Null},
    {{"sessions_fatal", t::kInt8}, field::Null},
    {{"sessions_killed", t::kInt8}, field::Null},
    {{"stats_reset", t::kTimestamptz}, field::Null},
});

Status ReadDatabaseStatistics(const SystemViewInput& input, ViewRows& rows) {
  const auto* backends = input.segment.Find<BackendTable>(SegmentPart::kBackends);
  DatabaseStatistics row;
  row.name = input.execution.eval.environment->database();
  row.sessions = backends->sessions();
  int64_t read_ns = 0;
  const uint32_t used = backends->slots_used();
  for (BackendNumber number = 0; number < used; ++number) {
    const BackendSlot& slot = backends->slot(number);
    const BackendCounters& counters = slot.counters;
    row.commits += counters.commits.load(std::memory_order_relaxed);
    row.rollbacks += counters.rollbacks.load(std::memory_order_relaxed);
    row.deadlocks += slot.waits.deadlocks.load(std::memory_order_relaxed);
    row.pages_read += slot.waits.page_reads.load(std::memory_order_relaxed);
    read_ns += slot.waits.page_read_ns.load(std::memory_order_relaxed);
  }
  row.page_read_ms = static_cast<double>(read_ns) / kNanosecondsPerMillisecond;
  AppendViewRow<kDatabaseStatisticsFields>(row, rows);
  return {};
}

// ---- pg_stat_all_tables, pg_stat_sys_tables, pg_stat_user_tables ----

struct TableStatistics {
  Oid oid = 0;
  std::string_view name;
  int64_t live_rows = 0;
};

constexpr auto kTableStatisticsFields = std::to_array<ViewField<TableStatistics>>({
    {{"relid", t::kOid}, field::Number<&TableStatistics::oid>},
    {{"schemaname", t::kName},
     [](const TableStatistics& row, ViewRows&) {
       return Value::Text(SchemaName(SchemaOf(row.oid)));
     }},
    {{"relname", t::kName}, field::Copy<&TableStatistics::name>},
    {{"seq_scan", t::kInt8}, field::Null},
    {{"seq_tup_read", t::kInt8}, field::Null},
    {{"idx_scan", t::kInt8}, field::Null},
    {{"idx_tup_fetch", t::kInt8}, field::Null},
    {{"n_tup_ins", t::kInt8}, field::Null},
    {{"n_tup_upd", t::kInt8}, field::Null},
    {{"n_tup_del", t::kInt8}, field::Null},
    {{"n_tup_hot_upd", t::kInt8}, field::Null},
    {{"n_live_tup", t::kInt8}, field::Number<&TableStatistics::live_rows>},
    {{"n_dead_tup", t::kInt8}, field::Null},
    {{"n_mod_since_analyze", t::kInt8}, field::Null},
    {{"n_ins_since_vacuum", t::kInt8}, field::Null},
    {{"last_vacuum", t::kTimestamptz}, field::Null},
    {{"last_autovacuum", t::kTimestamptz}, field::Null},
    {{"last_analyze", t::kTimestamptz}, field::Null},
    {{"last_autoanalyze", t::kTimestamptz}, field::Null},
    {{"vacuum_count", t::kInt8}, field::Null},
    {{"autovacuum_count", t::kInt8}, field::Null},
    {{"analyze_count", t::kInt8}, field::Null},
    {{"autoanalyze_count", t::kInt8}, field::Null},
});

template <bool kSystem, bool kUser>
Status ReadTableStatistics(const SystemViewInput& input, ViewRows& rows) {
  CONNBENCH_ASSIGN_OR_RETURN(const CatalogContents contents, ReadCatalogContents(input));
  for (const RelationRef& relation : contents.relations) {
    if (relation->kind != RelationKind::kTable) continue;
    if (!(relation->oid < kFirstUserOid ? kSystem : kUser)) continue;
    AppendViewRow<kTableStatisticsFields>(
        TableStatistics{relation->oid, relation->name, input.catalog.Statistics(relation).rows},
        rows);
  }
  return {};
}

constexpr SystemView kStatisticsViews[] = {
    {"pg_stat_activity", 12010, false, ViewColumnsOf<kActivityFields>, &ReadActivity},
    {"pg_locks", 12015, false, ViewColumnsOf<kLockFields>, &ReadLocks},
    {"pg_stat_database", 12011, false, ViewColumnsOf<kDatabaseStatisticsFields>,
     &ReadDatabaseStatistics},
    {"pg_stat_all_tables", 12012, false, ViewColumnsOf<kTableStatisticsFields>,
     &ReadTableStatistics<true, true>},
    {"pg_stat_sys_tables", 12013, false, ViewColumnsOf<kTableStatisticsFields>,
     &ReadTableStatistics<true, false>},
    {"pg_stat_user_tables", 12014, false, ViewColumnsOf<kTableStatisticsFields>,
     &ReadTableStatistics<false, true>},
};

}  // namespace

std::span<const SystemView> StatisticsViews() { return kStatisticsViews; }

}  // namespace connbench::engine
