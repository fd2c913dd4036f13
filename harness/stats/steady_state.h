// When a series of measurements has left its beginning behind: the marginal standard error rule
// (MSER-5; White, Cobb and Spratt 2000). The series is averaged in fives; of all points at which
// its beginning could be cut off, the one is chosen that leaves the rest with the smallest standard
// error. A cut in the first half says that what follows is steady; one in the second half says that
// the series was still moving, because what moves is best described by its end.
//
// Safety: pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace connbench::stats {

inline constexpr size_t kMserBatch = 5;
inline constexpr size_t kMinMserBatches = 10;

// How many values of the series to leave out; nullopt if it is shorter than kMinMserBatches
// batches, or has not settled.
std::optional<size_t> SteadyFrom(std::span<const double> series);

inline bool HasSettled(std::span<const double> series) { return SteadyFrom(series).has_value(); }

}  // namespace connbench::stats
