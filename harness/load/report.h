// A load result for people: the table that `connbench load` prints.
//
// Safety: pure functions, any thread.
#pragma once

#include <string>

#include "harness/load/generator.h"
#include "harness/load/load_result.h"

namespace connbench::load {

std::string FormatResult(const LoadResult& result);
// One line, without an end of line.
std::string FormatProgress(const LoadProgress& progress);

}  // namespace connbench::load
