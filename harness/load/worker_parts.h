// The parts of a Worker, each with an idea of its own. They call each other, because what one
// client does next may be another part's business: an answer ends a transaction, which ends a
// session, which connects again.
//
// Safety: belongs to the worker's thread.
#pragma once

#include "harness/load/arrival_dispatch.h"
#include "harness/load/connects.h"
#include "harness/load/polling.h"
#include "harness/load/statements.h"
#include "harness/load/timers.h"
#include "harness/load/transactions.h"
#include "harness/load/worker_state.h"

namespace connbench::load {

struct WorkerParts {
  WorkerParts(const WorkerSettings& settings, int number)
      : state(settings, number),
        polling(*this),
        connects(*this),
        transactions(*this),
        statements(*this),
        arrivals(*this) {}
  WorkerParts(const WorkerParts&) = delete;
  WorkerParts& operator=(const WorkerParts&) = delete;

  // Gives what a connection reports to the part that waits for it.
  void Handle(Client& client, Connection::Event event);
  // The client has nothing to do any more in this plan.
  void Rest(Client& client);
  // Nothing begins after this.
  void EndPlanAt(MonotonicNs until);

  WorkerState state;
  Timers timers;
  Polling polling;
  Connects connects;
  Transactions transactions;
  Statements statements;
  ArrivalDispatch arrivals;
};

}  // namespace connbench::load
