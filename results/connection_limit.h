// How many connections beyond those of its load a server of ours admits when a plan raises
// max_connections for the load's sake. Plans set it (harness/suite), and the answers know by it
// which limits say nothing of their own (harness/answers).
//
// Safety: constant data; any thread and process.
#pragma once

namespace connbench::results {

// For a superuser, as superuser_reserved_connections keeps by default, and for set-up work and a
// look by hand.
inline constexpr int kConnectionsBeyondTheLoad = 3 + 10;

}  // namespace connbench::results
