// Where connects spent their time: the client's stamps, the server's, and both joined on the
// connection id into one chain of phases that follow one another without gap or overlap.
//
// Both sides stamp CLOCK_MONOTONIC of one machine. A stamp that a model takes earlier than its
// predecessor in the chain (a pool may have read the startup packet before a worker took the
// session) gives that phase the length 0 and the next one the rest, so that the sum stays exact.
//
// Safety: pure function.
#pragma once

#include <vector>

#include "engine/segment/connection_log.h"
#include "harness/load/load_result.h"
#include "harness/observe/setup_durations.h"
#include "results/schema.h"

namespace connbench::observe {

// Rows for phases.csv without their keys, for the connects of the measured window that succeeded.
// Connections without a server record are in the client's rows only; without any, there are no rows
// of the other sides. Where the server's stamps carry CPU clocks there are rows of side "cpu" too:
// not how long a phase was but what it cost (phase_cpu.h), where that can be told of more than half
// of the connections.
std::vector<results::PhaseRow> SummarizePhases(
    const std::vector<load::ConnectionPhases>& client,
    const std::vector<engine::ConnectionLogRecord>& server);

// Rows of side "server" from durations that a server tells of itself: "start" is its fork,
// "session" what is left of the total.
std::vector<results::PhaseRow> SummarizeSetupDurations(
    const std::vector<load::ConnectionPhases>& client, const std::vector<SetupDurations>& server);

}  // namespace connbench::observe
