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
#include "engine/session.h"
#include "engine/sql/parse_tree.h"
#include "engine/storage/catalog.h"
#include "engine/transaction/lock_modes.h"

namespace connbench::engine {

class Segment;
class Storage;
class Transaction;

enum class PlanKind : uint8_t { kSelect, kInsert, kUpdate, kDelete };

// A table the plan uses, as it was when the plan was made.
struct PlanTable {
  RelationRef relation;
  LockMode mode;
  Oid oid;  // the relation's
};

struct Plan {
  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  Arena arena;  // the expressions
  PlanKind kind = PlanKind::kSelect;
  PlanNodePtr root;
  std::vector<ColumnDescription> columns;  // of the result; empty: there is none
  std::vector<PlanTable> tables;
  // INSERT without RETURNING, and so on; false for SELECT, but for SELECT ... FOR UPDATE
  bool writes = false;
  bool in_use = false;  // by a portal
  // Leaves out an index that is younger than the transaction's snapshot: not to be used again.
  bool for_this_snapshot = false;
  // Catalog::shared_version() at which the tables were last found unchanged.
  uint64_t catalog_version = 0;
};

// What planning needs of the session.
struct PlanningContext {
  const Segment* segment = nullptr;
  Storage* storage = nullptr;
  Catalog* catalog = nullptr;
  Transaction* transaction = nullptr;
  bool superuser = false;
  bool enable_seqscan = true;
  bool enable_indexscan = true;
};

// Whether statement is one that PlanStatement() takes: SELECT, VALUES, INSERT, UPDATE, DELETE.
bool IsPlannable(const PgQuery__Node& statement);

// Analyses and plans: names are looked up, tables locked in the mode that running will need.
// sql is the text that the tree's locations count in.
Result<std::unique_ptr<Plan>> PlanStatement(const PlanningContext& context, std::string_view sql,
                                            const PgQuery__Node& statement,
                                            ParameterTypes& parameters);

// Looks a table up and locks it, until both agree. 42P01, 42809 unless it is a table; 42501 for a
// system table, unless the superuser only reads it.
Result<RelationRef> FindAndLockTable(const PlanningContext& context, std::string_view sql,
                                     const PgQuery__RangeVar& name, LockMode mode);

// Locks the plan's tables; false if one of them has changed since it was planned, and the plan must
// be made anew. own_changes: this transaction has changed the catalog.
Result<bool> LockAndCheckPlan(const PlanningContext& context, Plan& plan, bool own_changes);

}  // namespace connbench::engine
