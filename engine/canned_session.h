// A session with no engine behind it: whatever a client asks, the answer is one fixed row of one
// int4 column. With `--set engine=canned` a server's cost is then that of its connection model and
// of the protocol alone: the floor under every figure that the same model reaches with the query
// engine, and the way to tell what a model costs from what the engine costs.
//
// It does just enough for pgbench's scripts to run: transaction control changes the status that
// clients see, commands that return no rows return none, and statements that look into pg_class
// are refused, which is what pgbench's probe for partitions expects of a server without them.
// Nothing is stored, nothing is locked, no SQL is parsed beyond its first word.
//
// Like any session it holds a backend slot, so that connection limits, cancel, termination and the
// observers work as with the query engine.
//
// Safety: as engine::Session.
#pragma once

#include <memory>

#include "engine/session.h"

namespace connbench::engine {

class Backend;

std::unique_ptr<Session> MakeCannedSession(std::unique_ptr<Backend> backend,
                                           SessionOptions options);

}  // namespace connbench::engine
