// Who is ahead in one metric among any number of contenders, and whether the data can tell: the
// last column of the terminal's tables and the last row of the page's.
//
// Safety: pure function; any thread. Errors: none; what cannot be told is said.
#pragma once

#include <string>
#include <vector>

#include "results/schema.h"

namespace connbench::answers {

// "thread (1.21 x fork)" if the best is better than the second by more than the noise and by at
// least stats::kDefaultMargin. Otherwise how many repetitions would tell, or "no clear winner"
// where no number would, or the two are the same. Empty for fewer than two contenders with
// figures, and for a metric without a better direction. repetitions are in the order of names.
std::string NameWinner(const std::vector<std::string>& names,
                       const std::vector<std::vector<double>>& repetitions, results::Better better);

}  // namespace connbench::answers
