// The users: rows of the system table pg_authid, with PostgreSQL's columns, so that SELECT shows
// them, and CREATE, ALTER and DROP ROLE are as transactional as any other change. It is made with
// the segment and holds the superuser "postgres" from the start.
//
// This is the way in for whoever has no SQL session: the login, and the statements above. There is
// no membership, no CREATEDB and the like: the superuser may do everything, others may use what
// they own or were granted (access.h) and change their own password.
//
// Safety: RoleTable is a cheap value; any thread, process. It waits as Heap and BTree do, in the
// transaction's backend. Errors: those of storage; duplicates and absence are values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/session.h"

namespace connbench::engine {

class Catalog;
class Storage;
class Transaction;
struct Snapshot;  // engine/transaction/snapshot.h
struct Tid;       // engine/storage/storage_types.h

inline constexpr std::string_view kSuperuserName = "postgres";
inline constexpr std::string_view kRoleTableName = "pg_authid";

struct Role {
  Oid oid = 0;
  std::string name;
  bool superuser = false;
  bool can_login = false;
  bool inherit = true;
  std::optional<std::string> password;  // as stored: see scram_secret.h
};

class RoleTable {
 public:
  explicit RoleTable(Storage& storage) : storage_(&storage) {}

  // Makes the table with its one row; before any session starts.
  static Status Create(Storage& storage, Catalog& catalog, Transaction& transaction,
                       const Role& superuser);

  // As of now, whatever the transaction's isolation level.
  Result<std::optional<Role>> Find(Transaction& transaction, std::string_view name);
  // All that the snapshot sees.
  Result<std::vector<Role>> List(Transaction& transaction, const Snapshot& snapshot);
  // Gives it its oid. False: there is one of that name already.
  Result<bool> Add(Transaction& transaction, Role role);
  // Changes the role of that name, after whoever is just changing it; change may be called again
  // with what that one has left. False: there is none.
  Result<bool> Change(Transaction& transaction, std::string_view name,
                      const std::function<void(Role&)>& change);
  // False: there is none.
  Result<bool> Remove(Transaction& transaction, std::string_view name);

  // Counts the commits that changed the table.
  uint64_t version() const;
  // False while the table is as Create() left it: then only the superuser has a role.
  bool changed() const { return version() != 0; }

 private:
  Result<std::optional<Role>> Lookup(Transaction& transaction, std::string_view name, Tid& tid);
  Status Tidy();  // upkeep of the heap and the index, as far as it is due
  void NoteChange(Transaction& transaction);

  Storage* storage_;
};

}  // namespace connbench::engine
