// What a gate says: the verdict in a sentence, what changed, the table, and how far it can be
// trusted.
//
// Safety: pure functions; any thread. Errors: none.
#pragma once

#include <optional>
#include <string>

#include "base/exit_code.h"
#include "harness/gate/calibration.h"
#include "harness/gate/gate_loop.h"
#include "harness/gate/gate_plan.h"
#include "harness/stats/verdict_row.h"

namespace connbench::gate {

// Worse in any row: 4. A gate that was spoilt: 3, interrupted: 130. A row that is not decided: 5.
ExitCode ExitCodeOf(const GateOutcome& outcome);

// The rows as every comparison has them, for words and outputs. Of a gate without a verdict all
// rows are INVALID.
stats::VerdictTable TableOf(const GatePlan& plan, const GateOutcome& outcome,
                            const std::optional<Calibration>& calibration);

// One sentence, the verdict first. Nothing is called the same without the change that would have
// been found.
std::string Headline(const GatePlan& plan, const GateOutcome& outcome);

// The whole answer as plain text of at most 100 columns. calibration: of this machine, if there is
// one.
std::string FormatGate(const GatePlan& plan, const GateOutcome& outcome,
                       const std::optional<Calibration>& calibration);

// What a calibration found.
std::string FormatCalibration(const GatePlan& plan, const Calibration& calibration);

}  // namespace connbench::gate
