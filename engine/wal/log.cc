// The log of a database in a data directory.
#include "engine/wal/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/clock.h"
#include "base/server_log.h"
#include "engine/files/whole.h"
#include "engine/segment/shmem_size.h"

namespace connbench::engine {
namespace {

// Xids in one record: half of what kMaxRecordBytes has room for.
constexpr int64_t kMaxXidsPerRecord = 32768;
static_assert(kMaxXidsPerRecord * sizeof(uint64_t) + kRecordHeaderBytes <= kMaxRecordBytes);

int64_t SessionsOffset() { return AlignSize(sizeof(LogHeader), kCacheLineBytes); }
int64_t RingOffset(uint32_t sessions) {
  return AlignSize(AddSize(SessionsOffset(), MulSize(sessions, sizeof(LogSession))),
                   kMemoryPageBytes);
}

}  // namespace

void Panic(const Status& status) {
  LogLine(fmt::format("PANIC: {}", status.ToString()));
  std::abort();
}

std::string LogFilePath(const std::string& data_folder, uint64_t number) {
  return fmt::format("{}/{}/{:016X}", data_folder, kLogFolder, number);
}

std::string SpareLogFilePath(const std::string& data_folder, int spare) {
  return fmt::format("{}/{}/spare.{}", data_folder, kLogFolder, spare);
}

int64_t Log::ShmemSize(const EngineConfig& config, uint32_t sessions) {
  return AddSize(RingOffset(sessions), config.wal_buffers_bytes);
}

Status Log::Init(Segment& segment, const EngineConfig& config, uint32_t sessions) {
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kLog, Log::ShmemSize(config, sessions)));
  auto* header = static_cast<LogHeader*>(memory);
  header->ring_bytes = config.wal_buffers_bytes;
  header->session_count = sessions;
  header->insert.Init(segment.private_futexes(), LatchRank::kLogInsert);
  header->flush.Init(segment.private_futexes(), LatchRank::kLogFlush);
  header->write.Init(segment.private_futexes(), LatchRank::kLogWrite);
  return {};
}

Log::Log(const Segment& segment, Files& files, const EngineConfig& config)
    : header_(segment.Find<LogHeader>(SegmentPart::kLog)),
      sessions_(reinterpret_cast<LogSession*>(reinterpret_cast<char*>(header_) + SessionsOffset())),
      ring_(reinterpret_cast<char*>(header_) + RingOffset(header_->session_count)),
      files_(files),
      data_folder_(config.data_directory),
      fsync_(config.fsync) {}

void Log::Begin(uint64_t log_number, Lsn start, uint64_t first_csn) {
  header_->log_number = log_number;
  header_->commits = 0;
  header_->first_csn = first_csn;
  header_->inserted.store(start);
  header_->written.store(start);
  header_->durable.store(start);
  header_->redo.store(start);
  header_->wanted_later.store(start);
  header_->tallies.start.store(start);
  header_->tallies.started_us.store(WallClockUs());
}

LogUsage ReadLogUsage(const LogHeader& header) {
  const LogTallies& tallies = header.tallies;
  LogUsage usage;
  usage.bytes = static_cast<int64_t>(header.inserted.load(std::memory_order_relaxed) -
                                     tallies.start.load(std::memory_order_relaxed));
  usage.records = header.records.load(std::memory_order_relaxed);
  usage.buffers_full = tallies.buffers_full.load(std::memory_order_relaxed);
  usage.writes = tallies.writes.load(std::memory_order_relaxed);
  usage.write_ns = tallies.write_ns.load(std::memory_order_relaxed);
  usage.flushes = tallies.flushes.load(std::memory_order_relaxed);
  usage.syncs = tallies.syncs.load(std::memory_order_relaxed);
  usage.sync_ns = tallies.sync_ns.load(std::memory_order_relaxed);
  usage.checkpoints_timed = tallies.checkpoints_timed.load(std::memory_order_relaxed);
  usage.checkpoints_requested = tallies.checkpoints_requested.load(std::memory_order_relaxed);
  usage.checkpoint_pages = tallies.checkpoint_pages.load(std::memory_order_relaxed);
  usage.checkpoint_write_ns = tallies.checkpoint_write_ns.load(std::memory_order_relaxed);
  usage.checkpoint_sync_ns = tallies.checkpoint_sync_ns.load(std::memory_order_relaxed);
  return usage;
}

bool Log::HasRoom(uint64_t bytes) const {
  const Lsn used = header_->inserted.load(std::memory_order_relaxed) -
                   header_->written.load(std::memory_order_acquire);
  return used + bytes <= static_cast<uint64_t>(header_->ring_bytes);
}

void Log::MakeRoom(uint64_t bytes) {
  ExclusiveLatchGuard guard(header_->write);
  if (HasRoom(bytes)) return;
  LogTallies::Add(header_->tallies.buffers_full, 1);
  WriteOut(/*sync=*/false);
}

Lsn Log::AppendLocked(RecordBuilder& record) {
  const Lsn begin = header_->inserted.load(std::memory_order_relaxed);
  const std::string_view bytes = record.Seal(header_->log_number, begin);
  const auto ring = static_cast<uint64_t>(header_->ring_bytes);
  const uint64_t at = begin % ring;
  const uint64_t first = std::min<uint64_t>(bytes.size(), ring - at);
  std::memcpy(ring_ + at, bytes.data(), first);
  std::memcpy(ring_, bytes.data() + first, bytes.size() - first);
  const Lsn end = begin + bytes.size();
  header_->inserted.store(end, std::memory_order_release);
  LogTallies::Add(header_->records, 1);
  return end;
}

Lsn Log::Append(RecordBuilder& record) {
  const uint64_t bytes = AlignRecord(record.size());
  while (true) {
    {
      ExclusiveLatchGuard guard(header_->insert);
      if (HasRoom(bytes)) return AppendLocked(record);
    }
    MakeRoom(bytes);
  }
}

Lsn Log::AppendCommit(uint32_t session, const uint64_t* xids, int64_t count) {
  thread_local RecordBuilder record;
  bool begun = false;
  while (true) {
    const int64_t some = std::min(count, kMaxXidsPerRecord);
    const bool last = some == count;
    record.Begin(last ? RecordKind::kCommit : RecordKind::kMoreXids);
    // The top-level xid, which comes last, says to whom the others belong.
    record.Put(xids[count - 1]);
    // From it the log's reader knows a damaged record from one that a crash has torn.
    record.Put(durable());
    record.PutBytes({reinterpret_cast<const char*>(xids), some * sizeof(uint64_t)});
    const uint64_t bytes = AlignRecord(record.size());
    Lsn end = kNoLsn;
    while (end == kNoLsn) {
      {
        ExclusiveLatchGuard guard(header_->insert);
        if (HasRoom(bytes)) {
          if (!begun) {
            sessions_[session].commit_begins.store(
                header_->inserted.load(std::memory_order_relaxed), std::memory_order_release);
            begun = true;
          }
          if (last) ++header_->commits;
          end = AppendLocked(record);
        }
      }
      if (end == kNoLsn) MakeRoom(bytes);
    }
    if (last) return end;
    xids += some;
    count -= some;
  }
}

uint32_t Log::WantLater(Lsn lsn) {
  Lsn before = header_->wanted_later.load(std::memory_order_seq_cst);
  while (before < lsn && !header_->wanted_later.compare_exchange_weak(before, lsn)) {
  }
  if (header_->wal_writer_sleeps.load(std::memory_order_seq_cst) == 0) return 0;
  if (header_->wal_writer_sleeps.exchange(0, std::memory_order_seq_cst) == 0) return 0;
  return header_->wal_writer_slot.load(std::memory_order_seq_cst);
}

Log::RedoPoint Log::ChooseRedoPoint() {
  ExclusiveLatchGuard guard(header_->insert);
  RedoPoint point;
  point.lsn = header_->inserted.load(std::memory_order_relaxed);
  point.csn_bound = header_->first_csn + header_->commits;
  for (uint32_t session = 0; session < header_->session_count; ++session) {
    const Lsn begins = sessions_[session].commit_begins.load(std::memory_order_acquire);
    if (begins != kNoLsn) point.lsn = std::min(point.lsn, begins);
  }
  return point;
}

bool Log::TryFlush() {
  if (!header_->flush.TryLockExclusive()) return false;
  {
    const ExclusiveLatchGuard guard(header_->write);
    WriteOut(/*sync=*/true);
  }
  header_->flush.UnlockExclusive();
  return true;
}

void Log::Flush(Lsn lsn) {
  if (durable() >= lsn) return;
  ExclusiveLatchGuard guard(header_->write);
  if (durable() < lsn) WriteOut(/*sync=*/true);
}

void Log::WriteOut(bool sync) {
  const Lsn from = header_->written.load(std::memory_order_relaxed);
  const Lsn to = header_->inserted.load(std::memory_order_acquire);
  Status status = WriteRing(from, to);
  if (!status.ok()) Panic(status);
  header_->written.store(to, std::memory_order_release);
  if (!sync) return;
  if (header_->durable.load(std::memory_order_relaxed) == to) return;
  // The file that ends with `to`; those before it were synced when they were left.
  status = OpenLogFile((to - 1) / kLogFileBytes);
  if (status.ok() && fsync_) {
    status = SyncLogFile(LogFilePath(data_folder_, file_number_));
  }
  if (!status.ok()) Panic(status);
  LogTallies::Add(header_->tallies.flushes, 1);
  header_->durable.store(to, std::memory_order_seq_cst);
}

Status Log::WriteRing(Lsn from, Lsn to) {
  const auto ring = static_cast<uint64_t>(header_->ring_bytes);
  while (from < to) {
    const uint64_t number = from / kLogFileBytes;
    CONNBENCH_RETURN_IF_ERROR(OpenLogFile(number));
    const std::string path = LogFilePath(data_folder_, number);
    const Lsn file_end = (number + 1) * kLogFileBytes;
    const uint64_t bytes = std::min({to - from, file_end - from, ring - from % ring});
    const MonotonicNs begin = MonotonicNow();
    CONNBENCH_RETURN_IF_ERROR(WriteWhole(*file_, path, static_cast<int64_t>(from % kLogFileBytes),
                                         {ring_ + from % ring, bytes}));
    LogTallies::Add(header_->tallies.writes, 1);
    LogTallies::Add(header_->tallies.write_ns, MonotonicNow() - begin);
    from += bytes;
    // Whoever syncs the next file must not have to know of this one.
    if (from == file_end && fsync_) CONNBENCH_RETURN_IF_ERROR(SyncLogFile(path));
  }
  return {};
}

Status Log::SyncLogFile(const std::string& path) {
  const MonotonicNs begin = MonotonicNow();
  CONNBENCH_RETURN_IF_ERROR(SyncFile(*file_, path));
  LogTallies::Add(header_->tallies.syncs, 1);
  LogTallies::Add(header_->tallies.sync_ns, MonotonicNow() - begin);
  return {};
}

// The checkpointer alone makes spare files, and who holds the write latch alone takes them.
Result<bool> Log::TakeSpareFile(const std::string& path) {
  for (int spare = 0; spare < kSpareLogFiles; ++spare) {
    const std::string from = SpareLogFilePath(data_folder_, spare);
    const int renamed = files_.Rename(from, path);
    if (renamed == 0) return true;
    if (renamed != -ENOENT) return FileError(fmt::format("rename {} to {}", from, path), renamed);
  }
  return false;
}

// Syncing what is written into a file later need not also write down where its blocks are: a spare
// file has them, and a new one is filled with zeros first. What a spare file still holds are no
// records, since those are of other places.
Status Log::OpenLogFile(uint64_t number) {
  if (file_ != nullptr && file_number_ == number) return {};
  const std::string path = LogFilePath(data_folder_, number);
  file_.reset();
  file_number_ = number;
  const int opened = files_.Open(path, OpenMode::kReadWrite, file_);
  if (opened == 0) return {};
  if (opened != -ENOENT) return FileError(fmt::format("open {}", path), opened);
  CONNBENCH_ASSIGN_OR_RETURN(const bool spare, TakeSpareFile(path));
  CONNBENCH_ASSIGN_OR_RETURN(
      file_, OpenFile(files_, path, spare ? OpenMode::kReadWrite : OpenMode::kMakeNew));
  constexpr int64_t kChunk = int64_t{1} << 20;
  static const std::string zeros(kChunk, '\0');
  for (int64_t offset = 0; !spare && offset < kLogFileBytes; offset += kChunk) {
    CONNBENCH_RETURN_IF_ERROR(WriteWhole(*file_, path, offset, zeros));
  }
  if (!fsync_) return {};
  if (!spare) CONNBENCH_RETURN_IF_ERROR(SyncFile(*file_, path));
  return SyncFolder(files_, data_folder_ + "/" + kLogFolder);
}

}  // namespace connbench::engine
