// Sentences from verdicts: the one place that puts figures into words, for terminal, markdown,
// report and gate.
//
//   With 200 clients that connect for each request, pgbouncer+postgres answers 6.4 times as many
//   requests as postgres (6.1 to 6.7); a request takes 99 ms instead of 637 ms.
//
// Names come from files that somebody else may have written; sentences hold them as they are, and
// whoever prints a sentence makes it fit for the place (base/printable.h, answers/outputs.h).
// Safety: pure functions; any thread. Errors: none; a sample that carries no ratio gets none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/stats/verdict_row.h"

namespace connbench::stats {

// "637 ms", "1.20 s", "12,345 tx/s", "1.19 MB": three digits, the unit that fits the size.
std::string Quantity(double value, std::string_view unit);
// "6.4 times", "12 % more": a ratio, its interval in the same terms.
std::string RatioInWords(double ratio);
std::string PercentInWords(double share);  // 0.031 -> "3.1 %"

// "With 64 clients that stay connected"
std::string Circumstances(const VerdictRow& row);
// "throughput 12 % lower (10 to 14 %), 2,436 instead of 2,800 tx/s", without the place.
std::string ChangeInWords(const VerdictRow& row);
// What the verdict rests on: "needs 14 repetitions, has 4", "a change of 3.1 % would have been
// seen", or empty.
std::string WhatIsMissing(const VerdictRow& row);

// One sentence for each cell and candidate, from their headline rows, in the order of the rows.
std::vector<std::string> HeadlineSentences(const VerdictTable& comparison);
// The answer as a whole, one to three sentences: what is worse, better, the same, not to be told.
std::string Conclusion(const VerdictTable& comparison);
// How to read direction, n, and interval; one sentence each.
std::vector<std::string> HowToRead(const VerdictTable& comparison);

}  // namespace connbench::stats
