// The relations of the schema pg_catalog that are no stored tables: PostgreSQL's system catalogs
// and views, and connbench's own views. Their rows are computed when a scan of them begins. Like
// all of pg_catalog, their names go before those of tables.
//
// One row of a table per relation (catalog_*.cc, statistics_views.cc, pool_views.cc): its name, its
// columns and the function that reads it. Queries may use them like any table; everybody may read
// them, nobody may write.
//
// Safety: an immutable table; any thread. read(): the session's thread.
#pragma once

#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/executor/nodes/plan_node.h"
#include "engine/executor/nodes/view_rows.h"
#include "engine/session.h"

namespace connbench::engine {

class Catalog;
class Segment;

// What reading a view needs: what all share, and the statement that reads.
struct SystemViewInput {
  const Segment& segment;
  Catalog& catalog;
  ExecutionContext& execution;
};

struct SystemViewColumn {
  std::string_view name;
  Oid type;
};

struct SystemView {
  std::string_view name;
  Oid oid;        // in pg_class
  bool is_table;  // in PostgreSQL; otherwise a view
  std::span<const SystemViewColumn> columns;
  // Appends one row after the other, as many values each as there are columns.
  Status (*read)(const SystemViewInput& input, ViewRows& rows);
};

// By name.
std::span<const SystemView* const> AllSystemViews();
// What the name means to a query; null: nothing here. schema: as written, may be empty.
const SystemView* FindSystemView(std::string_view schema, std::string_view name);
const SystemView* FindSystemView(Oid oid);

// What a statement is told that would change one: 42501, or 42809 for a superuser and a view.
Status RefuseSystemView(const SystemView& view, bool superuser = true);

// The rows of that table, file by file.
std::span<const SystemView> PoolViews();
std::span<const SystemView> RelationCatalogs();
std::span<const SystemView> ColumnCatalogs();
std::span<const SystemView> ServerCatalogs();
std::span<const SystemView> EmptyCatalogs();
std::span<const SystemView> CatalogViews();
std::span<const SystemView> StatisticsViews();
std::span<const SystemView> LogViews();

}  // namespace connbench::engine
