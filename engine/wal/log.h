// The log of a database in a data directory: what has to be done again after a crash.
//
// Records go into a ring of wal_buffers in the segment and from there into files of 16 MiB. Any
// session may do the writing: whoever needs the log up to some place tries to become the one that
// flushes, and flushes for all who wait. README.md tells the rules; the waiting itself is in
// Transaction::AwaitFlush, because only a session has a Waiter.
//
// Safety: Log is a private handle on shared state; any thread of any process. Append() may be
// called with latches of any kind held. If the ring is full it writes the log itself, or waits for
// the one who does: that is the one wait for a disk under a latch, and PostgreSQL has it too.
// Errors: none. A log that cannot be written ends the process (PANIC): nobody knows then what is on
// the disk, and the supervisor starts again from what is.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/config.h"
#include "engine/files/files.h"
#include "engine/segment/latch.h"
#include "engine/segment/segment.h"
#include "engine/wal/log_record.h"
#include "engine/wal/log_usage.h"

namespace connbench::engine {

inline constexpr int64_t kLogFileBytes = int64_t{16} << 20;
inline constexpr const char* kLogFolder = "wal";
// "<folder of the data>/wal/<number as 16 hexadecimal digits>".
std::string LogFilePath(const std::string& data_folder, uint64_t number);
// A file that the log needs no more is kept under one of these names until it needs another one.
inline constexpr int kSpareLogFiles = 4;
std::string SpareLogFilePath(const std::string& data_folder, int spare);

// What the log knows of a session; all in shared memory.
struct LogSession {
  std::atomic<Lsn> waits_for;  // the place up to which it needs the log, 0: none
  // Where its commit record begins, from before that is written until the transaction is committed
  // for the others: recovery must begin at or before it.
  std::atomic<Lsn> commit_begins;
  std::atomic<uint64_t> waits_for_checkpoint;  // the number of its request, 0: none
};

// For LogUsage. Who holds the write latch, or makes the checkpoint, alone writes.
struct LogTallies {
  std::atomic<Lsn> start;           // where the log began
  std::atomic<int64_t> started_us;  // when, since the Unix epoch
  std::atomic<int64_t> buffers_full;
  std::atomic<int64_t> writes;
  std::atomic<int64_t> write_ns;
  std::atomic<int64_t> flushes;
  std::atomic<int64_t> syncs;
  std::atomic<int64_t> sync_ns;
  std::atomic<int64_t> checkpoints_timed;
  std::atomic<int64_t> checkpoints_requested;
  std::atomic<int64_t> checkpoint_pages;
  std::atomic<int64_t> checkpoint_write_ns;
  std::atomic<int64_t> checkpoint_sync_ns;

  // One writer: no need for a locked instruction.
  static void Add(std::atomic<int64_t>& tally, int64_t more) {
    tally.store(tally.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
};

// Fixed-size head of SegmentPart::kLog; the sessions, then the ring follow it.
struct LogHeader {
  uint64_t log_number;  // random, of this data directory
  int64_t ring_bytes;
  uint32_t session_count;

  alignas(64) Latch insert;  // one appends at a time
  // Commit records so far, and what the csn was before the first of them: no csn has been given out
  // beyond the sum, because each is drawn after a commit record.
  uint64_t commits CONNBENCH_GUARDED_BY(insert);
  uint64_t first_csn;
  std::atomic<Lsn> inserted;     // the end of what is in the ring
  std::atomic<int64_t> records;  // for LogUsage; apart from the tallies, whose line waiters read
  // Of those who commit one flushes at a time. It rings the others afterwards, which somebody who
  // writes for another reason (a full ring, a checkpoint) does not.
  alignas(64) Latch flush;
  alignas(64) Latch write;   // one writes to the files at a time
  std::atomic<Lsn> written;  // in files, and gone from the ring
  std::atomic<Lsn> durable;
  LogTallies tallies;
  // Of the last checkpoint.
  std::atomic<Lsn> redo;
  std::atomic<uint64_t> checkpoint_number;  // that the control file may name; the next is above
  std::atomic<Lsn> checkpoint_complete;     // the log's end as the checkpoint was complete

  // Between the sessions and the tasks (engine/tasks). Slots: the backend's number and 1, 0: the
  // task is not there now.
  std::atomic<uint32_t> staffed;  // 1: the tasks are somebody's to run, so sessions do not do it
  std::atomic<uint32_t> checkpointer_slot;
  std::atomic<uint32_t> wal_writer_slot;
  std::atomic<uint32_t> checkpoint_due_told;  // 1: the checkpointer knows of max_wal_size
  // Requests for a checkpoint are numbered: how many there were, which is the last that has been
  // answered, and which is the last whose answer was that it failed.
  std::atomic<uint64_t> checkpoints_wanted;
  std::atomic<uint64_t> checkpoints_answered;
  std::atomic<uint64_t> checkpoints_failed;
  // Up to where commits want the log on disk that do not wait for it.
  std::atomic<Lsn> wanted_later;
  std::atomic<uint32_t> wal_writer_sleeps;  // 1: until it is rung
};
static_assert(std::is_trivially_destructible_v<LogHeader>);

// All but what sessions count themselves (BackendWaits).
LogUsage ReadLogUsage(const LogHeader& header);

class Log {
 public:
  static int64_t ShmemSize(const EngineConfig& config, uint32_t sessions);
  // Lays out SegmentPart::kLog; before Segment::Seal().
  static Status Init(Segment& segment, const EngineConfig& config, uint32_t sessions);

  Log(const Segment& segment, Files& files, const EngineConfig& config);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Begins a new log at a file's beginning; nobody else uses it yet.
  void Begin(uint64_t log_number, Lsn start,
             uint64_t first_csn) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;

  // Returns where the record ends.
  Lsn Append(RecordBuilder& record);
  // The same for a transaction's commit; the session's commit_begins stands until
  // CommitPublished().
  Lsn AppendCommit(uint32_t session, const uint64_t* xids, int64_t count);
  void CommitPublished(uint32_t session) {
    sessions_[session].commit_begins.store(kNoLsn, std::memory_order_release);
  }

  Lsn inserted() const { return header_->inserted.load(std::memory_order_acquire); }
  Lsn durable() const { return header_->durable.load(std::memory_order_seq_cst); }
  // Writes and syncs all that is in the ring; false at once if somebody else is at it, who then
  // looks for those who wait (WakeCommits).
  bool TryFlush() CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;
  // The same, up to a place; blocks the thread while somebody else is at it. WakeCommits() is to be
  // called afterwards.
  void Flush(Lsn lsn);

  // A session says before it sleeps up to where it needs the log (0: no longer).
  void SetWaitsFor(uint32_t session, Lsn lsn) {
    sessions_[session].waits_for.store(lsn, std::memory_order_seq_cst);
  }
  Lsn WaitsFor(uint32_t session) const {
    return sessions_[session].waits_for.load(std::memory_order_seq_cst);
  }

  // The same for a checkpoint, by the number of the request.
  void SetWaitsForCheckpoint(uint32_t session, uint64_t request) {
    sessions_[session].waits_for_checkpoint.store(request, std::memory_order_seq_cst);
  }
  uint64_t WaitsForCheckpoint(uint32_t session) const {
    return sessions_[session].waits_for_checkpoint.load(std::memory_order_seq_cst);
  }

  // A commit that does not wait wants the log on disk up to lsn. Returns the slot of the walwriter
  // if that has to be rung, else 0.
  uint32_t WantLater(Lsn lsn);

  // Where recovery must begin if memory as it is from now on is kept.
  struct RedoPoint {
    Lsn lsn = kNoLsn;
    uint64_t csn_bound = 0;  // no csn of a transaction that committed before is above it
  };
  RedoPoint ChooseRedoPoint();

  LogHeader& header() { return *header_; }
  Files& files() { return files_; }
  const std::string& data_folder() const { return data_folder_; }

 private:
  Lsn AppendLocked(RecordBuilder& record) CONNBENCH_REQUIRES(header_->insert);
  bool HasRoom(uint64_t bytes) const;
  // Makes room for a record in the ring, without the insert latch.
  void MakeRoom(uint64_t bytes);
  // With the write latch.
  void WriteOut(bool sync) CONNBENCH_REQUIRES(header_->write);
  Status WriteRing(Lsn from, Lsn to) CONNBENCH_REQUIRES(header_->write);
  Status SyncLogFile(const std::string& path) CONNBENCH_REQUIRES(header_->write);
  Status OpenLogFile(uint64_t number) CONNBENCH_REQUIRES(header_->write);
  Result<bool> TakeSpareFile(const std::string& path);

  LogHeader* header_;
  LogSession* sessions_;
  char* ring_;
  Files& files_;
  const std::string data_folder_;
  const bool fsync_;
  // The file that was written last, of this process.
  std::unique_ptr<File> file_ CONNBENCH_GUARDED_BY(header_->write);
  uint64_t file_number_ CONNBENCH_GUARDED_BY(header_->write) = 0;
};

// Says on stderr what has happened and ends the process, as PostgreSQL's PANIC.
[[noreturn]] void Panic(const Status& status);

}  // namespace connbench::engine
