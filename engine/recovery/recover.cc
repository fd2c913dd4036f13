// Recovery: brings back into an empty segment what a data directory holds.
#include "engine/recovery/recover.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "engine/files/whole.h"
#include "engine/recovery/page_places.h"
#include "engine/recovery/replay.h"
#include "engine/storage/catalog.h"
#include "engine/wal/log_reader.h"

namespace connbench::engine {
namespace {

// Says at which record something was wrong.
Status At(Status status, const std::string& place) {
  if (status.ok()) return status;
  return Status::Error(status.code(), fmt::format("{}: {}", place, status.error().message))
      .WithHint(status.error().hint);
}

Status ReplayCheckpoint(DataDirectory& directory, Storage& storage, Replay& replay) {
  const ControlFile& control = directory.control();
  const auto restore = [&](StorageId id, BlockNumber block, PagePlace place) {
    return storage.RestoreCheckpointPage(id, block, place);
  };
  CONNBENCH_ASSIGN_OR_RETURN(
      RecordFileReader reader,
      RecordFileReader::Open(directory.files(),
                             CheckpointPath(directory.folder(), control.checkpoint_number),
                             control.log_number));
  while (!replay.ended()) {
    const std::string where = fmt::format("{}, offset {}", reader.path(), reader.offset());
    CONNBENCH_ASSIGN_OR_RETURN(const LogRecord record, reader.Next());
    CONNBENCH_RETURN_IF_ERROR(At(record.kind == RecordKind::kPagePlaces
                                     ? ForEachPagePlace(record, restore)
                                     : replay.Apply(record),
                                 where));
  }
  return reader.CheckAtEnd();
}

Status ReplayLog(DataDirectory& directory, Replay& replay) {
  const ControlFile& control = directory.control();
  LogReader reader(directory.files(), directory.folder(), control.log_number, control.redo);
  LogRecord record;
  while (true) {
    const std::string place = reader.PlaceText();
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, reader.Next(record));
    if (!more) break;
    CONNBENCH_RETURN_IF_ERROR(At(replay.Apply(record), place));
  }
  if (reader.place() >= control.complete) return {};
  return Status::Error(sqlstate::kDataCorrupted,
                       fmt::format("{}: no sound record begins here, but the last checkpoint needs "
                                   "{} more bytes of log",
                                   reader.PlaceText(), control.complete - reader.place()));
}

// A transaction that made or dropped a relation may not have come to give storages back.
Status FreeLostStorages(Storage& storage, const TransactionSystem& transactions) {
  BlockingWaiter waiter;
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> backend,
                             Backend::StartAuxiliary(*transactions.backends, waiter));
  Transaction transaction(transactions, *backend);
  transaction.Begin(IsolationLevel::kReadCommitted, /*read_only=*/true);
  Catalog catalog(storage);
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<RelationRef> relations, catalog.List(transaction));
  const StorageHeader& header = storage.header();
  std::set<StorageId> used = {header.catalog_heap, header.catalog_by_name, header.catalog_by_oid,
                              header.role_heap, header.role_by_name};
  for (const RelationRef& relation : relations) {
    used.insert(relation->storage);
    for (const IndexInfo& index : relation->indexes) used.insert(index.storage);
  }
  transaction.Rollback();
  for (uint32_t index = 1; index < storage.slot_count(); ++index) {
    const StorageId id = storage.slot(index).id.load(std::memory_order_acquire);
    if (id != kNoStorage && !used.contains(id)) storage.FreeStorage(id);
  }
  return {};
}

}  // namespace

Result<Recovered> Recover(DataDirectory& directory, const Segment& segment, Storage& storage,
                          const TransactionSystem& transactions) {
  storage.UsePages(segment, directory.files(), directory.folder(), directory.control().log_number);
  Replay replay(storage);
  CONNBENCH_RETURN_IF_ERROR(ReplayCheckpoint(directory, storage, replay));
  CONNBENCH_RETURN_IF_ERROR(ReplayLog(directory, replay));
  CONNBENCH_RETURN_IF_ERROR(replay.Finish(segment, *transactions.commit_log));
  CONNBENCH_RETURN_IF_ERROR(FreeLostStorages(storage, transactions));
  Recovered recovered;
  recovered.log_records = replay.log_records();
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, directory.LogFiles());
  uint64_t next = std::max(directory.control().redo, directory.control().complete) / kLogFileBytes;
  for (const uint64_t number : numbers) next = std::max(next, number);
  recovered.log_start = (next + 1) * kLogFileBytes;
  return recovered;
}

}  // namespace connbench::engine
