// Settings of the connection models and of the protocol. They share one --set namespace with the
// engine's (engine/config.h); each has one row in models/settings.cc.
//
// Safety: plain values in private memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/config.h"
#include "protocol/server_security.h"

namespace connbench::models {

// How tasks that all accept share the clients out.
enum class AcceptStrategy : int64_t {
  kDefault,    // the model's own
  kShared,     // all wait at one socket, and all wake
  kExclusive,  // all wait at one socket, and one wakes (EPOLLEXCLUSIVE)
  kReusePort,  // a socket each, and the kernel hashes the clients to them (SO_REUSEPORT)
};
enum class Allocator : int64_t { kGlibc, kJemalloc, kTcmalloc, kMimalloc };
enum class PoolMode : int64_t { kSession, kTransaction, kStatement };

struct ModelSettings {
  int64_t listen_backlog = 0;  // 0: twice max_connections; the kernel caps it at somaxconn
  // Stack of a connection's or a worker's thread. As in MySQL: deep statements need it, only what
  // was touched costs memory, and below 2 MB the kernel cannot back it with a huge page.
  int64_t thread_stack_bytes = int64_t{1} << 20;
  int64_t thread_pool_groups = 0;  // thread-pool: 0: one
  int64_t workers = 0;      // thread-pool: statements that run at the same time; 0: one per core
  int64_t max_workers = 0;  // thread-pool: threads at most; 0: workers + max_connections
  // thread-pool: a queue that has not moved for this long gets another worker. Between a long
  // OLTP statement (milliseconds) and what a person notices; MySQL Enterprise has the same 60 ms.
  int64_t stall_limit_ms = 60;
  // thread-pool: what waits for so long behind those in transactions joins them; as in MariaDB and
  // MySQL Enterprise.
  int64_t prio_kickup_timer_ms = 1000;
  int64_t prefork_processes = 0;     // prefork: 0: max_connections and a few that refuse
  int64_t prefork_max_sessions = 0;  // prefork: sessions a process serves before it ends; 0: any
  int64_t thread_cache_size = -1;    // thread-cached: parked threads; -1: 8 + max_connections / 100
  int64_t hybrid_processes = 0;      // hybrid: 0: one per core, at least two
  int64_t hybrid_threads = 0;        // hybrid: per process; 0: enough for max_connections
  int64_t reactor_loops = 0;         // reactor: 0: one per core
  int64_t fdpass_workers = 0;        // fdpass: 0: one per core
  int64_t poco_threads = 0;          // poco: 0: max_connections and a few that refuse
  int64_t poco_queue = 0;            // poco: 0: as listen_backlog
  int64_t pool_mode = 1;             // pool-tx: a PoolMode
  int64_t pool_size = 0;             // pool-tx: backends; 0: kDefaultPoolSize or max_connections
  int64_t pool_superuser_reserve = 1;        // pool-tx: backends beyond pool_size, for superusers
  int64_t query_wait_timeout_ms = 120'000;   // pool-tx: PgBouncer's default; 0: none
  int64_t client_write_timeout_ms = 60'000;  // pool-tx: 0: none
  int64_t accept_strategy = 0;               // an AcceptStrategy
  int64_t malloc_arenas = 0;                 // 0: glibc's own choice, 8 per core
  int64_t allocator = 0;                     // an Allocator
  std::string cpu_affinity;                  // of all the server's processes; empty: any CPU
  int64_t shutdown_grace_ms = 5000;  // for sessions to end by themselves before they are killed
};

// Everything that `serve --set` can set.
struct ServerSettings {
  engine::EngineConfig engine;
  ModelSettings models;
  protocol::SecuritySettings security;
};

// Applies one "name=value" to whichever part knows the name; 42704 with near names of both, 22023
// for a bad value.
Status ApplySetting(ServerSettings& settings, std::string_view name, std::string_view value);

// The engine's rows, then the models'.
std::vector<engine::SettingDescription> DescribeSettings(const ServerSettings& settings);

}  // namespace connbench::models
