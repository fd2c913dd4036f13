// The row that all relations of one FROM clause share: each has its slots in it, side by side. A
// scan writes its values into its slots, so a join hands rows up without copying them, and the
// scan on a join's inner side finds the outer row in the slots next to its own.
//
// Who may call: the planner makes it; the nodes of that one plan write and read it.
// Safety: private memory of one session, one thread at a time.
// Ownership: shared by the nodes. Values point into what the node that wrote them holds: a page
// copy or a stored row, until that node's next Next() or Close().
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor/value.h"

namespace connbench::engine {

struct RowFrame {
  explicit RowFrame(size_t slots) : values(slots) {}
  Value* row() { return values.data(); }

  std::vector<Value> values;
  // What EXPLAIN calls the slots; empty for a single relation, whose columns have no qualifiers.
  std::vector<std::string> names;
};

// A run of slots: [first, end).
struct SlotRange {
  size_t first = 0;
  size_t end = 0;
  bool contains(size_t slot) const { return slot >= first && slot < end; }
};

}  // namespace connbench::engine
