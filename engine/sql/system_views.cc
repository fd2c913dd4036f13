// The relations of pg_catalog that are no stored tables: found by name and by oid.
#include "engine/sql/system_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace connbench::engine {

std::span<const SystemView* const> AllSystemViews() {
  static const std::vector<const SystemView*> kViews = [] {
    std::vector<const SystemView*> views;
    for (auto file : {PoolViews(), RelationCatalogs(), ColumnCatalogs(), ServerCatalogs(),
                      EmptyCatalogs(), CatalogViews(), StatisticsViews(), LogViews()}) {
      for (const SystemView& view : file) views.push_back(&view);
    }
    std::sort(views.begin(), views.end(),
              [](const SystemView* a, const SystemView* b) { return a->name < b->name; });
    return views;
  }();
  return kViews;
}

const SystemView* FindSystemView(std::string_view schema, std::string_view name) {
  // Every table that a statement names comes by here: few names look like these.
  if (!name.starts_with("pg_") && !name.starts_with("connbench_")) return nullptr;
  if (!schema.empty() && schema != "pg_catalog") return nullptr;
  const auto views = AllSystemViews();
  const auto at =
      std::lower_bound(views.begin(), views.end(), name,
                       [](const SystemView* view, std::string_view n) { return view->name < n; });
  return at != views.end() && (*at)->name == name ? *at : nullptr;
}

const SystemView* FindSystemView(Oid oid) {
  const auto views = AllSystemViews();
  const auto at = std::find_if(views.begin(), views.end(),
                               [oid](const SystemView* view) { return view->oid == oid; });
  return at == views.end() ? nullptr : *at;
}

Status RefuseSystemView(const SystemView& view, bool superuser) {
  if (!superuser) {
    return Status::Error(
        sqlstate::kInsufficientPrivilege,
        fmt::format("permission denied for {} {}", view.is_table ? "table" : "view", view.name));
  }
  if (!view.is_table) {
    return Status::Error(sqlstate::kWrongObjectType,
                         fmt::format("\"{}\" is not a table", view.name));
  }
  return Status::Error(sqlstate::kInsufficientPrivilege,
                       fmt::format("permission denied: \"{}\" is a system catalog", view.name));
}

}  // namespace connbench::engine
