// Checkpoints.
#include "engine/recovery/checkpointer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/files/whole.h"
#include "engine/recovery/control_file.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/replay.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/commit_flush.h"

namespace connbench::engine {
namespace {

constexpr uint64_t kFatesPerWord = 64;
constexpr uint64_t kWordsPerRecord = 8192;

// Writes records one after the other into a new file.
class RecordFileWriter {
 public:
  RecordFileWriter(std::unique_ptr<File> file, std::string path, uint64_t log_number)
      : file_(std::move(file)), path_(std::move(path)), log_number_(log_number) {}
  Status Append(RecordBuilder& record) {
    const auto place = static_cast<Lsn>(written_) + buffer_.size();
    buffer_.append(record.Seal(log_number_, place));
    return buffer_.size() < kBufferBytes ? Status::Ok() : Flush();
  }
  Status Flush() {
    CONNBENCH_RETURN_IF_ERROR(WriteWhole(*file_, path_, written_, buffer_));
    written_ += static_cast<int64_t>(buffer_.size());
    buffer_.clear();
    return {};
  }
  Status Sync() { return SyncFile(*file_, path_); }

 private:
  static constexpr size_t kBufferBytes = size_t{1} << 20;

  std::unique_ptr<File> file_;
  const std::string path_;
  const uint64_t log_number_;
  int64_t written_ = 0;
  std::string buffer_;
};

// A failed sync is not tried again: the kernel forgets what it could not write. PostgreSQL panics
// likewise (data_sync_retry).
Status OrPanic(CheckpointMoment moment, Status status) {
  if (!status.ok() && moment == CheckpointMoment::kServing) Panic(status);
  return status;
}

// One checkpoint while it is being written.
class CheckpointWriter {
 public:
  CheckpointWriter(Storage& storage, const CommitLog& commit_log, RecordFileWriter records,
                   const std::function<bool()>& stop)
      : storage_(storage),
        commit_log_(commit_log),
        places_(storage.pages()->places()),
        pages_(*storage.pages()),
        records_(std::move(records)),
        stop_(stop) {}

  Status WriteAll(const Beginning& beginning) {
    record_.Begin(RecordKind::kBeginning);
    record_.Put(beginning);
    CONNBENCH_RETURN_IF_ERROR(records_.Append(record_));
    CONNBENCH_RETURN_IF_ERROR(WriteFates(beginning.forgotten, beginning.xid_limit));
    for (uint32_t index = 1; index < storage_.slot_count(); ++index) {
      const StorageSlot& slot = storage_.slot(index);
      const StorageId id = slot.id.load(std::memory_order_acquire);
      if (id != kNoStorage) CONNBENCH_RETURN_IF_ERROR(WriteStorage(id, slot));
    }
    record_.Begin(RecordKind::kEnd);
    CONNBENCH_RETURN_IF_ERROR(records_.Append(record_));
    CONNBENCH_RETURN_IF_ERROR(pages_.Flush());
    return records_.Flush();
  }

  Status Sync() {
    CONNBENCH_RETURN_IF_ERROR(storage_.pages()->Sync());
    return records_.Sync();
  }

  // The checkpoint has failed: what it wrote counts for nobody, and the file gets its size back.
  void GiveUp() {
    places_.AbandonCheckpoint();
    storage_.pages()->CutFreeEnd();
  }
  // The checkpoint is complete: what it wrote need not be written again.
  void Publish() const {
    for (const Written& page : written_) {
      storage_.pool().SetNamedPlace(page.storage, page.block, page.place, page.written_before,
                                    page.lsn);
    }
    places_.CompleteCheckpoint();
  }

  // No page of the checkpoint asks about the end of a transaction below this.
  Xid oldest_unstamped() const { return oldest_unstamped_; }
  int64_t pages() const { return page_count_; }
  int64_t pages_written() const { return pages_written_; }

 private:
  struct Written {
    StorageId storage;
    BlockNumber block;
    uint32_t place;
    Lsn written_before;  // what was on disk when the page was copied
    Lsn lsn;
  };

  Status WriteFates(Xid begin, Xid end) {
    for (Xid first = begin; first < end;) {
      const Xid last = std::min(end, first + kWordsPerRecord * kFatesPerWord);
      record_.Begin(RecordKind::kFates);
      for (; first < last; first += kFatesPerWord) {
        uint64_t committed = 0;
        for (uint64_t bit = 0; bit < kFatesPerWord; ++bit) {
          if (commit_log_.Lookup(first + bit).committed()) committed |= uint64_t{1} << bit;
        }
        record_.Put(committed);
      }
      CONNBENCH_RETURN_IF_ERROR(records_.Append(record_));
    }
    return {};
  }

  Status WriteStorage(StorageId id, const StorageSlot& slot) {
    record_.Begin(RecordKind::kStorageMade);
    record_.Put(id);
    record_.Put(slot.relation.load(std::memory_order_relaxed));
    CONNBENCH_RETURN_IF_ERROR(records_.Append(record_));
    record_.Begin(RecordKind::kSequence);
    record_.Put(id);
    record_.Put(slot.sequence_called.load(std::memory_order_relaxed));
    record_.Put(slot.sequence_value.load(std::memory_order_relaxed));
    CONNBENCH_RETURN_IF_ERROR(records_.Append(record_));

    PlacesOfStorage places;
    places.resize(slot.block_count.load(std::memory_order_acquire));
    for (BlockNumber block = 0; block < places.size(); ++block) {
      if (stop_ && stop_()) {
        return Status::Error(sqlstate::kAdminShutdown, "the checkpoint was given up: a shutdown");
      }
      CONNBENCH_ASSIGN_OR_RETURN(places[block], WritePage(id, block));
    }
    for (size_t first = 0; first < places.size(); first += kMaxPlacesPerRecord) {
      PutPagePlaces(record_, id, static_cast<BlockNumber>(first), places);
      CONNBENCH_RETURN_IF_ERROR(records_.Append(record_));
    }
    return {};
  }

  // A page that has not changed since it was written, by whomever, stays where it is.
  Result<PagePlace> WritePage(StorageId id, BlockNumber block) {
    BufferPool& pool = storage_.pool();
    Lsn written_before = kNoLsn;
    while (true) {
      {
        const ReadPageGuard guard = pool.Read(id, block);
        if (guard.valid()) {
          ++page_count_;
          const PagePlace place = places_.ShareWritten(PageTag(id, block), guard.written_lsn(),
                                                       guard.page().header().lsn);
          if (place.somewhere()) return place;
          written_before = guard.written_lsn().load(std::memory_order_relaxed);
          StampFates(commit_log_, guard.page());
          std::memcpy(copy_, guard.data(), kPageSize);
          break;
        }
      }
      bool is_here = false;
      bool unstamped = false;
      const PagePlace place = pool.ShareAway(id, block, is_here, unstamped);
      if (place.somewhere()) {
        ++page_count_;
        return place;
      }
      if (is_here) continue;
      if (!unstamped) return PagePlace{};  // given back meanwhile, and the log says so
      PagePins pins;
      CONNBENCH_RETURN_IF_ERROR(pool.Bring(id, block, pins));
    }
    ++pages_written_;
    const Page page(copy_);
    const Xid unstamped = OldestUnstampedXid(page);
    oldest_unstamped_ = std::min(oldest_unstamped_, unstamped);
    CONNBENCH_ASSIGN_OR_RETURN(const PagePlace place,
                               pages_.Write(id, block, copy_, unstamped != kAllStamped));
    written_.push_back({.storage = id,
                        .block = block,
                        .place = place.place,
                        .written_before = written_before,
                        .lsn = page.header().lsn});
    return place;
  }

  Storage& storage_;
  const CommitLog& commit_log_;
  PlaceTable& places_;
  PagesWriter pages_;
  RecordFileWriter records_;
  const std::function<bool()>& stop_;
  RecordBuilder record_;
  alignas(8) char copy_[kPageSize] = {};
  std::vector<Written> written_;
  Xid oldest_unstamped_ = kAllStamped;
  int64_t page_count_ = 0;
  int64_t pages_written_ = 0;
};

}  // namespace

// A full disk shows here, before the old control file is touched.
Status Checkpointer::PrepareControl(CheckpointMoment moment, uint64_t number, Lsn redo,
                                    Lsn complete) {
  ControlFile control;
  control.page_bytes = kPageSize;
  control.log_number = log_.header().log_number;
  control.storage_slots = storage_.slot_count();
  control.max_relations = static_cast<uint32_t>(config_.max_relations);
  control.state = moment == CheckpointMoment::kEnd ? DataState::kShutDown : DataState::kInUse;
  control.checkpoint_number = number;
  control.redo = redo;
  control.complete = complete;
  Status prepared = PrepareControlFile(log_.files(), log_.data_folder(), control);
  if (prepared.code() == sqlstate::kDiskFull) return prepared;
  return OrPanic(moment, std::move(prepared));
}

// The end of a row's writer may be forgotten once no page that recovery can meet asks for it. The
// pages of the checkpoint do not, as far as its copies were stamped; pages that it shares with the
// last one had all stamps then; and what the log has changed since was stamped in memory.
Result<CheckpointReport> Checkpointer::Run(CheckpointMoment moment,
                                           const std::function<bool()>& stop) {
  LogHeader& header = log_.header();
  const std::string& folder = log_.data_folder();
  CommitLog& commit_log = *transactions_.commit_log;
  CONNBENCH_RETURN_IF_ERROR(storage_.pages()->OpenToWrite());
  const uint64_t number = header.checkpoint_number.load() + 1;
  const std::string path = CheckpointPath(folder, number);
  if (const int removed = log_.files().Remove(path); removed < 0 && removed != -ENOENT) {
    return FileError(fmt::format("remove {}", path), removed);
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                             OpenFile(log_.files(), path, OpenMode::kMakeNew));

  const Xid ended_below = commit_log.oldest_recent_xid();
  const Log::RedoPoint redo = log_.ChooseRedoPoint();
  CheckpointWriter writer(storage_, commit_log,
                          RecordFileWriter(std::move(file), path, header.log_number), stop);
  const StorageHeader& storage = storage_.header();
  const MonotonicNs begin = MonotonicNow();
  Status written = writer.WriteAll(
      {.csn_bound = redo.csn_bound,
       .forgotten = commit_log.oldest_remembered_xid() / kFatesPerWord * kFatesPerWord,
       .xid_limit = commit_log.xid_limit(),
       .catalog_heap = storage.catalog_heap,
       .catalog_by_name = storage.catalog_by_name,
       .catalog_by_oid = storage.catalog_by_oid,
       .role_heap = storage.role_heap,
       .role_by_name = storage.role_by_name,
       .next_oid = storage.next_oid.load(),
       .role_changes = storage.role_changes.load()});
  const MonotonicNs synced_from = MonotonicNow();
  if (written.ok() && config_.fsync) {
    written = OrPanic(moment, writer.Sync());
    if (written.ok()) written = OrPanic(moment, SyncFolder(log_.files(), folder));
  }
  const MonotonicNs synced = MonotonicNow();
  // Some pages are newer than redo: recovery needs the log that goes with them.
  const Lsn complete = log_.inserted();
  if (written.ok()) {
    log_.Flush(complete);
    WakeCommits(log_, *transactions_.backends);
    written = PrepareControl(moment, number, redo.lsn, complete);
  }
  if (!written.ok()) {
    // On a disk that is full it would stand in the way of the log, which is a PANIC. What cannot be
    // removed now is removed before the next one is written.
    writer.GiveUp();
    static_cast<void>(log_.files().Remove(path));
    return written;
  }
  // If this fails nobody knows which checkpoint counts: a server must not go on.
  CONNBENCH_RETURN_IF_ERROR(OrPanic(moment, PutControlFileInPlace(log_.files(), folder)));

  header.checkpoint_number.store(number);
  header.redo.store(redo.lsn);
  header.checkpoint_complete.store(complete);
  writer.Publish();
  commit_log.AdvanceForgotten(std::min(ended_below, writer.oldest_unstamped()));
  const CheckpointReport report{.number = number,
                                .pages = writer.pages(),
                                .pages_written = writer.pages_written(),
                                .write_ns = synced_from - begin,
                                .sync_ns = synced - synced_from};
  CONNBENCH_RETURN_IF_ERROR(RemoveOld(number, redo.lsn));
  return report;
}

void CountCheckpoint(LogTallies& tallies, const CheckpointReport& report, bool timed) {
  LogTallies::Add(timed ? tallies.checkpoints_timed : tallies.checkpoints_requested, 1);
  LogTallies::Add(tallies.checkpoint_pages, report.pages_written);
  LogTallies::Add(tallies.checkpoint_write_ns, report.write_ns);
  LogTallies::Add(tallies.checkpoint_sync_ns, report.sync_ns);
}

bool Checkpointer::Due() const {
  return log_.inserted() - log_.header().redo.load(std::memory_order_relaxed) >=
         static_cast<uint64_t>(config_.max_wal_size_bytes);
}

// Takes those off the list that become spare files. Nobody else makes one meanwhile. A crash may
// have left a file that is not whole: with records in it that would be damage.
Status Checkpointer::KeepSpareLogFiles(std::vector<uint64_t>& numbers) {
  Files& files = log_.files();
  const std::string& folder = log_.data_folder();
  std::vector<std::string> there;
  const std::string log_folder = folder + "/" + kLogFolder;
  if (const int listed = files.List(log_folder, there); listed < 0) {
    return FileError(fmt::format("list {}", log_folder), listed);
  }
  for (int spare = 0; spare < kSpareLogFiles && !numbers.empty(); ++spare) {
    const std::string path = SpareLogFilePath(folder, spare);
    if (std::find(there.begin(), there.end(), path.substr(log_folder.size() + 1)) != there.end()) {
      continue;
    }
    const std::string from = LogFilePath(folder, numbers.back());
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                               OpenFile(files, from, OpenMode::kRead));
    if (file->Size() != kLogFileBytes) return {};
    if (const int renamed = files.Rename(from, path); renamed < 0) {
      return FileError(fmt::format("rename {} to {}", from, path), renamed);
    }
    numbers.pop_back();
  }
  return {};
}

Status Checkpointer::RemoveOld(uint64_t checkpoint_number, Lsn redo) {
  Files& files = log_.files();
  const std::string& folder = log_.data_folder();
  std::vector<std::string> paths;
  std::vector<std::string> names;
  if (const int listed = files.List(folder, names); listed < 0) {
    return FileError(fmt::format("list {}", folder), listed);
  }
  for (const std::string& name : names) {
    const std::optional<uint64_t> number = CheckpointNumber(name);
    if (number && *number != checkpoint_number) {
      paths.push_back(fmt::format("{}/{}", folder, name));
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(std::vector<uint64_t> numbers, ListLogFiles(files, folder));
  std::erase_if(numbers, [&](uint64_t number) { return number >= redo / kLogFileBytes; });
  CONNBENCH_RETURN_IF_ERROR(KeepSpareLogFiles(numbers));
  for (const uint64_t number : numbers) paths.push_back(LogFilePath(folder, number));
  for (const std::string& path : paths) {
    if (const int removed = files.Remove(path); removed < 0 && removed != -ENOENT) {
      return FileError(fmt::format("remove {}", path), removed);
    }
  }
  return {};
}

}  // namespace connbench::engine
