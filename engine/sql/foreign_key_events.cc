// The rows that a statement has written and whose foreign keys are to be looked at.
#include "engine/sql/foreign_key_events.h"

#include <algorithm>
#include <cstring>

#include "engine/storage/heap.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

std::vector<Oid> TypesOf(const RelationInfo& table, const std::vector<int16_t>& columns) {
  std::vector<Oid> types;
  for (const int16_t column : columns) {
    types.push_back(table.columns[static_cast<size_t>(column)].type_oid);
  }
  return types;
}

std::vector<Oid> Twice(std::vector<Oid> types) {
  const size_t count = types.size();
  types.reserve(2 * count);
  for (size_t i = 0; i < count; ++i) types.push_back(types[i]);
  return types;
}

// The same bits, as PostgreSQL compares referenced keys: 1.0 and 1.00 are two.
bool IsSameImage(Oid type, const Value& a, const Value& b) {
  if (a.null || b.null) return a.null == b.null;
  return GetType(type).form == ValueForm::kBytes ? a.text() == b.text() : a.integer == b.integer;
}

class Watcher final : public RowWatcher {
 public:
  Watcher(std::vector<ForeignKeyRef> referring, std::vector<ForeignKeyRef> own,
          Transaction& transaction, Heap heap, ForeignKeyEvents& events)
      : referring_(std::move(referring)),
        own_(std::move(own)),
        transaction_(transaction),
        heap_(heap),
        events_(events) {}

  Status Inserted(const Value* row, Tid tid) override {
    for (const ForeignKeyRef& key : own_) {
      if (!NeedsCheck(*key, row)) continue;
      CONNBENCH_RETURN_IF_ERROR(AddReference(key, row, tid));
    }
    return {};
  }

  Status Updated(const Value* old_row, Tid old_tid, const Value* row, Tid tid) override {
    for (const ForeignKeyRef& key : referring_) {
      if (!Keep(*key, old_row) || IsSameKey(*key, old_row, row)) continue;
      for (const int16_t column : key->key.referenced_columns) values_.push_back(row[column]);
      CONNBENCH_RETURN_IF_ERROR(Add(key, ForeignKeyEvent::Kind::kKeyUpdated, {}, key->both_keys));
    }
    for (const ForeignKeyRef& key : own_) {
      if (!NeedsCheck(*key, row)) continue;
      if (KeepsReference(*key, old_row, row)) {
        // The check of the older version may still be to come, and will find that version gone.
        if (!key->key.deferrable && events_.empty()) continue;
        CONNBENCH_ASSIGN_OR_RETURN(const bool own, IsOwn(old_tid));
        if (!own) continue;
      }
      CONNBENCH_RETURN_IF_ERROR(AddReference(key, row, tid));
    }
    return {};
  }

  Status Deleted(const Value* row) override {
    for (const ForeignKeyRef& key : referring_) {
      if (!Keep(*key, row)) continue;
      CONNBENCH_RETURN_IF_ERROR(Add(key, ForeignKeyEvent::Kind::kKeyDeleted, {}, key->old_key));
    }
    return {};
  }

 private:
  // With a null a key refers to nothing. MATCH FULL refuses some nulls among other values.
  static bool NeedsCheck(const ForeignKey& key, const Value* row) {
    const auto& columns = key.key.columns;
    const auto is_null = [row](int16_t column) { return row[column].null; };
    return key.key.match_full ? !std::all_of(columns.begin(), columns.end(), is_null)
                              : std::none_of(columns.begin(), columns.end(), is_null);
  }

  static bool KeepsReference(const ForeignKey& key, const Value* old_row, const Value* row) {
    for (size_t i = 0; i < key.key.columns.size(); ++i) {
      const int16_t column = key.key.columns[i];
      // A mixture of nulls that MATCH FULL refuses cannot have been there.
      if (row[column].null || old_row[column].null) return false;
      if (CompareValues(key.referencing_types[i], old_row[column], row[column]) != 0) return false;
    }
    return true;
  }

  static bool IsSameKey(const ForeignKey& key, const Value* old_row, const Value* row) {
    for (size_t i = 0; i < key.referenced_types.size(); ++i) {
      const int16_t column = key.key.referenced_columns[i];
      if (!IsSameImage(key.referenced_types[i], old_row[column], row[column])) return false;
    }
    return true;
  }

  // Whether this transaction made the version, which it has just replaced: then nobody sees it who
  // does not see the transaction's own rows.
  Result<bool> IsOwn(Tid tid) {
    Snapshot snapshot = transaction_.TakeLatestSnapshot();
    snapshot.command = kFirstCommandId;
    Result<bool> seen = heap_.SeesVersion(snapshot, tid);
    transaction_.ReleaseSnapshot(snapshot);
    CONNBENCH_RETURN_IF_ERROR(seen.status());
    return !*seen;
  }

  // Takes the key of the row; false: it has a null, so that nothing refers to it.
  bool Keep(const ForeignKey& key, const Value* row) {
    values_.clear();
    for (const int16_t column : key.key.referenced_columns) {
      if (row[column].null) return false;
      values_.push_back(row[column]);
    }
    return true;
  }

  Status AddReference(const ForeignKeyRef& key, const Value* row, Tid tid) {
    values_.clear();
    for (const int16_t column : key->key.columns) values_.push_back(row[column]);
    return Add(key, ForeignKeyEvent::Kind::kReference, tid, key->reference);
  }

  Status Add(const ForeignKeyRef& key, ForeignKeyEvent::Kind kind, Tid tid, const RowCodec& codec) {
    encoded_.resize(codec.EncodedSize(values_.data()));
    codec.Encode(values_.data(), encoded_.data());
    return events_.Add(key, kind, tid, encoded_);
  }

  const std::vector<ForeignKeyRef> referring_;  // of others, or of the table itself, to it
  const std::vector<ForeignKeyRef> own_;
  Transaction& transaction_;
  Heap heap_;
  ForeignKeyEvents& events_;
  std::vector<Value> values_;
  std::string encoded_;
};

struct Record {
  uint64_t tid;
  uint32_t key;
  ForeignKeyEvent::Kind kind;
};

}  // namespace

ForeignKey::ForeignKey(const ForeignKeyInfo& info, RelationRef from, RelationRef to)
    : key(info),
      referencing(std::move(from)),
      referenced(std::move(to)),
      referencing_types(TypesOf(*referencing, key.columns)),
      referenced_types(TypesOf(*referenced, key.referenced_columns)),
      reference(referencing_types),
      old_key(referenced_types),
      both_keys(Twice(referenced_types)) {}

Status ForeignKeyEvents::Add(const ForeignKeyRef& key, ForeignKeyEvent::Kind kind, Tid tid,
                             std::string_view values) {
  if (state_ == nullptr) {
    state_ = std::make_unique<State>();
    state_->store.SetMemoryLimit(memory_limit_bytes_);
  }
  std::vector<ForeignKeyRef>& keys = state_->keys;
  const auto at = std::find(keys.begin(), keys.end(), key);
  Record record{.tid = tid.Packed(), .key = static_cast<uint32_t>(at - keys.begin()), .kind = kind};
  if (at == keys.end()) keys.push_back(key);
  std::string& bytes = state_->record;
  bytes.resize(sizeof record + values.size());
  std::memcpy(bytes.data(), &record, sizeof record);
  if (!values.empty()) std::memcpy(bytes.data() + sizeof record, values.data(), values.size());
  return state_->store.Add(bytes);
}

Result<bool> ForeignKeyEvents::Read(RowStore::Position& position, ForeignKeyEvent& event) {
  if (state_ == nullptr) return false;
  std::string_view bytes;
  CONNBENCH_ASSIGN_OR_RETURN(const bool found, state_->store.Read(position, bytes));
  if (!found) return false;
  Record record;
  std::memcpy(&record, bytes.data(), sizeof record);
  event.kind = record.kind;
  event.key = state_->keys[record.key].get();
  event.tid = Tid::FromPacked(record.tid);
  event.values = bytes.substr(sizeof record);
  return true;
}

Result<ForeignKeyRef> FindForeignKey(Catalog& catalog, Transaction& transaction, Oid table,
                                     Oid key) {
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef referencing,
                             catalog.FindByOidIfExists(transaction, table));
  if (referencing == nullptr) return ForeignKeyRef();
  const ForeignKeyInfo* info = referencing->FindForeignKey(key);
  if (info == nullptr) return ForeignKeyRef();
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef referenced,
                             catalog.FindByOid(transaction, info->table_oid));
  return ForeignKeyRef(std::make_shared<const ForeignKey>(*info, referencing, referenced));
}

Result<std::unique_ptr<RowWatcher>> MakeForeignKeyWatcher(Storage& storage, Catalog& catalog,
                                                          Transaction& transaction,
                                                          const RelationRef& table,
                                                          ForeignKeyEvents& events) {
  std::vector<ForeignKeyRef> referring;
  std::vector<ForeignKeyRef> own;
  for (const ReferenceInfo& reference : table->references) {
    CONNBENCH_ASSIGN_OR_RETURN(
        ForeignKeyRef key,
        FindForeignKey(catalog, transaction, reference.table_oid, reference.key_oid));
    if (key != nullptr) referring.push_back(std::move(key));
  }
  for (const ForeignKeyInfo& info : table->foreign_keys) {
    CONNBENCH_ASSIGN_OR_RETURN(ForeignKeyRef key,
                               FindForeignKey(catalog, transaction, table->oid, info.oid));
    if (key != nullptr) own.push_back(std::move(key));
  }
  if (referring.empty() && own.empty()) return std::unique_ptr<RowWatcher>();
  // As PostgreSQL's triggers: in the order in which the keys were made.
  const auto older = [](const ForeignKeyRef& a, const ForeignKeyRef& b) {
    return a->key.oid < b->key.oid;
  };
  std::sort(referring.begin(), referring.end(), older);
  std::sort(own.begin(), own.end(), older);
  return std::unique_ptr<RowWatcher>(std::make_unique<Watcher>(
      std::move(referring), std::move(own), transaction, Heap(storage, table->storage), events));
}

}  // namespace connbench::engine
