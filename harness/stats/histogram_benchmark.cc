// What recording costs: the bound is 20 ns, so that a client thread at 100,000 transactions a
// second spends at most 0.2 % of a core on its histogram.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "harness/stats/histogram.h"

namespace connbench::stats {
namespace {

// A latency distribution as it occurs: log-normal around 100 us with a long tail.
std::vector<int64_t> Latencies() {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(11.5, 0.8);
  std::vector<int64_t> values(1 << 14);
  for (int64_t& value : values) value = static_cast<int64_t>(latency(random));
  return values;
}

void Record(benchmark::State& state) {
  const std::vector<int64_t> values = Latencies();
  Histogram histogram;
  size_t i = 0;
  for (auto _ : state) {
    histogram.Record(values[i]);
    i = (i + 1) & (values.size() - 1);
  }
  benchmark::DoNotOptimize(histogram.max());
}
BENCHMARK(Record);

void Merge(benchmark::State& state) {
  Histogram from;
  for (const int64_t value : Latencies()) from.Record(value);
  Histogram into;
  for (auto _ : state) into.Merge(from);
  benchmark::DoNotOptimize(into.count());
}
BENCHMARK(Merge);

void PercentileP999(benchmark::State& state) {
  Histogram histogram;
  for (const int64_t value : Latencies()) histogram.Record(value);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.ValueAtPercentile(99.9));
}
BENCHMARK(PercentileP999);

}  // namespace
}  // namespace connbench::stats
