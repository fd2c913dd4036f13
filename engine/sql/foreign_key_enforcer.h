// Does what foreign keys ask for when a statement has ended: looks for the keys that new rows refer
// to, and for the rows that refer to a key that is gone.
//
// As PostgreSQL's triggers, it does so by queries (foreign_key_queries.h), which are planned at
// their first use, kept, and checked before each use as those of a prepared statement are. So they
// use the indexes that there are, wait for row locks as any statement does, and write through the
// same nodes, whose rows are watched in turn.
//
// - Who inserts a reference takes FOR KEY SHARE on the row it refers to. Whoever deletes that row
//   waits for the lock, and then looks for references with a snapshot of that moment. So one of the
//   two always sees the other.
// - READ COMMITTED looks with a snapshot of the moment. REPEATABLE READ looks for referenced rows
//   with the transaction's snapshot, and for referencing ones with one of the moment, too: a row
//   that it must change but could not see is 40001 (cross_check_node.h).
// - The queries have the rights of the owner of the table that they read, as in PostgreSQL.
//
// Who may call: the session, at the end of a statement and in ALTER TABLE.
// Safety: private memory of one session, one thread at a time. Blocking: row locks, table locks.
// Errors: 23503 with the constraint, 40001, what an action's UPDATE or DELETE fails with.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/sql/foreign_key_events.h"
#include "engine/sql/foreign_key_queries.h"
#include "engine/sql/plan.h"

namespace connbench::engine {

class ForeignKeyEnforcer {
 public:
  // What running queries needs of the session.
  struct Surroundings {
    PlanningContext planning;
    EvalEnvironment* environment = nullptr;
    Arena* scratch = nullptr;
    int64_t work_mem_bytes = 0;
    bool catalog_changed = false;  // by this transaction
  };

  // All events, those included that are added meanwhile, but for those that defer takes.
  using Defer = std::function<Result<bool>(const ForeignKeyEvent& event)>;
  Status Enforce(const Surroundings& session, ForeignKeyEvents& events, const Defer& defer);
  Status EnforceOne(const Surroundings& session, const ForeignKeyEvent& event);
  // Whether all rows of the table meet the key: 23503 for the first that does not.
  Status CheckAllRows(const Surroundings& session, const ForeignKey& key);
  // After catalog changes that were rolled back.
  void ForgetPlans();

 private:
  // So many queries are kept; past that all are forgotten.
  static constexpr size_t kMaxQueries = 512;

  struct Query {
    ForeignKeyQueryText text;
    ParameterTypes parameters;
    std::unique_ptr<Plan> plan;
  };
  // Rows found or written. A query that reads stops after the first.
  Result<int64_t> Run(const Surroundings& session, const ForeignKey& key, ForeignKeyQuery kind,
                      const Value* parameters);
  Status RunPlan(const Surroundings& session, const ForeignKey& key, Plan& plan,
                 ForeignKeyQuery kind, const Value* parameters, int64_t& rows);
  Result<Query*> Prepared(const Surroundings& session, const ForeignKey& key, ForeignKeyQuery kind);
  static Status MakePlan(const Surroundings& session, Query& query);

  Status CheckReference(const Surroundings& session, const ForeignKeyEvent& event);
  Status CheckUnreferenced(const Surroundings& session, const ForeignKey& key, bool no_action);
  // 23503 of a row that refers to nothing.
  Status NotPresent(const Surroundings& session, const ForeignKey& old_key,
                    const Value* referencing_values) const;
  Status StillReferenced(const Surroundings& session, const ForeignKey& old_key) const;

  std::map<std::pair<Oid, ForeignKeyQuery>, Query> queries_;
  std::vector<Value> values_;  // of the event at hand: the old key or the reference
  std::vector<Value> parameters_;
  Status orphan_;  // what CheckAllRows() has found
};

}  // namespace connbench::engine
