// Exact tests by relabelling: if base and candidate do not differ, every way of handing out the
// labels was as likely as the one that happened. They suppose no distribution, and where no
// logarithm exists (a count that is 0) they are the only test.
//
// Up to kMaxArrangements all labellings are counted, which is exact; beyond that as many are drawn
// with a fixed seed, so that the same values always give the same answer.
// Safety: pure functions, any thread. Errors: none; an empty side gives p = 1.
#pragma once

#include <cstddef>
#include <span>

namespace connbench::stats {

inline constexpr size_t kMaxArrangements = 2'048;

// Two-sided probability that labels by chance separate the means as far as they are.
double PermutationP(std::span<const double> base, std::span<const double> candidate);
// The same for pairs, from candidate minus base of each: a pair's labels may be swapped.
double SignFlipP(std::span<const double> differences);

// How far apart chance can put two sides that do not differ: the 95th percentile of the absolute
// difference of means over all labellings, after what the sides really differ by is taken out.
double RelabelledPairs(std::span<const double> differences);
double RelabelledSides(std::span<const double> base, std::span<const double> candidate);

}  // namespace connbench::stats
