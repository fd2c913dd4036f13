// Parameters where PostgreSQL's grammar has none: libpg_query takes $n also for some literals, so
// that it can read statements whose literals have been taken out ("ALTER ROLE x PASSWORD $1", "SET
// work_mem = $1", "timestamp $1", "extract($1 from now())").
//
// Safety: pure functions on a tree that the caller keeps alive; any thread.
#pragma once

#include "engine/sql/pg_query_types.h"

namespace connbench::engine {

// The first such parameter, null if there is none.
const PgQuery__ParamRef* FindMisplacedParameter(const PgQuery__ParseResult& tree);

}  // namespace connbench::engine
