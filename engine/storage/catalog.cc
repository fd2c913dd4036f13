// The catalog: which tables, indexes, sequences and views there are, shared by all sessions.
#include "engine/storage/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/storage/btree.h"
#include "engine/storage/catalog_row.h"
#include "engine/storage/latest_snapshot.h"
#include "engine/storage/storage.h"
#include "engine/storage/vacuum.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

constexpr Oid kCatalogOid = 1259;  // of the system heap, for locks: pg_class has it in PostgreSQL

// Names hold no zero byte, so that no key is the beginning of another.
std::string NameKey(std::string_view name) { return std::string(name) + '\0'; }

std::string OidKey(Oid oid) {
  return {static_cast<char>(oid >> 24), static_cast<char>(oid >> 16), static_cast<char>(oid >> 8),
          static_cast<char>(oid)};
}

Status CheckRowSize(std::string_view name, std::string_view row) {
  if (row.size() <= kMaxRowSize) return {};
  return Status::Error(sqlstate::kProgramLimitExceeded,
                       fmt::format("definition of \"{}\" takes {} bytes, maximum {}", name,
                                   row.size(), kMaxRowSize))
      .WithHint("Use fewer columns, or shorter names and expressions.");
}

Status DoesNotExist(std::string_view name) {
  return Status::Error(sqlstate::kUndefinedTable,
                       fmt::format("relation \"{}\" does not exist", name));
}

}  // namespace

int RelationInfo::FindColumn(std::string_view column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return static_cast<int>(i);
  }
  return -1;
}

bool RelationInfo::HasConstraint(std::string_view constraint) const {
  const auto named = [constraint](const auto& each) { return each.name == constraint; };
  return std::any_of(foreign_keys.begin(), foreign_keys.end(), named) ||
         std::any_of(checks.begin(), checks.end(), named) ||
         std::any_of(indexes.begin(), indexes.end(), [&](const IndexInfo& index) {
           return index.constraint && index.name == constraint;
         });
}

const IndexInfo* RelationInfo::primary_key() const {
  for (const IndexInfo& index : indexes) {
    if (index.primary) return &index;
  }
  return nullptr;
}

const ForeignKeyInfo* RelationInfo::FindForeignKey(Oid key_oid) const {
  for (const ForeignKeyInfo& key : foreign_keys) {
    if (key.oid == key_oid) return &key;
  }
  return nullptr;
}

struct Catalog::StorageChange {
  std::vector<StorageId> free_at_commit;
  std::vector<StorageId> free_at_abort;
};

// Runs after the commit log knows and before the locks go: whoever waits for a lock on the relation
// finds the new shared version.
class Catalog::ChangeAction : public EndAction {
 public:
  ChangeAction(Storage& storage, std::shared_ptr<uint64_t> own_changes, StorageChange change)
      : storage_(storage), own_changes_(std::move(own_changes)), change_(std::move(change)) {}

  void OnCommit() override {
    ++*own_changes_;
    storage_.header().catalog_version.fetch_add(1, std::memory_order_acq_rel);
    for (const StorageId id : change_.free_at_commit) storage_.FreeStorage(id);
  }
  void OnAbort() override {
    ++*own_changes_;
    for (const StorageId id : change_.free_at_abort) storage_.FreeStorage(id);
  }

 private:
  Storage& storage_;
  std::shared_ptr<uint64_t> own_changes_;
  StorageChange change_;
};

Catalog::Catalog(Storage& storage)
    : storage_(&storage), own_changes_(std::make_shared<uint64_t>(0)) {}

[[gnu::hot]] uint64_t Catalog::shared_version() const {
  return storage_->header().catalog_version.load(std::memory_order_acquire);
}

void Catalog::NoteChange(Transaction& transaction, const StorageChange& change) {
  ++*own_changes_;
  transaction.AddEndAction(std::make_unique<ChangeAction>(*storage_, own_changes_, change));
  transaction.AdvanceCommand();
}

// --- Looking up
// -----------------------------------------------------------------------------------

Result<bool> Catalog::Lookup(Transaction& transaction, StorageId index, std::string_view key,
                             Found& found) {
  LatestSnapshot snapshot(transaction);
  Heap heap(*storage_, storage_->header().catalog_heap);
  BTreeScan scan(BTree(*storage_, index), IndexBound::Inclusive(key), IndexBound::Inclusive(key),
                 ScanDirection::kForward);
  auto buffer = std::make_unique<RowBuffer>();
  while (true) {
    Tid tid;
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(tid));
    if (!more) return false;
    HeapRow row;
    CONNBENCH_ASSIGN_OR_RETURN(const FetchOutcome outcome,
                               heap.Fetch(transaction, snapshot.get(), tid, *buffer, row));
    if (outcome == FetchOutcome::kAllDead) scan.KillCurrent();
    if (outcome != FetchOutcome::kFound) continue;
    found = {row.tid, std::string(row.bytes)};
    return true;
  }
}

Result<RelationRef> Catalog::Load(Transaction& transaction, StorageId index, std::string_view key,
                                  std::unordered_map<std::string, Cached>& cache) {
  const auto entry = cache.find(std::string(key));
  // Read before the look-up: what commits in between makes the entry outdated, never wrong.
  const uint64_t version = shared_version();
  const uint64_t own_changes = *own_changes_;
  if (entry != cache.end() && entry->second.version == version &&
      entry->second.own_changes == own_changes) {
    return entry->second.relation;
  }
  Found found;
  CONNBENCH_ASSIGN_OR_RETURN(const bool exists, Lookup(transaction, index, key, found));
  if (!exists) {
    if (entry != cache.end()) {
      known_.erase(entry->second.relation->oid);
      cache.erase(entry);
    }
    return RelationRef();
  }
  CONNBENCH_ASSIGN_OR_RETURN(RelationInfo relation, DecodeCatalogRow(found.row));
  if (relation.kind == RelationKind::kIndex) {
    // Where an index is stored is the table's to say. Both may have been dropped since the index's
    // row was read.
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table,
                               FindByOidIfExists(transaction, relation.table_oid));
    if (table == nullptr) return RelationRef();
    for (const IndexInfo& info : table->indexes) {
      if (info.oid == relation.oid) relation.storage = info.storage;
    }
  }
  Known& known = known_[relation.oid];
  if (known.relation == nullptr || known.row != found.row ||
      known.relation->storage != relation.storage) {
    known.relation = std::make_shared<const RelationInfo>(std::move(relation));
    known.row = std::move(found.row);
  }
  cache[std::string(key)] = {
      .relation = known.relation, .version = version, .own_changes = own_changes};
  return known.relation;
}

Result<RelationRef> Catalog::FindIfExists(Transaction& transaction, std::string_view name) {
  return Load(transaction, storage_->header().catalog_by_name, NameKey(name), by_name_);
}

Result<RelationRef> Catalog::Find(Transaction& transaction, std::string_view name) {
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef relation, FindIfExists(transaction, name));
  if (relation == nullptr) return DoesNotExist(name);
  return relation;
}

Result<RelationRef> Catalog::FindByOidIfExists(Transaction& transaction, Oid oid) {
  return Load(transaction, storage_->header().catalog_by_oid, OidKey(oid), by_oid_);
}

Result<RelationRef> Catalog::FindByOid(Transaction& transaction, Oid oid) {
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef relation, FindByOidIfExists(transaction, oid));
  if (relation == nullptr) {
    return Status::Error(sqlstate::kUndefinedTable,
                         fmt::format("relation with OID {} does not exist", oid));
  }
  return relation;
}

Result<std::vector<RelationRef>> Catalog::List(Transaction& transaction) {
  std::vector<std::string> names;
  {
    LatestSnapshot snapshot(transaction);
    Heap heap(*storage_, storage_->header().catalog_heap);
    HeapScan scan(heap, transaction, snapshot.get());
    HeapRow row;
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(row));
      if (!more) break;
      CONNBENCH_ASSIGN_OR_RETURN(RelationInfo relation, DecodeCatalogRow(row.bytes));
      names.push_back(std::move(relation.name));
    }
  }
  std::sort(names.begin(), names.end());
  std::vector<RelationRef> relations;
  for (const std::string& name : names) {
    CONNBENCH_ASSIGN_OR_RETURN(RelationRef relation, FindIfExists(transaction, name));
    if (relation != nullptr) relations.push_back(std::move(relation));
  }
  return relations;
}

Result<std::vector<RelationRef>> Catalog::ListAsOf(Transaction& transaction,
                                                   const Snapshot& snapshot) {
  std::vector<RelationInfo> found;
  HeapRow row;
  // Two pages' worth of copies: too much for a stack of unknown size.
  const auto scan = std::make_unique<HeapScan>(Heap(*storage_, storage_->header().catalog_heap),
                                               transaction, snapshot);
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan->Next(row));
    if (!more) break;
    CONNBENCH_ASSIGN_OR_RETURN(found.emplace_back(), DecodeCatalogRow(row.bytes));
  }
  // Where an index is stored is the table's to say.
  std::unordered_map<Oid, StorageId> stored;
  for (const RelationInfo& relation : found) {
    for (const IndexInfo& index : relation.indexes) stored[index.oid] = index.storage;
  }
  std::sort(found.begin(), found.end(),
            [](const RelationInfo& a, const RelationInfo& b) { return a.oid < b.oid; });
  std::vector<RelationRef> relations;
  relations.reserve(found.size());
  for (RelationInfo& relation : found) {
    if (relation.kind == RelationKind::kIndex) relation.storage = stored[relation.oid];
    relations.push_back(std::make_shared<const RelationInfo>(std::move(relation)));
  }
  return relations;
}

// --- Changing
// -------------------------------------------------------------------------------------

Result<StorageId> Catalog::NewStorage(Transaction& transaction, Oid oid, bool index,
                                      PageSource source) {
  CONNBENCH_ASSIGN_OR_RETURN(const StorageId id, storage_->CreateStorage(oid));
  NoteChange(transaction, {.free_at_commit = {}, .free_at_abort = {id}});
  if (index) CONNBENCH_RETURN_IF_ERROR(BTree::Create(*storage_, id, source));
  return id;
}

Status Catalog::InsertName(Transaction& transaction, Heap& heap, std::string_view name, Tid tid) {
  CONNBENCH_ASSIGN_OR_RETURN(const IndexInsertOutcome outcome,
                             BTree(*storage_, storage_->header().catalog_by_name)
                                 .InsertUnique(transaction, heap, NameKey(name), tid));
  if (outcome != IndexInsertOutcome::kDuplicate) return {};
  return Status::Error(sqlstate::kDuplicateTable,
                       fmt::format("relation \"{}\" already exists", name));
}

Status Catalog::InsertRow(Transaction& transaction, const RelationInfo& relation) {
  const StorageHeader& header = storage_->header();
  // The reserve is for changes that free pages, and this is none.
  if (storage_->pool().full()) return storage_->pool().FullError();
  const std::string row = EncodeCatalogRow(relation);
  CONNBENCH_RETURN_IF_ERROR(CheckRowSize(relation.name, row));
  const LatestSnapshot snapshot(transaction);
  CONNBENCH_RETURN_IF_ERROR(Tidy());
  Heap heap(*storage_, header.catalog_heap);
  CONNBENCH_ASSIGN_OR_RETURN(const Tid tid, heap.Insert(transaction, row));
  CONNBENCH_RETURN_IF_ERROR(InsertName(transaction, heap, relation.name, tid));
  CONNBENCH_RETURN_IF_ERROR(
      BTree(*storage_, header.catalog_by_oid).Insert(OidKey(relation.oid), tid, &heap));
  NoteChange(transaction, {});
  return {};
}

Status Catalog::Tidy() {
  const StorageHeader& header = storage_->header();
  const StorageId indexes[] = {header.catalog_by_name, header.catalog_by_oid};
  return TidyTable(*storage_, header.catalog_heap, indexes);
}

Result<RelationInfo> Catalog::Current(Transaction& transaction, Oid oid, Tid& tid) {
  Found found;
  CONNBENCH_ASSIGN_OR_RETURN(
      const bool exists,
      Lookup(transaction, storage_->header().catalog_by_oid, OidKey(oid), found));
  if (!exists) {
    return Status::Error(sqlstate::kUndefinedTable,
                         fmt::format("relation with OID {} does not exist", oid));
  }
  tid = found.tid;
  return DecodeCatalogRow(found.row);
}

// Two sessions may create indexes on one table at once, and so meet here: the later one waits for
// the earlier one's end and then adds to what that left.
template <typename Change>
Status Catalog::ReplaceRow(Transaction& transaction, Oid oid, const Change& change) {
  const StorageHeader& header = storage_->header();
  CONNBENCH_RETURN_IF_ERROR(Tidy());
  Heap heap(*storage_, header.catalog_heap);
  while (true) {
    LatestSnapshot snapshot(transaction);
    Tid tid;
    CONNBENCH_ASSIGN_OR_RETURN(RelationInfo relation, Current(transaction, oid, tid));
    const std::string old_name = relation.name;
    change(relation);
    const bool renamed = relation.name != old_name;
    const std::string row = EncodeCatalogRow(relation);
    CONNBENCH_RETURN_IF_ERROR(CheckRowSize(relation.name, row));
    CONNBENCH_ASSIGN_OR_RETURN(const WriteResult result,
                               heap.Update(transaction, tid, row, /*may_be_hot=*/!renamed));
    if (result.outcome != WriteOutcome::kOk) continue;
    if (renamed) {
      CONNBENCH_RETURN_IF_ERROR(InsertName(transaction, heap, relation.name, result.tid));
      CONNBENCH_RETURN_IF_ERROR(
          BTree(*storage_, header.catalog_by_oid).Insert(OidKey(oid), result.tid, &heap));
    } else if (!result.hot) {
      CONNBENCH_RETURN_IF_ERROR(BTree(*storage_, header.catalog_by_name)
                                    .Insert(NameKey(relation.name), result.tid, &heap));
      CONNBENCH_RETURN_IF_ERROR(
          BTree(*storage_, header.catalog_by_oid).Insert(OidKey(oid), result.tid, &heap));
    }
    NoteChange(transaction, {});
    return {};
  }
}

Status Catalog::DeleteRow(Transaction& transaction, Oid oid) {
  CONNBENCH_RETURN_IF_ERROR(Tidy());
  Heap heap(*storage_, storage_->header().catalog_heap);
  while (true) {
    LatestSnapshot snapshot(transaction);
    Tid tid;
    CONNBENCH_ASSIGN_OR_RETURN([[maybe_unused]] const RelationInfo relation,
                               Current(transaction, oid, tid));
    CONNBENCH_ASSIGN_OR_RETURN(const WriteResult result, heap.Delete(transaction, tid));
    if (result.outcome != WriteOutcome::kOk) continue;
    NoteChange(transaction, {});
    return {};
  }
}

Result<RelationRef> Catalog::CreateTable(Transaction& transaction, const RelationInfo& definition) {
  if (definition.columns.size() > kMaxColumns) {
    return Status::Error(sqlstate::kTooManyColumns,
                         fmt::format("tables can have at most {} columns", kMaxColumns));
  }
  RelationInfo table;
  table.kind = RelationKind::kTable;
  table.name = definition.name;
  table.owner = definition.owner;
  table.columns = definition.columns;
  table.foreign_keys = definition.foreign_keys;
  table.checks = definition.checks;
  table.oid = NewOid();
  CONNBENCH_ASSIGN_OR_RETURN(table.storage, NewStorage(transaction, table.oid, false));
  CONNBENCH_RETURN_IF_ERROR(InsertRow(transaction, table));
  return FindByOid(transaction, table.oid);
}

Result<RelationRef> Catalog::CreateIndex(Transaction& transaction, const RelationRef& table,
                                         const IndexInfo& definition) {
  if (definition.key_columns.size() > kMaxIndexColumns) {
    return Status::Error(
        sqlstate::kTooManyColumns,
        fmt::format("cannot use more than {} columns in an index", kMaxIndexColumns));
  }
  IndexInfo index = definition;
  index.oid = NewOid();
  CONNBENCH_ASSIGN_OR_RETURN(index.storage, NewStorage(transaction, index.oid, true));
  index.usable_from_csn = storage_->commit_log().last_csn();
  RelationInfo row;
  row.kind = RelationKind::kIndex;
  row.oid = index.oid;
  row.name = index.name;
  row.table_oid = table->oid;
  CONNBENCH_RETURN_IF_ERROR(InsertRow(transaction, row));
  CONNBENCH_RETURN_IF_ERROR(ReplaceRow(
      transaction, table->oid, [&](RelationInfo& changed) { changed.indexes.push_back(index); }));
  return FindByOid(transaction, table->oid);
}

Result<RelationRef> Catalog::CreateSequence(Transaction& transaction, std::string_view name,
                                            const SequenceInfo& definition, Oid owner) {
  RelationInfo sequence;
  sequence.kind = RelationKind::kSequence;
  sequence.name = name;
  sequence.owner = owner;
  sequence.sequence = definition;
  sequence.oid = NewOid();
  CONNBENCH_ASSIGN_OR_RETURN(sequence.storage, NewStorage(transaction, sequence.oid, false));
  storage_->Find(sequence.storage)
      ->sequence_value.store(definition.start, std::memory_order_relaxed);
  storage_->LogSequence(sequence.storage, *storage_->Find(sequence.storage));
  CONNBENCH_RETURN_IF_ERROR(InsertRow(transaction, sequence));
  return FindByOid(transaction, sequence.oid);
}

Result<RelationRef> Catalog::CreateView(Transaction& transaction, const RelationInfo& definition) {
  RelationInfo view;
  view.kind = RelationKind::kView;
  view.name = definition.name;
  view.owner = definition.owner;
  view.columns = definition.columns;
  view.view = definition.view;
  view.oid = NewOid();
  view.view.rule_oid = NewOid();
  CONNBENCH_RETURN_IF_ERROR(InsertRow(transaction, view));
  return FindByOid(transaction, view.oid);
}

Status Catalog::Drop(Transaction& transaction, const RelationRef& relation) {
  CONNBENCH_RETURN_IF_ERROR(DeleteRow(transaction, relation->oid));
  StorageChange change;
  if (relation->kind != RelationKind::kView) change.free_at_commit.push_back(relation->storage);
  if (relation->kind == RelationKind::kIndex) {
    CONNBENCH_RETURN_IF_ERROR(
        ReplaceRow(transaction, relation->table_oid, [&](RelationInfo& table) {
          std::erase_if(table.indexes,
                        [&](const IndexInfo& index) { return index.oid == relation->oid; });
        }));
  }
  for (const IndexInfo& index : relation->indexes) {
    CONNBENCH_RETURN_IF_ERROR(DeleteRow(transaction, index.oid));
    change.free_at_commit.push_back(index.storage);
  }
  for (const ColumnInfo& column : relation->columns) {
    if (column.owned_sequence == 0) continue;
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                               FindByOid(transaction, column.owned_sequence));
    CONNBENCH_RETURN_IF_ERROR(DeleteRow(transaction, sequence->oid));
    change.free_at_commit.push_back(sequence->storage);
  }
  NoteChange(transaction, change);
  return {};
}

Result<RelationRef> Catalog::Truncate(Transaction& transaction, const RelationRef& table) {
  StorageChange change{.free_at_commit = {table->storage}, .free_at_abort = {}};
  CONNBENCH_ASSIGN_OR_RETURN(const StorageId heap, NewStorage(transaction, table->oid, false));
  std::vector<StorageId> indexes;
  for (const IndexInfo& index : table->indexes) {
    CONNBENCH_ASSIGN_OR_RETURN(const StorageId storage,
                               NewStorage(transaction, index.oid, true, PageSource::kReserve));
    indexes.push_back(storage);
    change.free_at_commit.push_back(index.storage);
  }
  CONNBENCH_RETURN_IF_ERROR(ReplaceRow(transaction, table->oid, [&](RelationInfo& changed) {
    changed.storage = heap;
    for (size_t i = 0; i < indexes.size(); ++i) changed.indexes[i].storage = indexes[i];
    // There are no rows of the older generations any more.
    changed.generations.clear();
    for (ColumnInfo& column : changed.columns) column.missing.clear();
  }));
  NoteChange(transaction, change);
  return FindByOid(transaction, table->oid);
}

Result<RelationRef> Catalog::AlterColumns(Transaction& transaction, const RelationRef& table,
                                          std::vector<ColumnInfo> columns) {
  if (columns.size() != table->columns.size()) {
    return Status::Error(sqlstate::kInternalError, "AlterColumns cannot add or remove columns");
  }
  CONNBENCH_RETURN_IF_ERROR(ReplaceRow(transaction, table->oid,
                                       [&](RelationInfo& changed) { changed.columns = columns; }));
  return FindByOid(transaction, table->oid);
}

Result<RelationRef> Catalog::Alter(Transaction& transaction, const RelationRef& relation,
                                   const std::function<void(RelationInfo&)>& change) {
  CONNBENCH_RETURN_IF_ERROR(ReplaceRow(transaction, relation->oid, change));
  return FindByOid(transaction, relation->oid);
}

Result<RelationRef> Catalog::Rename(Transaction& transaction, const RelationRef& relation,
                                    std::string_view name) {
  CONNBENCH_RETURN_IF_ERROR(ReplaceRow(transaction, relation->oid,
                                       [name](RelationInfo& changed) { changed.name = name; }));
  return FindByOid(transaction, relation->oid);
}

Result<RelationRef> Catalog::AlterSequence(Transaction& transaction, const RelationRef& sequence,
                                           const SequenceInfo& definition, int64_t value,
                                           bool called) {
  CONNBENCH_ASSIGN_OR_RETURN(const StorageId storage,
                             NewStorage(transaction, sequence->oid, false));
  StorageSlot& slot = *storage_->Find(storage);
  slot.sequence_value.store(value, std::memory_order_relaxed);
  slot.sequence_called.store(called ? 1 : 0, std::memory_order_relaxed);
  storage_->LogSequence(storage, slot);
  CONNBENCH_RETURN_IF_ERROR(ReplaceRow(transaction, sequence->oid, [&](RelationInfo& changed) {
    changed.storage = storage;
    changed.sequence = definition;
  }));
  NoteChange(transaction, {.free_at_commit = {sequence->storage}, .free_at_abort = {}});
  return FindByOid(transaction, sequence->oid);
}

Oid Catalog::NewOid() { return storage_->NewOid(); }

RelationStatistics Catalog::Statistics(const RelationRef& relation) const {
  const StorageSlot* slot = storage_->Find(relation->storage);
  if (slot == nullptr) return {};
  return {.rows = std::max<int64_t>(slot->rows.load(std::memory_order_relaxed), 0),
          .pages = slot->block_count.load(std::memory_order_relaxed)};
}

Status Catalog::Vacuum(Transaction& transaction) {
  // The lock that VacuumTable() asks for; nobody else locks this relation.
  CONNBENCH_RETURN_IF_ERROR(
      transaction.locks().LockRelation(kCatalogOid, LockMode::kShareUpdateExclusive));
  const StorageHeader& header = storage_->header();
  const StorageId indexes[] = {header.catalog_by_name, header.catalog_by_oid};
  return VacuumTable(*storage_, transaction, header.catalog_heap, indexes).TakeStatus();
}

}  // namespace connbench::engine
