// Puts together what the threads of a run have counted.
//
// Safety: while all threads are at rest.
#pragma once

#include <vector>

#include "harness/load/client_threads.h"
#include "harness/load/disturbance.h"
#include "harness/load/load_result.h"

namespace connbench::load {

// The threads' counts and slices into result, whose window is known: those of the first group into
// its own fields, the others into groups.
void CollectCounts(const std::vector<ClientThreads>& groups, LoadResult& result);

// How many clients had their first answer, and how long it took until all had it, since then.
void CollectServed(const ClientThreads& group, MonotonicNs since, LoadResult& result);

// What the first group felt of the others; after CollectCounts.
void CollectVictims(const ClientThreads& victims, const Disturbance& disturbance,
                    LoadResult& result);

}  // namespace connbench::load
