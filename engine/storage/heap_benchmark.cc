// Heap: inserts, look-ups, updates and scans.
#include <benchmark/benchmark.h>

#include <vector>

#include "engine/storage/testing/storage_world.h"

namespace connbench::engine {
namespace {

constexpr int kRows = 20'000;
const std::string kRow(97, 'x');  // as long as a row of pgbench_accounts

// One page of the pool, pinned and latched: what every step of a descent costs.
void BM_ReadPage(benchmark::State& state) {
  StorageWorld world(64);
  BTree tree(world.storage(), world.NewIndex());
  for (auto _ : state) {
    const ReadPageGuard guard = world.storage().pool().Read(tree.id(), 1);
    benchmark::DoNotOptimize(guard.data());
  }
}
BENCHMARK(BM_ReadPage);

struct LoadedHeap {
  LoadedHeap() : world(1024), heap(world.storage(), world.NewHeap()), session(world, 1) {
    session.Begin();
    for (int i = 0; i < kRows; ++i) tids.push_back(heap.Insert(session.tx(), kRow).value());
    session.Commit();
    session.Begin();
  }
  StorageWorld world;
  Heap heap;
  TestSession session;
  std::vector<Tid> tids;
};

void BM_HeapFetch(benchmark::State& state) {
  LoadedHeap loaded;
  ScopedSnapshot snapshot(loaded.session);
  RowBuffer buffer;
  HeapRow row;
  size_t next = 0;
  for (auto _ : state) {
    next = (next + 7919) % loaded.tids.size();
    benchmark::DoNotOptimize(
        loaded.heap.Fetch(loaded.session.tx(), snapshot.get(), loaded.tids[next], buffer, row));
  }
}
BENCHMARK(BM_HeapFetch);

void BM_HeapScan(benchmark::State& state) {
  LoadedHeap loaded;
  ScopedSnapshot snapshot(loaded.session);
  for (auto _ : state) {
    HeapScan scan(loaded.heap, loaded.session.tx(), snapshot.get());
    HeapRow row;
    while (scan.Next(row).value()) benchmark::DoNotOptimize(row.bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(BM_HeapScan);

void BM_HeapInsert(benchmark::State& state) {
  StorageWorld world(1024);
  TestSession session(world, 1);
  session.Begin();
  StorageId id = world.NewHeap();
  int inserted = 0;
  for (auto _ : state) {
    if (inserted++ == kRows) {  // before the pool is full
      state.PauseTiming();
      world.storage().FreeStorage(id);
      id = world.NewHeap();
      inserted = 0;
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(Heap(world.storage(), id).Insert(session.tx(), kRow));
  }
}
BENCHMARK(BM_HeapInsert);

// One row, updated and committed again and again: HOT and pruning.
void BM_HeapHotUpdate(benchmark::State& state) {
  StorageWorld world(64);
  TestSession session(world, 1);
  Heap heap(world.storage(), world.NewHeap());
  session.Begin();
  Tid tid = heap.Insert(session.tx(), kRow).value();
  session.Commit();
  for (auto _ : state) {
    session.Begin();
    auto result = heap.Update(session.tx(), tid, kRow, /*may_be_hot=*/true);
    if (!result.ok()) {
      state.SkipWithError(result.status().ToString().c_str());
      break;
    }
    tid = result->tid;
    session.Commit();
  }
}
BENCHMARK(BM_HeapHotUpdate);

}  // namespace
}  // namespace connbench::engine
