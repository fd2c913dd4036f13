// Does again what records say.
#include "engine/recovery/replay.h"

#include <fmt/format.h>

#include <algorithm>

namespace connbench::engine {
namespace {

constexpr uint64_t kXidsPerWord = 64;

}  // namespace

void Replay::MarkCommitted(Xid xid) {
  if (xid < beginning_.forgotten) return;
  const uint64_t bit = xid - beginning_.forgotten;
  if (committed_.size() <= bit / kXidsPerWord) committed_.resize(bit / kXidsPerWord + 1);
  committed_[bit / kXidsPerWord] |= uint64_t{1} << bit % kXidsPerWord;
}

void Replay::ApplyCommit(RecordReader& reader, bool last) {
  const Xid top = reader.Get<Xid>();
  reader.Get<Lsn>();  // up to where the log was on disk by then
  std::vector<Xid>& xids = more_xids_[top];
  while (reader.ok() && !reader.empty()) xids.push_back(reader.Get<Xid>());
  if (!last) return;
  for (const Xid xid : xids) MarkCommitted(xid);
  more_xids_.erase(top);
  ++beginning_.csn_bound;
}

Status Replay::ApplyStorage(const LogRecord& record, RecordReader& reader) {
  const auto id = reader.Get<StorageId>();
  const auto value = reader.Get<uint32_t>();
  switch (record.kind) {
    case RecordKind::kStorageMade:
      return storage_.RestoreStorage(id, value);
    case RecordKind::kStorageFreed:
      storage_.RestoreFreed(id);
      return {};
    case RecordKind::kBlockCount:
      storage_.RestoreBlockCount(id, value);
      return {};
    default:
      storage_.RestoreSequence(id, value != 0, reader.Get<int64_t>());
      return {};
  }
}

Status Replay::Apply(const LogRecord& record) {
  if (ended_) ++log_records_;
  RecordReader reader(record.payload);
  switch (record.kind) {
    case RecordKind::kPages:
      while (reader.ok() && !reader.empty()) {
        CONNBENCH_RETURN_IF_ERROR(storage_.RestorePage(reader, record.end));
      }
      break;
    case RecordKind::kCommit:
    case RecordKind::kMoreXids:
      ApplyCommit(reader, record.kind == RecordKind::kCommit);
      break;
    case RecordKind::kXidLimit:
      beginning_.xid_limit = std::max(beginning_.xid_limit, reader.Get<Xid>());
      break;
    case RecordKind::kStorageMade:
    case RecordKind::kStorageFreed:
    case RecordKind::kBlockCount:
    case RecordKind::kSequence:
      CONNBENCH_RETURN_IF_ERROR(ApplyStorage(record, reader));
      break;
    case RecordKind::kNextOid:
      beginning_.next_oid = std::max(beginning_.next_oid, reader.Get<uint32_t>());
      break;
    case RecordKind::kBeginning:
      beginning_ = reader.Get<Beginning>();
      break;
    case RecordKind::kFates:
      // One after the other, from the first that is not forgotten.
      while (reader.ok() && !reader.empty()) committed_.push_back(reader.Get<uint64_t>());
      break;
    case RecordKind::kEnd:
      ended_ = true;
      break;
    default:
      return Status::Error(sqlstate::kDataCorrupted, fmt::format("a record of unknown kind {}",
                                                                 static_cast<int>(record.kind)));
  }
  if (reader.ok()) return {};
  return Status::Error(sqlstate::kDataCorrupted, kShortRecord);
}

Status Replay::Finish(const Segment& segment, CommitLog& commit_log) {
  StorageHeader& header = storage_.header();
  header.catalog_heap = beginning_.catalog_heap;
  header.catalog_by_name = beginning_.catalog_by_name;
  header.catalog_by_oid = beginning_.catalog_by_oid;
  header.role_heap = beginning_.role_heap;
  header.role_by_name = beginning_.role_by_name;
  header.next_oid.store(beginning_.next_oid);
  // The log does not say whether a role has changed; that one may have costs little.
  header.role_changes.store(beginning_.role_changes + (log_records_ > 0 ? 1 : 0));
  CONNBENCH_RETURN_IF_ERROR(commit_log.Restore(segment, beginning_.forgotten, beginning_.xid_limit,
                                               beginning_.csn_bound, committed_));
  return storage_.FinishRestore(beginning_.forgotten);
}

}  // namespace connbench::engine
