// The rows that a statement has written and whose foreign keys are to be looked at when it has
// ended, in the order in which they were written.
//
// Two ends of a key are watched. On the referencing side a new key must be found in the referenced
// table; such an event keeps the key, and where the row version is. On the referenced side a key
// that goes or changes may have rows that refer to it; such an event keeps the old key, and the new
// one.
//
// Actions write rows, too, whose events come behind those that are there. So a chain of cascades
// is a queue, never a recursion; it takes work_mem, then a temporary file.
//
// Safety: private memory of one session, one thread at a time. Errors: those of temporary_file.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/nodes/row_store.h"
#include "engine/executor/nodes/row_watcher.h"
#include "engine/executor/row_codec.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// A foreign key and its two tables; immutable.
struct ForeignKey : std::enable_shared_from_this<ForeignKey> {
  ForeignKey(const ForeignKeyInfo& info, RelationRef from, RelationRef to);

  ForeignKeyInfo key;
  RelationRef referencing;
  RelationRef referenced;
  std::vector<Oid> referencing_types;  // of the columns of the key
  std::vector<Oid> referenced_types;
  RowCodec reference;  // the referencing columns
  RowCodec old_key;    // the referenced columns
  RowCodec both_keys;  // the same twice: the old and the new key
};
using ForeignKeyRef = std::shared_ptr<const ForeignKey>;

struct ForeignKeyEvent {
  enum class Kind : uint8_t {
    kReference,   // a row with a new key was written
    kKeyDeleted,  // a row that others may refer to was deleted
    kKeyUpdated,  // the key of such a row has changed
  };
  Kind kind = Kind::kReference;
  const ForeignKey* key = nullptr;
  Tid tid;                  // kReference: the version
  std::string_view values;  // reference, old_key or both_keys; valid until the next one is taken
};

class ForeignKeyEvents {
 public:
  // Whether nothing was added since the last Clear().
  bool empty() const { return state_ == nullptr; }
  void SetMemoryLimit(int64_t bytes) { memory_limit_bytes_ = bytes; }
  Status Add(const ForeignKeyRef& key, ForeignKeyEvent::Kind kind, Tid tid,
             std::string_view values);
  // The next event; false: there are no more, yet.
  Result<bool> Take(ForeignKeyEvent& event) {
    return state_ == nullptr ? Result<bool>(false) : Read(state_->position, event);
  }
  // The same for a reader of its own.
  Result<bool> Read(RowStore::Position& position, ForeignKeyEvent& event);
  size_t size() const { return state_ == nullptr ? 0 : state_->store.rows(); }
  // Those that events name, some maybe more than once.
  std::span<const ForeignKeyRef> keys() const {
    return state_ == nullptr ? std::span<const ForeignKeyRef>() : state_->keys;
  }
  void Clear() { state_.reset(); }

 private:
  struct State {
    RowStore store;
    RowStore::Position position;
    std::vector<ForeignKeyRef> keys;  // that events name by their place
    std::string record;
  };

  int64_t memory_limit_bytes_ = 4 << 20;
  std::unique_ptr<State> state_;  // most sessions never need it
};

// What watches a table that has foreign keys or is referred to by some; null if it has none.
// The events must outlive it.
Result<std::unique_ptr<RowWatcher>> MakeForeignKeyWatcher(Storage& storage, Catalog& catalog,
                                                          Transaction& transaction,
                                                          const RelationRef& table,
                                                          ForeignKeyEvents& events);

// The key as it is in the catalog; null if the table that has it is gone.
Result<ForeignKeyRef> FindForeignKey(Catalog& catalog, Transaction& transaction, Oid table,
                                     Oid key);

}  // namespace connbench::engine
