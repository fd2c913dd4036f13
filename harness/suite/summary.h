// The tables at the end of a run (plots/tables.h): each contender's median and spread of each
// metric of the pattern, and who won, if the data can tell.
//
// Safety: pure function.
#pragma once

#include <string>

#include "results/reader.h"

namespace connbench::suite {

// Only OK trials take part. A winner is named if it beats the second best by more than the noise
// and by at least stats::kDefaultMargin. Otherwise stands how many repetitions would tell, or
// "no clear winner" where no number would, or the two are the same.
std::string FormatSummary(const results::Run& run);

}  // namespace connbench::suite
