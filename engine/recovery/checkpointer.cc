// Checkpoints.
#include "engine/recovery/checkpointer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/files/whole.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/replay.h"
#include "engine/storage/page_log.h"

namespace connbench::engine {
namespace {

constexpr uint64_t kFatesPerWord = 64;
constexpr uint64_t kWordsPerRecord = 8192;
// Pages that were made before there was a log have no LSN. In a checkpoint they have this one, so
// that they are older than every record.
constexpr Lsn kLsnBeforeLog = 1;

// Writes records one after the other into a new file.
class RecordFileWriter {
 public:
  RecordFileWriter(File& file, std::string path, uint64_t log_number)
      : file_(file), path_(std::move(path)), log_number_(log_number) {}
  Status Append(RecordBuilder& record) {
    const auto place = static_cast<Lsn>(written_) + buffer_.size();
    buffer_.append(record.Seal(log_number_, place));
    return buffer_.size() < kBufferBytes ? Status::Ok() : Flush();
  }
  Status Flush() {
    CONNBENCH_RETURN_IF_ERROR(WriteWhole(file_, path_, written_, buffer_));
    written_ += static_cast<int64_t>(buffer_.size());
    buffer_.clear();
    return {};
  }

 private:
  static constexpr size_t kBufferBytes = size_t{1} << 20;

  File& file_;
  const std::string path_;
  const uint64_t log_number_;
  int64_t written_ = 0;
  std::string buffer_;
};

Status WriteFates(RecordFileWriter& writer, const CommitLog& commit_log, Xid begin, Xid end) {
  RecordBuilder record;
  for (Xid first = begin; first < end;) {
    const Xid last = std::min(end, first + kWordsPerRecord * kFatesPerWord);
    record.Begin(RecordKind::kFates);
    for (; first < last; first += kFatesPerWord) {
      uint64_t committed = 0;
      for (uint64_t bit = 0; bit < kFatesPerWord; ++bit) {
        if (commit_log.Lookup(first + bit).committed()) committed |= uint64_t{1} << bit;
      }
      record.Put(committed);
    }
    CONNBENCH_RETURN_IF_ERROR(writer.Append(record));
  }
  return {};
}

// Adds the pages that it has written to pages.
Status WriteStorage(RecordFileWriter& writer, const BufferPool& pool, StorageId id,
                    const StorageSlot& slot, const std::function<bool()>& stop, int64_t& pages) {
  RecordBuilder record;
  record.Begin(RecordKind::kStorageMade);
  record.Put(id);
  record.Put(slot.relation.load(std::memory_order_relaxed));
  CONNBENCH_RETURN_IF_ERROR(writer.Append(record));
  record.Begin(RecordKind::kSequence);
  record.Put(id);
  record.Put(slot.sequence_called.load(std::memory_order_relaxed));
  record.Put(slot.sequence_value.load(std::memory_order_relaxed));
  CONNBENCH_RETURN_IF_ERROR(writer.Append(record));

  static constexpr char kZeros[kPageSize] = {};
  alignas(8) char copy[kPageSize];
  const BlockNumber blocks = slot.block_count.load(std::memory_order_acquire);
  for (BlockNumber block = 0; block < blocks; ++block) {
    if (stop && stop()) {
      return Status::Error(sqlstate::kAdminShutdown, "the checkpoint was given up: a shutdown");
    }
    {
      const ReadPageGuard guard = pool.Read(id, block);
      if (!guard.valid()) continue;  // given back meanwhile, and the log says so
      std::memcpy(copy, guard.data(), kPageSize);
    }
    record.Begin(RecordKind::kPages);
    PutPageChange(record,
                  LoggedPage{.storage = id,
                             .block = block,
                             .lsn = std::max(Page(copy).header().lsn, kLsnBeforeLog),
                             .flags = LoggedPage::kFresh,
                             .ranges = 0,
                             .zero = 0},
                  kZeros, copy);
    CONNBENCH_RETURN_IF_ERROR(writer.Append(record));
    ++pages;
  }
  return {};
}

}  // namespace

Result<int64_t> Checkpointer::WriteData(const std::string& path, const Log::RedoPoint& redo,
                                        const std::function<bool()>& stop) {
  if (const int removed = log_.files().Remove(path); removed < 0 && removed != -ENOENT) {
    return FileError(fmt::format("remove {}", path), removed);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                             OpenFile(log_.files(), path, OpenMode::kMakeNew));
  RecordFileWriter writer(*file, path, log_.header().log_number);
  CommitLog& commit_log = *transactions_.commit_log;
  const StorageHeader& header = storage_.header();
  const Beginning beginning{
      .csn_bound = redo.csn_bound,
      .forgotten = commit_log.oldest_remembered_xid() / kFatesPerWord * kFatesPerWord,
      .xid_limit = commit_log.xid_limit(),
      .catalog_heap = header.catalog_heap,
      .catalog_by_name = header.catalog_by_name,
      .catalog_by_oid = header.catalog_by_oid,
      .role_heap = header.role_heap,
      .role_by_name = header.role_by_name,
      .next_oid = header.next_oid.load(),
      .role_changes = header.role_changes.load()};
  RecordBuilder record;
  record.Begin(RecordKind::kBeginning);
  record.Put(beginning);
  CONNBENCH_RETURN_IF_ERROR(writer.Append(record));
  CONNBENCH_RETURN_IF_ERROR(
      WriteFates(writer, commit_log, beginning.forgotten, beginning.xid_limit));
  int64_t pages = 0;
  for (uint32_t index = 1; index < storage_.slot_count(); ++index) {
    const StorageSlot& slot = storage_.slot(index);
    const StorageId id = slot.id.load(std::memory_order_acquire);
    if (id == kNoStorage) continue;
    CONNBENCH_RETURN_IF_ERROR(WriteStorage(writer, storage_.pool(), id, slot, stop, pages));
  }
  record.Begin(RecordKind::kEnd);
  CONNBENCH_RETURN_IF_ERROR(writer.Append(record));
  CONNBENCH_RETURN_IF_ERROR(writer.Flush());
  if (!config_.fsync) return pages;
  CONNBENCH_RETURN_IF_ERROR(SyncFile(*file, path));
  CONNBENCH_RETURN_IF_ERROR(SyncFolder(log_.files(), log_.data_folder()));
  return pages;
}

// Rows' writers whose fate only hints in the rows tell may be forgotten when those hints are in the
// checkpoint, not before.
Result<CheckpointReport> Checkpointer::Run(DataState state, const std::function<bool()>& stop) {
  LogHeader& header = log_.header();
  const Xid forgettable = storage_.ForgettableBelow();
  const uint64_t number = header.checkpoint_number.load() + 1;
  const Log::RedoPoint redo = log_.ChooseRedoPoint();
  const std::string path = CheckpointPath(log_.data_folder(), number);
  Result<int64_t> pages = WriteData(path, redo, stop);
  if (!pages.ok()) {
    // On a disk that is full it would stand in the way of the log, which is a PANIC. What cannot be
    // removed now is removed before the next one is written.
    static_cast<void>(log_.files().Remove(path));
    return pages.TakeStatus();
  }
  // Some pages in the file are newer than redo: recovery needs the log that goes with them.
  const Lsn complete = log_.inserted();
  log_.Flush(complete);

  ControlFile control;
  control.page_bytes = kPageSize;
  control.log_number = header.log_number;
  control.storage_slots = storage_.slot_count();
  control.max_relations = static_cast<uint32_t>(config_.max_relations);
  control.state = state;
  control.checkpoint_number = number;
  control.redo = redo.lsn;
  control.complete = complete;
  // If this fails nobody knows which of the two the control file names: the next checkpoint is a
  // third one, and both stay until that is complete.
  header.checkpoint_number.store(number);
  CONNBENCH_RETURN_IF_ERROR(WriteControlFile(log_.files(), log_.data_folder(), control));
  header.redo.store(redo.lsn);
  header.checkpoint_complete.store(complete);
  transactions_.commit_log->AdvanceForgotten(forgettable);
  CONNBENCH_RETURN_IF_ERROR(RemoveOld(number, redo.lsn));
  return CheckpointReport{.number = number, .pages = *pages};
}

bool Checkpointer::Due() const {
  return log_.inserted() - log_.header().redo.load(std::memory_order_relaxed) >=
         static_cast<uint64_t>(config_.max_wal_size_bytes);
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
    if (number && *number != checkpoint_number) paths.push_back(folder + "/" + name);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, ListLogFiles(files, folder));
  for (const uint64_t log_file : numbers) {
    if (log_file < redo / kLogFileBytes) paths.push_back(LogFilePath(folder, log_file));
  }
  for (const std::string& path : paths) {
    if (const int removed = files.Remove(path); removed < 0 && removed != -ENOENT) {
      return FileError(fmt::format("remove {}", path), removed);
    }
  }
  return {};
}

}  // namespace connbench::engine
