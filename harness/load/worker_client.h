// One client of a Worker: its connection, its place in its script, and what it waits for.
//
// Safety: belongs to its worker's thread. Included by worker*.cc alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/load/connection.h"
#include "harness/load/random.h"
#include "harness/load/script.h"
#include "harness/load/worker.h"

namespace connbench::load {

// The one row of a statement with \gset.
class RowCapture final : public protocol::ClientRowSink {
 public:
  void Columns(std::span<const std::string_view> names) override {
    names_.assign(names.begin(), names.end());
    rows_ = 0;
  }
  void Row(std::span<const protocol::WireValue> values) override {
    if (++rows_ != 1) return;
    values_.clear();
    for (const protocol::WireValue& value : values) {
      if (value.is_null()) {
        values_.emplace_back();
      } else {
        values_.emplace_back(std::string(value.data, static_cast<size_t>(value.length)));
      }
    }
  }
  void Tag(std::string_view /*tag*/) override {}

  void Clear() {
    names_.clear();
    values_.clear();
    rows_ = 0;
  }
  uint64_t rows() const { return rows_; }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::optional<std::string>>& values() const { return values_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::optional<std::string>> values_;
  uint64_t rows_ = 0;
};

struct Worker::Client {
  enum class State : uint8_t {
    kRest,         // nothing to do in this plan (any more)
    kAwaiting,     // until its connection is lost
    kConnecting,   // until ready
    kRunning,      // a statement is in flight
    kSleeping,     // \sleep, or a script without SQL that gave way to others
    kFree,         // open loop: until an arrival takes it
    kRollingBack,  // ending a failed transaction
    kPausing,      // before it connects again
  };

  Client(const ScriptSet& scripts, uint32_t place_here, uint32_t number, uint64_t seed,
         TrafficBytes& bytes)
      : place(place_here),
        index(number),
        connection(bytes),
        runner(scripts, number, seed),
        random(seed ^ (uint64_t{number} << 32)) {}

  uint32_t place;  // among this thread's clients
  uint32_t index;  // among all clients of the run
  State state = State::kRest;
  bool in_transaction = false;
  bool aborted = false;  // a statement of its script can never succeed
  bool first_query_sent = false;
  Connection connection;
  ScriptRunner runner;
  Random random;                  // for backoff and session lengths; the script has its own
  int failed = 0;                 // attempts in a row
  int64_t transactions_left = 0;  // in this plan, or on this connection
  TransactionStamps stamps;       // of the transaction
  bool unsent = false;            // open loop: nothing of it has been sent
  MonotonicNs noticed = 0;        // open loop: when it waited for a connection, since when; else 0
  MonotonicNs deadline = kNoDeadline;
  uint64_t timer_generation = 0;
  std::unique_ptr<RowCapture> capture;
};

}  // namespace connbench::load
