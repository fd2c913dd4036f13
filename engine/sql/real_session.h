// How the engine makes the real sessions: those that parse, plan and execute SQL.
//
// Safety: any thread; the session made belongs to one thread at a time (engine/session.h).
#pragma once

#include <memory>

#include "base/status.h"
#include "engine/session.h"

namespace connbench::engine {

class Backend;
struct EngineConfig;
struct EngineContext;    // engine/engine_context.h
struct ParallelDesk;     // engine/parallel/desk.h
struct SettingDefaults;  // engine/sql/settings.h

// For EngineContext, when the engine is made. huge_pages: the segment lies in them.
std::shared_ptr<const SettingDefaults> MakeSettingDefaults(const EngineConfig& config,
                                                           bool huge_pages);
// Builds the tables of functions and operators, which never change. To be called when the engine is
// made: a table that its first user builds would be built in every forked backend.
void BuildFunctionTables();

// The context and the waiter must outlive the session. Startup parameters that do not hold are
// FATAL errors, as in PostgreSQL.
Result<std::unique_ptr<Session>> MakeRealSession(EngineContext& context,
                                                 std::unique_ptr<Backend> backend,
                                                 const SessionOptions& options, Waiter& waiter);

// A parallel worker's work on one job, which stands at the desk: in a session made for it, that
// borrows the worker's slot.
void RunParallelJob(EngineContext& context, Backend& backend, ParallelDesk& desk);

}  // namespace connbench::engine
