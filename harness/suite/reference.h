// docs/suite-reference.md: every key of suite and workload files, made from the rows by which the
// readers accept them. A test keeps the committed page equal.
//
// Called by the test alone. Safety: pure.
#pragma once

#include <string>

namespace connbench::suite {

std::string SuiteReferenceMarkdown();

}  // namespace connbench::suite
