// The catalog: which tables, indexes, sequences and views there are, shared by all sessions.
//
// Each relation is a row of a system heap, with B+trees on name and oid, so that DDL is as
// transactional as everything else: what a transaction creates, drops, truncates or alters is
// visible to itself from the next command on, to others from its commit, and gone when it rolls
// back. Pages of a dropped or truncated storage are given back at commit, those of a new one at
// rollback.
//
// Catalog is a handle in private memory, one per session: it caches what it has looked up, and one
// load of a shared counter tells whether anything has changed since.
//
// Locks are the caller's: AccessExclusive on a table before changing or dropping it, Share to
// create an index, any lock before using what Find returned. As changes may commit between Find and
// the lock, look again after locking (the cache makes that cheap) until the answer is the same
// pointer.
//
// Safety: used by one thread at a time, like the session that owns it.
//
// Errors: 42P01 (no such relation), 42P07 (exists already), 42809 (wrong kind), 53400
// (max_relations), 54000/54011 (definition too large), 53100 (pool full); 40P01, 57014 while
// waiting for another transaction that creates the same name.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "engine/storage/heap.h"
#include "engine/storage/privileges.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class Storage;
class Transaction;

inline constexpr Oid kFirstUserOid = 16384;  // below are system tables, as in PostgreSQL
inline constexpr int kMaxColumns = 256;
inline constexpr int kMaxIndexColumns = 32;
inline constexpr int kMaxNameLength = 63;  // bytes; longer names are for the caller to truncate

// Whether a list of columns, by their places, has one.
inline bool HasColumn(const std::vector<int16_t>& columns, size_t column) {
  return std::find(columns.begin(), columns.end(), static_cast<int16_t>(column)) != columns.end();
}

enum class RelationKind : uint8_t { kTable, kIndex, kSequence, kView };

// Whether a column's values come from its sequence, and whether a client may give others.
enum class Identity : uint8_t { kNone, kByDefault, kAlways };

struct ColumnInfo {
  std::string name;
  Oid type_oid = 0;
  int32_t type_modifier = -1;
  bool not_null = false;
  std::string default_sql;                  // expression text; empty: none
  Oid owned_sequence = 0;                   // serial, identity, OWNED BY: dropped with the table
  Identity identity = Identity::kNone;      // its values come from owned_sequence; no default_sql
  std::vector<Oid> default_sequences = {};  // those that default_sql names: they cannot be dropped
  // Its value in rows that are older than it: a row of this column alone; empty: null.
  std::string missing = {};
  // DROP COLUMN leaves the place, without a name, so that the others keep theirs.
  bool dropped = false;
};

struct IndexInfo {
  Oid oid = 0;
  std::string name;
  StorageId storage = kNoStorage;
  bool unique = false;
  bool primary = false;
  bool constraint = false;  // of a PRIMARY KEY or UNIQUE constraint, which has the index's name
  // The newest commit when the index was made. It has no entries for versions that only older
  // snapshots see: a snapshot with a lower csn must not use it.
  uint64_t usable_from_csn = 0;
  std::vector<int16_t> key_columns;  // positions in the table's columns, from 0
};

struct SequenceInfo {
  Oid type_oid = connbench::type_oid::kInt8;
  int64_t start = 1;
  int64_t increment = 1;
  int64_t minimum = 1;
  int64_t maximum = INT64_MAX;
  bool cycle = false;
};

// What becomes of the referencing rows when a key goes or changes: PostgreSQL's letters.
enum class ForeignKeyAction : char {
  kNoAction = 'a',
  kRestrict = 'r',
  kCascade = 'c',
  kSetNull = 'n',
  kSetDefault = 'd',
};

struct ForeignKeyInfo {
  Oid oid = 0;
  std::string name;
  std::vector<int16_t> columns;             // of the table that has it
  std::vector<int16_t> referenced_columns;  // of the referenced table, one for each
  Oid table_oid = 0;                        // the referenced table
  Oid index_oid = 0;                        // its unique index on the referenced columns
  ForeignKeyAction on_update = ForeignKeyAction::kNoAction;
  ForeignKeyAction on_delete = ForeignKeyAction::kNoAction;
  std::vector<int16_t> set_columns;  // ON DELETE SET NULL (...), SET DEFAULT (...); empty: all
  bool match_full = false;           // else MATCH SIMPLE
  bool validated = true;             // false after NOT VALID: older rows were not checked
  bool deferrable = false;
  bool deferred = false;  // INITIALLY DEFERRED
};

// A foreign key that refers to a table, as that table knows it.
struct ReferenceInfo {
  Oid table_oid = 0;  // of the table that has the key; may be the same table
  Oid key_oid = 0;
};

struct CheckInfo {
  Oid oid = 0;
  std::string name;
  std::string sql;               // the condition's text
  std::vector<int16_t> columns;  // that it reads, in the order of the text
};

// A relation that a view reads, as the view's text calls it.
struct ViewReference {
  struct Column {
    int16_t number = 0;  // position in the relation's columns, from 0
    std::string name;    // in the text
  };
  Oid oid = 0;
  std::string name;             // in the text
  int16_t width = 0;            // how many columns the relation had then: the text knows no others
  std::vector<Column> columns;  // that the view uses
  std::vector<int16_t> dropped = {};  // places in it that had no column any more
};

// What a view shows. The text keeps its meaning when what it reads is renamed or gets more columns,
// because its names are those of the references.
struct ViewInfo {
  Oid rule_oid = 0;       // of pg_rewrite, where PostgreSQL keeps it
  std::string sql;        // the CREATE VIEW statement
  bool own_names = true;  // its columns are called as those of its query
  std::vector<ViewReference> references;
  std::vector<Oid> keys;  // of primary keys without which its GROUP BY would be none
};

// What a table, index, sequence or view is; immutable once handed out. A changed relation is a new
// object: a cached plan is good as long as Find still returns the same pointer.
struct RelationInfo {
  Oid oid = 0;
  RelationKind kind = RelationKind::kTable;
  std::string name;
  StorageId storage = kNoStorage;
  Oid table_oid = 0;                         // of an index: its table
  Oid owner = kSuperuserOid;                 // but of an index, whose owner is its table's
  std::optional<std::vector<Grant>> grants;  // none: the owner may do everything, others nothing
  std::vector<ColumnInfo> columns;           // of a table or view
  std::vector<uint16_t> generations;         // of a table: with how many columns older rows are
  std::vector<IndexInfo> indexes;            // of a table
  std::vector<ForeignKeyInfo> foreign_keys;  // of a table
  std::vector<ReferenceInfo> references;     // to a table, so that its plans know of them
  std::vector<CheckInfo> checks;             // of a table, by name
  SequenceInfo sequence;                     // of a sequence
  ViewInfo view;                             // of a view

  // -1: no such column.
  int FindColumn(std::string_view column) const;
  const IndexInfo* primary_key() const;
  const ForeignKeyInfo* FindForeignKey(Oid key_oid) const;  // null: there is none
  // A key, a foreign key or a check of that name.
  bool HasConstraint(std::string_view constraint) const;
};
using RelationRef = std::shared_ptr<const RelationInfo>;

// For the planner; counted as rows come and go, so only about right after rollbacks.
struct RelationStatistics {
  int64_t rows = 0;
  int64_t pages = 0;
};

class Catalog {
 public:
  explicit Catalog(Storage& storage);

  // Changes whenever any transaction's catalog change commits. A plan checked at this value needs
  // no look-up while it stays the same (and this transaction has not changed the catalog itself).
  uint64_t shared_version() const;

  // 42P01 if there is none. The reference stays cached while nothing changes.
  Result<RelationRef> Find(Transaction& transaction, std::string_view name);
  Result<RelationRef> FindByOid(Transaction& transaction, Oid oid);
  // Null if there is none: for what may have been dropped since its OID was read, without a lock.
  Result<RelationRef> FindByOidIfExists(Transaction& transaction, Oid oid);
  // Null instead of 42P01: for IF EXISTS.
  Result<RelationRef> FindIfExists(Transaction& transaction, std::string_view name);
  // All relations, by name.
  Result<std::vector<RelationRef>> List(Transaction& transaction);
  // All relations that the snapshot sees, by oid.
  Result<std::vector<RelationRef>> ListAsOf(Transaction& transaction, const Snapshot& snapshot);

  // Name, owner, columns, checks and foreign keys of the definition count; the rest is made up.
  // Also makes its storage.
  Result<RelationRef> CreateTable(Transaction& transaction, const RelationInfo& definition);
  // The new index is empty: the caller fills it (BTree::BulkBuild) if the table has rows. The
  // returned table has it in indexes.back().
  Result<RelationRef> CreateIndex(Transaction& transaction, const RelationRef& table,
                                  const IndexInfo& definition);
  Result<RelationRef> CreateSequence(Transaction& transaction, std::string_view name,
                                     const SequenceInfo& definition, Oid owner = kSuperuserOid);
  // Name, owner, columns and view of the definition count.
  Result<RelationRef> CreateView(Transaction& transaction, const RelationInfo& definition);
  // With a table go its indexes and owned sequences. An index also leaves its table's list.
  Status Drop(Transaction& transaction, const RelationRef& relation);
  // New, empty storage for the table and its indexes.
  Result<RelationRef> Truncate(Transaction& transaction, const RelationRef& table);
  // Any change to the columns' properties (not null, default, owned_sequence); their number must
  // stay, and so must their types, unless the caller goes on to Truncate() and makes the rows anew.
  Result<RelationRef> AlterColumns(Transaction& transaction, const RelationRef& table,
                                   std::vector<ColumnInfo> columns);

  // Any other change of what the relation is: owner, grants, checks, foreign keys, references, the
  // options of a sequence, what a view shows. Its name, kind, storage and indexes must stay, and so
  // must the types of a table's columns, as with AlterColumns(). Columns may come behind them, with
  // a new generation. change may be called again with what a transaction that has committed
  // meanwhile left.
  Result<RelationRef> Alter(Transaction& transaction, const RelationRef& relation,
                            const std::function<void(RelationInfo&)>& change);
  // Of a table or view, whose name is nowhere but in its own row. 42P07 if the new one is taken.
  Result<RelationRef> Rename(Transaction& transaction, const RelationRef& relation,
                             std::string_view name);
  // ALTER SEQUENCE: new options and a new counter in new storage, so that both roll back.
  Result<RelationRef> AlterSequence(Transaction& transaction, const RelationRef& sequence,
                                    const SequenceInfo& definition, int64_t value, bool called);
  // A new oid, for what is no relation of its own: a foreign key, a check.
  Oid NewOid();

  // Atomic, never rolled back. 2200H at the end of a sequence that does not cycle.
  Result<int64_t> NextValue(const RelationRef& sequence);
  // What nextval gave last, or false if it was never called.
  bool LastValue(const RelationRef& sequence, int64_t& value) const;
  // setval(): called = false makes value the next one.
  Status SetValue(const RelationRef& sequence, int64_t value, bool called);

  RelationStatistics Statistics(const RelationRef& relation) const;

  // VACUUM of the system heap.
  Status Vacuum(Transaction& transaction);

 private:
  // A row of the system heap, and where it was.
  struct Found {
    Tid tid;
    std::string row;
  };
  // What a look-up found, good as long as both counters stand where they stood before it.
  struct Cached {
    RelationRef relation;
    uint64_t version = 0;
    uint64_t own_changes = 0;
  };
  // A relation as last seen; its row shows whether it is still the same.
  struct Known {
    RelationRef relation;
    std::string row;
  };
  class ChangeAction;
  struct StorageChange;

  Result<bool> Lookup(Transaction& transaction, StorageId index, std::string_view key,
                      Found& found);
  Result<RelationRef> Load(Transaction& transaction, StorageId index, std::string_view key,
                           std::unordered_map<std::string, Cached>& cache);
  Result<RelationInfo> Current(Transaction& transaction, Oid oid, Tid& tid);
  // Upkeep of the system heap and its indexes, as far as it is due.
  Status Tidy();
  Status InsertRow(Transaction& transaction, const RelationInfo& relation);
  // 42P07 if there is such a name already.
  Status InsertName(Transaction& transaction, Heap& heap, std::string_view name, Tid tid);
  Status DeleteRow(Transaction& transaction, Oid oid);
  template <typename Change>
  Status ReplaceRow(Transaction& transaction, Oid oid, const Change& change);
  void NoteChange(Transaction& transaction, const StorageChange& change);
  // A new storage that goes away if the transaction rolls back.
  Result<StorageId> NewStorage(Transaction& transaction, Oid oid, bool index,
                               PageSource source = PageSource::kOrdinary);

  Storage* storage_;
  // Counts this session's changes and their ends; shared with what waits for the transaction's end.
  std::shared_ptr<uint64_t> own_changes_;
  std::unordered_map<std::string, Cached> by_name_;  // by index key
  std::unordered_map<std::string, Cached> by_oid_;
  std::unordered_map<Oid, Known> known_;
};

}  // namespace connbench::engine
