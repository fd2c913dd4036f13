// Settings that change nothing: of the suite or of the command line, and of no contender.
//
// Called by `connbench run` and `connbench doctor` before anything is started. Safety: pure
// function. Errors: none; a suite of which no plan can be made has no such settings.
#pragma once

#include <string>
#include <vector>

#include "harness/suite/plan.h"
#include "harness/suite/suite_file.h"

namespace connbench::suite {

// One sentence for each, with its place. The suite's are judged by the contenders that it names
// itself: who measures fewer of them today has not made a mistake in it.
std::vector<std::string> FindUnusedSettings(const Suite& suite, const PlanOverrides& overrides);

}  // namespace connbench::suite
