// Page-sized buffers that plan nodes take while they run, so that a hundred prepared statements do
// not hold a hundred page copies, and a running one allocates nothing. Those that are not taken
// belong to the thread, not to a session: where a thread serves many sessions, all use the same
// few, which are still in its cache, and an idle session holds none.
//
// Safety: any thread. A workspace may be given back by another thread than the one that took it.
// Memory: nothing before a thread's first Take(); afterwards as many workspaces as its sessions
// ever used at once, up to kKept, until the thread ends.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
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

  // Makes the thread's list, still empty. Forked processes inherit that of the thread that forks;
  // without one, each would have to register its end, for which the dynamic linker looks up two
  // symbols.
  static void BeginThread() { Free(); }
  static std::unique_ptr<Workspace> Take() {
    std::vector<std::unique_ptr<Workspace>>& free = Free();
    // Not value-initialised: the pages in it are written before they are read.
    if (free.empty()) return std::unique_ptr<Workspace>(new Workspace);
    std::unique_ptr<Workspace> workspace = std::move(free.back());
    free.pop_back();
    return workspace;
  }
  static void GiveBack(std::unique_ptr<Workspace> workspace) {
    std::vector<std::unique_ptr<Workspace>>& free = Free();
    if (workspace != nullptr && free.size() < kKept) free.push_back(std::move(workspace));
  }

 private:
  static std::vector<std::unique_ptr<Workspace>>& Free() {
    thread_local std::vector<std::unique_ptr<Workspace>> free;
    return free;
  }
};

}  // namespace connbench::engine
