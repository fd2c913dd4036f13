// A bound on the stack that parsing a text may take, found before the parser runs.
//
// libpg_query's parser keeps its own stack, but writing and reading the tree recurses, at about
// 2 kB of machine stack for each level of nesting and each link of an operator chain (measured;
// "1+1+1+..." is a tree as deep as it is long). Server threads have small stacks, and
// a stack that overflows takes every session of the process with it, so such a text is refused
// first, as PostgreSQL does with max_stack_depth.
//
// Its scanner reads a run of operator characters to its end at each token in it, and at each opener
// of a comment: "/*/*/*..." or "+-+-..." of 50 kB would take seconds, so what is read again has a
// limit that no run below a few thousand characters comes near.
//
// The parser also takes some 5 us and 500 bytes for each name or literal, and looks for no
// interrupt meanwhile, so their number has a limit, too.
//
// Safety: pure functions; any thread. Errors: 54001.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace connbench::engine {

// Never less than what the tree of sql needs; usually more, at most a few times.
int64_t EstimateParseStackBytes(std::string_view sql);

// Of one query string. Parsing as many takes about a second.
inline constexpr int64_t kMaxStatementWords = 1 << 18;

// What the scanner may read again, in bytes: about 5 ns for each, so some 20 ms and a part of what
// reading the text takes anyway.
inline constexpr int64_t kMaxRescannedBytes = int64_t{4} << 20;
inline constexpr int64_t kMaxRescannedPerByte = 8;

// 54001 if the text has more words, if the scanner would read more again, or if the calling
// thread's stack might not be enough for sql.
Status CheckNesting(std::string_view sql);

}  // namespace connbench::engine
