// A bound on the stack that parsing a text may take, found before the parser runs.
//
// libpg_query's parser keeps its own stack, but writing and reading the tree recurses, at about
// 2 kB of machine stack for each level of nesting and each link of an operator chain (measured;
// "1+1+1+..." is a tree as deep as it is long). Server threads have small stacks, and
// a stack that overflows takes every session of the process with it, so such a text is refused
// first, as PostgreSQL does with max_stack_depth.
//
// Safety: pure functions; any thread. Errors: 54001.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace connbench::engine {

// Never less than what the tree of sql needs; usually more, at most a few times.
int64_t EstimateParseStackBytes(std::string_view sql);

// 54001 if the calling thread's stack might not be enough for sql.
Status CheckNesting(std::string_view sql);

}  // namespace connbench::engine
