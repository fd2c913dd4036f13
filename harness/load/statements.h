// The part of a Worker that sends statements: in the protocol's mode, with the script's parameters,
// and those of a round of a closed loop together.
//
// Safety: belongs to the worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "harness/load/client.h"
#include "harness/load/send_batch.h"
#include "harness/load/worker_state.h"

namespace connbench::load {

struct WorkerParts;

class Statements {
 public:
  explicit Statements(WorkerParts& parts);

  // Sends the command at which the client's script stands; its answer is awaited.
  void Send(Client& client, MonotonicNs now);
  // The same in a pipeline: kept until Sync, which sends it; the answers to all are awaited.
  void Queue(Client& client);
  void Sync(Client& client, MonotonicNs now);
  // Ends what the client's session has open: a pipeline, or a transaction.
  void RollBack(Client& client, MonotonicNs now);

  // From now on statements of one round can be sent together; nothing happens where the kernel
  // cannot.
  void AllowCollecting() {
    if (batch_ == nullptr) batch_ = SendBatch::Make();
  }
  bool can_collect() const { return batch_ != nullptr; }
  // Statements are kept back until SendCollected.
  void Collect() { collecting_ = true; }
  bool collecting() const { return collecting_; }
  void SendCollected();

 private:
  void Say(Client& client);
  void Transmit(Client& client, MonotonicNs now);

  WorkerParts& parts_;
  WorkerState& state_;
  std::unique_ptr<SendBatch> batch_;
  bool collecting_ = false;
  // Scratch for building a statement.
  std::string sql_;
  std::string parameter_text_;
  std::vector<std::pair<size_t, int32_t>> parameter_places_;
  std::vector<WireValue> parameters_;
};

}  // namespace connbench::load
