// Page-sized buffers that a session lends to its plan nodes while they run, so that a hundred
// prepared statements do not hold a hundred page copies, and a running one allocates nothing.
//
// Safety: private memory of one session, one thread at a time. Memory: nothing before the first
// Take(); afterwards as many workspaces as were ever in use at once, up to kKept.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/storage/heap.h"

namespace connbench::engine {

// Room for an index scan with one row, or for a heap scan.
struct Workspace {
  static constexpr size_t kScanBytes = sizeof(BTreeScan) > sizeof(HeapScan) ? sizeof(BTreeScan)
                                                                            : sizeof(HeapScan);
  alignas(BTreeScan) alignas(HeapScan) std::byte scan[kScanBytes];
  RowBuffer row;
};

class Workspaces {
 public:
  static constexpr size_t kKept = 2;

  std::unique_ptr<Workspace> Take() {
    // Not value-initialised: the pages in it are written before they are read.
    if (free_.empty()) return std::unique_ptr<Workspace>(new Workspace);
    std::unique_ptr<Workspace> workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }
  void GiveBack(std::unique_ptr<Workspace> workspace) {
    if (workspace != nullptr && free_.size() < kKept) free_.push_back(std::move(workspace));
  }

 private:
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace connbench::engine
