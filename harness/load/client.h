// One client of a Worker: its connection, its place in its script, and what it waits for.
//
// Safety: belongs to its worker's thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "harness/load/connection.h"
#include "harness/load/recorder.h"
#include "harness/script/random.h"
#include "harness/script/script.h"

namespace connbench::load {

// What \gset and \aset make of the results of a statement.
class RowCapture final : public protocol::ClientRowSink {
 public:
  struct Found {
    std::string name;   // of the column
    std::string value;  // NULL is the empty text, as in pgbench
  };

  void Begin(Capture capture) {
    capture_ = capture;
    rows_ = 0;
    names_.clear();
    found_.clear();
  }

  void Columns(std::span<const std::string_view> names) override {
    names_.assign(names.begin(), names.end());
    rows_ = 0;
  }
  void Row(std::span<const WireValue> values) override {
    ++rows_;
    row_.clear();
    for (const WireValue& value : values) {
      row_.emplace_back(value.is_null() ? "" : value.data,
                        value.is_null() ? 0 : static_cast<size_t>(value.length));
    }
  }
  // The end of one result.
  void Tag(std::string_view /*tag*/) override {
    last_rows_ = rows_;
    if (capture_ == Capture::kGset) found_.clear();  // only the last result counts
    if (rows_ > 0) {
      for (size_t i = 0; i < std::min(names_.size(), row_.size()); ++i) {
        found_.push_back({names_[i], row_[i]});
      }
    }
    names_.clear();
    rows_ = 0;
  }

  // Of the last result.
  uint64_t rows() const { return last_rows_; }
  const std::vector<Found>& found() const { return found_; }

 private:
  Capture capture_ = Capture::kNone;
  std::vector<std::string> names_;
  std::vector<std::string> row_;  // the last one
  uint64_t rows_ = 0;
  uint64_t last_rows_ = 0;
  std::vector<Found> found_;
};

struct Client {
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
  bool rolling_back = false;  // ROLLBACK was sent
  Connection connection;
  ScriptRunner runner;
  Random random;                  // for backoff and session lengths; the script has its own
  int failed = 0;                 // attempts in a row
  int64_t transactions_left = 0;  // in this plan, or on this connection
  TransactionStamps stamps;       // of the transaction
  MonotonicNs wanted = 0;         // since when it asks for what it has to connect for; else 0
  bool unsent = false;            // open loop: nothing of it has been sent
  MonotonicNs noticed = 0;        // open loop: when it waited for a connection, since when; else 0
  MonotonicNs deadline = kNoDeadline;
  uint64_t timer_generation = 0;
  std::unique_ptr<RowCapture> capture;
};

}  // namespace connbench::load
