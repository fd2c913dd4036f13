// PostgreSQL's system catalogs and views by name, so that a query of one that this engine
// lacks is told so, instead of that it does not exist.
//
// Safety: pure functions.
#pragma once

#include <string_view>

namespace connbench::engine {

// Whether PostgreSQL has a table or view of that name in pg_catalog, which every search path begins
// with; false for pg_authid, which is a table here. system_views.h has those of this engine.
bool IsSystemCatalog(std::string_view name);

}  // namespace connbench::engine
