// B+tree: look-ups, inserts and scans.
#include <benchmark/benchmark.h>

#include "engine/storage/testing/storage_world.h"

namespace connbench::engine {
namespace {

constexpr uint64_t kEntries = 100'000;

Tid TidOf(uint64_t number) {
  return Tid{static_cast<BlockNumber>(number / 60), static_cast<SlotNumber>(number % 60), 0};
}

struct LoadedTree {
  LoadedTree() : world(2048), tree(world.storage(), world.NewIndex()) {
    for (uint64_t i = 0; i < kEntries; ++i) {
      if (const Status status = tree.Insert(IntKey(i), TidOf(i)); !status.ok()) std::abort();
    }
  }
  StorageWorld world;
  BTree tree;
};

void BM_BTreeLookup(benchmark::State& state) {
  LoadedTree loaded;
  uint64_t number = 0;
  for (auto _ : state) {
    number = (number + 7919) % kEntries;
    const std::string key = IntKey(number);
    BTreeScan scan(loaded.tree, IndexBound::Inclusive(key), IndexBound::Inclusive(key),
                   ScanDirection::kForward);
    Tid tid;
    benchmark::DoNotOptimize(scan.Next(tid));
  }
}
BENCHMARK(BM_BTreeLookup);

void BM_BTreeScan(benchmark::State& state) {
  LoadedTree loaded;
  for (auto _ : state) {
    BTreeScan scan(loaded.tree, IndexBound::None(), IndexBound::None(), ScanDirection::kForward);
    Tid tid;
    while (scan.Next(tid).value()) benchmark::DoNotOptimize(tid);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kEntries));
}
BENCHMARK(BM_BTreeScan);

// step 1: ascending; otherwise all over the key space.
void BM_BTreeInsert(benchmark::State& state) {
  StorageWorld world(2048);
  StorageId id = world.NewIndex();
  const auto step = static_cast<uint64_t>(state.range(0));
  uint64_t inserted = 0;
  for (auto _ : state) {
    if (inserted == kEntries) {  // before the pool is full
      state.PauseTiming();
      world.storage().FreeStorage(id);
      id = world.NewIndex();
      inserted = 0;
      state.ResumeTiming();
    }
    const uint64_t number = inserted++ * step % 1'000'003;
    if (!BTree(world.storage(), id).Insert(IntKey(number), TidOf(number)).ok()) std::abort();
  }
}
BENCHMARK(BM_BTreeInsert)->Arg(1)->Arg(7919);

}  // namespace
}  // namespace connbench::engine
