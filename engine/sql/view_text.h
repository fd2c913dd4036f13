// The query of a view as SQL text with the names that its relations and columns have now:
// pg_get_viewdef().
//
// Safety: private memory, one thread. Errors: those of reading the stored text.
#pragma once

#include <string>

#include "base/status.h"
#include "engine/sql/plan.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// Ends with a semicolon, as PostgreSQL's. pretty: with few parentheses.
Result<std::string> ViewText(const PlanningContext& context, const RelationInfo& view, bool pretty);

}  // namespace connbench::engine
