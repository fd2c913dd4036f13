// Looks whether a data directory is sound.
#include "engine/verify_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/config.h"
#include "engine/executor/key_codec.h"
#include "engine/executor/nodes/table.h"
#include "engine/executor/row_codec.h"
#include "engine/files/whole.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/page_places.h"
#include "engine/recovery/recover.h"
#include "engine/recovery/replay.h"
#include "engine/segment/segment.h"
#include "engine/storage/catalog.h"
#include "engine/storage/integrity_check.h"
#include "engine/storage/page.h"
#include "engine/storage/page_log.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"
#include "engine/wal/log.h"
#include "engine/wal/log_reader.h"

namespace connbench::engine {
namespace {

Status Damage(std::string what) { return Status::Error(sqlstate::kDataCorrupted, std::move(what)); }

class Verifier {
 public:
  Verifier(DataDirectory& directory, const DamageFound& found)
      : directory_(directory), control_(directory.control()), found_(found) {}

  Result<VerifiedData> Run() {
    result_.checkpoint_number = control_.checkpoint_number;
    result_.shut_down = control_.state == DataState::kShutDown;
    if (control_.page_bytes != kPageSize) {
      Found(DamagedFile(directory_.folder() + "/" + ControlFile::kName,
                        offsetof(ControlFile, page_bytes),
                        fmt::format("pages of {} bytes; this program has pages of {}",
                                    control_.page_bytes, kPageSize)));
      return result_;
    }
    if (directory_.is_new()) return result_;
    Found(VerifyCheckpoint());
    Found(VerifyLog());
    if (result_.damages == 0) CONNBENCH_RETURN_IF_ERROR(VerifyStructure());
    return result_;
  }

 private:
  void Found(const Status& status) {
    if (status.ok()) return;
    ++result_.damages;
    found_(status);
  }

  // Goes on behind a record that is damaged as long as that says where it ends.
  Status VerifyCheckpoint() {
    const std::string path = CheckpointPath(directory_.folder(), control_.checkpoint_number);
    CONNBENCH_ASSIGN_OR_RETURN(
        RecordFileReader reader,
        RecordFileReader::Open(directory_.files(), path, control_.log_number));
    CONNBENCH_ASSIGN_OR_RETURN(
        const PagesReader pages,
        PagesReader::Open(directory_.files(), directory_.folder(), control_.log_number));
    bool first = true;
    while (true) {
      const int64_t offset = reader.offset();
      const Result<LogRecord> record = reader.Next();
      if (!record.ok()) {
        if (!reader.SkipDamaged()) return record.status();
        Found(record.status());
        first = false;
        continue;
      }
      if (first != (record->kind == RecordKind::kBeginning)) {
        Found(DamagedFile(path, offset, "the checkpoint's first record is not here"));
      }
      first = false;
      if (record->kind == RecordKind::kEnd) break;
      if (record->kind == RecordKind::kPagePlaces) {
        VerifyPages(pages, *record, path, offset);
        continue;
      }
      const std::string problem = ProblemIn(*record);
      if (!problem.empty()) Found(DamagedFile(path, offset, problem));
    }
    return reader.CheckAtEnd();
  }

  void VerifyPages(const PagesReader& pages, const LogRecord& record, const std::string& path,
                   int64_t offset) {
    alignas(8) char bytes[kPageSize] = {};
    const Status whole = ForEachPagePlace(
        record, [&](StorageId storage, BlockNumber block, PagePlace place) -> Status {
          ++result_.checkpoint_pages;
          const Status read = pages.Read(storage, block, place, bytes);
          const std::string problem = read.ok() ? Page(bytes).Verify() : "";
          Found(problem.empty() ? read : pages.Damaged(storage, block, place, problem));
          return {};
        });
    if (!whole.ok()) Found(DamagedFile(path, offset, whole.error().message));
  }

  Status VerifyLog() {
    CONNBENCH_ASSIGN_OR_RETURN(std::vector<uint64_t> numbers, directory_.LogFiles());
    result_.log_files = std::ssize(numbers);
    LogReader reader(directory_.files(), directory_.folder(), control_.log_number, control_.redo);
    LogRecord record;
    while (true) {
      const std::string place = reader.PlaceText();
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, reader.Next(record));
      if (!more) break;
      ++result_.log_records;
      const std::string problem = ProblemIn(record);
      if (!problem.empty()) Found(Damage(fmt::format("{}: {}", place, problem)));
    }
    if (reader.place() >= control_.complete) return {};
    return Damage(
        fmt::format("{}: no sound record begins here, but the last checkpoint needs {} "
                    "more bytes of log",
                    reader.PlaceText(), control_.complete - reader.place()));
  }

  // What is wrong with a record whose checksum is right; empty: nothing.
  std::string ProblemIn(const LogRecord& record) {
    if (record.kind != RecordKind::kPages) {
      const bool known = record.kind > RecordKind::kNone && record.kind <= RecordKind::kEnd;
      return known ? "" : fmt::format("a record of unknown kind {}", static_cast<int>(record.kind));
    }
    RecordReader reader(record.payload);
    while (reader.ok() && !reader.empty()) {
      const auto logged = reader.Get<LoggedPage>();
      if ((logged.flags & LoggedPage::kFresh) != 0) ++fresh_pages_;
      for (uint32_t i = 0; i < logged.ranges; ++i) {
        const auto range = reader.Get<LoggedRange>();
        (void)reader.GetBytes(range.length);
        if (range.offset < sizeof(Lsn) || range.offset + range.length > kPageSize) {
          return fmt::format("a change of page {} of storage {} goes beyond the page", logged.block,
                             logged.storage);
        }
      }
    }
    return reader.ok() ? "" : kShortRecord;
  }

  // Recovers into memory of its own, from which nothing is written, and looks at the outcome.
  Status VerifyStructure() {
    EngineConfig config;
    config.segment_backing = SegmentBacking::kAnonymous;
    config.data_directory = directory_.folder();
    config.max_connections = 1;
    config.superuser_reserved_connections = 0;
    config.max_relations = static_cast<int>(control_.max_relations);
    constexpr int64_t kSparePages = 1024;
    const int64_t pages = result_.checkpoint_pages + fresh_pages_;
    config.shared_buffers_bytes = (pages + pages / 8 + kSparePages) * kPageSize;
    const int64_t reserved =
        AddSize(TransactionSystem::ReservedShmemSize(config), Storage::ShmemSize(config));
    CONNBENCH_ASSIGN_OR_RETURN(
        const std::unique_ptr<Segment> segment,
        Segment::Create(config, reserved, TransactionSystem::SparseShmemSize(config)));
    CONNBENCH_ASSIGN_OR_RETURN(const TransactionSystem transactions,
                               TransactionSystem::Init(*segment, config));
    CONNBENCH_RETURN_IF_ERROR(Storage::Init(*segment, config));
    Storage storage(*segment, transactions);
    const Result<Recovered> recovered = Recover(directory_, *segment, storage, transactions);
    if (!recovered.ok()) {
      if (recovered.status().code() != sqlstate::kDataCorrupted) return recovered.status();
      Found(recovered.status());
      return {};
    }
    VerifyStorages(storage);
    return VerifyIndexes(storage, transactions);
  }

  void VerifyStorages(Storage& storage) {
    for (uint32_t index = 1; index < storage.slot_count(); ++index) {
      const StorageSlot& slot = storage.slot(index);
      const StorageId id = slot.id.load();
      if (id == kNoStorage || slot.block_count.load() == 0) continue;
      Found((slot.root_block.load() == kNoBlock ? CheckHeap(storage, id) : CheckBTree(storage, id))
                .TakeStatus());
    }
  }

  Status VerifyIndexes(Storage& storage, const TransactionSystem& transactions) {
    BlockingWaiter waiter;
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> backend,
                               Backend::StartAuxiliary(*transactions.backends, waiter));
    Transaction transaction(transactions, *backend);
    transaction.Begin(IsolationLevel::kReadCommitted, /*read_only=*/true);
    Catalog catalog(storage);
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<RelationRef> relations, catalog.List(transaction));
    for (const RelationRef& relation : relations) {
      if (relation->kind != RelationKind::kTable) continue;
      ++result_.tables;
      for (const IndexInfo& index : relation->indexes) {
        ++result_.indexes;
        const Status checked = VerifyIndex(storage, transaction, *relation, index);
        if (checked.ok()) continue;
        Found(Damage(fmt::format("table \"{}\", index \"{}\": {}", relation->name, index.name,
                                 checked.error().message)));
      }
    }
    transaction.Rollback();
    return {};
  }

  static Status VerifyIndex(Storage& storage, Transaction& transaction, const RelationInfo& table,
                            const IndexInfo& index) {
    const RowCodec codec = CodecOf(table);
    const KeyOfRow key_of_row = [&](std::string_view row) {
      KeyBuffer key;
      for (const int16_t column : index.key_columns) {
        AppendKey(table.columns[static_cast<size_t>(column)].type_oid,
                  codec.DecodeColumn(row, column), key);
      }
      return std::string(key.view());
    };
    return CheckIndexAgainstHeap(storage, transaction, table.storage, index.storage, key_of_row);
  }

  DataDirectory& directory_;
  const ControlFile control_;
  const DamageFound& found_;
  VerifiedData result_;
  int64_t fresh_pages_ = 0;  // that the log makes
};

}  // namespace

Result<VerifiedData> VerifyData(Files& files, const std::string& folder, const DamageFound& found) {
  Result<std::unique_ptr<DataDirectory>> directory = DataDirectory::OpenToRead(files, folder);
  if (directory.ok()) return Verifier(**directory, found).Run();
  // A damaged control file is a finding; nothing else can be read without it.
  if (directory.status().code() != sqlstate::kDataCorrupted) return directory.TakeStatus();
  found(directory.status());
  return VerifiedData{.damages = 1};
}

}  // namespace connbench::engine
