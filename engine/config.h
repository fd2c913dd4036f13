// Everything that sizes or steers the engine, fixed when the segment is made.
//
// Safety: a plain value in private memory; the segment keeps its own copy of what others need.
// Each setting has one row in engine/config.cc, from which parsing, SHOW, --help and docs come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace connbench::engine {

enum class EngineKind : uint8_t {
  kReal,    // the query engine
  kCanned,  // answers every statement with one fixed row: the floor that a model alone costs
};

enum class SegmentBacking : uint8_t {
  kNamed,      // /dev/shm, other processes can attach and watch (default)
  kAnonymous,  // inherited by fork only; nothing to clean up
};

// As PostgreSQL's huge_pages. A named segment gets the kernel's transparent huge pages
// (MADV_COLLAPSE), an anonymous one pages that were reserved for it (MAP_HUGETLB).
enum class HugePages : uint8_t {
  kOff,
  kOn,   // or the server does not start
  kTry,  // or ordinary pages; SHOW huge_pages_status tells
};

// Who reads a page that is not in the buffer pool, as in PostgreSQL 18.
enum class IoMethod : uint8_t {
  kSync,     // the session's own thread
  kWorker,   // I/O workers, while the session waits as its model does
  kIoUring,  // the kernel, to which the session's thread hands the read
};
inline constexpr int64_t kMostIoWorkers = 8;
// io_urings of one process whose sessions have threads of their own: a thread takes one for each
// read, and waits if all are taken.
inline constexpr int64_t kMostRings = 256;
inline constexpr int64_t kMostParallelWorkers = 64;

struct EngineConfig {
  EngineKind engine = EngineKind::kReal;
  SegmentBacking segment_backing = SegmentBacking::kNamed;
  HugePages huge_pages = HugePages::kOff;
  std::string segment_name;  // empty: "connbench.<supervisor pid>"
  // Latches and waits use FUTEX_PRIVATE_FLAG: only for models whose sessions share one process.
  bool private_futexes = false;
  int64_t shared_buffers_bytes = int64_t{256} << 20;
  int64_t work_mem_bytes = int64_t{4} << 20;
  int max_connections = 100;
  int superuser_reserved_connections = 3;    // of max_connections, kept for user "postgres"
  int64_t session_warmup_kb = 0;             // private memory every session touches at its start
  int64_t connection_log_entries = 1 << 17;  // connections whose phases are remembered
  bool connection_phase_cpu = false;         // with the CPU clock of the thread that stamps them
  int64_t deadlock_timeout_ms = 1000;
  int64_t authentication_timeout_ms = 60'000;  // from accept to the end of authentication
  int64_t scram_iterations = 4096;             // of the secrets made from passwords
  std::string pwfile;                          // first line: password of user "postgres"
  // Where data are kept; empty: in memory only. What follows counts with a data directory alone.
  std::string data_directory;
  bool fsync = true;
  bool synchronous_commit = true;  // commits wait until they are on disk
  int64_t wal_buffers_bytes = int64_t{16} << 20;
  int64_t max_wal_size_bytes = int64_t{1} << 30;  // of log, and a checkpoint is made
  int64_t checkpoint_timeout_s = 300;             // the same after this long
  int64_t wal_writer_delay_ms = 200;  // how long commits gather that do not wait for the disk
  IoMethod io_method = IoMethod::kSync;
  int io_workers = 3;  // with IoMethod::kWorker
  // The pool of all sessions. PostgreSQL's default is 8, but it starts workers when they are
  // needed; ours are there from the start, and would count in what an idle server costs.
  int max_parallel_workers = 0;
  int max_relations = 1024;                  // tables, indexes and sequences together
  int64_t track_activity_query_size = 1024;  // bytes of a statement that others can see
  int max_locks_per_transaction = 64;        // sizes the shared lock table, as in PostgreSQL
  // Row locks beside those that their rows have room for: see transaction/row_lock_table.h (32
  // bytes each, when reached).
  int64_t max_shared_row_locks = int64_t{1} << 18;
  // How many writing transactions may begin while one stays open (8 bytes each, when reached), and
  // how many ended ones are remembered as aborted or not (1 bit each, when reached).
  int64_t recent_transactions = int64_t{8} << 20;
  int64_t remembered_transactions = int64_t{1} << 32;
};

// Settings of how pages are read: without effect unless there is a data directory.
inline constexpr std::string_view kPageSettings[] = {"io_method", "io_workers"};
// Settings of the log and its checkpoints: without effect unless there is a data directory.
inline constexpr std::string_view kLogSettings[] = {
    "fsync",        "synchronous_commit", "wal_buffers",
    "max_wal_size", "checkpoint_timeout", "wal_writer_delay"};

// Applies one "name=value" of --set; 42704 for an unknown name (the message lists near ones),
// 22023 for a bad value.
Status ApplySetting(EngineConfig& config, std::string_view name, std::string_view value);

// As the setting has it.
std::string_view NameOf(IoMethod method);

struct SettingDescription {
  std::string_view name;
  std::string_view unit;  // "", "kB", "ms", ...
  std::string_view help;
  std::string value;  // as SHOW prints it
};
std::vector<SettingDescription> DescribeSettings(const EngineConfig& config);

}  // namespace connbench::engine
