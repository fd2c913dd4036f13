// An engine whose data directory lies in files of the caller's: for tests of what a disk may do.
//
// Safety and errors: as Engine::Create(). The files outlive the engine.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "engine/files/files.h"

namespace connbench::engine {

Result<std::unique_ptr<Engine>> CreateEngineOnFiles(const EngineConfig& config, Files& files);

}  // namespace connbench::engine
