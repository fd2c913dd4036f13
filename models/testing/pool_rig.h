// For tests: a pooler with its backends in one process, as `pool-tx-thread` has them, but without a
// supervisor: the engine in private memory, a loop on a thread of its own, a Unix socket.
//
// Safety: made and ended by one thread, which has no other when it begins.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "models/connection.h"
#include "models/listener.h"
#include "models/loop/event_descriptors.h"
#include "models/pool_tx/pooled_backend.h"
#include "models/pool_tx/pooler.h"

namespace connbench::models::testing {

class PoolRig {
 public:
  // What a backend's thread runs.
  using Backend = std::function<void(engine::Engine&, const SessionMark&, ConnectionStop&)>;

  // Aborts if anything fails to start.
  PoolRig(PoolMode mode, int backends);
  // reserve: backends for superusers only.
  PoolRig(const PoolLimits& limits, int backends, int reserve = 0,
          Backend backend = RunPooledBackend);
  ~PoolRig();
  PoolRig(const PoolRig&) = delete;
  PoolRig& operator=(const PoolRig&) = delete;

  // Of the Unix socket.
  const std::string& path() const { return listeners_.socket_path(); }
  engine::Engine& engine() { return *engine_; }
  engine::PoolUsage usage() const { return engine_->pool_usage().at(0); }

 private:
  const Backend backend_;
  std::string folder_;
  std::unique_ptr<engine::Engine> engine_;
  SessionMark mark_;
  ListenerSet listeners_;
  EventDescriptors event_descriptor_;
  std::unique_ptr<EpollLoop> loop_;
  std::unique_ptr<Pooler> pooler_;
  std::vector<std::unique_ptr<ConnectionStop>> stops_;
  std::vector<int> backend_ends_;
  std::vector<std::thread> threads_;
};

}  // namespace connbench::models::testing
