// PostgreSQL's system catalogs and views by name, so that a query of one that is not there is told
// so, instead of that it does not exist.
//
// Safety: pure functions.
#pragma once

#include <string_view>

namespace connbench::engine {

// Whether PostgreSQL has a table or view of that name in pg_catalog, which every search path begins
// with, and this engine has none.
bool IsMissingSystemCatalog(std::string_view name);

}  // namespace connbench::engine
