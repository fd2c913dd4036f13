// A sort that looks for interrupts: std::sort of millions of items would give no time to.
//
// Safety: pure functions on private memory; any thread. Memory: a second copy of items, while more
// than one stretch is merged. After an error the items are in any order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "engine/executor/interrupts.h"

namespace connbench::engine {

// Sorts stretches, then merges them pairwise. Equal items may change places.
template <typename T, typename Before>
Status SortInterruptibly(std::vector<T>& items, Before before, WorkMeter& meter) {
  constexpr size_t kStretch = 4096;
  constexpr int64_t kStepsPerSorted = 250;  // of one item in a stretch
  constexpr int64_t kStepsPerMerged = 20;
  const size_t count = items.size();
  for (size_t begin = 0; begin < count; begin += kStretch) {
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(begin);
    const size_t size = std::min(kStretch, count - begin);
    std::sort(first, first + static_cast<std::ptrdiff_t>(size), before);
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(static_cast<int64_t>(size) * kStepsPerSorted));
  }
  if (count <= kStretch) return Status::Ok();
  std::vector<T> merged(count);
  for (size_t width = kStretch; width < count; width *= 2) {
    for (size_t begin = 0; begin < count; begin += 2 * width) {
      size_t left = begin;
      const size_t middle = std::min(begin + width, count);
      size_t right = middle;
      const size_t end = std::min(begin + 2 * width, count);
      for (size_t out = begin; out < end; ++out) {
        const bool take_left =
            left < middle && (right == end || !before(items[right], items[left]));
        merged[out] = std::move(items[take_left ? left++ : right++]);
        CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerMerged));
      }
    }
    items.swap(merged);
  }
  return Status::Ok();
}

}  // namespace connbench::engine
