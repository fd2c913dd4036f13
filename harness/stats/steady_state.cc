// When a series of measurements has left its beginning behind.
#include "harness/stats/steady_state.h"

#include <vector>

namespace connbench::stats {
namespace {

// The last batches alone always look steady; a cut leaves at least so many.
constexpr size_t kMinBatchesLeft = 5;

}  // namespace

std::optional<size_t> SteadyFrom(std::span<const double> series) {
  const size_t batches = series.size() / kMserBatch;
  if (batches < kMinMserBatches) return std::nullopt;
  // What does not fill a batch is left out at the beginning.
  const size_t odd = series.size() % kMserBatch;
  std::vector<double> means(batches, 0);
  for (size_t i = 0; i < batches * kMserBatch; ++i) {
    means[i / kMserBatch] += series[odd + i] / static_cast<double>(kMserBatch);
  }
  // From the end to the beginning, with Welford's update, so that all cuts take one pass.
  double mean = 0;
  double squares = 0;
  size_t best = batches;
  double best_error = 0;
  for (size_t cut = batches; cut-- > 0;) {
    const auto n = static_cast<double>(batches - cut);
    const double delta = means[cut] - mean;
    mean += delta / n;
    squares += delta * (means[cut] - mean);
    if (batches - cut < kMinBatchesLeft) continue;
    const double error = squares / (n * n);
    if (best == batches || error <= best_error) {
      best = cut;
      best_error = error;
    }
  }
  if (best >= batches / 2) return std::nullopt;
  return best == 0 ? 0 : odd + best * kMserBatch;
}

}  // namespace connbench::stats
