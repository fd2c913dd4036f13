// A planned statement: what a prepared statement keeps and a portal runs.
//
// Safety: private memory of one session, one thread at a time. A plan runs in one portal at a time:
// its nodes hold the state of the run.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/expression/builder.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/roles/access.h"
#include "engine/session.h"
#include "engine/sql/parse_tree.h"
#include "engine/storage/catalog.h"
#include "engine/transaction/lock_modes.h"

namespace connbench::engine {

class ForeignKeyEvents;
class GatherNode;
class Segment;
class Storage;
class Table;
class Transaction;
struct ParallelSettings;  // engine/sql/settings.h

enum class PlanKind : uint8_t { kSelect, kInsert, kUpdate, kDelete };

// A table the plan uses, as it was when the plan was made.
struct PlanTable {
  RelationRef relation;
  LockMode mode;
  Oid oid;  // the relation's
  PrivilegeSet needs = privilege::kNone;
  Oid reader = 0;  // the role that needs them: a view's owner; 0: the session's
};

struct Plan {
  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  Arena arena;  // the expressions
  PlanKind kind = PlanKind::kSelect;
  // What a part that needs no row and no parameter fails with. Planning goes on, because a client
  // may prepare such a statement; whoever binds or runs it returns this first.
  Status constant_error;
  PlanNodePtr root;
  bool returns_rows = false;               // also rows of no columns
  std::vector<ColumnDescription> columns;  // of those rows
  std::vector<PlanTable> tables;
  std::vector<Oid> scanned_indexes;
  std::vector<GatherNode*> gathers;  // in the order in which they were planned; they are below root
  // INSERT without RETURNING, and so on; false for SELECT, but for SELECT ... FOR UPDATE
  bool writes = false;
  RowLockMode lock_mode = RowLockMode::kUpdate;  // SELECT ... FOR UPDATE: its first clause's
  bool in_use = false;                           // by a portal
  bool parallel = false;                         // there are gathers
  // Leaves out an index that is younger than the transaction's snapshot: not to be used again.
  bool for_this_snapshot = false;
  // Catalog::shared_version() at which the tables were last found unchanged.
  uint64_t catalog_version = 0;
  // The catalog_version at which the session was found to have the privileges that the plan needs.
  uint64_t access_version = UINT64_MAX;
};

// What planning needs of the session.
struct PlanningContext {
  const Segment* segment = nullptr;
  Storage* storage = nullptr;
  Catalog* catalog = nullptr;
  Transaction* transaction = nullptr;
  SessionRole role;
  std::string_view database;         // that names of relations may mention
  Interrupts* interrupts = nullptr;  // of the session, for what analysis computes
  bool enable_seqscan = true;
  bool enable_indexscan = true;
  ForeignKeyEvents* foreign_key_events = nullptr;  // where plans that write say what they wrote
  bool for_foreign_key = false;                    // the statement is one of foreign_key_queries.h
  const ParallelSettings* parallel = nullptr;      // null: no parallel plan, there are no workers
  bool locked_by_leader = false;  // a parallel worker plans, whose leader holds the tables' locks
};

// Lets whoever writes the table's rows say so to the context's events, if it has foreign keys or
// is referred to by some.
Status WatchForeignKeys(const PlanningContext& context, Table& table);

// The table that SELECT INTO makes; null: it is another SELECT. A set operation's first arm says
// it.
const PgQuery__IntoClause* IntoOf(const PgQuery__SelectStmt& select);
// Whether statement is one that runs by its plan alone: SELECT without INTO, VALUES, INSERT,
// UPDATE, DELETE.
bool IsPlannable(const PgQuery__Node& statement);

// Analyses and plans: names are looked up, tables locked in the mode that running will need.
// sql is the text that the tree's locations count in.
Result<std::unique_ptr<Plan>> PlanStatement(const PlanningContext& context, std::string_view sql,
                                            const PgQuery__Node& statement,
                                            ParameterTypes& parameters);

// What somebody must be allowed before a utility statement locks a table. Queries ask for nothing
// here: their plan says what it needs, and is checked when it starts.
struct TableNeed {
  bool ownership = false;
  PrivilegeSet any_of = privilege::kNone;
  bool or_view = false;  // a view will do
  Oid oid = 0;           // what the name means; 0: what has it now
};

// Looks a table up and locks it, until both agree. 42P01; 42809 unless it is a table, or a view
// where that will do; 42501 without what is needed, and for a superuser who would write a system
// table.
Result<RelationRef> FindAndLockTable(const PlanningContext& context, std::string_view sql,
                                     const PgQuery__RangeVar& name, LockMode mode,
                                     const TableNeed& need = {});

// Locks the plan's tables; false if one of them has changed since it was planned, and the plan must
// be made anew. own_changes: this transaction has changed the catalog.
Result<bool> LockAndCheckPlan(const PlanningContext& context, Plan& plan, bool own_changes);

}  // namespace connbench::engine
