// The part of a Worker that runs the clients' scripts: begins transactions, goes on when an answer
// has come, and says what came of them.
//
// Safety: belongs to the worker's thread.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "harness/load/client.h"
#include "harness/load/worker_state.h"

namespace connbench::load {

struct WorkerParts;

class Transactions {
 public:
  explicit Transactions(WorkerParts& parts);

  void Begin(Client& client, MonotonicNs now);
  // The script goes on, until it waits for something or has ended.
  void Continue(Client& client, MonotonicNs now);
  // The answer to a statement is complete.
  void Answered(Client& client);
  void Fail(Client& client, MonotonicNs now, std::string_view code, std::string_view reason);

 private:
  // The same for what would only happen again: the client begins no more transactions.
  void Abort(Client& client, MonotonicNs now, std::string_view code, std::string_view reason);
  // After a failure: leaves nothing open in the session, then finishes.
  void CleanUp(Client& client, MonotonicNs now);
  // The transaction is over; what comes next is the plan's matter.
  void Finish(Client& client, MonotonicNs now);

  WorkerParts& parts_;
  WorkerState& state_;
};

}  // namespace connbench::load
