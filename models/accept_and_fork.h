// How a model whose supervisor accepts gives each client a process of its own.
//
// Safety: the supervisor only, from Model::OnReadable; takes no latch and blocks for no client.
// Ownership: the child has the socket, the parent closes its copy. Errors: a client for whom fork()
// fails is refused with 53300, and accepting goes on.
#pragma once

#include <functional>

#include "models/connection.h"
#include "models/model.h"

namespace connbench::models {

// Accepts at most kAcceptBatch clients and forks a backend for each, which runs serve and exits
// with what it returns. False: the machine is out of something, or there are as many backends as
// there may be; as OnReadable says it.
bool AcceptAndFork(engine::ConnectionLog& log, Listener& listener, ProcessSpawner& spawner,
                   const std::function<int(const AcceptedConnection&)>& serve);

}  // namespace connbench::models
