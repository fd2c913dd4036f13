// Both servers of a gate, up at the same time for a round, and the windows that are measured on
// them.
//
// Owns targets and servers: nothing of them is left when it is gone. Errors name the side.
// Safety: one thread, the one that made the Interruption.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "harness/gate/gate_loop.h"
#include "harness/gate/gate_plan.h"
#include "harness/suite/running_server.h"
#include "harness/suite/trial_runner.h"
#include "harness/targets/target_list.h"
#include "results/schema.h"
#include "results/writer.h"

namespace connbench::gate {

// Checks whose breach hits either side by chance: windows count all the same (gate_loop.h).
inline constexpr std::array<std::string_view, 2> kDisturbances = {"steal", "other_load"};

class ServerPair final : public Measurer {
 public:
  // record: takes what each window found, for the run's folder.
  using Record = std::function<Status(results::TrialRecord)>;
  ServerPair(const GatePlan& plan, suite::TrialContext context, Record record);
  ServerPair(const ServerPair&) = delete;
  ServerPair& operator=(const ServerPair&) = delete;

  // Are the programs here, do they know their settings?
  Status Prepare();
  // After Prepare(): "base postgres" -> its version, for run.json.
  results::TextMap Versions() const;
  Status StartRound(Side first) override;
  Result<Window> Measure(const WindowPlace& place) override;
  // Ends both, the second also when the first went wrong. Without a round: nothing.
  Status EndRound() override;
  bool Interrupted() override { return context_.interruption->Requested(); }

 private:
  Status OfSide(Side side, const Status& status) const;

  const GatePlan& plan_;
  suite::TrialContext context_;
  Record record_;
  targets::TargetEnvironment environment_;
  std::array<std::unique_ptr<targets::Target>, kSides> targets_;
  std::array<std::optional<suite::RunningServer>, kSides> servers_;  // those that were started
};

}  // namespace connbench::gate
