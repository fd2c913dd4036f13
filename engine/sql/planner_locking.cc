// FOR UPDATE and its relatives: what a SELECT's locking clauses ask for.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/planner.h"

namespace connbench::engine {
namespace {

RowLockMode ModeOf(const PgQuery__LockingClause& clause) {
  switch (clause.strength) {
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORKEYSHARE:
      return RowLockMode::kKeyShare;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE:
      return RowLockMode::kShare;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE:
      return RowLockMode::kNoKeyUpdate;
    default:
      return RowLockMode::kUpdate;
  }
}

LockedRowPolicy PolicyOf(const PgQuery__LockingClause& clause) {
  switch (clause.wait_policy) {
    case PG_QUERY__LOCK_WAIT_POLICY__LockWaitSkip:
      return LockedRowPolicy::kSkip;
    case PG_QUERY__LOCK_WAIT_POLICY__LockWaitError:
      return LockedRowPolicy::kError;
    default:
      return LockedRowPolicy::kWait;
  }
}

}  // namespace

// Of several clauses for a table the strongest mode counts, and NOWAIT before SKIP LOCKED before
// waiting, as in PostgreSQL.
Planner::RowLocking Planner::ReadLocking(const PgQuery__SelectStmt& select) {
  RowLocking locking;
  for (const ast::Node* node : ast::List(select.locking_clause, select.n_locking_clause)) {
    const PgQuery__LockingClause& clause = *node->locking_clause;
    if (!locking.wanted) locking.first = ModeOf(clause);
    locking.wanted = true;
    locking.mode = std::max(locking.mode, ModeOf(clause));
    locking.policy = std::max(locking.policy, PolicyOf(clause));
  }
  return locking;
}

// FOR UPDATE OF name.
Status Planner::CheckLockedNames(const PgQuery__SelectStmt& select, const FromClause& from) const {
  for (const ast::Node* node : ast::List(select.locking_clause, select.n_locking_clause)) {
    const PgQuery__LockingClause& clause = *node->locking_clause;
    const std::string_view mode = RowLockModeName(ModeOf(clause));
    for (const ast::Node* locked : ast::List(clause.locked_rels, clause.n_locked_rels)) {
      const PgQuery__RangeVar& name = *locked->range_var;
      // Only an error looks the position up: that reads the whole text.
      const auto position = [&] { return CharacterPosition(sql_, name.location); };
      if (*name.schemaname != '\0' || *name.catalogname != '\0') {
        return Status::Error(sqlstate::kSyntaxError,
                             fmt::format("{} must specify unqualified relation names", mode),
                             position());
      }
      const auto source =
          std::find_if(from.sources.begin(), from.sources.end(),
                       [&](const Source& each) { return from.NamesOf(each).sees(name.relname); });
      if (source == from.sources.end()) {
        return Status::Error(sqlstate::kUndefinedTable,
                             fmt::format("relation \"{}\" in {} clause not found in FROM clause",
                                         name.relname, mode),
                             position());
      }
      if (source->function != nullptr) {
        return Status::Error(sqlstate::kFeatureNotSupported,
                             fmt::format("{} cannot be applied to a function", mode), position());
      }
    }
  }
  return {};
}

}  // namespace connbench::engine
