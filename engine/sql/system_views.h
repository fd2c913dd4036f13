// What a query can read that is no table: views of the shared segment, computed when a scan of them
// begins. Like pg_catalog's, their names go before those of tables.
//
// Safety: an immutable table; any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/executor/value.h"
#include "engine/session.h"

namespace connbench::engine {

class Segment;

struct SystemViewColumn {
  std::string_view name;
  Oid type;
};

struct SystemView {
  std::string_view name;
  std::span<const SystemViewColumn> columns;
  // One row after the other, as many values each as there are columns; texts are literals.
  void (*read)(const Segment& segment, std::vector<Value>& values);
};

// The view of that name; null: there is none.
const SystemView* FindSystemView(std::string_view name);

}  // namespace connbench::engine
