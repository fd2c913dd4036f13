// The users: rows of the system table pg_authid, with PostgreSQL's columns.
#include "engine/roles/role_table.h"

#include <array>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "engine/executor/key_codec.h"
#include "engine/executor/row_codec.h"
#include "engine/executor/types/type.h"
#include "engine/storage/btree.h"
#include "engine/storage/catalog.h"
#include "engine/storage/heap.h"
#include "engine/storage/latest_snapshot.h"
#include "engine/storage/storage.h"
#include "engine/storage/vacuum.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// As in PostgreSQL's pg_authid.dat.
constexpr Oid kTableOid = 1260;
constexpr Oid kIndexOid = 2676;

struct Column {
  std::string_view name;
  Oid type;
  bool not_null;
};
constexpr Column kColumns[] = {
    {"oid", type_oid::kOid, true},
    {"rolname", type_oid::kName, true},
    {"rolsuper", type_oid::kBool, true},
    {"rolinherit", type_oid::kBool, true},
    {"rolcreaterole", type_oid::kBool, true},
    {"rolcreatedb", type_oid::kBool, true},
    {"rolcanlogin", type_oid::kBool, true},
    {"rolreplication", type_oid::kBool, true},
    {"rolbypassrls", type_oid::kBool, true},
    {"rolconnlimit", type_oid::kInt4, true},
    {"rolpassword", type_oid::kText, false},
    {"rolvaliduntil", type_oid::kTimestamptz, false},
};
constexpr size_t kColumnCount = std::size(kColumns);
constexpr int16_t kNameColumn = 1;
using Row = std::array<Value, kColumnCount>;

RowCodec Codec() {
  std::array<Oid, kColumnCount> types;
  for (size_t i = 0; i < kColumnCount; ++i) types[i] = kColumns[i].type;
  return RowCodec(types);
}

std::string Encode(const Role& role) {
  const Row row = {Value::Integer(role.oid),
                   Value::Text(role.name),
                   Value::Bool(role.superuser),
                   Value::Bool(role.inherit),
                   Value::Bool(role.superuser),  // who may make roles and databases
                   Value::Bool(role.superuser),
                   Value::Bool(role.can_login),
                   Value::Bool(false),
                   Value::Bool(role.superuser),
                   Value::Integer(-1),
                   role.password ? Value::Text(*role.password) : Value::Null(),
                   Value::Null()};
  const RowCodec codec = Codec();
  std::string bytes(codec.EncodedSize(row.data()), '\0');
  codec.Encode(row.data(), bytes.data());
  return bytes;
}

Role Decode(std::string_view bytes) {
  Row row;
  Codec().DecodeAll(bytes, row.data());
  Role role;
  role.oid = static_cast<Oid>(row[0].integer);
  role.name = row[kNameColumn].text();
  role.superuser = row[2].integer != 0;
  role.inherit = row[3].integer != 0;
  role.can_login = row[6].integer != 0;
  if (!row[10].null) role.password = row[10].text();
  return role;
}

void NameKey(std::string_view name, KeyBuffer& key) {
  AppendKey(type_oid::kName, Value::Text(name), key);
}

class RolesChanged : public EndAction {
 public:
  explicit RolesChanged(Storage& storage) : storage_(storage) {}
  void OnCommit() override {
    storage_.header().role_changes.fetch_add(1, std::memory_order_acq_rel);
    // Plans that were checked for a role are checked again.
    storage_.header().catalog_version.fetch_add(1, std::memory_order_acq_rel);
  }
  void OnAbort() override {}

 private:
  Storage& storage_;
};

}  // namespace

Status RoleTable::Create(Storage& storage, Catalog& catalog, Transaction& transaction,
                         const Role& superuser) {
  RelationInfo table;
  table.name = kRoleTableName;
  for (const Column& column : kColumns) {
    ColumnInfo& info = table.columns.emplace_back();
    info.name = column.name;
    info.type_oid = column.type;
    info.not_null = column.not_null;
  }
  StorageHeader& header = storage.header();
  const uint32_t first_user_oid = header.next_oid.load(std::memory_order_relaxed);
  header.next_oid.store(kTableOid, std::memory_order_relaxed);
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef made, catalog.CreateTable(transaction, table));
  IndexInfo index;
  index.name = "pg_authid_rolname_index";
  index.unique = true;
  index.key_columns = {kNameColumn};
  header.next_oid.store(kIndexOid, std::memory_order_relaxed);
  CONNBENCH_ASSIGN_OR_RETURN(made, catalog.CreateIndex(transaction, made, index));
  header.next_oid.store(first_user_oid, std::memory_order_relaxed);
  header.role_heap = made->storage;
  header.role_by_name = made->indexes[0].storage;

  Role role = superuser;
  role.oid = kSuperuserOid;
  Heap heap(storage, header.role_heap);
  CONNBENCH_ASSIGN_OR_RETURN(const Tid tid, heap.Insert(transaction, Encode(role)));
  KeyBuffer key;
  NameKey(role.name, key);
  return BTree(storage, header.role_by_name).Insert(key.view(), tid);
}

Status RoleTable::Tidy() {
  const StorageHeader& header = storage_->header();
  const StorageId indexes[] = {header.role_by_name};
  return TidyTable(*storage_, header.role_heap, indexes);
}

uint64_t RoleTable::version() const {
  return storage_->header().role_changes.load(std::memory_order_acquire);
}

void RoleTable::NoteChange(Transaction& transaction) {
  transaction.AddEndAction(std::make_unique<RolesChanged>(*storage_));
  transaction.AdvanceCommand();
}

Result<std::optional<Role>> RoleTable::Lookup(Transaction& transaction, std::string_view name,
                                              Tid& tid) {
  const StorageHeader& header = storage_->header();
  KeyBuffer key;
  NameKey(name, key);
  LatestSnapshot snapshot(transaction);
  Heap heap(*storage_, header.role_heap);
  // Two pages' worth of copies: too much for a stack of unknown size.
  const auto buffer = std::make_unique<RowBuffer>();
  const auto scan = std::make_unique<BTreeScan>(
      BTree(*storage_, header.role_by_name), IndexBound::Inclusive(key.view()),
      IndexBound::Inclusive(key.view()), ScanDirection::kForward);
  while (true) {
    Tid entry;
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan->Next(entry));
    if (!more) return std::optional<Role>();
    HeapRow row;
    CONNBENCH_ASSIGN_OR_RETURN(const FetchOutcome outcome,
                               heap.Fetch(transaction, snapshot.get(), entry, *buffer, row));
    if (outcome == FetchOutcome::kAllDead) scan->KillCurrent();
    if (outcome != FetchOutcome::kFound) continue;
    tid = row.tid;
    return std::optional<Role>(Decode(row.bytes));
  }
}

Result<std::optional<Role>> RoleTable::Find(Transaction& transaction, std::string_view name) {
  Tid tid;
  return Lookup(transaction, name, tid);
}

Result<std::vector<Role>> RoleTable::List(Transaction& transaction, const Snapshot& snapshot) {
  std::vector<Role> roles;
  HeapRow row;
  const auto scan = std::make_unique<HeapScan>(Heap(*storage_, storage_->header().role_heap),
                                               transaction, snapshot);
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan->Next(row));
    if (!more) return roles;
    roles.push_back(Decode(row.bytes));
  }
}

Result<bool> RoleTable::Add(Transaction& transaction, Role role) {
  StorageHeader& header = storage_->header();
  role.oid = storage_->NewOid();
  const LatestSnapshot snapshot(transaction);
  CONNBENCH_RETURN_IF_ERROR(Tidy());
  Heap heap(*storage_, header.role_heap);
  CONNBENCH_ASSIGN_OR_RETURN(const Tid tid, heap.Insert(transaction, Encode(role)));
  KeyBuffer key;
  NameKey(role.name, key);
  CONNBENCH_ASSIGN_OR_RETURN(
      const IndexInsertOutcome outcome,
      BTree(*storage_, header.role_by_name).InsertUnique(transaction, heap, key.view(), tid));
  NoteChange(transaction);
  return outcome == IndexInsertOutcome::kInserted;
}

// Two sessions that change one role meet here: the later one waits for the earlier one's end and
// then looks again.
Result<bool> RoleTable::Change(Transaction& transaction, std::string_view name,
                               const std::function<void(Role&)>& change) {
  const StorageHeader& header = storage_->header();
  CONNBENCH_RETURN_IF_ERROR(Tidy());
  Heap heap(*storage_, header.role_heap);
  while (true) {
    LatestSnapshot snapshot(transaction);
    Tid tid;
    CONNBENCH_ASSIGN_OR_RETURN(std::optional<Role> role, Lookup(transaction, name, tid));
    if (!role) return false;
    change(*role);
    CONNBENCH_ASSIGN_OR_RETURN(const WriteResult result,
                               heap.Update(transaction, tid, Encode(*role), /*may_be_hot=*/true));
    if (result.outcome != WriteOutcome::kOk) continue;
    if (!result.hot) {
      KeyBuffer key;
      NameKey(name, key);
      CONNBENCH_RETURN_IF_ERROR(
          BTree(*storage_, header.role_by_name).Insert(key.view(), result.tid, &heap));
    }
    NoteChange(transaction);
    return true;
  }
}

Result<bool> RoleTable::Remove(Transaction& transaction, std::string_view name) {
  Heap heap(*storage_, storage_->header().role_heap);
  while (true) {
    LatestSnapshot snapshot(transaction);
    Tid tid;
    CONNBENCH_ASSIGN_OR_RETURN(const std::optional<Role> current, Lookup(transaction, name, tid));
    if (!current) return false;
    CONNBENCH_ASSIGN_OR_RETURN(const WriteResult result, heap.Delete(transaction, tid));
    if (result.outcome != WriteOutcome::kOk) continue;
    NoteChange(transaction);
    return true;
  }
}

}  // namespace connbench::engine
